//! How many accounts have how many followers, or follows.

use super::super::{FollowGraph, NodeIx};
use crate::ratio::ratio;

/// Which edges of an account are counted; a self-loop is one of either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DegreeOf {
    /// Those to whom it follows.
    Follows,
    /// Those from its followers.
    Followers,
}

/// A distribution of degrees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Degrees {
    counts: Vec<(u64, u64)>,
    accounts: u64,
}

impl FollowGraph {
    /// How many accounts have each degree. O(accounts log accounts).
    pub fn degrees(&self, of: DegreeOf) -> Degrees {
        let degree = |node| match of {
            DegreeOf::Follows => self.out_neighbors(NodeIx::new(node)).len() as u64,
            DegreeOf::Followers => self.in_neighbors(NodeIx::new(node)).len() as u64,
        };
        let mut degrees: Vec<u64> = (0..self.accounts()).map(degree).collect();
        degrees.sort_unstable();
        let counts = degrees.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u64));
        Degrees { counts: counts.collect(), accounts: degrees.len() as u64 }
    }
}

impl Degrees {
    /// Each degree that some account has, ascending, and how many accounts have it.
    pub fn counts(&self) -> &[(u64, u64)] {
        &self.counts
    }

    /// How many accounts have no such edge.
    pub fn without(&self) -> u64 {
        self.counts.first().filter(|(degree, _)| *degree == 0).map_or(0, |(_, accounts)| *accounts)
    }

    /// The largest degree; `None` without accounts.
    pub fn max(&self) -> Option<u64> {
        self.counts.last().map(|(degree, _)| *degree)
    }

    /// The mean degree; `None` without accounts.
    pub fn mean(&self) -> Option<f64> {
        ratio(self.counts.iter().map(|(degree, accounts)| degree * accounts).sum(), self.accounts)
    }

    /// The smallest degree that at least `percent` percent of the accounts do not exceed: 50
    /// for the median, the lower of two. `None` without accounts.
    pub fn percentile(&self, percent: u8) -> Option<u64> {
        let wanted = (self.accounts * u64::from(percent.min(100))).div_ceil(100);
        let mut below = 0;
        let reaches = |(_, accounts): &&(u64, u64)| {
            below += accounts;
            below >= wanted
        };
        self.counts.iter().find(reaches).map(|(degree, _)| *degree)
    }
}
