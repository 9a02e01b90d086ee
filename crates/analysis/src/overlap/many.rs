//! Counts the pairs of thousands of lists, whose matrix fits no core's cache.
//!
//! To count a member's pairs where they fall would miss the cache with every increment. So the
//! lists of many members are collected first; then row after row of the matrix is counted by
//! itself, in a core's first cache, with the members of that row's list. Which these are says
//! an index over what was collected, made by a counting sort.

use std::ops::Range;

use rayon::prelude::*;

use super::Work;
use super::bits::Bits;
use super::counter::Tally;
use super::group::Groups;
use super::pairs::Pairs;

/// Stands behind the lists of each member.
const END: u16 = u16::MAX;

/// The most lists: their numbers are of 16 bits, and the largest stands for none.
pub(super) const MAX_LISTS: usize = END as usize;

/// Rows of the matrix that one task counts.
const TASK_ROWS: usize = 16;

/// Lists whose rows of bits are compared with those of a task before the next ones: 128 kB.
const TASK_OTHERS: usize = 256;

/// The members of several lists that one thread has met.
#[derive(Default)]
pub(super) struct Collector {
    groups: Groups,
    /// Members of so many lists are kept apart, to be counted as columns of bits.
    bits_from: usize,
    /// The lists of each member, ascending, and [`END`].
    few: Vec<u16>,
    /// The same of members of many lists.
    many: Vec<u16>,
    work: Work,
}

impl Collector {
    pub(super) fn new(bits_from: usize) -> Self {
        let work = Work { bits_from, ..Work::default() };
        Self { bits_from, work, ..Self::default() }
    }

    /// How many numbers of lists it holds.
    pub(super) fn held(&self) -> usize {
        self.few.len() + self.many.len()
    }

    pub(super) fn work(&self) -> Work {
        self.work
    }
}

impl Tally for Collector {
    fn groups(&mut self) -> &mut Groups {
        &mut self.groups
    }

    fn end(&mut self) {
        self.groups.finish();
        self.work.members += self.groups.len() as u64;
        for having in self.groups.each().filter(|having| having.len() > 1) {
            let kept = if having.len() < self.bits_from {
                self.work.one_by_one += 1;
                &mut self.few
            } else {
                self.work.as_bits += 1;
                &mut self.many
            };
            kept.extend_from_slice(having);
            kept.push(END);
        }
    }
}

/// Counts what was collected into the rows of `pairs`, and forgets it. Columns of bits wait in
/// `bits` until there are enough of them.
pub(super) fn count(collected: &mut [Collector], pairs: &mut Pairs, bits: &mut Bits) {
    let rows = pairs.rows();
    let indexes: Vec<Index<'_>> =
        collected.par_iter().map(|collector| Index::new(&collector.few, &rows)).collect();
    let mut tasks = pairs.rows_mut();
    tasks.par_chunks_mut(TASK_ROWS).for_each(|task| {
        for (i, row) in task {
            for index in &indexes {
                index.count(*i, row);
            }
        }
    });
    drop(indexes);
    let members = collected.iter().flat_map(|c| c.many.split(|list| *list == END));
    for having in members.filter(|having| !having.is_empty()) {
        bits.push(having, |full| count_rows_of(full, &mut tasks));
    }
    for collector in collected {
        collector.few.clear();
        collector.many.clear();
    }
}

/// Counts the columns of bits that wait.
pub(super) fn count_bits(bits: &Bits, pairs: &mut Pairs) {
    if !bits.is_empty() {
        count_rows_of(bits, &mut pairs.rows_mut());
    }
}

/// Where in the lists of members each list stands.
struct Index<'a> {
    few: &'a [u16],
    first_row: usize,
    /// Where the places of each row's list end.
    ends: Vec<u32>,
    /// One behind where it stands: there begin the lists it makes pairs with.
    places: Vec<u32>,
}

impl<'a> Index<'a> {
    /// An index of the lists in `rows`. O(rows + numbers).
    fn new(few: &'a [u16], rows: &Range<usize>) -> Self {
        // Of every list but the last one of a member, which makes no pair with a later one.
        let wanted = |pair: &[u16]| {
            let list = usize::from(pair[0]);
            (pair[1] != END && rows.contains(&list)).then(|| list - rows.start)
        };
        let mut ends = vec![0_u32; rows.len()];
        few.windows(2).filter_map(wanted).for_each(|row| ends[row] += 1);
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        let mut places = vec![0; sum as usize];
        for (place, pair) in (1..).zip(few.windows(2)) {
            if let Some(row) = wanted(pair) {
                places[ends[row] as usize] = place;
                ends[row] += 1;
            }
        }
        Self { few, first_row: rows.start, ends, places }
    }

    /// Adds the pairs of list `i` with later ones.
    fn count(&self, i: usize, row: &mut [u32]) {
        let at = i - self.first_row;
        let from = if at == 0 { 0 } else { self.ends[at - 1] };
        for place in &self.places[from as usize..self.ends[at] as usize] {
            for j in self.few[*place as usize..].iter().take_while(|j| **j != END) {
                row[usize::from(*j) - i - 1] += 1;
            }
        }
    }
}

fn count_rows_of(bits: &Bits, tasks: &mut [(usize, &mut [u32])]) {
    tasks.par_chunks_mut(TASK_ROWS).for_each(|task| {
        let first = task.first().map_or(0, |(i, _)| i + 1);
        for others in (first..bits.rows()).step_by(TASK_OTHERS) {
            let others = others..(others + TASK_OTHERS).min(bits.rows());
            for (i, row) in &mut *task {
                let others = others.start.max(*i + 1)..others.end.max(*i + 1);
                bits.count_some(*i, others.clone(), &mut row[others.start - *i - 1..]);
            }
        }
    });
}
