//! Overlaps of tens of thousands of lists, estimated from a sample of each.
//!
//! A theta sketch (Dasgupta, Lang, Rhodes and Thaler, A Framework for Estimating Stream
//! Expression Cardinalities, 2016) of a list keeps those of its members whose hashes are
//! smallest, 4,096 of them. The hash is the same for all lists, so of two lists the one with
//! the lower bound on its hashes is sampled at random, and whether one of its sample is in the
//! other list too, the other's sketch knows. The sketches are Apache `DataSketches`'; what two
//! of them have in common is counted as it is for lists, exactly and for all pairs at once.
//!
//! The library would divide the number of common hashes by the bound. Here sizes are known, so
//! the share of the sample is taken of the size, which errs less, and nothing for equal lists.

use datasketches::theta::{ThetaSketch, ThetaSketchBuilder};
use rayon::prelude::*;
use snapshot::{AccountId, Columns, List};

use super::rank::Best;
use super::walk::Walk;
use super::{By, Pair, count};
use crate::engine::Engine;
use crate::ratio::ratio;
use crate::{Error, Observation, Side};

/// Hashes that are kept of a list, as a power of two, if the memory allows.
const LG_HASHES: u8 = 12;

/// The fewest.
const LG_HASHES_MIN: u8 = 8;

/// Lists that are sketched together: a sketch in the making takes 128 kB.
const TOGETHER: usize = 256;

/// Rows that are read before they are sketched.
const STEP_ROWS: usize = 1 << 22;

/// Standard deviations on either side that bounds lie at.
const DEVIATIONS: f64 = 2.0;

/// The share of pairs whose overlap lies within its bounds: what a normal distribution has
/// within two standard deviations.
pub const CONFIDENCE: f64 = 0.954;

/// An estimate of how two lists overlap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Which list A is, by its place among those asked for.
    pub a: usize,
    /// Which list B is.
    pub b: usize,
    /// Members of A, which is not an estimate.
    pub a_size: u64,
    /// Members of B.
    pub b_size: u64,
    /// About how many members both have.
    pub intersection: u64,
    /// With a confidence of [`CONFIDENCE`], both have no fewer.
    pub at_least: u64,
    /// With the same confidence, both have no more.
    pub at_most: u64,
    /// Whether both lists were read to their end; the bounds know nothing of what was not read.
    pub complete: bool,
}

impl Estimate {
    fn with(&self, intersection: u64) -> Pair {
        Pair {
            a: self.a,
            b: self.b,
            a_size: self.a_size,
            b_size: self.b_size,
            intersection,
            exact: false,
        }
    }

    /// About `|A ∩ B| / |A ∪ B|`; `None` if both are empty.
    pub fn jaccard(&self) -> Option<f64> {
        self.with(self.intersection).jaccard()
    }

    /// The Jaccard index at the bounds of the intersection; it grows with it.
    pub fn jaccard_bounds(&self) -> Option<(f64, f64)> {
        Some((self.with(self.at_least).jaccard()?, self.with(self.at_most).jaccard()?))
    }

    /// About `|A ∩ B| / min(|A|, |B|)`; `None` if one is empty.
    pub fn overlap_coefficient(&self) -> Option<f64> {
        ratio(self.intersection, self.a_size.min(self.b_size))
    }
}

/// The strongest pairs of many lists, as far as samples tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimates {
    /// Whose lists, in the order given.
    pub accounts: Vec<AccountId>,
    /// Which list of each.
    pub lists: Vec<List>,
    /// The crawl of each.
    pub sides: Vec<Side>,
    /// The pairs, strongest first; of equal ones the first in the order of the lists.
    pub pairs: Vec<Estimate>,
    /// The most members that were sampled of a list.
    pub sampled: u64,
}

/// Estimates the `top` strongest pairs of any number of lists from 4,096 members of each.
///
/// Every list is read once, O(rows) time, and 32 kB of it are kept, or down to 2 kB if that is
/// all there is in a quarter of [`memory`](crate::memory); [`Estimates::sampled`] tells. Then the samples are
/// compared as in [`overlap_strongest`](super::overlap_strongest). Pairs of lists of up to 4,096
/// members are exact. Of others, where the sample of the list that is sampled more sparsely
/// shows the share p in both, bounds are Wilson's (1927) of a share of 4,096 at two standard
/// deviations: within ± 1.6 % of that list's members where p is a half, and ± 0.3 % where it is
/// a hundredth. An overlap below a thousandth of the larger list is not told from none. The same
/// lists have the same estimates, whatever the number of threads.
///
/// # Errors
/// If there are more than 65,535 lists, or a list cannot be read.
pub fn overlap_estimated(
    lists: &[Observation],
    top: usize,
    by: By,
    engine: &dyn Engine,
) -> Result<Estimates, Error> {
    super::check_number(lists)?;
    let held = engine.hold(&lists.iter().collect::<Vec<_>>(), Columns::default())?;
    let fits = |lg: &u8| (8 * lists.len() as u64) << lg <= crate::memory() / 4;
    let lg_hashes = (LG_HASHES_MIN..=LG_HASHES).rev().find(fits).unwrap_or(LG_HASHES_MIN);
    let mut samples = Vec::with_capacity(lists.len());
    for some in held.chunks(TOGETHER) {
        samples.extend(sample(some, lg_hashes)?);
    }
    let sizes: Vec<u64> = samples.iter().map(|sample| sample.size).collect();
    let bounds: Vec<u64> = samples.iter().map(|sample| sample.bound).collect();
    let hashes: Vec<Observation> = samples.into_iter().map(|sample| sample.hashes).collect();
    let mut best = Best::new(top);
    count::each(&hashes, crate::memory(), |pairs, sampled| {
        for a in pairs.rows() {
            for (b, common) in (a + 1..).zip(pairs.row(a)) {
                let sparser = if bounds[a] <= bounds[b] { a } else { b };
                let sample = Sample {
                    size: sizes[sparser],
                    sampled: sampled[sparser],
                    common: u64::from(*common),
                };
                let smaller = sizes[a].min(sizes[b]);
                let (intersection, at_least, at_most) = sample.estimate(smaller);
                let estimate = Estimate {
                    a,
                    b,
                    a_size: sizes[a],
                    b_size: sizes[b],
                    intersection,
                    at_least,
                    at_most,
                    complete: lists[a].is_complete() && lists[b].is_complete(),
                };
                best.offer(by.strength(&estimate.with(intersection)), (a, b), estimate);
            }
        }
        Ok(())
    })?;
    Ok(Estimates {
        accounts: lists.iter().map(Observation::account).collect(),
        lists: lists.iter().map(Observation::list).collect(),
        sides: lists.iter().map(Observation::side).collect(),
        pairs: best.into_sorted(),
        sampled: hashes.iter().map(Observation::len).max().unwrap_or(0),
    })
}

/// A list of which only a sample is kept.
struct Sampled {
    /// The smallest hashes, in place of its members.
    hashes: Observation,
    /// All hashes below this one are there.
    bound: u64,
    /// How many members it has.
    size: u64,
}

fn sample(lists: &[Observation], lg_hashes: u8) -> Result<Vec<Sampled>, Error> {
    let sketch = |_: &Observation| ThetaSketchBuilder::default().lg_k(lg_hashes).build();
    let mut sketches = lists
        .iter()
        .map(sketch)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| Error::invalid("a sketch cannot be made").because(e))?;
    let mut walk = Walk::new(lists, STEP_ROWS, crate::memory() / 4)?;
    while let Some(rows) = walk.next()? {
        sketches.par_iter_mut().zip(rows).with_max_len(1).for_each(|(sketch, rows)| {
            for id in rows {
                sketch.update(*id);
            }
        });
    }
    let finished = |((mut sketch, list), size): ((ThetaSketch, &Observation), u64)| {
        list.check(size)?;
        sketch.trim();
        // They are of 63 bits, as ids are.
        let hashes = sketch.iter().map(|entry| entry.hash().cast_signed()).collect();
        Ok(Sampled { hashes: list.of_members(hashes), bound: sketch.theta64(), size })
    };
    sketches.into_iter().zip(lists).zip(walk.rows()).map(finished).collect()
}

/// Some members of a list, chosen at random, and how many of them another list has.
struct Sample {
    size: u64,
    sampled: u64,
    common: u64,
}

impl Sample {
    /// How many members of the whole list the other has: about, at least, at most. It has no
    /// more than `most`.
    fn estimate(&self, most: u64) -> (u64, u64, u64) {
        if self.size == self.sampled {
            return (self.common, self.common, self.common);
        }
        let (n, k) = (self.sampled as f64, self.common as f64);
        let z2 = DEVIATIONS * DEVIATIONS;
        let middle = (k + z2 / 2.0) / (n + z2);
        let half = DEVIATIONS / (n + z2) * (k * (n - k) / n + z2 / 4.0).sqrt();
        let of_list = |share: f64| whole(share * self.size as f64);
        // The sample itself is in both, and what it has that the other has not is not.
        let not = self.sampled - self.common;
        let most = most.min(self.size - not);
        let clamp = |count: u64| count.clamp(self.common.min(most), most);
        (
            clamp(of_list(k / n)),
            clamp(of_list((middle - half).max(0.0))),
            clamp(of_list(middle + half).saturating_add(1)),
        )
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shares of counts")]
fn whole(count: f64) -> u64 {
    count as u64
}
