//! Two readings of a list in the network's order, against plain sets.

mod files;

use std::collections::BTreeSet;
use std::path::Path;

use analysis::diff_id_files;
use analysis::engine::Stream;
use files::{ids, mixed, write};
use proptest::prelude::*;

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
