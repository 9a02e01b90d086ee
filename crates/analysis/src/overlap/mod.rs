//! Whose audiences overlap: all pairs of K lists, and every exclusive cell of up to 20.
//!
//! One pass over all lists together, a few thousand members at a time: a table in a core's cache
//! tells which lists each member is in, and its pairs are counted. Members of one list only, the
//! great majority, touch no pair at all. How a member's pairs are counted follows from how many
//! lists there are and how many it is in ([`Work`] tells): one increment for the combination of
//! lists, one per pair, or, for the few that are in very many lists and make most of the pairs,
//! as a column of bits with 512 pairs to an instruction. Two sorted lists could be merged for
//! less; K of them not, because each would be merged K − 1 times.
//!
//! What it leaves out: skipping pages of one long list that cannot hold a member of a short one.
//! Every list is read from its beginning to its end, which is how it is known to be whole.
//!
//! Presence needs no coverage: whoever was seen in two lists is in both. So where a list was
//! not read to its end, the counts of its members, of those in both and of those in either are
//! lower bounds. The shares made of them are not bounds at all: the rows that are missing may
//! lie in the intersection or outside it, so a Jaccard index, an overlap coefficient or a
//! containment may err either way. So may an exclusive cell: a member that a list did not show
//! is counted in a cell of fewer lists, or in none. [`Overlap::is_exact`] says of which pairs
//! all of it is exact.

mod rank;
mod sketch;

mod count;

mod bits;
mod chance;
mod counter;
mod group;
mod many;
mod open;
mod pairs;
mod sweep;
mod walk;
mod work;

#[cfg(test)]
mod tests;

use snapshot::{AccountId, Columns, List};

use crate::engine::Engine;
use crate::ratio::ratio;
use crate::{Error, Observation, Side};

use count::Counted;
use many::MAX_LISTS;
use pairs::Pairs;

pub use chance::{Chance, chances, holm, ln_tail};
pub use rank::{By, Pair, Strongest, overlap_each, overlap_strongest};
pub use sketch::{CONFIDENCE, Estimate, Estimates, overlap_estimated};
pub use work::Work;

/// How the members of K lists overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// Whose lists, in the order given.
    pub accounts: Vec<AccountId>,
    /// Which list of each.
    pub lists: Vec<List>,
    /// The crawl of each.
    pub sides: Vec<Side>,
    /// The members of exactly these lists and no other, for each combination that has any,
    /// if they were asked for. With an incomplete list among them, each may be too large or
    /// too small.
    pub cells: Option<Vec<Cell>>,
    /// How it was counted.
    pub work: Work,
    sizes: Vec<u64>,
    pairs: Pairs,
}

/// Whether to count exclusive cells besides pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cells {
    /// Pairs only, for any number of lists.
    #[default]
    Skip,
    /// Every exclusive cell, for at most [`MAX_CELL_LISTS`] lists.
    Count,
}

/// The most lists whose exclusive cells can be counted.
pub const MAX_CELL_LISTS: usize = 20;

/// The members of exactly one combination of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// Bit `i` is set if list `i` has them.
    pub mask: u32,
    /// How many members there are.
    pub members: u64,
}

impl Cell {
    /// The lists that have them, ascending.
    pub fn lists(self) -> impl Iterator<Item = usize> {
        (0..32).filter(move |i| self.mask >> i & 1 == 1)
    }
}

impl Overlap {
    /// How many lists there are.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether there is no list.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// Every pair `i < j`, in row order.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let k = self.len();
        (0..k).flat_map(move |i| (i + 1..k).map(move |j| (i, j)))
    }

    /// How lists `i` and `j` overlap.
    ///
    /// # Panics
    /// If they are one list, or there is no such list.
    pub fn pair(&self, i: usize, j: usize) -> Pair {
        Pair {
            a: i,
            b: j,
            a_size: self.size(i),
            b_size: self.size(j),
            intersection: u64::from(self.pairs.get(i, j)),
            exact: self.is_exact(i, j),
        }
    }

    /// The strongest pairs, at most `top` of them, strongest first; of equal ones the first in
    /// the order of the lists. O(pairs × log top).
    pub fn strongest(&self, top: usize, by: By) -> Vec<Pair> {
        let mut best = rank::Best::new(top);
        for pair in self.pairs().map(|(i, j)| self.pair(i, j)) {
            best.offer(by.strength(&pair), (pair.a, pair.b), pair);
        }
        best.into_sorted()
    }

    /// Members of list `i`; a lower bound if it is incomplete.
    pub fn size(&self, i: usize) -> u64 {
        self.sizes[i]
    }

    /// `|A ∩ B|`; a lower bound if one is incomplete.
    pub fn intersection(&self, i: usize, j: usize) -> u64 {
        if i == j { self.size(i) } else { u64::from(self.pairs.get(i, j)) }
    }

    /// `|A ∪ B|`; a lower bound if one is incomplete.
    pub fn union(&self, i: usize, j: usize) -> u64 {
        self.size(i) + self.size(j) - self.intersection(i, j)
    }

    /// `|A ∩ B| / |A ∪ B|`, the coefficient of community of Jaccard (1901; in English 1912).
    /// `None` if both are empty.
    pub fn jaccard(&self, i: usize, j: usize) -> Option<f64> {
        ratio(self.intersection(i, j), self.union(i, j))
    }

    /// `|A ∩ B| / min(|A|, |B|)`, the overlap coefficient of Szymkiewicz (1934) and Simpson
    /// (1943). `None` if one is empty.
    pub fn overlap_coefficient(&self, i: usize, j: usize) -> Option<f64> {
        ratio(self.intersection(i, j), self.size(i).min(self.size(j)))
    }

    /// `|A ∩ B| / |A|`: the share of list `i` that list `j` has too. `None` if `i` is empty.
    pub fn containment(&self, i: usize, j: usize) -> Option<f64> {
        ratio(self.intersection(i, j), self.size(i))
    }

    /// Whether both lists were read to their end. If not, [`size`](Self::size),
    /// [`intersection`](Self::intersection) and [`union`](Self::union) are lower bounds, and the
    /// shares made of them are those of what was seen: the true ones may be larger or smaller.
    pub fn is_exact(&self, i: usize, j: usize) -> bool {
        self.sides[i].state.is_complete() && self.sides[j].state.is_complete()
    }
}

/// Compares all pairs of lists, and counts their exclusive cells if asked to.
///
/// Same as intersecting every pair of sets. O(rows + Σ min(d², K²/512)) time, where d is the
/// number of lists a member is in; 4 bytes per pair in memory, up to 724 lists once per thread,
/// 4 × 2^K bytes per thread for cells, and besides the engine's some 32 MB and a page and what
/// it is decoded from, up to a megabyte, for each list that has a row group of its own. Shorter
/// lists take 256 MB together at most, and those of more than 724 lists another 100 MB.
///
/// # Errors
/// If cells are asked for more than [`MAX_CELL_LISTS`] lists, there are more than 65,535 lists or
/// so many that their pairs take more than half of [`memory`](crate::memory), or a list cannot
/// be read.
pub fn overlap(lists: &[Observation], cells: Cells, engine: &dyn Engine) -> Result<Overlap, Error> {
    if cells == Cells::Count && lists.len() > MAX_CELL_LISTS {
        let message = format!(
            "exclusive cells are counted for at most {MAX_CELL_LISTS} lists, not {}",
            lists.len()
        );
        return Err(Error::invalid(message).with_hint("ask for fewer accounts, or for pairs only"));
    }
    check_number(lists)?;
    let matrix = 4 * pairs::before(lists.len(), lists.len()) as u64;
    if matrix > crate::memory() / 2 {
        let message = format!(
            "the overlaps of {} lists take {} MiB, more than half of the memory allowed",
            lists.len(),
            matrix >> 20
        );
        return Err(Error::invalid(message).with_hint("ask for the strongest pairs only"));
    }
    let lists = engine.hold(&lists.iter().collect::<Vec<_>>(), Columns::default())?;
    let Counted { pairs, by_mask, sizes, work } = count::count(&lists, cells, crate::memory())?;
    Ok(Overlap {
        accounts: lists.iter().map(Observation::account).collect(),
        lists: lists.iter().map(Observation::list).collect(),
        sides: lists.iter().map(Observation::side).collect(),
        cells: (cells == Cells::Count).then(|| cells_of(&by_mask)),
        work,
        sizes,
        pairs,
    })
}

/// Numbers of lists are of 16 bits while they are counted.
fn check_number(lists: &[Observation]) -> Result<(), Error> {
    if lists.len() <= MAX_LISTS {
        return Ok(());
    }
    let message =
        format!("overlaps are counted for at most {MAX_LISTS} lists, not {}", lists.len());
    Err(Error::invalid(message).with_hint("ask for fewer accounts"))
}

fn cells_of(by_mask: &[u32]) -> Vec<Cell> {
    let cells = (0..).zip(by_mask).filter(|(_, members)| **members > 0);
    cells.map(|(mask, members)| Cell { mask, members: u64::from(*members) }).collect()
}
