//! Components, weak and strong, against petgraph's.

use std::collections::BTreeMap;

use analysis::FollowGraph;
use analysis::graph::{DegreeOf, Grouping};
use petgraph::algo::kosaraju_scc;
use petgraph::unionfind::UnionFind;
use proptest::prelude::*;

use crate::harness::{
    Edges, accounts, cycle, edges, graph, graph_of, large, node, on_any_threads, path, petgraph,
};

/// The smallest account of the group of each.
fn smallest(graph: &FollowGraph, groups: &Grouping) -> Vec<i64> {
    groups.labels().iter().map(|label| graph.account(*label).get()).collect()
}

fn strong_by_petgraph(edges: &Edges) -> Vec<i64> {
    let (theirs, nodes) = petgraph(edges);
    let mut smallest = BTreeMap::new();
    for component in kosaraju_scc(&theirs) {
        let least = component.iter().map(|node| theirs[*node]).min().unwrap();
        smallest.extend(component.iter().map(|node| (theirs[*node], i64::from(least))));
    }
    nodes.keys().map(|account| smallest[account]).collect()
}

fn weak_by_union(edges: &Edges) -> Vec<i64> {
    let accounts = accounts(edges);
    let mut sets = UnionFind::<u32>::new(accounts.last().map_or(0, |last| *last as usize + 1));
    for (from, to) in edges {
        sets.union(*from, *to);
    }
    let least = |account: &u32| *accounts.iter().find(|a| sets.equiv(**a, *account)).unwrap();
    accounts.iter().map(|account| i64::from(least(account))).collect()
}

proptest! {
    #[test]
    fn components_are_petgraphs_and_known_by_their_smallest(edges in edges()) {
        let graph = graph(&edges);
        prop_assert_eq!(smallest(&graph, &graph.weak_components()), weak_by_union(&edges));
        prop_assert_eq!(smallest(&graph, &graph.strong_components()), strong_by_petgraph(&edges));
    }

    #[test]
    fn sizes_add_up_and_places_are_by_size(edges in edges()) {
        let graph = graph(&edges);
        let groups = graph.strong_components();
        let sizes = groups.sizes();
        prop_assert_eq!(sizes.len() as u64, groups.count());
        prop_assert_eq!(sizes.iter().map(|(_, size)| size).sum::<u64>(), graph.accounts() as u64);
        prop_assert!(sizes.windows(2).all(|w| w[0].1 > w[1].1 || (w[0].1 == w[1].1 && w[0].0 < w[1].0)));
        for (label, place) in groups.labels().iter().zip(groups.by_size()) {
            prop_assert_eq!(sizes[place as usize].0, *label);
        }
    }

    #[test]
    fn degrees_are_those_of_the_edges(edges in edges()) {
        let graph = graph(&edges);
        let accounts = accounts(&edges);
        let naive = |of: fn(&(u32, u32)) -> u32| {
            let mut degrees: Vec<u64> = accounts
                .iter()
                .map(|a| edges.iter().filter(|edge| of(edge) == *a).count() as u64)
                .collect();
            degrees.sort_unstable();
            degrees
        };
        for (of, sorted) in [(DegreeOf::Follows, naive(|e| e.0)), (DegreeOf::Followers, naive(|e| e.1))] {
            let degrees = graph.degrees(of);
            let spread: Vec<u64> = degrees
                .counts()
                .iter()
                .flat_map(|(degree, accounts)| (0..*accounts).map(move |_| *degree))
                .collect();
            prop_assert_eq!(&spread, &sorted);
            prop_assert_eq!(degrees.max(), sorted.last().copied());
            prop_assert_eq!(degrees.without(), sorted.iter().filter(|d| **d == 0).count() as u64);
            prop_assert_eq!(degrees.percentile(50), sorted.get(sorted.len().saturating_sub(1) / 2).copied());
            prop_assert_eq!(degrees.percentile(100), sorted.last().copied());
            prop_assert_eq!(degrees.percentile(0), sorted.first().copied());
        }
    }
}

#[test]
fn a_path_is_one_weak_component_and_a_strong_one_per_account() {
    let graph = graph(&path(3000));
    assert_eq!(graph.weak_components().sizes(), [(node(&graph, 0), 3000)]);
    assert_eq!(graph.strong_components().count(), 3000);
}

#[test]
fn a_cycle_is_one_component_either_way() {
    let graph = graph(&cycle(3000));
    assert_eq!(graph.weak_components().sizes(), [(node(&graph, 0), 3000)]);
    assert_eq!(graph.strong_components().sizes(), [(node(&graph, 0), 3000)]);
}

#[test]
fn one_follow_between_two_cycles_joins_them_only_weakly() {
    let second = cycle(10).into_iter().map(|(from, to)| (from + 10, to + 10));
    let graph = graph_of(cycle(10).into_iter().chain(second).chain([(3, 14)]));
    assert_eq!(graph.weak_components().count(), 1);
    let sizes = graph.strong_components().sizes();
    assert_eq!(sizes, [(node(&graph, 0), 10), (node(&graph, 10), 10)]);
}

#[test]
fn a_self_follow_alone_is_a_component_of_one() {
    let graph = graph_of([(5, 5), (7, 8)]);
    assert_eq!(smallest(&graph, &graph.weak_components()), [5, 7, 7]);
    assert_eq!(smallest(&graph, &graph.strong_components()), [5, 7, 8]);
    let empty = graph_of([]);
    assert_eq!((empty.weak_components().count(), empty.strong_components().count()), (0, 0));
}

#[test]
fn a_large_graph_has_the_components_that_petgraph_finds_on_any_number_of_threads() {
    let graph = large(3);
    let strong = kosaraju_scc(&graph);
    let largest = strong.iter().map(Vec::len).max().unwrap();
    let weak = petgraph::algo::connected_components(&graph);
    for found in on_any_threads(|| (graph.strong_components(), graph.weak_components())) {
        assert_eq!(found.0.count(), strong.len() as u64);
        assert_eq!(found.0.sizes()[0].1, largest as u64);
        assert_eq!(found.1.count(), weak as u64);
        assert_eq!(found, (graph.strong_components(), graph.weak_components()));
    }
}
