//! The product limit (Kaplan and Meier 1958) with delayed entry, for lifetimes that are known
//! to the bin.

use super::lifetimes::Lifetimes;
use super::support::Support;

/// The normal distribution's 97.5th percentile.
const Z: f64 = 1.959_963_984_540_054;

/// Survival with its 95 % band at the low end of each cell, and at the high end of the last.
pub(super) struct ProductLimit {
    pub(super) survival: Vec<f64>,
    pub(super) lower: Vec<f64>,
    pub(super) upper: Vec<f64>,
}

/// Of who reaches the low end of cell `from`. O(d + cells) for d different lifetimes.
///
/// A lifetime is at risk in a cell if it is under observation before it and ended in it or later,
/// or was seen after it. The band is Greenwood's (1926) variance under the transformation
/// ln(−ln S) (Kalbfleisch and Prentice 1980). It is nothing wide before the first end and
/// after the last of all, where nothing was seen that could tell.
pub(super) fn product_limit(lifetimes: &Lifetimes, support: &Support, from: usize) -> ProductLimit {
    let cells = support.cells.len();
    let mut ends = vec![0_u64; cells];
    let mut changes = vec![0_i64; cells + 1];
    for ((one, number), row) in lifetimes.iter().zip(&support.rows) {
        let last = row.left + usize::from(one.right().is_some());
        changes[row.entry] += number.cast_signed();
        changes[last] -= number.cast_signed();
        if one.right().is_some() {
            ends[row.left] += number;
        }
    }
    let mut found = ProductLimit { survival: vec![1.0], lower: vec![1.0], upper: vec![1.0] };
    let (mut at_risk, mut survival, mut variance) = (0_i64, 1.0, 0.0);
    for (cell, ends) in ends.into_iter().enumerate() {
        at_risk += changes[cell];
        if cell < from {
            continue;
        }
        let (ends, at_risk) = (ends as f64, at_risk as f64);
        if ends > 0.0 {
            survival *= 1.0 - ends / at_risk;
            variance += ends / (at_risk * (at_risk - ends));
        }
        let (lower, upper) = band(survival, variance);
        found.survival.push(survival);
        found.lower.push(lower);
        found.upper.push(upper);
    }
    found
}

fn band(survival: f64, variance: f64) -> (f64, f64) {
    if survival <= 0.0 || survival >= 1.0 {
        return (survival, survival);
    }
    let width = (Z * variance.sqrt() / survival.ln().abs()).exp();
    (survival.powf(width), survival.powf(1.0 / width))
}
