//! Answers about whole graphs as frames. Columns are documented in
//! `crates/analysis/SCHEMA.md`.

use snapshot::Values;

use super::answers::{counts, ids, optional, required, texts};
use super::{Frame, Kind};
use crate::FollowGraph;
use crate::graph::{DegreeOf, Grouping, Metrics, NodeIx, Suggestion, Suggestions};

impl Frame {
    /// One row per account of a graph, by id; what was not wanted is null. The context has the
    /// figures of the whole graph.
    pub fn graph_accounts(graph: &FollowGraph, metrics: &Metrics) -> Self {
        let nodes = || graph.nodes();
        let groups = |groups: Option<&Grouping>| match groups {
            Some(groups) => counts(groups.by_size().into_iter().map(u64::from)),
            None => Values::I64(vec![None; graph.accounts()]),
        };
        let (weak, strong) =
            metrics.components.as_ref().map(|(weak, strong)| (weak, strong)).unzip();
        let ranks = metrics.pagerank.as_ref();
        let (cores, triangles) = (metrics.cores.as_ref(), metrics.triangles.as_ref());
        let communities = metrics.communities.as_ref().map(|found| &found.groups);
        let optional_counts = |of: &dyn Fn(NodeIx) -> Option<u64>| {
            Values::I64(nodes().map(|node| of(node).map(super::answers::signed)).collect())
        };
        let shares = |of: &dyn Fn(NodeIx) -> Option<f64>| Values::F64(nodes().map(of).collect());
        let frame = Self::new(
            "graph_accounts",
            vec![
                (required("account_id", Kind::Id), ids(nodes().map(|node| graph.account(node)))),
                (
                    required("out_degree", Kind::Count),
                    counts(nodes().map(|node| graph.out_neighbors(node).len() as u64)),
                ),
                (
                    required("in_degree", Kind::Count),
                    counts(nodes().map(|node| graph.in_neighbors(node).len() as u64)),
                ),
                (
                    required("mutual", Kind::Count),
                    counts(metrics.mutual.iter().copied().map(u64::from)),
                ),
                (
                    optional("pagerank", Kind::Ratio),
                    shares(&|node| ranks.map(|found| found.ranks[node.index()])),
                ),
                (
                    optional("core", Kind::Count),
                    optional_counts(&|node| cores.map(|found| found.of(node).into())),
                ),
                (
                    optional("triangles", Kind::Count),
                    optional_counts(&|node| triangles.map(|found| found.counts()[node.index()])),
                ),
                (
                    optional("clustering", Kind::Ratio),
                    shares(&|node| triangles.and_then(|found| found.clustering(node))),
                ),
                (optional("community", Kind::Count), groups(communities)),
                (optional("weak_component", Kind::Count), groups(weak)),
                (optional("strong_component", Kind::Count), groups(strong)),
            ],
        );
        facts(metrics).into_iter().fold(frame, |frame, (key, fact)| frame.with_context(key, fact))
    }

    /// One row per degree that some account has, ascending, first of follows, then of
    /// followers.
    pub fn graph_degrees(graph: &FollowGraph) -> Self {
        let of = |of, name| {
            let degrees = graph.degrees(of);
            let rows = degrees.counts().iter().map(move |(degree, n)| (name, *degree, *n));
            rows.collect::<Vec<_>>()
        };
        let rows = [of(DegreeOf::Follows, "following"), of(DegreeOf::Followers, "followers")];
        let rows = rows.concat();
        Self::new(
            "graph_degrees",
            vec![
                (required("list", Kind::Text), texts(rows.iter().map(|row| row.0))),
                (required("degree", Kind::Count), counts(rows.iter().map(|row| row.1))),
                (required("accounts", Kind::Count), counts(rows.iter().map(|row| row.2))),
            ],
        )
    }

    /// One row per account that an audience follows too, in their order.
    pub fn suggestions(answers: &[Suggestions]) -> Self {
        let rows = || answers.iter().flat_map(|of| of.suggestions.iter().map(move |row| (of, row)));
        let count = |of: fn(&Suggestion) -> u64| counts(rows().map(|(_, row)| of(row)));
        let share = |of: fn(&Suggestion) -> Option<f64>| {
            Values::F64(rows().map(|(_, row)| of(row)).collect())
        };
        let in_audience = Values::Bool(rows().map(|(_, row)| Some(row.in_audience)).collect());
        Self::new(
            "suggestions",
            vec![
                (required("account_id", Kind::Id), ids(rows().map(|(of, _)| of.account))),
                (required("audience", Kind::Count), counts(rows().map(|(of, _)| of.audience))),
                (required("suggested_id", Kind::Id), ids(rows().map(|(_, row)| row.account))),
                (required("shared", Kind::Count), count(|row| row.shared)),
                (required("share", Kind::Ratio), share(|row| Some(row.share))),
                (required("followers", Kind::Count), count(|row| row.followers)),
                (optional("lift", Kind::Ratio), share(|row| row.lift)),
                (required("score", Kind::Ratio), share(|row| Some(row.score))),
                (required("in_audience", Kind::Flag), in_audience),
            ],
        )
    }
}

/// The figures of the whole graph.
fn facts(metrics: &Metrics) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(found) = &metrics.pagerank {
        facts.push(("pagerank_rounds", found.rounds.to_string()));
        facts.push(("pagerank_residual", format!("{:e}", found.residual)));
    }
    if let Some(found) = &metrics.triangles {
        facts.push(("triangles", found.total().to_string()));
        let shares = [
            ("transitivity", found.transitivity()),
            ("average_clustering", found.average_clustering()),
            ("average_clustering_of_defined", found.average_clustering_of_defined()),
        ];
        facts.extend(shares.into_iter().filter_map(|(key, share)| Some((key, share?.to_string()))));
    }
    if let Some(found) = &metrics.communities {
        facts.extend(found.modularity.map(|modularity| ("modularity", modularity.to_string())));
    }
    facts
}
