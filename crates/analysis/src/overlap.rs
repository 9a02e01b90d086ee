//! Whose audiences overlap: all pairs of K lists, and every exclusive cell of up to 20.
//!
//! One pass over all lists together: at each member, the lists that have it are known at
//! once, and each of their pairs is counted. That costs what the overlap is worth: members
//! of one list only, the great majority, touch no pair at all.
//!
//! Presence needs no coverage: whoever was seen in two lists is in both. So where a list was
//! not read to its end, the counts of its members, of those in both and of those in either are
//! lower bounds. The shares made of them are not bounds at all: the rows that are missing may
//! lie in the intersection or outside it, so a Jaccard index, an overlap coefficient or a
//! containment may err either way. So may an exclusive cell: a member that a list did not show
//! is counted in a cell of fewer lists, or in none. [`Overlap::is_exact`] says of which pairs
//! all of it is exact.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use snapshot::{AccountId, List};

use crate::engine::Engine;
use crate::question::Slice;
use crate::ratio::ratio;
use crate::{Error, Observation, Partition, Question, Side, ask};

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
    counts: Pairs,
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

    /// Members of list `i`; a lower bound if it is incomplete.
    pub fn size(&self, i: usize) -> u64 {
        self.counts.get(i, i)
    }

    /// `|A ∩ B|`; a lower bound if one is incomplete.
    pub fn intersection(&self, i: usize, j: usize) -> u64 {
        self.counts.get(i, j)
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
/// Same as intersecting every pair of sets. O(rows × log K + Σ d²) time, where d is the
/// number of lists a member is in; O(K²) memory besides the engine's, and O(2^K) at the very
/// most for cells.
///
/// # Errors
/// If cells are asked for more than [`MAX_CELL_LISTS`] lists, or a list cannot be read.
pub fn overlap(lists: &[Observation], cells: Cells, engine: &dyn Engine) -> Result<Overlap, Error> {
    if cells == Cells::Count && lists.len() > MAX_CELL_LISTS {
        let message = format!(
            "exclusive cells are counted for at most {MAX_CELL_LISTS} lists, not {}",
            lists.len()
        );
        return Err(Error::invalid(message).with_hint("ask for fewer accounts, or for pairs only"));
    }
    let question = Count { lists: lists.len(), cells };
    let counts = ask(&question, &lists.iter().collect::<Vec<_>>(), engine)?;
    Ok(Overlap {
        accounts: lists.iter().map(Observation::account).collect(),
        lists: lists.iter().map(Observation::list).collect(),
        sides: lists.iter().map(Observation::side).collect(),
        cells: (cells == Cells::Count).then(|| counts.cells()),
        counts: counts.pairs,
    })
}

/// The question behind [`overlap`].
struct Count {
    lists: usize,
    cells: Cells,
}

struct Counts {
    pairs: Pairs,
    by_mask: BTreeMap<u32, u64>,
}

impl Counts {
    fn cells(&self) -> Vec<Cell> {
        self.by_mask.iter().map(|(mask, members)| Cell { mask: *mask, members: *members }).collect()
    }
}

impl Question for Count {
    type Partial = Counts;
    type Answer = Counts;

    fn start(&self) -> Counts {
        Counts { pairs: Pairs::new(self.lists), by_mask: BTreeMap::new() }
    }

    fn on_partition(&self, part: &Partition<'_>) -> Result<Counts, Error> {
        let mut counts = self.start();
        let lists: Vec<_> = (0..part.lists()).map(|i| part.list(i)).collect();
        each_member(&lists, |having| {
            counts.pairs.add(having);
            if self.cells == Cells::Count {
                let mask = having.iter().fold(0, |mask, i| mask | 1 << i);
                *counts.by_mask.entry(mask).or_default() += 1;
            }
        });
        Ok(counts)
    }

    fn merge(&self, answer: &mut Counts, part: Counts) {
        answer.pairs.merge(&part.pairs);
        for (mask, members) in part.by_mask {
            *answer.by_mask.entry(mask).or_default() += members;
        }
    }
}

/// Walks all lists together: at each member, the lists that have it, ascending.
/// O(rows × log lists).
fn each_member(lists: &[Slice<'_>], mut each: impl FnMut(&[usize])) {
    let first = |(i, list): (usize, &Slice<'_>)| list.members.first().map(|m| Reverse((*m, i, 0)));
    let mut heap: BinaryHeap<_> = lists.iter().enumerate().filter_map(first).collect();
    let mut having = Vec::with_capacity(lists.len());
    let mut current = None;
    while let Some(mut top) = heap.peek_mut() {
        let Reverse((member, list, row)) = *top;
        if current.replace(member).is_some_and(|last| last != member) {
            each(&having);
            having.clear();
        }
        having.push(list);
        match lists[list].members.get(row + 1) {
            Some(next) => *top = Reverse((*next, list, row + 1)),
            None => drop(std::collections::binary_heap::PeekMut::pop(top)),
        }
    }
    if !having.is_empty() {
        each(&having);
    }
}

/// A count for every unordered pair of lists, and for every list itself.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pairs {
    /// Row `j` of the lower triangle holds the pairs `(0, j) ..= (j, j)`.
    counts: Vec<u64>,
}

impl Pairs {
    fn new(lists: usize) -> Self {
        Self { counts: vec![0; lists * (lists + 1) / 2] }
    }

    fn row(j: usize) -> usize {
        j * (j + 1) / 2
    }

    fn get(&self, i: usize, j: usize) -> u64 {
        self.counts[Self::row(i.max(j)) + i.min(j)]
    }

    /// Counts a member of these lists, which ascend.
    fn add(&mut self, having: &[usize]) {
        for (n, j) in having.iter().enumerate() {
            let row = &mut self.counts[Self::row(*j)..];
            for i in &having[..=n] {
                row[*i] += 1;
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
    }
}
