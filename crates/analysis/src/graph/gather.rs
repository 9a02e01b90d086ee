//! Reads edges from anywhere into memory, 8 bytes each or less.
//!
//! An edge is kept as two [places](super::places), in pieces of some thousands. Where many
//! edges of one account come one after another, as in the lists of a run, the account is kept
//! once with their number, and an edge takes 4 bytes. Pieces are freed one by one as they
//! become rows.
//!
//! Blocks are read in parallel, each by one thread; how many ids there will be is not known
//! beforehand. When the places are full, all threads stop where they are, the places grow,
//! and reading goes on.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use rayon::prelude::*;

use super::links::{Link, Pool, width};
use super::piles::shares;
use super::places::{AT_ONCE, Place, Places, Refusal};
use crate::Error;

/// Edges that can be read in blocks, in any order and by any thread.
pub(super) trait Blocks: Sync {
    /// How many blocks there are.
    fn count(&self) -> usize;

    /// Reads one of them, in place of what is in `into`.
    fn read(&self, block: usize, into: &mut Block) -> Result<(), Error>;

    /// What to say of a negative id.
    fn negative(&self) -> Error;
}

/// The two ends of some edges. The first is the one that they are sorted by, if they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    pub(super) first: Vec<i64>,
    pub(super) second: Vec<i64>,
}

/// Edges by place, in the order in which they came.
pub(super) struct Edges<'s> {
    pub(super) pieces: Vec<Piece<'s>>,
    /// Whether their ids ascend, by the first end and then by the second.
    pub(super) ascend: bool,
    last: Option<(i64, i64)>,
}

/// Some edges, as many as fit into a link.
pub(super) struct Piece<'s> {
    /// The first ends, each of so many edges that follow each other. If there are none, each
    /// word has both ends of an edge, the first above; otherwise the second only.
    runs: Vec<(Place, u32)>,
    words: Link<'s>,
    /// Bits of a place.
    bits: u32,
}

/// Reads the edges of up to two lists, and numbers their ends.
pub(super) struct Gatherer<'p, 's> {
    pub(super) places: Places,
    pub(super) lists: [Edges<'s>; 2],
    pub(super) pool: &'p Pool<'s>,
}

impl<'p, 's> Gatherer<'p, 's> {
    /// For about so many edges, whose pieces are of `pool`.
    pub(super) fn new(edges: u64, pool: &'p Pool<'s>) -> Self {
        Self { places: Places::new(edges), lists: [Edges::new(), Edges::new()], pool }
    }

    /// Adds ids that may have no edges.
    pub(super) fn ids(&mut self, ids: &[i64], negative: impl Fn() -> Error) -> Result<(), Error> {
        let mut places = Vec::new();
        for ids in ids.chunks(AT_ONCE) {
            loop {
                match self.places.of(ids, &mut places) {
                    Ok(()) => break,
                    Err(Refusal::Negative) => return Err(negative()),
                    Err(Refusal::Full) => self.grow(&mut [])?,
                }
            }
        }
        Ok(())
    }

    /// Reads all blocks, and adds them to what one of the lists has.
    pub(super) fn read(&mut self, list: usize, blocks: &dyn Blocks) -> Result<(), Error> {
        let mut tasks: Vec<Task<'_>> = (0..blocks.count()).map(Task::new).collect();
        let spare = Mutex::new(Vec::new());
        loop {
            let (places, pool, full) = (&self.places, self.pool, AtomicBool::new(false));
            let shared = Shared { blocks, places, pool, spare: &spare, full };
            tasks.par_iter_mut().with_max_len(1).try_for_each(|task| task.go_on(&shared))?;
            if tasks.iter().all(|task| task.state.is_done()) {
                break;
            }
            self.grow(&mut tasks)?;
        }
        let edges = &mut self.lists[list];
        edges.pieces.reserve(tasks.iter().map(|task| task.pieces.len()).sum());
        for task in tasks {
            edges.append(task);
        }
        Ok(())
    }

    fn grow(&mut self, tasks: &mut [Task<'s>]) -> Result<(), Error> {
        let lists = self.lists.iter_mut().map(|edges| &mut edges.pieces);
        let all: Vec<_> = lists.chain(tasks.iter_mut().map(|task| &mut task.pieces)).collect();
        let map = self.places.grow(all.iter().any(|pieces| !pieces.is_empty()))?;
        let (bits, pool) = (self.places.bits(), self.pool);
        let moved = |pieces: Vec<Piece<'s>>| {
            let mut moved = Vec::new();
            for piece in pieces {
                piece.moved(&map, bits, pool, &mut moved);
            }
            moved
        };
        for pieces in all {
            let shares = shares(std::mem::take(pieces)).into_par_iter();
            *pieces = shares.map(moved).flatten_iter().collect();
        }
        Ok(())
    }
}

impl<'s> Edges<'s> {
    /// Without edges; they ascend until two do not.
    pub(super) fn new() -> Self {
        Self { pieces: Vec::new(), ascend: true, last: None }
    }

    /// How many there are, each counted as often as it came.
    pub(super) fn count(&self) -> usize {
        self.pieces.iter().map(Piece::count).sum()
    }

    fn append(&mut self, task: Task<'s>) {
        if let Some((first, last)) = task.ends {
            self.ascend &= task.ascend && self.last.is_none_or(|before| before <= first);
            self.last = Some(last);
        }
        self.pieces.extend(task.pieces);
    }
}

/// A block on its way.
struct Task<'s> {
    block: usize,
    state: State,
    pieces: Vec<Piece<'s>>,
    ascend: bool,
    /// The first and the last of its edges, by id.
    ends: Option<((i64, i64), (i64, i64))>,
}

enum State {
    Unread,
    /// Read, and kept up to an index.
    Kept(Block, usize),
    Done,
}

impl State {
    fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}

/// What all tasks work with.
struct Shared<'a, 's> {
    blocks: &'a dyn Blocks,
    places: &'a Places,
    pool: &'a Pool<'s>,
    /// Blocks that were used and are no longer.
    spare: &'a Mutex<Vec<Block>>,
    /// Whether the places must grow before another block is begun.
    full: AtomicBool,
}

impl<'s> Task<'s> {
    fn new(block: usize) -> Self {
        Self { block, state: State::Unread, pieces: Vec::new(), ascend: true, ends: None }
    }

    /// Reads the block and keeps its edges, until it is done or the places are full.
    fn go_on(&mut self, with: &Shared<'_, 's>) -> Result<(), Error> {
        let (block, mut at) = match std::mem::replace(&mut self.state, State::Done) {
            State::Done => return Ok(()),
            State::Kept(block, at) => (block, at),
            State::Unread if with.full.load(Relaxed) => {
                self.state = State::Unread;
                return Ok(());
            }
            State::Unread => {
                let spare = with.spare.lock().ok().and_then(|mut spare| spare.pop());
                let mut block = spare.unwrap_or_default();
                block.first.clear();
                block.second.clear();
                with.blocks.read(self.block, &mut block)?;
                (self.ascend, self.ends) = (block.ascends(), block.ends());
                (block, 0)
            }
        };
        let mut numbering = Numbering::default();
        while at < block.first.len() {
            let some = at..block.first.len().min(at + AT_ONCE);
            let (first, second) = (&block.first[some.clone()], &block.second[some.clone()]);
            match numbering.number(first, second, with, &mut self.pieces) {
                Ok(()) => at = some.end,
                Err(Refusal::Negative) => return Err(with.blocks.negative()),
                Err(Refusal::Full) => {
                    with.full.store(true, Relaxed);
                    self.state = State::Kept(block, at);
                    return Ok(());
                }
            }
        }
        if let Ok(mut spare) = with.spare.lock() {
            spare.push(block);
        }
        Ok(())
    }
}

/// Makes pieces of edges by id.
#[derive(Default)]
struct Numbering {
    heads: Vec<i64>,
    lengths: Vec<u32>,
    first: Vec<Place>,
    second: Vec<Place>,
}

impl Numbering {
    fn number<'s>(
        &mut self,
        first: &[i64],
        second: &[i64],
        with: &Shared<'_, 's>,
        out: &mut Vec<Piece<'s>>,
    ) -> Result<(), Refusal> {
        with.places.of(second, &mut self.second)?;
        let changes = first.windows(2).filter(|two| two[0] != two[1]).count();
        if changes < first.len() / 4 {
            self.heads.clear();
            self.lengths.clear();
            for run in first.chunk_by(|a, b| a == b) {
                self.heads.push(run[0]);
                // A block of ids is numbered at a time.
                self.lengths.push(u32::try_from(run.len()).unwrap_or(u32::MAX));
            }
            with.places.of(&self.heads, &mut self.first)?;
            let runs = self.first.iter().copied().zip(self.lengths.iter().copied());
            Piece::add_runs(runs, self.second.iter().copied(), with.places.bits(), with.pool, out);
        } else {
            with.places.of(first, &mut self.first)?;
            let ends = self.first.iter().copied().zip(self.second.iter().copied());
            Piece::add(ends, with.places.bits(), with.pool, out);
        }
        Ok(())
    }
}

impl Block {
    fn ends(&self) -> Option<((i64, i64), (i64, i64))> {
        let first = (*self.first.first()?, *self.second.first()?);
        Some((first, (*self.first.last()?, *self.second.last()?)))
    }

    /// Whether no edge comes before one that is smaller.
    fn ascends(&self) -> bool {
        let pairs = self.first.windows(2).zip(self.second.windows(2));
        let mut pairs = pairs.map(|(first, second)| (first[0], second[0]) <= (first[1], second[1]));
        pairs.all(|ascends| ascends)
    }
}

impl<'s> Piece<'s> {
    /// Adds edges to what there is, the last piece first.
    fn add(
        ends: impl Iterator<Item = (Place, Place)>,
        bits: u32,
        pool: &Pool<'s>,
        out: &mut Vec<Self>,
    ) {
        let new = || Self { runs: Vec::new(), words: pool.take(width(2 * bits)), bits };
        let open = out.pop_if(|piece| piece.runs.is_empty() && piece.bits == bits);
        let mut piece = open.unwrap_or_else(new);
        for (first, second) in ends {
            let word = u64::from(first) << bits | u64::from(second);
            if !piece.words.push(word) {
                out.push(std::mem::replace(&mut piece, new()));
                piece.words.push(word);
            }
        }
        out.push(piece);
    }

    /// The same for first ends that each have so many of the second ends.
    fn add_runs(
        runs: impl Iterator<Item = (Place, u32)>,
        mut seconds: impl Iterator<Item = Place>,
        bits: u32,
        pool: &Pool<'s>,
        out: &mut Vec<Self>,
    ) {
        let new = || Self { runs: Vec::new(), words: pool.take(width(bits)), bits };
        let open = out.pop_if(|piece| !piece.runs.is_empty() && piece.bits == bits);
        let mut piece = open.unwrap_or_else(new);
        for (first, length) in runs {
            let mut added = 0;
            for second in seconds.by_ref().take(length as usize) {
                if !piece.words.push(u64::from(second)) {
                    if added > 0 {
                        piece.runs.push((first, added));
                    }
                    out.push(std::mem::replace(&mut piece, new()));
                    piece.words.push(u64::from(second));
                    added = 0;
                }
                added += 1;
            }
            piece.runs.push((first, added));
        }
        out.push(piece);
    }

    /// Adds its edges to `out`, taken from old places to new ones of so many bits.
    fn moved(self, map: &[AtomicU32], bits: u32, pool: &Pool<'s>, out: &mut Vec<Self>) {
        let new = |place: Place| map[place as usize].load(Relaxed);
        if self.runs.is_empty() {
            let ends = self.ends().map(|(first, second)| (new(first), new(second)));
            Self::add(ends, bits, pool, out);
        } else {
            let runs = self.runs.iter().map(|(first, length)| (new(*first), *length));
            Self::add_runs(runs, self.seconds().map(new), bits, pool, out);
        }
        pool.give(self.words);
    }

    /// How many edges it has.
    pub(super) fn count(&self) -> usize {
        self.words.count()
    }

    /// Its runs; none if each edge has its own first end.
    pub(super) fn runs(&self) -> &[(Place, u32)] {
        &self.runs
    }

    /// Both ends of its edges, if it has no runs.
    pub(super) fn ends(&self) -> impl Iterator<Item = (Place, Place)> {
        self.words.words().map(|word| halves(word, self.bits))
    }

    /// The second ends of its edges.
    pub(super) fn seconds(&self) -> impl Iterator<Item = Place> {
        self.words.words().map(|word| halves(word, self.bits).1)
    }

    /// What it was kept in.
    pub(super) fn into_link(self) -> Link<'s> {
        self.words
    }
}

/// The parts of a word above and below so many bits.
#[expect(clippy::cast_possible_truncation, reason = "each was 32 bits at most")]
pub(super) fn halves(word: u64, bits: u32) -> (u32, u32) {
    ((word >> bits) as u32, (word & !(u64::MAX << bits)) as u32)
}
