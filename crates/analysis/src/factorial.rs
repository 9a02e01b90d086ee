//! Logarithms of factorials, of which those of binomial coefficients are made.

/// ln k!, to ten digits: by Stirling's series from 10 on.
pub(crate) fn ln_factorial(k: f64) -> f64 {
    if k < 10.0 {
        let mut product = 1.0;
        let mut factor = k;
        while factor > 1.0 {
            product *= factor;
            factor -= 1.0;
        }
        return product.ln();
    }
    let square = k * k;
    let series = (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / (1260.0 * square)) / square) / k;
    k * k.ln() - k + 0.5 * (std::f64::consts::TAU * k).ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factorials_are_those_of_whole_numbers() {
        let mut sum = 0.0;
        for k in 1..=60_u32 {
            sum += f64::from(k).ln();
            assert!((ln_factorial(f64::from(k)) - sum).abs() < 1e-9, "{k}");
        }
    }
}
