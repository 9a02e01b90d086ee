//! Bands for the estimate from intervals: what other samples of as many lifetimes would have
//! given.

use rayon::prelude::*;

use super::binomial::binomial;
use super::npmle::{Until, fit};
use super::support::{Row, Support};
use crate::random::Random;

/// What a replicate takes: it starts near its end, and its error is small against the band.
const ROUGH: Until = Until { slack: 1e-5, rounds: 200 };

/// How much of the band is on either side of it.
const TAIL: f64 = 0.025;

/// The 2.5th and the 97.5th percentile of survival at the low end of each cell from `from` on, and
/// at the high end of the last, over so many replicates; those of no replicate are 0 and 1.
///
/// A replicate draws as many lifetimes as there are, each as likely as the other: numbers of the
/// rows that are multinomial, one binomial after another, O(rows) whatever the number of
/// members. It starts from `hazards`. Replicates are independent and each has its own
/// random numbers, so the number of threads changes nothing. 8 bytes × cells × replicates.
pub(super) fn percentiles(
    support: &Support,
    hazards: &[f64],
    from: usize,
    (replicates, seed): (u32, u64),
) -> (Vec<f64>, Vec<f64>) {
    let boundaries = support.cells.len() + 1 - from;
    if replicates == 0 {
        return (vec![0.0; boundaries], vec![1.0; boundaries]);
    }
    let replicate = |number: u32| {
        let seed = Random::new(seed.wrapping_add(number.into())).next();
        let rows = drawn(&support.rows, &mut Random::new(seed));
        fit(&rows, hazards.to_vec(), ROUGH).survival_from(from)
    };
    let curves: Vec<Vec<f64>> = (0..replicates).into_par_iter().map(replicate).collect();
    let at = |boundary: usize| {
        let mut seen: Vec<f64> = curves.iter().map(|curve| curve[boundary]).collect();
        seen.sort_unstable_by(f64::total_cmp);
        let low = rank(seen.len());
        (seen[low], seen[seen.len() - 1 - low])
    };
    (0..boundaries).into_par_iter().map(at).unzip()
}

/// How many of so many replicates are below the band.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a fortieth of a count is one"
)]
fn rank(replicates: usize) -> usize {
    (replicates as f64 * TAIL) as usize
}

/// As many members, drawn with replacement.
fn drawn(rows: &[Row], random: &mut Random) -> Vec<Row> {
    let mut weight: f64 = rows.iter().map(|row| row.weight).sum();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "weights are counts"
    )]
    let mut members = weight as u64;
    let draw = |row: &Row| {
        let number = binomial(members, row.weight / weight, random);
        weight -= row.weight;
        members -= number;
        (number > 0).then_some(Row { weight: number as f64, ..*row })
    };
    rows.iter().filter_map(draw).collect()
}
