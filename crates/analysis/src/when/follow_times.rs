//! When the members of one list followed, as a single crawl tells.
//!
//! A list in the API's order has its newest follow first, so follow times fall from position to
//! position, and whatever is known of one member bounds all others on one side: nobody follows
//! before being there, so each member's creation time is a lower bound for everybody above it
//! (Meeder et al., WWW 2011), and a follow time that a cursor reveals is a lower bound for the
//! pages before it and an upper bound for those after.
//!
//! How good all this is was measured: `crates/analysis/TIME.md`.

use std::ops::Range;

use jiff::Timestamp;
use snapshot::{AccountId, Order};

use super::created::created_after;
use super::told::{Told, by_position};
use super::{Between, NoOrder, is_snowflake};
use crate::engine::Engine;
use crate::{Error, Observation, memory};

/// What is kept of each row: what its id tells, and its bound.
const BYTES_A_ROW: u64 = 8;

/// The share of members whose ids may contradict the order before it is not believed.
const CONTRADICTING_SHARE: f64 = 0.01;

/// Bounds of the follow times of one list, by position; 4 bytes a member, and 8 for each rise
/// of the bound.
#[derive(Clone, Debug)]
pub struct FollowTimes {
    /// Seconds, by position, falling: not before.
    after: Vec<u32>,
    /// Where the estimate is anchored, from the newest on; times fall strictly.
    rises: Vec<Rise>,
    pages: Pages,
    /// Positions of rows that repeated a member, ascending.
    repeats: Vec<u32>,
    /// Whether ids tell when members were made.
    ids_tell: bool,
    /// Members whose id tells a creation after the latest time at which they can have followed.
    contradicting: u64,
}

/// A member who followed soon after something that is dated: in general its own creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rise {
    pub(super) position: u32,
    /// Seconds.
    pub(super) time: u32,
}

/// The pages of a list as stretches without gaps; a list without pages is one.
#[derive(Clone, Debug)]
pub(super) struct Pages(Vec<Page>);

/// A stretch of positions that arrived together.
#[derive(Clone, Debug)]
struct Page {
    positions: Range<u32>,
    /// Seconds: those in it followed no later.
    latest: u32,
    /// Seconds: those in it followed no earlier, by a cursor.
    earliest: Option<u32>,
    asked_at: Timestamp,
    fetched_at: Timestamp,
}

impl FollowTimes {
    /// What a crawl tells of when its members followed; or why its order tells nothing.
    ///
    /// Ids are read as X's if the crawl's source is X, or if one of them is a snowflake; else
    /// only cursors and the crawl's window count. O(members) time.
    ///
    /// # Errors
    /// If the list cannot be read.
    pub fn of(list: &Observation, engine: &dyn Engine) -> Result<Result<Self, NoOrder>, Error> {
        Ok(Self::with_ids(list, engine)?.map(|(times, _)| times))
    }

    /// The same together with what the ids tell, by position.
    pub(super) fn with_ids(
        list: &Observation,
        engine: &dyn Engine,
    ) -> Result<Result<(Self, Vec<Told>), NoOrder>, Error> {
        let crawl = list.crawl();
        if crawl.order != Order::NewestFirst {
            return Ok(Err(NoOrder::NotStated));
        }
        if (crawl.ids + crawl.duplicates).saturating_mul(BYTES_A_ROW) > memory() {
            return Ok(Err(NoOrder::TooLong));
        }
        let (mut told, ids) = by_position(list, engine)?;
        if ids.steps.are_sorted() {
            return Ok(Err(NoOrder::Sorted));
        }
        let are_of_x =
            crawl.source.starts_with("x_") || ids.snowflakes > 0 || is_snowflake(list.account());
        if !are_of_x {
            told.iter_mut().for_each(Told::forget);
        }
        let opened = created_after(list.account());
        let opened = opened.or_else(|| created_after(AccountId::MIN));
        let opened = opened.filter(|_| are_of_x).unwrap_or(0);
        let pages = Pages::of(list, opened);
        let mut times = Self {
            after: vec![0; told.len()],
            rises: Vec::new(),
            pages: Pages(Vec::new()),
            repeats: positions()
                .zip(&told)
                .filter(|(_, t)| t.is_absent())
                .map(|(p, _)| p)
                .collect(),
            ids_tell: are_of_x,
            contradicting: 0,
        };
        times.bound(&told, &pages.0, opened);
        times.pages = pages;
        if times.contradicting as f64 > (CONTRADICTING_SHARE * crawl.ids as f64).max(2.0) {
            return Ok(Err(NoOrder::TimesDisagree));
        }
        Ok(Ok((times, told)))
    }

    /// Walks from the oldest member to the newest and keeps the latest time that was met.
    fn bound(&mut self, told: &[Told], pages: &[Page], opened: u32) {
        let (mut known, mut about) = (opened, opened);
        let beyond = u32::try_from(told.len()).unwrap_or(u32::MAX);
        self.rises.push(Rise { position: beyond, time: opened });
        for page in pages.iter().rev() {
            let range = page.positions.clone();
            let mut rise = |position, time: u32| {
                if time > about {
                    about = time;
                    self.rises.push(Rise { position, time });
                }
            };
            if let Some(earliest) = page.earliest {
                known = known.max(earliest);
                rise(range.end.saturating_sub(1), earliest);
            }
            for position in range.rev() {
                let of = told[position as usize];
                if of.after() > page.latest {
                    self.contradicting += 1;
                } else {
                    known = known.max(of.after());
                    rise(position, of.about().min(page.latest));
                }
                self.after[position as usize] = known.min(page.latest);
            }
        }
        self.rises.reverse();
    }

    /// How many positions there are; one for each row that the source returned, repeated ones
    /// included.
    pub fn positions(&self) -> usize {
        self.after.len()
    }

    /// How many members have an id that contradicts the order: made after they can have
    /// followed. They are left out of the bounds, and are more than one in a hundred nowhere.
    pub fn contradicting(&self) -> u64 {
        self.contradicting
    }

    /// Between which moments the member at a position followed. O(log pages).
    ///
    /// # Panics
    /// If there is no such position.
    pub fn between(&self, position: u32) -> Between {
        let page = self.pages.page(position);
        let earliest = self.after[position as usize];
        Between { earliest: moment(earliest), latest: moment(page.latest) }
    }

    /// How many leading positions surely belong to members who followed after a moment.
    pub(super) fn surely_after(&self, time: Timestamp) -> usize {
        self.after.partition_point(|after| moment(*after) > time)
    }

    /// How many leading positions may belong to members who followed at a moment or later.
    pub(super) fn maybe_from(&self, time: Timestamp) -> usize {
        let pages = self.pages.0.partition_point(|page| moment(page.latest) >= time);
        self.pages.0.get(pages).map_or(self.after.len(), |page| page.positions.start as usize)
    }

    /// When the page of a position was asked for, and when it had arrived.
    pub(super) fn read(&self, position: u32) -> Between {
        self.pages.read(position)
    }

    /// The pages' positions, newest first, and when each had arrived.
    pub(super) fn arrivals(&self) -> impl Iterator<Item = (Range<u32>, Timestamp)> {
        self.pages.0.iter().map(|page| (page.positions.clone(), page.fetched_at))
    }

    /// What [`estimate`](Self::estimate) goes by, as frames name it.
    pub const METHOD: &'static str = "linear_between_rises";

    /// An estimate of when the member at a position followed, within its bounds and falling
    /// like the truth from position to position. O(log rises).
    ///
    /// Where a member was made later than everybody who had followed before, it is taken to
    /// have followed at once (its creation is read off its id, for a sequential one by
    /// interpolation in the table of known ids); between two such members, and the moments that
    /// cursors reveal, follows are taken to be spread evenly.
    ///
    /// # Panics
    /// If there is no such position.
    pub fn estimate(&self, position: u32) -> Timestamp {
        let page = self.pages.page(position);
        let older = self.rises.partition_point(|rise| rise.position < position);
        let newer = older.checked_sub(1).map_or((-1, self.pages.0[0].latest), |newer| {
            (i64::from(self.rises[newer].position), self.rises[newer].time)
        });
        // The last rise is beyond all positions: the opening of the account.
        let older = self.rises.get(older).map_or(newer, |r| (i64::from(r.position), r.time));
        let span = i64::from(newer.1.saturating_sub(older.1));
        let share = (older.0 - i64::from(position), (older.0 - newer.0).max(1));
        let time = older.1 + u32::try_from(span * share.0 / share.1).unwrap_or(0);
        let earliest = self.after[position as usize];
        moment(time.max(earliest).min(page.latest))
    }

    /// The estimates of all positions, newest first.
    pub fn estimates(&self) -> impl Iterator<Item = Timestamp> {
        positions().take(self.after.len()).map(|position| self.estimate(position))
    }

    /// Whether ids or cursors tell any time but the crawl's own; if not, bounds are idle.
    pub fn tells_times(&self) -> bool {
        self.ids_tell || self.has_cursors()
    }

    /// Whether ids tell when members were made.
    pub fn ids_tell(&self) -> bool {
        self.ids_tell
    }

    /// Whether cursors tell the latest time at which members followed, too.
    pub fn has_cursors(&self) -> bool {
        self.pages.0.iter().any(|page| page.earliest.is_some())
    }

    /// How many members stand at a position or further down: repeated rows are none.
    pub(super) fn members_from(&self, position: usize) -> u64 {
        let repeats = self.repeats.partition_point(|at| (*at as usize) < position);
        (self.after.len() - position) as u64 - (self.repeats.len() - repeats) as u64
    }

    /// How many leading positions have an estimate at a moment or later.
    pub(super) fn estimated_from(&self, time: Timestamp) -> usize {
        let (mut low, mut high) = (0, self.after.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.estimate(u32::try_from(middle).unwrap_or(u32::MAX)) >= time {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// How many leading positions surely belong to members who followed at a moment or later.
    pub(super) fn surely_from(&self, time: Timestamp) -> usize {
        self.after.partition_point(|after| moment(*after) >= time)
    }

    /// Where estimates are anchored, newest first; the last one is beyond all positions, at the
    /// opening of the account.
    pub(super) fn rises(&self) -> &[Rise] {
        &self.rises
    }
}

impl Pages {
    /// Those of a list whose account was opened after a second, 0 if that is not known.
    ///
    /// Times that cursors reveal are taken if they fall from page to page, none is later than its
    /// page arrived, and none earlier than the account was opened; else none is.
    pub(super) fn of(list: &Observation, opened: u32) -> Self {
        let crawl = list.crawl();
        let all = u32::try_from(crawl.ids + crawl.duplicates).unwrap_or(u32::MAX);
        let records = list.pages();
        let mut end = Some(0_u32);
        for page in records {
            end = end.filter(|end| *end == page.first_position);
            end = end.and_then(|end| end.checked_add(page.ids));
        }
        let whole = end == Some(all);
        if records.is_empty() || !whole {
            let (asked_at, fetched_at) = (crawl.started_at, crawl.finished_at);
            let latest = seconds_up(fetched_at);
            return Self(vec![Page {
                positions: 0..all,
                latest,
                earliest: None,
                asked_at,
                fetched_at,
            }]);
        }
        let told = records.iter().filter_map(|page| Some((page.boundary?, page.fetched_at)));
        let told: Vec<_> = told.collect();
        let falls = told.is_sorted_by(|newer, older| newer.0 > older.0);
        let sane = |(boundary, fetched_at): &(Timestamp, Timestamp)| {
            boundary <= fetched_at && boundary.as_second() >= i64::from(opened)
        };
        let are_believed = falls && told.iter().all(sane);
        let mut latest = u32::MAX;
        let mut asked_at = crawl.started_at;
        let pages = records.iter().map(|page| {
            let end = page.first_position.saturating_add(page.ids);
            let boundary = page.boundary.filter(|_| are_believed);
            let arrived = Page {
                positions: page.first_position..end,
                latest: latest.min(seconds_up(page.fetched_at)),
                earliest: boundary.map(seconds_down),
                asked_at,
                fetched_at: page.fetched_at,
            };
            latest = boundary.map_or(arrived.latest, seconds_up);
            asked_at = page.fetched_at;
            arrived
        });
        Self(pages.collect())
    }

    /// When the page of a position was asked for, and when it had arrived.
    pub(super) fn read(&self, position: u32) -> Between {
        let page = self.page(position);
        Between { earliest: page.asked_at, latest: page.fetched_at }
    }

    fn page(&self, position: u32) -> &Page {
        let after = self.0.partition_point(|page| page.positions.start <= position);
        &self.0[after.saturating_sub(1)]
    }
}

fn seconds_down(time: Timestamp) -> u32 {
    u32::try_from(time.as_second()).unwrap_or(0)
}

fn seconds_up(time: Timestamp) -> u32 {
    seconds_down(time).saturating_add(u32::from(time.subsec_nanosecond() > 0))
}

fn moment(seconds: u32) -> Timestamp {
    Timestamp::from_second(i64::from(seconds)).unwrap_or_default()
}

/// All positions that a list can have.
fn positions() -> std::ops::RangeFrom<u32> {
    0..
}
