//! What became of the lost, as far as they were looked up.

use std::collections::BTreeMap;

use analysis::{Fate, Losses, Standing};
use serde::Serialize;

use super::CHARTED;
use crate::Error;
use crate::charts;
use crate::document::{Block, Cell, Column, Section, Table};
use crate::facts::{Facts, Labels};
use crate::text::counted;

/// What became of the lost members of each list.
#[derive(Serialize)]
pub(crate) struct Fates {
    pub(crate) total: Fate5,
    pub(crate) accounts: Vec<AccountFates>,
    /// Why nothing is known, if look-ups could not be read.
    pub(crate) failed: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct AccountFates {
    pub(crate) account: String,
    #[serde(flatten)]
    pub(crate) fates: Fate5,
}

/// Lost members by what became of them.
#[derive(Clone, Default, Serialize)]
pub(crate) struct Fate5 {
    pub(crate) lost: u64,
    /// Of the lost, those that were looked up since.
    pub(crate) looked_up: u64,
    /// By the names of fates.
    pub(crate) fates: BTreeMap<&'static str, Stood>,
}

/// Verdicts of one kind.
#[derive(Clone, Copy, Default, Serialize)]
pub(crate) struct Stood {
    pub(crate) provisional: u64,
    #[serde(rename = "final")]
    pub(crate) settled: u64,
}

impl Fate5 {
    fn of(losses: &Losses) -> Self {
        let mut all = Self { lost: losses.verdicts.len() as u64, ..Self::default() };
        for fate in Fate::ALL {
            all.fates.insert(fate.name(), Stood::default());
        }
        for verdict in &losses.verdicts {
            all.looked_up += u64::from(verdict.looked_up_at.is_some());
            let stood = all.fates.entry(verdict.fate.name()).or_default();
            match verdict.standing {
                Standing::Provisional => stood.provisional += 1,
                Standing::Final => stood.settled += 1,
            }
        }
        all
    }

    fn add(&mut self, other: &Self) {
        self.lost += other.lost;
        self.looked_up += other.looked_up;
        for (fate, stood) in &other.fates {
            let sum = self.fates.entry(fate).or_default();
            sum.provisional += stood.provisional;
            sum.settled += stood.settled;
        }
    }

    /// How many, whether settled or not, in the order of [`Fate::ALL`].
    fn counts(&self) -> [u64; 5] {
        let of = |fate: Fate| self.fates.get(fate.name()).map_or(0, |s| s.provisional + s.settled);
        Fate::ALL.map(of)
    }
}

impl Fates {
    pub(crate) fn of(facts: &Facts<'_>) -> Option<Self> {
        let lost = facts.diffs.iter().any(|diff| !diff.lost.is_empty());
        let account = |losses: &Losses| AccountFates {
            account: losses.account.to_string(),
            fates: Fate5::of(losses),
        };
        let accounts: Vec<_> = facts.losses.iter().map(account).collect();
        let mut total = Fate5::default();
        for account in &accounts {
            total.add(&account.fates);
        }
        lost.then(|| Self { total, accounts, failed: facts.losses_failed.clone() })
    }
}

impl Section for Fates {
    const ID: &'static str = "losses";
    const TITLE: &'static str = "What became of the lost";
    const TERM: &'static str = "fate";

    fn blocks(&self, labels: &Labels) -> Result<Vec<Block>, Error> {
        if let Some(why) = &self.failed {
            let text = format!("Look-ups could not be read, so nothing is known of it: {why}.");
            return Ok(vec![Block::Text(text)]);
        }
        let lost = counted(self.total.lost, "member");
        if self.total.looked_up == 0 {
            return Ok(vec![Block::Text(format!(
                "{lost} went from a list, and none of them was looked up since. Whether they \
                 unfollowed, were suspended or closed their accounts cannot be told from a list; \
                 `followgraph classify` looks them up."
            ))]);
        }
        let mut blocks = vec![
            Block::Text(format!(
                "Of {lost} who went from a list, {} looked up since. A verdict is final when two \
                 look-ups a day apart agree.",
                match self.total.looked_up {
                    1 => "1 was".to_owned(),
                    n => format!("{} were", crate::text::grouped(n)),
                }
            )),
            Block::Table(self.table(labels)),
        ];
        let with_losses = self.accounts.iter().filter(|a| a.fates.lost > 0);
        let mut rows: Vec<_> =
            with_losses.take(CHARTED).map(|a| (labels.of(&a.account), a.fates.counts())).collect();
        if self.accounts.len() > 1 {
            rows.insert(0, ("All lists", self.total.counts()));
        }
        blocks.push(Block::Chart(charts::fates(&rows)?));
        Ok(blocks)
    }
}

impl Fates {
    fn table(&self, labels: &Labels) -> Table {
        let cells = |fates: &Fate5, prefix: &str| {
            let mut cells = vec![
                Cell::count(fates.lost, format!("{prefix}/lost")),
                Cell::count(fates.looked_up, format!("{prefix}/looked_up")),
            ];
            for fate in Fate::ALL.map(Fate::name) {
                let stood = fates.fates.get(fate).copied().unwrap_or_default();
                let at = |standing: &str| format!("{prefix}/fates/{fate}/{standing}");
                cells.push(Cell::count(stood.settled, at("final")));
                cells.push(Cell::count(stood.provisional, at("provisional")));
            }
            cells
        };
        let row = |(i, account): (usize, &AccountFates)| {
            let mut row = vec![Cell::name(labels.of(&account.account))];
            row.extend(cells(&account.fates, &format!("/losses/accounts/{i}")));
            row
        };
        let mut columns = vec![
            Column::text("account"),
            Column::of("lost", "lost"),
            Column::of("looked up", "fate"),
        ];
        for fate in Fate::ALL.map(Fate::name) {
            columns.push(Column::of(format!("{fate}, final"), "fate"));
            columns.push(Column::of(format!("{fate}, provisional"), "standing"));
        }
        let mut total = vec![Cell::text("All lists")];
        total.extend(cells(&self.total, "/losses/total"));
        Table {
            caption: "Lost members by what became of them".to_owned(),
            columns,
            rows: self.accounts.iter().enumerate().map(row).collect(),
            total: (self.accounts.len() > 1).then_some(total),
        }
    }
}
