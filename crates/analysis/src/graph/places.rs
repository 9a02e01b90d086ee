//! Numbers ids while edges are still being read.
//!
//! The final number of an account, its rank among all ids, is not known before the last edge
//! is. Until then an id goes by its *place*: where it stands in a table that all threads
//! share. Edges are kept as pairs of places, 8 bytes each, and when all are read the ids are
//! sorted once and each place gets its rank.
//!
//! Small ids are their own places, and a bit each remembers which were met. All others stand
//! in an open-addressing table: 8 bytes a slot, at most three quarters full. A place is the
//! slot itself, so nothing is stored beside an id and a thread that finds one need not wait
//! for a value to appear. What that costs is that places change when the table grows; then
//! the caller takes all pairs it has from the old places to the new.
//!
//! Which place an id gets depends on the threads' timing. Ranks do not.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};

use rayon::prelude::*;
use snapshot::AccountId;

use crate::Error;

/// Stands for an id until it has its rank.
pub(super) type Place = u32;

/// The places of all ids that were met.
pub(super) enum Places {
    /// Ids below a bound are their own places.
    Small(Marks),
    /// Ids of any size.
    Any(Table),
}

/// Why some ids got no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The places must grow first.
    Full,
    /// One of them is negative.
    Negative,
}

/// Ranks by place, and the ids by rank.
pub(super) struct Ranks {
    pub(super) accounts: Vec<AccountId>,
    /// Unspecified at places that no id has.
    by_place: Vec<AtomicU32>,
}

/// More ids than fit into a table of 2^32 places.
pub(super) fn too_many() -> Error {
    Error::invalid("the graph has more accounts than can be numbered in 32 bits")
}

impl Places {
    /// For about so many edges. Ids are small if they are below half of that: then their
    /// ranks take no more than 2 bytes an edge.
    pub(super) fn new(edges: u64) -> Self {
        let bound = (edges / 2).clamp(SMALL_MIN, SMALL_MAX);
        Self::Small(Marks::new(usize::try_from(bound).unwrap_or(0).next_multiple_of(64), edges))
    }

    /// Gives each id its place, those met for the first time a new one; at most
    /// [`AT_ONCE`] ids. Of ids that are refused some may have got a place nonetheless.
    pub(super) fn of(&self, ids: &[i64], out: &mut Vec<Place>) -> Result<(), Refusal> {
        debug_assert!(ids.len() <= AT_ONCE);
        out.clear();
        let (or, largest) = ids.iter().fold((0, 0), |(or, max), id| (or | id, *id.max(&max)));
        if or < 0 {
            return Err(Refusal::Negative);
        }
        match self {
            Self::Small(marks) if largest.cast_unsigned() >= marks.bound() => Err(Refusal::Full),
            Self::Small(marks) => {
                out.extend(ids.iter().map(|id| marks.mark(*id)));
                Ok(())
            }
            Self::Any(table) => {
                let Some(room) = table.reserve(ids.len()) else { return Err(Refusal::Full) };
                let mut new = 0;
                out.extend(ids.iter().map(|id| table.place(*id, &mut new)));
                table.release(room, new);
                Ok(())
            }
        }
    }

    /// Bits that tell places apart.
    pub(super) fn bits(&self) -> u32 {
        match self {
            Self::Small(marks) => bits(marks.bits.len() * 64),
            Self::Any(table) => bits(table.slots.len()),
        }
    }

    /// Makes room for more ids; each old place's new one, if `mapped`.
    ///
    /// # Errors
    /// If there are too many ids to number.
    pub(super) fn grow(&mut self, mapped: bool) -> Result<Vec<AtomicU32>, Error> {
        let (ids, slots, old) = match &self {
            Self::Small(marks) => {
                let met: usize =
                    marks.bits.iter().map(|w| w.load(Relaxed).count_ones() as usize).sum();
                let expected = usize::try_from(marks.edges / 8).unwrap_or(usize::MAX);
                let wanted = (2 * met).max(expected.min(SLOTS_AT_FIRST));
                (self.ids(), wanted.max(3 * AT_ONCE), marks.bits.len() * 64)
            }
            Self::Any(table) => (self.ids(), 2 * table.slots.len(), table.slots.len()),
        };
        let slots = slots.checked_next_power_of_two().filter(|s| *s <= 1 << 32);
        let table = Table::new(slots.ok_or_else(too_many)?);
        let map: Vec<AtomicU32> = zeros(if mapped { old } else { 0 });
        let new: usize = ids
            .par_iter()
            .with_min_len(1 << 12)
            .map(|id| {
                let mut new = 0;
                let place = table.place(*id, &mut new);
                if mapped {
                    map[self.find(*id)].store(place, Relaxed);
                }
                new
            })
            .sum();
        table.taken.store(new, Relaxed);
        *self = Self::Any(table);
        Ok(map)
    }

    /// Sorts the ids and ranks their places. O(ids log ids), in parallel.
    pub(super) fn ranks(self) -> Ranks {
        let mut ids = self.ids();
        let by_place: Vec<AtomicU32> = match &self {
            Self::Small(_) => zeros(ids.last().map_or(0, |id| self.find(*id) + 1)),
            Self::Any(table) => {
                ids.par_sort_unstable();
                zeros(table.slots.len())
            }
        };
        let ranked = ids.par_iter().with_min_len(1 << 12).enumerate();
        ranked.for_each(|(rank, id)| by_place[self.find(*id)].store(short(rank), Relaxed));
        drop(self);
        // In place: the memory of the ids becomes that of the accounts.
        let accounts = ids.into_iter().filter_map(AccountId::new).collect();
        Ranks { accounts, by_place }
    }

    /// All ids, in the order of their places.
    fn ids(&self) -> Vec<i64> {
        match self {
            Self::Small(marks) => marks.ids(),
            Self::Any(table) => {
                let keys = table.slots.par_iter().with_min_len(1 << 14);
                keys.filter_map(|slot| id_of(slot.load(Relaxed))).collect()
            }
        }
    }

    /// The place of an id that has one.
    fn find(&self, id: i64) -> usize {
        match self {
            Self::Small(_) => usize::try_from(id).unwrap_or(0),
            Self::Any(table) => table.place(id, &mut 0) as usize,
        }
    }
}

impl Ranks {
    /// The rank of the id that has a place.
    pub(super) fn of(&self, place: Place) -> u32 {
        self.by_place[place as usize].load(Relaxed)
    }
}

/// Ids that are given places at a time.
pub(super) const AT_ONCE: usize = 1 << 12;

/// Bounds below which ids are small.
const SMALL_MIN: u64 = 1 << 16;
const SMALL_MAX: u64 = 1 << 31;

/// The most slots that are made before it is known that there are ids for them.
const SLOTS_AT_FIRST: usize = 1 << 24;

/// Which of the ids below a bound were met.
pub(super) struct Marks {
    bits: Vec<AtomicU64>,
    /// How many edges are expected, for the table that may be needed instead.
    edges: u64,
}

impl Marks {
    fn new(bound: usize, edges: u64) -> Self {
        Self { bits: zeros(bound / 64), edges }
    }

    fn bound(&self) -> u64 {
        self.bits.len() as u64 * 64
    }

    /// Looks before it writes: nearly every id was met before, and a line of memory that is
    /// only read stays in the caches of all cores.
    fn mark(&self, id: i64) -> Place {
        let place = id.cast_unsigned();
        let (word, bit) = (index(place / 64), 1 << (place % 64));
        if self.bits[word].load(Relaxed) & bit == 0 {
            self.bits[word].fetch_or(bit, Relaxed);
        }
        short(index(place))
    }

    fn ids(&self) -> Vec<i64> {
        let of_word = |(word, base): (&AtomicU64, i64)| {
            let mut left = word.load(Relaxed);
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(base + i64::from(bit))
            })
        };
        self.bits.iter().zip((0..).step_by(64)).flat_map(of_word).collect()
    }
}

/// A set of ids, open addressing with linear steps. A slot holds the id plus one, or 0.
pub(super) struct Table {
    slots: Vec<AtomicU64>,
    /// Slots that are taken, or might be by ids at hand.
    taken: AtomicUsize,
}

impl Table {
    /// `slots` is a power of two, at most 2^32.
    fn new(slots: usize) -> Self {
        Self { slots: zeros(slots), taken: AtomicUsize::new(0) }
    }

    /// How many slots may be taken.
    fn room(&self) -> usize {
        self.slots.len() / 4 * 3
    }

    /// Makes sure of room for so many new ids.
    fn reserve(&self, ids: usize) -> Option<usize> {
        let before = self.taken.fetch_add(ids, Relaxed);
        if before + ids <= self.room() {
            return Some(ids);
        }
        self.taken.fetch_sub(ids, Relaxed);
        None
    }

    fn release(&self, room: usize, used: usize) {
        self.taken.fetch_sub(room - used, Relaxed);
    }

    fn place(&self, id: i64, new: &mut usize) -> Place {
        let (slots, mask) = (&self.slots[..], self.slots.len() - 1);
        let key = id.cast_unsigned() + 1;
        let mut at = index(mixed(key)) & mask;
        loop {
            let mut found = slots[at].load(Relaxed);
            if found == 0 {
                match slots[at].compare_exchange(0, key, Relaxed, Relaxed) {
                    Ok(_) => {
                        *new += 1;
                        found = key;
                    }
                    Err(other) => found = other,
                }
            }
            if found == key {
                return short(at);
            }
            at = (at + 1) & mask;
        }
    }
}

fn id_of(key: u64) -> Option<i64> {
    (key != 0).then(|| (key - 1).cast_signed())
}

/// Bits that tell so many numbers apart.
pub(super) fn bits(numbers: usize) -> u32 {
    usize::BITS - numbers.saturating_sub(1).leading_zeros()
}

/// Both halves of a product with an odd constant, folded: ids differ in few of their bits,
/// and each must reach the lowest.
fn mixed(key: u64) -> u64 {
    let product = u128::from(key) * 0x9E37_79B9_7F4A_7C15_u128;
    folded(product)
}

#[expect(clippy::cast_possible_truncation, reason = "the halves of a number")]
fn folded(product: u128) -> u64 {
    (product >> 64) as u64 ^ product as u64
}

/// A place or a rank; a table has at most 2^32 slots.
#[expect(clippy::cast_possible_truncation, reason = "there are at most 2^32 places")]
fn short(place: usize) -> u32 {
    place as u32
}

#[expect(clippy::cast_possible_truncation, reason = "masked, or below the length of an array")]
fn index(number: u64) -> usize {
    number as usize
}

fn zeros<T: Default + Send>(count: usize) -> Vec<T> {
    (0..count).into_par_iter().with_min_len(1 << 16).map(|_| T::default()).collect()
}
