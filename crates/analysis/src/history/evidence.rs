//! What one crawl proves about absence and order, before its rows are looked at one by one.

use jiff::Timestamp;
use snapshot::{AccountId, Columns, Coverage, HistoryCrawl, RunId};

use crate::engine::{Engine, Memory, Stream};
use crate::when::{Alignment, Between, DEPENDABLE, FollowTimes, NoOrder};
use crate::{Error, Observation, sight};

/// Lists up to this length are read into memory once, and longer ones several times.
const HELD_ROWS: u64 = 1 << 22;

/// What one crawl proves.
///
/// It takes 4 bytes a member where the list is in order of time, and next to nothing where it is
/// not; three times that while it is made.
pub(super) struct Evidence {
    /// Between which moments members followed, by position.
    pub(super) times: Option<FollowTimes>,
    /// The crawl that the order was compared with, and how many positions are newer than it.
    pub(super) compared: Option<(u32, u32)>,
    /// Who left and followed anew since that crawl, ascending.
    pub(super) moved: Vec<AccountId>,
    /// [`DEPENDABLE`], or why order tells nothing.
    pub(super) order: &'static str,
    /// The end of the positions of each leading page, and since when those in it followed.
    pages: Vec<(u32, Timestamp)>,
    /// The crawls before it that may prove an absence, latest first, up to the first that read
    /// the whole list.
    earlier: Vec<Earlier>,
}

/// An earlier crawl that may prove an absence.
struct Earlier {
    number: u32,
    /// Since when it covers the list; none if it read all of it.
    since: Option<Timestamp>,
}

/// What proves that a follow was not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Proof {
    /// The latest crawl that does.
    pub(super) number: u32,
    /// Whether it does not read the whole list, and the follow is known to lie in what it read.
    pub(super) by_time: bool,
}

impl Evidence {
    /// What a crawl proves that was read, after the crawls `known` of the same list.
    pub(super) fn of(
        list: &Observation,
        known: &[HistoryCrawl],
        anchor: Option<&(u32, Observation)>,
    ) -> Result<Self, Error> {
        let engine: &dyn Engine = if list.len() > HELD_ROWS { &Stream } else { &Memory };
        let mut evidence = Self {
            times: None,
            compared: None,
            moved: Vec::new(),
            order: DEPENDABLE,
            pages: leading_pages(list),
            earlier: earlier(known),
        };
        let aligned = match anchor {
            None => None,
            Some((number, before)) => Some((number, Alignment::of(before, list, engine)?)),
        };
        match aligned {
            Some((number, Ok(Alignment { after, head, moved, .. }))) => {
                evidence.times = Some(after);
                evidence.compared = Some((*number, head));
                evidence.moved = moved.into_iter().map(|moved| moved.member).collect();
            }
            Some((_, Err(NoOrder::Reordered))) => evidence.order = NoOrder::Reordered.name(),
            // It may be the crawl before whose order tells nothing.
            _ => match FollowTimes::of(list, engine)? {
                Ok(times) => evidence.times = Some(times),
                Err(why) => evidence.order = why.name(),
            },
        }
        Ok(evidence)
    }

    /// Between which moments the member at a position followed.
    pub(super) fn followed(&self, position: u32) -> Option<Between> {
        let times = self.times.as_ref()?;
        ((position as usize) < times.positions()).then(|| times.between(position))
    }

    /// Since when the member at a position has followed, as cursors tell.
    pub(super) fn boundary(&self, position: u32) -> Option<Timestamp> {
        let page = self.pages.partition_point(|(end, _)| *end <= position);
        self.pages.get(page).map(|(_, boundary)| *boundary)
    }

    /// The latest crawl before it that proves that a follow with this boundary, which this crawl
    /// sees, was not there; it must have missed the member.
    pub(super) fn absent_before(&self, boundary: Option<Timestamp>) -> Option<Proof> {
        let proves = |earlier: &&Earlier| match earlier.since {
            None => true,
            Some(since) => boundary.is_some_and(|boundary| boundary > since),
        };
        let found = self.earlier.iter().find(proves)?;
        Some(Proof { number: found.number, by_time: found.since.is_some() })
    }

    /// Whether the member moved.
    pub(super) fn has_moved(&self, member: AccountId) -> bool {
        self.moved.binary_search(&member).is_ok()
    }
}

/// A list as evidence is sought in it: in memory, unless it is long.
pub(super) fn held(list: Observation) -> Result<Observation, Error> {
    if list.len() > HELD_ROWS {
        return Ok(list);
    }
    list.loaded(Columns { accounts: false, positions: true })
}

/// The crawl to compare the order of the next one with: the last that read the whole list, or
/// else the last that read any of it.
pub(super) fn anchor(known: &[HistoryCrawl]) -> Option<(u32, RunId)> {
    let complete = known.iter().rev().find(|crawl| crawl.state.is_complete());
    let any = || known.iter().rev().find(|crawl| crawl.state.coverage().is_some() && crawl.ids > 0);
    complete.or_else(any).map(|crawl| (crawl.number, crawl.run))
}

fn earlier(known: &[HistoryCrawl]) -> Vec<Earlier> {
    let mut found = Vec::new();
    for crawl in known.iter().rev() {
        match crawl.state.coverage() {
            None => {}
            Some(Coverage::Complete) => {
                found.push(Earlier { number: crawl.number, since: None });
                break;
            }
            Some(_) => {
                let since = crawl.covered_since;
                found.extend(
                    since.map(|since| Earlier { number: crawl.number, since: Some(since) }),
                );
            }
        }
    }
    found
}

/// Of each leading page its end, and the earliest boundary so far.
fn leading_pages(list: &Observation) -> Vec<(u32, Timestamp)> {
    let least = |least: &mut Timestamp, (end, boundary): (u32, Timestamp)| {
        *least = boundary.min(*least);
        Some((end, *least))
    };
    sight::leading_pages(list).scan(Timestamp::MAX, least).collect()
}
