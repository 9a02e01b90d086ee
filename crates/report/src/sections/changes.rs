//! Who came, who left, and how that compares with how many there were.

use analysis::when::{Arrival, NoOrder};
use analysis::{Diff, Undecided};
use serde::Serialize;

use super::{CHARTED, ratio};
use crate::Error;
use crate::charts;
use crate::document::{Block, Cell, Column, Section, Table, Tile};
use crate::facts::{Facts, Labels};
use crate::text::counted;

/// What changed in each list, and in all of them together.
#[derive(Serialize)]
pub(crate) struct Changes {
    pub(crate) total: Change,
    pub(crate) accounts: Vec<AccountChange>,
}

#[derive(Serialize)]
pub(crate) struct AccountChange {
    pub(crate) account: String,
    #[serde(flatten)]
    pub(crate) change: Change,
    /// Whether the order of both lists tells who is new, or why not.
    pub(crate) order: &'static str,
    /// The same as part of a sentence.
    pub(crate) order_reason: Option<&'static str>,
}

/// What changed in a list.
#[derive(Clone, Copy, Default, Serialize)]
pub(crate) struct Change {
    pub(crate) opening: u64,
    pub(crate) gained: u64,
    /// Of the gained; `None` where order does not tell.
    pub(crate) new: Option<u64>,
    /// Of the gained; `None` where order does not tell.
    pub(crate) returned: Option<u64>,
    pub(crate) lost: u64,
    /// Stayed in the list, but left and followed anew; `None` where order does not tell.
    pub(crate) moved: Option<u64>,
    /// In the earlier crawl, where the later one did not look.
    pub(crate) unknown_before: u64,
    /// In the later crawl, where the earlier one did not look.
    pub(crate) unknown_after: u64,
    pub(crate) closing: u64,
    /// Gained less lost.
    pub(crate) net: i64,
    /// Net by opening.
    pub(crate) growth: Option<f64>,
    /// Lost by opening.
    pub(crate) churn: Option<f64>,
}

impl Change {
    fn of(diff: &Diff) -> Self {
        let told = diff.of.order.is_ok();
        let count = |arrival| {
            let gained = diff.gained.iter().filter(|c| c.arrival == Some(arrival));
            told.then(|| gained.count() as u64)
        };
        let (before, after): (Vec<&Undecided>, Vec<_>) =
            diff.unknown.iter().partition(|u| matches!(u, Undecided::InBefore(_)));
        Self {
            opening: diff.opening(),
            gained: diff.gained.len() as u64,
            new: count(Arrival::New),
            returned: count(Arrival::Returned),
            lost: diff.lost.len() as u64,
            moved: told.then_some(diff.moved.len() as u64),
            unknown_before: before.len() as u64,
            unknown_after: after.len() as u64,
            closing: diff.closing(),
            ..Self::default()
        }
        .derived()
    }

    /// The sum of several; what is not told of one of them is not told of the sum.
    fn sum<'a>(of: impl Iterator<Item = &'a Self>) -> Self {
        let none = Self { new: Some(0), returned: Some(0), moved: Some(0), ..Self::default() };
        let both = |a: Option<u64>, b: Option<u64>| Some(a? + b?);
        of.fold(none, |sum, one| Self {
            opening: sum.opening + one.opening,
            gained: sum.gained + one.gained,
            new: both(sum.new, one.new),
            returned: both(sum.returned, one.returned),
            lost: sum.lost + one.lost,
            moved: both(sum.moved, one.moved),
            unknown_before: sum.unknown_before + one.unknown_before,
            unknown_after: sum.unknown_after + one.unknown_after,
            closing: sum.closing + one.closing,
            ..sum
        })
        .derived()
    }

    fn derived(self) -> Self {
        let net = self.gained.cast_signed() - self.lost.cast_signed();
        let growth = (self.opening > 0).then(|| net as f64 / self.opening as f64);
        Self { net, growth, churn: ratio(self.lost, self.opening), ..self }
    }
}

impl Changes {
    pub(crate) fn of(facts: &Facts<'_>) -> Option<Self> {
        let account = |diff: &Diff| AccountChange {
            account: diff.of.account.to_string(),
            change: Change::of(diff),
            order: diff.of.order.map_or_else(NoOrder::name, |()| "known"),
            order_reason: diff.of.order.err().map(NoOrder::reason),
        };
        let accounts: Vec<_> = facts.diffs.iter().map(account).collect();
        let total = Change::sum(accounts.iter().map(|account| &account.change));
        (!accounts.is_empty()).then_some(Self { total, accounts })
    }
}

impl Section for Changes {
    const ID: &'static str = "changes";
    const TITLE: &'static str = "Gained and lost";
    const TERM: &'static str = "gained";

    fn blocks(&self, labels: &Labels) -> Result<Vec<Block>, Error> {
        let mut blocks = vec![Block::Tiles(self.tiles()), Block::Table(self.table(labels))];
        let unknown = self.total.unknown_before + self.total.unknown_after;
        if unknown > 0 {
            blocks.push(Block::Text(format!(
                "{} in one run only, outside what the other run read: neither gained nor lost.",
                counted(unknown, "member")
            )));
        }
        let mut untold: Vec<_> = self.accounts.iter().filter_map(|a| a.order_reason).collect();
        let of = untold.len();
        untold.sort_unstable();
        untold.dedup();
        if of > 0 {
            blocks.push(Block::Text(format!(
                "Of {} it cannot be told who of the gained is new and who only returned: {}.",
                counted(of as u64, "list"),
                untold.join("; ")
            )));
        }
        if self.accounts.len() > 1 {
            let most = self.accounts.iter().take(CHARTED);
            let rows: Vec<_> = most
                .map(|a| charts::Balance {
                    label: labels.of(&a.account),
                    gained: ratio(a.change.gained, a.change.opening),
                    lost: a.change.churn,
                })
                .collect();
            blocks.push(Block::Chart(charts::balances(&rows)?));
        }
        Ok(blocks)
    }
}

impl Changes {
    fn tiles(&self) -> Vec<Tile> {
        let total = &self.total;
        let at = |field: &str| format!("/changes/total/{field}");
        let tile =
            |label, term, cell, note: &str| Tile { label, term, cell, note: note.to_owned() };
        let of_gained = match (total.new, total.returned) {
            (Some(new), Some(returned)) => format!("{new} new, {returned} returned"),
            _ => "new and returned not told apart".to_owned(),
        };
        vec![
            tile(
                "Closing",
                "opening",
                Cell::count(total.closing, at("closing")),
                "members in the later run",
            ),
            tile("Net", "net", Cell::signed(total.net, at("net")), "gained less lost"),
            tile("Gained", "gained", Cell::change(total.gained, true, at("gained")), &of_gained),
            tile("Lost", "lost", Cell::change(total.lost, false, at("lost")), "gone from the list"),
            tile(
                "Growth",
                "growth",
                Cell::signed_share(total.growth, at("growth")),
                "net ÷ opening",
            ),
            tile("Churn", "churn", Cell::share(total.churn, at("churn")), "lost ÷ opening"),
        ]
    }

    fn table(&self, labels: &Labels) -> Table {
        let cells = |change: &Change, prefix: String| {
            let at = |field: &str| format!("{prefix}/{field}");
            vec![
                Cell::count(change.opening, at("opening")),
                Cell::change(change.gained, true, at("gained")),
                Cell::maybe_count(change.new, at("new")),
                Cell::maybe_count(change.returned, at("returned")),
                Cell::change(change.lost, false, at("lost")),
                Cell::maybe_count(change.moved, at("moved")),
                Cell::signed(change.net, at("net")),
                Cell::count(change.unknown_before, at("unknown_before")),
                Cell::count(change.unknown_after, at("unknown_after")),
                Cell::count(change.closing, at("closing")),
                Cell::signed_share(change.growth, at("growth")),
                Cell::share(change.churn, at("churn")),
            ]
        };
        let row = |(i, account): (usize, &AccountChange)| {
            let mut row = vec![Cell::name(labels.of(&account.account))];
            row.extend(cells(&account.change, format!("/changes/accounts/{i}")));
            row
        };
        let mut total = vec![Cell::text("All lists")];
        total.extend(cells(&self.total, "/changes/total".to_owned()));
        let columns = vec![
            Column::text("account"),
            Column::of("opening", "opening"),
            Column::of("gained", "gained"),
            Column::of("new", "new"),
            Column::of("returned", "returned"),
            Column::of("lost", "lost"),
            Column::of("moved", "moved"),
            Column::of("net", "net"),
            Column::of("unknown earlier", "unknown"),
            Column::of("unknown later", "unknown"),
            Column::of("closing", "opening"),
            Column::of("growth", "growth"),
            Column::of("churn", "churn"),
        ];
        Table {
            caption: "Changes between the two runs, by account".to_owned(),
            columns,
            rows: self.accounts.iter().enumerate().map(row).collect(),
            total: (self.accounts.len() > 1).then_some(total),
        }
    }
}
