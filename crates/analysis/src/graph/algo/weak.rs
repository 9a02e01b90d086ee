//! Weakly connected components.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use rayon::prelude::*;

use super::super::{FollowGraph, NodeIx};
use super::chunks::small;
use super::grouping::Grouping;

/// Neighbors of each account that are joined before the rest is looked at.
const SAMPLED: usize = 2;
/// Accounts that are asked for the largest component.
const ASKED: usize = 1024;
/// Accounts per task.
const ACCOUNTS: usize = 1 << 12;

impl FollowGraph {
    /// The components of the graph if directions are ignored.
    ///
    /// Same as joining the ends of every edge. Afforest: a few neighbors of each account are
    /// joined, after which nearly all of the largest component hangs together; only accounts
    /// outside it have their whole rows looked at. In practice O(accounts) random reads and 4
    /// bytes per account; O(accounts + edges) joins at worst, in parallel.
    ///
    /// M. Sutton, T. Ben-Nun, A. Barak: Optimizing parallel graph connectivity computation via
    /// subgraph sampling, IPDPS 2018.
    pub fn weak_components(&self) -> Grouping {
        let n = self.accounts();
        let forest = Forest((0..n).into_par_iter().map(|i| AtomicU32::new(small(i))).collect());
        let nodes = || (0..n).into_par_iter().with_min_len(ACCOUNTS).map(NodeIx::new);
        for turn in 0..SAMPLED {
            nodes().for_each(|node| {
                let following = self.out_neighbors(node);
                let neighbor = following
                    .get(turn)
                    .or_else(|| self.in_neighbors(node).get(turn - turn.min(following.len())));
                if let Some(neighbor) = neighbor {
                    forest.join(node.0, neighbor.0);
                }
            });
            nodes().for_each(|node| forest.flatten(node.0));
        }
        let largest = forest.most_frequent();
        nodes().for_each(|node| {
            if forest.parent(node.0) != largest {
                for neighbor in self.out_neighbors(node).iter().chain(self.in_neighbors(node)) {
                    forest.join(node.0, neighbor.0);
                }
            }
        });
        nodes().for_each(|node| forest.flatten(node.0));
        Grouping::new(forest.0.into_par_iter().map(|label| NodeIx(label.into_inner())).collect())
    }
}

/// Trees of accounts whose parents are smaller, so that a root is the smallest of its tree.
struct Forest(Vec<AtomicU32>);

impl Forest {
    fn parent(&self, node: u32) -> u32 {
        self.0[node as usize].load(Relaxed)
    }

    /// Hangs the greater root below the smaller one.
    fn join(&self, a: u32, b: u32) {
        let (mut a, mut b) = (self.parent(a), self.parent(b));
        while a != b {
            let (low, high) = (a.min(b), a.max(b));
            let above = self.parent(high);
            let hung = || self.0[high as usize].compare_exchange(high, low, Relaxed, Relaxed);
            if above == low || (above == high && hung().is_ok()) {
                return;
            }
            (a, b) = (self.parent(self.parent(high)), self.parent(low));
        }
    }

    /// Hangs an account below its root.
    fn flatten(&self, node: u32) {
        let (first, mut root) = (self.parent(node), self.parent(node));
        loop {
            let above = self.parent(root);
            if above == root {
                break;
            }
            root = above;
        }
        if root != first {
            self.0[node as usize].store(root, Relaxed);
        }
    }

    /// The parent that most of a sample have.
    fn most_frequent(&self) -> u32 {
        let step = (self.0.len() / ASKED).max(1);
        let mut sample: Vec<u32> = self.0.iter().step_by(step).map(|p| p.load(Relaxed)).collect();
        sample.sort_unstable();
        let longest = sample.chunk_by(|a, b| a == b).max_by_key(|same| same.len());
        longest.map_or(0, |same| same[0])
    }
}
