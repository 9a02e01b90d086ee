//! Where the estimate can put weight: the innermost intervals, and lifetimes in terms of them.
//!
//! The maximum likelihood is reached with weight only in intervals that begin where some
//! lifetime's interval begins and end where one ends, with no such end between (Peto 1973;
//! Turnbull 1976). With delayed entry an age of entry counts as an end: weight before it
//! does not lower the chance of being seen (Frydman 1994; Alioum and Commenges 1996). How
//! weight is spread inside such an interval changes nothing: survival is undetermined there.

use super::lifetimes::Lifetimes;

/// An innermost interval, `(low, high]` in bins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) low: u32,
    /// `None`: all that is above.
    pub(super) high: Option<u32>,
}

/// A lifetime in terms of cells: it ended in one of `left..right`, and was seen because it did
/// not end before `entry`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) entry: usize,
    pub(super) left: usize,
    pub(super) right: usize,
    pub(super) weight: f64,
}

/// What the likelihood of lifetimes depends on.
#[derive(Clone, Debug, Default)]
pub(super) struct Support {
    /// Ascending, without overlap.
    pub(super) cells: Vec<Cell>,
    /// In the order of the lifetimes.
    pub(super) rows: Vec<Row>,
}

impl Support {
    /// O(d log d) for d different lifetimes.
    pub(super) fn new(lifetimes: &Lifetimes) -> Self {
        let cells = cells(lifetimes);
        // All cells are on either side of any end.
        let from = |age: u32| cells.partition_point(|cell| cell.low < age);
        let row = |(one, number): (super::Lifetime, u64)| Row {
            entry: from(one.entry()),
            left: from(one.left()),
            right: one.right().map_or(cells.len(), |right| {
                cells.partition_point(|cell| cell.high.is_some_and(|high| high <= right))
            }),
            weight: number as f64,
        };
        let rows = lifetimes.iter().map(row).collect();
        Self { cells, rows }
    }
}

fn cells(lifetimes: &Lifetimes) -> Vec<Cell> {
    // Ends before beginnings of the same age: intervals are open on the left.
    let (end, beginning) = (0_u8, 1_u8);
    let mut marks: Vec<(Option<u32>, u8)> = Vec::with_capacity(3 * lifetimes.different());
    for (one, _) in lifetimes.iter() {
        marks.extend([(Some(one.left()), beginning), (Some(one.entry()), end)]);
        marks.push((one.right(), end));
    }
    // Never ended is the latest end.
    marks.sort_unstable_by_key(|(age, kind)| (age.is_none(), *age, *kind));
    marks.dedup();
    let innermost = |pair: &[(Option<u32>, u8)]| match *pair {
        [(Some(low), 1), (high, 0)] => Some(Cell { low, high }),
        _ => None,
    };
    let mut cells: Vec<Cell> = marks.windows(2).filter_map(innermost).collect();
    let Some(last) = cells.pop() else { return cells };
    // Where only right-censored lifetimes reach, weight would be nobody's end.
    let mut ends = ends(lifetimes);
    cells.retain(|cell| ends.reach(cell));
    cells.push(last);
    cells
}

/// The intervals of lifetimes that ended, to be asked about ascending cells.
struct Ends {
    intervals: std::iter::Peekable<std::vec::IntoIter<(u32, u32)>>,
    furthest: u32,
}

fn ends(lifetimes: &Lifetimes) -> Ends {
    let ended = lifetimes.iter().filter_map(|(one, _)| Some((one.left(), one.right()?)));
    let mut intervals: Vec<_> = ended.collect();
    intervals.sort_unstable();
    Ends { intervals: intervals.into_iter().peekable(), furthest: 0 }
}

impl Ends {
    /// Whether some interval has the cell in it.
    fn reach(&mut self, cell: &Cell) -> bool {
        while let Some((_, right)) = self.intervals.next_if(|(left, _)| *left <= cell.low) {
            self.furthest = self.furthest.max(right);
        }
        cell.high.is_some_and(|high| high <= self.furthest)
    }
}
