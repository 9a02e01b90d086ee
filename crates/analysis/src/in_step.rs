//! Compares two lists that are in the same order but for what changed, without sorting them.
//!
//! A network returns a list newest first, so two readings of one list agree row by row, with a
//! block of new members in front, gaps where somebody left, and here and there somebody who
//! returned. The two are walked in step: equal rows are passed over; where rows differ, the
//! nearest place is looked for at which they agree again, and what lies before it is set aside.
//! In the end the rows that were set aside are compared as sets. That is the idea of Heckel, "A
//! technique for isolating differences between files" (1978), with a bound on how far it looks.
//!
//! A list may repeat an id, and then a row that was set aside may also have been passed over. So
//! the earlier list is read again, for the ids alone that were set aside: whoever is found in it
//! more often than was set aside is in both.
//!
//! Two readings of the earlier list and one of the later, and memory for what changed. Gives up
//! where the lists are not in step, and says so.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;

use rayon::prelude::*;
use snapshot::{AccountId, IdTable};

use crate::question::common_prefix;
use crate::{Change, DiffPart, Error, limits};

/// Row groups of each list that are decoded ahead.
fn ahead() -> usize {
    rayon::current_num_threads().max(2)
}

/// How many rows are looked through for a place where both agree again.
const LOOK_AHEAD: usize = 1 << 22;

/// So many of the next rows of each list are looked for in the other.
const ANCHORS: usize = 32;

/// So many ids that were set aside are handed over together.
const PIECE_IDS: usize = 1 << 16;

/// So many rows are at hand where there are as many.
const AT_HAND: usize = 1 << 12;

/// Bits of the filter that the second reading asks first, as a power of two: 2 MB, which fit in
/// a core's second cache, and in which a million ids let one of sixteen others through.
const FILTER_BITS: u32 = 24;

/// Hands over who is in one list only, in ascending order. False, and nothing handed over, if
/// the lists are not in step.
///
/// Same as the differences of sets, whatever ids repeat themselves. The number of members in
/// both is not told.
pub(crate) fn compare(
    before: &IdTable,
    after: &IdTable,
    take: impl FnMut(DiffPart) -> Result<(), Error>,
) -> Result<bool, Error> {
    let longest = |table: &IdTable| (0..table.row_groups()).map(|group| table.rows(group)).max();
    let group = longest(before).max(longest(after)).unwrap_or(0) as u64;
    // Both are decoded ahead, and looked through as far as that goes.
    let bytes = 8 * 2 * (group * ahead() as u64 + LOOK_AHEAD as u64);
    if bytes > limits::memory() / 2 || rayon::current_thread_index().is_some() {
        return Ok(false);
    }
    let aside = rayon::in_place_scope(|scope| {
        walk(&mut Ahead::new(before, scope), &mut Ahead::new(after, scope))
    })?;
    match aside {
        Some(aside) => aside.settle(before, take).map(|()| true),
        None => Ok(false),
    }
}

/// Rows that were passed without an equal one beside them.
#[derive(Default)]
struct Aside {
    before: Vec<i64>,
    after: Vec<i64>,
}

fn walk<'t, 's>(
    before: &mut Ahead<'t, 's>,
    after: &mut Ahead<'t, 's>,
) -> Result<Option<Aside>, Error> {
    let mut aside = Aside::default();
    // Some fifty bytes each, until they are handed over.
    let most = usize::try_from(limits::memory() / 128).unwrap_or(usize::MAX).min(1 << 31);
    loop {
        before.have(AT_HAND)?;
        after.have(AT_HAND)?;
        let same = common_prefix(before.rows(), after.rows());
        before.pass(same);
        after.pass(same);
        if before.rows().is_empty() || after.rows().is_empty() {
            if before.have(1)? && after.have(1)? {
                continue;
            }
            break;
        }
        let Some((left, right)) = agree_again(before, after)? else { return Ok(None) };
        aside.before.extend_from_slice(&before.rows()[..left]);
        aside.after.extend_from_slice(&after.rows()[..right]);
        before.pass(left);
        after.pass(right);
        if aside.before.len() + aside.after.len() > most {
            return Ok(None);
        }
    }
    let mut left = most - aside.before.len() - aside.after.len();
    for (list, aside) in [(before, &mut aside.before), (after, &mut aside.after)] {
        while list.have(1)? {
            let rows = list.rows().len();
            if rows > left {
                return Ok(None);
            }
            left -= rows;
            aside.extend_from_slice(list.rows());
            list.pass(rows);
        }
    }
    Ok(Some(aside))
}

/// How many rows of each lie before the nearest place where both agree; their first ones differ.
fn agree_again(
    before: &mut Ahead<'_, '_>,
    after: &mut Ahead<'_, '_>,
) -> Result<Option<(usize, usize)>, Error> {
    before.have(AT_HAND)?;
    after.have(AT_HAND)?;
    // One left, or one came: nearly always.
    let (a, b) = (before.rows(), after.rows());
    for step in 1..8 {
        if a.get(step) == b.first() {
            return Ok(Some((step, 0)));
        }
        if b.get(step) == a.first() {
            return Ok(Some((0, step)));
        }
    }
    let anchors_of = |rows: &[i64]| {
        let mut anchors: Vec<_> = rows.iter().take(ANCHORS).copied().zip(0..).collect();
        anchors.sort_unstable();
        anchors.dedup_by_key(|(id, _)| *id);
        anchors
    };
    let (anchors_a, anchors_b) = (anchors_of(a), anchors_of(b));
    let place = |anchors: &[(i64, usize)], id: i64| {
        anchors.binary_search_by_key(&id, |(id, _)| *id).ok().map(|found| anchors[found].1)
    };
    let (mut looked, mut wanted) = (0, AT_HAND);
    loop {
        before.have(wanted)?;
        after.have(wanted)?;
        let (a, b) = (before.rows(), after.rows());
        let end = a.len().max(b.len()).min(wanted);
        for step in looked..end {
            if let Some(left) = b.get(step).and_then(|id| place(&anchors_a, *id)) {
                return Ok(Some((left, step)));
            }
            if let Some(right) = a.get(step).and_then(|id| place(&anchors_b, *id)) {
                return Ok(Some((step, right)));
            }
        }
        looked = end;
        if end < wanted {
            // Both have ended: nothing agrees any more.
            return Ok(Some((a.len(), b.len())));
        }
        if wanted >= LOOK_AHEAD {
            return Ok(None);
        }
        wanted *= 4;
    }
}

impl Aside {
    /// Compares what was set aside, after looking in the earlier list for what repeats itself.
    fn settle(
        self,
        earlier: &IdTable,
        mut take: impl FnMut(DiffPart) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Self { mut before, mut after } = self;
        before.par_sort_unstable();
        after.par_sort_unstable();
        let mut asked = [before.as_slice(), after.as_slice()].concat();
        asked.par_sort_unstable();
        asked.dedup();
        let met = count(&asked, earlier)?;
        let (mut before, mut after) = (before.as_slice(), after.as_slice());
        for (ids, met) in asked.chunks(PIECE_IDS).zip(met.chunks(PIECE_IDS)) {
            let mut part = DiffPart::default();
            for (id, met) in ids.iter().zip(met) {
                let aside_before = take_equal(&mut before, *id);
                let aside_after = take_equal(&mut after, *id);
                let in_both = *met > aside_before || aside_before > 0 && aside_after > 0;
                let Some(member) = AccountId::new(*id).filter(|_| !in_both) else { continue };
                let change = Change::of_file(member);
                if aside_before > 0 { &mut part.lost } else { &mut part.gained }.push(change);
            }
            take(part)?;
        }
        Ok(())
    }
}

/// Passes over the ids at the front that are equal to `id`; says how many there are.
fn take_equal(ids: &mut &[i64], id: i64) -> u32 {
    let mut equal = 0;
    while ids.first() == Some(&id) {
        *ids = &ids[1..];
        equal += 1;
    }
    equal
}

/// How often each of some different ids is in a table. A pass over it, in parallel.
fn count(asked: &[i64], table: &IdTable) -> Result<Vec<u32>, Error> {
    let index = Index::new(asked);
    let counts: Vec<_> = asked.iter().map(|_| AtomicU32::new(0)).collect();
    let groups = (0..table.row_groups()).into_par_iter().with_max_len(1);
    groups.try_for_each_init(Vec::new, |ids, group| -> Result<(), Error> {
        let mut pages = table.pages(group, 0)?;
        loop {
            ids.clear();
            if !pages.next(ids)? {
                return Ok(());
            }
            for id in ids.iter() {
                if let Some(found) = index.find(*id) {
                    counts[found].fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    })?;
    Ok(counts.into_iter().map(AtomicU32::into_inner).collect())
}

/// Where ids stand among some of them: an open-addressing table, behind a filter that turns
/// away nearly all others.
struct Index<'a> {
    asked: &'a [i64],
    filter: Vec<u64>,
    /// A number in `asked`, plus one; 0 is empty. A power of two, at most half full.
    slots: Vec<u32>,
}

impl<'a> Index<'a> {
    fn new(asked: &'a [i64]) -> Self {
        let slots = vec![0; (2 * asked.len()).next_power_of_two().max(2)];
        let mut index = Self { asked, filter: vec![0; (1 << FILTER_BITS) / 64], slots };
        for (id, number) in asked.iter().zip(1..) {
            let hash = hash(*id);
            let (word, bit) = Self::bit(hash);
            index.filter[word] |= bit;
            let mut slot = index.slot(hash);
            while index.slots[slot] != 0 {
                slot = (slot + 1) % index.slots.len();
            }
            index.slots[slot] = number;
        }
        index
    }

    fn bit(hash: u64) -> (usize, u64) {
        let bit = hash >> (u64::BITS - FILTER_BITS);
        ((bit / 64) as usize, 1 << (bit % 64))
    }

    fn slot(&self, hash: u64) -> usize {
        (hash >> 8) as usize % self.slots.len()
    }

    fn find(&self, id: i64) -> Option<usize> {
        let hash = hash(id);
        let (word, bit) = Self::bit(hash);
        if self.filter[word] & bit == 0 {
            return None;
        }
        let mut slot = self.slot(hash);
        loop {
            let number = self.slots[slot].checked_sub(1)? as usize;
            if self.asked[number] == id {
                return Some(number);
            }
            slot = (slot + 1) % self.slots.len();
        }
    }
}

/// Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4), whose high bits are the
/// good ones.
fn hash(id: i64) -> u64 {
    let product = id.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15);
    product ^ product >> 32
}

/// A list on the way from its first row to its last, decoded ahead by the pool.
struct Ahead<'t, 's> {
    table: &'t IdTable,
    scope: &'s rayon::Scope<'t>,
    next: usize,
    coming: VecDeque<mpsc::Receiver<Result<Vec<i64>, Error>>>,
    rows: Vec<i64>,
    passed: usize,
}

impl<'t, 's> Ahead<'t, 's> {
    fn new(table: &'t IdTable, scope: &'s rayon::Scope<'t>) -> Self {
        let (coming, rows) = (VecDeque::new(), Vec::new());
        let mut ahead = Self { table, scope, next: 0, coming, rows, passed: 0 };
        (0..self::ahead()).for_each(|_| ahead.begin());
        ahead
    }

    /// Lets the pool decode the next row group.
    fn begin(&mut self) {
        if self.next == self.table.row_groups() {
            return;
        }
        let (done, result) = mpsc::sync_channel(1);
        let (table, group) = (self.table, self.next);
        self.scope.spawn(move |_| {
            let mut ids = Vec::new();
            let read = table.read(group, 0, &mut ids);
            // Nobody waits for it any more if the lists are not in step.
            let _ = done.send(read.map(|()| ids).map_err(Error::from));
        });
        self.coming.push_back(result);
        self.next += 1;
    }

    /// Sees that so many rows are at hand, if the list has as many; says whether it has.
    fn have(&mut self, rows: usize) -> Result<bool, Error> {
        while self.rows.len() - self.passed < rows {
            let Some(first) = self.coming.pop_front() else { return Ok(false) };
            let Ok(more) = first.recv() else { return Ok(false) };
            let more = more?;
            self.begin();
            if self.passed == self.rows.len() {
                self.rows = more;
            } else {
                self.rows.drain(..self.passed);
                self.rows.extend(more);
            }
            self.passed = 0;
        }
        Ok(true)
    }

    fn rows(&self) -> &[i64] {
        &self.rows[self.passed..]
    }

    fn pass(&mut self, rows: usize) {
        self.passed += rows;
    }
}
