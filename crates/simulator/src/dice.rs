//! Chance: the seeded generator, the distributions the world is drawn from, and a hash for
//! traits that need no storage.
//!
//! The generator is our own few lines, `SplitMix64`, for two reasons: a world must not change
//! with the version of a library, and millions of edges are drawn in builds whose
//! dependencies are not optimised. Logarithms and powers are the platform's, so the same seed
//! gives the same world on the same platform. Not for secrets.

/// What the generator's state grows by: 2^64 over the golden ratio, odd.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// The source of every random choice.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(finish(seed))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        finish(self.0)
    }

    /// A number in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        // The 53 bits a float holds.
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// An index below `len`, which must not be zero.
    pub(crate) fn below(&mut self, len: usize) -> usize {
        // The high half of a product is uniform up to len / 2^64, far below notice.
        let product = u128::from(self.next()) * len as u128;
        usize::try_from(product >> 64).expect("below len")
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { Some(&from[self.below(from.len())]) }
    }

    /// Exponential with this mean: the wait for something that happens at a constant rate.
    pub(crate) fn wait(&mut self, mean: f64) -> f64 {
        -(1.0 - self.unit()).ln() * mean
    }

    /// Log-uniform between the bounds: every order of magnitude is as likely as the next.
    pub(crate) fn log_uniform(&mut self, low: f64, high: f64) -> f64 {
        low * (high / low).powf(self.unit())
    }
}

/// The nearest whole number, saturating.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is what is meant")]
pub(crate) fn whole(value: f64) -> i64 {
    value.round() as i64
}

/// The nearest count; negative values and NaN become 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, which is what is meant"
)]
pub(crate) fn count(value: f64) -> usize {
    value.round() as usize
}

/// A well-mixed hash of two numbers.
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    finish(a ^ b.wrapping_add(STEP).wrapping_mul(0xD6E8_FEB8_6659_FD93))
}

/// The finaliser of `SplitMix64`: a bijection in which every bit depends on every other.
fn finish(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_function_is_the_published_one() {
        // First outputs of SplitMix64 from state 1234567, as its reference program prints them.
        let mut dice = Dice(1_234_567);
        assert_eq!(dice.next(), 6_457_827_717_110_365_317);
        assert_eq!(dice.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn draws_are_even_and_within_bounds() {
        let mut dice = Dice::new(3);
        let mut seen = [0u32; 10];
        for _ in 0..10_000 {
            assert!((0.0..1.0).contains(&dice.unit()));
            seen[dice.below(10)] += 1;
        }
        assert!(seen.iter().all(|times| (850..1150).contains(times)), "{seen:?}");
    }

    #[test]
    fn waits_have_the_mean_asked_for() {
        let mut dice = Dice::new(3);
        let mean = (0..10_000).map(|_| dice.wait(5.0)).sum::<f64>() / 10_000.0;
        assert!((4.8..5.2).contains(&mean), "{mean}");
    }
}
