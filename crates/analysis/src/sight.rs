//! How far absence from a crawl is evidence: which part of another list it looked at.
//!
//! The rule for a member that stands in `other` and is missing in `looker`:
//!
//! | the looker read | then the member was truly absent |
//! |---|---|
//! | the whole list | always, but for the exception below |
//! | nothing (protected, suspended, missing, refused) | never |
//! | a stretch from the newest member on | if the member followed inside that stretch |
//!
//! The stretch is known as a time: everybody who followed after `covered_since` was in it.
//! The member's follow time is known as a bound: those of one page of `other` followed at or
//! after the page's boundary. So the members of every leading page with a boundary *strictly
//! after* `covered_since` can be judged, and those of the first page without one, or with an
//! earlier one, and of all pages below it, cannot. Where positions mean nothing, where a
//! source reveals no times, or pages are missing, nobody can.
//! In particular, that somebody followed after an earlier crawl had ended, and so cannot have
//! been in it, is known from times or not at all.
//!
//! What that proves differs by direction, since follow times only grow:
//!
//! - Absent from a *later* crawl: had the member still followed, with the old time or a new
//!   one, the follow would lie in the stretch. It is **lost**, with one exception: who leaves
//!   and follows anew while the later crawl is already past its first page now stands at the
//!   top, where the crawl has been, and no longer where it will look. Then the old follow is
//!   lost and the new one shows in the crawl after. Complete lists have this exception too.
//! - Absent from an *earlier* crawl: the follow that the later crawl shows did not exist
//!   then. It is a **gain**: a new follow. That the same member had also followed long
//!   before, below the stretch, then left and came back, cannot be ruled out; complete lists
//!   would have shown such a return as unchanged.

use jiff::Timestamp;
use snapshot::{Coverage, Order, State};

use crate::Observation;

/// How many leading positions of `other` lie where `looker` looked. Members there that
/// `looker` lacks were absent; about those at later positions it says nothing.
pub(crate) fn seen_by(looker: &Observation, other: &Observation) -> u64 {
    match looker.crawl().state.coverage() {
        None => 0,
        Some(Coverage::Complete) => u64::MAX,
        Some(Coverage::Head | Coverage::CutShort { .. }) => {
            looker.crawl().covered_since.map_or(0, |since| followed_after(other, since))
        }
    }
}

/// How many leading positions surely belong to members who followed after `time`.
fn followed_after(list: &Observation, time: Timestamp) -> u64 {
    if list.crawl().order != Order::NewestFirst {
        return 0;
    }
    let later = leading_pages(list).take_while(|(_, boundary)| *boundary > time);
    later.last().map_or(0, |(end, _)| end.into())
}

/// The leading pages of a list that follow on each other, as far as each has a boundary: where
/// the positions of each end, and its boundary. None of a list in no order.
pub(crate) fn leading_pages(list: &Observation) -> impl Iterator<Item = (u32, Timestamp)> {
    let is_ordered = list.crawl().order == Order::NewestFirst;
    let pages = list.pages().iter().filter(move |_| is_ordered);
    (0..).zip(pages).scan(0_u32, |end, (number, page)| {
        let follows_on = page.page == number && page.first_position == *end;
        let boundary = page.boundary.filter(|_| follows_on)?;
        *end = end.saturating_add(page.ids);
        Some((*end, boundary))
    })
}

/// Whether a crawl that misses a member proves that its follow was not there, of which is known
/// that it was made at this moment or later.
pub(crate) fn proves_absence(
    state: State,
    covered_since: Option<Timestamp>,
    followed_since: Option<Timestamp>,
) -> bool {
    let is_inside = || covered_since.zip(followed_since).is_some_and(|(since, at)| at > since);
    state.is_complete() || state.coverage().is_some() && is_inside()
}
