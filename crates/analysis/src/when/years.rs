//! In which year the members of a list opened their accounts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use snapshot::AccountId;

use super::created;
use crate::engine::Engine;
use crate::{Error, Observation, Partition, Question, ask};

/// How many members opened their accounts in each year, by UTC.
///
/// An id tells a creation time to the minute if it is a snowflake (since 2016 or so), and
/// mostly to the month before ([`created`](super::created)). One whose bounds lie in different
/// years counts in the year of the moment halfway between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Years {
    /// Members by year; years in which nobody did are left out.
    pub by_year: BTreeMap<i16, u64>,
    /// Members whose ids do not tell: X has not given out such ids.
    pub unknown: u64,
}

impl Years {
    /// Of some members.
    pub fn of(members: impl IntoIterator<Item = AccountId>) -> Self {
        let mut years = Self::default();
        // Ids of a list ascend, so neighbours mostly share their year.
        let mut last = Span::default();
        for member in members {
            match created(member) {
                None => years.unknown += 1,
                Some(between) => {
                    let (from, until) = (between.earliest, between.latest);
                    let middle = i64::midpoint(from.as_second(), until.as_second());
                    if !last.has(middle) {
                        last = Span::at(middle);
                    }
                    *years.by_year.entry(last.year).or_default() += 1;
                }
            }
        }
        years
    }

    /// Adds those of other members.
    pub fn add(&mut self, other: &Self) {
        for (year, members) in &other.by_year {
            *self.by_year.entry(*year).or_default() += members;
        }
        self.unknown += other.unknown;
    }

    /// Members whose ids tell.
    pub fn known(&self) -> u64 {
        self.by_year.values().sum()
    }
}

/// A year and the seconds since 1970 that it has.
#[derive(Clone, Copy, Default)]
struct Span {
    year: i16,
    from: i64,
    until: i64,
}

impl Span {
    fn has(self, second: i64) -> bool {
        (self.from..self.until).contains(&second)
    }

    fn at(second: i64) -> Self {
        let start = |year: i16| {
            let day = Date::new(year, 1, 1).map(|day| day.at(0, 0, 0, 0));
            let day = day.and_then(|day| Offset::UTC.to_timestamp(day));
            day.map_or(i64::MAX, Timestamp::as_second)
        };
        let moment = Timestamp::from_second(second).unwrap_or_default();
        let year = Offset::UTC.to_datetime(moment).year();
        Self { year, from: start(year), until: start(year.saturating_add(1)) }
    }
}

/// The years in which the members of a list opened their accounts. O(members · log entries of
/// the table of ids).
///
/// # Errors
/// If the list cannot be read.
pub fn years(list: &Observation, engine: &dyn Engine) -> Result<Years, Error> {
    ask(&Opened, &[list], engine)
}

struct Opened;

impl Question for Opened {
    type Partial = Years;
    type Answer = Years;

    fn start(&self) -> Years {
        Years::default()
    }

    fn on_partition(&self, part: &Partition<'_>) -> Result<Years, Error> {
        let list = part.list(0);
        Ok(Years::of((0..list.members.len()).map(|row| list.id(row))))
    }

    fn merge(&self, answer: &mut Years, part: Years) {
        answer.add(&part);
    }
}

#[cfg(test)]
mod tests {
    use snapshot::List;

    use super::*;
    use crate::engine::Stream;

    #[test]
    fn public_ids_count_in_the_years_of_their_accounts() {
        let table = include_str!("../../../../data/ids/public.csv");
        let (mut ids, mut expected) = (Vec::new(), BTreeMap::<i16, u64>::new());
        for row in table.lines().skip(1) {
            let (id, time) = row.split_once(',').unwrap();
            let id = AccountId::new(id.parse().unwrap()).unwrap();
            // Others may count in the neighbouring year.
            let between = created(id).unwrap();
            let year = |time: Timestamp| time.to_string()[..4].parse::<i16>().unwrap();
            if year(between.earliest) == year(between.latest) {
                ids.push(id);
                *expected.entry(time[..4].parse().unwrap()).or_default() += 1;
            }
        }
        assert!(ids.len() > 400);
        let nobody = AccountId::new(99_999_999_999).unwrap();
        let list = ids.iter().copied().chain([nobody]);
        let list = Observation::complete(AccountId::from(7), List::Followers, list).unwrap();
        let found = years(&list, &Stream).unwrap();
        assert_eq!(found, Years { by_year: expected, unknown: 1 });
        assert_eq!(found.known(), ids.len() as u64);
    }
}
