//! What an account is drawn to; derived from the seed and its index, never stored.
//!
//! Topics make the audiences of watched accounts overlap in groups, appetite makes some
//! members follow nearly all of them, as in real lists.

use crate::dice::mix;
use crate::user::Ix;

/// Number of topics in a world.
pub(crate) const TOPICS: usize = 7;

/// One account in this many follows nearly every watched account.
const COLLECTOR_EVERY: u64 = 200;

/// One ordinary account in this many looks automated.
const AUTOMATED_EVERY: u64 = 12;

/// The topic of an account, below [`TOPICS`].
pub(crate) fn topic(seed: u64, of: Ix) -> usize {
    // Two draws, the smaller: topics differ in size.
    let hash = trait_of(seed, of, 1);
    let pick = |bits: u64| usize::try_from(bits % TOPICS as u64).unwrap_or(0);
    pick(hash >> 8).min(pick(hash >> 40))
}

/// How readily an account follows, from 0 to 255.
pub(crate) fn appetite(seed: u64, of: Ix) -> u64 {
    trait_of(seed, of, 2) % 256
}

/// Whether the account follows nearly every watched account.
pub(crate) fn collects(seed: u64, of: Ix) -> bool {
    trait_of(seed, of, 3).is_multiple_of(COLLECTOR_EVERY)
}

/// Whether the network would take the account for an automated one.
pub(crate) fn seems_automated(seed: u64, of: Ix) -> bool {
    trait_of(seed, of, 4).is_multiple_of(AUTOMATED_EVERY)
}

fn trait_of(seed: u64, of: Ix, which: u64) -> u64 {
    mix(seed ^ which << 56, of.at() as u64)
}
