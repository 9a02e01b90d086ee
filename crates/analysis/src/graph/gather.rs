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

use super::links::{LINK, Link, Pool};
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

/// Some edges, at most [`AT_ONCE`].
pub(super) enum Piece<'s> {
    /// Both ends of an edge in a word, the first above.
    Each(Link<'s>),
    /// The first ends, each of so many edges that follow each other.
    Runs(Vec<(Place, u32)>, Seconds<'s>),
}

/// The second ends of edges, two in a word.
pub(super) struct Seconds<'s> {
    link: Link<'s>,
    count: usize,
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
        let pieces = self.lists.iter_mut().flat_map(|edges| &mut edges.pieces);
        let pieces = pieces.chain(tasks.iter_mut().flat_map(|task| &mut task.pieces));
        let pieces: Vec<&mut Piece<'_>> = pieces.collect();
        let map = self.places.grow(!pieces.is_empty())?;
        pieces.into_par_iter().for_each(|piece| piece.moved(&map));
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
                self.lengths.push(run.len() as u32);
            }
            with.places.of(&self.heads, &mut self.first)?;
            let runs = self.first.iter().copied().zip(self.lengths.iter().copied()).collect();
            out.push(Piece::Runs(runs, Seconds::new(&self.second, with.pool)));
            return Ok(());
        }
        with.places.of(first, &mut self.first)?;
        for (first, second) in self.first.chunks(LINK).zip(self.second.chunks(LINK)) {
            let mut link = with.pool.take();
            for (first, second) in first.iter().zip(second) {
                link.push(u64::from(*first) << 32 | u64::from(*second));
            }
            out.push(Piece::Each(link));
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
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Each(link) => link.words().len(),
            Self::Runs(_, seconds) => seconds.count,
        }
    }

    /// Takes its edges from old places to new.
    fn moved(&mut self, map: &[AtomicU32]) {
        let new = |place: Place| map[place as usize].load(Relaxed);
        let both = |word: &mut u64| {
            let (high, low) = halves(*word);
            *word = u64::from(new(high)) << 32 | u64::from(new(low));
        };
        match self {
            Self::Each(link) => link.words_mut().iter_mut().for_each(both),
            Self::Runs(runs, seconds) => {
                runs.iter_mut().for_each(|(place, _)| *place = new(*place));
                // Half a word may be nobody's place, and it is 0.
                seconds.link.words_mut().iter_mut().for_each(both);
            }
        }
    }

    /// Calls `each` with all edges, in order.
    pub(super) fn for_each(&self, mut each: impl FnMut(Place, Place)) {
        match self {
            Self::Each(link) => link.words().iter().for_each(|word| {
                let (first, second) = halves(*word);
                each(first, second);
            }),
            Self::Runs(runs, seconds) => {
                let mut seconds = seconds.iter();
                for (first, length) in runs {
                    seconds.by_ref().take(*length as usize).for_each(|second| each(*first, second));
                }
            }
        }
    }

    /// What it was kept in.
    pub(super) fn into_link(self) -> Link<'s> {
        match self {
            Self::Each(link) => link,
            Self::Runs(_, seconds) => seconds.link,
        }
    }
}

impl<'s> Seconds<'s> {
    fn new(seconds: &[Place], pool: &Pool<'s>) -> Self {
        let mut link = pool.take();
        for two in seconds.chunks(2) {
            let high = two.get(1).copied().unwrap_or(0);
            link.push(u64::from(high) << 32 | u64::from(two[0]));
        }
        Self { link, count: seconds.len() }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Place> {
        let words = self.link.words().iter();
        let both = words.flat_map(|word| {
            let (high, low) = halves(*word);
            [low, high]
        });
        both.take(self.count)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "halves")]
fn halves(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}
