//! Reads one range of ids at a time from the runs' Parquet files.

use snapshot::Columns;

use super::{Cut, Engine, Partitions, ranges};
use crate::{Error, Observation};

/// Bounded memory, whatever the lists' length.
///
/// Ranges are cut at the smallest id of row groups, known from the files' statistics. For
/// `K` lists a thread holds about `max(8, 2K)` row groups at a time, and never more than
/// twice that: 12 MB for a diff, at the format's 131,072 rows of 12 bytes. Lists that are in
/// memory already stay there.
///
/// A row group of a shorter list that a range's end falls into is read for both ranges: for
/// two lists of equal length one read in seven is such a second one. That is the price of
/// needing no state between ranges.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stream;

impl Engine for Stream {
    fn open<'a>(
        &self,
        lists: &[&'a Observation],
        columns: Columns,
    ) -> Result<Box<dyn Partitions + 'a>, Error> {
        let lists: Vec<Observation> = lists.iter().map(|list| (*list).clone()).collect();
        let groups: usize = lists.iter().map(|list| list.cuts().len()).sum();
        let k = lists.len();
        // Short lists make smaller ranges, so that every thread has two of them.
        let for_each_thread = groups / (2 * rayon::current_num_threads());
        let ranges = ranges(&lists, for_each_thread.min(GROUPS.saturating_sub(k)).max(k));
        Ok(Box::new(Cut { lists, ranges, columns }))
    }
}

/// Row groups per range, where the number of lists allows.
const GROUPS: usize = 8;
