//! Reads many short lists of a run together.
//!
//! Lists of some thousand rows lie together in row groups. To read each of them on its own
//! decodes a whole row group every time; a sweep decodes each row group once, in parallel, and
//! deals its rows out. It holds what it read, so it goes over a range of ids at a time.

use std::collections::HashMap;
use std::ops::Range;

use rayon::prelude::*;
use snapshot::ListReader;

use crate::{Error, Observation};

/// Some lists of one run that are read together.
pub(super) struct Sweep<'a> {
    reader: &'a ListReader,
    /// Which lists, by number, are those of an account.
    wanted: HashMap<i64, Vec<usize>>,
    /// The row groups that may hold some of them.
    groups: Vec<usize>,
    rows: u64,
}

/// Rows of a list, by its number.
pub(super) type Dealt = (usize, Vec<i64>);

/// The longest list that is worth a sweep: longer ones have row groups of their own.
const SHORT: u64 = 1 << 17;

/// The lists of each run that are better read together: where reading each on its own would
/// decode more than twice the rows that there are.
pub(super) fn sweeps(lists: &[Observation]) -> Vec<Sweep<'_>> {
    let mut of_reader: HashMap<*const ListReader, Sweep<'_>> = HashMap::new();
    for (number, list) in lists.iter().enumerate().filter(|(_, list)| list.len() <= SHORT) {
        if let Some(reader) = list.reader() {
            let none = || Sweep { reader, wanted: HashMap::new(), groups: Vec::new(), rows: 0 };
            let sweep = of_reader.entry(std::ptr::from_ref(reader)).or_insert_with(none);
            sweep.wanted.entry(list.account().get()).or_default().push(number);
            sweep.rows += list.len();
        }
    }
    let mut sweeps: Vec<_> = of_reader.into_values().filter_map(Sweep::if_worth_it).collect();
    sweeps.sort_by_key(|sweep| sweep.wanted.values().flatten().min().copied());
    sweeps
}

impl Sweep<'_> {
    fn if_worth_it(mut self) -> Option<Self> {
        let mut accounts: Vec<i64> = self.wanted.keys().copied().collect();
        accounts.sort_unstable();
        let (mut apart, mut together) = (0, 0);
        for group in 0..self.reader.row_groups() {
            let of = self.reader.accounts_in(group);
            let from = accounts.partition_point(|a| a < of.start());
            let to = accounts.partition_point(|a| a <= of.end());
            if from < to {
                let rows = self.reader.rows_in(group);
                self.groups.push(group);
                (apart, together) = (apart + rows * (to - from), together + rows);
            }
        }
        (apart > 2 * together).then_some(self)
    }

    /// The lists that it reads, by number.
    pub(super) fn lists(&self) -> impl Iterator<Item = usize> {
        self.wanted.values().flatten().copied()
    }

    /// How many rows all of them have.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Ids from some of its row groups: every 64th of at most 32 of them.
    pub(super) fn sample(&self) -> Result<Vec<i64>, Error> {
        let step = self.groups.len().div_ceil(32).max(1);
        let some: Vec<usize> = self.groups.iter().step_by(step).copied().collect();
        let ids = some.par_iter().map(|group| {
            let (mut accounts, mut members) = (Vec::new(), Vec::new());
            self.reader.row_group(*group, &mut accounts, &mut members)?;
            Ok(members.into_iter().step_by(64).collect::<Vec<i64>>())
        });
        Ok(ids.collect::<Result<Vec<_>, Error>>()?.concat())
    }

    /// The rows of its lists with ids in a range, the end of the id space included. A list may
    /// come in several parts, which ascend.
    pub(super) fn rows_of(&self, range: &Range<i64>) -> Result<Vec<Dealt>, Error> {
        let dealt = self.groups.par_iter().with_max_len(1).map(|group| self.deal(*group, range));
        Ok(dealt.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    fn deal(&self, group: usize, range: &Range<i64>) -> Result<Vec<Dealt>, Error> {
        let (mut accounts, mut all) = (Vec::new(), Vec::new());
        self.reader.row_group(group, &mut accounts, &mut all)?;
        let mut dealt = Vec::new();
        let mut from = 0;
        for run in accounts.chunk_by(|a, b| a == b) {
            let members = &all[from..from + run.len()];
            from += run.len();
            let Some(lists) = self.wanted.get(&run[0]) else { continue };
            let start = members.partition_point(|id| *id < range.start);
            let end = members.partition_point(|id| *id < range.end || range.end == i64::MAX);
            if start < end {
                dealt.extend(lists.iter().map(|list| (*list, members[start..end].to_vec())));
            }
        }
        Ok(dealt)
    }
}
