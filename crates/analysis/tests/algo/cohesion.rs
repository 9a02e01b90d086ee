//! The graph without directions, its triangles and its cores.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::harness::{
    Edges, bridged, clique, cycle, edges, graph, graph_of, large, large_edges, neighbors, node,
    on_any_threads, path, star,
};

/// The largest k for each account, by taking away whoever has fewer than k neighbors.
fn cores(edges: &Edges) -> BTreeMap<u32, u32> {
    let all = neighbors(edges);
    let mut numbers: BTreeMap<u32, u32> = all.keys().map(|account| (*account, 0)).collect();
    for k in 1.. {
        let mut left = all.clone();
        loop {
            let few: Vec<u32> = left
                .iter()
                .filter(|(_, n)| n.len() < k as usize)
                .map(|(account, _)| *account)
                .collect();
            if few.is_empty() {
                break;
            }
            for account in few {
                left.remove(&account);
                for others in left.values_mut() {
                    others.remove(&account);
                }
            }
        }
        if left.is_empty() {
            break;
        }
        numbers.extend(left.keys().map(|account| (*account, k)));
    }
    numbers
}

proptest! {
    #[test]
    fn neighbors_are_those_of_either_direction(edges in edges()) {
        let graph = graph(&edges);
        let view = graph.undirected();
        let mut pairs = 0;
        for (account, others) in neighbors(&edges) {
            let found: Vec<i64> =
                view.neighbors(node(&graph, account)).map(|n| graph.account(n).get()).collect();
            prop_assert!(found.iter().copied().eq(others.iter().map(|other| i64::from(*other))));
            prop_assert_eq!(view.degree(node(&graph, account)), others.len() as u64);
            pairs += others.len() as u64;
        }
        prop_assert_eq!(view.pairs(), pairs / 2);
        prop_assert_eq!(view.accounts(), graph.accounts());
    }

    #[test]
    fn triangles_and_clustering_are_counted_pair_by_pair(edges in edges()) {
        let graph = graph(&edges);
        let found = graph.undirected().triangles();
        let all = neighbors(&edges);
        let (mut total, mut paths, mut local, mut defined) = (0, 0, 0.0, 0);
        for (account, others) in &all {
            let pairs = || others.iter().flat_map(|a| others.iter().map(move |b| (a, b))).filter(|(a, b)| a < b);
            let closed = pairs().filter(|(a, b)| all[a].contains(b)).count() as u64;
            let place = node(&graph, *account);
            prop_assert_eq!(found.counts()[place.index()], closed);
            let clustering = (pairs().count() > 0).then(|| closed as f64 / pairs().count() as f64);
            prop_assert_eq!(found.clustering(place), clustering);
            total += closed;
            paths += pairs().count();
            local += clustering.unwrap_or(0.0);
            defined += usize::from(clustering.is_some());
        }
        prop_assert_eq!(found.total(), total / 3);
        prop_assert_eq!(found.transitivity(), (paths > 0).then(|| total as f64 / paths as f64));
        let mean = |of: usize| (of > 0).then(|| local / of as f64);
        prop_assert_eq!(found.average_clustering(), mean(all.len()));
        prop_assert_eq!(found.average_clustering_of_defined(), mean(defined));
    }

    #[test]
    fn cores_are_what_taking_away_leaves(edges in edges()) {
        let graph = graph(&edges);
        let found = graph.undirected().cores();
        let expected = cores(&edges);
        for (account, number) in &expected {
            prop_assert_eq!(found.of(node(&graph, *account)), *number);
        }
        let max = expected.values().max().copied();
        let innermost = max.map(|max| (max, expected.values().filter(|n| **n == max).count() as u64));
        prop_assert_eq!(found.innermost(), innermost);
        for (k, size) in found.sizes().into_iter().enumerate() {
            prop_assert_eq!(size, expected.values().filter(|n| **n as usize >= k).count() as u64);
        }
    }
}

#[test]
fn everything_in_a_clique_is_closed() {
    let view = graph(&clique(0, 20)).undirected();
    let triangles = view.triangles();
    assert_eq!(triangles.total(), 20 * 19 * 18 / 6);
    assert!(triangles.counts().iter().all(|count| *count == 19 * 18 / 2));
    assert_eq!((triangles.transitivity(), triangles.average_clustering()), (Some(1.0), Some(1.0)));
    assert_eq!(view.cores().innermost(), Some((19, 20)));
}

#[test]
fn nothing_on_a_star_a_path_or_a_long_cycle_is_closed() {
    for (edges, core) in [(star(50), 1), (path(50), 1), (cycle(50), 2)] {
        let view = graph(&edges).undirected();
        let triangles = view.triangles();
        assert_eq!((triangles.total(), triangles.transitivity()), (0, Some(0.0)));
        assert!(view.cores().numbers().iter().all(|number| *number == core));
    }
}

#[test]
fn the_two_conventions_of_average_clustering_differ() {
    // A triangle 1 2 3, and 4 hanging from 3.
    let triangles = graph_of([(1, 2), (2, 3), (3, 1), (3, 4)]).undirected().triangles();
    assert_eq!(triangles.average_clustering(), Some((1.0 + 1.0 + 1.0 / 3.0) / 4.0));
    assert_eq!(triangles.average_clustering_of_defined(), Some((1.0 + 1.0 + 1.0 / 3.0) / 3.0));
    assert_eq!(triangles.transitivity(), Some(0.6));
}

#[test]
fn a_bridge_closes_nothing_and_deepens_no_core() {
    let view = graph(&bridged(6)).undirected();
    assert_eq!(view.triangles().total(), 2 * 20);
    assert_eq!(view.cores().innermost(), Some((5, 12)));
}

#[test]
fn accounts_with_a_self_follow_only_are_alone() {
    let graph = graph_of([(1, 1), (2, 3)]);
    let view = graph.undirected();
    assert_eq!((view.pairs(), view.cores().of(node(&graph, 1))), (1, 0));
    assert_eq!(view.triangles().clustering(node(&graph, 1)), None);
    let empty = graph_of([]).undirected();
    assert_eq!((empty.triangles().average_clustering(), empty.cores().innermost()), (None, None));
}

#[test]
fn a_large_graph_has_the_triangles_of_its_edges_on_any_number_of_threads() {
    let graph = large(4);
    let view = graph.undirected();
    // Once per edge: who is a neighbor of both ends.
    let all = neighbors(&large_edges(4).into_iter().collect());
    let common = |a: &u32, b: &u32| {
        let (few, many) = if all[a].len() < all[b].len() { (a, b) } else { (b, a) };
        all[few].iter().filter(|other| all[many].contains(other)).count() as u64
    };
    let once = all.iter().flat_map(|(a, others)| others.iter().map(move |b| (a, b)));
    let expected: u64 = once.filter(|(a, b)| a < b).map(|(a, b)| common(a, b)).sum::<u64>() / 3;
    assert!(expected > 10_000);
    for found in on_any_threads(|| (view.triangles(), view.cores(), graph.undirected().pairs())) {
        assert_eq!(found.0.total(), expected);
        assert_eq!(found, (view.triangles(), view.cores(), view.pairs()));
    }
}
