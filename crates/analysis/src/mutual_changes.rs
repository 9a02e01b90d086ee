//! Which mutual follows began and which ended between two crawls of both lists of an account,
//! and who made the difference.
//!
//! A pair is mutual where a member stands in both lists. It becomes mutual when the second of the
//! two follows begins, and ceases to be when one of them ends. All that is known of that are the
//! two diffs, so what a crawl did not look at is neither.
//!
//! A member that is hidden, or blocks the account, is gone from both lists at once; who returns
//! from being hidden is back in both. Neither is a decision to follow or to unfollow.

use snapshot::AccountId;

use crate::engine::Engine;
use crate::mutual::are_of_one_account;
use crate::question::{Met, meet};
use crate::when::{Arrival, Between};
use crate::{Change, Compared, Error, Observation, Partition, Question, ask, diff};

/// What changed in who follows back, between two crawls of both lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutualChanges {
    /// The two crawls of its followers.
    pub followers: Compared,
    /// The two crawls of those it follows.
    pub following: Compared,
    /// How many members stood in both lists of the earlier crawls.
    pub opening: u64,
    /// How many members stand in both lists of the later crawls.
    pub closing: u64,
    /// Pairs that became mutual, by member.
    pub gained: Vec<MutualChange>,
    /// Pairs that ceased to be mutual, by member.
    pub broken: Vec<MutualChange>,
}

/// A pair that became mutual, or ceased to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MutualChange {
    /// The other one.
    pub member: AccountId,
    /// Whose doing it is.
    pub by: Party,
    /// When the member's follow of the account began or ended, if it did.
    pub follower: Option<Between>,
    /// When the account's follow of the member began or ended, if it did.
    pub following: Option<Between>,
}

/// Whose doing it is: who made a pair mutual by following second, or broke it by unfollowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// The member: it followed back, or left.
    Member,
    /// The account: it followed back, or left.
    Account,
    /// A broken pair of which both follows ended, and which first is not known: the member is
    /// hidden or has blocked the account, or both unfollowed.
    Both,
    /// Nobody: the member had been hidden, and is back.
    Returned,
    /// Both followed between the crawls, and which came second is not known.
    Unknown,
}

impl Party {
    /// The name used in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Account => "account",
            Self::Both => "both",
            Self::Returned => "returned",
            Self::Unknown => "unknown",
        }
    }
}

/// Compares two crawls of both lists of one account: `[followers, following]`, earlier and later.
///
/// O(members) time; O(changes) memory besides that of [`diff`](crate::diff).
///
/// # Errors
/// If they are not the lists of one account in this order, or one cannot be read.
pub fn mutual_changes(
    before: [&Observation; 2],
    after: [&Observation; 2],
    engine: &dyn Engine,
) -> Result<MutualChanges, Error> {
    for [followers, following] in [before, after] {
        are_of_one_account(followers, following)?;
    }
    let followers = diff(before[0], after[0], engine)?;
    let following = diff(before[1], after[1], engine)?;
    let changed = |one: &[Change], other: &[Change], lists: [&Observation; 2], of: Judge| {
        let mut members: Vec<_> = one.iter().chain(other).map(|change| change.member).collect();
        members.sort_unstable();
        members.dedup();
        let members = ask(&Present { members: &members }, &[lists[0]], engine)?;
        let members = ask(&Present { members: &members }, &[lists[1]], engine)?;
        let find = |changes: &[Change], member| {
            let at = changes.binary_search_by_key(&member, |change: &Change| change.member);
            at.ok().map(|at| changes[at])
        };
        let change = |member| {
            let (one, other) = (find(one, member), find(other, member));
            let follower = one.map(|change| change.between);
            let following = other.map(|change| change.between);
            MutualChange { member, by: of(one, other), follower, following }
        };
        Ok::<_, Error>(members.into_iter().map(change).collect::<Vec<_>>())
    };
    Ok(MutualChanges {
        opening: ask(&Mutual, &before, engine)?,
        closing: ask(&Mutual, &after, engine)?,
        gained: changed(&followers.gained, &following.gained, after, who_followed_back)?,
        broken: changed(&followers.lost, &following.lost, before, who_left)?,
        followers: followers.of,
        following: following.of,
    })
}

/// Whose doing a change of the followers, of the following, or of both is.
type Judge = fn(Option<Change>, Option<Change>) -> Party;

fn who_followed_back(follower: Option<Change>, following: Option<Change>) -> Party {
    let returned = |change: &Change| change.arrival == Some(Arrival::Returned);
    if [follower, following].iter().flatten().any(returned) {
        return Party::Returned;
    }
    match (follower, following) {
        (Some(_), None) => Party::Member,
        (None, Some(_)) => Party::Account,
        (Some(one), Some(other)) if is_before(one, other) => Party::Account,
        (Some(one), Some(other)) if is_before(other, one) => Party::Member,
        _ => Party::Unknown,
    }
}

fn who_left(follower: Option<Change>, following: Option<Change>) -> Party {
    match (follower, following) {
        (Some(_), None) => Party::Member,
        (None, Some(_)) => Party::Account,
        (Some(one), Some(other)) if is_before(one, other) => Party::Member,
        (Some(one), Some(other)) if is_before(other, one) => Party::Account,
        _ => Party::Both,
    }
}

/// Whether one change surely came before another.
fn is_before(one: Change, other: Change) -> bool {
    one.between.latest < other.between.earliest
}

/// Which of some ascending members a list has.
pub(crate) struct Present<'a> {
    pub(crate) members: &'a [AccountId],
}

impl Question for Present<'_> {
    type Partial = Vec<AccountId>;
    type Answer = Vec<AccountId>;

    fn start(&self) -> Vec<AccountId> {
        Vec::new()
    }

    fn on_partition(&self, part: &Partition<'_>) -> Result<Vec<AccountId>, Error> {
        let list = part.list(0).members;
        let (Some(first), Some(last)) = (list.first(), list.last()) else {
            return Ok(Vec::new());
        };
        let from = self.members.partition_point(|member| member.get() < *first);
        let until = self.members.partition_point(|member| member.get() <= *last);
        let here = self.members[from..until].iter();
        Ok(here.filter(|member| list.binary_search(&member.get()).is_ok()).copied().collect())
    }

    fn merge(&self, answer: &mut Vec<AccountId>, part: Vec<AccountId>) {
        answer.extend(part);
    }
}

/// How many members two lists have in common.
struct Mutual;

impl Question for Mutual {
    type Partial = u64;
    type Answer = u64;

    fn start(&self) -> u64 {
        0
    }

    fn on_partition(&self, part: &Partition<'_>) -> Result<u64, Error> {
        let mut both = 0;
        meet(part.list(0).members, part.list(1).members, |met| {
            both += u64::from(matches!(met, Met::Both(..)));
        });
        Ok(both)
    }

    fn merge(&self, answer: &mut u64, part: u64) {
        *answer += part;
    }
}
