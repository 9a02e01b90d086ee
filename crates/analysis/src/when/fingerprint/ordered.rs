//! Accounts that follow one after another in the order in which they were made.
//!
//! In a window of the list, the longest subsequence in order is as long as chance makes it if
//! its accounts come in a random order: about 2√n of n, and of a length ℓ with a probability
//! of at most C(n, ℓ) / ℓ!, the expected number of subsequences that long. Others may stand
//! between them.
//!
//! Time itself puts accounts in order: who was new on Monday stands below who was new on
//! Tuesday. So what is looked for is an order that time does not make: creation times that
//! rise from the newest follow to the oldest, against the course of time; or *ages* at the
//! follow that do, and so creation times that fall faster than time passes.
//!
//! Windows are of 32, 128, 512 and 2048, each half over the one before; O(n log n).

use std::ops::Range;

use rayon::prelude::*;

use super::super::increasing::longest_increasing;
use super::chance::ln_ordered;
use super::{ALPHA, BlockKind, Found, Rows, Who};

/// Lengths of windows.
const SIZES: [usize; 4] = [32, 128, 512, 2048];

pub(super) fn blocks(rows: &Rows) -> Vec<Found> {
    let sequences = [&rows.created, &rows.age];
    let starts = |size: usize| {
        let last = rows.len().saturating_sub(size);
        (0..=last).step_by(size / 2).filter(move |_| size <= rows.len())
    };
    let tests = 2.0 * SIZES.iter().map(|size| starts(*size).count()).sum::<usize>() as f64;
    let mut blocks: Vec<Found> = Vec::new();
    for values in sequences {
        let mut found: Vec<Range<usize>> = Vec::new();
        for size in SIZES {
            let Some(least) = least(size, tests) else { continue };
            let starts: Vec<usize> = starts(size).collect();
            let in_order = starts
                .into_par_iter()
                .filter(|start| length(&values[*start..start + size]) >= least);
            let mut joined: Vec<Range<usize>> = Vec::new();
            for start in in_order.collect::<Vec<_>>() {
                let window = start..start + size;
                match joined.last_mut().filter(|last| last.end >= window.start) {
                    Some(last) => last.end = window.end,
                    None => joined.push(window),
                }
            }
            // What a smaller window has shown is shown more exactly there.
            let meets = |window: &Range<usize>| {
                found.iter().any(|known| known.start < window.end && window.start < known.end)
            };
            joined.retain(|window| !meets(window));
            found.extend(joined);
        }
        blocks.extend(found.into_iter().map(|range| block(rows, values, range, tests)));
    }
    blocks
}

/// The least length that chance does not explain.
fn least(size: usize, tests: f64) -> Option<usize> {
    let is_rare =
        |length: &usize| ln_ordered(*length as u64, size as u64) + tests.ln() < ALPHA.ln();
    (1..=size).find(is_rare)
}

fn block(rows: &Rows, values: &[u32], range: Range<usize>, tests: f64) -> Found {
    let own = longest(&values[range.clone()]);
    let positions: Vec<u32> = own.iter().map(|at| rows.positions[range.start + at]).collect();
    let (length, all) = (positions.len(), range.len());
    Found {
        kind: BlockKind::CreatedInOrder,
        positions: positions.first().copied().unwrap_or(0)..positions.last().map_or(1, |at| at + 1),
        who: Who::At(positions),
        lift: length as f64 / (2.0 * (all as f64).sqrt()),
        ln_chance: ln_ordered(length as u64, all as u64) + tests.ln(),
    }
}

/// The length of the longest strictly increasing subsequence. O(n log n), patience sorting.
fn length(values: &[u32]) -> usize {
    let mut ends: Vec<u32> = Vec::new();
    for value in values {
        let at = ends.partition_point(|end| end < value);
        match ends.get_mut(at) {
            Some(end) => *end = *value,
            None => ends.push(*value),
        }
    }
    ends.len()
}

/// The indexes of a longest strictly increasing subsequence, ascending.
fn longest(values: &[u32]) -> Vec<usize> {
    longest_increasing(values, |_| true).into_iter().map(|at| at as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_order_is_found_and_equal_values_are_in_none() {
        let values = [5, 1, 2, 2, 9, 3, 4, 0];
        assert_eq!(length(&values), 4);
        let own: Vec<u32> = longest(&values).into_iter().map(|at| values[at]).collect();
        assert_eq!(own, [1, 2, 3, 4]);
        assert_eq!(length(&[7, 7, 7]), 1);
        assert!(longest(&[]).is_empty());
    }

    #[test]
    fn an_order_must_be_longer_in_a_longer_window_but_a_smaller_part_of_it() {
        let lengths: Vec<usize> = SIZES.iter().map(|size| least(*size, 1e4).unwrap()).collect();
        assert!(lengths.is_sorted());
        let shares = SIZES.iter().zip(&lengths).map(|(size, least)| *least as f64 / *size as f64);
        assert!(shares.is_sorted_by(|a, b| a > b));
    }
}
