//! What a question is: something computed per range of ids and merged in order.
//!
//! Questions about lists are set algebra over member ids. Rows are sorted by member, so the
//! id space can be cut anywhere, each range answered by itself, and the answers put together:
//! one giant account parallelises as well as a thousand small ones.
//!
//! Partials are handed over one at a time, in ascending order of ids, and dropped
//! ([`each`]); merging them into one answer is one use of that ([`ask`]), writing them to a
//! file another, and then memory depends on the partitions in flight and not on the answer.

use std::ops::Range;

use snapshot::{AccountId, Columns};

use crate::engine::{Engine, Partitions};
use crate::in_order::in_order;
use crate::{Error, Observation};

/// Something to be computed over `K` lists.
pub trait Question: Sync {
    /// What one partition contributes.
    type Partial: Send;
    /// What all of them make.
    type Answer: Send;

    /// Whether it looks at positions; if not, they are not read.
    fn needs_positions(&self) -> bool {
        false
    }

    /// The answer before any partition.
    fn start(&self) -> Self::Answer;

    /// Answers for one range of ids.
    ///
    /// # Errors
    /// If the range cannot be answered; the whole question then fails.
    fn on_partition(&self, part: &Partition<'_>) -> Result<Self::Partial, Error>;

    /// Adds what a partition contributes. Called in ascending order of ids.
    fn merge(&self, answer: &mut Self::Answer, partial: Self::Partial);
}

/// A range of ids with the rows that each list has in it.
#[derive(Debug)]
pub struct Partition<'a> {
    pub(crate) lists: Vec<Slice<'a>>,
}

/// The rows of one list in a partition, by ascending member, each member once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slice<'a> {
    /// Raw ids; they came from [`AccountId`](snapshot::AccountId)s.
    pub members: &'a [i64],
    /// Their index in the order the API returned; empty unless the question needs it, or where
    /// the list does not tell.
    pub positions: &'a [i32],
}

impl Partition<'_> {
    /// How many lists there are.
    pub fn lists(&self) -> usize {
        self.lists.len()
    }

    /// The rows of one list, in the order in which the lists were given.
    pub fn list(&self, index: usize) -> Slice<'_> {
        self.lists[index]
    }
}

impl Slice<'_> {
    /// The member in one row.
    pub fn id(self, row: usize) -> AccountId {
        AccountId::new(self.members[row]).unwrap_or(AccountId::MIN)
    }
}

/// Asks a question of some lists and merges what the partitions contribute.
///
/// # Errors
/// If a list cannot be read, or the question fails.
pub fn ask<Q: Question>(
    question: &Q,
    lists: &[&Observation],
    engine: &dyn Engine,
) -> Result<Q::Answer, Error> {
    let mut answer = question.start();
    each(question, lists, engine, |partial| {
        question.merge(&mut answer, partial);
        Ok(())
    })?;
    Ok(answer)
}

/// Asks a question of some lists and hands over what each partition contributes, in
/// ascending order of ids, without keeping it.
///
/// Ranges are computed in parallel on rayon's current pool, at most two per thread ahead of
/// `take`, which runs on the calling thread meanwhile.
///
/// The rows of every list are counted along the way. That they are as many as its crawl saw is
/// known at the end only: what `take` was given holds once `each` has returned without error.
///
/// # Errors
/// If a list cannot be read or has other than the rows its crawl saw, or the question or
/// `take` fails.
pub fn each<Q: Question>(
    question: &Q,
    lists: &[&Observation],
    engine: &dyn Engine,
    mut take: impl FnMut(Q::Partial) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    let columns = Columns { accounts: false, positions: question.needs_positions() };
    let partitions = engine.open(lists, columns)?;
    let mut rows = vec![0; lists.len()];
    in_order(
        partitions.ranges(),
        |range| compute(question, &*partitions, range),
        |found| {
            let Answered { partials, rows: met } = found?;
            rows.iter_mut().zip(met).for_each(|(all, met)| *all += met);
            partials.into_iter().try_for_each(&mut take)
        },
    )?;
    (0..).zip(rows).try_for_each(|(list, rows)| partitions.check(list, rows))
}

/// What a range contributes, strip by strip, and how many rows each list has in it.
struct Answered<P> {
    partials: Vec<P>,
    rows: Vec<u64>,
}

fn compute<Q: Question>(
    question: &Q,
    partitions: &dyn Partitions,
    range: &Range<i64>,
) -> Result<Answered<Q::Partial>, Error> {
    let mut strips = partitions.strips(range.clone())?;
    let mut partials = Vec::new();
    while let Some(part) = strips.next()? {
        partials.push(question.on_partition(&part)?);
    }
    Ok(Answered { partials, rows: strips.passed().collect() })
}

/// Where a member of two sorted lists stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    /// Only in the left list, at this index.
    Left(usize),
    /// Only in the right list, at this index.
    Right(usize),
    /// In both, at these indexes.
    Both(usize, usize),
}

/// A member of one of two sorted lists that the other does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alone {
    /// In the left list, at this index.
    Left(usize),
    /// In the right list, at this index.
    Right(usize),
}

/// Walks two ascending lists together that are mostly equal: stretches of equal ids are told
/// by their length, ids of one list alone by their rows. O(left + right), and eight ids at a
/// time where they are equal, which is nearly everywhere between two crawls of one list.
pub(crate) fn meet_in_stretches(
    left: &[i64],
    right: &[i64],
    mut equal: impl FnMut(u64),
    mut alone: impl FnMut(Alone),
) {
    let (mut l, mut r) = (0, 0);
    loop {
        let same = common_prefix(&left[l..], &right[r..]);
        equal(same as u64);
        (l, r) = (l + same, r + same);
        let (Some(a), Some(b)) = (left.get(l), right.get(r)) else { break };
        if a < b {
            alone(Alone::Left(l));
            l += 1;
        } else {
            alone(Alone::Right(r));
            r += 1;
        }
    }
    (l..left.len()).for_each(|l| alone(Alone::Left(l)));
    (r..right.len()).for_each(|r| alone(Alone::Right(r)));
}

/// How many ids both begin with.
pub(crate) fn common_prefix(left: &[i64], right: &[i64]) -> usize {
    let (eights, _) = left.as_chunks::<8>();
    let (others, _) = right.as_chunks::<8>();
    // Not `==`, which would call for a comparison of memory each time.
    let same = |(a, b): &(&[i64; 8], &[i64; 8])| {
        a.iter().zip(*b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    };
    let whole = 8 * eights.iter().zip(others).take_while(same).count();
    let rest = left[whole..].iter().zip(&right[whole..]);
    whole + rest.take_while(|(a, b)| a == b).count()
}

/// Walks two ascending lists together. O(left + right).
pub(crate) fn meet(left: &[i64], right: &[i64], mut each: impl FnMut(Met)) {
    let (mut l, mut r) = (0, 0);
    while let (Some(a), Some(b)) = (left.get(l), right.get(r)) {
        match a.cmp(b) {
            std::cmp::Ordering::Less => {
                each(Met::Left(l));
                l += 1;
            }
            std::cmp::Ordering::Greater => {
                each(Met::Right(r));
                r += 1;
            }
            std::cmp::Ordering::Equal => {
                each(Met::Both(l, r));
                l += 1;
                r += 1;
            }
        }
    }
    (l..left.len()).for_each(|l| each(Met::Left(l)));
    (r..right.len()).for_each(|r| each(Met::Right(r)));
}
