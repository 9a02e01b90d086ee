//! Graphs to ask, and oracles that share no code with what they check.

use std::collections::{BTreeMap, BTreeSet};

use analysis::FollowGraph;
use analysis::graph::NodeIx;
use petgraph::graph::{DiGraph, NodeIndex};
use proptest::collection::btree_set;
use proptest::prelude::*;
use snapshot::AccountId;

pub(crate) type Edges = BTreeSet<(u32, u32)>;

/// Sparse and dense graphs of few accounts, self-follows included; ids are far apart.
pub(crate) fn edges() -> impl Strategy<Value = Edges> {
    (1..25_u32).prop_flat_map(|n| btree_set((0..n, 0..n), 0..80))
}

pub(crate) fn graph(edges: &Edges) -> FollowGraph {
    graph_of(edges.iter().copied())
}

pub(crate) fn graph_of(edges: impl IntoIterator<Item = (u32, u32)>) -> FollowGraph {
    let edges = edges.into_iter().map(|(from, to)| (AccountId::from(from), AccountId::from(to)));
    FollowGraph::from_edges(edges).unwrap()
}

pub(crate) fn node(graph: &FollowGraph, account: u32) -> NodeIx {
    graph.node(account.into()).unwrap()
}

/// The accounts of a graph, ascending.
pub(crate) fn accounts(edges: &Edges) -> Vec<u32> {
    let accounts: BTreeSet<u32> = edges.iter().flat_map(|(from, to)| [*from, *to]).collect();
    accounts.into_iter().collect()
}

/// Each account's neighbors in either direction, itself left out.
pub(crate) fn neighbors(edges: &Edges) -> BTreeMap<u32, BTreeSet<u32>> {
    let mut neighbors: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (from, to) in edges {
        neighbors.entry(*from).or_default().insert(*to);
        neighbors.entry(*to).or_default().insert(*from);
    }
    for (account, others) in &mut neighbors {
        others.remove(account);
    }
    neighbors
}

pub(crate) fn petgraph(edges: &Edges) -> (DiGraph<u32, ()>, BTreeMap<u32, NodeIndex>) {
    let (mut graph, mut nodes) = (DiGraph::new(), BTreeMap::new());
    for account in accounts(edges) {
        nodes.insert(account, graph.add_node(account));
    }
    for (from, to) in edges {
        graph.add_edge(nodes[from], nodes[to], ());
    }
    (graph, nodes)
}

/// A path 0 → 1 → … of so many accounts.
pub(crate) fn path(accounts: u32) -> Edges {
    (1..accounts).map(|i| (i - 1, i)).collect()
}

pub(crate) fn cycle(accounts: u32) -> Edges {
    (0..accounts).map(|i| (i, (i + 1) % accounts)).collect()
}

/// Everybody from `first` on follows everybody before.
pub(crate) fn clique(first: u32, accounts: u32) -> Edges {
    (first..first + accounts).flat_map(|a| (first..a).map(move |b| (a, b))).collect()
}

/// Everybody follows account 0.
pub(crate) fn star(followers: u32) -> Edges {
    (1..=followers).map(|i| (i, 0)).collect()
}

/// Two cliques, and one follow from the one to the other.
pub(crate) fn bridged(accounts: u32) -> Edges {
    let mut edges = clique(0, accounts);
    edges.extend(clique(accounts, accounts));
    edges.insert((0, accounts));
    edges
}

/// A graph that is too large for one task, with hubs, from a seed.
pub(crate) fn large(seed: u64) -> FollowGraph {
    graph_of(large_edges(seed))
}

pub(crate) fn large_edges(seed: u64) -> Vec<(u32, u32)> {
    let mut state = seed;
    let mut draw = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 40
    };
    // Products of draws make hubs of the first accounts.
    let mut end = move |draws: i32| {
        let product = (0..draws).fold(30_000, |product, _| (product * draw()) >> 24);
        u32::try_from(product).unwrap()
    };
    (0..300_000).map(|_| (end(2), end(3))).collect()
}

/// What `ask` answers on pools of one, two and five threads.
pub(crate) fn on_any_threads<T: Send>(ask: impl Fn() -> T + Sync) -> Vec<T> {
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    [1, 2, 5].map(|threads| pool(threads).install(&ask)).into()
}
