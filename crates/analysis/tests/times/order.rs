//! Who was new, who returned and who followed anew between two crawls.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use analysis::engine::Memory;
use analysis::when::{Arrival, NoOrder};
use analysis::{Diff, Observation, diff};
use simulator::{Spell, World};
use snapshot::{Coverage, Crawl, List, State};

use crate::crawls::{Reading, crawl, id, lively, read_at, seen, stays, wait};

const SEEDS: u64 = 120;

/// How often what was said was true.
#[derive(Debug, Default)]
struct Score {
    new: u64,
    new_but_returned: u64,
    returned: u64,
    returned_but_new: u64,
    moved: u64,
    moved_but_stayed: u64,
    moved_unnoticed: u64,
    lost: u64,
    lost_but_there: u64,
    intervals: u64,
    outside: u64,
    unknown: u64,
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let naive = self.new_but_returned + self.returned;
        let gained = self.new + self.returned_but_new + naive;
        write!(f, "{gained} | {naive} ({:.1} %) ", 100.0 * naive as f64 / gained as f64)?;
        write!(f, "| {} | {} ", self.new_but_returned, self.returned_but_new)?;
        write!(f, "| {} | {} + {} ", self.moved, self.moved_but_stayed, self.moved_unnoticed)?;
        write!(f, "| {} | {} ", self.lost, self.unknown)?;
        write!(f, "| {} of {}", self.outside, self.intervals)
    }
}

impl Score {
    fn add(&mut self, world: &World, before: &Observation, after: &Observation, diff: &Diff) {
        let account = after.account();
        let truth = stays(world, account.get(), after.list());
        for gained in &diff.gained {
            let position = gained.position.unwrap();
            let stay = seen(&truth[&gained.member], read_at(after, position));
            let is_new = stay.followed_at > before.crawl().started_at;
            match (gained.arrival.expect("the order is dependable"), is_new) {
                (Arrival::New, true) => self.new += 1,
                (Arrival::New, false) => self.new_but_returned += 1,
                (Arrival::Returned, false) => self.returned += 1,
                (Arrival::Returned, true) => self.returned_but_new += 1,
            }
            let at = read_at(after, position);
            let shown = stay.hidden.iter().filter_map(|hidden| hidden.until).filter(|t| *t <= at);
            let event = if is_new { stay.followed_at } else { shown.max().unwrap() };
            self.interval(gained.between.contains(event));
        }
        for lost in &diff.lost {
            let at = read_at(before, lost.position.unwrap());
            let stay = seen(&truth[&lost.member], at);
            let event = end(stay, at);
            self.lost += 1;
            match event {
                Some(event) if event <= after.crawl().finished_at => {
                    self.interval(lost.between.contains(event));
                }
                _ => self.lost_but_there += 1,
            }
        }
        let moved: BTreeSet<_> = diff.moved.iter().map(|moved| moved.member).collect();
        for moved in &diff.moved {
            let old = seen(&truth[&moved.member], read_at(before, moved.before));
            let new = seen(&truth[&moved.member], read_at(after, moved.after));
            if old.followed_at == new.followed_at {
                self.moved_but_stayed += 1;
            } else {
                self.moved += 1;
                self.interval(moved.between.contains(new.followed_at));
            }
        }
        self.unknown += diff.unknown.len() as u64;
        // Who truly left and followed anew, both before the page on which the crawl saw them.
        let gained: BTreeSet<_> = diff.gained.iter().map(|gained| gained.member).collect();
        for (member, stays) in &truth {
            let follows = |stay: &&Spell| stay.followed_at > before.crawl().finished_at;
            let (began, ended) = (before.crawl().started_at, after.crawl().started_at);
            let again = stays.iter().find(|s| follows(s) && s.shows(ended));
            let before = stays.iter().any(|s| s.shows(began) && s.left_at.is_some());
            if again.is_some() && before && !moved.contains(member) && !gained.contains(member) {
                self.moved_unnoticed += 1;
            }
        }
    }

    fn interval(&mut self, holds: bool) {
        self.intervals += 1;
        self.outside += u64::from(!holds);
    }
}

/// When a stay that showed at a moment ceased to show.
fn end(stay: &Spell, at: jiff::Timestamp) -> Option<jiff::Timestamp> {
    let hidden = stay.hidden.iter().map(|hidden| hidden.from).find(|from| *from > at);
    [hidden, stay.left_at].into_iter().flatten().min()
}

/// Two crawls of an account in each of many networks.
fn score(days: i64, first: Reading, second: Reading) -> Score {
    let mut score = Score::default();
    for seed in 0..SEEDS {
        let mut world = lively(seed);
        let account = world.watched()[0];
        let before = crawl(&mut world, account, first);
        wait(&mut world, days);
        let after = crawl(&mut world, account, second);
        let diff = diff(&before, &after, &Memory).unwrap();
        assert_eq!(diff.of.order, Ok(()), "seed {seed}");
        score.add(&world, &before, &after, &diff);
    }
    score
}

#[test]
fn two_crawls_tell_who_is_new_who_returned_and_who_followed_anew() {
    let whole = Reading::WHOLE;
    let slow = Reading { step: Duration::from_hours(3), ..whole };
    let at_once = Reading { step: Duration::ZERO, keeps_pages: false, ..whole };
    let cut = Reading { pages_max: Some(5), ..whole };
    let table = [
        ("a day", 1, whole, whole),
        ("a week", 7, whole, whole),
        ("a month", 30, whole, whole),
        ("a week, crawls of 36 hours", 7, slow, slow),
        ("a week, no cursors", 7, at_once, at_once),
        ("a week, the later crawl cut short", 7, whole, cut),
        ("a week, the earlier crawl cut short", 7, cut, whole),
    ];
    for (name, days, first, second) in table {
        let found = score(days, first, second);
        println!("| {name} | {found} |");
        assert_eq!(found.lost_but_there, 0, "{name}: nobody is lost who is there");
        assert!(found.outside * 1000 <= found.intervals, "{name}: intervals hold");
        assert!(found.new_but_returned * 100 <= found.new, "{name}");
        assert!(found.returned_but_new * 50 <= found.returned, "{name}");
        assert!(found.moved_but_stayed * 50 <= found.moved, "{name}");
        assert!(found.moved_unnoticed * 50 <= found.moved, "{name}");
    }
}

/// Two lists of one account, newest first.
fn lists(before: &[i64], after: &[i64]) -> Diff {
    let list = |ids: &[i64]| {
        let ids = ids.iter().map(|raw| id(*raw));
        Observation::complete(id(1), List::Followers, ids).unwrap()
    };
    diff(&list(before), &list(after), &Memory).unwrap()
}

/// Some hundred numbers without an order.
fn shuffled(count: i64) -> Vec<i64> {
    (1..=count).map(|n| n * 7919 % 100_003).collect()
}

#[test]
fn a_list_that_is_sorted_by_id_is_not_taken_for_one_in_order_of_time() {
    let mut sorted = shuffled(200);
    sorted.sort_unstable();
    let found = lists(&sorted[1..], &sorted);
    assert_eq!(found.of.order, Err(NoOrder::Sorted));
    assert_eq!((found.gained.len(), found.gained[0].arrival), (1, None));
    sorted.reverse();
    assert_eq!(lists(&sorted[1..], &sorted).of.order, Err(NoOrder::Sorted));
}

#[test]
fn lists_in_different_orders_are_compared_as_sets() {
    let before = shuffled(200);
    let mut after = before.clone();
    after.sort_by_key(|n| n % 1009);
    let found = lists(&before, &after);
    assert_eq!(found.of.order, Err(NoOrder::Reordered));
    assert!(!found.has_changes() && found.moved.is_empty());
}

#[test]
fn members_who_are_younger_than_the_crawl_cast_doubt_on_its_order() {
    // Snowflakes of 2020 in lists that were read in 1970.
    let young: Vec<i64> = shuffled(200).iter().map(|n| (1_214_000_000_000 + n) << 22).collect();
    let found = lists(&young, &young);
    assert_eq!(found.of.order, Err(NoOrder::TimesDisagree));
}

#[test]
fn a_list_of_which_nobody_says_its_order_has_none() {
    let crawl = |ids: &[i64]| {
        let state = State::Read(Coverage::Complete);
        let at = "2026-11-01T00:00:00Z".parse().unwrap();
        let crawl = Crawl::new(id(1), List::Followers, "file", state, at);
        Observation::from_ids(crawl, ids.iter().map(|raw| id(*raw))).unwrap()
    };
    let found = diff(&crawl(&[3, 2, 1]), &crawl(&[2, 1]), &Memory).unwrap();
    assert_eq!(found.of.order, Err(NoOrder::NotStated));
    assert_eq!(found.returned(), None);
}

#[test]
fn short_lists_are_told_apart_by_order_alone() {
    let found = lists(&[30, 10, 20], &[50, 10, 30, 40, 20]);
    assert_eq!(found.of.order, Ok(()));
    let arrivals: Vec<_> = found.gained.iter().map(|g| (g.member.get(), g.arrival)).collect();
    assert_eq!(arrivals, [(40, Some(Arrival::Returned)), (50, Some(Arrival::New))]);
    let moved: Vec<_> = found.moved.iter().map(|m| (m.member.get(), m.before, m.after)).collect();
    assert_eq!(moved, [(10, 1, 1)]);
    assert_eq!(found.unchanged, 3);
}
