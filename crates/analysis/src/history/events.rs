//! Gains, losses and returns, one by one, and between which moments each happened.

use snapshot::{AccountId, Began, Ended, History, HistoryCrawl, List, Spell};

use super::walk::each_member;
use crate::Error;
use crate::when::Between;

/// Something that happened to a member of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whose list.
    pub account: AccountId,
    /// Who.
    pub member: AccountId,
    /// What.
    pub kind: EventKind,
    /// Between which moments.
    pub when: Between,
    /// The number of the crawl that shows it.
    pub shown_by: u32,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// It came to be in the list; never as [`FirstLook`](Began::FirstLook).
    Gained(Began),
    /// It ceased to be in the list: unfollowed, suspended, deactivated.
    Lost,
}

impl EventKind {
    /// The name used in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gained(began) => began.name(),
            Self::Lost => "lost",
        }
    }
}

/// Hands over everything that happened in a list of some accounts, or of all, by account, member
/// and time. One reading of the spells.
///
/// A member that left and followed anew between two crawls that both saw it is lost and
/// refollowed, both shown by the later crawl.
///
/// # Errors
/// If the history cannot be read, or `take` fails.
pub fn events_each(
    history: &History,
    list: List,
    accounts: Option<&[AccountId]>,
    mut take: impl FnMut(Event) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    let mut crawls: &[HistoryCrawl] = &[];
    each_member(history, list, accounts, |spells| {
        let Spell { account, member, .. } = spells[0];
        if crawls.first().is_none_or(|crawl| crawl.account != account) {
            crawls = history.crawls_of(account, list);
        }
        for (index, spell) in spells.iter().enumerate() {
            if let Some(when) = gained(spells, index, crawls) {
                let kind = EventKind::Gained(spell.began);
                take(Event { account, member, kind, when, shown_by: spell.first_seen })?;
            }
            if let Some(when) = left(spells, index, crawls) {
                let shown_by =
                    spell.absent_after.or(spells.get(index + 1).map(|next| next.first_seen));
                let (kind, shown_by) = (EventKind::Lost, shown_by.unwrap_or(spell.last_seen));
                take(Event { account, member, kind, when, shown_by })?;
            }
        }
        Ok(())
    })
}

/// Between which moments a spell of a member began: when it followed, or was shown again. `None`
/// if it was there when a crawl first looked.
pub(crate) fn gained(spells: &[Spell], index: usize, crawls: &[HistoryCrawl]) -> Option<Between> {
    let spell = &spells[index];
    if spell.began == Began::FirstLook {
        return None;
    }
    let shown = &crawls[spell.first_seen as usize];
    let prior = index.checked_sub(1).map(|prior| &spells[prior]);
    let since = spell.absent_before.or(prior.map(|prior| prior.last_seen))?;
    let window = Between { earliest: crawls[since as usize].started_at, latest: shown.finished_at };
    if !matches!(spell.began, Began::New | Began::Refollowed) {
        return Some(window);
    }
    // That it was not hidden meanwhile is known from order or times, or not at all.
    let is_known = shown.head.is_some() || spell.began == Began::Refollowed;
    let followed = Between {
        earliest: spell.followed_after.unwrap_or(window.earliest),
        latest: spell.followed_before.filter(|_| is_known).unwrap_or(window.latest),
    };
    Some(window.and(followed).unwrap_or(window))
}

/// Between which moments a spell of a member ended, if it has.
pub(crate) fn left(spells: &[Spell], index: usize, crawls: &[HistoryCrawl]) -> Option<Between> {
    let spell = &spells[index];
    let earliest = crawls[spell.last_seen as usize].started_at;
    let latest = match spell.ended {
        Ended::Open => return None,
        Ended::Absent => crawls[spell.absent_after? as usize].finished_at,
        Ended::Moved => {
            let next = spells.get(index + 1)?;
            let finished = crawls[next.first_seen as usize].finished_at;
            next.followed_before.unwrap_or(finished).min(finished)
        }
    };
    Some(Between { earliest, latest: latest.max(earliest) })
}
