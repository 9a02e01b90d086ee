//! Sorts 64-bit keys by their digits, without comparing them.
//!
//! Least significant digit first: each pass moves every key once, to the place that a count
//! of its digit gives it. A digit that is the same in all keys costs no pass, so keys of `b`
//! varying bits take about `b / 11` passes. Ahead of a comparison sort from some hundreds of
//! keys on, and most of all where keys and scratch fit into a core's cache.
//!
//! Not parallel: callers cut their keys into pieces that are, and sort each on one thread.

/// Bits of a digit: its 2,048 counters stay in the first cache.
const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 1 << DIGIT_BITS;

/// Below this, counting digits costs more than comparing keys.
const SMALL: usize = 256;

/// Sorts `keys` ascending. `scratch` is overwritten, and grows to the length of `keys`; one
/// that is passed again saves its allocation.
///
/// O(passes × keys) time, 8 bytes per key of scratch.
#[cfg(test)]
pub(crate) fn sort(keys: &mut Vec<u64>, scratch: &mut Vec<u64>) {
    sort_from(0, keys, scratch);
}

/// As [`sort`], for keys that lie spread out between the smallest and the largest: after as many
/// of their leading digits as tell most of them apart, what little is left is compared.
pub(crate) fn sort_spread(keys: &mut Vec<u64>, scratch: &mut Vec<u64>) {
    let (or, and) = keys.iter().fold((0, u64::MAX), |(or, and), key| (or | key, and & key));
    let varying = u64::BITS - (or ^ and).leading_zeros();
    let telling = keys.len().max(1).ilog2().next_multiple_of(DIGIT_BITS);
    let from = varying.saturating_sub(telling);
    sort_from(from, keys, scratch);
    if from > 0 && keys.len() >= SMALL {
        for alike in keys.chunk_by_mut(|a, b| a >> from == b >> from) {
            if alike.len() > 1 {
                alike.sort_unstable();
            }
        }
    }
}

/// As [`sort`], of keys of which those that agree in all bits from `from` on ascend already:
/// the bits below cost nothing. `from` is less than 64.
pub(crate) fn sort_from(from: u32, keys: &mut Vec<u64>, scratch: &mut Vec<u64>) {
    if keys.len() < SMALL {
        keys.sort_unstable();
        return;
    }
    let (or, and) = keys.iter().fold((0, u64::MAX), |(or, and), key| (or | key, and & key));
    let mut varying = (or ^ and) >> from << from;
    scratch.clear();
    scratch.resize(keys.len(), 0);
    while varying != 0 {
        let shift = varying.trailing_zeros();
        if !pass(keys, scratch, shift) {
            std::mem::swap(keys, scratch);
        }
        varying = varying.checked_shr(shift + DIGIT_BITS).unwrap_or(0);
        varying = varying.checked_shl(shift + DIGIT_BITS).unwrap_or(0);
    }
}

/// Moves every key to its place by one digit, stably. Says whether they stand right already.
fn pass(keys: &[u64], out: &mut [u64], shift: u32) -> bool {
    #[expect(clippy::cast_possible_truncation, reason = "only the lowest bits count")]
    let digit = |key: u64| (key >> shift) as usize & (DIGITS - 1);
    let mut next = [0_usize; DIGITS];
    let mut before = 0;
    let mut ascending = true;
    for key in keys {
        let digit = digit(*key);
        next[digit] += 1;
        ascending &= before <= digit;
        before = digit;
    }
    if ascending {
        return true;
    }
    let mut sum = 0;
    for count in &mut next {
        (*count, sum) = (sum, sum + *count);
    }
    for key in keys {
        let place = &mut next[digit(*key)];
        out[*place] = *key;
        *place += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn check(mut keys: Vec<u64>) {
        let mut expected = keys.clone();
        expected.sort_unstable();
        // Scratch of another use.
        let mut scratch = vec![7; 3];
        let mut spread = keys.clone();
        sort_spread(&mut spread, &mut scratch);
        assert_eq!(spread, expected);
        sort(&mut keys, &mut scratch);
        assert_eq!(keys, expected);
    }

    proptest! {
        #[test]
        fn keys_come_out_as_a_comparison_sort_orders_them(
            keys in vec(any::<u64>(), 0..2_000),
            mask in any::<u64>(),
        ) {
            check(keys.iter().map(|key| key & mask).collect());
            check(keys);
        }
    }

    #[test]
    fn the_first_and_the_last_bit_count() {
        check((0..1_000).map(|i| ((i % 2) << 63) | ((i / 2) % 2)).collect());
        check(vec![u64::MAX; 500]);
        check((0..1_000).rev().collect());
        check((0..1_000).map(|i| u64::MAX - i * i).collect());
    }
}
