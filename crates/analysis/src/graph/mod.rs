//! The follow graph: who follows whom, as compressed rows that petgraph can read.
//!
//! Accounts are numbered in ascending order of id. One array holds the targets of all edges
//! by source, another the sources of all edges by target, and two arrays of offsets say where
//! each account's row begins: 8 bytes per edge and 24 per account in all. Rows ascend, so an
//! edge is found by binary search and two rows are intersected by walking them together.
//!
//! `&FollowGraph` implements petgraph's [`visit`] traits, so that petgraph's algorithms run
//! on it unchanged. Cautions at size: petgraph's `tarjan_scc` and `depth_first_search` recurse
//! once per step of a path, and a path of 100,000 accounts ends a stack of 8 MiB, where
//! `kosaraju_scc` walks a million in the 2 MiB of a thread; and its `page_rank` is quadratic.
//!
//! Leaves out weights, times and parallel edges: an account follows another or does not.
//!
//! [`visit`]: petgraph::visit

use rayon::prelude::*;
use snapshot::AccountId;

use crate::Reciprocity;

mod load;

mod mutual;

mod gather;
mod links;
mod piles;
mod places;
mod rows;

mod algo;
mod summary;
mod visit;

pub use mutual::{MutualEdges, file_mutual_edges, run_mutual_edges};
use rows::Rows;

pub use algo::{
    Communities, Cores, DegreeOf, Degrees, Grouping, Leiden, Metrics, PageRank, Ranks, Suggestion,
    Suggestions, Triangles, Undirected, Wanted,
};
pub use summary::{Extreme, Summary, run_summary};
pub use visit::{EdgeReferences, Edges, FollowRef, Neighbors, NodeReferences, Nodes, Visited};

/// An account's number in one graph; it means nothing in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct NodeIx(u32);

impl NodeIx {
    /// The number, from 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("a graph has at most 2^32 accounts"))
    }
}

/// Who follows whom, without weights or parallel edges; self-follows are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowGraph {
    accounts: Vec<AccountId>,
    following: Rows,
    followers: Rows,
}

impl FollowGraph {
    /// How many accounts there are.
    pub fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// How many edges there are.
    pub fn edges(&self) -> usize {
        self.following.edges()
    }

    /// The account that has a number.
    pub fn account(&self, node: NodeIx) -> AccountId {
        self.accounts[node.index()]
    }

    /// The number of an account, if it is in the graph. O(log accounts).
    pub fn node(&self, account: AccountId) -> Option<NodeIx> {
        self.accounts.binary_search(&account).ok().map(NodeIx::new)
    }

    /// Whom an account follows, ascending.
    pub fn out_neighbors(&self, node: NodeIx) -> &[NodeIx] {
        self.following.of(node)
    }

    /// Who follows an account, ascending.
    pub fn in_neighbors(&self, node: NodeIx) -> &[NodeIx] {
        self.followers.of(node)
    }

    /// Whether `from` follows `to`. O(log of the shorter row).
    pub fn has_edge(&self, from: NodeIx, to: NodeIx) -> bool {
        let (following, followers) = (self.out_neighbors(from), self.in_neighbors(to));
        if following.len() <= followers.len() {
            following.binary_search(&to).is_ok()
        } else {
            followers.binary_search(&from).is_ok()
        }
    }

    /// Counts returned follows. O(edges), in parallel.
    pub fn reciprocity(&self) -> Reciprocity {
        self.reciprocity_where(|_, _| true)
    }

    /// Counts returned follows; `looked_for` says of an edge (from, to) whether its opposite
    /// would have been seen.
    pub(crate) fn reciprocity_where(
        &self,
        looked_for: impl Fn(AccountId, AccountId) -> bool + Sync,
    ) -> Reciprocity {
        let per_account = |node: usize| {
            let node = NodeIx::new(node);
            let mut count = Reciprocity::default();
            let followers = self.in_neighbors(node);
            let mut returned = 0;
            for to in self.out_neighbors(node) {
                returned += followers[returned..].partition_point(|f| f < to);
                count.edges += 1;
                if *to == node {
                    count.self_loops += 1;
                } else if followers.get(returned) == Some(to) {
                    count.reciprocal += 1;
                } else if !looked_for(self.account(node), self.account(*to)) {
                    count.unknown += 1;
                }
            }
            count
        };
        (0..self.accounts()).into_par_iter().map(per_account).reduce(Reciprocity::default, plus)
    }
}

fn plus(a: Reciprocity, b: Reciprocity) -> Reciprocity {
    Reciprocity {
        edges: a.edges + b.edges,
        self_loops: a.self_loops + b.self_loops,
        reciprocal: a.reciprocal + b.reciprocal,
        unknown: a.unknown + b.unknown,
    }
}
