//! Building communities anew from single nodes, within what moving has found.

use rayon::prelude::*;

use super::level::Level;
use super::{ROUNDING, gain};
use crate::random::Random;

/// How much chance has to say, θ in the paper: at 0.01, hardly more than between equals.
const CHANCE: f64 = 0.01;

/// Parts of communities: labels below the number of nodes, each of a connected set of nodes
/// of one community.
///
/// In random order, each node that is alone and well connected to its community joins a part
/// of it that it has an edge to and gains by, if that is well connected too.
pub(super) fn refine(
    level: &Level,
    communities: &[u32],
    resolution: f64,
    random: &mut Random,
) -> Vec<u32> {
    let mut order: Vec<u32> = level.nodes().collect();
    random.shuffle(&mut order);
    let mut parts = Parts::new(level, communities);
    for node in order {
        parts.look_at(node, resolution, random);
    }
    parts.labels
}

struct Parts<'a> {
    level: &'a Level,
    communities: &'a [u32],
    community_strengths: Vec<u64>,
    labels: Vec<u32>,
    strengths: Vec<u64>,
    sizes: Vec<u32>,
    /// The weight between each part and the rest of its community.
    outward: Vec<u64>,
    /// The weight between a node and each part, while the node is looked at.
    weights: Vec<u64>,
    touched: Vec<u32>,
}

impl<'a> Parts<'a> {
    fn new(level: &'a Level, communities: &'a [u32]) -> Self {
        let outward = |node: u32| {
            let own = |(neighbor, _): &&(u32, u32)| {
                communities[*neighbor as usize] == communities[node as usize]
            };
            level.row(node).iter().filter(own).map(|(_, weight)| u64::from(*weight)).sum()
        };
        Self {
            level,
            communities,
            community_strengths: level.strengths_of(communities, level.len()),
            labels: level.nodes().collect(),
            strengths: level.nodes().map(|node| level.strength(node)).collect(),
            sizes: vec![1; level.len()],
            outward: level.nodes().into_par_iter().map(outward).collect(),
            weights: vec![0; level.len()],
            touched: Vec::new(),
        }
    }

    fn look_at(&mut self, node: u32, resolution: f64, random: &mut Random) {
        let community = self.communities[node as usize];
        let whole = self.community_strengths[community as usize];
        // A part has the label of the node that it began with, which stays in it.
        let alone = self.sizes[node as usize] == 1 && self.labels[node as usize] == node;
        if !alone || !self.is_well_connected(node, whole, resolution) {
            return;
        }
        for (neighbor, weight) in self.level.row(node) {
            if self.communities[*neighbor as usize] == community {
                let part = self.labels[*neighbor as usize];
                let sum = &mut self.weights[part as usize];
                if *sum == 0 {
                    self.touched.push(part);
                }
                *sum += u64::from(*weight);
            }
        }
        if let Some(part) = self.pick(node, whole, resolution, random) {
            self.join(node, part);
        }
        self.touched.drain(..).for_each(|part| self.weights[part as usize] = 0);
    }

    /// Whether the edges between a part and the rest of its community are no fewer than
    /// expected.
    fn is_well_connected(&self, part: u32, whole: u64, resolution: f64) -> bool {
        let strength = self.strengths[part as usize];
        let scale = self.level.scale(resolution, strength);
        gain(self.outward[part as usize], scale, whole - strength) >= -ROUNDING
    }

    /// One of the parts that a node touches and gains by, those that it gains more by with a
    /// probability that is greater by exp(difference / [`CHANCE`]).
    fn pick(&self, node: u32, whole: u64, resolution: f64, random: &mut Random) -> Option<u32> {
        let scale = self.level.scale(resolution, self.level.strength(node));
        let gain = |part: &u32| {
            let part = *part as usize;
            gain(self.weights[part], scale, self.strengths[part])
        };
        let fits = |part: &&u32| {
            gain(part) >= -ROUNDING && self.is_well_connected(**part, whole, resolution)
        };
        let fitting: Vec<(u32, f64)> =
            self.touched.iter().filter(fits).map(|part| (*part, gain(part))).collect();
        let most = fitting.iter().map(|(_, gain)| *gain).fold(f64::NEG_INFINITY, f64::max);
        let chance = |gain: f64| ((gain - most) / CHANCE).exp();
        let mut drawn = random.share() * fitting.iter().map(|(_, gain)| chance(*gain)).sum::<f64>();
        let hit = |(_, gain): &&(u32, f64)| {
            drawn -= chance(*gain);
            drawn < 0.0
        };
        fitting.iter().find(hit).or(fitting.last()).map(|(part, _)| *part)
    }

    fn join(&mut self, node: u32, part: u32) {
        let (from, to) = (node as usize, part as usize);
        self.labels[from] = part;
        self.strengths[to] += self.strengths[from];
        self.strengths[from] = 0;
        self.sizes[to] += 1;
        self.sizes[from] = 0;
        self.outward[to] = self.outward[to] + self.outward[from] - 2 * self.weights[to];
    }
}
