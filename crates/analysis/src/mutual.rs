//! Who follows back: for one account from its two lists, for a whole run from its graph.
//!
//! "Does not follow back" is a claim of absence, and holds only if the list in which the
//! member is missing was read to its end. Times do not help here, unlike in a diff: when a
//! member began to follow says nothing of when it was followed. So members of one list are
//! undecided as long as the other list is incomplete.

use std::collections::HashSet;

use snapshot::{AccountId, List, Run};

use crate::engine::Engine;
use crate::question::{Met, meet};
use crate::ratio::ratio;
use crate::{Error, FollowGraph, Observation, Partition, Question, RunObservations, Side, ask};

/// The two lists of one account, member by member. Every vector is ascending.
///
/// An account that follows itself is its own mutual, as in the lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutuals {
    /// Whose lists.
    pub account: AccountId,
    /// The crawl of its followers.
    pub followers: Side,
    /// The crawl of those it follows.
    pub following: Side,
    /// Members of both lists: they follow each other.
    pub mutual: Vec<AccountId>,
    /// They follow the account, and it does not follow them.
    pub only_followers: Vec<AccountId>,
    /// The account follows them, and they do not follow it.
    pub only_following: Vec<AccountId>,
    /// Members of one list; the other was not read to its end.
    pub unknown: Vec<OneSided>,
}

/// A member of one list of which an incomplete other list says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OneSided {
    /// Who.
    pub member: AccountId,
    /// The list that has it.
    pub seen_in: List,
}

impl Mutuals {
    /// The share of those the account follows who follow back; `None` if it follows nobody
    /// or some answers are unknown.
    pub fn follow_back_rate(&self) -> Option<f64> {
        let (mutual, known) = (self.mutual.len(), self.mutual.len() + self.only_following.len());
        let decided = self.unknown.iter().all(|u| u.seen_in != List::Following)
            && self.following.state.is_complete();
        if decided { ratio(mutual as u64, known as u64) } else { None }
    }
}

/// Splits the two lists of one account into mutual and one-sided follows.
///
/// Same as `followers ∩ following`, `followers − following` and `following − followers` over
/// sets, where both lists are complete. O(followers + following).
///
/// # Errors
/// If the observations are not the followers and the following of one account, in this
/// order, or one cannot be read.
pub fn mutuals(
    followers: &Observation,
    following: &Observation,
    engine: &dyn Engine,
) -> Result<Mutuals, Error> {
    are_of_one_account(followers, following)?;
    let question = FollowBack {
        followers_known: followers.is_complete(),
        following_known: following.is_complete(),
    };
    let sorted = ask(&question, &[followers, following], engine)?;
    Ok(Mutuals {
        account: followers.account(),
        followers: followers.side(),
        following: following.side(),
        mutual: sorted.mutual,
        only_followers: sorted.only_followers,
        only_following: sorted.only_following,
        unknown: sorted.unknown,
    })
}

/// Refuses lists that are not the followers and the following of one account, in this order.
pub(crate) fn are_of_one_account(
    followers: &Observation,
    following: &Observation,
) -> Result<(), Error> {
    let lists = (followers.list(), following.list());
    if lists == (List::Followers, List::Following) && followers.account() == following.account() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the {} list of {} and the {} list of {} are not the two lists of one account",
        lists.0,
        followers.account(),
        lists.1,
        following.account()
    )))
}

/// The question behind [`mutuals`], of the lists `[followers, following]`.
struct FollowBack {
    followers_known: bool,
    following_known: bool,
}

#[derive(Default)]
struct Sorted {
    mutual: Vec<AccountId>,
    only_followers: Vec<AccountId>,
    only_following: Vec<AccountId>,
    unknown: Vec<OneSided>,
}

impl Question for FollowBack {
    type Partial = Sorted;
    type Answer = Sorted;

    fn start(&self) -> Sorted {
        Sorted::default()
    }

    fn on_partition(&self, part: &Partition<'_>) -> Result<Sorted, Error> {
        let (followers, following) = (part.list(0), part.list(1));
        let mut found = Sorted::default();
        let unknown = |member, seen_in| OneSided { member, seen_in };
        meet(followers.members, following.members, |met| match met {
            Met::Both(row, _) => found.mutual.push(followers.id(row)),
            Met::Left(row) if self.following_known => found.only_followers.push(followers.id(row)),
            Met::Left(row) => found.unknown.push(unknown(followers.id(row), List::Followers)),
            Met::Right(row) if self.followers_known => found.only_following.push(following.id(row)),
            Met::Right(row) => found.unknown.push(unknown(following.id(row), List::Following)),
        });
        Ok(found)
    }

    fn merge(&self, answer: &mut Sorted, part: Sorted) {
        answer.mutual.extend(part.mutual);
        answer.only_followers.extend(part.only_followers);
        answer.only_following.extend(part.only_following);
        answer.unknown.extend(part.unknown);
    }
}

/// How many follows are returned, counted by edges.
///
/// Made by [`run_reciprocity`] of a run and by [`FollowGraph::reciprocity`] of edges;
/// `Frame::from(&reciprocity)` is its one row in every [`Format`](crate::Format), with the
/// unknown edges and the ratio that leaves them out.
///
/// Three conventions are in use for accounts that follow themselves, and they differ by
/// several percent on real graphs; each has a method here. The default is
/// [`ratio`](Self::ratio): **self-loops left out**.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reciprocity {
    /// Edges, each counted once however many lists show it, self-loops included.
    pub edges: u64,
    /// Edges from an account to itself.
    pub self_loops: u64,
    /// Edges between two accounts whose opposite is there too: two per mutual pair.
    pub reciprocal: u64,
    /// Edges between two accounts whose opposite no list shows, and no list that was read to
    /// its end would show. Their answer is not no, but unknown.
    pub unknown: u64,
}

impl Reciprocity {
    /// Pairs of accounts that follow each other.
    pub fn mutual_pairs(&self) -> u64 {
        self.reciprocal / 2
    }

    /// Reciprocal edges among all edges, self-loops left out of both; a lower bound if some
    /// are [`unknown`](Self::unknown). `None` if there is no such edge.
    pub fn ratio(&self) -> Option<f64> {
        ratio(self.reciprocal, self.edges - self.self_loops)
    }

    /// As [`ratio`](Self::ratio), among the edges of which it is known whether they are
    /// returned. `None` if there is no such edge.
    ///
    /// A return that an incomplete list happens to show is known, and its absence there is
    /// not, so with such lists this errs upward.
    pub fn ratio_of_known(&self) -> Option<f64> {
        ratio(self.reciprocal, self.edges - self.self_loops - self.unknown)
    }

    /// Reciprocal edges among all edges, self-loops counted in the denominator only.
    pub fn ratio_self_loops_in_denominator(&self) -> Option<f64> {
        ratio(self.reciprocal, self.edges)
    }

    /// Reciprocal edges among all edges, self-loops counted as their own opposite.
    pub fn ratio_self_loops_reciprocal(&self) -> Option<f64> {
        ratio(self.reciprocal + self.self_loops, self.edges)
    }
}

/// Counts returned follows over everything a run saw.
///
/// An edge known from a followers and a following list counts once. The opposite of an edge
/// `a->b` would stand in the following list of `b` and in the followers list of `a`; if
/// neither was read to its end and it was not seen, it is unknown. O(edges log edges).
///
/// # Errors
/// If the run cannot be read, or has lost rows.
pub fn run_reciprocity(run: &Run) -> Result<Reciprocity, Error> {
    let observations = RunObservations::open(run)?;
    let graph = FollowGraph::from_observations(&observations)?;
    Ok(graph.reciprocity_where(opposite_looked_for(&observations)))
}

/// Says of an edge (from, to) whether a list that was read to its end would show its opposite.
pub(crate) fn opposite_looked_for(
    run: &RunObservations,
) -> impl Fn(AccountId, AccountId) -> bool + Sync + use<> {
    let complete = |list| -> HashSet<AccountId> {
        let complete = run.crawls(list).filter(|c| c.state.is_complete());
        complete.map(|c| c.account).collect()
    };
    let (followers, following) = (complete(List::Followers), complete(List::Following));
    move |from, to| following.contains(&to) || followers.contains(&from)
}
