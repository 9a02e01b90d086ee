//! Ranks of accounts by who follows them: of all, and as seen from somebody.

use rayon::prelude::*;

use super::super::{FollowGraph, NodeIx};
use super::chunks::{even, pieces};
use crate::Error;

/// Edges, and accounts, whose ranks are summed by one task.
const EDGES: usize = 1 << 15;

/// How ranks are computed; the defaults are those of most programs.
///
/// A walker on the graph follows one of the follows of the account it is at, each as likely as
/// the other, with the probability `damping`; otherwise, and always where there is none, it
/// jumps to an account that is picked at random. Ranks are the shares of its time. With
/// `out(u)` whom `u` follows, `p` the distribution of jumps (1 / accounts, or 1 / seeds for
/// seeds), and `dead` the accounts that follow nobody, they are the fixed point of
///
/// ```text
/// x(v) = damping · Σ { x(u) / |out(u)| : u follows v } + p(v) · (1 − damping + damping · Σ { x(u) : u in dead })
/// ```
///
/// which is approached from `p` until a round changes less than `tolerance` in sum. This is
/// the formulation of networkx, whose own tolerance is per account, with a self-follow as an
/// edge like any other.
///
/// S. Brin, L. Page: The anatomy of a large-scale hypertextual Web search engine, 1998.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PageRank {
    /// The probability of going along a follow: 0.85.
    pub damping: f64,
    /// Rounds go on until Σ |x(v) − x'(v)| is below it: 1e-6.
    pub tolerance: f64,
    /// But no more than so many: 100.
    pub rounds_max: u32,
}

impl Default for PageRank {
    fn default() -> Self {
        Self { damping: 0.85, tolerance: 1e-6, rounds_max: 100 }
    }
}

/// The ranks of all accounts, which sum to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranks {
    /// By the number of the account.
    pub ranks: Vec<f64>,
    /// How many rounds there were.
    pub rounds: u32,
    /// What the last round changed in sum; at least the tolerance if the rounds ended first.
    pub residual: f64,
}

impl FollowGraph {
    /// The rank of every account.
    ///
    /// O(accounts + edges) time a round, and about log(tolerance) / log(damping) rounds at
    /// most; 16 to 24 bytes per account. In parallel: each account sums up its followers, in
    /// double precision. Unless the tolerance is below 1e-6, what accounts give is rounded to
    /// single precision, which reads half the memory and moves the ranks by less than 4e-7 in
    /// sum (2⁻²⁴ · damping / (1 − damping), at the default damping).
    ///
    /// # Errors
    /// If a parameter is out of its range.
    pub fn pagerank(&self, how: PageRank) -> Result<Ranks, Error> {
        how.check()?;
        Ok(self.ranks(how, &Jumps::Anywhere))
    }

    /// The rank of every account for a walker that jumps to `seeds` only; a seed given twice
    /// counts once. Cost as of [`pagerank`](Self::pagerank).
    ///
    /// T. Haveliwala: Topic-sensitive `PageRank`, WWW 2002.
    ///
    /// # Errors
    /// If a parameter is out of its range, or there are no seeds.
    pub fn pagerank_from(&self, seeds: &[NodeIx], how: PageRank) -> Result<Ranks, Error> {
        how.check()?;
        if seeds.is_empty() {
            return Err(Error::invalid("ranks cannot start from no account"));
        }
        let mut is_seed = vec![false; self.accounts()];
        for seed in seeds {
            is_seed[seed.index()] = true;
        }
        let count = is_seed.iter().filter(|is| **is).count();
        Ok(self.ranks(how, &Jumps::To { is_seed, share: 1.0 / count as f64 }))
    }

    fn ranks(&self, how: PageRank, jumps: &Jumps) -> Ranks {
        let rounded = f64::from(f32::EPSILON) / 2.0 * how.damping / (1.0 - how.damping);
        if rounded < how.tolerance / 2.0 {
            self.ranks_given::<f32>(how, jumps)
        } else {
            self.ranks_given::<f64>(how, jumps)
        }
    }

    /// Ranks, where what an account gives is kept as `G`.
    fn ranks_given<G: Given>(&self, how: PageRank, jumps: &Jumps) -> Ranks {
        let n = self.accounts();
        let uniform = 1.0 / n as f64;
        let ranges = even(n, EDGES, |node| self.in_neighbors(NodeIx::new(node)).len() + 4);
        let lengths = || ranges.iter().map(ExactSizeIterator::len);
        let mut ranks: Vec<f64> = (0..n).map(|node| jumps.share(node, uniform)).collect();
        // What each account gives to each of those it follows.
        let follows = |node: usize| self.out_neighbors(NodeIx::new(node)).len();
        let mut given: Vec<G> =
            (0..n).map(|node| G::of(ranks[node] / follows(node).max(1) as f64)).collect();
        let mut next = given.clone();
        let mut stranded: f64 =
            (0..n).filter(|node| follows(*node) == 0).map(|node| ranks[node]).sum();
        let (mut rounds, mut residual) = (0, if n == 0 { 0.0 } else { f64::INFINITY });
        while residual >= how.tolerance && rounds < how.rounds_max {
            let jumped = 1.0 - how.damping + how.damping * stranded;
            let parts = ranges
                .iter()
                .zip(pieces(&mut ranks, lengths()))
                .zip(pieces(&mut next, lengths()))
                .collect::<Vec<_>>();
            let sums = parts.into_par_iter().map(|((range, ranks), next)| {
                let (mut changed, mut stranded) = (0.0, 0.0);
                for (node, (rank, next)) in range.clone().zip(ranks.iter_mut().zip(next)) {
                    let walked = total(self.in_neighbors(NodeIx::new(node)), &given);
                    let new = how.damping * walked + jumps.share(node, uniform) * jumped;
                    changed += (new - *rank).abs();
                    let follows = follows(node);
                    (*rank, *next) = (new, G::of(new / follows.max(1) as f64));
                    stranded += if follows == 0 { new } else { 0.0 };
                }
                (changed, stranded)
            });
            // Collected in order, and added up in order.
            let sums: Vec<(f64, f64)> = sums.collect();
            residual = sums.iter().map(|sum| sum.0).sum();
            stranded = sums.iter().map(|sum| sum.1).sum();
            std::mem::swap(&mut given, &mut next);
            rounds += 1;
        }
        Ranks { ranks, rounds, residual }
    }
}

/// What the accounts of a row give, in four sums that do not wait for each other.
fn total<G: Given>(row: &[NodeIx], given: &[G]) -> f64 {
    let fours = row.chunks_exact(4);
    let rest: f64 = fours.remainder().iter().map(|node| given[node.index()].into()).sum();
    let mut sums = [0.0; 4];
    for four in fours {
        for (sum, node) in sums.iter_mut().zip(four) {
            *sum += given[node.index()].into();
        }
    }
    sums[0] + sums[1] + (sums[2] + sums[3]) + rest
}

/// A rank's share as it is kept for its readers.
trait Given: Copy + Into<f64> + Send + Sync {
    fn of(share: f64) -> Self;
}

impl Given for f64 {
    fn of(share: f64) -> Self {
        share
    }
}

impl Given for f32 {
    #[expect(clippy::cast_possible_truncation, reason = "rounding is what it is for")]
    fn of(share: f64) -> Self {
        share as Self
    }
}

/// Where a walker jumps to.
enum Jumps {
    Anywhere,
    To { is_seed: Vec<bool>, share: f64 },
}

impl Jumps {
    fn share(&self, node: usize, uniform: f64) -> f64 {
        match self {
            Self::Anywhere => uniform,
            Self::To { is_seed, share } => {
                if is_seed[node] {
                    *share
                } else {
                    0.0
                }
            }
        }
    }
}

impl PageRank {
    fn check(self) -> Result<(), Error> {
        if !(0.0..1.0).contains(&self.damping) {
            let message = format!("the damping cannot be {}", self.damping);
            return Err(Error::invalid(message).with_hint("it is at least 0 and below 1"));
        }
        if self.tolerance.is_nan() || self.tolerance <= 0.0 {
            let message = format!("the tolerance cannot be {}", self.tolerance);
            return Err(Error::invalid(message).with_hint("it is above 0"));
        }
        Ok(())
    }
}
