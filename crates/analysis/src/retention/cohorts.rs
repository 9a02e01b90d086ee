//! The stays of a list, all together and by the month they began in.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use snapshot::{AccountId, List};

use super::stay::Told;
use super::{Curve, Lifetimes, Settings, Stay};
use crate::Error;

/// A month of the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month that a moment is in.
    pub fn of(moment: Timestamp) -> Self {
        let date = TimeZone::UTC.to_datetime(moment).date();
        Self { year: date.year(), month: date.month() }
    }
}

/// As in `2024-05`.
impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// The stays of a list, as they come.
///
/// O(log d) for each stay and some 60 bytes for each of the d different lifetimes: one for all and
/// one for its month, so that more stays take no more memory.
#[derive(Clone, Debug)]
pub struct Retention {
    account: AccountId,
    list: List,
    settings: Settings,
    all: Lifetimes,
    months: BTreeMap<Month, Lifetimes>,
    left_out: LeftOut,
}

/// Stays that are not in every curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct LeftOut {
    undated: u64,
    vague: u64,
    short: u64,
}

/// A list's survival curves.
#[derive(Clone, Debug, PartialEq)]
pub struct RetentionCurves {
    /// Whose list.
    pub account: AccountId,
    /// Which list.
    pub list: List,
    /// That of all, and those of months in order.
    pub cohorts: Vec<Cohort>,
    /// Stays that are in the curve of all and in none of a month: they may have begun in either of
    /// several.
    pub undated: u64,
    /// Stays that are in no curve, because it is not known closely enough when they began.
    pub vague: u64,
    /// Stays that are in no curve, because they were over by the age, rounded up, at which they
    /// came under observation.
    pub short: u64,
}

/// Those who came in a month, or all.
#[derive(Clone, Debug, PartialEq)]
pub struct Cohort {
    /// The month; None for all.
    pub month: Option<Month>,
    /// How long they stay.
    pub curve: Curve,
}

impl Cohort {
    /// `all`, or the month as in `2024-05`.
    pub fn name(&self) -> String {
        self.month.map_or_else(|| "all".to_owned(), |month| month.to_string())
    }
}

impl Retention {
    /// No stays yet.
    ///
    /// # Errors
    /// If the bins of the settings do not divide a day.
    pub fn new(account: AccountId, list: List, settings: Settings) -> Result<Self, Error> {
        settings.check()?;
        let (all, months, left_out) = Default::default();
        Ok(Self { account, list, settings, all, months, left_out })
    }

    /// Counts a stay.
    ///
    /// # Errors
    /// If its moments are out of order; it is not counted then.
    pub fn add(&mut self, stay: &Stay) -> Result<(), Error> {
        let Told::Lifetime(lifetime) = stay.told(self.settings.bin_hours)? else {
            self.left_out.short += 1;
            return Ok(());
        };
        let (earliest, latest) = (stay.began.earliest, stay.began.latest);
        let hours = i64::from(self.settings.began_within_days) * 24;
        if latest.duration_since(earliest) > jiff::SignedDuration::from_hours(hours) {
            self.left_out.vague += 1;
            return Ok(());
        }
        self.all.add(lifetime, 1);
        let month = Month::of(earliest);
        if month == Month::of(latest) {
            self.months.entry(month).or_default().add(lifetime, 1);
        } else {
            self.left_out.undated += 1;
        }
        Ok(())
    }

    /// Counts all stays of another part of the same list.
    ///
    /// # Errors
    /// If it is of another list or was counted otherwise.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        let of = |one: &Self| (one.account, one.list, one.settings);
        if of(self) != of(other) {
            return Err(Error::invalid("stays of different lists cannot be counted together"));
        }
        self.all.merge(&other.all);
        for (month, lifetimes) in &other.months {
            self.months.entry(*month).or_default().merge(lifetimes);
        }
        self.left_out.undated += other.left_out.undated;
        self.left_out.vague += other.left_out.vague;
        self.left_out.short += other.left_out.short;
        Ok(())
    }

    /// The curve of all, and one for each month in which somebody came.
    pub fn curves(&self) -> RetentionCurves {
        let all = std::iter::once((None, &self.all));
        let months = self.months.iter().map(|(month, lifetimes)| (Some(*month), lifetimes));
        let cohort =
            |(month, lifetimes)| Cohort { month, curve: Curve::new(lifetimes, &self.settings) };
        let LeftOut { undated, vague, short } = self.left_out;
        RetentionCurves {
            account: self.account,
            list: self.list,
            cohorts: all.chain(months).map(cohort).collect(),
            undated,
            vague,
            short,
        }
    }
}
