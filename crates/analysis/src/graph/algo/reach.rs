//! Whom an account reaches along follows, or who reaches it.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rayon::prelude::*;

use super::super::{FollowGraph, NodeIx};

/// Accounts in hand up to which they are worked off one by one, without waking a thread: a
/// path has a million steps of one account.
const FEW: usize = 2048;
/// Where one in so many accounts was reached by the last step, the next looks at who is left.
const PART: usize = 24;
/// Accounts per task: of those in hand, whose rows may be long, and of all.
const IN_HAND: usize = 64;
const LEFT: usize = 2048;

/// One direction of the follow graph.
#[derive(Clone, Copy)]
pub(super) enum Along {
    Follows,
    Followers,
}

impl Along {
    pub(super) fn row(self, graph: &FollowGraph, node: NodeIx) -> &[NodeIx] {
        match self {
            Self::Follows => graph.out_neighbors(node),
            Self::Followers => graph.in_neighbors(node),
        }
    }

    fn opposite(self) -> Self {
        match self {
            Self::Follows => Self::Followers,
            Self::Followers => Self::Follows,
        }
    }
}

/// Which accounts can be reached from one, itself among them.
///
/// A search by steps that changes direction, as S. Beamer, K. Asanović, D. Patterson:
/// Direction-optimizing breadth-first search, SC 2012: when the last step reached many, those
/// who are left look for somebody reached among those before them and stop at the first.
/// Only who is reached matters here, not by how many steps, so a look takes whatever it sees.
/// O(accounts + edges) in all but a few times for the looks, in parallel.
pub(super) fn reach(graph: &FollowGraph, from: NodeIx, along: Along) -> Vec<bool> {
    let n = graph.accounts();
    let reached: Vec<AtomicBool> = (0..n).into_par_iter().map(|_| AtomicBool::new(false)).collect();
    reached[from.index()].store(true, Relaxed);
    let mut in_hand = vec![from];
    while !in_hand.is_empty() {
        in_hand = if in_hand.len() < FEW {
            one_by_one(graph, along, &reached, in_hand)
        } else if in_hand.len() > n / PART {
            look(graph, along, &reached)
        } else {
            step(graph, along, &reached, &in_hand)
        };
    }
    reached.into_par_iter().map(AtomicBool::into_inner).collect()
}

/// Works off what is in hand until there is nothing, or too much for one.
fn one_by_one(
    graph: &FollowGraph,
    along: Along,
    reached: &[AtomicBool],
    mut in_hand: Vec<NodeIx>,
) -> Vec<NodeIx> {
    while in_hand.len() < FEW
        && let Some(node) = in_hand.pop()
    {
        for next in along.row(graph, node) {
            if !reached[next.index()].load(Relaxed) {
                reached[next.index()].store(true, Relaxed);
                in_hand.push(*next);
            }
        }
    }
    in_hand
}

/// From those in hand to all their neighbors.
fn step(
    graph: &FollowGraph,
    along: Along,
    reached: &[AtomicBool],
    in_hand: &[NodeIx],
) -> Vec<NodeIx> {
    let of_part = |part: &[NodeIx]| {
        let rows = part.iter().flat_map(|node| along.row(graph, *node));
        let is_new = |next: &&NodeIx| {
            let reached = &reached[next.index()];
            !reached.load(Relaxed) && !reached.swap(true, Relaxed)
        };
        rows.filter(is_new).copied().collect()
    };
    let found: Vec<Vec<NodeIx>> = in_hand.par_chunks(IN_HAND).map(of_part).collect();
    found.concat()
}

/// From those who are left back to anybody who is reached.
fn look(graph: &FollowGraph, along: Along, reached: &[AtomicBool]) -> Vec<NodeIx> {
    let of_part = |(part, marks): (usize, &[AtomicBool])| {
        let mut found = Vec::new();
        for (place, mark) in marks.iter().enumerate() {
            let node = NodeIx::new(part * LEFT + place);
            let is_reached = |before: &NodeIx| reached[before.index()].load(Relaxed);
            if !mark.load(Relaxed) && along.opposite().row(graph, node).iter().any(is_reached) {
                mark.store(true, Relaxed);
                found.push(node);
            }
        }
        found
    };
    let found: Vec<Vec<NodeIx>> = reached.par_chunks(LEFT).enumerate().map(of_part).collect();
    found.concat()
}
