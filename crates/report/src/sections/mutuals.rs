//! Who follows back, and whose doing it is that this changed.

use std::collections::BTreeMap;

use analysis::engine::Stream;
use analysis::{MutualChange, Mutuals, Party, RunObservations, mutual_changes, mutuals};
use serde::Serialize;
use snapshot::{AccountId, List};

use super::ratio;
use crate::Error;
use crate::document::{Block, Cell, Column, Section, Table};
use crate::facts::{Facts, Labels};

/// Who follows back, for every account that has both lists.
#[derive(Serialize)]
pub(crate) struct MutualFollows {
    pub(crate) accounts: Vec<AccountMutuals>,
}

#[derive(Serialize)]
pub(crate) struct AccountMutuals {
    pub(crate) account: String,
    pub(crate) mutual: u64,
    pub(crate) only_followers: u64,
    pub(crate) only_following: u64,
    /// In one list, while the other was not read to its end.
    pub(crate) unknown: u64,
    /// Of those the account follows, the share that follows back.
    pub(crate) follow_back_rate: Option<f64>,
    /// Of its followers, the share that the account follows back.
    pub(crate) followed_back_share: Option<f64>,
    /// Between the two runs, if both have both lists.
    pub(crate) changes: Option<Changed>,
}

/// Pairs that became mutual, or ceased to be, by whose doing it is.
#[derive(Serialize)]
pub(crate) struct Changed {
    pub(crate) opening: u64,
    pub(crate) closing: u64,
    pub(crate) new: u64,
    pub(crate) new_by: BTreeMap<&'static str, u64>,
    pub(crate) broken: u64,
    pub(crate) broken_by: BTreeMap<&'static str, u64>,
}

/// Who can make a pair mutual.
const MAKERS: [Party; 4] = [Party::Member, Party::Account, Party::Returned, Party::Unknown];
/// Who can break it.
const BREAKERS: [Party; 3] = [Party::Member, Party::Account, Party::Both];

impl AccountMutuals {
    fn of(answer: &Mutuals, changes: Option<Changed>) -> Self {
        let [mutual, only_followers, only_following] =
            [&answer.mutual, &answer.only_followers, &answer.only_following]
                .map(|members| members.len() as u64);
        let decided = answer.followers.state.is_complete() && answer.following.state.is_complete();
        Self {
            account: answer.account.to_string(),
            mutual,
            only_followers,
            only_following,
            unknown: answer.unknown.len() as u64,
            follow_back_rate: answer.follow_back_rate(),
            followed_back_share: ratio(mutual, mutual + only_followers).filter(|_| decided),
            changes,
        }
    }
}

fn both(run: &RunObservations, account: AccountId) -> Option<[analysis::Observation; 2]> {
    let [followers, following] = List::ALL.map(|list| run.of(account, list).ok());
    let both = [followers?, following?];
    both.iter().all(|list| list.crawl().state.coverage().is_some()).then_some(both)
}

impl MutualFollows {
    pub(crate) fn of(facts: &Facts<'_>) -> Result<Option<Self>, Error> {
        let by = |changes: &[MutualChange], parties: &[Party]| {
            let count = |party: &Party| changes.iter().filter(|c| c.by == *party).count() as u64;
            parties.iter().map(|party| (party.name(), count(party))).collect()
        };
        let mut accounts = Vec::new();
        for account in &facts.accounts {
            let Some(after) = both(&facts.later, *account) else { continue };
            let answer = mutuals(&after[0], &after[1], &Stream)?;
            let before = facts.earlier.as_ref().and_then(|run| both(run, *account));
            let changes = match before {
                None => None,
                Some(before) => {
                    let found = mutual_changes(before.each_ref(), after.each_ref(), &Stream)?;
                    Some(Changed {
                        opening: found.opening,
                        closing: found.closing,
                        new: found.gained.len() as u64,
                        new_by: by(&found.gained, &MAKERS),
                        broken: found.broken.len() as u64,
                        broken_by: by(&found.broken, &BREAKERS),
                    })
                }
            };
            accounts.push(AccountMutuals::of(&answer, changes));
        }
        Ok((!accounts.is_empty()).then_some(Self { accounts }))
    }
}

impl Section for MutualFollows {
    const ID: &'static str = "mutuals";
    const TITLE: &'static str = "Who follows back";
    const TERM: &'static str = "mutual";

    fn blocks(&self, labels: &Labels) -> Result<Vec<Block>, Error> {
        let mut blocks = vec![Block::Table(self.now(labels))];
        if self.accounts.iter().any(|a| a.changes.is_some()) {
            blocks.push(Block::Heading("New and broken mutual follows".to_owned(), "doing"));
            blocks.push(Block::Table(self.changed(labels)));
        }
        Ok(blocks)
    }
}

impl MutualFollows {
    fn now(&self, labels: &Labels) -> Table {
        let row = |(i, of): (usize, &AccountMutuals)| {
            let at = |key: &str| format!("/mutuals/accounts/{i}/{key}");
            vec![
                Cell::name(labels.of(&of.account)),
                Cell::count(of.mutual, at("mutual")),
                Cell::count(of.only_followers, at("only_followers")),
                Cell::count(of.only_following, at("only_following")),
                Cell::count(of.unknown, at("unknown")),
                Cell::share(of.follow_back_rate, at("follow_back_rate")),
                Cell::share(of.followed_back_share, at("followed_back_share")),
            ]
        };
        let columns = vec![
            Column::text("account"),
            Column::of("mutual", "mutual"),
            Column::of("only followers", "mutual"),
            Column::of("only following", "mutual"),
            Column::of("unknown", "unknown"),
            Column::of("follow-back rate", "follow-back"),
            Column::of("followed back", "follow-back"),
        ];
        Table {
            caption: "Mutual follows in the later run".to_owned(),
            columns,
            rows: self.accounts.iter().enumerate().map(row).collect(),
            total: None,
        }
    }

    fn changed(&self, labels: &Labels) -> Table {
        let row = |(i, of): (usize, &AccountMutuals)| {
            let changes = of.changes.as_ref()?;
            let at = |key: &str| format!("/mutuals/accounts/{i}/changes/{key}");
            let mut row = vec![
                Cell::name(labels.of(&of.account)),
                Cell::count(changes.opening, at("opening")),
                Cell::change(changes.new, true, at("new")),
            ];
            let made = changes.new_by.iter();
            row.extend(MAKERS.iter().map(|party| {
                let n =
                    made.clone().find(|(name, _)| **name == party.name()).map_or(0, |(_, n)| *n);
                Cell::count(n, at(&format!("new_by/{}", party.name())))
            }));
            row.push(Cell::change(changes.broken, false, at("broken")));
            let broke = changes.broken_by.iter();
            row.extend(BREAKERS.iter().map(|party| {
                let n =
                    broke.clone().find(|(name, _)| **name == party.name()).map_or(0, |(_, n)| *n);
                Cell::count(n, at(&format!("broken_by/{}", party.name())))
            }));
            row.push(Cell::count(changes.closing, at("closing")));
            Some(row)
        };
        let columns = vec![
            Column::text("account"),
            Column::of("opening", "mutual"),
            Column::of("new", "doing"),
            Column::of("they followed back", "doing"),
            Column::of("it followed back", "doing"),
            Column::of("returned", "returned"),
            Column::of("not known who", "doing"),
            Column::of("broken", "doing"),
            Column::of("they left", "doing"),
            Column::of("it left", "doing"),
            Column::of("both gone", "doing"),
            Column::of("closing", "mutual"),
        ];
        Table {
            caption: "Mutual follows that began and ended, by whose doing it is".to_owned(),
            columns,
            rows: self.accounts.iter().enumerate().filter_map(row).collect(),
            total: None,
        }
    }
}
