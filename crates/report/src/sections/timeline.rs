//! When members came and left, as far as is known: each is spread over the time in which it may
//! have happened.

use analysis::when::Between;
use analysis::{Change, Diff};
use jiff::Timestamp;
use serde::Serialize;

use super::CHARTED;
use crate::Error;
use crate::charts;
use crate::document::{Block, Cell, Column, Section, Table};
use crate::facts::{Facts, Labels};
use crate::text::{moment, span};

/// Lengths that a bin may have, in hours.
const HOURS: [i64; 13] = [1, 2, 3, 6, 12, 24, 48, 168, 336, 672, 1344, 2688, 8736];

/// The most bins.
const BINS: i64 = 32;

/// Gains and losses by time.
#[derive(Serialize)]
pub(crate) struct Timeline {
    /// The length of a bin.
    pub(crate) bin_hours: i64,
    /// When each bin begins.
    pub(crate) bins: Vec<Timestamp>,
    pub(crate) total: Course,
    pub(crate) accounts: Vec<AccountCourse>,
}

#[derive(Serialize)]
pub(crate) struct AccountCourse {
    pub(crate) account: String,
    #[serde(flatten)]
    pub(crate) course: Course,
}

/// Gains and losses in each bin, and how exactly they are known.
#[derive(Clone, Default, Serialize)]
pub(crate) struct Course {
    /// Members per bin, in thousandths at best.
    pub(crate) gained: Vec<f64>,
    pub(crate) lost: Vec<f64>,
    /// The median length of the interval in which a gain lies.
    pub(crate) gained_within_seconds: Option<f64>,
    pub(crate) lost_within_seconds: Option<f64>,
}

struct Bins {
    start: i64,
    step: i64,
    count: usize,
}

impl Bins {
    /// Of so many seconds, with ends at round hours.
    fn over(from: i64, until: i64) -> Option<Self> {
        let fits = |hours: &i64| {
            let step = hours * 3600;
            until.div_euclid(step) - from.div_euclid(step) < BINS
        };
        let longest = HOURS[HOURS.len() - 1];
        let years = longest * ((until - from) / (longest * 3600 * (BINS - 1)) + 1);
        let step = HOURS.into_iter().find(fits).unwrap_or(years) * 3600;
        let start = from.div_euclid(step) * step;
        let count =
            usize::try_from((until - 1).max(from).div_euclid(step) - from.div_euclid(step) + 1);
        Some(Self { start, step, count: count.ok()? })
    }

    /// Adds one member, spread evenly over the seconds in which it may have happened.
    fn spread(&self, between: Between, over: &mut [f64]) {
        let (from, until) = (between.earliest.as_second(), between.latest.as_second());
        let last = self.count.saturating_sub(1);
        let bin = |second: i64| {
            usize::try_from((second - self.start).div_euclid(self.step)).unwrap_or(0).min(last)
        };
        if from >= until {
            over[bin(from)] += 1.0;
            return;
        }
        let all = (until - from) as f64;
        let (first, end) = (bin(from), bin(until - 1) + 1);
        for (at, over) in over.iter_mut().enumerate().take(end).skip(first) {
            let begin = self.start + self.step * i64::try_from(at).unwrap_or(0);
            // What lies outside all bins counts in the first or the last.
            let begin = if at == 0 { i64::MIN / 2 } else { begin };
            let end = if at == last { i64::MAX / 2 } else { begin.max(self.start) + self.step };
            let shared = until.min(end) - from.max(begin);
            *over += shared.max(0) as f64 / all;
        }
    }

    fn course<'a>(&self, diffs: impl Iterator<Item = &'a Diff> + Clone) -> Course {
        let spread = |changes: &mut dyn Iterator<Item = &Change>| {
            let (mut over, mut lengths) = (vec![0.0; self.count], Vec::new());
            for change in changes {
                self.spread(change.between, &mut over);
                let between = change.between;
                lengths.push(between.latest.as_second() - between.earliest.as_second());
            }
            lengths.sort_unstable();
            let median = lengths.get(lengths.len() / 2).map(|seconds| *seconds as f64);
            (over.into_iter().map(|n| (n * 1000.0).round() / 1000.0).collect(), median)
        };
        let (gained, gained_within_seconds) = spread(&mut diffs.clone().flat_map(|d| &d.gained));
        let (lost, lost_within_seconds) = spread(&mut diffs.flat_map(|d| &d.lost));
        Course { gained, lost, gained_within_seconds, lost_within_seconds }
    }
}

impl Timeline {
    pub(crate) fn of(facts: &Facts<'_>) -> Option<Self> {
        let diffs = &facts.diffs;
        let from = diffs.iter().map(|d| d.of.before.started_at.as_second()).min()?;
        let until = diffs.iter().map(|d| d.of.after.finished_at.as_second()).max()?;
        let changed = diffs.iter().any(Diff::has_changes);
        let bins = Bins::over(from, until).filter(|_| changed && until > from)?;
        let begin = |at: usize| {
            let second = bins.start + bins.step * i64::try_from(at).unwrap_or(0);
            Timestamp::from_second(second).unwrap_or_default()
        };
        let account = |diff: &Diff| AccountCourse {
            account: diff.of.account.to_string(),
            course: bins.course(std::iter::once(diff)),
        };
        Some(Self {
            bin_hours: bins.step / 3600,
            bins: (0..bins.count).map(begin).collect(),
            total: bins.course(diffs.iter()),
            accounts: diffs.iter().map(account).collect(),
        })
    }

    fn bin(&self) -> String {
        match self.bin_hours {
            1 => "hour".to_owned(),
            24 => "day".to_owned(),
            168 => "week".to_owned(),
            hours if hours % 168 == 0 => format!("{} weeks", hours / 168),
            hours if hours % 24 == 0 => format!("{} days", hours / 24),
            hours => format!("{hours} hours"),
        }
    }

    fn chart(&self, course: &Course, name: &str, whose: &str) -> Result<Block, Error> {
        let labels: Vec<_> = self
            .bins
            .iter()
            .map(|bin| {
                let format = if self.bin_hours < 24 { "%d %b %H:%M" } else { "%d %b %Y" };
                bin.strftime(format).to_string()
            })
            .collect();
        let title = format!("Members of {whose} gained and lost, per {}", self.bin());
        let chart = charts::course(name, &title, &labels, &course.gained, &course.lost)?;
        Ok(Block::Chart(chart))
    }
}

impl Section for Timeline {
    const ID: &'static str = "timeline";
    const TITLE: &'static str = "When";
    const TERM: &'static str = "when";

    fn blocks(&self, labels: &Labels) -> Result<Vec<Block>, Error> {
        let within = |seconds: Option<f64>| seconds.map_or("–".to_owned(), span);
        let mut blocks = vec![
            Block::Text(format!(
                "Nobody saw a follow begin or end. Each member is spread evenly over the time in \
                 which it may have come or left: bars show what is known, and of most gains that is \
                 how early they cannot have been, so bars rise towards the end of a crawl. Half of \
                 the gains are known to within {}, half of the losses to within {}.",
                within(self.total.gained_within_seconds),
                within(self.total.lost_within_seconds)
            )),
            self.chart(
                &self.total,
                "timeline",
                if self.accounts.len() == 1 {
                    labels.of(&self.accounts[0].account)
                } else {
                    "all lists"
                },
            )?,
        ];
        let row = |(i, bin): (usize, &Timestamp)| {
            let at = |key: &str| format!("/timeline/total/{key}/{i}");
            let shown = |n: f64| format!("{n:.1}");
            vec![
                Cell::text(moment(*bin)),
                Cell::number(Some(self.total.gained[i]), shown, at("gained")),
                Cell::number(Some(self.total.lost[i]), shown, at("lost")),
            ]
        };
        let columns =
            vec![Column::text("from"), Column::of("gained", "when"), Column::of("lost", "when")];
        let table = Table {
            caption: format!("Gained and lost per {}", self.bin()),
            columns,
            rows: self.bins.iter().enumerate().map(row).collect(),
            total: None,
        };
        blocks.push(Block::Details("The same as a table".to_owned(), vec![Block::Table(table)]));
        let each = self.accounts.iter().enumerate().filter(|(_, a)| {
            a.course.gained_within_seconds.is_some() || a.course.lost_within_seconds.is_some()
        });
        if self.accounts.len() > 1 {
            let each = each.take(CHARTED).map(|(i, account)| {
                let name = format!("timeline-{i}");
                self.chart(&account.course, &name, labels.of(&account.account))
            });
            let charts = each.collect::<Result<Vec<_>, Error>>()?;
            let title = match self.accounts.len() {
                n if n > CHARTED => format!("Account by account, the {CHARTED} largest"),
                _ => "Account by account".to_owned(),
            };
            blocks.push(Block::Details(title, charts));
        }
        Ok(blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(from: i64, until: i64) -> Between {
        let at = |hours: i64| Timestamp::from_second(hours * 3600).unwrap();
        Between { earliest: at(from), latest: at(until) }
    }

    #[test]
    fn a_member_is_spread_over_the_time_it_may_have_come_in() {
        let bins = Bins::over(0, 4 * 3600).unwrap();
        assert_eq!((bins.step, bins.count), (3600, 4));
        let check = |from, until, expected: [f64; 4]| {
            let mut over = [0.0; 4];
            bins.spread(between(from, until), &mut over);
            let close = over.iter().zip(expected).all(|(found, n)| (found - n).abs() < 1e-12);
            assert!(close, "{from} to {until}: {over:?}");
        };
        check(0, 4, [0.25; 4]);
        check(1, 3, [0.0, 0.5, 0.5, 0.0]);
        check(2, 2, [0.0, 0.0, 1.0, 0.0]);
        check(4, 4, [0.0, 0.0, 0.0, 1.0]);
        check(-2, 2, [0.75, 0.25, 0.0, 0.0]);
    }

    #[test]
    fn bins_are_round_and_few() {
        let of = |from, until| {
            let bins = Bins::over(from, until).unwrap();
            (bins.start, bins.step / 3600, bins.count)
        };
        assert_eq!(of(1800, 86_400 + 1800), (0, 1, 25));
        assert_eq!(of(1800, 7 * 86_400), (0, 6, 28));
        assert_eq!(of(0, 365 * 86_400), (0, 336, 27));
        assert!(of(0, 100 * 365 * 86_400).2 <= 32);
    }
}
