//! Loads the lists, then cuts slices of them.

use rayon::prelude::*;
use snapshot::Columns;

use super::{Cut, Engine, Partitions, ranges};
use crate::{Error, Observation};

/// Every list in memory: 12 bytes per row that is not there yet, and no second read.
///
/// The right engine for lists that are asked about again and again;
/// [`Stream`](super::Stream) for all others.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory;

impl Engine for Memory {
    fn open<'a>(
        &self,
        lists: &[&'a Observation],
        columns: Columns,
    ) -> Result<Box<dyn Partitions + 'a>, Error> {
        let loaded = lists.par_iter().map(|list| list.loaded(columns));
        let lists = loaded.collect::<Result<Vec<_>, _>>()?;
        let ranges = ranges(&lists, ROWS * lists.len() as u64);
        Ok(Box::new(Cut { lists, ranges, columns }))
    }
}

/// Rows of each list in a range: enough to outweigh the cost of a task.
const ROWS: u64 = 1 << 15;
