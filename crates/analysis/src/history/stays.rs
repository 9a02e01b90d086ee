//! How long followers stay, from the spells of a store: survival curves, and stays of a few days.
//!
//! A *stay* is one follow from its beginning to its end. A member that was hidden and reappeared
//! never left, so spells that are joined by that are one stay; one that is hidden still counts as
//! gone until it reappears.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use snapshot::{AccountId, Began, History, HistoryCrawl, List, Spell};

use super::events::{gained, left};
use super::walk::each_member;
use crate::Error;
use crate::retention::{Ended, Retention, RetentionCurves, Settings, Stay};
use crate::when::Between;

/// The survival curves of a list: of all its followers, and of those who came in each month.
///
/// One reading of the spells, and what [`Retention`] takes.
///
/// # Errors
/// If the history cannot be read, or the settings cannot be.
pub fn retention(
    history: &History,
    account: AccountId,
    list: List,
    settings: Settings,
) -> Result<RetentionCurves, Error> {
    let mut counted = Retention::new(account, list, settings)?;
    stays_each(history, list, Some(&[account]), |_, _, stay| counted.add(&stay))?;
    Ok(counted.curves())
}

/// Hands over the stays of some accounts' lists, or of all: whose list, who, and the stay; by
/// account, member and time. One reading of the spells.
///
/// # Errors
/// If the history cannot be read, or `take` fails.
pub fn stays_each(
    history: &History,
    list: List,
    accounts: Option<&[AccountId]>,
    mut take: impl FnMut(AccountId, AccountId, Stay) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    let mut crawls: &[HistoryCrawl] = &[];
    each_member(history, list, accounts, |spells| {
        let Spell { account, member, .. } = spells[0];
        if crawls.first().is_none_or(|crawl| crawl.account != account) {
            crawls = history.crawls_of(account, list);
        }
        let mut first = 0;
        for last in 0..spells.len() {
            let goes_on = spells.get(last + 1).is_some_and(|next| next.began == Began::Reappeared);
            if !goes_on {
                take(account, member, stay(spells, [first, last], crawls))?;
                first = last + 1;
            }
        }
        Ok(())
    })
}

/// The stay from one spell of a member to another.
fn stay(spells: &[Spell], [first, last]: [usize; 2], crawls: &[HistoryCrawl]) -> Stay {
    let spell = &spells[first];
    let shown = &crawls[spell.first_seen as usize];
    let followed = Between {
        earliest: spell.followed_after.unwrap_or(Timestamp::UNIX_EPOCH),
        latest: spell.followed_before.unwrap_or(shown.finished_at),
    };
    // Of who was there before, and of who was hidden, the follow is older than what was seen.
    let is_seen = matches!(spell.began, Began::New | Began::Refollowed | Began::Returned);
    let began = gained(spells, first, crawls).filter(|_| is_seen).unwrap_or(followed);
    let seen_from = shown.started_at.max(began.latest);
    let seen_last = crawls[spells[last].last_seen as usize].started_at.max(seen_from);
    let ended = match left(spells, last, crawls) {
        None => Ended::NotBy(seen_last),
        Some(left) => {
            let after = left.earliest.max(seen_from);
            Ended::Between { after, until: left.latest.max(after) }
        }
    };
    Stay { began, seen_from, ended }
}

/// A stay that surely lasted a few days only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortStay {
    /// Whose list.
    pub account: AccountId,
    /// Who.
    pub member: AccountId,
    /// When it followed.
    pub followed: Between,
    /// When it was gone.
    pub left: Between,
    /// Whether the account ever had the member in its following list, as far as the store knows.
    /// Who follows to be followed back, and leaves when it is not, has not.
    pub was_followed_back: Option<bool>,
}

/// The followers of some accounts, or of all, who were gone within so many days of following,
/// whatever the truth within the bounds: who follows many accounts only to be followed back
/// leaves so. By account, member and time. Who was suspended within days is among them.
///
/// One reading of the spells of both lists; 8 bytes for each whom an account has followed.
///
/// # Errors
/// If the history cannot be read.
pub fn short_stays(
    history: &History,
    accounts: Option<&[AccountId]>,
    days_max: u32,
) -> Result<Vec<ShortStay>, Error> {
    let mut followed = HashSet::new();
    each_member(history, List::Following, accounts, |spells| {
        followed.insert((spells[0].account, spells[0].member));
        Ok(())
    })?;
    let lasts_max = SignedDuration::from_hours(24 * i64::from(days_max));
    let is_known = |account| !history.crawls_of(account, List::Following).is_empty();
    let mut found = Vec::new();
    stays_each(history, List::Followers, accounts, |account, member, stay| {
        let Ended::Between { after, until } = stay.ended else { return Ok(()) };
        if until.duration_since(stay.began.earliest) <= lasts_max {
            let was_followed_back =
                is_known(account).then(|| followed.contains(&(account, member)));
            let left = Between { earliest: after, latest: until };
            found.push(ShortStay {
                account,
                member,
                followed: stay.began,
                left,
                was_followed_back,
            });
        }
        Ok(())
    })?;
    Ok(found)
}
