//! The follow graph without directions.
//!
//! Compressed rows again, 8 bytes per pair of accounts and 16 per account. A row is the merge
//! of the account's two rows, so it ascends, and building reads 8 bytes per edge and writes
//! what it makes, once.

use super::super::{FollowGraph, NodeIx};
use super::rows::{Rows, merge};

/// The simple undirected graph under a [`FollowGraph`]: two accounts are neighbors if either
/// follows the other; self-loops are dropped.
#[derive(Clone, Debug)]
pub struct Undirected {
    rows: Rows<u32>,
    pairs: u64,
}

impl FollowGraph {
    /// The graph without directions. O(accounts + edges), in parallel.
    pub fn undirected(&self) -> Undirected {
        let both = |node: usize| {
            [self.out_neighbors(NodeIx::new(node)), self.in_neighbors(NodeIx::new(node))]
        };
        let room = |node| both(node).map(<[NodeIx]>::len).iter().sum();
        let rows = Rows::write(self.accounts(), 0, room, |node, out| {
            merge(both(node), NodeIx::new(node), out, |neighbor, _| neighbor.0)
        });
        let ends: u64 = rows.lengths().map(u64::from).sum();
        Undirected { rows, pairs: ends / 2 }
    }
}

impl Undirected {
    /// How many accounts there are, with the numbers they have in the follow graph.
    pub fn accounts(&self) -> usize {
        self.rows.accounts()
    }

    /// How many pairs of accounts are neighbors.
    pub fn pairs(&self) -> u64 {
        self.pairs
    }

    /// The neighbors of an account, ascending.
    pub fn neighbors(&self, node: NodeIx) -> impl ExactSizeIterator<Item = NodeIx> + '_ {
        self.row(node.index()).iter().map(|neighbor| NodeIx(*neighbor))
    }

    /// How many neighbors an account has.
    pub fn degree(&self, node: NodeIx) -> u64 {
        u64::from(self.rows.length(node.index()))
    }

    pub(super) fn row(&self, node: usize) -> &[u32] {
        self.rows.of(node)
    }

    pub(super) fn length(&self, node: usize) -> u32 {
        self.rows.length(node)
    }

    pub(super) fn lengths(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.rows.lengths()
    }
}
