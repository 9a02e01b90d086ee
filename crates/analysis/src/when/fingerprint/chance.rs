//! How likely chance makes what was found: tails of distributions as natural logarithms, since
//! what is worth telling underflows.
//!
//! All are upper bounds: a tail is at most its first term times the sum of a geometric series
//! with the first ratio of terms, for ratios only fall. None is below the truth.

use crate::factorial::ln_factorial;

/// ln of the number of ways to choose `k` of `n`.
pub(super) fn ln_choose(n: u64, k: u64) -> f64 {
    if k > n {
        return f64::NEG_INFINITY;
    }
    ln_factorial(n as f64) - ln_factorial(k as f64) - ln_factorial((n - k) as f64)
}

/// ln P(X ≥ k) for the number of marked ones among `drawn` of `all`, of which `marked` are.
pub(super) fn ln_hypergeometric(k: u64, drawn: u64, marked: u64, all: u64) -> f64 {
    let mean = drawn as f64 * marked as f64 / all.max(1) as f64;
    if k as f64 <= mean {
        return 0.0;
    }
    let first = ln_choose(marked, k) + ln_choose(all - marked, drawn - k) - ln_choose(all, drawn);
    let (k, drawn, marked, all) = (k as f64, drawn as f64, marked as f64, all as f64);
    let ratio =
        (marked - k) * (drawn - k) / ((k + 1.0) * (all - marked - drawn + k + 1.0)).max(1.0);
    geometric(first, ratio)
}

/// ln P(X ≥ k) for the number of successes of probability `p` among `n`.
pub(super) fn ln_binomial(k: u64, n: u64, p: f64) -> f64 {
    if k as f64 <= p * n as f64 {
        return 0.0;
    }
    let failures = (n - k) as f64;
    let first = ln_choose(n, k) + k as f64 * p.ln() + failures * (-p).ln_1p();
    geometric(first, failures / (k + 1) as f64 * p / (1.0 - p))
}

/// ln P(L ≥ length) for the longest increasing subsequence of a random order of `n`: at most
/// the expected number of those that long.
pub(super) fn ln_ordered(length: u64, n: u64) -> f64 {
    (ln_choose(n, length) - ln_factorial(length as f64)).min(0.0)
}

fn geometric(ln_first: f64, ratio: f64) -> f64 {
    if ratio >= 1.0 { 0.0 } else { (ln_first - (-ratio).ln_1p()).min(0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At most `slack` above the truth and nowhere below it.
    #[track_caller]
    fn check(bound: f64, truth: f64, slack: f64) {
        let (bound, low) = (bound.exp(), truth * (1.0 - 1e-6));
        assert!(bound >= low && bound <= truth * (1.0 + slack), "{bound} for {truth}");
    }

    #[test]
    fn factorials_agree_with_their_products() {
        for n in [0, 1, 5, 15, 16, 17, 40, 170] {
            let product: f64 = (1..=n).map(|i| f64::from(i).ln()).sum();
            assert!((ln_factorial(f64::from(n)) - product).abs() < 1e-8, "{n}");
        }
    }

    #[test]
    fn tails_are_those_of_small_cases_counted_by_hand() {
        // Of 5 cards with 2 aces, 2 drawn: both aces in one of ten hands.
        check(ln_hypergeometric(2, 2, 2, 5), 0.1, 1e-6);
        // Of 3 dice, all show a six, and at least two do.
        check(ln_binomial(3, 3, 1.0 / 6.0), 1.0 / 216.0, 1e-6);
        check(ln_binomial(2, 3, 1.0 / 6.0), 16.0 / 216.0, 0.1);
        // All of 4 in order: one of 24.
        check(ln_ordered(4, 4), 1.0 / 24.0, 1e-6);
        // At least 3 of 4 in order: 10 of 24 orders by Robinson and Schensted (1 + 9).
        check(ln_ordered(3, 4), 10.0 / 24.0, 0.7);
    }

    #[test]
    fn what_is_expected_is_no_surprise() {
        assert!((ln_hypergeometric(1, 10, 10, 100).exp() - 1.0).abs() < 1e-12);
        assert!((ln_binomial(3, 6, 0.5).exp() - 1.0).abs() < 1e-12);
        assert!((ln_ordered(2, 9).exp() - 1.0).abs() < 1e-12);
    }
}
