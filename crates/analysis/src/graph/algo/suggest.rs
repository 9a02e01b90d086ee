//! Whom else an audience follows.

use std::cmp::Reverse;

use rayon::prelude::*;
use snapshot::AccountId;

use super::super::{FollowGraph, NodeIx};
use super::rank::PageRank;
use crate::Error;
use crate::ratio::ratio;

/// Accounts per task.
const ACCOUNTS: usize = 1 << 10;

/// Whom the followers of an account follow besides it.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestions {
    /// Whose followers.
    pub account: AccountId,
    /// How many they are in the graph, the account itself left out.
    pub audience: u64,
    /// Every other account that one of them follows: most followed by them first, of equally
    /// followed ones by descending score, then by id.
    pub suggestions: Vec<Suggestion>,
}

/// An account that an audience follows too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suggestion {
    /// Who.
    pub account: AccountId,
    /// How many of the audience follow it; a self-follow does not count, here or below.
    pub shared: u64,
    /// How many follow it at all.
    pub followers: u64,
    /// `shared` / audience.
    pub share: f64,
    /// `share` divided by the share of its followers among everybody else: all accounts of the
    /// graph but the audience, itself, and the account whose audience it is. 2 where the
    /// audience is twice as likely to follow it; `None` where nobody else follows it.
    pub lift: Option<f64>,
    /// How often a walker comes to it along a follow, who starts at somebody of the audience
    /// and, with probability 0.15 a step, starts again: personalised [`PageRank`] without the
    /// part that everybody of the audience gets for being of it. Counts those whom the
    /// followed of the audience follow, too, and those more who follow few.
    pub score: f64,
    /// Whether it is of the audience itself.
    pub in_audience: bool,
}

impl FollowGraph {
    /// Whom else the followers of `account` follow: simple counts, and ranks as of a walker
    /// who starts among them. O(accounts + edges) a round of `how`, in parallel.
    ///
    /// Of a crawl, it can only tell of follows that were read: lists of the audience's follows,
    /// or of other accounts' followers. Counts are lower bounds where such lists are missing.
    ///
    /// # Errors
    /// If the account is not in the graph or has no followers there, or a parameter of `how`
    /// is out of its range.
    pub fn suggestions(&self, account: AccountId, how: PageRank) -> Result<Suggestions, Error> {
        let Some(node) = self.node(account) else {
            return Err(Error::not_found(format!("account {account} is not in the graph")));
        };
        let audience: Vec<NodeIx> =
            self.in_neighbors(node).iter().copied().filter(|follower| *follower != node).collect();
        if audience.is_empty() {
            return Err(Error::invalid(format!("the graph has no follower of account {account}"))
                .with_hint(
                    "its followers list, or lists of those who follow it, must be in the run",
                ));
        }
        let ranks = self.pagerank_from(&audience, how)?.ranks;
        let mut is_of_it = vec![false; self.accounts()];
        for follower in &audience {
            is_of_it[follower.index()] = true;
        }
        // What everybody of the audience is given by jumps, stranded walkers included.
        let walks = |node: &usize| !self.out_neighbors(NodeIx::new(*node)).is_empty();
        let walking: f64 = (0..self.accounts()).filter(walks).map(|node| ranks[node]).sum();
        let jumped = (1.0 - how.damping * walking) / audience.len() as f64;
        let size = audience.len() as u64;
        let suggestion = |other: usize| {
            let (mut followers, mut shared, mut itself) = (0, 0, 0);
            for follower in self.in_neighbors(NodeIx::new(other)) {
                followers += u64::from(follower.index() != other);
                shared += u64::from(follower.index() != other && is_of_it[follower.index()]);
                itself += u64::from(*follower == node);
            }
            if other == node.index() || shared == 0 {
                return None;
            }
            let in_audience = is_of_it[other];
            let others = self.accounts() as u64 - size - 1 - u64::from(!in_audience);
            let among_others = followers - shared - itself;
            let share = shared as f64 / size as f64;
            Some(Suggestion {
                account: self.account(NodeIx::new(other)),
                shared,
                followers,
                share,
                lift: ratio(among_others, others)
                    .filter(|rest| *rest > 0.0)
                    .map(|rest| share / rest),
                score: (ranks[other] - if in_audience { jumped } else { 0.0 }).max(0.0),
                in_audience,
            })
        };
        let all = (0..self.accounts()).into_par_iter().with_min_len(ACCOUNTS);
        let mut suggestions: Vec<Suggestion> = all.filter_map(suggestion).collect();
        suggestions.par_sort_by(|a, b| {
            let by_score = || b.score.total_cmp(&a.score);
            Reverse(a.shared)
                .cmp(&Reverse(b.shared))
                .then_with(by_score)
                .then(a.account.cmp(&b.account))
        });
        Ok(Suggestions { account, audience: size, suggestions })
    }
}
