//! Every way of counting, forced, against sets.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use snapshot::{AccountId, List};

use super::count::{Counted, Plan, few, rows};
use super::pairs::Pairs;
use super::{By, overlap_each, overlap_estimated, overlap_strongest};
use crate::Observation;
use crate::engine::Memory;

type Ids = BTreeSet<i64>;

/// Small sets and larger ones of close ids, far ids and the very first and last.
fn ids() -> impl Strategy<Value = Ids> {
    let id = prop_oneof![
        20 => 0..200_i64,
        2 => (1 << 53) - 2..(1 << 53) + 3_i64,
        1 => i64::MAX - 2..=i64::MAX,
    ];
    prop_oneof![3 => btree_set(id.clone(), 0..5), 1 => btree_set(id, 0..150)]
}

fn observed(sets: &[Ids]) -> Vec<Observation> {
    let list = |(account, ids): (u32, &Ids)| {
        let ids = ids.iter().map(|id| AccountId::new(*id).unwrap());
        Observation::complete(account.into(), List::Followers, ids).unwrap()
    };
    (1..).zip(sets).map(list).collect()
}

fn plan(bits_from: usize) -> Plan {
    Plan { bits_from, step: 100, chunk: 50, batch: 40, memory: 1 << 20 }
}

fn check(sets: &[Ids], pairs: &Pairs) {
    for i in pairs.rows() {
        for j in i + 1..sets.len() {
            let both = sets[i].intersection(&sets[j]).count();
            assert_eq!(pairs.get(i, j) as usize, both, "lists {i} and {j} of {sets:?}");
        }
    }
}

fn by_mask(sets: &[Ids]) -> BTreeMap<usize, u32> {
    let mut masks: BTreeMap<i64, usize> = BTreeMap::new();
    for (i, set) in sets.iter().enumerate() {
        for id in set {
            *masks.entry(*id).or_default() |= 1 << i;
        }
    }
    let mut counts = BTreeMap::new();
    for mask in masks.into_values() {
        *counts.entry(mask).or_default() += 1;
    }
    counts
}

proptest! {
    #[test]
    fn members_counted_by_their_combination_equal_the_sets(sets in vec(ids(), 0..9)) {
        let Counted { pairs, by_mask: found, sizes, work } = few(&observed(&sets), true, plan(2)).unwrap();
        check(&sets, &pairs);
        prop_assert!(sizes.iter().zip(&sets).all(|(size, set)| *size == set.len() as u64));
        let found: BTreeMap<usize, u32> =
            found.into_iter().enumerate().filter(|(_, members)| *members > 0).collect();
        let expected = by_mask(&sets);
        prop_assert_eq!(work.members, expected.values().map(|n| u64::from(*n)).sum::<u64>());
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn members_counted_pair_by_pair_or_as_bits_equal_the_sets(
        sets in vec(ids(), 0..30),
        bits_from in 0..12_usize,
    ) {
        let counted = few(&observed(&sets), false, plan(bits_from)).unwrap();
        check(&sets, &counted.pairs);
        prop_assert!(bits_from > 2 || counted.work.one_by_one == 0);
    }

    #[test]
    fn rows_of_the_matrix_counted_apart_equal_the_sets(
        sets in vec(ids(), 1..30),
        bits_from in 0..12_usize,
        cut in 0..30_usize,
    ) {
        let lists = observed(&sets);
        let cut = cut.min(sets.len());
        for band in [0..cut, cut..sets.len()] {
            let mut pairs = Pairs::of_rows(sets.len(), band);
            rows(&lists, &mut pairs, plan(bits_from)).unwrap();
            check(&sets, &pairs);
        }
    }

    #[test]
    fn the_strongest_pairs_are_the_first_of_all_sorted(
        sets in vec(ids(), 0..12),
        top in 0..20_usize,
        by in prop_oneof![Just(By::Jaccard), Just(By::Intersection), Just(By::Coefficient)],
    ) {
        let lists = observed(&sets);
        let mut all = Vec::new();
        overlap_each(&lists, &Memory, |pairs| {
            all.extend(pairs);
            Ok(())
        })
        .unwrap();
        prop_assert_eq!(all.len(), sets.len() * sets.len().saturating_sub(1) / 2);
        let strength = |a: usize, b: usize| {
            let both = sets[a].intersection(&sets[b]).count() as f64;
            let whole = match by {
                By::Jaccard => sets[a].union(&sets[b]).count(),
                By::Intersection => 1,
                By::Coefficient => sets[a].len().min(sets[b].len()),
            };
            if whole == 0 { -1.0 } else { both / whole as f64 }
        };
        // A stable sort: what is equal stays in the order of the lists.
        all.sort_by(|x, y| strength(y.a, y.b).total_cmp(&strength(x.a, x.b)));
        all.truncate(top);
        prop_assert_eq!(overlap_strongest(&lists, top, by, &Memory).unwrap().pairs, all);
    }
}

/// A number that follows from another and looks like any other (Steele, Lea and Flood, Fast
/// Splittable Pseudorandom Number Generators, 2014).
fn mixed(number: u64) -> u64 {
    let z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// Lists of very different lengths over one crowd, in which some are in many lists.
fn crowd(lists: usize, longest: usize) -> Vec<Ids> {
    let draw = |list: usize, n: usize| {
        let dice = mixed((list * longest + n) as u64);
        let popular = dice >> 60 == 0;
        let rank = (dice & 0xffff_ffff) % if popular { 64 } else { 2 * longest as u64 };
        // Spread over the whole space of ids.
        (mixed(rank) >> 1).cast_signed()
    };
    (0..lists).map(|list| (0..longest / (list + 1)).map(|n| draw(list, n)).collect()).collect()
}

#[test]
fn long_lists_cut_into_many_chunks_equal_the_sets_at_any_number_of_threads() {
    let sets = crowd(30, 40_000);
    let lists = observed(&sets);
    let plan = Plan { bits_from: 6, step: 20_000, chunk: 2_000, batch: 10_000, memory: 1 << 20 };
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut pairs = Pairs::new(lists.len());
        let works = pool.install(|| {
            let counted = few(&lists, false, plan).unwrap();
            check(&sets, &counted.pairs);
            (counted.work, rows(&lists, &mut pairs, plan).unwrap().1)
        });
        check(&sets, &pairs);
        assert_eq!(works.0, works.1);
        assert!(works.0.as_bits > 0 && works.0.one_by_one > 0);
    }
}

#[test]
fn a_thousand_lists_are_counted_by_rows_of_the_matrix() {
    let sets: Vec<Ids> = (0..1000).map(|i| (0..20).map(|n| (i * n) % 1500).collect()).collect();
    let answer = super::overlap(&observed(&sets), super::Cells::Skip, &Memory).unwrap();
    for (i, j) in answer.pairs() {
        let both = sets[i].intersection(&sets[j]).count() as u64;
        assert_eq!(answer.intersection(i, j), both, "lists {i} and {j}");
    }
}

#[test]
fn estimates_of_short_lists_are_exact_and_those_of_long_ones_lie_within_their_bounds() {
    let mut sets = crowd(40, 60_000);
    sets.push(sets[0].clone());
    sets.push(Ids::new());
    let lists = observed(&sets);
    let answer = overlap_estimated(&lists, usize::MAX, By::Intersection, &Memory).unwrap();
    assert_eq!(answer.pairs.len(), 42 * 41 / 2);
    assert_eq!(answer.sampled, 4096);
    let mut outside = 0;
    for pair in &answer.pairs {
        let both = sets[pair.a].intersection(&sets[pair.b]).count() as u64;
        assert_eq!((pair.a_size, pair.b_size), (lists[pair.a].len(), lists[pair.b].len()));
        assert!(pair.at_least <= pair.intersection && pair.intersection <= pair.at_most);
        let is_short = |size: u64| size <= 4096;
        if is_short(pair.a_size) && is_short(pair.b_size) {
            assert_eq!((pair.at_least, pair.at_most), (both, both));
        } else if !(pair.at_least..=pair.at_most).contains(&both) {
            outside += 1;
        }
        if (pair.a, pair.b) == (0, 40) {
            assert_eq!(pair.intersection, both, "a list and itself");
        }
    }
    // The seed is fixed: of some 600 pairs, 28 are expected outside.
    assert!(outside <= 42, "{outside} overlaps lie outside of their bounds");
    let again = overlap_estimated(&lists, usize::MAX, By::Intersection, &Memory).unwrap();
    assert_eq!(again, answer);
}
