//! Whether two lists share more members than chance would give them.
//!
//! If list B were drawn blindly from a universe of `N` members, the number it shares with list A
//! would be hypergeometric: `P(X = x) = C(a, x) · C(N − a, b − x) / C(N, b)`. The test is
//! one-sided and exact: the probability of sharing at least as many. It is symmetric in A and B.
//!
//! Probabilities are kept as logarithms, because a tail of real audiences is often smaller than
//! the smallest float. Binomial terms are computed as by C. Loader (Fast and accurate computation
//! of binomial probabilities, 2000), which keeps some fourteen digits where differences of
//! logarithms of factorials would lose half of them; the tail is summed from its largest term on.
//!
//! All pairs of K lists are many tests at once. Their probabilities are adjusted by the step-down
//! procedure of S. Holm (A simple sequentially rejective multiple test procedure, Scandinavian
//! Journal of Statistics 6, 1979), which bounds the probability of even one false alarm whatever
//! the tests depend on, as those of overlapping lists do.

use std::f64::consts::PI;

use super::Overlap;

/// How a pair compares with chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chance {
    /// How many times as many members are shared as expected by chance, `shared · N / (a · b)`.
    /// `None` if a list is empty.
    pub lift: Option<f64>,
    /// The natural logarithm of the probability to share at least so many by chance.
    pub ln_p: f64,
    /// The same, adjusted for all pairs by Holm's procedure.
    pub ln_p_adjusted: f64,
}

/// Compares all pairs with what chance gives in a universe of so many members, in the order of
/// [`Overlap::pairs`].
///
/// For fixed lists a larger universe makes the expected overlap and every probability smaller, so
/// with a lower bound of the universe, as [`reach`](crate::reach()) counts it, the lift is a
/// lower bound too, and probabilities are upper bounds. O(pairs · (√members + log pairs)).
///
/// # Panics
/// If the universe has fewer members than two of the lists together.
pub fn chances(overlap: &Overlap, universe: u64) -> Vec<Chance> {
    let pairs: Vec<_> = overlap.pairs().map(|(i, j)| overlap.pair(i, j)).collect();
    let tail = |pair: &super::Pair| ln_tail(pair.intersection, pair.a_size, pair.b_size, universe);
    let ln_p: Vec<f64> = pairs.iter().map(tail).collect();
    let adjusted = holm(&ln_p);
    let chance = |((pair, ln_p), ln_p_adjusted): ((&super::Pair, f64), f64)| {
        let expected = pair.a_size as f64 * (pair.b_size as f64 / universe as f64);
        let lift = (expected > 0.0).then(|| pair.intersection as f64 / expected);
        Chance { lift, ln_p, ln_p_adjusted }
    };
    pairs.iter().zip(ln_p).zip(adjusted).map(chance).collect()
}

/// `ln P(X ≥ shared)` for X hypergeometric: how many of `b` members drawn from `universe` without
/// replacement are among `a` marked ones. O(√min(a, b)) terms.
///
/// # Panics
/// If `a` or `b` is more than `universe`, or all of `a` and `b` that are not shared do not fit
/// into it.
pub fn ln_tail(shared: u64, a: u64, b: u64, universe: u64) -> f64 {
    assert!(a.max(b) <= universe, "lists of {a} and {b} in a universe of {universe}");
    assert!(a + b - shared.min(a + b) <= universe, "the union is larger than the universe");
    let least = (a + b).saturating_sub(universe);
    if shared <= least {
        return 0.0;
    }
    if shared > a.min(b) {
        return f64::NEG_INFINITY;
    }
    let [k, a, b, n] = [shared, a, b, universe].map(|count| count as f64);
    if k > a * (b / n) {
        let up = |x: f64| (a - x) * (b - x) / ((x + 1.0) * (n - a - b + x + 1.0));
        return ln_term(k, a, b, n) + sum_of_ratios(k, 1.0, up).ln();
    }
    // The tail is most of it, and the rest is summed instead.
    let down = |x: f64| x * (n - a - b + x) / ((a - x + 1.0) * (b - x + 1.0));
    let rest = ln_term(k - 1.0, a, b, n) + sum_of_ratios(k - 1.0, -1.0, down).ln();
    (-rest.exp()).ln_1p()
}

/// `1 + r(x) + r(x) · r(x + step) + …`, until a term adds nothing. The ratios fall.
fn sum_of_ratios(mut x: f64, step: f64, ratio: impl Fn(f64) -> f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    loop {
        term *= ratio(x);
        if term <= sum * f64::EPSILON / 8.0 {
            return sum;
        }
        sum += term;
        x += step;
    }
}

/// `ln P(X = x)`, as a quotient of three binomial terms with the same chance.
fn ln_term(x: f64, a: f64, b: f64, n: f64) -> f64 {
    let chance = [b / n, (n - b) / n];
    ln_binomial(x, a, chance) + ln_binomial(b - x, n - a, chance) - ln_binomial(b, n, chance)
}

/// `ln (C(n, x) · p^x · q^(n − x))`, Loader's saddle-point expansion.
fn ln_binomial(x: f64, n: f64, [p, q]: [f64; 2]) -> f64 {
    let all = |p: f64, q: f64| {
        if n == 0.0 {
            0.0
        } else if q < 0.1 {
            -deviance(n, n * p) - n * q
        } else {
            n * p.ln()
        }
    };
    if x == 0.0 {
        return all(q, p);
    }
    // Both are whole numbers.
    if x >= n {
        return all(p, q);
    }
    let exponent = stirling_error(n)
        - stirling_error(x)
        - stirling_error(n - x)
        - deviance(x, n * p)
        - deviance(n - x, n * q);
    exponent - 0.5 * ((2.0 * PI).ln() + x.ln() + (-x / n).ln_1p())
}

/// `ln n! − ln (√(2πn) · (n / e)^n)`; its series has five terms from 16 on.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        let factorial = (1..16_u8).map(f64::from).take_while(|k| *k <= n).product::<f64>();
        let root = if n > 0.0 { (n + 0.5) * n.ln() } else { 0.0 };
        return if n > 0.0 { factorial.ln() - root + n - 0.5 * (2.0 * PI).ln() } else { 0.0 };
    }
    let square = n * n;
    let series = [1.0 / 12.0, 1.0 / 360.0, 1.0 / 1260.0, 1.0 / 1680.0, 1.0 / 1188.0];
    series.iter().rev().fold(0.0, |rest, term| term - rest / square) / n
}

/// `x · ln (x / m) + m − x`, without loss of digits where x is near m.
fn deviance(x: f64, m: f64) -> f64 {
    if (x - m).abs() >= 0.1 * (x + m) {
        return x * (x / m).ln() + m - x;
    }
    let v = (x - m) / (x + m);
    let (mut sum, mut power) = ((x - m) * v, 2.0 * x * v);
    for term in 1.. {
        power *= v * v;
        let next = sum + power / f64::from(2 * term + 1);
        if next.to_bits() == sum.to_bits() {
            break;
        }
        sum = next;
    }
    sum
}

/// Adjusts logarithms of probabilities for being many, by Holm's step-down procedure: the
/// smallest of `m` is multiplied by `m`, the next by `m − 1`, and so on; none becomes smaller
/// than one before it, or larger than 1. In the order given. O(m log m).
pub fn holm(ln_p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..ln_p.len()).collect();
    order.sort_by(|i, j| ln_p[*i].total_cmp(&ln_p[*j]));
    let mut adjusted = vec![0.0; ln_p.len()];
    let mut largest = f64::NEG_INFINITY;
    for (rank, i) in order.into_iter().enumerate() {
        let tests = (ln_p.len() - rank) as f64;
        largest = largest.max((ln_p[i] + tests.ln()).min(0.0));
        adjusted[i] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Of all ways to draw `b` of `n`, the share that has at least `k` of the first `a`.
    fn by_enumeration(k: u32, a: u32, b: u32, n: u32) -> f64 {
        let marked = (1_u32 << a) - 1;
        let drawn = |set: &u32| set.count_ones() == b;
        let all = (0..1_u32 << n).filter(drawn).count();
        let hits = (0..1_u32 << n).filter(drawn).filter(|set| (set & marked).count_ones() >= k);
        hits.count() as f64 / all as f64
    }

    #[test]
    fn the_tail_is_the_share_of_all_draws() {
        for n in 1..=9_u32 {
            for (a, b) in (0..=n).flat_map(|a| (0..=n).map(move |b| (a, b))) {
                for k in (a + b).saturating_sub(n)..=a.min(b) {
                    let expected = by_enumeration(k, a, b, n);
                    let found = ln_tail(k.into(), a.into(), b.into(), n.into()).exp();
                    assert!(
                        (found - expected).abs() < 1e-13,
                        "{k} {a} {b} {n}: {found} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_tail_smaller_than_any_float_keeps_its_digits() {
        // All of two equal halves: 1 / C(2000, 1000), a sum of 1000 logarithms.
        let expected: f64 = (1..=1000).map(|i| (f64::from(i) / f64::from(1000 + i)).ln()).sum();
        let found = ln_tail(1000, 1000, 1000, 2000);
        assert!(found < -1300.0 && (found / expected - 1.0).abs() < 1e-12, "{found} {expected}");
    }

    #[test]
    fn audiences_of_millions_are_compared_in_an_instant() {
        let [a, b, n] = [30_000_000, 20_000_000, 400_000_000];
        let at_mean = ln_tail(1_500_000, a, b, n).exp();
        assert!((0.49..0.51).contains(&at_mean), "{at_mean}");
        assert!(ln_tail(1_600_000, a, b, n) < -1000.0);
        assert!(ln_tail(1_400_000, a, b, n).abs() < 1e-300);
    }

    #[test]
    fn the_smallest_of_many_is_multiplied_most_and_none_overtakes() {
        let p = [0.01_f64, 0.04, 0.03, 0.005];
        let found = holm(&p.map(f64::ln)).into_iter().map(f64::exp);
        for (found, expected) in found.zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        assert_eq!(holm(&[]), Vec::<f64>::new());
    }

    proptest! {
        #[test]
        fn a_larger_universe_makes_the_same_overlap_less_likely(
            (k, a, b, more) in (0..60_u64, 0..200_u64, 0..200_u64, 0..5000_u64),
        ) {
            let (a, b) = (a + k, b + k);
            let n = a + b - k + more;
            let (smaller, larger) = (ln_tail(k, a, b, n), ln_tail(k, a, b, n + 1));
            prop_assert!(larger <= smaller + 1e-9, "{smaller} {larger}");
            prop_assert!((ln_tail(k, b, a, n) - smaller).abs() < 1e-9 * (1.0 - smaller));
        }
    }
}
