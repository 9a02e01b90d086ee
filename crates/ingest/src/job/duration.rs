//! Durations as people write them: `90s`, `15 min`, `1d 12h`.
//!
//! A day is 24 hours and a week seven days. Months and years have no length of their own, so
//! they are refused and not guessed.

use jiff::fmt::friendly::SpanParser;
use jiff::{SignedDuration, SpanRelativeTo};

/// What a text means, or what is wrong with it.
pub(super) fn parse(text: &str) -> Result<SignedDuration, String> {
    let unreadable = || format!("`{text}` is no duration");
    let span = SpanParser::new().parse_span(text.trim()).map_err(|_| unreadable())?;
    if span.get_months() != 0 || span.get_years() != 0 {
        return Err(format!("`{text}` has months or years, which are not all equally long"));
    }
    let duration =
        span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| unreadable())?;
    if duration <= SignedDuration::ZERO {
        return Err(format!("`{text}` is not longer than nothing"));
    }
    if duration > LONGEST {
        return Err(format!("`{text}` is longer than a hundred years"));
    }
    Ok(duration)
}

const LONGEST: SignedDuration = SignedDuration::from_hours(100 * 366 * 24);

/// How to write one.
pub(super) const HINT: &str = "write it like `90s`, `15 min`, `6h`, `1d 12h` or `2 weeks`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let cases = [
            ("90s", 90),
            ("15 min", 15 * 60),
            ("6h", 6 * 3600),
            ("1d", 86_400),
            ("2 weeks", 14 * 86_400),
            ("1d 12h", 36 * 3600),
            ("30 days", 30 * 86_400),
        ];
        for (text, secs) in cases {
            assert_eq!(parse(text), Ok(SignedDuration::from_secs(secs)), "{text}");
        }
    }

    #[test]
    fn what_has_no_length_is_refused() {
        for text in ["1 month", "2y", "1 year 3 days"] {
            assert!(parse(text).unwrap_err().contains("months or years"), "{text}");
        }
        for text in ["0s", "-1h", "3 days ago"] {
            assert!(parse(text).unwrap_err().contains("longer than nothing"), "{text}");
        }
        assert!(parse("3000000d").unwrap_err().contains("hundred years"));
        for text in ["", "soon", "15", "1 fortnight", "99999999999999999999 h"] {
            assert!(parse(text).unwrap_err().contains("no duration"), "{text}");
        }
    }
}
