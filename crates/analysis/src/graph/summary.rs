//! A graph in a dozen numbers.

use snapshot::{AccountId, Run};

use super::{FollowGraph, NodeIx};
use crate::mutual::opposite_looked_for;
use crate::{Error, Reciprocity, RunObservations};

/// A graph in a dozen numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Accounts.
    pub nodes: u64,
    /// Edges, self-loops included.
    pub edges: u64,
    /// Edges from an account to itself.
    pub self_loops: u64,
    /// Pairs of accounts that follow each other.
    pub mutual_pairs: u64,
    /// Reciprocal edges among all edges, self-loops left out of both: the convention of
    /// published graphs, where an edge that is not in the data is not there. A lower bound if
    /// some edges are [`unknown`](Self::unknown); see [`Reciprocity`] for other conventions.
    pub reciprocity: Option<f64>,
    /// Who follows the most accounts; of several, the smallest id.
    pub max_out: Option<Extreme>,
    /// Who is followed by the most accounts; of several, the smallest id.
    pub max_in: Option<Extreme>,
    /// Strongly connected components.
    pub strong_components: u64,
    /// Accounts of the largest one: each reaches each other along follows.
    pub largest_strong: u64,
    /// Weakly connected components.
    pub weak_components: u64,
    /// Accounts of the largest one: connected if directions are ignored.
    pub largest_weak: u64,
    /// Edges whose opposite no list that was read to its end would show, and no list does
    /// show. 0 for a graph made of edges, which are taken for all there are.
    pub unknown: u64,
    /// Reciprocal edges among those that are not [`unknown`](Self::unknown), self-loops left
    /// out: what a crawl really says, as [`Reciprocity::ratio_of_known`]. `None` if no edge is
    /// known.
    ///
    /// An edge list that was imported as following lists has no list of an account that
    /// follows nobody, so edges to such accounts are unknown here, where
    /// [`reciprocity`](Self::reciprocity) counts them as not returned.
    pub reciprocity_of_known: Option<f64>,
}

/// An account with the largest degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extreme {
    /// Who.
    pub account: AccountId,
    /// The number of its edges in that direction, a self-loop included.
    pub degree: u64,
}

impl FollowGraph {
    /// Counts and components. O(accounts + edges), in parallel but for what the largest strong
    /// component leaves.
    ///
    /// Takes the graph's edges for all there are, as published edge lists mean it. Of a run,
    /// which may not have looked for every opposite, ask [`run_summary`].
    pub fn summary(&self) -> Summary {
        self.summary_with(self.reciprocity())
    }

    fn summary_with(&self, returned: Reciprocity) -> Summary {
        let (strong, weak) = (self.strong_components(), self.weak_components());
        let (strong, weak) = (strong.sizes(), weak.sizes());
        let largest = |sizes: &[(NodeIx, u64)]| sizes.first().map_or(0, |(_, size)| *size);
        Summary {
            nodes: self.accounts() as u64,
            edges: returned.edges,
            self_loops: returned.self_loops,
            mutual_pairs: returned.mutual_pairs(),
            reciprocity: returned.ratio(),
            max_out: self.extreme(Self::out_neighbors),
            max_in: self.extreme(Self::in_neighbors),
            strong_components: strong.len() as u64,
            largest_strong: largest(&strong),
            weak_components: weak.len() as u64,
            largest_weak: largest(&weak),
            unknown: returned.unknown,
            reciprocity_of_known: returned.ratio_of_known(),
        }
    }

    fn extreme(&self, row: impl Fn(&Self, NodeIx) -> &[NodeIx]) -> Option<Extreme> {
        let degree = |node: &NodeIx| row(self, *node).len();
        // Of equal ones `max_by_key` takes the last.
        let node = self.nodes().rev().max_by_key(degree)?;
        Some(Extreme { account: self.account(node), degree: degree(&node) as u64 })
    }
}

/// Sums up everything a run saw: as [`FollowGraph::summary`], with the edges whose opposite
/// nobody looked for told apart, by the rule of [`run_reciprocity`](crate::run_reciprocity).
///
/// # Errors
/// If the run cannot be read, or has lost rows.
pub fn run_summary(run: &Run) -> Result<Summary, Error> {
    let observations = RunObservations::open(run)?;
    let graph = FollowGraph::from_observations(&observations)?;
    Ok(graph.summary_with(graph.reciprocity_where(opposite_looked_for(&observations))))
}
