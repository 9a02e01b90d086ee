//! Where the partitions of a question live.
//!
//! An engine cuts the id space into ranges and reads the rows of one, strip by strip; everything
//! else, the parallelism and the order of merging, is common ([`ask`](crate::ask)). A new engine
//! is a file here with one `impl Engine`, and one line in each list of engines under `tests`.

use std::ops::Range;

use snapshot::Columns;

use crate::observation::ALL_IDS;
use crate::reading::Reading;
use crate::{Error, Observation, Partition};

mod memory;
mod stream;

pub use memory::Memory;
pub use stream::Stream;

/// Decides where partitions live.
pub trait Engine: Sync {
    /// Prepares to read partitions of these lists.
    ///
    /// # Errors
    /// If a list cannot be read.
    fn open<'a>(
        &self,
        lists: &[&'a Observation],
        columns: Columns,
    ) -> Result<Box<dyn Partitions + 'a>, Error>;

    /// The same lists where this engine keeps them, for a question that reads each of them
    /// once from its beginning to its end. Unless an engine has a place of its own, they stay
    /// where they are.
    ///
    /// # Errors
    /// If a list cannot be read.
    fn hold(&self, lists: &[&Observation], _: Columns) -> Result<Vec<Observation>, Error> {
        Ok(lists.iter().map(|list| (*list).clone()).collect())
    }
}

/// The partitions of one question.
pub trait Partitions: Sync {
    /// The ranges, ascending; together they hold every id once. The last one ends at
    /// `i64::MAX` and includes it.
    fn ranges(&self) -> &[Range<i64>];

    /// Begins to read the rows with ids in one of the ranges.
    ///
    /// # Errors
    /// If they cannot be read.
    fn strips(&self, range: Range<i64>) -> Result<Strips<'_>, Error>;

    /// Checks how many rows one of the lists had in all ranges together.
    ///
    /// # Errors
    /// If they are not as many as its crawl saw, or as its file says it has.
    fn check(&self, list: usize, rows: u64) -> Result<(), Error>;
}

/// A range that is read strip by strip: partitions that follow one another, each as large as
/// what is at hand of every list.
pub struct Strips<'a> {
    lists: Vec<Reading<'a>>,
}

impl Strips<'_> {
    /// The next strip, in which at least one list has rows; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Partition<'_>>, Error> {
        let mut last = None;
        for list in &mut self.lists {
            let at_hand = list.last_at_hand()?;
            last = [last, at_hand].into_iter().flatten().min();
        }
        let Some(last) = last else { return Ok(None) };
        self.lists.iter_mut().for_each(|list| list.read_to(last));
        Ok(Some(Partition { lists: self.lists.iter().map(Reading::rows).collect() }))
    }

    /// How many rows each list has had so far.
    pub(crate) fn passed(&self) -> impl Iterator<Item = u64> {
        self.lists.iter().map(Reading::passed)
    }
}

/// Splits the id space into ranges of about `rows` rows, those of all lists taken together.
///
/// Ends lie between two pieces of the longest list if that can be, so that none of its pieces
/// is decoded twice; a range may have twice the rows for that, and one more piece of each list.
fn ranges(lists: &[Observation], rows: u64) -> Vec<Range<i64>> {
    let longest = lists.iter().enumerate().max_by_key(|(_, list)| list.len()).map(|(i, _)| i);
    let mut cuts = Vec::new();
    for (i, list) in lists.iter().enumerate() {
        let of_list = list.cuts();
        let piece = list.len() / (of_list.len() as u64).max(1);
        // Nothing of the list lies before its first cut.
        cuts.extend(of_list.into_iter().skip(1).map(|cut| (cut, piece, Some(i) == longest)));
    }
    cuts.sort_unstable();
    let mut ranges = Vec::new();
    let (mut start, mut since) = (ALL_IDS.start, 0);
    for (cut, piece, of_longest) in cuts {
        since += piece;
        let enough = since >= rows && of_longest || since >= 2 * rows;
        // A range cannot start at the very last id: its end, the same number, would exclude it.
        if enough && cut > start && cut < ALL_IDS.end {
            ranges.push(start..cut);
            (start, since) = (cut, 0);
        }
    }
    ranges.push(start..ALL_IDS.end);
    ranges
}

/// Reads ranges of observations, wherever their rows are.
struct Cut {
    lists: Vec<Observation>,
    ranges: Vec<Range<i64>>,
    columns: Columns,
}

impl Partitions for Cut {
    fn ranges(&self) -> &[Range<i64>] {
        &self.ranges
    }

    fn strips(&self, range: Range<i64>) -> Result<Strips<'_>, Error> {
        let lists = self.lists.iter();
        let lists = lists.map(|list| list.reading(range.clone(), self.columns.positions));
        Ok(Strips { lists: lists.collect() })
    }

    fn check(&self, list: usize, rows: u64) -> Result<(), Error> {
        self.lists[list].check(rows)
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
        for rows in [1, 1 << 15, 1 << 17, 1 << 40] {
            let lists = vec![list.clone(), list.clone()];
            let ranges = ranges(&lists, rows);
            assert_eq!(ranges[0].start, 0);
            assert_eq!(ranges[ranges.len() - 1].end, i64::MAX);
            assert!(ranges.windows(2).all(|w| w[0].end == w[1].start));
            assert!(ranges.iter().all(|r| r.start < r.end));
            let cut = Cut { lists, ranges: ranges.clone(), columns: Columns::default() };
            let mut seen = 0;
            for range in ranges {
                let mut strips = cut.strips(range).unwrap();
                while let Some(strip) = strips.next().unwrap() {
                    seen += strip.list(0).members.len();
                }
            }
            assert_eq!(seen, count);
        }
    }

    #[test]
    fn lists_without_rows_make_one_range() {
        assert_eq!(ranges(&[], 1), vec![ALL_IDS]);
    }
}
