//! Where the partitions of a question live.
//!
//! An engine cuts the id space into ranges and fetches the rows of one; everything else, the
//! parallelism and the order of merging, is common ([`ask`](crate::ask)). A new engine is a
//! file here with one `impl Engine`, and one line in each list of engines under `tests`.

use std::ops::Range;

use snapshot::Columns;

use crate::observation::ALL_IDS;
use crate::{Error, Observation, Partition};

mod memory;
mod stream;

pub use memory::Memory;
pub use stream::Stream;

/// Decides where partitions live.
pub trait Engine: Sync {
    /// Prepares to fetch partitions of these lists.
    ///
    /// # Errors
    /// If a list cannot be read.
    fn open<'a>(
        &self,
        lists: &[&'a Observation],
        columns: Columns,
    ) -> Result<Box<dyn Partitions + 'a>, Error>;
}

/// The partitions of one question.
pub trait Partitions: Sync {
    /// The ranges, ascending; together they hold every id once. The last one ends at
    /// `i64::MAX` and includes it.
    fn ranges(&self) -> &[Range<i64>];

    /// The rows with ids in one of the ranges.
    ///
    /// # Errors
    /// If they cannot be read.
    fn fetch(&self, range: Range<i64>) -> Result<Partition<'_>, Error>;
}

/// Splits the id space into ranges of about `pieces` pieces, the pieces of all lists taken
/// together; a piece is what lies between two neighbouring cuts of one list.
///
/// Ends lie between two pieces of the longest list if that can be, so that none of its
/// pieces is fetched twice. Between two neighbouring cuts each list has one piece at most, so
/// a range touches at most `2 × pieces` of them, and one more of each list.
fn ranges(lists: &[Observation], pieces: usize) -> Vec<Range<i64>> {
    let longest = lists.iter().enumerate().max_by_key(|(_, list)| list.len()).map(|(i, _)| i);
    let mut cuts = Vec::new();
    for (i, list) in lists.iter().enumerate() {
        // Nothing of the list lies before its first cut.
        cuts.extend(list.cuts().into_iter().skip(1).map(|cut| (cut, Some(i) == longest)));
    }
    cuts.sort_unstable();
    let mut ranges = Vec::new();
    let (mut start, mut since) = (ALL_IDS.start, 0);
    for (cut, of_longest) in cuts {
        since += 1;
        let enough = since >= pieces && of_longest || since >= 2 * pieces;
        // A range cannot start at the very last id: its end, the same number, would exclude it.
        if enough && cut > start && cut < ALL_IDS.end {
            ranges.push(start..cut);
            (start, since) = (cut, 0);
        }
    }
    ranges.push(start..ALL_IDS.end);
    ranges
}

/// Fetches ranges from observations, wherever their rows are.
struct Cut {
    lists: Vec<Observation>,
    ranges: Vec<Range<i64>>,
    columns: Columns,
}

impl Partitions for Cut {
    fn ranges(&self) -> &[Range<i64>] {
        &self.ranges
    }

    fn fetch(&self, range: Range<i64>) -> Result<Partition<'_>, Error> {
        let chunks = self.lists.iter().map(|list| list.chunk(range.clone(), self.columns));
        Ok(Partition { chunks: chunks.collect::<Result<_, _>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use snapshot::{AccountId, List};

    #[test]
    fn ranges_hold_every_id_once_up_to_the_last() {
        check(200_000);
        // The last id alone would make a piece: a cut there would make an empty range.
        check(3 * (1 << 15) + 1);
    }

    /// Cuts a list of so many ids that ends with the last one.
    fn check(ids: i64) {
        let count = usize::try_from(ids).unwrap();
        let ids = (0..ids).map(|i| i64::MAX - 3 * i).filter_map(AccountId::new);
        let list = Observation::complete(AccountId::MIN, List::Followers, ids).unwrap();
        for pieces in [1, 2, 3, 100] {
            let ranges = ranges(&[list.clone(), list.clone()], pieces);
            assert_eq!(ranges[0].start, 0);
            assert_eq!(ranges[ranges.len() - 1].end, i64::MAX);
            assert!(ranges.windows(2).all(|w| w[0].end == w[1].start));
            assert!(ranges.iter().all(|r| r.start < r.end));
            let rows = ranges.iter().map(|r| list.chunk(r.clone(), Columns::default()).unwrap());
            assert_eq!(rows.map(|chunk| chunk.members.len()).sum::<usize>(), count);
        }
    }

    #[test]
    fn lists_without_rows_make_one_range() {
        assert_eq!(ranges(&[], 1), vec![ALL_IDS]);
    }
}
