//! When the members of today came, as the order of a single crawl tells.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use analysis::engine::Stream;
use analysis::when::{Grown, Period, growth};
use jiff::tz::TimeZone;
use serde::Serialize;

use super::ratio;
use crate::Error;
use crate::charts;
use crate::document::{Block, Cell, Column, Section, Table};
use crate::facts::{Facts, Labels};
use crate::text::counted;

/// Members of the later lists by the year in which they followed, over all lists whose order
/// tells: a member of two lists counts twice.
#[derive(Serialize)]
pub(crate) struct Came {
    /// Lists that the years are about.
    pub(crate) lists: u64,
    /// Lists whose order does not tell.
    pub(crate) lists_untold: u64,
    pub(crate) years: Vec<InYear>,
}

#[derive(Serialize, Clone, Copy, Default)]
pub(crate) struct InYear {
    pub(crate) year: i16,
    /// By estimate.
    pub(crate) followed: u64,
    pub(crate) share: Option<f64>,
    /// Who had followed by the end of the year, by estimate.
    pub(crate) so_far: u64,
    /// Who surely had.
    pub(crate) at_least: u64,
    /// Who may have.
    pub(crate) at_most: u64,
}

impl Came {
    pub(crate) fn of(facts: &Facts<'_>) -> Result<Option<Self>, Error> {
        let (mut lists, mut lists_untold) = (0, 0);
        let mut years: BTreeMap<i16, InYear> = BTreeMap::new();
        let mut all = Vec::new();
        for list in facts.lists()? {
            // Of a list that was not read to its end the oldest are missing.
            let growth = growth(&list, &Stream, Period::Year)?;
            let Some(growth) = growth.ok().filter(|_| list.is_complete()) else {
                lists_untold += 1;
                continue;
            };
            lists += 1;
            all.push(growth.rows);
        }
        let year_of = |row: &Grown| TimeZone::UTC.to_datetime(row.from).year();
        let told: BTreeSet<i16> = all.iter().flatten().map(year_of).collect();
        for rows in &all {
            for year in &told {
                let sum = years.entry(*year).or_default();
                // A list that was read before the last year goes on as it was.
                let Some(row) = rows.iter().rfind(|row| year_of(row) <= *year) else { continue };
                sum.followed += if year_of(row) == *year { row.followed } else { 0 };
                sum.so_far += row.so_far;
                sum.at_least += row.at_least;
                sum.at_most += row.at_most;
            }
        }
        let members: u64 = years.values().map(|year| year.followed).sum();
        if members == 0 {
            return Ok(None);
        }
        let year = |(year, of): (i16, InYear)| {
            let share = ratio(of.followed, members);
            InYear { year, share, ..of }
        };
        Ok(Some(Self { lists, lists_untold, years: years.into_iter().map(year).collect() }))
    }
}

impl Section for Came {
    const ID: &'static str = "came";
    const TITLE: &'static str = "When today's members came";
    const TERM: &'static str = "came";

    fn blocks(&self, _: &Labels) -> Result<Vec<Block>, Error> {
        let mut text =
            "By the year in which they followed, from the order of the later run's lists \
                        alone. Whoever has left since is not in it, so this is not how many there \
                        were."
                .to_owned();
        if self.lists_untold > 0 {
            let lists = counted(self.lists_untold, "list");
            let _ = write!(
                text,
                " Left out: {lists}, not in the order of follows or not read to the end."
            );
        }
        let row = |(i, year): (usize, &InYear)| {
            let at = |key: &str| format!("/came/years/{i}/{key}");
            vec![
                Cell::text(year.year.to_string()),
                Cell::count(year.followed, at("followed")),
                Cell::share(year.share, at("share")),
                Cell::count(year.so_far, at("so_far")),
                Cell::count(year.at_least, at("at_least")),
                Cell::count(year.at_most, at("at_most")),
            ]
        };
        let table = Table {
            caption: "Members by the year in which they followed".to_owned(),
            columns: vec![
                Column::text("followed in"),
                Column::of("members", "came"),
                Column::of("share", "came"),
                Column::of("by its end", "came"),
                Column::of("at least", "came"),
                Column::of("at most", "came"),
            ],
            rows: self.years.iter().enumerate().map(row).collect(),
            total: None,
        };
        let bars: Vec<_> = self.years.iter().map(|year| (year.year, year.share)).collect();
        Ok(vec![
            Block::Text(text),
            Block::Chart(charts::came(&bars)?),
            Block::Details("The same as a table".to_owned(), vec![Block::Table(table)]),
        ])
    }
}
