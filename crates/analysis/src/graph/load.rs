//! Builds the graph: from a run, from Parquet files of other tools, from edges in memory.
//!
//! Edges are read once, in parallel, and numbered while they are read; what comes sorted is
//! not sorted again. At most about 12 bytes per edge are in memory at any moment, one and a
//! half times what the graph takes in the end.

use std::path::Path;

use snapshot::{AccountId, IdTable, List, ListReader, Run, RunId};

use super::FollowGraph;
use super::gather::{Block, Blocks, Edges, Gatherer};
use super::links::{Pool, slab};
use super::piles::open_links;
use super::rows::Rows;
use crate::{Error, RunObservations, limits};

impl FollowGraph {
    /// Builds the graph of edges (follower, followed), in any order, each kept once.
    ///
    /// O(edges) time and O(accounts log accounts), in parallel but for the iterator; see
    /// [`open`](Self::open) for memory.
    ///
    /// # Errors
    /// If there are more than 2^32 accounts.
    pub fn from_edges(
        edges: impl IntoIterator<Item = (AccountId, AccountId)>,
    ) -> Result<Self, Error> {
        let mut edges = edges.into_iter();
        let expected = edges.size_hint().0.min(1 << 32) as u64;
        let mut slab = room(expected);
        let pool = Pool::new(&mut slab);
        let mut gatherer = Gatherer::new(expected, &pool);
        let mut blocks = Memory::default();
        loop {
            for block in &mut blocks.0 {
                block.first.clear();
                block.second.clear();
            }
            blocks.fill(&mut edges);
            if blocks.count() == 0 {
                break;
            }
            gatherer.read(FOLLOWING, &blocks)?;
        }
        let half = Half::new(gatherer);
        drop(pool);
        drop(slab);
        Ok(half.whole())
    }

    /// Builds the graph of the edges in Parquet files: two columns of each file are the
    /// follower and whom it follows. Rows may be in any order, and come again.
    ///
    /// Row groups are read in parallel. Files whose rows ascend, one file after the other,
    /// are read fastest. Takes O(edges) time and O(accounts log accounts), and at most 12 bytes
    /// of memory per edge, 40 per account, and for each thread a row group.
    ///
    /// # Errors
    /// If a file cannot be read, or has no such columns, or ids that cannot be; or if there
    /// are more than 2^32 accounts.
    pub fn open<P: AsRef<Path>>(files: &[P], columns: [&str; 2]) -> Result<Self, Error> {
        Ok(gathered_files(files, columns)?.whole())
    }

    /// Builds the graph of everything a run saw: the edges of both lists, each once. Every
    /// account the run asked for is in it, with or without edges.
    ///
    /// As [`open`](Self::open) of rows that ascend.
    ///
    /// # Errors
    /// If the run cannot be read, or has lost rows.
    pub fn from_run(run: &Run) -> Result<Self, Error> {
        Self::from_observations(&RunObservations::open(run)?)
    }

    pub(crate) fn from_observations(run: &RunObservations) -> Result<Self, Error> {
        let readers = List::ALL.into_iter().filter_map(|l| Some((l, &**run.reader(l)?)));
        let accounts: Vec<i64> =
            List::ALL.into_iter().flat_map(|l| run.crawls(l)).map(|c| c.account.get()).collect();
        let check = |list, rows| run.check(list, rows);
        Ok(gathered_lists(run.run(), &readers.collect::<Vec<_>>(), &accounts, check)?.whole())
    }
}

/// The edges of everything a run saw, and the accounts at their ends.
pub(super) fn gathered_run(run: &Run) -> Result<Half, Error> {
    let open = |list| Ok((list, run.list(list)?));
    let readers = run.lists().into_iter().map(open).collect::<Result<Vec<_>, Error>>()?;
    let readers: Vec<_> = readers.iter().map(|(list, reader)| (*list, reader)).collect();
    let recorded: u64 = run.manifest().rows;
    let mut met = 0;
    let half = gathered_lists(run.id(), &readers, &[], |_, rows| {
        met += rows;
        Ok(())
    })?;
    if met == recorded {
        return Ok(half);
    }
    let run = run.id();
    Err(Error::damaged(format!("run {run} is damaged: {met} rows of the {recorded} it had")))
}

/// The edges of some lists of a run, and these accounts whether or not they have edges.
/// `check` is told how many rows each list has.
fn gathered_lists(
    run: RunId,
    readers: &[(List, &ListReader)],
    accounts: &[i64],
    mut check: impl FnMut(List, u64) -> Result<(), Error>,
) -> Result<Half, Error> {
    let (rows, bytes) = readers.iter().fold((0_u64, 0), |(rows, bytes), (_, reader)| {
        (rows.saturating_add(reader.rows()), bytes + reader.bytes())
    });
    let expected = within_memory(expected(rows, bytes))?;
    let mut slab = room(expected);
    let pool = Pool::new(&mut slab);
    let mut gatherer = Gatherer::new(expected, &pool);
    gatherer.ids(accounts, || negative(run))?;
    for (list, reader) in readers {
        gatherer.read(slot(*list), &Lists { reader, run })?;
    }
    for list in List::ALL {
        check(list, gatherer.lists[slot(list)].count() as u64)?;
    }
    let half = Half::new(gatherer);
    drop(slab);
    Ok(half)
}

/// Which list of a [`Gatherer`] has the edges of a list.
fn slot(list: List) -> usize {
    if list == List::Following { FOLLOWING } else { FOLLOWERS }
}

fn negative(run: RunId) -> Error {
    Error::damaged(format!("run {run} has negative ids"))
}

/// The edges in files of other tools.
pub(super) fn gathered_files<P: AsRef<Path>>(
    files: &[P],
    columns: [&str; 2],
) -> Result<Half, Error> {
    let open = |path: &P| IdTable::open(path.as_ref(), &columns);
    let tables = Tables::new(files.iter().map(open).collect::<Result<_, _>>()?);
    let expected = within_memory(expected(tables.rows(), tables.bytes()))?;
    let mut slab = room(expected);
    let pool = Pool::new(&mut slab);
    let mut gatherer = Gatherer::new(expected, &pool);
    gatherer.read(FOLLOWING, &tables)?;
    let half = Half::new(gatherer);
    drop(slab);
    Ok(half)
}

/// A graph in the making: the edges of either list as rows.
pub(super) struct Half {
    accounts: Vec<AccountId>,
    following: Option<Rows>,
    followers: Option<Rows>,
}

impl Half {
    fn new<'s>(gatherer: Gatherer<'_, 's>) -> Self {
        let Gatherer { places, lists: [following, followers], pool } = gatherer;
        let ranks = places.ranks();
        let accounts = ranks.accounts.len();
        let some = |edges: Edges<'s>| {
            (edges.count() > 0).then(|| Rows::new(accounts, edges, &ranks, pool))
        };
        let (following, followers) = (some(following), some(followers));
        Self { accounts: ranks.accounts, following, followers }
    }

    /// The edges of both, in both directions.
    fn whole(self) -> FollowGraph {
        let Self { accounts, following, followers } = self;
        let following = match (following, followers) {
            (None, Some(followers)) => {
                return FollowGraph { accounts, following: followers.turned(), followers };
            }
            (following, followers) => united(accounts.len(), following, followers),
        };
        let followers = following.turned();
        FollowGraph { accounts, following, followers }
    }

    /// The edges of both in one direction, no matter which.
    pub(super) fn one_way(self) -> (Vec<AccountId>, Rows) {
        let Self { accounts, following, followers } = self;
        let rows = match (following, followers) {
            (None, Some(followers)) => followers,
            (following, followers) => united(accounts.len(), following, followers),
        };
        (accounts, rows)
    }
}

/// The edges of both by who follows.
fn united(accounts: usize, following: Option<Rows>, followers: Option<Rows>) -> Rows {
    let following = following.unwrap_or_else(|| Rows::none(accounts));
    match followers {
        None => following,
        Some(followers) => {
            let turned = followers.turned();
            drop(followers);
            following.with(&turned)
        }
    }
}

/// A graph is in memory or not at all: better none than a machine that swaps.
fn within_memory(edges: u64) -> Result<u64, Error> {
    let (needed, allowed) = (edges.saturating_mul(EDGE_BYTES), limits::memory());
    if needed <= allowed {
        return Ok(edges);
    }
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    let (needed, allowed) = (mib(needed), mib(allowed));
    let message =
        format!("a graph of {edges} edges takes {needed} MiB, and {allowed} may be taken");
    Err(Error::invalid(message).with_hint("allow more with --memory, on a machine that has it"))
}

/// What an edge takes while a graph is made, accounts left out.
const EDGE_BYTES: u64 = 12;

/// How many edges to make room for. What footers say is not believed beyond what so many
/// bytes can hold in all likelihood; if they hold more, there is room for more later.
fn expected(rows: u64, bytes: u64) -> u64 {
    rows.min(bytes.saturating_mul(16))
}

/// Memory for so many edges on their way.
fn room(edges: u64) -> Vec<u8> {
    let edges = usize::try_from(edges).unwrap_or(usize::MAX);
    slab(edges, open_links(edges))
}

/// Which list of a [`Gatherer`] has edges by who follows.
const FOLLOWING: usize = 0;

/// Which list of a [`Gatherer`] has edges by who is followed.
const FOLLOWERS: usize = 1;

/// Edges in memory, some for each thread.
#[derive(Default)]
struct Memory(Vec<Block>);

/// Edges of a block in memory.
const MEMORY_EDGES: usize = 1 << 16;

impl Memory {
    fn fill(&mut self, edges: &mut impl Iterator<Item = (AccountId, AccountId)>) {
        self.0.resize(4 * rayon::current_num_threads(), Block::default());
        for block in &mut self.0 {
            for (from, to) in edges.by_ref().take(MEMORY_EDGES) {
                block.first.push(from.get());
                block.second.push(to.get());
            }
        }
        self.0.retain(|block| !block.first.is_empty());
    }
}

impl Blocks for Memory {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn read(&self, block: usize, into: &mut Block) -> Result<(), Error> {
        into.first.extend_from_slice(&self.0[block].first);
        into.second.extend_from_slice(&self.0[block].second);
        Ok(())
    }

    fn negative(&self) -> Error {
        Error::invalid("an id is negative")
    }
}

/// Files of other tools, one row group after another.
struct Tables {
    tables: Vec<IdTable>,
    /// Table and row group.
    blocks: Vec<(usize, usize)>,
}

impl Tables {
    fn new(tables: Vec<IdTable>) -> Self {
        let groups = tables.iter().map(IdTable::row_groups).enumerate();
        let blocks = groups.flat_map(|(table, groups)| (0..groups).map(move |g| (table, g)));
        Self { blocks: blocks.collect(), tables }
    }

    fn rows(&self) -> u64 {
        let rows = self.blocks.iter().map(|(table, group)| self.tables[*table].rows(*group));
        rows.fold(0, |sum, rows| sum.saturating_add(rows as u64))
    }

    fn bytes(&self) -> u64 {
        let bytes = |table: &IdTable| table.path().metadata().map_or(0, |about| about.len());
        self.tables.iter().map(bytes).sum()
    }
}

impl Blocks for Tables {
    fn count(&self) -> usize {
        self.blocks.len()
    }

    fn read(&self, block: usize, into: &mut Block) -> Result<(), Error> {
        let (table, group) = self.blocks[block];
        let table = &self.tables[table];
        table.read(group, 0, &mut into.first)?;
        table.read(group, 1, &mut into.second)?;
        Ok(())
    }

    fn negative(&self) -> Error {
        Error::invalid("an id is negative")
    }
}

/// One list of all accounts of a run.
struct Lists<'a> {
    reader: &'a ListReader,
    run: RunId,
}

impl Blocks for Lists<'_> {
    fn count(&self) -> usize {
        self.reader.row_groups()
    }

    fn read(&self, block: usize, into: &mut Block) -> Result<(), Error> {
        Ok(self.reader.row_group(block, &mut into.first, &mut into.second)?)
    }

    fn negative(&self) -> Error {
        negative(self.run)
    }
}
