//! All mutual edges, of a graph or straight from lists and files.
//!
//! Two accounts are told to follow each other where both follows were seen. That is never a
//! claim of absence, so it needs no list that was read to its end.
//!
//! One direction of the edges is enough: an account's row above itself is compared with those
//! above it whose rows have it, and these are found by turning only the edges that lead
//! downwards, half of all. Pairs are handed over as they are found, so memory does not depend
//! on how many there are.

use std::path::Path;

use snapshot::{AccountId, Run};

use super::load::{Half, gathered_files, gathered_run};
use super::rows::Rows;
use super::{FollowGraph, NodeIx};
use crate::Error;
use crate::in_order::in_order;

/// Some mutual edges: `a[i]` and `b[i]` follow each other, and `a[i] < b[i]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MutualEdges {
    /// The smaller id of each pair.
    pub a: Vec<AccountId>,
    /// The larger id of each pair.
    pub b: Vec<AccountId>,
}

impl MutualEdges {
    /// How many pairs they are.
    pub fn len(&self) -> usize {
        self.a.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.a.is_empty()
    }
}

impl FollowGraph {
    /// Hands over every pair of accounts that follow each other once, in ascending order by
    /// the smaller id and then by the larger, some thousands at a time, and says how many
    /// there are. Accounts that follow themselves are no pair.
    ///
    /// Same as the edges (a, b) with a < b whose (b, a) is an edge. O(edges), in parallel;
    /// memory for the pairs at hand only.
    ///
    /// # Errors
    /// The first that `take` returns; it is not called again then.
    pub fn mutual_edges(
        &self,
        take: impl FnMut(MutualEdges) -> Result<(), Error> + Send,
    ) -> Result<u64, Error> {
        pairs(&self.accounts, &self.following, &self.followers, take)
    }
}

/// The mutual edges of everything a run saw, as [`FollowGraph::mutual_edges`] of its graph, by
/// about half of the work: the graph is built in one direction only. About 8 bytes of memory
/// per row of the lists, and 4 more if the run has both.
///
/// # Errors
/// If the run cannot be read, or has lost rows, and as there.
pub fn run_mutual_edges(
    run: &Run,
    take: impl FnMut(MutualEdges) -> Result<(), Error> + Send,
) -> Result<u64, Error> {
    of_half(gathered_run(run)?, take)
}

/// The mutual edges of Parquet files, of which two columns are the follower and whom it
/// follows: as [`FollowGraph::mutual_edges`] of [`FollowGraph::open`].
///
/// # Errors
/// As both of them.
pub fn file_mutual_edges<P: AsRef<Path>>(
    files: &[P],
    columns: [&str; 2],
    take: impl FnMut(MutualEdges) -> Result<(), Error> + Send,
) -> Result<u64, Error> {
    of_half(gathered_files(files, columns)?, take)
}

fn of_half(
    half: Half,
    take: impl FnMut(MutualEdges) -> Result<(), Error> + Send,
) -> Result<u64, Error> {
    let (accounts, rows) = half.one_way();
    let upwards = rows.downwards_turned();
    pairs(&accounts, &rows, &upwards, take)
}

/// Edges that are looked through at a time.
const EDGES: usize = 1 << 16;

/// The pairs of an account and one above it that is in its row in both directions.
fn pairs(
    accounts: &[AccountId],
    rows: &Rows,
    turned: &Rows,
    mut take: impl FnMut(MutualEdges) -> Result<(), Error> + Send,
) -> Result<u64, Error> {
    let of_range = |range: std::ops::Range<usize>| {
        let mut found = MutualEdges::default();
        for a in range {
            let node = NodeIx::new(a);
            meet(above(rows, node), above(turned, node), |b| found.b.push(accounts[b.index()]));
            found.a.resize(found.b.len(), accounts[a]);
        }
        found
    };
    let mut count = 0;
    in_order(rows.ranges(rows.edges().div_ceil(EDGES)), of_range, |found| {
        count += found.len() as u64;
        if found.is_empty() { Ok(()) } else { take(found) }
    })?;
    Ok(count)
}

fn above(rows: &Rows, node: NodeIx) -> &[NodeIx] {
    let row = rows.of(node);
    &row[row.partition_point(|other| *other <= node)..]
}

/// Calls `both` with what two ascending rows have in common. O(both), or O(short × log long)
/// if one is much longer.
fn meet(a: &[NodeIx], b: &[NodeIx], mut both: impl FnMut(NodeIx)) {
    let (short, mut long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if long.len() / 16 > short.len() {
        for node in short {
            long = &long[long.partition_point(|other| other < node)..];
            if long.first() == Some(node) {
                both(*node);
            }
        }
        return;
    }
    let (mut left, mut right) = (0, 0);
    while left < short.len() && right < long.len() {
        let (this, that) = (short[left], long[right]);
        if this == that {
            both(this);
        }
        // Without a branch: which of them is smaller is anybody's guess.
        left += usize::from(this <= that);
        right += usize::from(that <= this);
    }
}
