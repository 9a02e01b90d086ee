//! Longest increasing subsequences.

/// No place.
const NONE: u32 = u32::MAX;

/// The places of a longest strictly increasing subsequence of the values that count, ascending. Of
/// several the one whose values are least from the end on.
///
/// Patience sorting, O(n log n), and O(n) where all are in order; 8 bytes a value.
pub(super) fn longest_increasing(values: &[u32], counts: impl Fn(u32) -> bool) -> Vec<u32> {
    // By length, less one: the place that ends such a subsequence with the least value.
    let mut ends: Vec<u32> = Vec::new();
    let mut previous = vec![NONE; values.len()];
    for (at, &value) in values.iter().enumerate().filter(|(_, value)| counts(**value)) {
        let is_below = |end: &u32| values[*end as usize] < value;
        let length = match ends.last() {
            Some(last) if !is_below(last) => ends.partition_point(is_below),
            _ => ends.len(),
        };
        previous[at] = length.checked_sub(1).map_or(NONE, |shorter| ends[shorter]);
        let at = u32::try_from(at).unwrap_or(NONE);
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut at = ends.last().copied().unwrap_or(NONE);
    for place in ends.iter_mut().rev() {
        *place = at;
        at = previous[at as usize];
    }
    ends
}
