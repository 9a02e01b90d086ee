//! What any two crawls of a list differ by, from the spells alone.

use snapshot::{AccountId, Began, Ended, History, HistoryCrawl, List, Spell};

use super::events::{gained, left};
use super::fold::proves_absence;
use super::walk::each_member;
use crate::Error;
use crate::when::Between;

/// What two crawls of one list differ by. Every vector is ascending by member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differences {
    /// The earlier crawl.
    pub before: HistoryCrawl,
    /// The later crawl.
    pub after: HistoryCrawl,
    /// Absent at the earlier one, and in the list at the later one.
    pub gained: Vec<Changed>,
    /// In the list at the earlier one, and absent at the later one.
    pub lost: Vec<Changed>,
    /// In the list at both, with another follow: left and followed anew, as far as order tells.
    /// They are among the unchanged, too.
    pub refollowed: Vec<Changed>,
    /// In the list at one of them, and nothing tells whether at the other.
    pub unknown: Vec<AccountId>,
    /// How many members are in the list at both.
    pub unchanged: u64,
}

/// A member that came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Who.
    pub member: AccountId,
    /// Between which moments: of several changes, the last before the later crawl.
    pub when: Between,
    /// How it came; `None` of one that went.
    pub began: Option<Began>,
}

/// What a list had become by one crawl since an earlier one, by their numbers.
///
/// Of crawls that read the whole list, same as the difference of the two as sets. Where one did
/// not, a member that it did not see counts as being there if crawls before and after saw it
/// and none between proves otherwise, and as absent if it proves that. One reading of the
/// account's spells, however many crawls lie between.
///
/// # Errors
/// If there are no such crawls, in this order, or the history cannot be read.
pub fn between(
    history: &History,
    account: AccountId,
    list: List,
    before: u32,
    after: u32,
) -> Result<Differences, Error> {
    let crawls = history.crawls_of(account, list);
    let (Some(earlier), Some(later)) = (crawls.get(before as usize), crawls.get(after as usize))
    else {
        let message =
            format!("the history has {} crawls of the {list} list of {account}", crawls.len());
        return Err(Error::not_found(message).with_hint("they are counted from 0"));
    };
    if before > after {
        return Err(Error::invalid("the earlier crawl is the later one"));
    }
    let mut found = Differences {
        before: earlier.clone(),
        after: later.clone(),
        gained: Vec::new(),
        lost: Vec::new(),
        refollowed: Vec::new(),
        unknown: Vec::new(),
        unchanged: 0,
    };
    each_member(history, list, Some(&[account]), |spells| {
        let member = spells[0].member;
        let change = |when, began| Changed { member, when, began };
        match (at(spells, before, crawls), at(spells, after, crawls)) {
            (Standing::Present(a), Standing::Present(b)) => {
                found.unchanged += 1;
                let anew =
                    (a + 1..=b).rev().find(|spell| spells[*spell].began == Began::Refollowed);
                if let Some(spell) = anew {
                    let when = gained(spells, spell, crawls);
                    found.refollowed.extend(when.map(|when| change(when, Some(Began::Refollowed))));
                }
            }
            (Standing::Absent, Standing::Present(b)) => {
                // A spell that began as a first look began no later than the crawl that proves
                // an absence, unless that knows it by a cursor only.
                let window = Between { earliest: earlier.started_at, latest: later.finished_at };
                let when = gained(spells, b, crawls).unwrap_or(window);
                found.gained.push(change(when, Some(spells[b].began)));
            }
            (Standing::Present(_), Standing::Absent) => {
                let last = spells.partition_point(|spell| spell.last_seen < after);
                let window = Between { earliest: earlier.started_at, latest: later.finished_at };
                let when = last.checked_sub(1).and_then(|last| left(spells, last, crawls));
                found.lost.push(change(when.unwrap_or(window), None));
            }
            (Standing::Present(_), Standing::Unknown)
            | (Standing::Unknown, Standing::Present(_)) => {
                found.unknown.push(member);
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(found)
}

/// Where a member stood when a crawl looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// In the list, with the spell of this index.
    Present(usize),
    Absent,
    Unknown,
}

/// Where a member with these spells stood at a crawl.
pub(super) fn at(spells: &[Spell], crawl: u32, crawls: &[HistoryCrawl]) -> Standing {
    let next = spells.partition_point(|spell| spell.last_seen < crawl);
    if spells.get(next).is_some_and(|spell| spell.first_seen <= crawl) {
        return Standing::Present(next);
    }
    let looked = &crawls[crawl as usize];
    let proves = |boundary| proves_absence(looked, boundary);
    let prior = next.checked_sub(1).map(|prior| &spells[prior]);
    // The old follow is gone. One that was followed anew says nothing of later crawls.
    let old = prior.filter(|old| old.ended != Ended::Moved);
    let old_is_gone = old.is_some_and(|old| proves(old.boundary));
    // The new one was not there yet, which is an absence only if the old one was gone by then.
    let is_between = prior.is_none_or(|old| old.absent_after.is_some_and(|gone| gone <= crawl));
    let new_is_missing = spells.get(next).is_some_and(|new| proves(new.boundary));
    let is_absent = looked.state.is_complete() || old_is_gone || is_between && new_is_missing;
    if is_absent { Standing::Absent } else { Standing::Unknown }
}
