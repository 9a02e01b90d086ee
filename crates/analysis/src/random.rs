//! Numbers that follow from a seed, the same everywhere.
//!
//! `SplitMix64`: G. Steele, D. Lea, C. Flood: Fast splittable pseudorandom number generators,
//! OOPSLA 2014. A dozen lines of it spare the library a dependency.

/// A sequence of numbers.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    pub(crate) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Each order as likely as the other, as far as 64 bits tell.
    pub(crate) fn shuffle(&mut self, numbers: &mut [u32]) {
        for i in (1..numbers.len()).rev() {
            let other = (u128::from(self.next()) * (i as u128 + 1)) >> 64;
            numbers.swap(i, usize::try_from(other).unwrap_or(i));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_reference() {
        let mut random = Random::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973];
        assert_eq!([random.next(), random.next()], expected);
    }

    #[test]
    fn a_shuffle_loses_nothing() {
        let mut numbers: Vec<u32> = (0..100).collect();
        Random::new(1).shuffle(&mut numbers);
        assert!(numbers.iter().copied().ne(0..100));
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..100));
    }
}
