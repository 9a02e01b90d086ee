//! Walks the lists and has the pairs counted, in the way that fits how many lists there are.
//!
//! | lists | a member of several lists | where counts are |
//! |---|---|---|
//! | up to 12, or with cells | one increment, for the combination of lists it is in | 2^lists |
//! | up to 724 | an increment per pair; as a column of bits, if it is in many | a matrix per thread |
//! | more | collected first, then row by row of the matrix | one matrix, or some rows at a time |

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::bits::Bits;
use super::counter::{Counter, MASK_LISTS, Tally, bits_from};
use super::many::{self, Collector};
use super::pairs::{Pairs, before};
use super::walk::{self, Walk};
use super::{Cells, Work};
use crate::{Error, Observation};

/// The most lists for which every thread has a matrix of its own: 1 MiB of a core's second
/// cache.
const FEW_LISTS: usize = 724;

/// Rows in a step, of all lists together, if the memory allows: 32 MB of ids.
const STEP_ROWS: usize = 1 << 22;

/// Numbers of lists that are collected before rows are counted, if the memory allows: 32 MB, and
/// 64 MB of index.
const BATCH: usize = 1 << 24;

/// The sizes that work is cut into. Any are right; these are fast.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Members of so many lists are counted as columns of bits.
    pub(super) bits_from: usize,
    /// Rows in a step.
    pub(super) step: usize,
    /// Rows in a chunk.
    pub(super) chunk: usize,
    /// Numbers of lists in a batch.
    pub(super) batch: usize,
    /// Bytes of short lists that are held.
    pub(super) memory: u64,
}

impl Plan {
    fn of(lists: usize, memory: u64) -> Self {
        // So few rows that a chunk's table of members lies in a core's second cache, and so many
        // that most lists have some.
        let chunk = (64 * lists).clamp(1 << 14, 1 << 19);
        let share = usize::try_from(memory / 32).unwrap_or(usize::MAX);
        Self {
            bits_from: bits_from(lists),
            step: share.clamp(1 << 16, STEP_ROWS),
            chunk,
            batch: share.clamp(1 << 18, BATCH),
            memory: memory / 4,
        }
    }
}

/// What was counted.
pub(super) struct Counted {
    /// Of every pair.
    pub(super) pairs: Pairs,
    /// Of every exact combination of lists, bit `i` for list `i`, where there are few lists.
    pub(super) by_mask: Vec<u32>,
    /// Rows of each list.
    pub(super) sizes: Vec<u64>,
    pub(super) work: Work,
}

/// Counts all pairs, and combinations if they are asked for. `memory` bounds what is kept of
/// the lists; the matrix comes on top.
pub(super) fn count(lists: &[Observation], cells: Cells, memory: u64) -> Result<Counted, Error> {
    let plan = Plan::of(lists.len(), memory);
    if cells == Cells::Count || lists.len() <= MASK_LISTS {
        return few(lists, true, plan);
    }
    if lists.len() <= FEW_LISTS {
        return few(lists, false, plan);
    }
    let mut pairs = Pairs::new(lists.len());
    let (sizes, work) = rows(lists, &mut pairs, plan)?;
    Ok(Counted { pairs, by_mask: Vec::new(), sizes, work })
}

/// Counts all pairs and hands them over some rows of the matrix at a time, in order, with the
/// sizes of all lists. The rows
/// and what is kept of the lists take no more than `memory` together, as far as it can be; if
/// not all rows fit in half of it, the lists are read as often as there are parts.
pub(super) fn each(
    lists: &[Observation],
    memory: u64,
    mut take: impl FnMut(&Pairs, &[u64]) -> Result<(), Error>,
) -> Result<Work, Error> {
    let bands = bands(lists.len(), memory / 2);
    if let [_] = bands[..] {
        let all = count(lists, Cells::Skip, memory / 2)?;
        take(&all.pairs, &all.sizes)?;
        return Ok(all.work);
    }
    let mut work = Work::default();
    for band in bands {
        let mut pairs = Pairs::of_rows(lists.len(), band);
        let sizes;
        (sizes, work) = rows(lists, &mut pairs, Plan::of(lists.len(), memory / 2))?;
        take(&pairs, &sizes)?;
    }
    Ok(work)
}

/// Rows of the matrix that fit in so many bytes together, at least one, and so on.
fn bands(lists: usize, memory: u64) -> Vec<Range<usize>> {
    let cells = usize::try_from(memory / 4).unwrap_or(usize::MAX);
    let mut bands = Vec::new();
    let mut start = 0;
    for end in 1..=lists {
        let fits = |end| before(lists, end) - before(lists, start) <= cells;
        if end == lists || !fits(end + 1) {
            bands.push(start..end);
            start = end;
        }
    }
    if lists == 0 {
        bands.push(0..0);
    }
    bands
}

/// Counts with a matrix, or a counter for every combination of lists, per thread.
pub(super) fn few(lists: &[Observation], masks: bool, plan: Plan) -> Result<Counted, Error> {
    let k = lists.len();
    let counters = Pool::new(|| Counter::new(k, masks, plan.bits_from));
    let mut walk = Walk::new(lists, plan.step, plan.memory)?;
    while let Some(rows) = walk.next()? {
        counters.take(&rows, plan.chunk);
    }
    let mut sum = Counted {
        sizes: sizes(lists, &walk)?,
        pairs: Pairs::new(k),
        by_mask: vec![0; if masks { 1 << k } else { 0 }],
        work: Work::default(),
    };
    for counter in counters.into_all() {
        let (pairs, by_mask, work) = counter.finish();
        sum.pairs.merge(&pairs);
        sum.by_mask.iter_mut().zip(by_mask).for_each(|(all, some)| *all += some);
        sum.work.add(work);
    }
    add_masks(&sum.by_mask, &mut sum.pairs);
    Ok(sum)
}

/// Adds the pairs of members that are counted by mask.
fn add_masks(by_mask: &[u32], pairs: &mut Pairs) {
    for (mask, members) in by_mask.iter().enumerate().filter(|(_, members)| **members > 0) {
        let lists: Vec<usize> = (0..20).filter(|i| mask >> i & 1 == 1).collect();
        for (n, i) in lists.iter().enumerate() {
            lists[n + 1..].iter().for_each(|j| pairs.add(*i, *j, *members));
        }
    }
}

/// Counts some rows of the matrix; answers the sizes of all lists too.
pub(super) fn rows(
    lists: &[Observation],
    pairs: &mut Pairs,
    plan: Plan,
) -> Result<(Vec<u64>, Work), Error> {
    let mut bits = Bits::new(lists.len());
    let collectors = Pool::new(|| Collector::new(plan.bits_from));
    let mut walk = Walk::new(lists, plan.step, plan.memory)?;
    while let Some(rows) = walk.next()? {
        collectors.take(&rows, plan.chunk);
        let mut all = collectors.all();
        if all.iter().map(Collector::held).sum::<usize>() >= plan.batch {
            many::count(&mut all, pairs, &mut bits);
        }
    }
    let sizes = sizes(lists, &walk)?;
    let mut all = collectors.into_all();
    many::count(&mut all, pairs, &mut bits);
    many::count_bits(&bits, pairs);
    let mut work = Work::default();
    for collector in &all {
        work.add(collector.work());
    }
    Ok((sizes, work))
}

/// How many rows each list had. A list that lost some on disk would overlap less than it did.
fn sizes(lists: &[Observation], walk: &Walk<'_>) -> Result<Vec<u64>, Error> {
    let check = |(list, rows): (&Observation, u64)| list.check(rows).map(|()| rows);
    lists.iter().zip(walk.rows()).map(check).collect()
}

/// What threads count with. How many there are and who has which makes no difference to sums.
struct Pool<T, F> {
    free: Mutex<Vec<T>>,
    make: F,
}

impl<T: Tally, F: Fn() -> T + Sync> Pool<T, F> {
    fn new(make: F) -> Self {
        Self { free: Mutex::default(), make }
    }

    fn all(&self) -> std::sync::MutexGuard<'_, Vec<T>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn into_all(self) -> Vec<T> {
        self.free.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the rows of a step in parallel, cut into chunks; neighbouring chunks go to the same
    /// thread, which then passes over the lists without looking for where to go on.
    fn take(&self, lists: &[&[i64]], chunk: usize) {
        let cuts = walk::chunks(lists, chunk);
        let for_each_task = cuts.len().div_ceil(4 * rayon::current_num_threads()).max(1);
        let mut tasks: Vec<&[i64]> = cuts.chunks(for_each_task).collect();
        if tasks.is_empty() {
            tasks.push(&[]);
        }
        let take_task = |n: usize| {
            let free = self.all().pop();
            let mut tally = free.unwrap_or_else(&self.make);
            // The first task has what lies before its first cut too, the last what lies behind
            // its last one.
            let first = if n == 0 { i64::MIN } else { tasks[n][0] };
            let ends = &tasks[n][usize::from(n > 0)..];
            let last = tasks.get(n + 1).map(|next| next[0]);
            take_from(lists, first, ends, last, &mut tally);
            self.all().push(tally);
        };
        if let [_] = tasks[..] {
            // Not worth the way to another thread.
            take_task(0);
        } else {
            (0..tasks.len()).into_par_iter().with_max_len(1).for_each(take_task);
        }
    }
}

/// Takes the rows with ids from `first` to before `last`, in chunks that end at `ends`.
fn take_from(
    lists: &[&[i64]],
    first: i64,
    ends: &[i64],
    last: Option<i64>,
    tally: &mut impl Tally,
) {
    let mut rest: Vec<&[i64]> =
        lists.iter().map(|list| &list[list.partition_point(|id| *id < first)..]).collect();
    for end in ends.iter().copied().map(Some).chain([last]) {
        tally.groups().clear();
        for list in &mut rest {
            let rows = end.map_or(list.len(), |end| rows_below(list, end));
            let (chunk, later) = list.split_at(rows);
            tally.groups().push(chunk);
            *list = later;
        }
        tally.end();
    }
}

/// How many rows have ids below `end`: few compared with the list.
fn rows_below(list: &[i64], end: i64) -> usize {
    let strides = list.chunks_exact(8).take_while(|stride| stride[7] < end).count();
    8 * strides + list[8 * strides..].iter().take_while(|id| **id < end).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_hold_every_row_once_and_no_more_than_they_may() {
        for (lists, memory) in [(0, 0), (1, 0), (2, 0), (10, 0), (10, 80), (10, 180), (1000, 9999)]
        {
            let bands = bands(lists, memory);
            assert_eq!((bands[0].start, bands[bands.len() - 1].end), (0, lists));
            assert!(bands.windows(2).all(|w| w[0].end == w[1].start));
            for band in bands.iter().filter(|band| band.len() > 1) {
                let cells: usize = band.clone().map(|i| lists - 1 - i).sum();
                assert!(4 * cells as u64 <= memory, "{band:?} of {lists} in {memory}");
            }
        }
    }
}
