//! Triangles and clustering.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rayon::prelude::*;

use super::super::NodeIx;
use super::chunks::even;
use super::rows::Rows;
use super::undirected::Undirected;
use crate::ratio::ratio;

/// Neighbors looked at by one task.
const NEIGHBORS: usize = 1 << 14;

/// The triangles of every account: pairs of its neighbors that are neighbors themselves,
/// whatever the directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Triangles {
    /// By the number of the account.
    counts: Vec<u64>,
    degrees: Vec<u32>,
}

impl Undirected {
    /// The triangles of every account.
    ///
    /// Same as counting, for each account, the edges between its neighbors. Forward counting:
    /// accounts are ordered by degree, each keeps its neighbors of higher order, and of the
    /// two ends of an edge the one that keeps less is held against marks of the other's, so
    /// that O(Σ over edges of the lesser) ≤ O(edges^1.5) marks are looked at, in parallel.
    /// 4 bytes per pair and 24 per account, and 8 more per account for each thread.
    ///
    /// T. Schank, D. Wagner: Finding, counting and listing all triangles in large graphs, WEA
    /// 2005; M. Latapy: Main-memory triangle computations for very large graphs, 2008.
    pub fn triangles(&self) -> Triangles {
        let order = Order::new(self);
        let ranges = even(self.accounts(), NEIGHBORS, |node| self.length(node) as usize);
        let most = self.lengths().max().unwrap_or(0) as usize;
        let next = AtomicUsize::new(0);
        // As many tables of marks as threads, whatever rayon makes of the ranges.
        let tables = (0..rayon::current_num_threads()).into_par_iter().with_max_len(1).map(|_| {
            let mut cells = vec![0_u64; self.accounts()];
            let mut lesser = vec![0; most];
            while let Some(range) = ranges.get(next.fetch_add(1, Relaxed)) {
                for node in range.clone() {
                    order.count(self, node, &mut cells, &mut lesser);
                }
            }
            cells
        });
        let add = |mut a: Vec<u64>, b: Vec<u64>| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            a
        };
        let cells = tables.reduce_with(add).unwrap_or_default();
        let counts = order.places.iter().map(|place| cells[*place as usize]).collect();
        Triangles { counts, degrees: self.lengths().collect() }
    }
}

/// Accounts by degree.
struct Order {
    /// The place of each account, 0 for that of the most neighbors, so that what is marked
    /// often is close together.
    places: Vec<u32>,
    /// Each account's neighbors before it, by their places.
    before: Rows<u32>,
    /// How many those are: apart from the rows, for that they are looked up at random.
    lengths: Vec<u32>,
}

/// A cell holds a count, and above it the mark.
const MARK: u32 = 63;

impl Order {
    fn new(graph: &Undirected) -> Self {
        let places = places(graph);
        let room = |node| graph.length(node) as usize;
        let before = Rows::write(graph.accounts(), 0, room, |node, out| {
            let (mut end, place) = (0, places[node]);
            for neighbor in graph.row(node) {
                let neighbor = places[*neighbor as usize];
                // Without a branch, which would be a coin's toss.
                out[end] = neighbor;
                end += usize::from(neighbor < place);
            }
            end
        });
        let lengths = before.lengths().collect();
        Self { places, before, lengths }
    }

    /// Counts the triangles whose last two accounts are `node` and one that keeps less; of
    /// equal ones, one that comes after it. `lesser` has room for all its neighbors.
    fn count(&self, graph: &Undirected, node: usize, cells: &mut [u64], lesser: &mut [u32]) {
        let own = self.before.of(node);
        if own.is_empty() {
            return;
        }
        for first in own {
            cells[*first as usize] |= 1 << MARK;
        }
        // Without a branch, so that the look-ups do not wait for each other.
        let (mut end, size) = (0, self.lengths[node]);
        for neighbor in graph.row(node) {
            let length = self.lengths[*neighbor as usize];
            let is_lesser = length < size || (length == size && *neighbor as usize > node);
            lesser[end] = *neighbor;
            end += usize::from(is_lesser && length > 0);
        }
        let mut count = 0;
        for neighbor in &lesser[..end] {
            let mut common = 0;
            for first in self.before.of(*neighbor as usize) {
                let cell = &mut cells[*first as usize];
                let marked = *cell >> MARK;
                *cell += marked;
                common += marked;
            }
            cells[self.places[*neighbor as usize] as usize] += common;
            count += common;
        }
        cells[self.places[node] as usize] += count;
        for first in own {
            cells[*first as usize] &= !(1 << MARK);
        }
    }
}

/// The place of each account by descending degree, of equal ones by number. Counting sort.
fn places(graph: &Undirected) -> Vec<u32> {
    let max = graph.lengths().max().unwrap_or(0) as usize;
    let mut next = vec![0_u32; max + 2];
    // Of degree d stand all those of more before.
    graph.lengths().for_each(|degree| next[max - degree as usize + 1] += 1);
    for i in 0..=max {
        next[i + 1] += next[i];
    }
    let place = |degree: u32| {
        let next = &mut next[max - degree as usize];
        *next += 1;
        *next - 1
    };
    graph.lengths().map(place).collect()
}

impl Triangles {
    /// How many there are in the graph.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum::<u64>() / 3
    }

    /// How many each account is in.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The local clustering of an account: of the pairs of its neighbors, the share that are
    /// neighbors. `None` if it has fewer than two.
    ///
    /// D. Watts, S. Strogatz: Collective dynamics of "small-world" networks, 1998.
    pub fn clustering(&self, node: NodeIx) -> Option<f64> {
        ratio(self.counts[node.index()], pairs(self.degrees[node.index()]))
    }

    /// Global clustering: of all paths of two edges, the share whose ends are neighbors, which
    /// is 3 × triangles / paths. `None` without such a path.
    pub fn transitivity(&self) -> Option<f64> {
        ratio(self.counts.iter().sum(), self.degrees.iter().map(|degree| pairs(*degree)).sum())
    }

    /// The mean of local clustering over all accounts, those with fewer than two neighbors
    /// counted as 0: the convention of networkx and graph-tool. `None` without accounts.
    pub fn average_clustering(&self) -> Option<f64> {
        let (sum, _) = self.local();
        (!self.counts.is_empty()).then(|| sum / self.counts.len() as f64)
    }

    /// The mean of local clustering over accounts with two neighbors or more, the others left
    /// out: what igraph gives by default. `None` without such an account.
    pub fn average_clustering_of_defined(&self) -> Option<f64> {
        let (sum, accounts) = self.local();
        (accounts > 0).then(|| sum / accounts as f64)
    }

    /// The sum of local clusterings and how many there are, by ascending number.
    fn local(&self) -> (f64, u64) {
        let all = (0..self.counts.len()).filter_map(|node| self.clustering(NodeIx::new(node)));
        all.fold((0.0, 0), |(sum, count), clustering| (sum + clustering, count + 1))
    }
}

/// Pairs among so many.
fn pairs(of: u32) -> u64 {
    u64::from(of) * u64::from(of).saturating_sub(1) / 2
}
