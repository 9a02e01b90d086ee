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
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use rayon::prelude::*;

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
pub(super) struct Edges {
    pub(super) pieces: Vec<Piece>,
    /// Whether their ids ascend, by the first end and then by the second.
    pub(super) ascend: bool,
    last: Option<(i64, i64)>,
}

/// Some edges, at most [`AT_ONCE`].
pub(super) struct Piece {
    pub(super) first: Firsts,
    pub(super) second: Vec<Place>,
}

/// The first ends of a piece's edges.
pub(super) enum Firsts {
    /// One for each edge.
    Each(Vec<Place>),
    /// One for so many edges that follow each other.
    Runs(Vec<(Place, u32)>),
}

/// Reads the edges of up to two lists, and numbers their ends.
pub(super) struct Gatherer {
    pub(super) places: Places,
    pub(super) lists: [Edges; 2],
}

impl Gatherer {
    /// For about so many edges.
    pub(super) fn new(edges: u64) -> Self {
        Self { places: Places::new(edges), lists: [Edges::new(), Edges::new()] }
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
        let mut tasks: Vec<Task> = (0..blocks.count()).map(Task::new).collect();
        let spare = Mutex::new(Vec::new());
        loop {
            let places = &self.places;
            let work = tasks.par_iter_mut().with_max_len(1);
            work.try_for_each(|task| task.go_on(blocks, places, &spare))?;
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

    fn grow(&mut self, tasks: &mut [Task]) -> Result<(), Error> {
        let places = std::mem::replace(&mut self.places, Places::new(0));
        let (places, map) = places.grown()?;
        self.places = places;
        let pieces = self.lists.iter_mut().flat_map(|edges| &mut edges.pieces);
        let pieces = pieces.chain(tasks.iter_mut().flat_map(|task| &mut task.pieces));
        let pieces: Vec<&mut Piece> = pieces.collect();
        pieces.into_par_iter().for_each(|piece| piece.moved(&map));
        Ok(())
    }
}

impl Edges {
    /// Without edges; they ascend until two do not.
    pub(super) fn new() -> Self {
        Self { pieces: Vec::new(), ascend: true, last: None }
    }

    /// How many there are, each counted as often as it came.
    pub(super) fn count(&self) -> usize {
        self.pieces.iter().map(|piece| piece.second.len()).sum()
    }

    fn append(&mut self, task: Task) {
        if let Some((first, last)) = task.ends {
            self.ascend &= task.ascend && self.last.is_none_or(|before| before <= first);
            self.last = Some(last);
        }
        self.pieces.extend(task.pieces);
    }
}

/// A block on its way.
struct Task {
    block: usize,
    state: State,
    pieces: Vec<Piece>,
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

impl Task {
    fn new(block: usize) -> Self {
        Self { block, state: State::Unread, pieces: Vec::new(), ascend: true, ends: None }
    }

    /// Reads the block and keeps its edges, until it is done or the places are full. Blocks
    /// that were used and are no longer lie in `spare`.
    fn go_on(
        &mut self,
        blocks: &dyn Blocks,
        places: &Places,
        spare: &Mutex<Vec<Block>>,
    ) -> Result<(), Error> {
        let (block, mut at) = match std::mem::replace(&mut self.state, State::Done) {
            State::Done => return Ok(()),
            State::Kept(block, at) => (block, at),
            State::Unread if places.are_full() => {
                self.state = State::Unread;
                return Ok(());
            }
            State::Unread => {
                let mut block = taken(spare);
                blocks.read(self.block, &mut block)?;
                (self.ascend, self.ends) = (block.ascends(), block.ends());
                (block, 0)
            }
        };
        while at < block.first.len() {
            let some = at..block.first.len().min(at + AT_ONCE);
            let (first, second) = (&block.first[some.clone()], &block.second[some.clone()]);
            match Piece::new(first, second, places) {
                Ok(piece) => self.pieces.push(piece),
                Err(Refusal::Negative) => return Err(blocks.negative()),
                Err(Refusal::Full) => {
                    self.state = State::Kept(block, at);
                    return Ok(());
                }
            }
            at = some.end;
        }
        if let Ok(mut spare) = spare.lock() {
            spare.push(block);
        }
        Ok(())
    }
}

fn taken(spare: &Mutex<Vec<Block>>) -> Block {
    let mut block = spare.lock().ok().and_then(|mut spare| spare.pop()).unwrap_or_default();
    block.first.clear();
    block.second.clear();
    block
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

impl Piece {
    fn new(first: &[i64], second: &[i64], places: &Places) -> Result<Self, Refusal> {
        let mut seconds = Vec::with_capacity(second.len());
        places.of(second, &mut seconds)?;
        let mut firsts = Vec::new();
        let changes = first.windows(2).filter(|two| two[0] != two[1]).count();
        let first = if changes < first.len() / 4 {
            let runs = first.chunk_by(|a, b| a == b);
            let (heads, lengths): (Vec<i64>, Vec<u32>) =
                runs.map(|run| (run[0], run.len() as u32)).unzip();
            places.of(&heads, &mut firsts)?;
            Firsts::Runs(firsts.into_iter().zip(lengths).collect())
        } else {
            firsts.reserve_exact(first.len());
            places.of(first, &mut firsts)?;
            Firsts::Each(firsts)
        };
        Ok(Self { first, second: seconds })
    }

    /// Takes its edges from old places to new.
    fn moved(&mut self, map: &[AtomicU32]) {
        let to_new = |place: &mut Place| *place = map[*place as usize].load(Relaxed);
        self.second.iter_mut().for_each(to_new);
        match &mut self.first {
            Firsts::Each(places) => places.iter_mut().for_each(to_new),
            Firsts::Runs(runs) => runs.iter_mut().for_each(|(place, _)| to_new(place)),
        }
    }

    /// Calls `each` with all edges, in order.
    pub(super) fn for_each(&self, mut each: impl FnMut(Place, Place)) {
        match &self.first {
            Firsts::Each(firsts) => {
                firsts.iter().zip(&self.second).for_each(|(first, second)| each(*first, *second));
            }
            Firsts::Runs(runs) => {
                let mut rest = &self.second[..];
                for (first, length) in runs {
                    let (run, after) = rest.split_at(*length as usize);
                    run.iter().for_each(|second| each(*first, *second));
                    rest = after;
                }
            }
        }
    }
}
