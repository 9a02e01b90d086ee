//! petgraph's own algorithms on the follow graph, against the same on a petgraph `Graph` that
//! was built without it.

use std::collections::{BTreeMap, BTreeSet};

use analysis::graph::{Extreme, NodeIx};
use analysis::{FollowGraph, Reciprocity};
use petgraph::Direction;
use petgraph::algo::{
    connected_components, dijkstra, has_path_connecting, is_cyclic_directed, kosaraju_scc,
    page_rank, tarjan_scc, toposort,
};
use petgraph::data::DataMap;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{
    Bfs, Dfs, EdgeIndexable, EdgeRef, GetAdjacencyMatrix, IntoEdgeReferences, IntoEdgesDirected,
    IntoNodeReferences, NodeIndexable, Reversed, VisitMap, Visitable, Walker,
};
use proptest::collection::btree_set;
use proptest::prelude::*;
use snapshot::AccountId;

/// Both graphs of the same edges, the plain one with its nodes by account.
struct Both {
    ours: FollowGraph,
    theirs: DiGraph<i64, ()>,
    nodes: BTreeMap<i64, NodeIndex>,
}

impl Both {
    fn new(edges: &BTreeSet<(i64, i64)>) -> Self {
        let id = |raw: i64| AccountId::new(raw).unwrap();
        // Repeated and unsorted on purpose.
        let repeated = edges.iter().rev().chain(edges).map(|(from, to)| (id(*from), id(*to)));
        let ours = FollowGraph::from_edges(repeated).unwrap();
        let (mut theirs, mut nodes) = (DiGraph::new(), BTreeMap::new());
        for raw in edges.iter().flat_map(|(from, to)| [*from, *to]) {
            nodes.entry(raw).or_insert_with(|| theirs.add_node(raw));
        }
        for (from, to) in edges {
            theirs.add_edge(nodes[from], nodes[to], ());
        }
        Self { ours, theirs, nodes }
    }

    fn account(&self, node: NodeIx) -> i64 {
        self.ours.account(node).get()
    }

    /// Components as sets of accounts, whatever their order.
    fn ours_as_sets(&self, components: Vec<Vec<NodeIx>>) -> BTreeSet<BTreeSet<i64>> {
        let set = |c: Vec<NodeIx>| c.into_iter().map(|node| self.account(node)).collect();
        components.into_iter().map(set).collect()
    }

    fn theirs_as_sets(&self, components: Vec<Vec<NodeIndex>>) -> BTreeSet<BTreeSet<i64>> {
        let set = |c: Vec<NodeIndex>| c.into_iter().map(|node| self.theirs[node]).collect();
        components.into_iter().map(set).collect()
    }
}

/// Sparse and dense graphs of few accounts, self-follows included.
fn edges() -> impl Strategy<Value = BTreeSet<(i64, i64)>> {
    (2..25_i64).prop_flat_map(|n| btree_set((0..n, 0..n), 0..60))
}

fn graph(text: &str) -> FollowGraph {
    let id = |text: &str| text.parse::<AccountId>().unwrap();
    let edge = |word: &str| word.split_once("->").map(|(from, to)| (id(from), id(to))).unwrap();
    FollowGraph::from_edges(text.split_whitespace().map(edge)).unwrap()
}

proptest! {
    #[test]
    fn components_are_petgraphs(edges in edges()) {
        let both = Both::new(&edges);
        let expected = both.theirs_as_sets(kosaraju_scc(&both.theirs));
        prop_assert_eq!(both.ours_as_sets(kosaraju_scc(&both.ours)), expected.clone());
        prop_assert_eq!(both.ours_as_sets(tarjan_scc(&both.ours)), expected.clone());
        let weak = connected_components(&both.theirs);
        prop_assert_eq!(connected_components(&both.ours), weak);
        let summary = both.ours.summary();
        prop_assert_eq!(summary.weak_components, weak as u64);
        prop_assert_eq!(summary.strong_components, expected.len() as u64);
        let largest = expected.iter().map(BTreeSet::len).max().unwrap_or(0);
        prop_assert_eq!(summary.largest_strong, largest as u64);
    }

    #[test]
    fn distances_and_paths_are_petgraphs(edges in edges()) {
        let both = Both::new(&edges);
        for (account, node) in &both.nodes {
            let start = both.ours.node(AccountId::new(*account).unwrap()).unwrap();
            let ours = dijkstra(&both.ours, start, None, |_| 1_u32);
            let ours: BTreeMap<_, _> = ours.into_iter().map(|(n, d)| (both.account(n), d)).collect();
            let theirs = dijkstra(&both.theirs, *node, None, |_| 1_u32);
            let theirs: BTreeMap<_, _> =
                theirs.into_iter().map(|(n, d)| (both.theirs[n], d)).collect();
            prop_assert_eq!(&ours, &theirs);
            for other in both.ours.nodes() {
                let path = has_path_connecting(&both.ours, start, other, None);
                prop_assert_eq!(path, theirs.contains_key(&both.account(other)));
            }
        }
    }

    #[test]
    fn walks_visit_what_petgraphs_visit(edges in edges()) {
        let both = Both::new(&edges);
        for (account, node) in &both.nodes {
            let start = both.ours.node(AccountId::new(*account).unwrap()).unwrap();
            let depth: BTreeSet<_> =
                Dfs::new(&both.ours, start).iter(&both.ours).map(|n| both.account(n)).collect();
            let breadth: BTreeSet<_> =
                Bfs::new(&both.ours, start).iter(&both.ours).map(|n| both.account(n)).collect();
            let expected: BTreeSet<_> =
                Bfs::new(&both.theirs, *node).iter(&both.theirs).map(|n| both.theirs[n]).collect();
            prop_assert_eq!(&depth, &expected);
            prop_assert_eq!(&breadth, &expected);
            let back = Reversed(&both.ours);
            let back: BTreeSet<_> = Dfs::new(back, start).iter(back).map(|n| both.account(n)).collect();
            let expected = Reversed(&both.theirs);
            let expected: BTreeSet<_> =
                Dfs::new(expected, *node).iter(expected).map(|n| both.theirs[n]).collect();
            prop_assert_eq!(back, expected);
        }
    }

    #[test]
    fn order_and_cycles_are_petgraphs(edges in edges()) {
        let both = Both::new(&edges);
        prop_assert_eq!(is_cyclic_directed(&both.ours), is_cyclic_directed(&both.theirs));
        prop_assert_eq!(toposort(&both.ours, None).is_ok(), toposort(&both.theirs, None).is_ok());
        if let Ok(order) = toposort(&both.ours, None) {
            let place: BTreeMap<_, _> = order.iter().enumerate().map(|(i, n)| (*n, i)).collect();
            prop_assert!(both.ours.edge_references().all(|e| place[&e.source()] < place[&e.target()]));
        }
    }

    #[test]
    fn ranks_are_petgraphs(edges in edges()) {
        let both = Both::new(&edges);
        let ours = page_rank(&both.ours, 0.85_f64, 20);
        let theirs = page_rank(&both.theirs, 0.85_f64, 20);
        for node in both.ours.nodes() {
            let same = both.nodes[&both.account(node)];
            prop_assert!((ours[node.index()] - theirs[same.index()]).abs() < 1e-12);
        }
    }

    #[test]
    fn edges_are_where_their_indices_say(edges in edges()) {
        let Both { ours, .. } = Both::new(&edges);
        let raw = |node: NodeIx| ours.account(node).get();
        let listed: Vec<_> =
            ours.edge_references().map(|e| (raw(e.source()), raw(e.target()))).collect();
        prop_assert!(listed.iter().eq(edges.iter()));
        for (index, edge) in ours.edge_references().enumerate() {
            prop_assert_eq!(EdgeIndexable::to_index(&ours, edge.id()), index);
            prop_assert_eq!(EdgeIndexable::from_index(&ours, index), edge.id());
            prop_assert_eq!(ours.edge_weight(edge.id()), Some(&()));
        }
        for (node, account) in ours.node_references() {
            let index = NodeIndexable::to_index(&ours, node);
            prop_assert_eq!(NodeIndexable::from_index(&ours, index), node);
            prop_assert_eq!(ours.node_weight(node), Some(account));
            let incoming = (&ours).edges_directed(node, Direction::Incoming);
            let incoming: Vec<_> = incoming.map(|e| (raw(e.source()), raw(e.target()))).collect();
            let expected = edges.iter().filter(|(_, to)| *to == account.get());
            prop_assert!(incoming.iter().eq(expected));
            for other in ours.nodes() {
                let adjacent = ours.is_adjacent(&(), node, other);
                prop_assert_eq!(adjacent, edges.contains(&(raw(node), raw(other))));
            }
        }
    }

    #[test]
    fn reciprocity_is_counted_edge_by_edge(edges in edges()) {
        let Both { ours, .. } = Both::new(&edges);
        let loops = edges.iter().filter(|(a, b)| a == b).count() as u64;
        let returned = edges.iter().filter(|(a, b)| a != b && edges.contains(&(*b, *a))).count();
        let expected = Reciprocity {
            edges: edges.len() as u64,
            self_loops: loops,
            reciprocal: returned as u64,
            unknown: 0,
        };
        prop_assert_eq!(ours.reciprocity(), expected);
    }
}

#[test]
fn a_summary_by_hand() {
    let summary = graph("1->2 2->1 2->3 3->3 4->5 9->2").summary();
    assert_eq!((summary.nodes, summary.edges, summary.self_loops), (6, 6, 1));
    assert_eq!((summary.mutual_pairs, summary.reciprocity), (1, Some(0.4)));
    assert_eq!((summary.unknown, summary.reciprocity_of_known), (0, Some(0.4)));
    assert_eq!(summary.max_out, Some(Extreme { account: 2.into(), degree: 2 }));
    assert_eq!(summary.max_in, Some(Extreme { account: 2.into(), degree: 2 }));
    assert_eq!((summary.strong_components, summary.largest_strong), (5, 2));
    assert_eq!((summary.weak_components, summary.largest_weak), (2, 4));
}

#[test]
fn the_three_conventions_of_reciprocity_differ() {
    let found = graph("1->2 2->1 1->3 3->3").reciprocity();
    assert_eq!(found.ratio(), Some(2.0 / 3.0));
    assert_eq!(found.ratio_self_loops_in_denominator(), Some(0.5));
    assert_eq!(found.ratio_self_loops_reciprocal(), Some(0.75));
    assert_eq!(graph("3->3").reciprocity().ratio(), None);
}

#[test]
fn an_empty_graph_is_a_graph() {
    let empty = graph("");
    let summary = empty.summary();
    assert_eq!((summary.nodes, summary.edges), (0, 0));
    assert_eq!((summary.max_out, summary.reciprocity), (None, None));
    assert!(kosaraju_scc(&empty).is_empty() && toposort(&empty, None).unwrap().is_empty());
}

#[test]
fn rows_ascend_and_hold_both_directions() {
    let graph = graph("5->9 5->1 9->5 9223372036854775807->5");
    let node = |id: i64| graph.node(AccountId::new(id).unwrap()).unwrap();
    assert_eq!(graph.out_neighbors(node(5)), [node(1), node(9)]);
    assert_eq!(graph.in_neighbors(node(5)), [node(9), node(i64::MAX)]);
    assert_eq!(graph.node(2.into()), None);
}

#[test]
fn a_map_of_visits_can_be_taken_back() {
    let graph = graph("1->2 2->3");
    let (mut map, node) = (graph.visit_map(), graph.nodes().nth(2).unwrap());
    assert!(map.visit(node) && !map.visit(node) && map.is_visited(&node));
    assert!(map.unvisit(node) && !map.unvisit(node) && !map.is_visited(&node));
    map.visit(node);
    graph.reset_map(&mut map);
    assert!(!map.is_visited(&node));
}

/// A test's thread has 2 MiB of stack: what recursed along a path would not come back.
#[test]
fn a_path_of_a_million_accounts_does_not_end_the_stack() {
    let steps = (0..1_000_000_u32).map(|i| (AccountId::from(i), AccountId::from(i + 1)));
    let graph = FollowGraph::from_edges(steps).unwrap();
    let summary = graph.summary();
    assert_eq!((summary.strong_components, summary.largest_strong), (1_000_001, 1));
    assert_eq!((summary.weak_components, summary.largest_weak), (1, 1_000_001));
}
