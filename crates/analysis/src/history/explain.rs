//! Everything that was observed of one member, and what follows from it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use snapshot::{
    AccountId, Columns, Ended, History, HistoryCrawl, List, LookUp, PageRecord, Spell, Store,
};

use super::between::{Standing, at};
use super::events::{gained, left};
use crate::Error;
use crate::verdict::{RECHECK, Verdict, look_ups_of, verdicts};
use crate::when::Between;

/// What is known of one member in one list of one account.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Whose list.
    pub account: AccountId,
    /// Which list.
    pub list: List,
    /// Of whom.
    pub member: AccountId,
    /// Every crawl of the list, and what it says of the member.
    pub crawls: Vec<Observed>,
    /// The stretches of them that saw it.
    pub spells: Vec<Explained>,
}

/// What one crawl says of a member.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The crawl.
    pub crawl: HistoryCrawl,
    /// What it says.
    pub sight: Sight,
}

/// What a crawl says of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// It saw the member.
    Seen {
        /// The index in the list, 0 = newest.
        position: u32,
        /// The page that held it, counted from 0, and when that arrived; `None` for lists that
        /// did not come in pages.
        page: Option<(u32, Timestamp)>,
    },
    /// It did not see the member where it looked, so it was absent.
    Absent,
    /// It did not look where the member would be, so it says nothing.
    NotLooked,
    /// The list could not be read.
    NotRead,
}

impl Sight {
    /// The name used in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seen { .. } => "seen",
            Self::Absent => "absent",
            Self::NotLooked => "not_looked",
            Self::NotRead => "not_read",
        }
    }
}

/// A spell with what it rests on.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The spell.
    pub spell: Spell,
    /// Between which moments it began, if it was not there when a crawl first looked.
    pub began: Option<Between>,
    /// Between which moments it ended, if it has.
    pub ended: Option<Between>,
    /// The look-ups made after the crawl that missed the member.
    pub look_ups: Vec<LookUp>,
    /// What they say of why it is gone, if a crawl proves that it is.
    pub verdict: Option<Verdict>,
}

/// Everything that was observed of a member in a list of one account, or of every account whose
/// list has ever had it, by account.
///
/// Opens every run that has a crawl of such a list, and reads of its lists the pages that may
/// hold the member.
///
/// # Errors
/// If the history or a run cannot be read.
pub fn explain(
    store: &Store,
    history: &History,
    list: List,
    member: AccountId,
    account: Option<AccountId>,
) -> Result<Vec<Explanation>, Error> {
    let accounts = account.map_or_else(|| history.accounts(list), |account| vec![account]);
    let mut found: Vec<(AccountId, Vec<Spell>)> = Vec::new();
    let range = only(member);
    if let Some(file) = history.spells(list) {
        // Short lists share row groups.
        let groups = accounts.iter().flat_map(|account| file.groups_of(*account, &range));
        let groups: BTreeSet<usize> = groups.collect();
        let mut spells = Vec::new();
        for group in groups {
            spells.extend(file.group(group)?.into_iter().filter(|spell| spell.member == member));
        }
        let of = |account| spells.iter().filter(|s| s.account == account).copied().collect();
        found.extend(accounts.into_iter().map(|account| (account, of(account))));
    }
    found.retain(|(of, spells)| !spells.is_empty() || Some(*of) == account);
    let look_ups = look_ups_of(store, &[member], Timestamp::MIN)?;
    let of_account = |(account, spells): (AccountId, Vec<Spell>)| {
        let crawls = history.crawls_of(account, list);
        let observed = crawls.iter().map(|crawl| {
            Ok(Observed {
                crawl: crawl.clone(),
                sight: sight(store, crawl, member, &spells, crawls)?,
            })
        });
        let crawls_told = observed.collect::<Result<Vec<_>, Error>>()?;
        let explained = (0..spells.len()).map(|index| explained(&spells, index, crawls, &look_ups));
        Ok(Explanation { account, list, member, crawls: crawls_told, spells: explained.collect() })
    };
    found.into_iter().map(of_account).collect()
}

fn only(member: AccountId) -> std::ops::Range<i64> {
    member.get()..member.get().saturating_add(1)
}

fn sight(
    store: &Store,
    crawl: &HistoryCrawl,
    member: AccountId,
    spells: &[Spell],
    crawls: &[HistoryCrawl],
) -> Result<Sight, Error> {
    if crawl.state.coverage().is_none() {
        return Ok(Sight::NotRead);
    }
    let standing = at(spells, crawl.number, crawls);
    if let Standing::Present(_) = standing {
        let run = store.run(crawl.run)?;
        let columns = Columns { accounts: false, positions: true };
        let rows = run.list(crawl.list)?.members(crawl.account, only(member), columns).load()?;
        let at = rows.members.iter().position(|id| *id == member.get());
        let Some(position) = at.and_then(|at| rows.positions.get(at)) else {
            return Ok(Sight::NotLooked);
        };
        let position = position.cast_unsigned();
        let holds = |page: &PageRecord| {
            let within = page.first_position..page.first_position.saturating_add(page.ids);
            (page.account, page.list) == (crawl.account, crawl.list) && within.contains(&position)
        };
        let page = run.pages()?.into_iter().find(holds).map(|page| (page.page, page.fetched_at));
        return Ok(Sight::Seen { position, page });
    }
    Ok(if standing == Standing::Absent { Sight::Absent } else { Sight::NotLooked })
}

fn explained(spells: &[Spell], index: usize, crawls: &[HistoryCrawl], all: &[LookUp]) -> Explained {
    let spell = spells[index];
    let missed = spell.absent_after.filter(|_| spell.ended == Ended::Absent);
    let since = missed.map(|missed| crawls[missed as usize].finished_at);
    let look_ups: Vec<LookUp> = match since {
        Some(since) => {
            all.iter().filter(|look_up| look_up.looked_up_at >= since).cloned().collect()
        }
        None => Vec::new(),
    };
    let verdict = since.and_then(|_| verdicts(&[spell.member], &look_ups, RECHECK).pop());
    Explained {
        spell,
        began: gained(spells, index, crawls),
        ended: left(spells, index, crawls),
        look_ups,
        verdict,
    }
}
