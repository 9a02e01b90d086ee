//! How old the accounts of the gained are, beside those of all members.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use analysis::engine::Stream;
use analysis::when::{Years, years};
use serde::Serialize;

use super::ratio;
use crate::Error;
use crate::charts;
use crate::document::{Block, Cell, Column, Section, Table};
use crate::facts::{Facts, Labels};
use crate::text::counted;

/// Members by the year in which they opened their accounts, over all lists: a member of two
/// lists counts twice.
#[derive(Serialize)]
pub(crate) struct Ages {
    pub(crate) years: Vec<OfYear>,
    /// Members of the later lists whose ids do not tell.
    pub(crate) unknown: u64,
    pub(crate) gained_unknown: u64,
}

#[derive(Serialize)]
pub(crate) struct OfYear {
    pub(crate) year: i16,
    /// Members of the later lists.
    pub(crate) members: u64,
    pub(crate) share: Option<f64>,
    pub(crate) gained: u64,
    pub(crate) gained_share: Option<f64>,
}

impl Ages {
    pub(crate) fn of(facts: &Facts<'_>) -> Result<Option<Self>, Error> {
        let mut all = Years::default();
        for list in facts.lists()? {
            all.add(&years(&list, &Stream)?);
        }
        let mut gained = Years::default();
        for diff in &facts.diffs {
            gained.add(&Years::of(diff.gained.iter().map(|change| change.member)));
        }
        // Lists of another network, or of made-up ids, tell nothing of this kind.
        if all.known() <= all.unknown {
            return Ok(None);
        }
        let told: BTreeSet<_> = all.by_year.keys().chain(gained.by_year.keys()).copied().collect();
        let (Some(first), Some(last)) = (told.first(), told.last()) else { return Ok(None) };
        let year = |year: i16| {
            let [members, new] =
                [&all, &gained].map(|y| y.by_year.get(&year).copied().unwrap_or(0));
            OfYear {
                year,
                members,
                share: ratio(members, all.known()),
                gained: new,
                gained_share: ratio(new, gained.known()),
            }
        };
        let years = (*first..=*last).map(year).collect();
        Ok(Some(Self { years, unknown: all.unknown, gained_unknown: gained.unknown }))
    }

    fn has_gained(&self) -> bool {
        self.years.iter().any(|year| year.gained > 0)
    }
}

impl Section for Ages {
    const ID: &'static str = "ages";
    const TITLE: &'static str = "How old their accounts are";
    const TERM: &'static str = "age";

    fn blocks(&self, _: &Labels) -> Result<Vec<Block>, Error> {
        let has_gained = self.has_gained();
        let mut text = "By the year in which an account was opened, as its id tells.".to_owned();
        if has_gained {
            text.push_str(
                " A year with a larger share of the gained than of all is over-represented.",
            );
        }
        if self.unknown > 0 {
            let members = counted(self.unknown, "member");
            let _ = write!(text, " The ids of {members} do not tell.");
        }
        let row = |(i, year): (usize, &OfYear)| {
            let at = |key: &str| format!("/ages/years/{i}/{key}");
            let mut row = vec![
                Cell::text(year.year.to_string()),
                Cell::count(year.members, at("members")),
                Cell::share(year.share, at("share")),
            ];
            if has_gained {
                row.push(Cell::count(year.gained, at("gained")));
                row.push(Cell::share(year.gained_share, at("gained_share")));
            }
            row
        };
        let mut columns =
            vec![Column::text("opened in"), Column::number("members"), Column::of("share", "age")];
        if has_gained {
            columns.extend([Column::of("gained", "gained"), Column::of("share of gained", "age")]);
        }
        let table = Table {
            caption: "Members by the year of their accounts".to_owned(),
            columns,
            rows: self.years.iter().enumerate().map(row).collect(),
            total: None,
        };
        let bars: Vec<_> = self.years.iter().map(|y| (y.year, y.share, y.gained_share)).collect();
        Ok(vec![
            Block::Text(text),
            Block::Chart(charts::ages(&bars, has_gained)?),
            Block::Details("The same as a table".to_owned(), vec![Block::Table(table)]),
        ])
    }
}
