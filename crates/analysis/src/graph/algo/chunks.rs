//! How work is cut: by the graph alone, so that answers do not depend on the threads.

use std::ops::Range;

/// Ranges of `0..n`, ascending and touching, each weighing about `each`; a single number may
/// weigh more.
pub(super) fn even(n: usize, each: usize, weight: impl Fn(usize) -> usize) -> Vec<Range<usize>> {
    let (mut ranges, mut start, mut sum) = (Vec::new(), 0, 0);
    for i in 0..n {
        sum += weight(i);
        if sum >= each {
            ranges.push(start..i + 1);
            (start, sum) = (i + 1, 0);
        }
    }
    if start < n {
        ranges.push(start..n);
    }
    ranges
}

/// A slice in pieces of the given lengths, which together are its own.
pub(super) fn pieces<T>(
    mut slice: &mut [T],
    lengths: impl Iterator<Item = usize>,
) -> Vec<&mut [T]> {
    let mut pieces = Vec::new();
    for length in lengths {
        let (piece, rest) = slice.split_at_mut(length);
        pieces.push(piece);
        slice = rest;
    }
    pieces
}

/// A number of accounts, which fits by the graph's own limit.
pub(super) fn small(n: usize) -> u32 {
    u32::try_from(n).expect("a graph has at most 2^32 accounts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_touch_and_cover_everything() {
        let weights = [1, 9, 0, 2, 3, 1, 20, 1];
        assert_eq!(even(8, 5, |i| weights[i]), [0..2, 2..5, 5..7, 7..8]);
        assert!(even(0, 5, |_| 1).is_empty());
    }

    #[test]
    fn pieces_are_where_their_lengths_say() {
        let mut numbers = [1, 2, 3, 4];
        assert_eq!(pieces(&mut numbers, [1, 0, 3].into_iter()), [&[1][..], &[], &[2, 3, 4]]);
    }
}
