//! Counts the pairs of one chunk of the id space after another, in whichever way is cheapest.

use super::Work;
use super::bits::{self, Bits};
use super::group::Groups;
use super::pairs::Pairs;

/// What takes the rows of a chunk, list by list, and then has its members' lists.
pub(super) trait Tally: Send {
    /// Where the rows go.
    fn groups(&mut self) -> &mut Groups;

    /// Takes the members of the chunk, once all of its rows are there.
    fn end(&mut self);
}

/// What one thread has counted.
pub(super) struct Counter {
    groups: Groups,
    pairs: Pairs,
    bits: Bits,
    /// Members of so many lists are counted as columns of bits.
    bits_from: usize,
    /// Members by the lists they are in, bit `i` for list `i`; empty unless there are few lists.
    by_mask: Vec<u32>,
    work: Work,
}

/// The most lists whose members are counted by mask: 2^12 counters lie in the first cache.
pub(super) const MASK_LISTS: usize = 12;

impl Counter {
    /// A counter for so many lists. `masks` says whether members are counted by the exact
    /// combination of lists that they are in, which takes 2^lists counters.
    pub(super) fn new(lists: usize, masks: bool, bits_from: usize) -> Self {
        Self {
            groups: Groups::default(),
            pairs: Pairs::new(lists),
            bits: Bits::new(if masks { 0 } else { lists }),
            bits_from,
            by_mask: if masks { vec![0; 1 << lists] } else { Vec::new() },
            work: Work { bits_from: if masks { 0 } else { bits_from }, ..Work::default() },
        }
    }

    fn count_masks(&mut self) {
        for having in self.groups.each() {
            let mask = having.iter().fold(0_usize, |mask, list| mask | 1 << list);
            self.by_mask[mask] += 1;
            self.work.by_mask += u64::from(having.len() > 1);
        }
    }

    fn count(&mut self) {
        let Self { groups, pairs, bits, bits_from, work, .. } = self;
        for having in groups.each() {
            if having.len() < 2 {
                continue;
            }
            if having.len() < *bits_from {
                pairs.count(having);
                work.one_by_one += 1;
            } else {
                bits.push(having, |full| count_bits(full, pairs));
                work.as_bits += 1;
            }
        }
    }

    /// What was counted: of every pair, and of every combination if there are masks.
    pub(super) fn finish(mut self) -> (Pairs, Vec<u32>, Work) {
        if !self.bits.is_empty() {
            count_bits(&self.bits, &mut self.pairs);
        }
        (self.pairs, self.by_mask, self.work)
    }
}

impl Tally for Counter {
    fn groups(&mut self) -> &mut Groups {
        &mut self.groups
    }

    fn end(&mut self) {
        self.work.members += self.groups.len() as u64;
        self.groups.finish();
        if self.by_mask.is_empty() { self.count() } else { self.count_masks() }
    }
}

fn count_bits(bits: &Bits, pairs: &mut Pairs) {
    for i in 0..bits.rows() {
        bits.count(i, pairs.row_mut(i));
    }
}

/// From how many lists on a member costs less as a column of bits: its d(d−1)/2 increments
/// against the share of a column in the count of all pairs.
pub(super) fn bits_from(lists: usize) -> usize {
    let pairs = (lists * lists.saturating_sub(1) / 2) as u64;
    let column = pairs * bits::increments_per_10_000_pairs() / 10_000;
    // d(d−1)/2 > column, and never fewer than 8: to set a bit costs as much as an increment.
    let root = (2 * column).isqrt();
    usize::try_from(root).unwrap_or(usize::MAX).saturating_add(1).max(8)
}
