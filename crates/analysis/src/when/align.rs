//! What the order of two crawls of one list says about who came, came back, and left.
//!
//! A list has its newest follow first, so between two crawls its members keep their order, and
//! the later crawl consists of
//!
//! - a *head*: follows made since, of members who are new and of members who had left and
//!   follow anew;
//! - below it, everybody who stayed, in the old order; and among them members whom the earlier
//!   crawl did not show although they followed already: they were hidden (suspended,
//!   deactivated, locked), and came back to their old places.
//!
//! Where the head ends is not written anywhere. It is put where it needs the fewest exceptions:
//! members who stayed but stand in the head must have left and followed anew, and strangers
//! below it must have been hidden; the sum of both is made least. Who stayed is a longest
//! common subsequence of both lists, which for lists without repeats is a longest increasing
//! subsequence of positions (J. Hunt, T. Szymanski: A fast algorithm for computing longest
//! common subsequences, CACM 20, 1977). Follow times overrule both, where they are known.
//!
//! What it cannot tell: somebody who was hidden when the earlier crawl came by and who had
//! followed after everybody it showed stands in the head, and passes for new.

use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use snapshot::{AccountId, Order};

use super::follow_times::Pages;
use super::increasing::longest_increasing;
use super::told::{Steps, lies_within};
use super::{Between, FollowTimes};
use crate::engine::Engine;
use crate::question::{Met, meet};
use crate::sight::seen_by;
use crate::{Error, Observation, Partition, Question, ask, memory};

/// Nobody: a row of the source that repeated a member.
const NOBODY: u32 = u32::MAX;

/// Somebody whom the earlier crawl does not have.
const STRANGER: u32 = u32::MAX - 1;

/// The share of common members that may be out of order, or must have moved although they are in
/// order, before order is not believed.
const EXCEPTIONS_SHARE: f64 = 0.01;

/// What is kept of each row of the later crawl: its creation time and its place before, and two
/// numbers of the subsequence.
const BYTES_A_ROW: u64 = 16;

/// Why positions of a list, or of two, say nothing about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoOrder {
    /// Nobody says that a list is in order of time: an import, for example.
    NotStated,
    /// A list is said to be, but is sorted by id.
    Sorted,
    /// Members were made after they can have followed, going by their ids and the order.
    TimesDisagree,
    /// Members of both lists are in another order in one than in the other.
    Reordered,
    /// A list is in order, and neither its ids nor its cursors tell any time.
    NoTimes,
    /// It was not looked at: that would have taken more memory than questions may take.
    TooLong,
}

/// The name used in columns where positions do tell times.
pub const DEPENDABLE: &str = "dependable";

impl NoOrder {
    /// The name used in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotStated => "not_stated",
            Self::Sorted => "sorted_by_id",
            Self::TimesDisagree => "times_disagree",
            Self::Reordered => "reordered",
            Self::NoTimes => "no_times",
            Self::TooLong => "too_long",
        }
    }

    /// The same as part of a sentence.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotStated => "the order of the lists is not known",
            Self::Sorted => "a list is sorted by id",
            Self::TimesDisagree => "the order of a list contradicts the age of its members",
            Self::Reordered => "the lists are in different orders",
            Self::NoTimes => "neither the ids of a list nor its cursors tell any time",
            Self::TooLong => "to look at the order takes more memory than --memory allows",
        }
    }
}

/// How a member that only the later crawl has came to be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arrival {
    /// Followed after the earlier crawl had begun.
    New,
    /// Had followed before, and was hidden from the earlier crawl.
    Returned,
}

impl Arrival {
    /// The name used in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Returned => "returned",
        }
    }
}

/// A member of both crawls who left between them and followed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moved {
    /// Who.
    pub member: AccountId,
    /// The position in the earlier crawl.
    pub before: u32,
    /// The position in the later crawl.
    pub after: u32,
    /// Between which moments it followed anew.
    pub between: Between,
}

/// Two crawls of one list, laid side by side by their order.
#[derive(Clone, Debug)]
pub struct Alignment {
    /// When the members of the later crawl followed.
    pub after: FollowTimes,
    /// How many leading positions of the later crawl are its head.
    pub head: u32,
    /// Who left and followed anew, by member.
    pub moved: Vec<Moved>,
    /// Common members out of order below the head; at most one in a hundred.
    pub displaced: u64,
    /// When the earlier crawl began and the later one ended.
    window: Between,
    /// The pages of the earlier crawl.
    pages_before: Pages,
    /// For each page of the later crawl, the end of the positions of the earlier one whose
    /// places have been passed when it had arrived.
    passed: Vec<(u32, Timestamp)>,
}

impl Alignment {
    /// Lays two crawls of one list side by side; or says why their order says nothing.
    ///
    /// O(members · log members) time, and less the fewer moved; 16 bytes a member of the later
    /// crawl. Whether ids contradict the order is looked at in the later one.
    ///
    /// # Errors
    /// If a list cannot be read.
    pub fn of(
        before: &Observation,
        after: &Observation,
        engine: &dyn Engine,
    ) -> Result<Result<Self, NoOrder>, Error> {
        if before.crawl().order != Order::NewestFirst {
            return Ok(Err(NoOrder::NotStated));
        }
        let rows = after.crawl().ids + after.crawl().duplicates;
        if rows.saturating_mul(BYTES_A_ROW) > memory() {
            return Ok(Err(NoOrder::TooLong));
        }
        let newer = match FollowTimes::of(after, engine)? {
            Ok(times) => times,
            Err(why) => return Ok(Err(why)),
        };
        let mut question = PlacesBefore { before_of: Vec::new() };
        question.before_of.resize_with(newer.positions(), || AtomicU32::new(NOBODY));
        let Common { members: common, outside, steps } = ask(&question, &[before, after], engine)?;
        lies_within(outside, newer.positions())?;
        if steps.are_sorted() {
            return Ok(Err(NoOrder::Sorted));
        }
        let before_of: Vec<u32> =
            question.before_of.into_iter().map(AtomicU32::into_inner).collect();
        let stayed = stayed(&before_of);
        let began = before.crawl().started_at;
        let judged = usize::try_from(seen_by(before, after)).unwrap_or(usize::MAX);
        let least = newer.surely_after(began);
        let most = newer.maybe_from(began).max(least);
        let head = head(&before_of, &stayed, judged, least, most);
        let stayed_until = |end: usize| stayed.partition_point(|at| (*at as usize) < end);
        let below = before_of[head..].iter().filter(|before| **before < STRANGER).count();
        let displaced = below - (stayed.len() - stayed_until(head));
        let in_order_but_moved = stayed_until(head) - stayed_until(least.min(head));
        let exceptions = (displaced + in_order_but_moved) as f64;
        if exceptions > (EXCEPTIONS_SHARE * common as f64).max(2.0) {
            return Ok(Err(NoOrder::Reordered));
        }
        let displaced = displaced as u64;
        let window = Between { earliest: began, latest: after.crawl().finished_at };
        let passed = passed(&newer, &before_of, &stayed, head);
        let in_head = &before_of[..head];
        let head = u32::try_from(head).unwrap_or(u32::MAX);
        let moved = Vec::new();
        let pages_before = Pages::of(before, 0);
        let aligned = Self { after: newer, head, moved, displaced, window, pages_before, passed };
        let moved = moved_of(after, in_head, &aligned, engine)?;
        Ok(Ok(Self { moved, ..aligned }))
    }

    /// How a member that only the later crawl has, at this position, came to be in it.
    pub fn arrival(&self, after: u32) -> Arrival {
        if after < self.head { Arrival::New } else { Arrival::Returned }
    }

    /// Between which moments the member at a position of the later crawl, which the earlier one
    /// lacks or who moved, came to be in the list: followed, or became visible again.
    pub fn gained(&self, after: u32) -> Between {
        match self.arrival(after) {
            Arrival::New => {
                let times = self.after.between(after);
                times.and(self.window).unwrap_or(self.window)
            }
            Arrival::Returned => {
                Between { earliest: self.window.earliest, latest: self.after.read(after).latest }
            }
        }
    }

    /// Between which moments the member at a position of the earlier crawl, which the later one
    /// lacks or who moved, left the list: after its page was asked for, and before the page of
    /// the later crawl arrived on which it would stand.
    pub fn lost(&self, before: u32) -> Between {
        let earliest = self.pages_before.read(before).earliest;
        let passed = self.passed.partition_point(|(until, _)| *until <= before);
        let latest = self.passed.get(passed).map_or(self.window.latest, |(_, at)| *at);
        Between { earliest, latest: latest.max(earliest) }
    }
}

/// The positions of the later crawl that are in the order of the earlier one, ascending. Of two
/// members that changed places the one that was newer before is taken to have stayed: who
/// follows anew goes to the top.
fn stayed(before_of: &[u32]) -> Vec<u32> {
    longest_increasing(before_of, |before| before < STRANGER)
}

/// How many leading positions are the head: where those who stayed above its end, and those
/// below it who did not stay (strangers, as far as the earlier crawl looked, and members out of
/// order), are fewest together; the fewest positions of several. At least `least` and at most
/// `most`, which follow times tell.
fn head(before_of: &[u32], stayed: &[u32], judged: usize, least: usize, most: usize) -> usize {
    let mut stay = stayed.iter().map(|at| *at as usize).peekable();
    let others = before_of.iter().enumerate().filter(|(at, before)| match **before {
        NOBODY => false,
        STRANGER => *at < judged,
        _ => stay.next_if_eq(at).is_none(),
    });
    let others: Vec<usize> = others.map(|(at, _)| at).collect();
    // A head ends after somebody who did not stay; so many of them are in it.
    let ends = std::iter::once(0).chain(others.iter().map(|at| at + 1)).enumerate();
    let allowed = ends.filter(|(_, end)| (least..=most).contains(end));
    let exceptions = |(within, end): (usize, usize)| {
        stayed.partition_point(|at| (*at as usize) < end) + (others.len() - within)
    };
    let best = allowed.min_by_key(|&head| (exceptions(head), head.1));
    best.map_or(least, |(_, end)| end)
}

/// For each page of the later crawl, up to where the places of the earlier one are passed.
fn passed(
    after: &FollowTimes,
    before_of: &[u32],
    stayed: &[u32],
    head: usize,
) -> Vec<(u32, Timestamp)> {
    let mut stayed = stayed.iter().filter(|at| **at as usize >= head).peekable();
    let mut until = 0;
    let pages = after.arrivals().map(|(positions, fetched_at)| {
        while let Some(at) = stayed.next_if(|at| **at < positions.end) {
            until = before_of[*at as usize];
        }
        (until, fetched_at)
    });
    pages.collect()
}

/// Who of both lists stands in the head.
fn moved_of(
    after: &Observation,
    before_of: &[u32],
    aligned: &Alignment,
    engine: &dyn Engine,
) -> Result<Vec<Moved>, Error> {
    if before_of.iter().all(|before| *before >= STRANGER) {
        return Ok(Vec::new());
    }
    ask(&InHead { before_of, aligned }, &[after], engine)
}

/// Puts the position before at each position after.
struct PlacesBefore {
    /// Each position is written at most once.
    before_of: Vec<AtomicU32>,
}

/// What two lists have in common.
#[derive(Default)]
struct Common {
    members: u64,
    /// A position that no row of the later crawl can have.
    outside: Option<i32>,
    /// Of the earlier crawl.
    steps: Steps,
}

impl Question for PlacesBefore {
    type Partial = Common;
    type Answer = Common;

    fn needs_positions(&self) -> bool {
        true
    }

    fn start(&self) -> Common {
        Common::default()
    }

    fn on_partition(&self, part: &Partition<'_>) -> Result<Common, Error> {
        let (before, after) = (part.list(0), part.list(1));
        let (mut members, mut outside) = (0, None);
        let mut put = |row: usize, value: u32| {
            let position = after.positions[row];
            match usize::try_from(position).ok().and_then(|at| self.before_of.get(at)) {
                Some(place) => place.store(value, Ordering::Relaxed),
                None => outside = Some(position),
            }
        };
        meet(before.members, after.members, |met| match met {
            Met::Left(_) => {}
            Met::Right(row) => put(row, STRANGER),
            Met::Both(row, other) => {
                members += 1;
                put(other, before.positions[row].cast_unsigned());
            }
        });
        Ok(Common { members, outside, steps: Steps::of(before.positions) })
    }

    fn merge(&self, answer: &mut Common, part: Common) {
        answer.members += part.members;
        answer.outside = answer.outside.or(part.outside);
        answer.steps.add(part.steps);
    }
}

/// The members of both lists among the leading positions of the later one.
struct InHead<'a> {
    before_of: &'a [u32],
    aligned: &'a Alignment,
}

impl Question for InHead<'_> {
    type Partial = Vec<Moved>;
    type Answer = Vec<Moved>;

    fn needs_positions(&self) -> bool {
        true
    }

    fn start(&self) -> Vec<Moved> {
        Vec::new()
    }

    fn on_partition(&self, part: &Partition<'_>) -> Result<Vec<Moved>, Error> {
        let after = part.list(0);
        let rows = after.positions.iter().enumerate();
        let found = rows.filter_map(|(row, position)| {
            let before = *self.before_of.get(usize::try_from(*position).ok()?)?;
            let (member, after) = (after.id(row), position.cast_unsigned());
            let between = self.aligned.gained(after);
            (before < STRANGER).then_some(Moved { member, before, after, between })
        });
        Ok(found.collect())
    }

    fn merge(&self, answer: &mut Vec<Moved>, part: Vec<Moved>) {
        answer.extend(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The positions before of letters after, and what follows from them: who stayed, and the
    /// head, as text.
    fn check(before: &str, after: &str, stays: &str, in_head: &str) {
        let place = |c| before.find(c).map_or(STRANGER, |at| u32::try_from(at).unwrap());
        let before_of: Vec<u32> = after.chars().map(place).collect();
        let stayed = stayed(&before_of);
        let letters: String =
            stayed.iter().map(|at| char::from(after.as_bytes()[*at as usize])).collect();
        assert_eq!(letters, stays, "who stayed from {before} to {after}");
        let head = head(&before_of, &stayed, usize::MAX, 0, usize::MAX);
        assert_eq!(&after[..head], in_head, "the head from {before} to {after}");
    }

    #[test]
    fn who_follows_anew_goes_to_the_top() {
        check("abcdef", "abcdef", "abcdef", "");
        check("abcdef", "xyabcdef", "abcdef", "xy");
        check("abcdef", "xdyabcef", "abcef", "xdy");
        check("abcdef", "bacdef", "acdef", "b");
        check("abcdef", "fdabce", "abce", "fd");
        check("abcdef", "abxcdef", "abcdef", "");
        check("abcdef", "axybcdef", "abcdef", "axy");
        check("", "xy", "", "xy");
        check("ab", "", "", "");
    }

    #[test]
    fn who_was_hidden_returns_to_its_place() {
        check("abcdefgh", "xyabcdzefgh", "abcdefgh", "xy");
        check("abcdefgh", "zabcdefgh", "abcdefgh", "z");
    }

    #[test]
    fn a_longest_increasing_subsequence_is_as_long_as_a_naive_one() {
        // All permutations of six, against trying all subsets.
        let mut orders = vec![vec![]];
        for n in 0..6_u32 {
            let longer = orders.iter().flat_map(|order: &Vec<u32>| {
                (0..=order.len()).map(move |at| {
                    let mut order = order.clone();
                    order.insert(at, n);
                    order
                })
            });
            orders = longer.collect();
        }
        assert_eq!(orders.len(), 720);
        for order in orders {
            let found: Vec<u32> = stayed(&order).iter().map(|at| order[*at as usize]).collect();
            assert!(found.is_sorted_by(|a, b| a < b));
            let subsets = (0..1_u32 << 6).filter_map(|subset| {
                let picked = order.iter().enumerate().filter(|(at, _)| subset >> at & 1 == 1);
                let picked: Vec<_> = picked.map(|(_, value)| *value).collect();
                picked.is_sorted().then_some(picked.len())
            });
            assert_eq!(Some(found.len()), subsets.max());
        }
    }
}
