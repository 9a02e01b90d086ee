//! When the members of one list followed, as a single crawl tells.
//!
//! A list in the API's order has its newest follow first, so follow times fall from position to
//! position, and whatever is known of one member bounds all others on one side: nobody follows
//! before being there, so each member's creation time is a lower bound for everybody above it
//! (Meeder et al., WWW 2011), and a follow time that a cursor reveals is a lower bound for the
//! pages before it and an upper bound for those after.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use snapshot::Order;

use super::created::created_after;
use super::{Between, NoOrder, is_snowflake};
use crate::engine::Engine;
use crate::{Error, Observation, Partition, Question, ask};

/// The fewest members that can be seen to be sorted by id.
const SORTED_FROM: u64 = 8;

/// The share of steps against the order, of ids that do or do not ascend with positions, below
/// which a list counts as sorted. In a list by follow time it is near one half.
const SORTED_SHARE: f64 = 0.01;

/// The share of members whose ids may contradict the order before it is not believed.
const CONTRADICTING_SHARE: f64 = 0.01;

/// Bounds of the follow times of one list, by position; 4 bytes a member.
#[derive(Clone, Debug)]
pub struct FollowTimes {
    /// Seconds, by position, falling: not before.
    after: Vec<u32>,
    pages: Pages,
    /// Members whose id tells a creation after the latest time at which they can have followed.
    contradicting: u64,
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
    /// Ids are read as X's if the crawl's source is X, or if some of them are snowflakes; else
    /// only cursors and the crawl's window count. O(members) time.
    ///
    /// # Errors
    /// If the list cannot be read.
    pub fn of(list: &Observation, engine: &dyn Engine) -> Result<Result<Self, NoOrder>, Error> {
        let crawl = list.crawl();
        if crawl.order != Order::NewestFirst {
            return Ok(Err(NoOrder::NotStated));
        }
        let positions = usize::try_from(crawl.ids + crawl.duplicates).unwrap_or(usize::MAX);
        let mut question = ByPosition { created: Vec::new() };
        question.created.resize_with(positions, AtomicU32::default);
        let ids = ask(&question, &[list], engine)?;
        lies_within(ids.outside, positions)?;
        if ids.steps.are_sorted() {
            return Ok(Err(NoOrder::Sorted));
        }
        let are_of_x = crawl.source.starts_with("x_") || ids.snowflakes > 0;
        let mut after: Vec<u32> = question.created.into_iter().map(AtomicU32::into_inner).collect();
        let opened = created_after(list.account()).filter(|_| are_of_x).unwrap_or(0);
        let pages = Pages::of(list, opened);
        let mut contradicting = 0;
        let mut known = opened;
        for page in pages.0.iter().rev() {
            known = known.max(page.earliest.unwrap_or(0));
            let range = page.positions.start as usize..page.positions.end as usize;
            for time in after[range].iter_mut().rev() {
                let told = if are_of_x { *time } else { 0 };
                if told > page.latest {
                    contradicting += 1;
                } else {
                    known = known.max(told);
                }
                *time = known.min(page.latest);
            }
        }
        if contradicting as f64 > (CONTRADICTING_SHARE * crawl.ids as f64).max(2.0) {
            return Ok(Err(NoOrder::TimesDisagree));
        }
        Ok(Ok(Self { after, pages, contradicting }))
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

    /// An estimate of each follow time, by position, falling like the truth and within its
    /// bounds.
    ///
    /// Between two positions at which a bound rises, follows are taken to be spread evenly: the
    /// time of the older one is its bound, and what lies between is interpolated by position.
    pub fn estimates(&self) -> impl Iterator<Item = Timestamp> {
        let newest = self.pages.0.first().map_or(0, |page| page.latest);
        let mut stretch = Stretch { positions: 0..0, newer: newest, older: newest };
        (0..self.after.len()).map(move |position| {
            if position >= stretch.positions.end {
                stretch = self.stretch(position, stretch.older.max(self.after[position]));
            }
            let latest = self.pages.page(u32::try_from(position).unwrap_or(u32::MAX)).latest;
            moment(stretch.at(position).clamp(self.after[position], latest))
        })
    }

    /// The positions from one on that share its bound, with the time at its newer end.
    fn stretch(&self, from: usize, newer: u32) -> Stretch {
        let older = self.after[from];
        let length = self.after[from..].iter().take_while(|after| **after == older).count();
        Stretch { positions: from..from + length, newer, older }
    }
}

/// Positions with one bound.
struct Stretch {
    positions: Range<usize>,
    /// Seconds, at its newer end.
    newer: u32,
    /// Seconds, at its older end.
    older: u32,
}

impl Stretch {
    fn at(&self, position: usize) -> u32 {
        let share = (self.positions.end - 1 - position) as u64;
        let length = self.positions.len() as u64;
        let span = u64::from(self.newer.saturating_sub(self.older));
        self.older + u32::try_from(span * share / length).unwrap_or(0)
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
        let whole = records.iter().map(|page| page.ids).fold(0, u32::saturating_add) == all
            && records.iter().is_sorted_by_key(|page| page.first_position);
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

/// Puts the creation time of each member, if its id tells one, at its position.
struct ByPosition {
    /// Seconds, 0 if unknown. Each position is written at most once.
    created: Vec<AtomicU32>,
}

/// What a list's ids are like.
#[derive(Default)]
struct Ids {
    snowflakes: u64,
    steps: Steps,
    /// A position that no row of the crawl can have.
    outside: Option<i32>,
}

/// How often the position of the next id is further down, or further up.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steps {
    down: u64,
    up: u64,
}

impl Steps {
    /// Those of the positions of ascending ids.
    pub(super) fn of(positions: &[i32]) -> Self {
        let down = positions.windows(2).filter(|pair| pair[0] < pair[1]).count();
        let all = positions.len().saturating_sub(1);
        Self { down: down as u64, up: (all - down) as u64 }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.down += other.down;
        self.up += other.up;
    }

    /// Whether positions are the order of ids, one way or the other.
    pub(super) fn are_sorted(self) -> bool {
        let steps = self.down + self.up;
        steps >= SORTED_FROM && (self.down.min(self.up) as f64) < SORTED_SHARE * steps as f64
    }
}

impl Question for ByPosition {
    type Partial = Ids;
    type Answer = Ids;

    fn needs_positions(&self) -> bool {
        true
    }

    fn start(&self) -> Ids {
        Ids::default()
    }

    fn on_partition(&self, part: &Partition<'_>) -> Result<Ids, Error> {
        let list = part.list(0);
        let mut ids = Ids::default();
        for (row, position) in list.positions.iter().enumerate() {
            let id = list.id(row);
            ids.snowflakes += u64::from(is_snowflake(id));
            if let Some(time) = created_after(id) {
                match usize::try_from(*position).ok().and_then(|at| self.created.get(at)) {
                    Some(place) => place.store(time, Ordering::Relaxed),
                    None => ids.outside = Some(*position),
                }
            }
        }
        ids.steps = Steps::of(list.positions);
        Ok(ids)
    }

    fn merge(&self, answer: &mut Ids, part: Ids) {
        answer.snowflakes += part.snowflakes;
        answer.steps.add(part.steps);
        answer.outside = answer.outside.or(part.outside);
    }
}

/// Refuses a list with a position that no row of its crawl can have. That it has as many rows as
/// its crawl saw is to be seen first, for that says more of what is wrong.
pub(super) fn lies_within(outside: Option<i32>, positions: usize) -> Result<(), Error> {
    let Some(position) = outside else { return Ok(()) };
    let message = format!("a list of {positions} rows has a member at position {position}");
    Err(Error::damaged(message))
}
