//! Walks K lists through the id space together, a step of bounded size at a time.
//!
//! Every list is read once, from its beginning to its end, and stays open between steps: what
//! was decoded beyond the end of a step waits for the next. So nothing is decoded twice, and
//! memory depends on the size of a step and on one page of each list, not on their lengths.
//! Many short lists are read together instead ([`Sweep`]), as often as it takes to hold no more
//! of them than allowed. Within a step lists are decoded in parallel, and what is decoded is
//! counted in parallel.

use rayon::prelude::*;

use super::open::OpenList;
use super::sweep::{Sweep, sweeps};
use crate::observation::ALL_IDS;
use crate::{Error, Observation};

/// Of so many rows of a list, one is looked at to find out where to cut.
const SAMPLE: usize = 1 << 10;

/// The most bytes of rows that sweeps hold, if the memory allows.
const SWEPT_BYTES: u64 = 256 << 20;

/// Many lists on their way through the id space.
pub(super) struct Walk<'a> {
    lists: Vec<OpenList<'a>>,
    /// Where the lists that stay open can be cut, with the rows from there on; descending.
    cuts: Vec<(i64, usize)>,
    sweeps: Vec<Sweep<'a>>,
    /// Where sweeps end, the next one last.
    passes: Vec<i64>,
    /// Where the steps of the present pass end, the next one last.
    steps: Vec<i64>,
    start: i64,
    step: usize,
}

impl<'a> Walk<'a> {
    /// Begins. A step has about `step` rows of all lists together; short lists are held within
    /// so many bytes. Reads nothing yet, unless there are very many of these.
    pub(super) fn new(lists: &'a [Observation], step: usize, memory: u64) -> Result<Self, Error> {
        let sweeps = sweeps(lists);
        let mut swept = vec![false; lists.len()];
        sweeps.iter().flat_map(Sweep::lists).for_each(|list| swept[list] = true);
        let mut cuts = Vec::new();
        let open = |(list, swept): (&'a Observation, bool)| {
            if swept {
                return OpenList::empty();
            }
            let of_list = list.cuts();
            let pieces = (of_list.len() as u64).max(1);
            let rows = usize::try_from(list.len() / pieces).unwrap_or(usize::MAX);
            cuts.extend(of_list.into_iter().map(|cut| (cut, rows)));
            OpenList::new(list)
        };
        let lists = lists.iter().zip(swept).map(open).collect();
        cuts.sort_unstable_by(|a, b| b.cmp(a));
        let mut passes = passes(&sweeps, memory.min(SWEPT_BYTES))?;
        passes.reverse();
        Ok(Self { lists, cuts, sweeps, passes, steps: Vec::new(), start: i64::MIN, step })
    }

    /// Reads on to the end of the next step; answers the rows of each list in it. `None` after
    /// the last.
    pub(super) fn next(&mut self) -> Result<Option<Vec<&[i64]>>, Error> {
        if self.steps.is_empty() {
            let Some(end) = self.passes.pop() else { return Ok(None) };
            self.begin(end)?;
        }
        let Some(end) = self.steps.pop() else { return Ok(None) };
        if self.lists.iter().all(OpenList::is_in_memory) {
            self.lists.iter_mut().try_for_each(|list| list.read_to(end))?;
        } else {
            self.lists.par_iter_mut().with_max_len(4).try_for_each(|list| list.read_to(end))?;
        }
        Ok(Some(self.lists.iter().map(OpenList::rows).collect()))
    }

    /// Begins a pass.
    fn begin(&mut self, end: i64) -> Result<(), Error> {
        let mut cuts: Vec<(i64, usize)> = Vec::new();
        for sweep in &self.sweeps {
            let mut rows_of: Vec<Vec<i64>> = vec![Vec::new(); self.lists.len()];
            for (list, rows) in sweep.rows_of(&(self.start..end))? {
                if rows_of[list].is_empty() {
                    rows_of[list] = rows;
                } else {
                    rows_of[list].extend(rows);
                }
            }
            for list in sweep.lists() {
                let rows = std::mem::take(&mut rows_of[list]);
                cuts.extend(sample(list, &rows, SAMPLE).map(|id| (id, SAMPLE)));
                self.lists[list].go_on_with(rows);
            }
        }
        while let Some(cut) = self.cuts.pop_if(|(cut, _)| *cut < end || end == ALL_IDS.end) {
            cuts.push(cut);
        }
        cuts.sort_unstable();
        self.steps = steps(&cuts, self.step, end);
        self.steps.reverse();
        self.start = end;
        Ok(())
    }

    /// How many rows each list has had in all steps so far.
    pub(super) fn rows(&self) -> impl Iterator<Item = u64> {
        self.lists.iter().map(OpenList::passed)
    }
}

/// Where sweeps end, so that none reads more than so many bytes.
fn passes(sweeps: &[Sweep<'_>], memory: u64) -> Result<Vec<i64>, Error> {
    let bytes = 8 * sweeps.iter().map(Sweep::rows).sum::<u64>();
    let passes = usize::try_from(bytes.div_ceil(memory.max(1))).unwrap_or(usize::MAX).max(1);
    let mut ends = Vec::new();
    if passes > 1 {
        let samples = sweeps.iter().map(Sweep::sample).collect::<Result<Vec<_>, _>>()?;
        let mut ids = samples.concat();
        ids.sort_unstable();
        let quantile = |pass: usize| ids.get(pass * ids.len() / passes).copied();
        ends.extend((1..passes).filter_map(quantile));
        ends.dedup();
    }
    ends.retain(|end| *end < ALL_IDS.end);
    ends.push(ALL_IDS.end);
    Ok(ends)
}

/// Ids at which steps end, the last of which is `end`. Between two of them about `rows` rows
/// begin.
fn steps(cuts: &[(i64, usize)], rows: usize, end: i64) -> Vec<i64> {
    let mut ends: Vec<i64> = Vec::new();
    let mut since = 0;
    for (cut, more) in cuts {
        if since >= rows && ends.last().is_none_or(|last| last < cut) && *cut < end {
            ends.push(*cut);
            since = 0;
        }
        since += more;
    }
    ends.push(end);
    ends
}

/// Ids at which the rows of some lists can be cut into chunks of about `rows` rows, ascending.
/// Rows below the first belong to the first chunk, and those from the last on to the last.
pub(super) fn chunks(lists: &[&[i64]], rows: usize) -> Vec<i64> {
    let every = (rows / 16).clamp(1, SAMPLE);
    let mut ids: Vec<i64> =
        lists.iter().enumerate().flat_map(|(number, rows)| sample(number, rows, every)).collect();
    ids.sort_unstable();
    ids.dedup();
    let step = (rows / every).max(1);
    ids.into_iter().skip(step).step_by(step).collect()
}

/// Every so many rows one, from a different first one in each list, so that many short lists
/// are seen as well as a long one.
fn sample(number: usize, rows: &[i64], every: usize) -> impl Iterator<Item = i64> {
    // Multiples of the golden ratio spread evenly (Knuth, The Art of Computer Programming 3,
    // 6.4).
    let first = number.wrapping_mul(633) % every;
    rows.iter().skip(first).step_by(every).copied()
}
