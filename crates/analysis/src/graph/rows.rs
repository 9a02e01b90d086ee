//! One direction of all edges as compressed rows, and how edges become rows.
//!
//! Rows are appended in ascending order, from pieces that are computed in parallel: edges
//! that come sorted are taken as they come; all others are dealt to piles, and the piles
//! sorted. Either way an edge that came twice is kept once, and memory stays within 12 bytes
//! an edge: the 8 of a key and the 4 of its place in a row.

use std::convert::Infallible;
use std::ops::Range;

use super::NodeIx;
use super::gather::{Edges, Piece, halves};
use super::links::{Pool, slab};
use super::piles::{Pile, deal, open_links, shares};
use super::places::{Ranks, bits};
use crate::in_order::in_order;

/// One direction of all edges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rows {
    /// Where each account's row begins, and after the last, where it ends.
    starts: Vec<usize>,
    neighbors: Vec<NodeIx>,
}

/// Rows, or parts of rows, that follow each other.
#[derive(Default)]
struct Part {
    /// Whose, and how many neighbors.
    runs: Vec<(NodeIx, usize)>,
    neighbors: Vec<NodeIx>,
}

impl Rows {
    /// The edges of so many accounts by their first ends. Their pieces go back to `pool`.
    pub(super) fn new<'s>(
        accounts: usize,
        edges: Edges<'s>,
        ranks: &Ranks,
        pool: &Pool<'s>,
    ) -> Self {
        let count = edges.count();
        let mut rows = Growing::new(accounts, count);
        if edges.ascend {
            // As do ranks, where ids do.
            let part = |piece: Piece<'s>| {
                let part = Part::of_piece(&piece, ranks);
                pool.give(piece.into_link());
                part
            };
            let Ok(()) = in_order(edges.pieces, part, |part| rows.append(part));
        } else {
            let bits = bits(accounts);
            let piles = deal(shares(edges.pieces), count, (0, 2 * bits), pool, |pieces, dealer| {
                let mut push = |first, second| {
                    dealer.push(u64::from(first) << bits | u64::from(ranks.of(second)));
                };
                for piece in pieces {
                    if piece.runs().is_empty() {
                        piece.ends().for_each(|(first, second)| push(ranks.of(first), second));
                    }
                    let mut seconds = piece.seconds();
                    for (first, length) in piece.runs() {
                        let first = ranks.of(*first);
                        seconds.by_ref().take(*length as usize).for_each(|s| push(first, s));
                    }
                    drop(seconds);
                    pool.give(piece.into_link());
                }
            });
            let part = |pile: Pile<'s>| Part::of_keys(&pile.sorted(0, pool), bits, 0);
            let Ok(()) = in_order(piles, part, |part| rows.append(part));
        }
        rows.finish()
    }

    /// Without edges.
    pub(super) fn none(accounts: usize) -> Self {
        Self { starts: vec![0; accounts + 1], neighbors: Vec::new() }
    }

    /// How many edges there are.
    pub(super) fn edges(&self) -> usize {
        self.neighbors.len()
    }

    /// The neighbors of an account, ascending.
    pub(super) fn of(&self, node: NodeIx) -> &[NodeIx] {
        &self.neighbors[self.starts[node.index()]..self.starts[node.index() + 1]]
    }

    /// Where an account's row begins among all edges; of one past the last, their number.
    pub(super) fn start(&self, node: NodeIx) -> usize {
        self.starts[node.index()]
    }

    /// The edge at an index. O(log accounts).
    pub(super) fn edge(&self, index: usize) -> (NodeIx, NodeIx) {
        let from = self.starts.partition_point(|start| *start <= index) - 1;
        (NodeIx::new(from), self.neighbors[index])
    }

    /// The other end of the edge at an index.
    pub(super) fn neighbor(&self, index: usize) -> Option<NodeIx> {
        self.neighbors.get(index).copied()
    }

    fn accounts(&self) -> usize {
        self.starts.len() - 1
    }

    /// The same edges by their other end. O(edges) time, in parallel, and 2 bytes more per
    /// edge than both take: a quarter of the accounts is served after the other.
    pub(super) fn turned(&self) -> Self {
        self.turned_to(self.edges(), |_| usize::MAX)
    }

    /// The edges that lead to a smaller number, by their other end.
    pub(super) fn downwards_turned(&self) -> Self {
        self.turned_to(self.edges() / 2, NodeIx::index)
    }

    /// About so many edges that lead to a number below a bound of each account's own.
    fn turned_to(&self, edges: usize, below: impl Fn(NodeIx) -> usize + Sync) -> Self {
        let (accounts, source_bits) = (self.accounts(), bits(self.accounts()));
        let mut rows = Growing::new(accounts, edges);
        let part = accounts.div_ceil(TURNS).max(1);
        let keys = edges / TURNS;
        let mut slab = slab(keys, open_links(keys));
        let pool = Pool::new(&mut slab);
        for start in (0..accounts).step_by(part) {
            let to = start..accounts.min(start + part);
            // Only so many bits tell the accounts of this part apart.
            let key_bits = bits(to.len()) + source_bits;
            let sources = self.ranges(2 * rayon::current_num_threads());
            let piles = deal(sources, keys, (0, key_bits), &pool, |sources, dealer| {
                for source in sources.map(NodeIx::new) {
                    let row = self.of(source);
                    let from = row.partition_point(|t| t.index() < to.start);
                    let end = to.end.min(below(source));
                    for t in row[from..].iter().take_while(|t| t.index() < end) {
                        dealer.push(
                            ((t.index() - to.start) as u64) << source_bits | u64::from(source.0),
                        );
                    }
                }
            });
            // Sources came in ascending order.
            let part = |keys: Vec<u64>| Part::of_keys(&keys, source_bits, to.start);
            let Ok(()) = in_order(
                piles,
                |pile| part(pile.sorted(source_bits, &pool)),
                |part| rows.append(part),
            );
        }
        rows.finish()
    }

    /// The edges of both, each once.
    pub(super) fn with(&self, other: &Self) -> Self {
        let mut rows = Growing::new(self.accounts(), self.edges().max(other.edges()));
        let ranges = self.ranges_with(other, (self.edges() + other.edges()).div_ceil(1 << 16));
        let union = |range: Range<usize>| {
            let mut part = Part::default();
            for node in range.map(NodeIx::new) {
                let before = part.neighbors.len();
                union(self.of(node), other.of(node), &mut part.neighbors);
                part.runs.push((node, part.neighbors.len() - before));
            }
            part
        };
        let Ok(()) = in_order(ranges, union, |part| rows.append(part));
        rows.finish()
    }

    /// About so many ranges of accounts that have about the same number of edges.
    pub(super) fn ranges(&self, about: usize) -> Vec<Range<usize>> {
        ranges(self.accounts(), about, |node| self.starts[node])
    }

    /// The same, by the edges of both.
    fn ranges_with(&self, other: &Self, about: usize) -> Vec<Range<usize>> {
        ranges(self.accounts(), about, |node| self.starts[node] + other.starts[node])
    }
}

/// The accounts in which a row is turned at a time: one of so many.
const TURNS: usize = 4;

/// About so many ranges of accounts, given how many edges come before an account's.
fn ranges(accounts: usize, about: usize, before: impl Fn(usize) -> usize) -> Vec<Range<usize>> {
    let each = before(accounts).div_ceil(about.max(1)).max(1);
    let (mut ranges, mut start) = (Vec::new(), 0);
    while start < accounts {
        let enough = before(start) + each;
        // The first end that makes a range of enough edges; doubling steps find it.
        let mut step = 1;
        while start + step < accounts && before(start + step) < enough {
            step *= 2;
        }
        let (mut low, mut high) = (start + step / 2 + 1, accounts.min(start + step));
        while low < high {
            let middle = low.midpoint(high);
            if before(middle) < enough { low = middle + 1 } else { high = middle }
        }
        ranges.push(start..low.min(accounts));
        start = low;
    }
    ranges
}

/// Appends what either of two ascending rows has, once.
fn union(a: &[NodeIx], b: &[NodeIx], out: &mut Vec<NodeIx>) {
    let (mut a, mut b) = (a, b);
    while let ([x, rest_of_a @ ..], [y, rest_of_b @ ..]) = (a, b) {
        out.push(*x.min(y));
        if x <= y {
            a = rest_of_a;
        }
        if y <= x {
            b = rest_of_b;
        }
    }
    out.extend_from_slice(a);
    out.extend_from_slice(b);
}

/// Rows that are being appended to.
struct Growing {
    accounts: usize,
    starts: Vec<usize>,
    neighbors: Vec<NodeIx>,
}

impl Growing {
    fn new(accounts: usize, edges: usize) -> Self {
        let mut starts = Vec::with_capacity(accounts + 1);
        starts.push(0);
        Self { accounts, starts, neighbors: Vec::with_capacity(edges) }
    }

    /// Adds rows that come after those that are there; the last of these may go on.
    #[expect(clippy::unnecessary_wraps, reason = "as those who take pieces in order")]
    fn append(&mut self, part: Part) -> Result<(), Infallible> {
        let mut neighbors = &part.neighbors[..];
        for (node, mut count) in part.runs {
            // The row of `node` ends with `starts[node + 1]`, which moves as long as it grows.
            let goes_on = self.starts.len() == node.index() + 2;
            if goes_on && count > 0 && self.neighbors.last() == neighbors.first() {
                neighbors = &neighbors[1..];
                count -= 1;
            }
            let (row, rest) = neighbors.split_at(count);
            self.starts.resize(node.index() + 1, self.neighbors.len());
            self.neighbors.extend_from_slice(row);
            self.starts.push(self.neighbors.len());
            neighbors = rest;
        }
        Ok(())
    }

    fn finish(mut self) -> Rows {
        self.starts.resize(self.accounts + 1, self.neighbors.len());
        self.neighbors.shrink_to_fit();
        Rows { starts: self.starts, neighbors: self.neighbors }
    }
}

impl Part {
    /// From keys that ascend: the first end, counted from `base`, above the second of `bits`
    /// bits.
    fn of_keys(keys: &[u64], bits: u32, base: usize) -> Self {
        let mut part = Self { runs: Vec::new(), neighbors: Vec::with_capacity(keys.len()) };
        for row in keys.chunk_by(|a, b| a >> bits == b >> bits) {
            let first = NodeIx::new(base + halves(row[0], bits).0 as usize);
            part.push(first, row.iter().map(|key| NodeIx(halves(*key, bits).1)));
        }
        part
    }

    /// From edges that ascend.
    fn of_piece(piece: &Piece<'_>, ranks: &Ranks) -> Self {
        let mut part = Self { runs: Vec::new(), neighbors: Vec::with_capacity(piece.count()) };
        let rank = |place: u32| NodeIx(ranks.of(place));
        if piece.runs().is_empty() {
            let ends: Vec<_> = piece.ends().collect();
            for row in ends.chunk_by(|a, b| a.0 == b.0) {
                part.push(rank(row[0].0), row.iter().map(|(_, second)| rank(*second)));
            }
        }
        let mut seconds = piece.seconds().map(rank);
        for (first, length) in piece.runs() {
            part.push(rank(*first), seconds.by_ref().take(*length as usize));
        }
        drop(seconds);
        part
    }

    /// Adds a row of neighbors that ascend, each once.
    fn push(&mut self, node: NodeIx, row: impl Iterator<Item = NodeIx>) {
        let before = self.neighbors.len();
        self.neighbors.extend(row);
        if self.neighbors[before..].windows(2).any(|two| two[0] == two[1]) {
            let mut row = self.neighbors.split_off(before);
            row.dedup();
            self.neighbors.append(&mut row);
        }
        self.runs.push((node, self.neighbors.len() - before));
    }
}
