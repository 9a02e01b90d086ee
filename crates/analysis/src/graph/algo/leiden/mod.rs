//! Communities, by the algorithm of Leiden.
//!
//! The graph is taken without directions and without self-loops; a mutual pair weighs 2 and
//! any other pair 1, so that weights are numbers of follows. All sums are of whole numbers and
//! one thread does the moving, so that a seed decides the answer.
//!
//! Leaves out other qualities than modularity, such as CPM.

use super::super::FollowGraph;
use super::grouping::Grouping;
use crate::Error;

mod level;
mod moving;
mod refining;

use crate::random::Random;
use level::{Level, compacted};

/// How communities are found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leiden {
    /// The resolution γ of modularity: 1; more makes smaller communities.
    pub resolution: f64,
    /// Another seed may give other communities of much the same quality; the same one gives
    /// the same communities, on any machine and with any number of threads.
    pub seed: u64,
    /// How often the whole is done, each time from the communities of the last: 2, as other
    /// programs have it. It ends earlier when nothing changes.
    pub rounds_max: u32,
}

impl Default for Leiden {
    fn default() -> Self {
        Self { resolution: 1.0, seed: 1, rounds_max: 2 }
    }
}

/// The communities of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Communities {
    /// Who is together with whom. Every community is connected; accounts without neighbors
    /// are alone.
    pub groups: Grouping,
    /// Their modularity: with the weight `w` of all pairs, the weight `w_c` within community
    /// `c` and the sum `k_c` of its accounts' weights, Σ over `c` of
    /// `w_c / w − γ (k_c / 2w)²`.
    /// `None` without edges.
    pub modularity: Option<f64>,
}

impl FollowGraph {
    /// Communities of high modularity, each of which is connected.
    ///
    /// Accounts move to the neighboring community that gains most, in random order, until none
    /// does; communities are refined from single accounts, within them and only along edges;
    /// what is refined becomes the accounts of a smaller graph, and so on. In practice a few
    /// times O(accounts + edges); 16 bytes per pair and 60 per account. The rows are built in
    /// parallel, the rest is on one thread.
    ///
    /// V. Traag, L. Waltman, N. J. van Eck: From Louvain to Leiden: guaranteeing well-connected
    /// communities, 2019.
    ///
    /// # Errors
    /// If the resolution is out of its range, or there are more than 2^32 edges.
    pub fn communities(&self, how: Leiden) -> Result<Communities, Error> {
        if !(how.resolution > 0.0 && how.resolution.is_finite()) {
            let message = format!("the resolution cannot be {}", how.resolution);
            return Err(Error::invalid(message).with_hint("it is above 0"));
        }
        if u32::try_from(self.edges()).is_err() {
            return Err(Error::invalid("communities are found in graphs of up to 2^32 edges"));
        }
        let graph = Level::of_graph(self);
        let mut random = Random::new(how.seed);
        let mut labels: Vec<u32> = graph.nodes().collect();
        for _ in 0..how.rounds_max {
            let better = round(&graph, labels.clone(), how.resolution, &mut random);
            if Grouping::of_labels(&better) == Grouping::of_labels(&labels) {
                break;
            }
            labels = better;
        }
        let modularity = graph.modularity(&labels, how.resolution);
        Ok(Communities { groups: Grouping::of_labels(&labels), modularity })
    }
}

/// Once through all levels.
fn round(graph: &Level, labels: Vec<u32>, resolution: f64, random: &mut Random) -> Vec<u32> {
    // Where on the level each account is.
    let mut places: Vec<u32> = graph.nodes().collect();
    let (mut smaller, mut labels) = (None::<Level>, labels);
    loop {
        let level = smaller.as_ref().unwrap_or(graph);
        moving::move_nodes(level, &mut labels, resolution, random);
        let communities = compacted(&mut labels);
        if communities == level.len() {
            break;
        }
        let mut refined = refining::refine(level, &labels, resolution, random);
        let parts = compacted(&mut refined);
        if parts == level.len() {
            // Nodes are where they gain most, so by the numbers some of each community would
            // have joined; rounding may think otherwise. What is refined is connected.
            labels = refined;
            break;
        }
        let next = level.aggregated(&refined, parts);
        let mut labels_of_parts = vec![0; parts];
        for (part, label) in refined.iter().zip(&labels) {
            labels_of_parts[*part as usize] = *label;
        }
        for place in &mut places {
            *place = refined[*place as usize];
        }
        (smaller, labels) = (Some(next), labels_of_parts);
    }
    places.iter().map(|place| labels[*place as usize]).collect()
}

/// What moving `strength` to a community gains beside being alone, in units of weight.
///
/// With the weight `w` of all pairs, modularity changes by this divided by `w`.
fn gain(weight: u64, scale: f64, strength: u64) -> f64 {
    weight as f64 - scale * strength as f64
}

/// Gains that differ by less are equal: far below the 1 that weights differ by, far above what
/// rounding does.
const ROUNDING: f64 = 1e-7;
