//! Random numbers of successes, for the bootstrap.

use crate::factorial::ln_factorial;
use crate::random::Random;

/// Below so many successes, expected of the rarer outcome, counting up is quicker and rejection
/// is not proven.
const FEW: f64 = 10.0;

/// How many of `n` trials succeed if each does with chance `p`.
///
/// By inversion, O(successes), where few are expected; else by transformed rejection, BTRS, O(1)
/// (W. Hörmann: The generation of binomial random variates, 1993).
pub(super) fn binomial(n: u64, p: f64, random: &mut Random) -> u64 {
    if n == 0 || p <= 0.0 {
        0
    } else if p >= 1.0 {
        n
    } else if p > 0.5 {
        n - binomial(n, 1.0 - p, random)
    } else if n as f64 * p < FEW {
        by_inversion(n, p, random)
    } else {
        by_rejection(n, p, random)
    }
}

fn by_inversion(n: u64, p: f64, random: &mut Random) -> u64 {
    let odds = p / (1.0 - p);
    let mut chance = (n as f64 * (-p).ln_1p()).exp();
    let mut left = random.share();
    let mut successes = 0;
    while left >= chance && successes < n {
        left -= chance;
        successes += 1;
        chance *= odds * (n - successes + 1) as f64 / successes as f64;
    }
    successes
}

#[expect(clippy::many_single_char_names, reason = "they are those of the paper")]
fn by_rejection(n: u64, p: f64, random: &mut Random) -> u64 {
    let trials = n as f64;
    let deviation = (trials * p * (1.0 - p)).sqrt();
    let b = 1.15 + 2.53 * deviation;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let c = trials * p + 0.5;
    let v_r = 0.92 - 4.2 / b;
    let alpha = (2.83 + 5.1 / b) * deviation;
    let log_odds = (p / (1.0 - p)).ln();
    let mode = ((trials + 1.0) * p).floor();
    let at_mode = ln_factorial(mode) + ln_factorial(trials - mode);
    loop {
        let u = random.share() - 0.5;
        let v = random.share();
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + c).floor();
        if !(0.0..=trials).contains(&k) {
            continue;
        }
        let is_inside = us >= 0.07 && v <= v_r;
        if is_inside || {
            let ratio =
                at_mode - ln_factorial(k) - ln_factorial(trials - k) + (k - mode) * log_odds;
            (v * alpha / (a / (us * us) + b)).ln() <= ratio
        } {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is a whole number from 0 to n"
            )]
            return k as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chi-squared distance of 20,000 draws from the chances, which are summed up from 0 by
    /// their ratio.
    #[test]
    fn draws_are_as_frequent_as_they_should_be() {
        for (n, p) in [(5_u64, 0.3), (1000, 0.004), (40, 0.5), (300, 0.1), (300, 0.7)] {
            let mut random = Random::new(n);
            let size = usize::try_from(n).unwrap() + 1;
            let mut seen = vec![0.0; size];
            for _ in 0..20_000 {
                seen[usize::try_from(binomial(n, p, &mut random)).unwrap()] += 1.0;
            }
            let mut expected = vec![20_000.0 * (1.0 - p).powf(n as f64); size];
            for k in 1..size {
                let ways = (size - k) as f64 / k as f64;
                expected[k] = expected[k - 1] * ways * p / (1.0 - p);
            }
            let cells = seen.iter().zip(&expected).filter(|(_, expected)| **expected > 5.0);
            let (distance, cells) = cells.fold((0.0, 0.0), |(sum, cells), (seen, expected)| {
                (sum + (seen - expected) * (seen - expected) / expected, cells + 1.0)
            });
            // Four standard deviations above the mean.
            assert!(distance < cells + 4.0 * f64::sqrt(2.0 * cells), "{n} {p}: {distance} {cells}");
        }
    }

    #[test]
    fn many_trials_have_the_right_mean_and_spread() {
        let (n, p) = (50_000_000, 0.2);
        let mut random = Random::new(1);
        let draws: Vec<f64> = (0..2000).map(|_| binomial(n, p, &mut random) as f64).collect();
        let deviation = f64::sqrt(n as f64 * p * (1.0 - p));
        let mean = draws.iter().sum::<f64>() / 2000.0 - n as f64 * p;
        assert!(mean.abs() < 4.0 * deviation / f64::sqrt(2000.0), "{mean}");
        let square = |draw: &f64| (draw - n as f64 * p) * (draw - n as f64 * p);
        let spread = (draws.iter().map(square).sum::<f64>() / 2000.0).sqrt() / deviation;
        assert!((spread - 1.0).abs() < 0.07, "{spread}");
    }
}
