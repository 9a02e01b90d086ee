//! k-cores: how deep in the graph an account sits.

use super::super::NodeIx;
use super::chunks::small;
use super::undirected::Undirected;

/// The core number of every account: the largest k such that it is in a part of the graph in
/// which everybody has k neighbors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cores {
    /// By the number of the account.
    numbers: Vec<u32>,
}

impl Undirected {
    /// The core number of every account, directions ignored.
    ///
    /// Accounts are peeled off by ascending degree, each taking one off the degrees of its
    /// neighbors, as V. Batagelj, M. Zaveršnik: An O(m) algorithm for cores decomposition of
    /// networks, 2003. In place of its buckets, each level walks over the accounts that are
    /// left, which are all in that core: no more steps than pairs in all. O(accounts + pairs),
    /// 12 bytes per account, on one thread: what waits is memory, and levels are too short to
    /// be shared.
    pub fn cores(&self) -> Cores {
        // The degree among those that are left; where an account is peeled off, its core.
        let mut degrees = self.lengths().collect::<Vec<u32>>();
        let mut left: Vec<u32> = (0..small(degrees.len())).collect();
        let mut peeled = vec![0; degrees.len() + 1];
        let mut done = None;
        while let Some(level) = next_level(&mut left, &degrees, done) {
            // Whoever is of this degree goes, and whoever comes down to it by that.
            let mut end = 0;
            for node in &left {
                peeled[end] = *node;
                end += usize::from(degrees[*node as usize] == level);
            }
            while end > 0 {
                end -= 1;
                for neighbor in self.row(peeled[end] as usize) {
                    let degree = &mut degrees[*neighbor as usize];
                    peeled[end] = *neighbor;
                    end += usize::from(*degree == level + 1);
                    *degree -= u32::from(*degree > level);
                }
            }
            done = Some(level);
        }
        Cores { numbers: degrees }
    }
}

/// Drops who was peeled off at level `done` or before, and tells the least degree of the rest.
fn next_level(left: &mut Vec<u32>, degrees: &[u32], done: Option<u32>) -> Option<u32> {
    let mut least = None;
    left.retain(|node| {
        let degree = degrees[*node as usize];
        let stays = done.is_none_or(|done| degree > done);
        if stays {
            least = Some(least.map_or(degree, |least: u32| least.min(degree)));
        }
        stays
    });
    least
}

impl Cores {
    /// The core number of every account.
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// The core number of an account.
    pub fn of(&self, node: NodeIx) -> u32 {
        self.numbers[node.index()]
    }

    /// The largest core number and how many accounts have it: the densest part of the graph.
    /// `None` without accounts.
    pub fn innermost(&self) -> Option<(u32, u64)> {
        let max = self.numbers.iter().copied().max()?;
        Some((max, self.numbers.iter().filter(|number| **number == max).count() as u64))
    }

    /// Of each k from 0 to the largest, how many accounts the k-core has: those whose core
    /// number is k or more.
    pub fn sizes(&self) -> Vec<u64> {
        let Some((max, _)) = self.innermost() else { return Vec::new() };
        let mut sizes = vec![0; max as usize + 1];
        self.numbers.iter().for_each(|number| sizes[*number as usize] += 1);
        for k in (0..max as usize).rev() {
            sizes[k] += sizes[k + 1];
        }
        sizes
    }
}
