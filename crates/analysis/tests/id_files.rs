//! Files of other tools, sorted or not, against plain sets. In a program of its own, because the
//! memory is set for a whole process: so little that what is not sorted goes to the disk.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Once;

use analysis::engine::{Engine, Memory, Stream};
use analysis::{Change, DiffPart, diff_each, diff_id_files, id_files};
use proptest::prelude::*;
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
        diff_each(&files[0], &files[1], *engine, |part| {
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
    // Everything twice: each id counts once.
    let twice = write(folder.path(), "twice", "only", &[mixed(&y), y.clone()].concat());
    check(&[&Stream], (&twice, &sorted_x), (&in_y, &in_x));
    let (none, nobody) = (write(folder.path(), "none", "id", &[]), BTreeSet::new());
    check(&[&Stream], (&none, &mixed_y), (&nobody, &in_y));
    check(&[&Stream], (&sorted_x, &none), (&in_x, &nobody));
    check(&[&Stream], (&none, &none), (&nobody, &nobody));
}

/// Two readings of one list: rows of the first leave, move to the front, or stay; some are new,
/// in front or in between; some are repeated.
fn readings() -> impl Strategy<Value = (Vec<i64>, Vec<i64>)> {
    let row = (0..40_i64, 0..12_u8);
    prop::collection::vec(row, 0..300).prop_map(|rows| {
        let (mut before, mut front, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        for (place, (jitter, fate)) in rows.into_iter().enumerate() {
            // Few enough ids that some come twice.
            let id = 7 * i64::try_from(place).unwrap() / 8 * 40 + jitter;
            match fate {
                0 => before.push(id),
                1 => front.push(id),
                2 => rest.push(id),
                3 => {
                    before.push(id);
                    front.push(id);
                }
                4 => {
                    before.extend([id, id]);
                    rest.push(id);
                }
                5 => {
                    before.push(id);
                    rest.extend([id, id]);
                }
                _ => {
                    before.push(id);
                    rest.push(id);
                }
            }
        }
        (before, [front, rest].concat())
    })
}

fn changes_of_files(before: &Path, after: &Path) -> (Vec<i64>, Vec<i64>) {
    let (mut gained, mut lost) = (Vec::new(), Vec::new());
    diff_id_files([before, after], None, &Stream, |part| {
        gained.extend(part.gained.iter().map(|c| c.member.get()));
        lost.extend(part.lost.iter().map(|c| c.member.get()));
        Ok(())
    })
    .unwrap();
    (gained, lost)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn two_readings_in_step_are_compared_as_sets((before, after) in readings()) {
        let folder = tempfile::tempdir().unwrap();
        let paths = [("x", &before), ("y", &after)];
        let [x, y] = paths.map(|(name, ids)| write(folder.path(), name, "id", ids));
        let (in_x, in_y): (BTreeSet<_>, BTreeSet<_>) =
            (before.into_iter().collect(), after.into_iter().collect());
        let (gained, lost) = changes_of_files(&x, &y);
        prop_assert!(gained.iter().eq(in_y.difference(&in_x)));
        prop_assert!(lost.iter().eq(in_x.difference(&in_y)));
    }
}

#[test]
fn long_readings_are_compared_as_sets_whether_in_step_or_not() {
    little_memory();
    let folder = tempfile::tempdir().unwrap();
    let all = mixed(&ids(700_000, 2));
    let (new, old) = all.split_at(9_000);
    let left = |place: &usize| place.is_multiple_of(61);
    let kept = || old.iter().enumerate().filter(|(place, _)| !left(place)).map(|(_, id)| *id);
    let later: Vec<_> = new.iter().copied().chain(kept()).collect();
    let gone: BTreeSet<_> =
        old.iter().enumerate().filter(|(place, _)| left(place)).map(|(_, id)| *id).collect();
    let came: BTreeSet<_> = new.iter().copied().collect();
    let before = write(folder.path(), "before", "id", old);
    let in_step = write(folder.path(), "after", "id", &later);
    let mut shuffled = later.clone();
    shuffled.sort_by_key(|id| id.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed()));
    let shuffled = write(folder.path(), "shuffled", "id", &shuffled);
    for after in [in_step, shuffled] {
        let (gained, lost) = changes_of_files(&before, &after);
        assert!(gained.iter().eq(&came));
        assert!(lost.iter().eq(&gone));
    }
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
