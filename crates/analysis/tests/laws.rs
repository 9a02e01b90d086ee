//! What must hold of any lists: oracles over `BTreeSet`, which share no code with the
//! answers, and the algebra of changes.

use std::collections::{BTreeMap, BTreeSet};

use analysis::engine::Memory;
use analysis::{Cells, Diff, Observation, Undecided, diff, mutuals, overlap};
use jiff::Timestamp;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use snapshot::{AccountId, Coverage, Crawl, Cut, List, Order, PageRecord, State};

const ACCOUNT: u32 = 7;

type Ids = BTreeSet<i64>;

/// Sets of close ids, far ids and the very last, so that some meet and some do not.
fn ids() -> impl Strategy<Value = Ids> {
    let id = prop_oneof![
        8 => 0..40_i64,
        1 => (1 << 53) - 2..(1 << 53) + 3_i64,
        1 => i64::MAX - 2..=i64::MAX,
    ];
    btree_set(id, 0..40)
}

fn list(list: List, ids: &Ids) -> Observation {
    let ids = ids.iter().rev().map(|id| AccountId::new(*id).unwrap());
    Observation::complete(ACCOUNT.into(), list, ids).unwrap()
}

fn followers(ids: &Ids) -> Observation {
    list(List::Followers, ids)
}

fn compare(before: &Ids, after: &Ids) -> Diff {
    diff(&followers(before), &followers(after), &Memory).unwrap()
}

/// A change is an id with +1 or −1.
fn signed(diff: &Diff) -> BTreeMap<i64, i64> {
    let gained = diff.gained.iter().map(|c| (c.member.get(), 1));
    gained.chain(diff.lost.iter().map(|c| (c.member.get(), -1))).collect()
}

/// One change after another; what cancels is gone.
fn then(first: &BTreeMap<i64, i64>, second: &BTreeMap<i64, i64>) -> BTreeMap<i64, i64> {
    let mut sum = first.clone();
    for (id, sign) in second {
        *sum.entry(*id).or_default() += sign;
    }
    sum.retain(|_, sign| *sign != 0);
    sum
}

proptest! {
    #[test]
    fn a_diff_turns_the_earlier_list_into_the_later(before in ids(), after in ids()) {
        let found = compare(&before, &after);
        let mut applied = before.clone();
        for (id, sign) in signed(&found) {
            let applies = if sign > 0 { applied.insert(id) } else { applied.remove(&id) };
            prop_assert!(applies);
        }
        prop_assert_eq!(&applied, &after);
        prop_assert!(found.unknown.is_empty());
        let net = found.opening() + found.gained.len() as u64 - found.lost.len() as u64;
        prop_assert_eq!(net, found.closing());
        prop_assert_eq!(found.unchanged, before.intersection(&after).count() as u64);
    }

    #[test]
    fn two_steps_add_up_to_one(a in ids(), b in ids(), c in ids()) {
        let (first, second) = (signed(&compare(&a, &b)), signed(&compare(&b, &c)));
        prop_assert_eq!(then(&first, &second), signed(&compare(&a, &c)));
    }

    #[test]
    fn backwards_gains_are_losses(a in ids(), b in ids()) {
        let there = signed(&compare(&a, &b));
        prop_assert!(then(&there, &signed(&compare(&b, &a))).is_empty());
    }

    #[test]
    fn mutuals_are_the_three_parts_of_two_sets(x in ids(), y in ids()) {
        let ask = |followers: &Ids, following: &Ids| {
            let (a, b) = (list(List::Followers, followers), list(List::Following, following));
            mutuals(&a, &b, &Memory).unwrap()
        };
        let raw = |ids: &[AccountId]| ids.iter().map(|id| id.get()).collect::<Vec<_>>();
        let (found, turned) = (ask(&x, &y), ask(&y, &x));
        prop_assert!(raw(&found.mutual).iter().eq(x.intersection(&y)));
        prop_assert!(raw(&found.only_followers).iter().eq(x.difference(&y)));
        prop_assert!(raw(&found.only_following).iter().eq(y.difference(&x)));
        prop_assert_eq!(found.mutual, turned.mutual);
        prop_assert_eq!(found.only_followers, turned.only_following);
    }

    #[test]
    fn pairs_and_cells_agree_with_each_other_and_the_sets(sets in vec(ids(), 0..7)) {
        let lists: Vec<_> = sets.iter().map(followers).collect();
        let found = overlap(&lists, Cells::Count, &Memory).unwrap();
        let cells = found.cells.as_deref().unwrap();
        let in_cells = |wanted: u32| -> u64 {
            cells.iter().filter(|c| c.mask & wanted == wanted).map(|c| c.members).sum()
        };
        let union: Ids = sets.iter().flatten().copied().collect();
        prop_assert_eq!(in_cells(0), union.len() as u64);
        for (i, set) in sets.iter().enumerate() {
            prop_assert_eq!(found.size(i), set.len() as u64);
            prop_assert_eq!(in_cells(1 << i), set.len() as u64);
        }
        for (i, j) in found.pairs() {
            let both = sets[i].intersection(&sets[j]).count() as u64;
            prop_assert_eq!(found.intersection(i, j), both);
            prop_assert_eq!(in_cells(1 << i | 1 << j), both);
            prop_assert_eq!(found.union(i, j), sets[i].union(&sets[j]).count() as u64);
            let (there, back) = (found.containment(i, j), found.containment(j, i));
            let larger = there.into_iter().chain(back).reduce(f64::max);
            if found.size(i) > 0 && found.size(j) > 0 {
                prop_assert_eq!(found.overlap_coefficient(i, j), larger);
            }
        }
    }

    #[test]
    fn inclusion_and_exclusion_give_the_union(sets in vec(ids(), 1..6)) {
        let lists: Vec<_> = sets.iter().map(followers).collect();
        let cells = overlap(&lists, Cells::Count, &Memory).unwrap().cells.unwrap();
        let in_all_of = |wanted: u32| -> i64 {
            let cells = cells.iter().filter(|c| c.mask & wanted == wanted);
            i64::try_from(cells.map(|c| c.members).sum::<u64>()).unwrap()
        };
        let terms = (1..1_u32 << sets.len()).map(|wanted| {
            if wanted.count_ones() % 2 == 1 { in_all_of(wanted) } else { -in_all_of(wanted) }
        });
        let union: Ids = sets.iter().flatten().copied().collect();
        prop_assert_eq!(terms.sum::<i64>(), i64::try_from(union.len()).unwrap());
    }
}

/// When the earlier crawl of a world was made; follow times before it are smaller.
const FIRST_CRAWL: i64 = 1000;

/// Who follows since when, before and after some time has passed.
#[derive(Clone, Debug)]
struct World {
    before: BTreeMap<i64, i64>,
    after: BTreeMap<i64, i64>,
}

/// What becomes of a member between the crawls.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Stays,
    Leaves,
    ComesBack(i64),
}

fn worlds() -> impl Strategy<Value = World> {
    // Few different times, so that many members share the one at a page's end.
    let fate = prop_oneof![
        4 => Just(Fate::Stays),
        2 => Just(Fate::Leaves),
        1 => (FIRST_CRAWL + 1..FIRST_CRAWL + 20).prop_map(Fate::ComesBack),
    ];
    let old = vec((0..30_i64, fate), 0..40);
    let new = vec(FIRST_CRAWL + 1..FIRST_CRAWL + 20, 0..15);
    (old, new).prop_map(|(old, new)| {
        let mut world = World { before: BTreeMap::new(), after: BTreeMap::new() };
        for (member, (time, fate)) in (0..).zip(old) {
            world.before.insert(member, time);
            match fate {
                Fate::Stays => drop(world.after.insert(member, time)),
                Fate::Leaves => {}
                Fate::ComesBack(time) => drop(world.after.insert(member, time)),
            }
        }
        world.after.extend((100..).zip(new));
        world
    })
}

/// How a crawl of the world went.
#[derive(Clone, Copy, Debug)]
struct Reading {
    page: usize,
    /// Pages after which it was cut short, if that many there are.
    cut: Option<usize>,
}

fn readings() -> impl Strategy<Value = Reading> {
    (1..6_usize, proptest::option::of(0..8_usize)).prop_map(|(page, cut)| Reading { page, cut })
}

fn second(n: i64) -> Timestamp {
    Timestamp::from_second(n).unwrap()
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap()
}

/// Reads a list page by page, newest first, as far as the reading goes; every page but the
/// list's last one tells the follow time of its last member.
fn read(world: &BTreeMap<i64, i64>, reading: Reading) -> Observation {
    let mut rows: Vec<_> = world.iter().map(|(member, time)| (*member, *time)).collect();
    rows.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
    let all: Vec<_> = rows.chunks(reading.page).collect();
    let kept = &all[..reading.cut.unwrap_or(all.len()).min(all.len())];
    let complete = kept.len() == all.len();
    let pages = kept.iter().enumerate().map(|(number, page)| PageRecord {
        ids: small(page.len()),
        first_position: small(number * reading.page),
        boundary: (number + 1 < all.len()).then(|| second(page[page.len() - 1].1)),
        ..PageRecord::new(ACCOUNT.into(), List::Followers, small(number), second(FIRST_CRAWL))
    });
    let pages: Vec<_> = pages.collect();
    let covered_since = pages.last().and_then(|page| page.boundary).filter(|_| !complete);
    let after_page = small(kept.len());
    let state = if complete {
        Coverage::Complete
    } else {
        Coverage::CutShort { after_page, why: Cut::Budget }
    };
    let (list, state) = (List::Followers, State::Read(state));
    let crawl = Crawl {
        order: Order::NewestFirst,
        pages: after_page,
        requests: after_page,
        covered_since,
        ..Crawl::new(ACCOUNT.into(), list, "world", state, second(FIRST_CRAWL))
    };
    let ids = kept.concat().into_iter().map(|(member, _)| AccountId::new(member).unwrap());
    Observation::from_ids(crawl, ids).unwrap().with_pages(pages)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn lists_cut_anywhere_lose_and_gain_nobody_falsely(
        world in worlds(),
        first in readings(),
        second in readings(),
    ) {
        let (before, after) = (read(&world.before, first), read(&world.after, second));
        let found = diff(&before, &after, &Memory).unwrap();
        for lost in &found.lost {
            prop_assert!(world.before.contains_key(&lost.member.get()));
            prop_assert!(!world.after.contains_key(&lost.member.get()), "{lost:?} still follows");
        }
        for gained in &found.gained {
            let followed = world.after[&gained.member.get()];
            let was_there = world.before.contains_key(&gained.member.get());
            // Below an earlier cut a return cannot be told from a first follow; the follow
            // itself is new all the same.
            let new_follow = followed > FIRST_CRAWL;
            prop_assert!(new_follow, "{gained:?} followed at {followed}");
            prop_assert!(!was_there || !before.is_complete());
        }
        let only_in_before = found.unknown.iter().filter(|u| matches!(u, Undecided::InBefore(_)));
        let told = found.unchanged + (found.lost.len() + only_in_before.count()) as u64;
        prop_assert_eq!(told, before.len(), "every member of the earlier crawl is told once");
        let only_in_after = found.unknown.iter().filter(|u| matches!(u, Undecided::InAfter(_)));
        let told = found.unchanged + (found.gained.len() + only_in_after.count()) as u64;
        prop_assert_eq!(told, after.len(), "every member of the later crawl is told once");
    }
}
