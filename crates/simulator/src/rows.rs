//! One list of one account: its rows sorted by edge key, oldest first in memory.
//!
//! New follows are the newest key and so are pushed at the end. A removed row stays as a
//! tombstone until they outnumber the living, which keeps removal at O(log n) even in a
//! list of millions. Knows nothing of hidden members: a page is cut from the raw list.

use crate::cursor::Position;
use crate::user::Ix;

/// Tombstones below this number are never worth a compaction.
const FEW: usize = 32;

/// One edge as its list sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) key: i64,
    pub(crate) member: Ix,
}

/// A page of raw rows, newest first, and the positions of its neighbours.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) rows: Vec<Row>,
    /// Where the next older page begins; none when no older row exists.
    pub(crate) next: Option<Position>,
    /// Where the next newer page begins; none when no newer row exists, and on the first page.
    pub(crate) previous: Option<Position>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    keys: Vec<i64>,
    members: Vec<Ix>,
    live: usize,
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    /// Adds a row whose key is above all others.
    pub(crate) fn push(&mut self, key: i64, member: Ix) {
        debug_assert!(self.keys.last().is_none_or(|&last| last < key));
        self.keys.push(key);
        self.members.push(member);
        self.live += 1;
    }

    /// Removes the row with this key, which must exist.
    pub(crate) fn remove(&mut self, key: i64) {
        let at = self.keys.binary_search(&key).expect("the row to remove exists");
        self.members[at] = Ix::NONE;
        self.live -= 1;
        if self.keys.len() - self.live > self.live.max(FEW) {
            self.compact();
        }
    }

    /// The key of this member's row. O(n).
    pub(crate) fn find(&self, member: Ix) -> Option<i64> {
        self.members.iter().rposition(|&m| m == member).map(|at| self.keys[at])
    }

    /// A row at random: `below` draws an index below a length; none if it hits a tombstone.
    pub(crate) fn draw(&self, below: impl FnOnce(usize) -> usize) -> Option<Row> {
        if self.live == 0 { None } else { self.row(below(self.keys.len())) }
    }

    /// The living rows, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = Row> {
        (0..self.keys.len()).rev().filter_map(|at| self.row(at))
    }

    /// At most `count` raw rows at the position, newest first.
    pub(crate) fn cut(&self, position: Position, count: usize) -> Cut {
        match position {
            Position::Newest => self.cut_below(self.keys.len(), count, None),
            Position::Before(key) => self.cut_below(self.index(key), count, Some(key)),
            Position::From(key) => self.cut_above(self.index(key), count, key),
        }
    }

    /// The newest rows below index `end`; `sent` is the key that led here, if one did.
    fn cut_below(&self, end: usize, count: usize, sent: Option<i64>) -> Cut {
        let mut taken = (0..end).rev().filter_map(|at| self.row(at));
        let rows: Vec<Row> = taken.by_ref().take(count).collect();
        let next = rows.last().filter(|_| taken.next().is_some()).map(before);
        let newer = (end..self.keys.len()).any(|at| self.row(at).is_some());
        let previous =
            sent.filter(|_| newer).map(|key| rows.first().map_or(Position::From(key), after));
        Cut { rows, next, previous }
    }

    /// The oldest rows from index `begin` on.
    fn cut_above(&self, begin: usize, count: usize, sent: i64) -> Cut {
        let mut taken = (begin..self.keys.len()).filter_map(|at| self.row(at));
        let mut rows: Vec<Row> = taken.by_ref().take(count).collect();
        rows.reverse();
        let previous = rows.first().filter(|_| taken.next().is_some()).map(after);
        let older = (0..begin).any(|at| self.row(at).is_some());
        let next = older.then(|| rows.last().map_or(Position::Before(sent), before));
        Cut { rows, next, previous }
    }

    /// How many keys, living or not, lie below this one.
    fn index(&self, key: i64) -> usize {
        self.keys.partition_point(|&k| k < key)
    }

    fn row(&self, at: usize) -> Option<Row> {
        let member = self.members[at];
        (member != Ix::NONE).then(|| Row { key: self.keys[at], member })
    }

    fn compact(&mut self) {
        let mut members = self.members.iter();
        self.keys.retain(|_| members.next().is_some_and(|&m| m != Ix::NONE));
        self.members.retain(|&m| m != Ix::NONE);
    }
}

fn before(row: &Row) -> Position {
    Position::Before(row.key)
}

/// Everything above this row; keys are whole numbers.
fn after(row: &Row) -> Position {
    Position::From(row.key + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows with keys 10, 20, … and members 1, 2, …
    fn rows(count: usize) -> Rows {
        let mut rows = Rows::default();
        for n in 1..=count {
            rows.push(10 * i64::try_from(n).unwrap(), Ix::new(n));
        }
        rows
    }

    fn keys(cut: &Cut) -> Vec<i64> {
        cut.rows.iter().map(|row| row.key).collect()
    }

    #[test]
    fn pages_lead_down_the_list_and_back_up() {
        let rows = rows(5);
        let first = rows.cut(Position::Newest, 2);
        assert_eq!((keys(&first), first.previous), (vec![50, 40], None));
        let second = rows.cut(first.next.unwrap(), 2);
        assert_eq!(keys(&second), [30, 20]);
        let third = rows.cut(second.next.unwrap(), 2);
        assert_eq!((keys(&third), third.next), (vec![10], None));
        let up = rows.cut(third.previous.unwrap(), 2);
        assert_eq!(keys(&up), [30, 20]);
        let top = rows.cut(up.previous.unwrap(), 2);
        assert_eq!((keys(&top), top.previous), (vec![50, 40], None));
    }

    #[test]
    fn a_page_after_the_last_row_points_back_to_where_it_was_asked() {
        let empty = rows(2).cut(Position::Before(10), 5);
        assert_eq!(empty, Cut { rows: vec![], next: None, previous: Some(Position::From(10)) });
    }

    #[test]
    fn an_empty_list_has_no_neighbours() {
        for position in [Position::Newest, Position::Before(9), Position::From(9)] {
            let cut = Rows::default().cut(position, 5);
            assert_eq!(cut, Cut { rows: vec![], next: None, previous: None });
        }
    }

    #[test]
    fn removed_rows_neither_show_nor_count() {
        let mut rows = rows(100);
        for key in (20..=1000).step_by(10) {
            rows.remove(key);
        }
        assert_eq!(rows.len(), 1);
        assert!(rows.keys.len() < 100, "compacted");
        let cut = rows.cut(Position::Newest, 1);
        assert_eq!((keys(&cut), cut.next), (vec![10], None));
    }

    #[test]
    fn a_cursor_stays_good_when_its_row_goes() {
        let mut rows = rows(4);
        let first = rows.cut(Position::Newest, 2);
        rows.remove(30);
        assert_eq!(keys(&rows.cut(first.next.unwrap(), 9)), [20, 10]);
    }
}
