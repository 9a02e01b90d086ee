//! Which lists each member of a chunk of the id space is in.
//!
//! The rows of a chunk come list by list, ascending. One open-addressing table gives every
//! member a number, then a counting sort puts the lists of each member side by side; because
//! lists are taken in turn, they ascend. A chunk has so few members that table and sort stay in
//! a core's cache; over the whole id space the same would miss it once per row. A heap that
//! merges K lists needs log K comparisons per row that no processor predicts.

/// The rows of a chunk, grouped by member.
#[derive(Default)]
pub(super) struct Groups {
    table: Table,
    /// The number of the member in each row, list by list.
    members: Vec<u32>,
    /// Where the rows of a list end.
    ends: Vec<usize>,
    /// The lists of each member, member by member.
    lists: Vec<u16>,
    /// Where the lists of each member end, once [`finish`](Self::finish) has run.
    places: Vec<u32>,
}

impl Groups {
    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        self.table.clear();
        self.members.clear();
        self.ends.clear();
    }

    /// Adds the rows of the next list.
    pub(super) fn push(&mut self, ids: &[i64]) {
        self.table.reserve(ids.len());
        let table = &mut self.table;
        self.members.extend(ids.iter().map(|id| table.number(*id)));
        self.ends.push(self.members.len());
    }

    /// How many different members there are.
    pub(super) fn len(&self) -> usize {
        self.table.len
    }

    /// Puts the lists of each member side by side. O(rows + members).
    pub(super) fn finish(&mut self) {
        self.places.resize(self.table.len + 1, 0);
        self.places.fill(0);
        // Counts stand one place further on, so that sums are where a member begins, and, when
        // all its lists are placed, where it ends.
        let places = &mut self.places[..];
        for member in &self.members {
            places[*member as usize] += 1;
        }
        let mut sum = 0;
        for place in places.iter_mut() {
            let count = *place;
            *place = sum;
            sum += count;
        }
        self.lists.resize(self.members.len(), 0);
        let mut from = 0;
        for (list, end) in (0..).zip(&self.ends) {
            for member in &self.members[from..*end] {
                let place = &mut places[*member as usize];
                self.lists[*place as usize] = list;
                *place += 1;
            }
            from = *end;
        }
    }

    /// The lists of each member, ascending, in no order of members.
    pub(super) fn each(&self) -> impl Iterator<Item = &[u16]> {
        let mut from = 0;
        self.places[..self.table.len].iter().map(move |end| {
            let lists = &self.lists[from..*end as usize];
            from = *end as usize;
            lists
        })
    }
}

/// Numbers ids in the order in which they first come.
struct Table {
    slots: Vec<Slot>,
    shift: u32,
    len: usize,
}

#[derive(Clone, Copy)]
struct Slot {
    id: i64,
    number: u32,
}

/// No id is negative.
const FREE: Slot = Slot { id: -1, number: 0 };

/// Slots of the smallest table.
const SLOTS: usize = 1 << 10;

impl Default for Table {
    fn default() -> Self {
        Self::of(SLOTS)
    }
}

impl Table {
    fn of(slots: usize) -> Self {
        Self { slots: vec![FREE; slots], shift: 64 - slots.trailing_zeros(), len: 0 }
    }

    fn clear(&mut self) {
        self.slots.fill(FREE);
        self.len = 0;
    }

    /// Makes place for so many more ids: at most half of the slots are ever taken.
    fn reserve(&mut self, more: usize) {
        let needed = 2 * (self.len + more);
        if needed > self.slots.len() {
            let mut larger = Self::of(needed.next_power_of_two());
            self.slots.iter().filter(|slot| slot.id >= 0).for_each(|slot| larger.put(*slot));
            *self = larger;
        }
    }

    /// The number of an id.
    fn number(&mut self, id: i64) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = self.first(id);
        loop {
            let slot = &mut self.slots[at & mask];
            if slot.id == id {
                return slot.number;
            }
            if slot.id < 0 {
                // A chunk has fewer rows than 2^32.
                *slot = Slot { id, number: u32::try_from(self.len).unwrap_or(u32::MAX) };
                self.len += 1;
                return slot.number;
            }
            at += 1;
        }
    }

    /// Puts the slot of an id that is not there where it belongs.
    fn put(&mut self, slot: Slot) {
        let mask = self.slots.len() - 1;
        let mut at = self.first(slot.id) & mask;
        while self.slots[at].id >= 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = slot;
        self.len += 1;
    }

    /// Where to look for an id first: Fibonacci hashing (Knuth, The Art of Computer Programming
    /// 3, 6.4). Then comes linear probing.
    fn first(&self, id: i64) -> usize {
        let hash = id.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift;
        usize::try_from(hash).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn lists_stand_beside_each_other_by_member() {
        let mut groups = Groups::default();
        let lists: Vec<Vec<i64>> = vec![
            (0..3000).collect(),
            Vec::new(),
            (0..3000).map(|i| 2 * i).collect(),
            vec![0, 5999, i64::MAX],
        ];
        // Twice: what was there before is forgotten.
        for _ in 0..2 {
            groups.clear();
            for list in &lists {
                groups.push(list);
            }
            groups.finish();
            let mut expected: BTreeMap<i64, Vec<u16>> = BTreeMap::new();
            for (number, list) in (0..).zip(&lists) {
                for id in list {
                    expected.entry(*id).or_default().push(number);
                }
            }
            let mut expected: Vec<_> = expected.into_values().collect();
            let mut found: Vec<_> = groups.each().map(<[u16]>::to_vec).collect();
            expected.sort_unstable();
            found.sort_unstable();
            assert_eq!(found, expected);
            assert_eq!(groups.len(), expected.len());
        }
    }
}
