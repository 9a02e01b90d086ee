//! The one division of counts.

/// `part / whole`; `None` where there is nothing to take a share of.
pub(crate) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
