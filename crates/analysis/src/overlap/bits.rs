//! Members of many lists as columns of bits: a row of bits per list, AND and population count.
//!
//! A member of d lists costs d(d−1)/2 increments if its pairs are counted one by one. As a
//! column it costs K(K−1)/2 bits of AND, 512 of which are one instruction on machines that
//! have AVX-512 VPOPCNTDQ; so the few members of many lists, which make most of the pairs, are
//! nearly free. The default target of the compiler knows not even `popcnt`: the loop is
//! compiled for each kind of processor and chosen when the program runs.

use std::ops::Range;

use multiversion::multiversion;

/// Words of a row: 4,096 columns, 512 bytes. So long that the sum over a row, one per pair
/// and row, does not count; so short that 1,000 rows lie in a core's cache.
const WORDS: usize = 64;

/// Columns that are counted together.
const COLUMNS: usize = 64 * WORDS;

type Row = [u64; WORDS];

/// Rows of bits, one per list.
pub(super) struct Bits {
    rows: Vec<Row>,
    columns: usize,
}

impl Bits {
    /// No columns yet. The rows take half a kilobyte per list.
    pub(super) fn new(lists: usize) -> Self {
        Self { rows: vec![[0; WORDS]; lists], columns: 0 }
    }

    /// Adds a member of these lists. If there is no place left, `full` is given the rows
    /// first, and they are cleared.
    pub(super) fn push(&mut self, having: &[u16], full: impl FnOnce(&Bits)) {
        if self.columns == COLUMNS {
            full(self);
            self.clear();
        }
        let (word, bit) = (self.columns / 64, 1 << (self.columns % 64));
        for list in having {
            self.rows[usize::from(*list)][word] |= bit;
        }
        self.columns += 1;
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.columns == 0
    }

    pub(super) fn clear(&mut self) {
        self.rows.fill([0; WORDS]);
        self.columns = 0;
    }

    /// Adds to `counts[j - i - 1]` how many columns rows `i` and `j` have in common, for every
    /// later row `j`.
    pub(super) fn count(&self, i: usize, counts: &mut [u32]) {
        self.count_some(i, i + 1..self.rows.len(), counts);
    }

    /// Adds to the first of `counts` how many columns row `i` has in common with the first of
    /// `others`, and so on.
    pub(super) fn count_some(&self, i: usize, others: Range<usize>, counts: &mut [u32]) {
        add_common(&self.rows[i], &self.rows[others], counts);
    }
}

/// How many increments one by one cost as much as a column of bits costs per 10,000 pairs of
/// lists: measured with VPOPCNTDQ, and in proportion to instructions without.
pub(super) fn increments_per_10_000_pairs() -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512vpopcntdq") {
            return 15;
        }
        if std::arch::is_x86_feature_detected!("popcnt") {
            return 130;
        }
    }
    300
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512vl+avx512vpopcntdq+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt",
    "x86_64+popcnt",
    "aarch64+neon",
))]
fn add_common(row: &[u64; 64], others: &[[u64; 64]], counts: &mut [u32]) {
    for (other, count) in others.iter().zip(counts) {
        let common: u64 = row.iter().zip(other).map(|(a, b)| u64::from((a & b).count_ones())).sum();
        // At most the columns of a row.
        *count += u32::try_from(common).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_counted_once_before_and_after_the_rows_are_full() {
        let having: Vec<Vec<u16>> =
            (0..10_000_u16).map(|m| (0..70).filter(|l| m % (l + 2) == 0).collect()).collect();
        let mut counts = vec![vec![0; 70]; 70];
        let mut bits = Bits::new(70);
        let add = |bits: &Bits, counts: &mut Vec<Vec<u32>>| {
            for (i, row) in counts.iter_mut().enumerate() {
                bits.count(i, &mut row[i + 1..]);
            }
        };
        for lists in &having {
            bits.push(lists, |full| add(full, &mut counts));
        }
        add(&bits, &mut counts);
        for (i, row) in (0..).zip(&counts) {
            for (j, count) in (0..).zip(row).skip(usize::from(i) + 1) {
                let both = having.iter().filter(|h| h.contains(&i) && h.contains(&j)).count();
                assert_eq!(*count as usize, both, "lists {i} and {j}");
            }
        }
    }
}
