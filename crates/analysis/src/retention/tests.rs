//! The estimate against its own conditions, written out in full, and against the plain
//! algorithm.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::lifetimes::{Lifetime, Lifetimes};
use super::npmle::{EXACT, Fit, even, fit};
use super::product_limit::product_limit;
use super::support::{Cell, Support};
use crate::random::Random;

fn lifetimes() -> impl Strategy<Value = Lifetimes> {
    let one = (0..8_u32, 0..20_u32, option::weighted(0.8, 1..9_u32), 1..5_u64);
    vec(one, 1..60).prop_map(|all| {
        let of = |(entry, left, wide, number): (u32, u32, Option<u32>, u64)| {
            let left = left.max(entry);
            Some((Lifetime::new(entry, left, wide.map(|wide| left + wide))?, number))
        };
        all.into_iter().filter_map(of).collect()
    })
}

fn fitted(support: &Support) -> Fit {
    fit(&support.rows, even(support), EXACT)
}

/// Survival at any age: that at the low end of the first cell that ends above it.
fn survival_at(age: u32, cells: &[Cell], survival: &[f64]) -> f64 {
    survival[cells.partition_point(|cell| cell.high.is_some_and(|high| high <= age))]
}

/// Ages, and the weight of what is between each and the next, that maximize the
/// likelihood after so many steps of Turnbull's algorithm as he states it, which counts those
/// whom nobody saw; and the logarithm of the likelihood there.
fn plain(lifetimes: &Lifetimes, steps: u32) -> f64 {
    let ages = |one: Lifetime| [Some(one.entry()), Some(one.left()), one.right()];
    let mut points: Vec<u32> = lifetimes.iter().flat_map(|(one, _)| ages(one)).flatten().collect();
    points.sort_unstable();
    points.dedup();
    let index = |age: u32| points.binary_search(&age).unwrap();
    let mut weights = vec![1.0 / points.len() as f64; points.len()];
    let of = |one: Lifetime| {
        let right = one.right().map_or(points.len(), index);
        (index(one.entry()), index(one.left())..right)
    };
    let mut log_likelihood = 0.0;
    for _ in 0..steps {
        let mut next = vec![0.0; points.len()];
        log_likelihood = 0.0;
        for (one, number) in lifetimes.iter() {
            let (entry, inside) = of(one);
            let number = number as f64;
            let ended: f64 = weights[inside.clone()].iter().sum();
            let seen: f64 = weights[entry..].iter().sum();
            log_likelihood += number * (ended / seen).ln();
            inside.for_each(|i| next[i] += number * weights[i] / ended);
            (0..entry).for_each(|i| next[i] += number * weights[i] / seen);
        }
        let sum: f64 = next.iter().sum();
        weights = next.into_iter().map(|weight| weight / sum).collect();
    }
    log_likelihood
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The slope of the log-likelihood in each hazard, lifetime by lifetime: not positive, and 0
    /// where the hazard is not (Gentleman and Geyer 1994, in hazards, where the
    /// log-likelihood is concave with delayed entry too).
    #[test]
    fn the_estimate_meets_the_conditions_of_the_maximum(lifetimes in lifetimes()) {
        let support = Support::new(&lifetimes);
        let found = fitted(&support);
        prop_assert!(found.slack <= EXACT.slack, "{} rounds, {}", found.rounds, found.slack);
        for (cell, hazard) in found.hazards.iter().enumerate() {
            let mut slope = 0.0;
            for row in &support.rows {
                if row.entry <= cell && cell < row.left {
                    slope -= row.weight;
                } else if row.left <= cell && cell < row.right && row.right <= found.hazards.len() {
                    let sum: f64 = found.hazards[row.left..row.right].iter().sum();
                    slope += row.weight / sum.exp_m1();
                }
            }
            let slope = slope / lifetimes.members() as f64;
            // A hazard at its bound stands for a certain end.
            prop_assert!(slope < 1e-6 || *hazard > 29.0, "{slope} at {cell}");
            prop_assert!(slope * hazard > -1e-6, "{slope} x {hazard} at {cell}");
        }
    }

    #[test]
    fn no_step_of_the_plain_algorithm_gets_higher(lifetimes in lifetimes()) {
        let found = fitted(&Support::new(&lifetimes));
        let plain = plain(&lifetimes, 3000);
        let members = lifetimes.members() as f64;
        prop_assert!(found.log_likelihood > plain - 1e-6 * members);
        // It is slow, and comes close all the same.
        prop_assert!(found.log_likelihood < plain + 0.2 * members, "{} {plain}", found.log_likelihood);
    }

    #[test]
    fn of_lifetimes_known_to_the_bin_it_is_the_product_limit(
        all in vec((0..8_u32, 1..20_u32, any::<bool>(), 1..5_u64), 1..60)
    ) {
        let of = |(entry, age, ended, number): (u32, u32, bool, u64)| {
            let one = if ended { (age - 1, Some(age)) } else { (age, None) };
            Some((Lifetime::new(entry, one.0, one.1)?, number))
        };
        let lifetimes: Lifetimes = all.into_iter().filter_map(of).collect();
        prop_assume!(lifetimes.members() > 0);
        let support = Support::new(&lifetimes);
        let (found, exact) = (fitted(&support), product_limit(&lifetimes, &support, 0));
        let last = support.cells.len() - usize::from(support.cells.last().unwrap().high.is_none());
        for (found, exact) in found.survival_from(0)[..=last].iter().zip(&exact.survival) {
            prop_assert!((found - exact).abs() < 1e-6, "{found} {exact}");
        }
    }

    /// Each lifetime's interval and entry, by the cells that are in it.
    #[test]
    fn cells_are_the_innermost_intervals(lifetimes in lifetimes()) {
        let support = Support::new(&lifetimes);
        prop_assert!(support.cells.windows(2).all(|pair| pair[0].high <= Some(pair[1].low)));
        for ((one, _), row) in lifetimes.iter().zip(&support.rows) {
            for (index, cell) in support.cells.iter().enumerate() {
                let is_open = cell.high.is_none_or(|high| one.right().is_some_and(|r| high > r));
                let is_inside = cell.low >= one.left() && (one.right().is_none() || !is_open);
                prop_assert_eq!((row.left..row.right).contains(&index), is_inside);
                prop_assert_eq!(row.entry <= index, cell.low >= one.entry());
            }
            prop_assert!(row.left < row.right);
        }
    }
}

/// Of `number` lifetimes with a constant hazard, in hours, those that were seen, each looked at at
/// moments of its own: hardly two intervals are the same.
fn different(number: u64) -> Lifetimes {
    let mut random = Random::new(number);
    let mut hours = |mean: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
        let hours = (-mean * (1.0 - random.share()).ln()) as u32;
        hours
    };
    let mut one = || {
        let (entry, lifetime) = (hours(200.0), hours(2000.0) + 1);
        let (before, after) = (hours(40.0) + 1, hours(40.0));
        let right = (lifetime < 4000).then_some(lifetime + after);
        let seen = Lifetime::new(entry, lifetime.saturating_sub(before), right)?;
        (lifetime > entry).then_some((seen, 1))
    };
    (0..number).filter_map(|_| one()).collect()
}

#[test]
fn thousands_of_different_intervals_take_few_rounds() {
    let lifetimes = different(8000);
    assert!(lifetimes.different() > 6500, "{}", lifetimes.different());
    let support = Support::new(&lifetimes);
    assert!(support.cells.len() > 500, "{}", support.cells.len());
    let found = fitted(&support);
    assert!(found.slack <= EXACT.slack && found.rounds < 500, "{} {}", found.rounds, found.slack);
    let half = survival_at(1386, &support.cells, &found.survival_from(0));
    assert!((half - 0.5).abs() < 0.04, "{half}");
}
