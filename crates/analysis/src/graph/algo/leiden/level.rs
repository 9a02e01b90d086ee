//! A weighted graph without directions: the accounts, or sets of them.

use rayon::prelude::*;

use super::super::super::{FollowGraph, NodeIx};
use super::super::chunks::small;
use super::super::rows::{Rows, merge};

/// Nodes, their neighbors and weights.
pub(super) struct Level {
    /// Neighbor and weight; no node is its own neighbor.
    rows: Rows<(u32, u32)>,
    /// The weight of each node's edges, those within it counted twice.
    strengths: Vec<u64>,
    /// The weight of all edges, each once.
    weight: u64,
}

impl Level {
    /// The graph itself: a pair that follows each other weighs 2, another 1.
    pub(super) fn of_graph(graph: &FollowGraph) -> Self {
        let both = |node: usize| {
            [graph.out_neighbors(NodeIx::new(node)), graph.in_neighbors(NodeIx::new(node))]
        };
        let room = |node| both(node).map(<[NodeIx]>::len).iter().sum();
        let rows = Rows::write(graph.accounts(), (0, 0), room, |node, out| {
            merge(both(node), NodeIx::new(node), out, |neighbor, mutual| {
                (neighbor.0, 1 + u32::from(mutual))
            })
        });
        let strength = |node| rows.of(node).iter().map(|(_, weight)| u64::from(*weight)).sum();
        let strengths: Vec<u64> = (0..rows.accounts()).into_par_iter().map(strength).collect();
        let weight = strengths.iter().sum::<u64>() / 2;
        Self { rows, strengths, weight }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.accounts()
    }

    pub(super) fn nodes(&self) -> std::ops::Range<u32> {
        0..small(self.len())
    }

    pub(super) fn row(&self, node: u32) -> &[(u32, u32)] {
        self.rows.of(node as usize)
    }

    pub(super) fn strength(&self, node: u32) -> u64 {
        self.strengths[node as usize]
    }

    /// What a community's strength is multiplied with to get what modularity expects between
    /// it and something of `strength`.
    pub(super) fn scale(&self, resolution: f64, strength: u64) -> f64 {
        resolution * strength as f64 / (2 * self.weight) as f64
    }

    /// The strength of each of `count` communities.
    pub(super) fn strengths_of(&self, labels: &[u32], count: usize) -> Vec<u64> {
        let mut strengths = vec![0; count];
        for (label, strength) in labels.iter().zip(&self.strengths) {
            strengths[*label as usize] += strength;
        }
        strengths
    }

    /// The graph whose nodes are the parts of this one, of which there are `parts`.
    pub(super) fn aggregated(&self, part_of: &[u32], parts: usize) -> Self {
        let (starts, members) = by_label(part_of, parts);
        let mut weights = vec![0; parts];
        let (mut lengths, mut neighbors) = (Vec::with_capacity(parts), Vec::new());
        for part in 0..parts {
            let start = neighbors.len();
            for member in &members[starts[part]..starts[part + 1]] {
                for (neighbor, weight) in self.row(*member) {
                    let other = part_of[*neighbor as usize];
                    let sum = &mut weights[other as usize];
                    if *sum == 0 {
                        neighbors.push((other, 0));
                    }
                    *sum += weight;
                }
            }
            // What is within the part is in its strength already.
            let mut end = start;
            for i in start..neighbors.len() {
                let other = neighbors[i].0;
                neighbors[end] = (other, std::mem::take(&mut weights[other as usize]));
                end += usize::from(other as usize != part);
            }
            neighbors.truncate(end);
            lengths.push(small(end - start));
        }
        let strengths = self.strengths_of(part_of, parts);
        let rows = Rows::of_lengths(lengths.into_iter(), neighbors);
        Self { rows, strengths, weight: self.weight }
    }

    /// The modularity of communities with labels below the number of nodes.
    pub(super) fn modularity(&self, labels: &[u32], resolution: f64) -> Option<f64> {
        if self.weight == 0 {
            return None;
        }
        let within = |node: u32| {
            let own =
                |(neighbor, _): &&(u32, u32)| labels[*neighbor as usize] == labels[node as usize];
            self.row(node).iter().filter(own).map(|(_, weight)| u64::from(*weight)).sum::<u64>()
        };
        let within: u64 = self.nodes().into_par_iter().map(within).sum();
        let all = (2 * self.weight) as f64;
        let square = |strength: u64| (strength as f64 / all).powi(2);
        let expected: f64 = self.strengths_of(labels, self.len()).into_iter().map(square).sum();
        Some(within as f64 / all - resolution * expected)
    }
}

/// Nodes by label, and where those of each begin.
fn by_label(labels: &[u32], count: usize) -> (Vec<usize>, Vec<u32>) {
    let mut starts = vec![0; count + 1];
    for label in labels {
        starts[*label as usize + 1] += 1;
    }
    for label in 0..count {
        starts[label + 1] += starts[label];
    }
    let (mut next, mut nodes) = (starts.clone(), vec![0; labels.len()]);
    for (node, label) in (0..).zip(labels) {
        nodes[next[*label as usize]] = node;
        next[*label as usize] += 1;
    }
    (starts, nodes)
}

/// Gives labels below their number of nodes new ones from 0, in the order of their first
/// nodes, and returns how many there are.
pub(super) fn compacted(labels: &mut [u32]) -> usize {
    let mut new = vec![u32::MAX; labels.len()];
    let mut count = 0;
    for label in labels {
        let new = &mut new[*label as usize];
        if *new == u32::MAX {
            *new = count;
            count += 1;
        }
        *label = *new;
    }
    count as usize
}
