//! Communities: connected, no worse than what is known, and decided by the seed.

use std::collections::{BTreeMap, BTreeSet};

use analysis::FollowGraph;
use analysis::graph::{Grouping, Leiden};
use petgraph::unionfind::UnionFind;
use petgraph::visit::IntoNodeIdentifiers;
use proptest::prelude::*;

use crate::harness::{Edges, bridged, clique, edges, graph, graph_of, large, node, on_any_threads};

/// By the definition: of each pair of accounts that are together, what is more than expected.
fn modularity(edges: &Edges, together: impl Fn(u32, u32) -> bool, resolution: f64) -> Option<f64> {
    let mut strengths: BTreeMap<u32, f64> = BTreeMap::new();
    let follows: Vec<_> = edges.iter().filter(|(a, b)| a != b).collect();
    for (a, b) in &follows {
        *strengths.entry(*a).or_default() += 1.0;
        *strengths.entry(*b).or_default() += 1.0;
    }
    let all = 2.0 * follows.len() as f64;
    let mut sum = 0.0;
    for (a, of_a) in &strengths {
        for (b, of_b) in &strengths {
            if together(*a, *b) {
                let between = follows
                    .iter()
                    .filter(|edge| ***edge == (*a, *b) || ***edge == (*b, *a))
                    .count();
                sum += between as f64 - resolution * of_a * of_b / all;
            }
        }
    }
    (!follows.is_empty()).then(|| sum / all)
}

/// Whether all accounts of a group hang together by follows within it.
fn are_connected(graph: &FollowGraph, groups: &Grouping) -> bool {
    let mut sets = UnionFind::<usize>::new(graph.accounts());
    let mut whole = UnionFind::<usize>::new(graph.accounts());
    for from in graph.node_identifiers() {
        whole.union(from.index(), groups.of(from).index());
        for to in graph.out_neighbors(from).iter().filter(|to| groups.of(**to) == groups.of(from)) {
            sets.union(from.index(), to.index());
        }
    }
    let count =
        |sets: UnionFind<usize>| sets.into_labeling().into_iter().collect::<BTreeSet<_>>().len();
    count(sets) == count(whole)
}

proptest! {
    #[test]
    fn communities_are_connected_and_modularity_is_as_defined(
        edges in edges(), seed in any::<u64>(), resolution in 0.2..3.0_f64,
    ) {
        let graph = graph(&edges);
        let found = graph.communities(Leiden { resolution, seed, ..Leiden::default() }).unwrap();
        prop_assert!(are_connected(&graph, &found.groups));
        let group = |account| found.groups.of(node(&graph, account));
        let expected = modularity(&edges, |a, b| group(a) == group(b), resolution);
        prop_assert_eq!(found.modularity.is_some(), expected.is_some());
        if let (Some(ours), Some(expected)) = (found.modularity, expected) {
            prop_assert!((ours - expected).abs() < 1e-12);
            // No worse than everybody alone, or everybody together.
            let alone = modularity(&edges, |a, b| a == b, resolution).unwrap();
            prop_assert!(ours >= alone - 1e-12);
        }
    }

    #[test]
    fn no_account_would_gain_by_moving_alone(edges in edges(), seed in any::<u64>()) {
        let graph = graph(&edges);
        let how = Leiden { seed, rounds_max: 100, ..Leiden::default() };
        let found = graph.communities(how).unwrap();
        let Some(before) = found.modularity else { return Ok(()) };
        let accounts: Vec<u32> = crate::harness::accounts(&edges);
        for mover in &accounts {
            for target in &accounts {
                let group = |account: u32| {
                    found.groups.of(node(&graph, if account == *mover { *target } else { account }))
                };
                let after = modularity(&edges, |a, b| group(a) == group(b), 1.0).unwrap();
                prop_assert!(after <= before + 1e-7, "{mover} gains by joining {target}");
            }
        }
    }
}

#[test]
fn two_cliques_with_a_bridge_are_two_communities() {
    let graph = graph(&bridged(8));
    let found = graph.communities(Leiden::default()).unwrap();
    assert_eq!(found.groups.sizes(), [(node(&graph, 0), 8), (node(&graph, 8), 8)]);
    // 57 pairs of weight 1; each side has 28 and the end of the bridge.
    let expected = 56.0 / 57.0 - 2.0 * 0.25;
    assert!((found.modularity.unwrap() - expected).abs() < 1e-12);
}

#[test]
fn more_resolution_makes_smaller_communities() {
    // A ring of 30 cliques of five: at 1, cliques are merged in twos or threes.
    let mut edges = Edges::new();
    for i in 0..30 {
        edges.extend(clique(5 * i, 5));
        edges.insert((5 * i, (5 * i + 5) % 150));
    }
    let graph = graph(&edges);
    let count = |resolution| {
        let how = Leiden { resolution, ..Leiden::default() };
        graph.communities(how).unwrap().groups.count()
    };
    assert!(count(1.0) < 30);
    assert_eq!((count(4.0), count(1e-6)), (30, 1));
}

#[test]
fn a_mutual_pair_weighs_two() {
    // On a path of four, returned follows at the ends pull harder than those in the middle.
    let graph = graph_of([(1, 2), (2, 1), (2, 3), (3, 4), (4, 3)]);
    let found = graph.communities(Leiden::default()).unwrap();
    assert_eq!(found.groups.count(), 2);
    assert!((found.modularity.unwrap() - (4.0 / 5.0 - 0.5)).abs() < 1e-12);
}

#[test]
fn accounts_without_neighbors_are_alone() {
    let graph = graph_of([(1, 1), (2, 2)]);
    let found = graph.communities(Leiden::default()).unwrap();
    assert_eq!((found.groups.count(), found.modularity), (2, None));
    assert_eq!(graph_of([]).communities(Leiden::default()).unwrap().groups.count(), 0);
}

#[test]
fn a_seed_decides_on_any_number_of_threads() {
    let graph = large(5);
    let found = on_any_threads(|| graph.communities(Leiden::default()).unwrap());
    assert!(found.iter().all(|other| *other == found[0]));
    assert!(are_connected(&graph, &found[0].groups));
    let other = graph.communities(Leiden { seed: 2, ..Leiden::default() }).unwrap();
    let (a, b) = (found[0].modularity.unwrap(), other.modularity.unwrap());
    assert!((a - b).abs() < 0.02 * a, "{a} and {b}");
}

#[test]
fn a_resolution_that_makes_no_sense_is_refused() {
    let graph = graph_of([(1, 2)]);
    for resolution in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let how = Leiden { resolution, ..Leiden::default() };
        let refused = graph.communities(how).unwrap_err().to_string();
        assert_eq!(refused, format!("the resolution cannot be {resolution}"));
    }
}
