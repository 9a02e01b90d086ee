//! Reads the lists a page at a time from where they lie.

use snapshot::Columns;

use super::{Cut, Engine, Partitions, ranges};
use crate::{Error, Observation};

/// Bounded memory, whatever the lists' length: a thread holds one page of each list, 20,480
/// rows of 12 bytes in the runs of this program. Lists that are in memory already stay there.
///
/// Ranges are cut at the smallest id of row groups, known from the files' statistics, the same
/// for all lists. The pages of a row group that a range's start falls into are decoded up to
/// that start and thrown away; ranges are long, so that this is a few in a hundred.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stream;

impl Engine for Stream {
    fn open<'a>(
        &self,
        lists: &[&'a Observation],
        columns: Columns,
    ) -> Result<Box<dyn Partitions + 'a>, Error> {
        let lists: Vec<Observation> = lists.iter().map(|list| (*list).clone()).collect();
        let rows: u64 = lists.iter().map(Observation::len).sum();
        let piece = |list: &Observation| list.len() / (list.cuts().len() as u64).max(1);
        let longest_piece = lists.iter().map(piece).max().unwrap_or(0);
        // Short lists make smaller ranges, so that every thread has some of them.
        let for_each_thread = rows / (4 * rayon::current_num_threads() as u64);
        let ranges = ranges(&lists, for_each_thread.min(ROWS.max(8 * longest_piece)).max(1));
        Ok(Box::new(Cut { lists, ranges, columns }))
    }
}

/// Rows in a range, all lists taken together: what is found in a range is kept until those
/// before it are done with.
const ROWS: u64 = 1 << 22;
