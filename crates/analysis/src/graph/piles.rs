//! Edges as 64-bit keys, dealt to piles and sorted pile by pile.
//!
//! Work on all edges is fast only while it stays in a core's cache. So keys are first dealt
//! to piles by their highest bits, all of them in one go through memory, and each pile is then
//! sorted by itself, by the bits that are left. A pile that is too large, because one account
//! has very many edges, is dealt again.
//!
//! A pile is a chain of [links](super::links), which needs no length that is known before. It
//! keeps of its keys the bits in which they differ: 4 bytes a key for a million accounts, and
//! 7 for four billion.

use rayon::prelude::*;

use super::links::{Link, Pool, width};
use crate::radix;

/// The highest bits of a key that is dealt: so many piles that the ends of all of them, where
/// keys are added, fit into the first cache.
const DEAL_BITS: u32 = 9;

/// Keys of a pile that need not be dealt again: with scratch they fit into a second cache.
const PILE_KEYS: usize = 1 << 16;

/// Keys that agree in their highest bits, in the order in which they were dealt.
pub(super) struct Pile<'s> {
    /// The bits in which they agree; the others are 0.
    high: u64,
    /// The other bits.
    links: Vec<Link<'s>>,
}

/// Deals keys to piles.
pub(super) struct Dealer<'p, 's> {
    pool: &'p Pool<'s>,
    /// Bits that are kept.
    shift: u32,
    width: usize,
    mask: u64,
    full: Vec<Vec<Link<'s>>>,
    /// What is being filled, per pile.
    last: Vec<Link<'s>>,
}

impl<'p, 's> Dealer<'p, 's> {
    fn new(pool: &'p Pool<'s>, bits: u32, deal_bits: u32) -> Self {
        let piles = 1 << deal_bits;
        let shift = bits - deal_bits;
        Self {
            pool,
            shift,
            width: width(shift),
            mask: (1 << deal_bits) - 1,
            full: (0..piles).map(|_| Vec::new()).collect(),
            last: (0..piles).map(|_| Link::none()).collect(),
        }
    }

    pub(super) fn push(&mut self, key: u64) {
        let pile = usize::try_from(key >> self.shift & self.mask).unwrap_or_default();
        let low = key & !(u64::MAX << self.shift);
        if !self.last[pile].push(low) {
            let mut link = self.pool.take(self.width);
            link.push(low);
            let full = std::mem::replace(&mut self.last[pile], link);
            self.full[pile].push(full);
        }
    }

    fn piles(self) -> impl Iterator<Item = Vec<Link<'s>>> {
        self.full.into_iter().zip(self.last).map(|(mut links, last)| {
            links.push(last);
            links.retain(|link| link.count() > 0);
            links
        })
    }
}

/// Links that are not full when so many keys have been dealt.
pub(super) fn open_links(keys: usize) -> usize {
    (SHARES * rayon::current_num_threads()) << deal_bits(keys)
}

fn deal_bits(keys: usize) -> u32 {
    let wanted = (keys / (PILE_KEYS / 2)).max(1).ilog2() + 1;
    wanted.min(DEAL_BITS)
}

/// Deals about `keys` keys to piles that ascend. Above their lowest `bits` bits, less than 64,
/// they all are as `high`. Every task is one thread's; within a pile keys are in the order of
/// the tasks.
pub(super) fn deal<'s, T: Send>(
    tasks: Vec<T>,
    keys: usize,
    (high, bits): (u64, u32),
    pool: &Pool<'s>,
    each: impl Fn(T, &mut Dealer<'_, 's>) + Sync,
) -> Vec<Pile<'s>> {
    let deal_bits = deal_bits(keys).min(bits);
    let one = |task: T| {
        let mut dealer = Dealer::new(pool, bits, deal_bits);
        each(task, &mut dealer);
        dealer.piles().collect()
    };
    let dealt: Vec<Vec<Vec<Link<'_>>>> = tasks.into_par_iter().with_max_len(1).map(one).collect();
    let pile = |pile: u64| Pile { high: high | pile << (bits - deal_bits), links: Vec::new() };
    let mut piles: Vec<Pile<'_>> = (0..1 << deal_bits).map(pile).collect();
    for dealt in dealt {
        piles.iter_mut().zip(dealt).for_each(|(pile, links)| pile.links.extend(links));
    }
    piles.into_iter().flat_map(|pile| pile.small_enough(pool)).collect()
}

impl<'s> Pile<'s> {
    fn keys(&self) -> usize {
        self.links.iter().map(Link::count).sum()
    }

    /// Itself, or piles of its keys that ascend.
    fn small_enough(self, pool: &Pool<'s>) -> Vec<Self> {
        let keys = self.keys();
        if keys == 0 {
            return Vec::new();
        }
        if keys <= 4 * PILE_KEYS {
            return vec![self];
        }
        let every = self.links.iter().flat_map(Link::words);
        let (or, and) = every.fold((0, u64::MAX), |(or, and), key| (or | key, and & key));
        // One account's keys differ only in the other's bits.
        let bits = u64::BITS - (or ^ and).leading_zeros();
        if bits == 0 {
            return vec![self];
        }
        let high = self.high | or >> bits << bits;
        deal(shares(self.links), keys, (high, bits), pool, |links, dealer| {
            for link in links {
                link.words().for_each(|word| dealer.push(word));
                pool.give(link);
            }
        })
    }

    /// The keys ascending, if those that agree from bit `from` on ascend already.
    pub(super) fn sorted(self, from: u32, pool: &Pool<'s>) -> Vec<u64> {
        let mut keys = Vec::with_capacity(self.keys());
        for link in self.links {
            keys.extend(link.words().map(|word| self.high | word));
            pool.give(link);
        }
        let mut scratch = Vec::new();
        radix::sort_from(from, &mut keys, &mut scratch);
        keys
    }
}

/// Shares for each thread: some, so that one that is late does not keep the others waiting
/// for long, and few, because each leaves links that are not full.
const SHARES: usize = 2;

/// The items in order, cut into shares of about the same length.
pub(super) fn shares<T>(items: Vec<T>) -> Vec<Vec<T>> {
    let length = items.len().div_ceil(SHARES * rayon::current_num_threads()).max(1);
    let mut items = items.into_iter();
    let share = || Some(items.by_ref().take(length).collect()).filter(|s: &Vec<T>| !s.is_empty());
    std::iter::from_fn(share).collect()
}
