//! A graph in a dozen numbers.

use petgraph::algo::kosaraju_scc;
use petgraph::unionfind::UnionFind;
use petgraph::visit::{EdgeRef, IntoEdgeReferences};
use snapshot::AccountId;

use super::{FollowGraph, NodeIx};

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
    /// Reciprocal edges among all edges, self-loops left out of both; see
    /// [`Reciprocity`](crate::Reciprocity)
    /// for other conventions.
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
    /// Counts and components, the latter by petgraph. O(accounts + edges) time; no recursion.
    pub fn summary(&self) -> Summary {
        let returned = self.reciprocity();
        let strong = kosaraju_scc(self).into_iter().map(|component| component.len() as u64);
        let strong = sizes(strong);
        let weak = sizes(self.weak_components().into_iter());
        Summary {
            nodes: self.accounts() as u64,
            edges: returned.edges,
            self_loops: returned.self_loops,
            mutual_pairs: returned.mutual_pairs(),
            reciprocity: returned.ratio(),
            max_out: self.extreme(Self::out_neighbors),
            max_in: self.extreme(Self::in_neighbors),
            strong_components: strong.0,
            largest_strong: strong.1,
            weak_components: weak.0,
            largest_weak: weak.1,
        }
    }

    fn extreme(&self, row: impl Fn(&Self, NodeIx) -> &[NodeIx]) -> Option<Extreme> {
        let degree = |node: &NodeIx| row(self, *node).len();
        // Of equal ones `max_by_key` takes the last.
        let node = self.nodes().rev().max_by_key(degree)?;
        Some(Extreme { account: self.account(node), degree: degree(&node) as u64 })
    }

    /// The size of every weakly connected component.
    fn weak_components(&self) -> Vec<u64> {
        let mut sets = UnionFind::<u32>::new(self.accounts());
        for edge in self.edge_references() {
            sets.union(edge.source().0, edge.target().0);
        }
        let mut sizes = vec![0; self.accounts()];
        for label in sets.into_labeling() {
            sizes[label as usize] += 1;
        }
        sizes.retain(|size| *size > 0);
        sizes
    }
}

/// How many, and the largest.
fn sizes(sizes: impl Iterator<Item = u64>) -> (u64, u64) {
    sizes.fold((0, 0), |(count, largest), size| (count + 1, largest.max(size)))
}
