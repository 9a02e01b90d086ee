//! Pairs of lists as values: all of them as they are counted, or only the strongest.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use rayon::prelude::*;
use snapshot::{AccountId, Columns, List};

use super::pairs::Pairs;
use super::{Work, count};
use crate::engine::Engine;
use crate::ratio::ratio;
use crate::{Error, Observation, Side};

/// How two lists overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Which list A is, by its place among those asked for.
    pub a: usize,
    /// Which list B is.
    pub b: usize,
    /// Members of A.
    pub a_size: u64,
    /// Members of B.
    pub b_size: u64,
    /// `|A ∩ B|`.
    pub intersection: u64,
    /// Whether both lists were read to their end; if not, see
    /// [`Overlap::is_exact`](super::Overlap::is_exact).
    pub exact: bool,
}

impl Pair {
    /// `|A ∪ B|`.
    pub fn union(&self) -> u64 {
        self.a_size + self.b_size - self.intersection
    }

    /// `|A ∩ B| / |A ∪ B|`, see [`Overlap::jaccard`](super::Overlap::jaccard).
    pub fn jaccard(&self) -> Option<f64> {
        ratio(self.intersection, self.union())
    }

    /// `|A ∩ B| / min(|A|, |B|)`, see
    /// [`Overlap::overlap_coefficient`](super::Overlap::overlap_coefficient).
    pub fn overlap_coefficient(&self) -> Option<f64> {
        ratio(self.intersection, self.a_size.min(self.b_size))
    }

    /// `|A ∩ B| / |A|`.
    pub fn a_in_b(&self) -> Option<f64> {
        ratio(self.intersection, self.a_size)
    }

    /// `|A ∩ B| / |B|`.
    pub fn b_in_a(&self) -> Option<f64> {
        ratio(self.intersection, self.b_size)
    }
}

/// What makes a pair strong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum By {
    /// A large Jaccard index: two audiences that are much the same.
    #[default]
    Jaccard,
    /// Many members in both.
    Intersection,
    /// A large overlap coefficient: one audience that lies within the other.
    Coefficient,
}

impl By {
    /// The share or the count that pairs are compared by; less than any other without one.
    pub(super) fn strength(self, pair: &Pair) -> f64 {
        match self {
            Self::Jaccard => pair.jaccard().unwrap_or(-1.0),
            // Exact: a list has fewer than 2^31 members.
            Self::Intersection => pair.intersection as f64,
            Self::Coefficient => pair.overlap_coefficient().unwrap_or(-1.0),
        }
    }
}

/// The strongest pairs of many lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strongest {
    /// Whose lists, in the order given.
    pub accounts: Vec<AccountId>,
    /// Which list of each.
    pub lists: Vec<List>,
    /// The crawl of each.
    pub sides: Vec<Side>,
    /// The pairs, strongest first; of equal ones the first in the order of the lists.
    pub pairs: Vec<Pair>,
    /// How it was counted.
    pub work: Work,
}

/// The `top` strongest pairs of any number of lists.
///
/// Same as sorting [`overlap_each`]'s pairs, by strength and then by place, and taking the
/// first. Every pair is counted, and dropped if it is none of them. Time as for
/// [`overlap`](super::overlap); O(top) memory and what [`overlap_each`] takes.
///
/// # Errors
/// If there are more than 65,535 lists, or a list cannot be read.
pub fn overlap_strongest(
    lists: &[Observation],
    top: usize,
    by: By,
    engine: &dyn Engine,
) -> Result<Strongest, Error> {
    let mut best = Best::new(top);
    let work = each_band(lists, engine, |pairs, sizes| {
        let pieces: Vec<usize> = pairs.rows().step_by(ROWS).collect();
        let of_piece = |start: &usize| {
            let mut best = Best::new(top);
            let rows = *start..(start + ROWS).min(pairs.rows().end);
            for pair in rows.flat_map(|i| row(lists, sizes, i, pairs.row(i))) {
                best.offer(by.strength(&pair), (pair.a, pair.b), pair);
            }
            best
        };
        let found: Vec<Best<Pair>> = match &pieces[..] {
            [only] => vec![of_piece(only)],
            _ => pieces.par_iter().map(of_piece).collect(),
        };
        for piece in found {
            best.merge(piece);
        }
        Ok(())
    })?;
    Ok(Strongest {
        accounts: lists.iter().map(Observation::account).collect(),
        lists: lists.iter().map(Observation::list).collect(),
        sides: lists.iter().map(Observation::side).collect(),
        pairs: best.into_sorted(),
        work,
    })
}

/// Hands over every pair of any number of lists, in the order in which they were asked for, some
/// rows of the matrix at a time.
///
/// Same pairs as [`overlap`](super::overlap). If not all counts fit in half of
/// [`memory`](crate::memory), the lists are read once for every part that does. That all lists
/// had the rows that their crawls saw is known before the first pair is handed over.
///
/// # Errors
/// If there are more than 65,535 lists, a list cannot be read, or `take` fails.
pub fn overlap_each(
    lists: &[Observation],
    engine: &dyn Engine,
    mut take: impl FnMut(Vec<Pair>) -> Result<(), Error>,
) -> Result<Work, Error> {
    each_band(lists, engine, |pairs, sizes| {
        let mut some = Vec::new();
        for i in pairs.rows() {
            some.extend(row(lists, sizes, i, pairs.row(i)));
            if some.len() >= PAIRS {
                take(std::mem::take(&mut some))?;
            }
        }
        if some.is_empty() { Ok(()) } else { take(some) }
    })
}

/// Rows whose strongest pairs one task looks for.
const ROWS: usize = 64;

/// Pairs that are handed over together, or more by those of a row.
const PAIRS: usize = 1 << 16;

/// Counts some rows of the matrix at a time.
fn each_band(
    lists: &[Observation],
    engine: &dyn Engine,
    take: impl FnMut(&Pairs, &[u64]) -> Result<(), Error>,
) -> Result<Work, Error> {
    super::check_number(lists)?;
    let held = engine.hold(&lists.iter().collect::<Vec<_>>(), Columns::default())?;
    count::each(&held, crate::memory(), take)
}

fn row<'a>(
    lists: &'a [Observation],
    sizes: &'a [u64],
    i: usize,
    counts: &'a [u32],
) -> impl Iterator<Item = Pair> + 'a {
    let pair = move |(b, count): (usize, &u32)| Pair {
        a: i,
        b,
        a_size: sizes[i],
        b_size: sizes[b],
        intersection: u64::from(*count),
        exact: lists[i].is_complete() && lists[b].is_complete(),
    };
    (i + 1..).zip(counts).map(pair)
}

/// The best of what was offered.
pub(super) struct Best<T> {
    limit: usize,
    /// The weakest is the greatest.
    heap: BinaryHeap<Ranked<T>>,
}

struct Ranked<T> {
    strength: f64,
    /// Of equal strength, the first comes first.
    place: (usize, usize),
    what: T,
}

impl<T> Best<T> {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, heap: BinaryHeap::new() }
    }

    pub(super) fn offer(&mut self, strength: f64, place: (usize, usize), what: T) {
        self.take(Ranked { strength, place, what });
    }

    fn take(&mut self, ranked: Ranked<T>) {
        if self.heap.len() < self.limit {
            self.heap.push(ranked);
        } else if let Some(mut weakest) = self.heap.peek_mut()
            && ranked < *weakest
        {
            *weakest = ranked;
        }
    }

    fn merge(&mut self, other: Self) {
        for ranked in other.heap {
            self.take(ranked);
        }
    }

    /// Strongest first.
    pub(super) fn into_sorted(self) -> Vec<T> {
        self.heap.into_sorted_vec().into_iter().map(|ranked| ranked.what).collect()
    }
}

impl<T> Ord for Ranked<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.strength.total_cmp(&self.strength).then(self.place.cmp(&other.place))
    }
}

impl<T> PartialOrd for Ranked<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Ranked<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Ranked<T> {}
