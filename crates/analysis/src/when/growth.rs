//! When the members of one list followed, counted by day, week, month or year.
//!
//! It tells when *those still there* came, and not how many there were then: who has left
//! since is in no list, so the past looks smaller than it was.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use snapshot::{AccountId, List};

use super::{FollowTimes, NoOrder};
use crate::engine::Engine;
use crate::{Error, Observation, Side};

/// What follows are counted by; all in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
    /// Calendar months.
    Month,
    /// Calendar years.
    Year,
}

impl Period {
    /// All of them, the shortest first.
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Year];

    /// The name used in columns and options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// The first day of the period that a moment lies in.
    fn first_day(self, time: Timestamp) -> Date {
        let date = TimeZone::UTC.to_datetime(time).date();
        match self {
            Self::Day => date,
            Self::Week if date.weekday() == Weekday::Monday => date,
            Self::Week => date.nth_weekday(-1, Weekday::Monday).unwrap_or(date),
            Self::Month => date.first_of_month(),
            Self::Year => date.first_of_year(),
        }
    }

    fn length(self) -> Span {
        match self {
            Self::Day => Span::new().days(1),
            Self::Week => Span::new().weeks(1),
            Self::Month => Span::new().months(1),
            Self::Year => Span::new().years(1),
        }
    }
}

/// When the members of one list followed, by period.
#[derive(Clone, Debug)]
pub struct Growth {
    /// Whose list.
    pub account: AccountId,
    /// Which list.
    pub list: List,
    /// The crawl that saw it. If it did not read the list to its end, older members are in no
    /// period.
    pub side: Side,
    /// What was counted by.
    pub period: Period,
    /// Every period from that of the oldest estimate to that in which the crawl ended, without
    /// gaps; none for an empty list.
    pub rows: Vec<Grown>,
    /// Whether cursors tell by when members had followed; if not, nobody is known to have done
    /// so before the crawl.
    pub has_cursors: bool,
    /// Members whose ids contradict the order, and were not gone by.
    pub contradicting: u64,
}

/// One period of a [`Growth`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grown {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends; not a part of it.
    pub until: Timestamp,
    /// How many members followed in it, by estimate.
    pub followed: u64,
    /// How many had followed by its end, by estimate.
    pub so_far: u64,
    /// How many had surely followed by its end.
    pub at_least: u64,
    /// How many may have followed by its end.
    pub at_most: u64,
}

/// Counts when the members of a list followed; or says why its order does not tell.
///
/// Those who have left since are in no period. O(members) time for the bounds, and
/// O(periods · log² members) for the counts; 8 bytes a member.
///
/// # Errors
/// If the list cannot be read.
pub fn growth(
    list: &Observation,
    engine: &dyn Engine,
    period: Period,
) -> Result<Result<Growth, NoOrder>, Error> {
    Ok(FollowTimes::of(list, engine)?.and_then(|times| Growth::of(list, &times, period)))
}

impl Growth {
    /// The same of follow times that are known already: what another period costs.
    ///
    /// # Errors
    /// [`NoOrder::NoTimes`] if they tell no time but the crawl's own.
    pub fn of(list: &Observation, times: &FollowTimes, period: Period) -> Result<Self, NoOrder> {
        if !times.tells_times() {
            return Err(NoOrder::NoTimes);
        }
        let mut rows: Vec<Grown> = Vec::new();
        for (from, until) in periods(list, times, period) {
            let so_far = times.members_from(times.estimated_from(until));
            rows.push(Grown {
                from,
                until,
                followed: so_far - rows.last().map_or(0, |row| row.so_far),
                so_far,
                at_least: times.members_from(times.maybe_from(until)),
                at_most: times.members_from(times.surely_from(until)),
            });
        }
        Ok(Self {
            account: list.account(),
            list: list.list(),
            side: list.side(),
            period,
            rows,
            has_cursors: times.has_cursors(),
            contradicting: times.contradicting(),
        })
    }
}

/// The periods from the oldest estimate to the end of the crawl.
fn periods(
    list: &Observation,
    times: &FollowTimes,
    period: Period,
) -> impl Iterator<Item = (Timestamp, Timestamp)> {
    let oldest = u32::try_from(times.positions()).ok().and_then(|all| all.checked_sub(1));
    let first = oldest.map(|oldest| period.first_day(times.estimate(oldest)));
    let last = list.crawl().finished_at;
    let days = std::iter::successors(first, move |day| day.checked_add(period.length()).ok());
    let starts = days.map_while(|day| TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok());
    let mut starts = starts.peekable();
    std::iter::from_fn(move || {
        let from = starts.next_if(|from| *from <= last)?;
        Some((from, *starts.peek()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_begin_where_the_calendar_has_them() {
        let first =
            |period: Period, time: &str| period.first_day(time.parse().unwrap()).to_string();
        // A Tuesday.
        let time = "2026-11-24T23:59:59Z";
        assert_eq!(first(Period::Day, time), "2026-11-24");
        assert_eq!(first(Period::Week, time), "2026-11-23");
        assert_eq!(first(Period::Month, time), "2026-11-01");
        assert_eq!(first(Period::Year, time), "2026-01-01");
        assert_eq!(first(Period::Week, "2026-11-23T00:00:00Z"), "2026-11-23", "a Monday");
        assert_eq!(first(Period::Week, "2023-01-01T12:00:00Z"), "2022-12-26", "a Sunday");
    }
}
