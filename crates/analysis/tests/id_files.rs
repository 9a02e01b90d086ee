//! Files of other tools, sorted or not, against plain sets. In a program of its own, because the
//! memory is set for a whole process: so little that what is not sorted goes to the disk.

mod files;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Once;

use analysis::engine::{Engine, Memory, Stream};
use analysis::{Change, DiffPart, diff_each, id_files};
use files::{ids, mixed, write};
use snapshot::{Table, Values};

/// A million ids is sorted without a look; more is read as it lies, if it ascends.
const MANY: usize = 1_300_000;

/// Lets a million ids go to the disk. Whichever test comes first says so for all.
fn little_memory() {
    static SAID: Once = Once::new();
    SAID.call_once(|| analysis::set_memory(32 << 20).unwrap());
}

/// Compares two files and two sets, on both engines.
fn check(
    engines: &[&dyn Engine],
    (before, after): (&Path, &Path),
    (x, y): (&BTreeSet<i64>, &BTreeSet<i64>),
) {
    let files = id_files(&[before, after], None).unwrap();
    for engine in engines {
        let mut all = DiffPart::default();
        diff_each(&files[0], &files[1], *engine, |_, part| {
            all.gained.extend(part.gained);
            all.lost.extend(part.lost);
            all.unchanged += part.unchanged;
            assert!(part.unknown.is_empty());
            Ok(())
        })
        .unwrap();
        let ids = |changes: &[Change]| changes.iter().map(|c| c.member.get()).collect::<Vec<_>>();
        assert!(ids(&all.gained).iter().eq(y.difference(x)), "gained");
        assert!(ids(&all.lost).iter().eq(x.difference(y)), "lost");
        assert_eq!(all.unchanged, x.intersection(y).count() as u64);
        assert!(all.gained.iter().chain(&all.lost).all(|change| change.position.is_none()));
    }
}

#[test]
fn files_in_any_order_are_compared_as_sets() {
    little_memory();
    let folder = tempfile::tempdir().unwrap();
    let all = ids(MANY + 20_000, 1);
    let x: Vec<_> =
        all.iter().enumerate().filter(|(i, _)| i % 97 != 0).map(|(_, id)| *id).collect();
    let y: Vec<_> =
        all.iter().enumerate().filter(|(i, _)| i % 89 != 5).map(|(_, id)| *id).collect();
    let (in_x, in_y) = (x.iter().copied().collect(), y.iter().copied().collect());
    let ascending = |name, ids: &[i64]| write(folder.path(), name, "id", ids);
    let (sorted_x, sorted_y) = (ascending("x", &x), ascending("y", &y));
    let both: [&dyn Engine; 2] = [&Stream, &Memory];
    check(&both, (&sorted_x, &sorted_y), (&in_x, &in_y));
    let mixed_y = write(folder.path(), "mixed-y", "member_id", &mixed(&y));
    check(&both, (&sorted_x, &mixed_y), (&in_x, &in_y));
    // Sorted, and one id again in the middle, within a page and across two row groups.
    let mut again = y.clone();
    for place in [700_001, 700_000, (3 << 17) - 1] {
        again.insert(place, again[place]);
    }
    let again = ascending("again", &again);
    check(&both, (&sorted_x, &again), (&in_x, &in_y));
    // Everything twice: each id counts once.
    let twice = write(folder.path(), "twice", "only", &[mixed(&y), y.clone()].concat());
    check(&[&Stream], (&twice, &sorted_x), (&in_y, &in_x));
    let (none, nobody) = (write(folder.path(), "none", "id", &[]), BTreeSet::new());
    check(&[&Stream], (&none, &mixed_y), (&nobody, &in_y));
    check(&[&Stream], (&sorted_x, &none), (&in_x, &nobody));
    check(&[&Stream], (&none, &none), (&nobody, &nobody));
}

#[test]
fn a_column_that_cannot_hold_ids_is_named() {
    little_memory();
    let folder = tempfile::tempdir().unwrap();
    let negative = write(folder.path(), "negative", "id", &[1, -2, 3]);
    let refused = |path: &Path, column| id_files(&[path, path], column).unwrap_err();
    let error = refused(&negative, None);
    assert!(error.to_string().starts_with("column `id` of "), "{error}");
    assert!(error.to_string().ends_with("negative.parquet has numbers that are not ids"));
    let error = refused(&negative, Some("ids"));
    assert!(error.to_string().ends_with("negative.parquet has no column `ids`"));
    assert_eq!(error.way_out(), Some("its columns are id"));
    let path = folder.path().join("two.parquet");
    let text = Values::Text(vec![Some("1".to_owned())]);
    let missing = Values::I64(vec![None]);
    Table::default().required("a", text).optional("b", missing).write(&path, &[]).unwrap();
    let error = refused(&path, None);
    assert!(error.to_string().ends_with("two.parquet has no column `member_id` or `id`"));
    assert_eq!(error.way_out(), Some("name the column that holds the ids: a, b"));
    let error = refused(&path, Some("a"));
    assert!(error.to_string().ends_with("two.parquet is not of whole numbers"), "{error}");
    let error = refused(&path, Some("b"));
    assert!(error.to_string().starts_with("cannot read column `b` in row group 0"), "{error}");
    std::fs::write(&path, "no Parquet").unwrap();
    assert!(refused(&path, None).to_string().starts_with("cannot read "));
}
