//! Compressed rows that many tasks write at once.
//!
//! How long rows become is known only when they are written, but not how long they can
//! become. So each stretch of accounts gets room for the most, writes its rows one after the
//! other, and leaves what it did not need behind: memory that was never touched, which is
//! memory that was never taken.

use rayon::prelude::*;

use super::chunks::{even, pieces, small};

/// Entries that one task makes room for.
const ENTRIES: usize = 1 << 17;

/// A row of entries for each account.
#[derive(Clone, Debug)]
pub(super) struct Rows<T> {
    /// Where each row begins and how long it is.
    rows: Vec<(usize, u32)>,
    /// With gaps, which no row reaches into.
    entries: Vec<T>,
}

impl<T: Copy + Send> Rows<T> {
    /// Rows for `n` accounts: `write` writes that of an account to the front of the room it is
    /// shown, at least `room` entries, which it may scribble on, and returns how long it is.
    ///
    /// `zero` fills the rest; one of zeros costs nothing.
    pub(super) fn write(
        n: usize,
        zero: T,
        room: impl Fn(usize) -> usize,
        write: impl Fn(usize, &mut [T]) -> usize + Sync,
    ) -> Self {
        let ranges = even(n, ENTRIES, |account| room(account) + 1);
        let rooms: Vec<usize> = ranges.iter().map(|range| range.clone().map(&room).sum()).collect();
        let mut entries = vec![zero; rooms.iter().sum()];
        let mut rows = vec![(0, 0); n];
        let offsets = rooms.iter().scan(0, |offset, room| {
            *offset += room;
            Some(*offset - room)
        });
        let parts: Vec<_> = ranges
            .iter()
            .zip(offsets)
            .zip(pieces(&mut entries, rooms.iter().copied()))
            .zip(pieces(&mut rows, ranges.iter().map(ExactSizeIterator::len)))
            .collect();
        parts.into_par_iter().for_each(|(((range, offset), entries), rows)| {
            let mut end = 0;
            for (account, row) in range.clone().zip(rows) {
                let length = write(account, &mut entries[end..]);
                *row = (offset + end, small(length));
                end += length;
            }
        });
        Self { rows, entries }
    }

    /// From entries of which each account has the next so many.
    pub(super) fn of_lengths(lengths: impl Iterator<Item = u32>, entries: Vec<T>) -> Self {
        let mut end = 0;
        let row = |length| {
            end += length as usize;
            (end - length as usize, length)
        };
        Self { rows: lengths.map(row).collect(), entries }
    }

    pub(super) fn accounts(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn of(&self, account: usize) -> &[T] {
        let (start, length) = self.rows[account];
        &self.entries[start..start + length as usize]
    }

    /// How long the row of an account is.
    pub(super) fn length(&self, account: usize) -> u32 {
        self.rows[account].1
    }

    pub(super) fn lengths(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.rows.iter().map(|(_, length)| *length)
    }
}

/// What is in either of two ascending rows but is not `left_out`, ascending, each with whether
/// it is in both. Returns how many they are; `out` has room for both rows.
///
/// Without branches on the data, which nothing could predict. Only what is in both or in
/// neither can be left out.
pub(super) fn merge<T: Copy + Ord, U>(
    [first, second]: [&[T]; 2],
    left_out: T,
    out: &mut [U],
    entry: impl Fn(T, bool) -> U,
) -> usize {
    let (mut i, mut j, mut end) = (0, 0, 0);
    while i < first.len() && j < second.len() {
        let (x, y) = (first[i], second[j]);
        let least = x.min(y);
        out[end] = entry(least, x == y);
        end += usize::from(least != left_out);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    let rest = if i < first.len() { &first[i..] } else { &second[j..] };
    for (out, rest) in out[end..].iter_mut().zip(rest) {
        *out = entry(*rest, false);
    }
    end + rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_where_they_were_written() {
        // More entries than one task makes room for.
        let room = |account: usize| account % 50_000;
        let rows = Rows::write(60_000, 0, room, |account, out| {
            let length = room(account).min(account % 3);
            out[..length].fill(account);
            length
        });
        for account in 0..60_000 {
            assert!(rows.of(account).iter().all(|entry| *entry == account));
            assert_eq!(rows.of(account).len(), room(account).min(account % 3));
        }
    }

    #[test]
    fn a_merge_says_what_is_in_both() {
        let merged = |a: &[u32], b: &[u32]| {
            let mut out = vec![(0, false); a.len() + b.len()];
            let length = merge([a, b], 5, &mut out, |entry, both| (entry, both));
            out.truncate(length);
            out
        };
        let expected = [(1, false), (2, true), (4, false), (7, false)];
        assert_eq!(merged(&[1, 2, 5], &[2, 4, 5, 7]), expected);
        assert_eq!(merged(&[2, 4, 5, 7], &[1, 2, 5]), expected);
        assert_eq!(merged(&[], &[5]), [(5, false)]);
        assert_eq!(merged(&[5], &[5]), []);
    }
}
