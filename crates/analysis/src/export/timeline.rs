//! The history of a store as edges that come and go, for programs that know time.

use std::collections::BTreeSet;

use jiff::Timestamp;
use snapshot::{AccountId, Ended, History, HistoryCrawl, List, Spell};

use super::Presence;
use crate::Error;
use crate::history::{each_member, gained, left};

/// Which part of the graph that lists show is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The accounts whose lists they are, and the edges among them.
    Watched,
    /// Everybody in the lists, and all edges.
    Members,
}

/// A follow that began or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeEvent {
    /// Who follows.
    pub follower: AccountId,
    /// Who is followed.
    pub followed: AccountId,
    /// Whether it ended, and did not begin.
    pub ended: bool,
    /// How it began, as [`Began::name`](snapshot::Began::name) has it, or `lost`.
    pub event: &'static str,
    /// It happened no earlier; `None` if nothing tells.
    pub earliest: Option<Timestamp>,
    /// It happened no later.
    pub latest: Timestamp,
}

/// Hands over every edge that a list of some accounts ever showed, follower first, and when it was
/// there: at least one stretch, in order of time. By account and member; one reading of the
/// spells.
///
/// A stretch begins when the first crawl that saw the member had ended, and ends when the last one
/// began: in between the follow was surely there. If one crawl only saw it, it is that crawl, from
/// beginning to end. While nothing proves that a follow has ended, it has no end.
///
/// # Errors
/// If the history cannot be read, or `take` fails.
pub fn presences_each(
    history: &History,
    list: List,
    accounts: &[AccountId],
    extent: Extent,
    mut take: impl FnMut([AccountId; 2], &[Presence]) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    let mut presences = Vec::new();
    edges_each(history, list, accounts, extent, |edge, spells, crawls| {
        presences.clear();
        presences.extend(spells.iter().map(|spell| presence(spell, crawls)));
        take(edge, &presences)
    })
}

fn presence(spell: &Spell, crawls: &[HistoryCrawl]) -> Presence {
    let shown = crawls[spell.first_seen as usize].finished_at;
    let last = crawls[spell.last_seen as usize].started_at;
    let until = Some(shown.max(last)).filter(|_| spell.ended != Ended::Open);
    Presence { from: shown.min(last), until }
}

/// Hands over every beginning and end of an edge that a list of some accounts ever showed, by
/// account, member and time; one reading of the spells.
///
/// As [`events_each`](crate::history::events_each), but the follows that were there when a crawl
/// first looked begin, too. So the events of one edge, in the order in which they come, begin with
/// a beginning and alternate, and their moments `latest` never go back.
///
/// # Errors
/// If the history cannot be read, or `take` fails.
pub fn edge_events_each(
    history: &History,
    list: List,
    accounts: &[AccountId],
    extent: Extent,
    mut take: impl FnMut(EdgeEvent) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    edges_each(history, list, accounts, extent, |[follower, followed], spells, crawls| {
        let mut not_before = Timestamp::MIN;
        let mut tell = |ended, event, earliest: Option<Timestamp>, latest: Timestamp| {
            not_before = not_before.max(latest);
            let event =
                EdgeEvent { follower, followed, ended, event, earliest, latest: not_before };
            take(event)
        };
        for (index, spell) in spells.iter().enumerate() {
            let (earliest, latest) = if let Some(when) = gained(spells, index, crawls) {
                (Some(when.earliest), when.latest)
            } else {
                let shown = crawls[spell.first_seen as usize].finished_at;
                let latest = spell.followed_before.map_or(shown, |time| time.min(shown));
                (spell.followed_after, latest)
            };
            tell(false, spell.began.name(), earliest, latest)?;
            if let Some(when) = left(spells, index, crawls) {
                tell(true, "lost", Some(when.earliest), when.latest)?;
            }
        }
        Ok(())
    })
}

/// Hands over the edges that a list ever showed, with their spells and the crawls of the list.
fn edges_each(
    history: &History,
    list: List,
    accounts: &[AccountId],
    extent: Extent,
    mut take: impl FnMut([AccountId; 2], &[Spell], &[HistoryCrawl]) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    let watched: BTreeSet<_> = accounts.iter().copied().collect();
    let mut crawls: &[HistoryCrawl] = &[];
    each_member(history, list, Some(accounts), |spells| {
        let Spell { account, member, .. } = spells[0];
        if extent == Extent::Watched && !watched.contains(&member) {
            return Ok(());
        }
        if crawls.first().is_none_or(|crawl| crawl.account != account) {
            crawls = history.crawls_of(account, list);
        }
        let (follower, followed) = list.edge(account, member);
        take([follower, followed], spells, crawls)
    })
}
