//! Who left one account and came to another between the runs.

use analysis::flows;
use serde::Serialize;

use super::ratio;
use crate::Error;
use crate::document::{Block, Cell, Column, Section, Table};
use crate::facts::{Facts, Labels};
use crate::text::counted;

/// Flows shown, at most: the largest.
const SHOWN: usize = 50;

/// Members that one account lost and another gained.
#[derive(Serialize)]
pub(crate) struct Flows {
    /// Pairs of accounts between which somebody flowed.
    pub(crate) all: u64,
    pub(crate) largest: Vec<Flow>,
}

#[derive(Serialize)]
pub(crate) struct Flow {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) members: u64,
    pub(crate) share_of_lost: Option<f64>,
    pub(crate) share_of_gained: Option<f64>,
}

impl Flows {
    pub(crate) fn of(facts: &Facts<'_>) -> Option<Self> {
        let mut found = flows(&facts.diffs);
        found.sort_by_key(|flow| (std::cmp::Reverse(flow.members.len()), flow.from, flow.to));
        let all = found.len() as u64;
        let flow = |flow: &analysis::Flow| {
            let members = flow.members.len() as u64;
            Flow {
                from: flow.from.to_string(),
                to: flow.to.to_string(),
                members,
                share_of_lost: ratio(members, flow.lost),
                share_of_gained: ratio(members, flow.gained),
            }
        };
        let largest = found.iter().take(SHOWN).map(flow).collect();
        (all > 0).then_some(Self { all, largest })
    }
}

impl Section for Flows {
    const ID: &'static str = "flows";
    const TITLE: &'static str = "From one account to another";
    const TERM: &'static str = "flow";

    fn blocks(&self, labels: &Labels) -> Result<Vec<Block>, Error> {
        let row = |(i, flow): (usize, &Flow)| {
            let at = |key: &str| format!("/flows/largest/{i}/{key}");
            vec![
                Cell::name(labels.of(&flow.from)),
                Cell::name(labels.of(&flow.to)),
                Cell::count(flow.members, at("members")),
                Cell::share(flow.share_of_lost, at("share_of_lost")),
                Cell::share(flow.share_of_gained, at("share_of_gained")),
            ]
        };
        let columns = vec![
            Column::text("left"),
            Column::text("came to"),
            Column::of("members", "flow"),
            Column::of("of the lost", "flow"),
            Column::of("of the gained", "flow"),
        ];
        let shown = self.largest.len() as u64;
        let caption = if shown < self.all {
            format!("The {shown} largest of {}", counted(self.all, "flow"))
        } else {
            "Members that one account lost and another gained".to_owned()
        };
        let rows = self.largest.iter().enumerate().map(row).collect();
        Ok(vec![
            Block::Text(
                "Members that left one of these accounts and came to another between the runs. \
                 That they left the one for the other is not said by that."
                    .to_owned(),
            ),
            Block::Table(Table { caption, columns, rows, total: None }),
        ])
    }
}
