//! petgraph's `visit` traits, so that any of its algorithms runs on a [`FollowGraph`].
//!
//! An edge is identified by its two ends, as there are no parallel ones. Its index is its
//! place in the rows, found by binary search.

use std::iter::{Copied, Enumerate};
use std::slice;

use petgraph::data::DataMap;
use petgraph::visit::{
    Data, EdgeCount, EdgeIndexable, EdgeRef, GetAdjacencyMatrix, GraphBase, GraphProp,
    IntoEdgeReferences, IntoEdges, IntoEdgesDirected, IntoNeighbors, IntoNeighborsDirected,
    IntoNodeIdentifiers, IntoNodeReferences, NodeCompactIndexable, NodeCount, NodeIndexable,
    VisitMap, Visitable,
};
use petgraph::{Directed, Direction};
use snapshot::AccountId;

use super::{FollowGraph, NodeIx};

impl GraphBase for FollowGraph {
    type NodeId = NodeIx;
    type EdgeId = (NodeIx, NodeIx);
}

impl Data for FollowGraph {
    type NodeWeight = AccountId;
    type EdgeWeight = ();
}

impl DataMap for FollowGraph {
    fn node_weight(&self, id: NodeIx) -> Option<&AccountId> {
        self.accounts.get(id.index())
    }

    fn edge_weight(&self, (from, to): (NodeIx, NodeIx)) -> Option<&()> {
        let known = from.index().max(to.index()) < self.accounts.len();
        (known && self.has_edge(from, to)).then_some(&())
    }
}

impl GraphProp for FollowGraph {
    type EdgeType = Directed;
}

impl NodeCount for FollowGraph {
    fn node_count(&self) -> usize {
        self.accounts()
    }
}

impl EdgeCount for FollowGraph {
    fn edge_count(&self) -> usize {
        self.edges()
    }
}

impl NodeIndexable for FollowGraph {
    fn node_bound(&self) -> usize {
        self.accounts()
    }

    fn to_index(&self, node: NodeIx) -> usize {
        node.index()
    }

    fn from_index(&self, index: usize) -> NodeIx {
        NodeIx::new(index)
    }
}

impl NodeCompactIndexable for FollowGraph {}

impl EdgeIndexable for FollowGraph {
    fn edge_bound(&self) -> usize {
        self.edges()
    }

    fn to_index(&self, (from, to): (NodeIx, NodeIx)) -> usize {
        let row = self.out_neighbors(from);
        self.following.start(from) + row.partition_point(|t| *t < to)
    }

    fn from_index(&self, index: usize) -> (NodeIx, NodeIx) {
        self.following.edge(index)
    }
}

/// The numbers of all accounts, ascending.
#[derive(Clone, Debug)]
pub struct Nodes(std::ops::Range<usize>);

impl Iterator for Nodes {
    type Item = NodeIx;

    fn next(&mut self) -> Option<NodeIx> {
        self.0.next().map(NodeIx::new)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for Nodes {
    fn next_back(&mut self) -> Option<NodeIx> {
        self.0.next_back().map(NodeIx::new)
    }
}

impl ExactSizeIterator for Nodes {}

impl FollowGraph {
    /// The numbers of all accounts, in ascending order of account id.
    pub fn nodes(&self) -> Nodes {
        Nodes(0..self.accounts())
    }
}

impl IntoNodeIdentifiers for &FollowGraph {
    type NodeIdentifiers = Nodes;

    fn node_identifiers(self) -> Nodes {
        self.nodes()
    }
}

/// All accounts with their numbers.
#[derive(Clone, Debug)]
pub struct NodeReferences<'a>(Enumerate<slice::Iter<'a, AccountId>>);

impl<'a> Iterator for NodeReferences<'a> {
    type Item = (NodeIx, &'a AccountId);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(index, account)| (NodeIx::new(index), account))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<'a> IntoNodeReferences for &'a FollowGraph {
    type NodeRef = (NodeIx, &'a AccountId);
    type NodeReferences = NodeReferences<'a>;

    fn node_references(self) -> NodeReferences<'a> {
        NodeReferences(self.accounts.iter().enumerate())
    }
}

/// One row: whom an account follows, or who follows it.
pub type Neighbors<'a> = Copied<slice::Iter<'a, NodeIx>>;

impl<'a> IntoNeighbors for &'a FollowGraph {
    type Neighbors = Neighbors<'a>;

    fn neighbors(self, node: NodeIx) -> Neighbors<'a> {
        self.out_neighbors(node).iter().copied()
    }
}

impl<'a> IntoNeighborsDirected for &'a FollowGraph {
    type NeighborsDirected = Neighbors<'a>;

    fn neighbors_directed(self, node: NodeIx, direction: Direction) -> Neighbors<'a> {
        match direction {
            Direction::Outgoing => self.out_neighbors(node),
            Direction::Incoming => self.in_neighbors(node),
        }
        .iter()
        .copied()
    }
}

/// One edge: `source` follows `target`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FollowRef {
    source: NodeIx,
    target: NodeIx,
}

impl EdgeRef for FollowRef {
    type NodeId = NodeIx;
    type EdgeId = (NodeIx, NodeIx);
    type Weight = ();

    fn source(&self) -> NodeIx {
        self.source
    }

    fn target(&self) -> NodeIx {
        self.target
    }

    fn weight(&self) -> &() {
        &()
    }

    fn id(&self) -> (NodeIx, NodeIx) {
        (self.source, self.target)
    }
}

/// The edges of one account in one direction.
#[derive(Clone, Debug)]
pub struct Edges<'a> {
    node: NodeIx,
    direction: Direction,
    others: Neighbors<'a>,
}

impl Iterator for Edges<'_> {
    type Item = FollowRef;

    fn next(&mut self) -> Option<FollowRef> {
        let other = self.others.next()?;
        let (source, target) = match self.direction {
            Direction::Outgoing => (self.node, other),
            Direction::Incoming => (other, self.node),
        };
        Some(FollowRef { source, target })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.others.size_hint()
    }
}

impl ExactSizeIterator for Edges<'_> {}

impl<'a> IntoEdges for &'a FollowGraph {
    type Edges = Edges<'a>;

    fn edges(self, node: NodeIx) -> Edges<'a> {
        self.edges_directed(node, Direction::Outgoing)
    }
}

impl<'a> IntoEdgesDirected for &'a FollowGraph {
    type EdgesDirected = Edges<'a>;

    fn edges_directed(self, node: NodeIx, direction: Direction) -> Edges<'a> {
        Edges { node, direction, others: self.neighbors_directed(node, direction) }
    }
}

/// All edges, by source and target.
#[derive(Clone, Debug)]
pub struct EdgeReferences<'a> {
    graph: &'a FollowGraph,
    source: usize,
    edge: usize,
}

impl Iterator for EdgeReferences<'_> {
    type Item = FollowRef;

    fn next(&mut self) -> Option<FollowRef> {
        let rows = &self.graph.following;
        let target = rows.neighbor(self.edge)?;
        while rows.start(NodeIx::new(self.source + 1)) <= self.edge {
            self.source += 1;
        }
        self.edge += 1;
        Some(FollowRef { source: NodeIx::new(self.source), target })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.graph.edges() - self.edge;
        (left, Some(left))
    }
}

impl ExactSizeIterator for EdgeReferences<'_> {}

impl<'a> IntoEdgeReferences for &'a FollowGraph {
    type EdgeRef = FollowRef;
    type EdgeReferences = EdgeReferences<'a>;

    fn edge_references(self) -> EdgeReferences<'a> {
        EdgeReferences { graph: self, source: 0, edge: 0 }
    }
}

/// Which accounts a walk has visited: one bit each.
#[derive(Clone, Debug, Default)]
pub struct Visited(Vec<u64>);

impl Visited {
    fn place(node: NodeIx) -> (usize, u64) {
        (node.index() / 64, 1 << (node.index() % 64))
    }
}

impl VisitMap<NodeIx> for Visited {
    fn visit(&mut self, node: NodeIx) -> bool {
        let (word, bit) = Self::place(node);
        let first = self.0[word] & bit == 0;
        self.0[word] |= bit;
        first
    }

    fn is_visited(&self, node: &NodeIx) -> bool {
        let (word, bit) = Self::place(*node);
        self.0[word] & bit != 0
    }

    fn unvisit(&mut self, node: NodeIx) -> bool {
        let (word, bit) = Self::place(node);
        let was = self.0[word] & bit != 0;
        self.0[word] &= !bit;
        was
    }
}

impl Visitable for FollowGraph {
    type Map = Visited;

    fn visit_map(&self) -> Visited {
        Visited(vec![0; self.accounts().div_ceil(64)])
    }

    fn reset_map(&self, map: &mut Visited) {
        map.0.clear();
        map.0.resize(self.accounts().div_ceil(64), 0);
    }
}

impl GetAdjacencyMatrix for FollowGraph {
    /// The rows are sorted and serve as they are; an adjacency is found in O(log degree).
    type AdjMatrix = ();

    fn adjacency_matrix(&self) {}

    fn is_adjacent(&self, (): &(), from: NodeIx, to: NodeIx) -> bool {
        self.has_edge(from, to)
    }
}
