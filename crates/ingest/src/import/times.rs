//! Times as people write them into tables.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Reads a time: RFC 3339 with an offset, `YYYY-MM-DD HH:MM:SS` or a date (both taken as
/// UTC), Unix seconds or milliseconds.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse::<i64>() {
        return unix(number);
    }
    let utc = |time: DateTime| TimeZone::UTC.to_timestamp(time).ok();
    // A civil time would accept an offset and drop it, so the full form is tried first.
    let full = text.parse::<Timestamp>().ok();
    let civil = || (!has_offset(text)).then(|| text.parse::<DateTime>().ok()).flatten();
    full.or_else(|| civil().and_then(utc))
        .or_else(|| text.parse::<Date>().ok().and_then(|date| utc(date.into())))
}

/// Seconds reach this number in the year 5138, milliseconds passed it in 1973.
const MILLISECONDS_FROM: i64 = 100_000_000_000;
const MILLISECONDS_TO: i64 = 100_000_000_000_000;

fn unix(number: i64) -> Option<Timestamp> {
    match number {
        0..MILLISECONDS_FROM => Timestamp::from_second(number).ok(),
        MILLISECONDS_FROM..MILLISECONDS_TO => Timestamp::from_millisecond(number).ok(),
        _ => None,
    }
}

fn has_offset(text: &str) -> bool {
    let after_date = text.get(10..).unwrap_or_default();
    after_date.contains(['+', '-', 'Z', 'z', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = parse(text).map_or("none".to_owned(), |t| t.to_string());
        assert_eq!(shown, expected, "{text:?}");
    }

    #[test]
    fn every_usual_form_is_read() {
        check("2021-06-10T18:36:22+08:00", "2021-06-10T10:36:22Z");
        check("2021-06-10T10:36:22Z", "2021-06-10T10:36:22Z");
        check("2021-06-10 10:36:22+00:00", "2021-06-10T10:36:22Z");
        check("2021-06-10", "2021-06-10T00:00:00Z");
        check("2021-06-10 10:36:22", "2021-06-10T10:36:22Z");
        check("2021-06-10T10:36:22.5", "2021-06-10T10:36:22.5Z");
        check("1623321382", "2021-06-10T10:36:22Z");
        check("1623321382500", "2021-06-10T10:36:22.5Z");
    }

    #[test]
    fn what_is_no_time_is_none() {
        for bad in ["", "yesterday", "-5", "2021-13-01", "1.6e9", "16233213825000000"] {
            check(bad, "none");
        }
    }
}
