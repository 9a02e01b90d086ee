//! Files of other tools, sorted or not, against plain sets. In a program of its own, because the
//! memory is set for a whole process: so little that what is not sorted goes to the disk.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use analysis::engine::{Engine, Memory, Stream};
use analysis::{Change, DiffPart, diff_each, id_files};
use snapshot::{Table, TableStream, Values};

/// A million ids is sorted without a look; more is read as it lies, if it ascends.
const MANY: usize = 1_300_000;

/// Ids of every size, ascending.
fn ids(count: usize, salt: u64) -> Vec<i64> {
    let mut state = salt;
    let mut found = BTreeSet::from([0, i64::MAX]);
    while found.len() < count {
        // Steele, Lea and Flood (2014).
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        found.insert((z >> (1 + z % 40)).cast_signed());
    }
    found.into_iter().collect()
}

/// Some order in which nothing ascends for long.
fn mixed(ids: &[i64]) -> Vec<i64> {
    (0..1_009).flat_map(|first| ids.iter().skip(first).step_by(1_009)).rev().copied().collect()
}

fn write(folder: &Path, name: &str, column: &str, ids: &[i64]) -> PathBuf {
    let path = folder.join(format!("{name}.parquet"));
    let ids = Values::I64(ids.iter().copied().map(Some).collect());
    let table = Table::default().required(column, ids);
    let file = std::fs::File::create(&path).unwrap();
    let mut stream = TableStream::new(file, &table, &[]).unwrap();
    stream.append(&table).unwrap();
    stream.finish().unwrap();
    path
}

/// Compares two files and two sets, on both engines.
fn check(before: &Path, after: &Path, x: &BTreeSet<i64>, y: &BTreeSet<i64>) {
    let files = id_files(&[before, after], None).unwrap();
    let engines: [&dyn Engine; 2] = [&Stream, &Memory];
    for engine in engines {
        let mut all = DiffPart::default();
        diff_each(&files[0], &files[1], engine, |part| {
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
    analysis::set_memory(32 << 20).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let all = ids(MANY + 20_000, 1);
    let x: Vec<_> =
        all.iter().enumerate().filter(|(i, _)| i % 97 != 0).map(|(_, id)| *id).collect();
    let y: Vec<_> =
        all.iter().enumerate().filter(|(i, _)| i % 89 != 5).map(|(_, id)| *id).collect();
    let (in_x, in_y) = (x.iter().copied().collect(), y.iter().copied().collect());
    let ascending = |name, ids: &[i64]| write(folder.path(), name, "id", ids);
    let (sorted_x, sorted_y) = (ascending("x", &x), ascending("y", &y));
    check(&sorted_x, &sorted_y, &in_x, &in_y);
    let mixed_x = write(folder.path(), "mixed-x", "id", &mixed(&x));
    let mixed_y = write(folder.path(), "mixed-y", "member_id", &mixed(&y));
    check(&mixed_x, &mixed_y, &in_x, &in_y);
    check(&sorted_x, &mixed_y, &in_x, &in_y);
    check(&mixed_x, &sorted_x, &in_x, &in_x);
    // Everything twice: each id counts once.
    let twice = write(folder.path(), "twice", "only", &[mixed(&y), y.clone()].concat());
    check(&sorted_x, &twice, &in_x, &in_y);
    let none = write(folder.path(), "none", "id", &[]);
    check(&none, &mixed_y, &BTreeSet::new(), &in_y);
    check(&sorted_x, &none, &in_x, &BTreeSet::new());
    check(&none, &none, &BTreeSet::new(), &BTreeSet::new());
}

#[test]
fn a_column_that_cannot_hold_ids_is_named() {
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
