//! Strongly connected components.
//!
//! A follow graph has one giant component, which two searches find in parallel, and small
//! ones around it, which one pass finds in the little that is left.

use std::cmp::Reverse;

use rayon::prelude::*;

use super::super::{FollowGraph, NodeIx};
use super::grouping::Grouping;
use super::reach::{Along, reach};

/// No account: the label of one that has none yet.
const NONE: NodeIx = NodeIx(u32::MAX);

impl FollowGraph {
    /// The components in which each account reaches each other along follows.
    ///
    /// Forward-backward from the account with most followers times follows: whom it reaches
    /// and who reaches it are one component, and no other component has accounts in more than
    /// one of the three sets that are left. Accounts without followers or without follows are
    /// trimmed, the rest is Tarjan's, without recursion. O(accounts + edges); the searches are
    /// parallel, and Tarjan's pass is as long as what the giant component leaves. 16 bytes per
    /// account.
    ///
    /// L. Fleischer, B. Hendrickson, A. Pınar: On identifying strongly connected components in
    /// parallel, IPDPS 2000; G. Slota, S. Rajamanickam, K. Madduri: BFS and coloring-based
    /// parallel algorithms for strongly connected components, IPDPS 2014; R. Tarjan:
    /// Depth-first search and linear graph algorithms, 1972.
    pub fn strong_components(&self) -> Grouping {
        let Some(pivot) = self.pivot() else { return Grouping::new(Vec::new()) };
        let (after, before) = rayon::join(
            || reach(self, pivot, Along::Follows),
            || reach(self, pivot, Along::Followers),
        );
        let side: Vec<u8> = after
            .par_iter()
            .zip(&before)
            .map(|(after, before)| u8::from(*after) | u8::from(*before) << 1)
            .collect();
        let giant = side.par_iter().position_first(|side| *side == GIANT).map_or(NONE, NodeIx::new);
        let label = |(node, side): (usize, &u8)| {
            let node = NodeIx::new(node);
            let alone =
                || self.out_neighbors(node).is_empty() || self.in_neighbors(node).is_empty();
            match *side {
                GIANT => giant,
                _ if alone() => node,
                _ => NONE,
            }
        };
        let labels = side.par_iter().enumerate().map(label).collect();
        Grouping::new(Tarjan::new(self, &side, labels).labels())
    }

    /// Who is likely to be in the largest component; of several the smallest number.
    fn pivot(&self) -> Option<NodeIx> {
        let key = |node: &NodeIx| {
            let (follows, followers) = (self.out_neighbors(*node), self.in_neighbors(*node));
            (follows.len() as u64 * followers.len() as u64, Reverse(*node))
        };
        (0..self.accounts()).into_par_iter().map(NodeIx::new).max_by_key(key)
    }
}

/// The side of accounts both before and after the pivot.
const GIANT: u8 = 3;

/// One pass over the accounts that have no label yet.
struct Tarjan<'a> {
    graph: &'a FollowGraph,
    /// An edge between sides is in no cycle.
    side: &'a [u8],
    labels: Vec<NodeIx>,
    /// When each account was met, from 1.
    met: Vec<u32>,
    time: u32,
    /// Accounts that were met and have no label.
    open: Vec<NodeIx>,
    path: Vec<Step>,
}

/// An account on the path, how much of its row is done, and the earliest open account that it
/// and those after it have been seen to reach.
struct Step {
    node: NodeIx,
    done: u32,
    earliest: u32,
}

impl<'a> Tarjan<'a> {
    fn new(graph: &'a FollowGraph, side: &'a [u8], labels: Vec<NodeIx>) -> Self {
        let met = vec![0; labels.len()];
        Self { graph, side, labels, met, time: 0, open: Vec::new(), path: Vec::new() }
    }

    fn labels(mut self) -> Vec<NodeIx> {
        for node in (0..self.labels.len()).map(NodeIx::new) {
            if self.labels[node.index()] == NONE {
                self.meet(node);
                while let Some(step) = self.path.pop() {
                    self.go_on(step);
                }
            }
        }
        self.labels
    }

    fn meet(&mut self, node: NodeIx) {
        self.time += 1;
        self.met[node.index()] = self.time;
        self.open.push(node);
        self.path.push(Step { node, done: 0, earliest: self.time });
    }

    /// Goes on with the last account of the path, to the next one or back.
    fn go_on(&mut self, mut step: Step) {
        let (node, row) = (step.node, self.graph.out_neighbors(step.node));
        let side = self.side[node.index()];
        for next in &row[step.done as usize..] {
            step.done += 1;
            if self.side[next.index()] != side || self.labels[next.index()] != NONE {
                continue;
            }
            if self.met[next.index()] == 0 {
                self.path.push(step);
                self.meet(*next);
                return;
            }
            step.earliest = step.earliest.min(self.met[next.index()]);
        }
        if step.earliest == self.met[node.index()] {
            self.close(node);
        } else if let Some(before) = self.path.last_mut() {
            before.earliest = before.earliest.min(step.earliest);
        }
    }

    /// Everything open since `node` was met is a component.
    fn close(&mut self, node: NodeIx) {
        let met = &self.met;
        let first = self.open.partition_point(|open| met[open.index()] < met[node.index()]);
        let label = self.open[first..].iter().copied().min().unwrap_or(node);
        for member in self.open.drain(first..) {
            self.labels[member.index()] = label;
        }
    }
}
