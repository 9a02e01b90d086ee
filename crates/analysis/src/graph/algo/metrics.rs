//! What is known of every account of a graph, side by side.

use rayon::prelude::*;

use super::super::{FollowGraph, NodeIx};
use super::{Communities, Cores, Grouping, Leiden, PageRank, Ranks, Triangles};
use crate::Error;

/// Which metrics are wanted besides degrees, which are always told. By default none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Ranks, and how.
    pub pagerank: Option<PageRank>,
    /// Core numbers.
    pub cores: bool,
    /// Triangles and clustering.
    pub triangles: bool,
    /// Communities, and how.
    pub communities: Option<Leiden>,
    /// Components, weak and strong.
    pub components: bool,
}

/// What was wanted of a graph, by the numbers of its accounts.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// How many neighbors of each account follow it and are followed by it, itself left out.
    pub mutual: Vec<u32>,
    /// Ranks, if wanted.
    pub pagerank: Option<Ranks>,
    /// Core numbers, if wanted.
    pub cores: Option<Cores>,
    /// Triangles and clustering, if wanted.
    pub triangles: Option<Triangles>,
    /// Communities, if wanted.
    pub communities: Option<Communities>,
    /// Components, weak and strong, if wanted.
    pub components: Option<(Grouping, Grouping)>,
}

impl FollowGraph {
    /// What is wanted of every account; the graph without directions is made once. Costs are
    /// those of the metrics.
    ///
    /// # Errors
    /// If a parameter is out of its range.
    pub fn metrics(&self, wanted: Wanted) -> Result<Metrics, Error> {
        let view = (wanted.cores || wanted.triangles).then(|| self.undirected());
        let view = view.as_ref();
        Ok(Metrics {
            mutual: (0..self.accounts()).into_par_iter().map(|node| self.mutual(node)).collect(),
            pagerank: wanted.pagerank.map(|how| self.pagerank(how)).transpose()?,
            cores: view.filter(|_| wanted.cores).map(super::Undirected::cores),
            triangles: view.filter(|_| wanted.triangles).map(super::Undirected::triangles),
            communities: wanted.communities.map(|how| self.communities(how)).transpose()?,
            components: wanted
                .components
                .then(|| (self.weak_components(), self.strong_components())),
        })
    }

    fn mutual(&self, node: usize) -> u32 {
        let node = NodeIx::new(node);
        let (mut following, mut followers) = (self.out_neighbors(node), self.in_neighbors(node));
        let mut count = 0;
        while let (Some(a), Some(b)) = (following.first(), followers.first()) {
            count += u32::from(a == b && *a != node);
            (following, followers) =
                (&following[usize::from(a <= b)..], &followers[usize::from(b <= a)..]);
        }
        count
    }
}
