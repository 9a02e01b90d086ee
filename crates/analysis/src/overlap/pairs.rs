//! A number for every unordered pair of lists.

use std::ops::Range;

/// Some rows of the upper triangle of a matrix with a row and a column per list, the diagonal
/// left out. Row `i` holds the pairs with every later list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pairs {
    lists: usize,
    rows: Range<usize>,
    /// A list has fewer than 2^31 members, so no count is larger.
    counts: Vec<u32>,
}

impl Pairs {
    /// All rows.
    pub(super) fn new(lists: usize) -> Self {
        Self::of_rows(lists, 0..lists)
    }

    /// Some rows.
    pub(super) fn of_rows(lists: usize, rows: Range<usize>) -> Self {
        let cells = before(lists, rows.end) - before(lists, rows.start);
        Self { lists, rows, counts: vec![0; cells] }
    }

    /// Which rows.
    pub(super) fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// Where row `i` begins; its first column is `i + 1`.
    fn start(&self, i: usize) -> usize {
        before(self.lists, i) - before(self.lists, self.rows.start)
    }

    /// The number of a pair of different lists, in any order.
    pub(super) fn get(&self, i: usize, j: usize) -> u32 {
        self.counts[self.start(i.min(j)) + i.max(j) - i.min(j) - 1]
    }

    pub(super) fn add(&mut self, i: usize, j: usize, more: u32) {
        let row = self.start(i.min(j));
        self.counts[row + i.max(j) - i.min(j) - 1] += more;
    }

    /// Row `i`.
    pub(super) fn row(&self, i: usize) -> &[u32] {
        let start = self.start(i);
        &self.counts[start..start + self.lists - 1 - i]
    }

    /// Row `i`, to be counted in.
    pub(super) fn row_mut(&mut self, i: usize) -> &mut [u32] {
        let start = self.start(i);
        &mut self.counts[start..start + self.lists - 1 - i]
    }

    /// All rows, each with its number, to be counted in by different threads.
    pub(super) fn rows_mut(&mut self) -> Vec<(usize, &mut [u32])> {
        let mut rest = &mut self.counts[..];
        let mut rows = Vec::with_capacity(self.rows.len());
        for i in self.rows.clone() {
            let row;
            (row, rest) = rest.split_at_mut(self.lists - 1 - i);
            rows.push((i, row));
        }
        rows
    }

    /// Counts a member of these lists, which ascend. All rows have to be there.
    pub(super) fn count(&mut self, having: &[u16]) {
        for (n, i) in having.iter().enumerate() {
            let i = usize::from(*i);
            let row = self.row_mut(i);
            for j in &having[n + 1..] {
                row[usize::from(*j) - i - 1] += 1;
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
    }
}

/// The pairs in the rows before row `i`.
pub(super) fn before(lists: usize, i: usize) -> usize {
    i * (2 * lists).saturating_sub(i + 1) / 2
}
