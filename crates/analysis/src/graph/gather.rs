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
#[derive(Default)]
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

/// Reads edges, and numbers their ends.
pub(super) struct Gatherer {
    places: Places,
    done: Vec<Edges>,
}

impl Gatherer {
    /// For about so many edges.
    pub(super) fn new(edges: u64) -> Self {
        Self { places: Places::new(edges), done: Vec::new() }
    }

    /// Adds ids that may have no edges.
    pub(super) fn ids(&mut self, ids: &[i64], negative: impl Fn() -> Error) -> Result<(), Error> {
        let mut places = Vec::new();
        for ids in ids.chunks(AT_ONCE) {
            loop {
                match self.places.of(ids, &mut places) {
                    Ok(()) => break,
                    Err(Refusal::Negative) => return Err(negative()),
                    Err(Refusal::Full) => self.grow(&mut [], &mut [])?,
                }
            }
        }
        Ok(())
    }

    /// Reads all blocks after what `edges` has.
    pub(super) fn read(&mut self, edges: &mut Edges, blocks: &dyn Blocks) -> Result<(), Error> {
        let mut tasks: Vec<Task> = (0..blocks.count()).map(Task::new).collect();
        let spare = Mutex::new(Vec::new());
        loop {
            let places = &self.places;
            let work = tasks.par_iter_mut().with_max_len(1);
            work.try_for_each(|task| task.go_on(blocks, places, &spare))?;
            if tasks.iter().all(|task| task.state.is_done()) {
                break;
            }
            self.grow(edges, &mut tasks)?;
        }
        edges.pieces.reserve(tasks.iter().map(|task| task.pieces.len()).sum());
        for task in tasks {
            edges.append(task);
        }
        Ok(())
    }
}
