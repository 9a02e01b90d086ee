//! Moving nodes to the communities where they gain most.

use std::collections::VecDeque;

use super::level::Level;
use super::{ROUNDING, gain};
use crate::random::Random;

/// Moves one node at a time until none gains by it; each move adds to modularity.
///
/// Only nodes of which a neighbor has moved are looked at again. Labels are below the number
/// of nodes, before and after.
pub(super) fn move_nodes(level: &Level, labels: &mut [u32], resolution: f64, random: &mut Random) {
    let mut communities = Communities::new(level, labels);
    let mut order: Vec<u32> = level.nodes().filter(|node| !level.row(*node).is_empty()).collect();
    random.shuffle(&mut order);
    let mut waits = vec![true; level.len()];
    let mut queue = VecDeque::from(order);
    while let Some(node) = queue.pop_front() {
        waits[node as usize] = false;
        let best = communities.best_for(level, labels, node, resolution);
        if best == labels[node as usize] {
            continue;
        }
        communities.change(labels[node as usize], best, level.strength(node));
        labels[node as usize] = best;
        for (neighbor, _) in level.row(node) {
            if labels[*neighbor as usize] != best && !waits[*neighbor as usize] {
                waits[*neighbor as usize] = true;
                queue.push_back(*neighbor);
            }
        }
    }
}

/// What is known of each community.
struct Communities {
    strengths: Vec<u64>,
    sizes: Vec<u32>,
    /// Communities that were empty once, and may be still.
    empty: Vec<u32>,
    /// The weight between a node and each community, while the node is looked at.
    weights: Vec<u64>,
    touched: Vec<u32>,
}

impl Communities {
    fn new(level: &Level, labels: &[u32]) -> Self {
        let mut sizes = vec![0; level.len()];
        for label in labels {
            sizes[*label as usize] += 1;
        }
        Self {
            strengths: level.strengths_of(labels, level.len()),
            empty: level.nodes().filter(|label| sizes[*label as usize] == 0).collect(),
            sizes,
            weights: vec![0; level.len()],
            touched: Vec::new(),
        }
    }

    /// The community in which a node gains most: its own if no other is better, an empty one
    /// if it is better off alone.
    fn best_for(&mut self, level: &Level, labels: &[u32], node: u32, resolution: f64) -> u32 {
        for (neighbor, weight) in level.row(node) {
            let label = labels[*neighbor as usize];
            let sum = &mut self.weights[label as usize];
            if *sum == 0 {
                self.touched.push(label);
            }
            *sum += u64::from(*weight);
        }
        let (own, strength) = (labels[node as usize], level.strength(node));
        let scale = level.scale(resolution, strength);
        let others = self.strengths[own as usize] - strength;
        let mut best = (own, gain(self.weights[own as usize], scale, others));
        for label in self.touched.drain(..) {
            let weight = std::mem::take(&mut self.weights[label as usize]);
            if label != own {
                let gain = gain(weight, scale, self.strengths[label as usize]);
                if gain > best.1 + ROUNDING {
                    best = (label, gain);
                }
            }
        }
        if best.1 < -ROUNDING && self.sizes[own as usize] > 1 {
            while let Some(label) = self.empty.pop() {
                if self.sizes[label as usize] == 0 {
                    return label;
                }
            }
        }
        best.0
    }

    fn change(&mut self, from: u32, to: u32, strength: u64) {
        self.strengths[from as usize] -= strength;
        self.strengths[to as usize] += strength;
        self.sizes[from as usize] -= 1;
        self.sizes[to as usize] += 1;
        if self.sizes[from as usize] == 0 {
            self.empty.push(from);
        }
    }
}
