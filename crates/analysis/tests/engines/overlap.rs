//! Whose audiences overlap, text in, text out. Lists are `a: 1 2 3; b: 2 3`, and come from
//! accounts 1, 2, 3…; cells are `a=1 ab=2`.

use std::collections::BTreeSet;

use analysis::{Cells, MAX_CELL_LISTS, Observation, Overlap, overlap};
use snapshot::List;

use crate::harness::On;

fn ask(on: &On, lists: &str) -> Overlap {
    let lists: Vec<Observation> = (1..)
        .zip(lists.split(';').filter(|list| !list.trim().is_empty()))
        .map(|(account, list)| on.list(account, List::Followers, list.split_once(':').unwrap().1))
        .collect();
    overlap(&lists, Cells::Count, on.engine).unwrap()
}

fn check_cells(on: &On, lists: &str, expected: &str) {
    let found = ask(on, lists);
    let name = |i: usize| char::from(b'a' + u8::try_from(i).unwrap());
    let cells = found.cells.iter().flatten().map(|cell| {
        let names: String = cell.lists().map(name).collect();
        format!("{names}={}", cell.members)
    });
    assert_eq!(cells.collect::<Vec<_>>().join(" "), expected);
}

pub(crate) fn a_pair_by_hand(on: &On) {
    let found = ask(on, "a: 1 2 3 4 5 6; b: 5 6 7 8");
    assert_eq!((found.size(0), found.size(1)), (6, 4));
    assert_eq!((found.intersection(0, 1), found.intersection(1, 0)), (2, 2));
    assert_eq!(found.union(0, 1), 8);
    assert_eq!(found.jaccard(0, 1), Some(0.25));
    assert_eq!(found.overlap_coefficient(0, 1), Some(0.5));
    assert_eq!(found.containment(0, 1), Some(2.0 / 6.0));
    assert_eq!(found.containment(1, 0), Some(0.5));
    assert!(found.is_exact(0, 1));
}

pub(crate) fn three_sets_by_hand(on: &On) {
    check_cells(on, "a: 1 2 3 4; b: 3 4 5; c: 4 5 6 1", "a=1 ab=1 c=1 ac=1 bc=1 abc=1");
    check_cells(on, "a: 1; b: 2; c: 3", "a=1 b=1 c=1");
}

pub(crate) fn one_list_has_one_cell(on: &On) {
    check_cells(on, "a: 3 1 2 1", "a=3");
    assert_eq!(ask(on, "a: 1").pairs().count(), 0);
}

pub(crate) fn no_lists_have_no_cells(on: &On) {
    check_cells(on, "", "");
    assert!(ask(on, "").is_empty());
}

pub(crate) fn empty_sets_have_no_ratios(on: &On) {
    let found = ask(on, "a: ; b: ; c: 1");
    assert_eq!((found.jaccard(0, 1), found.overlap_coefficient(0, 1)), (None, None));
    assert_eq!((found.containment(0, 2), found.containment(2, 0)), (None, Some(0.0)));
    assert_eq!((found.jaccard(0, 2), found.overlap_coefficient(0, 2)), (Some(0.0), None));
}

pub(crate) fn a_cut_list_gives_lower_bounds(on: &On) {
    let found = ask(on, "a: 1 2; b: 2 3 ...; c: protected");
    assert_eq!(found.intersection(0, 1), 1);
    assert!(!found.is_exact(0, 1) && !found.is_exact(0, 2));
    assert_eq!(found.size(2), 0);
}

pub(crate) fn the_same_list_twice_is_contained_in_itself(on: &On) {
    let list = on.followers("1 2 3");
    let found = overlap(&[list.clone(), list], Cells::Skip, on.engine).unwrap();
    assert_eq!(found.containment(0, 1), Some(1.0));
    assert_eq!(found.cells, None);
}

pub(crate) fn the_last_id_is_counted(on: &On) {
    let last = i64::MAX;
    check_cells(on, &format!("a: {last} 0; b: {last}; c: 0"), "ab=1 ac=1");
}

pub(crate) fn twenty_lists_have_cells_and_one_more_has_not(on: &On) {
    let lists: Vec<_> = (1..=21_u32).map(|i| on.ids(i, i64::from(i)..30)).collect();
    let found = overlap(&lists[..MAX_CELL_LISTS], Cells::Count, on.engine).unwrap();
    assert_eq!(found.cells.unwrap().len(), 20);
    let error = overlap(&lists, Cells::Count, on.engine).unwrap_err();
    assert_eq!(error.to_string(), "exclusive cells are counted for at most 20 lists, not 21");
    assert_eq!(overlap(&lists, Cells::Skip, on.engine).unwrap().intersection(0, 20), 9);
}

pub(crate) fn long_lists_equal_the_sets(on: &On) {
    let steps = [2, 3, 5, 7];
    let members = |step: i64| (0..600_000 / step).map(move |i| step * i);
    let sets: Vec<BTreeSet<i64>> = steps.iter().map(|step| members(*step).collect()).collect();
    let lists: Vec<_> = (1..).zip(steps).map(|(i, step)| on.ids(i, members(step))).collect();
    let found = overlap(&lists, Cells::Count, on.engine).unwrap();
    for (i, j) in found.pairs() {
        assert_eq!(found.intersection(i, j), sets[i].intersection(&sets[j]).count() as u64);
        assert_eq!(found.union(i, j), sets[i].union(&sets[j]).count() as u64);
    }
    for cell in found.cells.iter().flatten() {
        let exactly = |id: &i64| (0..4).all(|i| sets[i].contains(id) == (cell.mask >> i & 1 == 1));
        assert_eq!(cell.members, (0..600_000).filter(exactly).count() as u64);
    }
}
