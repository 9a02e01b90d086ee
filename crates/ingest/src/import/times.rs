//! Times as people write them into tables.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

/// How to write one, for a text that is none.
const FORMS: &str = "times are written 2026-11-23T07:28:00Z, 2026-11-23 07:28:00, 2026-11-23, 20261123, or as Unix seconds or milliseconds";
const ZONE: &str = "the name of a time zone cannot be looked up here; write the offset, as in 2026-11-23T07:28:00+01:00";
const SMALL: &str =
    "Unix seconds have had nine digits since 1973; a date has eight, as in 20261123";
const LONG: &str = "if it is a date with a time, write it as 2026-11-23 07:28:00; Unix seconds have up to ten digits, milliseconds up to thirteen";

/// Reads a time: RFC 3339 with an offset, `YYYY-MM-DD HH:MM:SS` or a date (both taken as
/// UTC), Unix seconds or milliseconds.
///
/// # Errors
/// Says how times are written, if it is none or could be several.
pub fn parse(text: &str) -> Result<Timestamp, &'static str> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return number(text);
    }
    let utc = |time: DateTime| TimeZone::UTC.to_timestamp(time).map_err(|_| FORMS);
    // A civil time would accept an offset and drop it, so the full form is tried first; a
    // date would drop everything behind it, so it must be all there is.
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    if text.contains('[') {
        return text.parse::<ZonedDateTime>().map(|time| time.timestamp()).map_err(|_| ZONE);
    }
    if let Ok(date) = text.parse::<Date>()
        && date.to_string() == text
    {
        return utc(date.into());
    }
    match text.parse::<DateTime>() {
        Ok(time) if has_time(text) && !has_offset(text) => utc(time),
        _ => Err(FORMS),
    }
}

/// Seconds reach this number in 1973, and a smaller one is more likely something else.
const SECONDS_FROM: i64 = 100_000_000;
/// Seconds reach this number in 2286.
const SECONDS_TO: i64 = 10_000_000_000;
/// Milliseconds: 1973 to 2286.
const MILLISECONDS: std::ops::Range<i64> = SECONDS_FROM * 1000..SECONDS_TO * 1000;

fn number(digits: &str) -> Result<Timestamp, &'static str> {
    if digits.len() == 8 {
        let date = date(digits).ok_or(SMALL)?;
        return TimeZone::UTC.to_timestamp(date.into()).map_err(|_| SMALL);
    }
    match digits.parse() {
        Ok(number) if number < SECONDS_FROM => Err(SMALL),
        Ok(number) if number < SECONDS_TO => Timestamp::from_second(number).map_err(|_| LONG),
        // `YYYYMMDDhhmm` would pass for milliseconds of the seventies.
        Ok(_) if digits.len() == 12 && digits.get(..8).and_then(date).is_some() => Err(LONG),
        Ok(number) if MILLISECONDS.contains(&number) => {
            Timestamp::from_millisecond(number).map_err(|_| LONG)
        }
        _ => Err(LONG),
    }
}

/// `YYYYMMDD`, of a year in which something can have been observed.
fn date(digits: &str) -> Option<Date> {
    let part = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i16>().ok();
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    (1970..2286).contains(&year).then_some(date)
}

/// What follows the date, whether or not that has dashes.
fn tail(text: &str) -> &str {
    text.get(8..).unwrap_or_default()
}

fn has_time(text: &str) -> bool {
    tail(text).contains(['T', 't', ' '])
}

fn has_offset(text: &str) -> bool {
    tail(text).contains(['+', '-', 'Z', 'z'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = parse(text).map_or_else(str::to_owned, |t| t.to_string());
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
    fn eight_digits_are_a_date_and_never_seconds() {
        check("20261123", "2026-11-23T00:00:00Z");
        check("20240229", "2024-02-29T00:00:00Z");
        for bad in ["20261323", "20230229", "99999999", "00000060"] {
            check(bad, SMALL);
        }
    }

    #[test]
    fn numbers_that_are_no_time_are_refused() {
        for bad in ["0", "60", "2026", "202611", "99999999", "2026112"] {
            check(bad, SMALL);
        }
        check("100000000", "1973-03-03T09:46:40Z");
        for bad in ["202611231030", "20261123103000", "16233213825000000", "99999999999"] {
            check(bad, LONG);
        }
    }

    #[test]
    fn nothing_behind_a_date_is_dropped() {
        check("2021-06-10T10:36:22-04:00[America/New_York]", "2021-06-10T14:36:22Z");
        let zoned = parse("2021-06-10T10:36:22[America/New_York]").map(|t| t.to_string());
        // The build may know the zone if another crate asks for its tables.
        assert!(zoned == Err(ZONE) || zoned == Ok("2021-06-10T14:36:22Z".to_owned()), "{zoned:?}");
        check("2021-06-10[Nowhere/Here]", ZONE);
        for bad in ["2021-06-10+08:00", "20210610+08", "2021-06-10 noon", "2021-06-10T"] {
            check(bad, FORMS);
        }
        check("20210610T103622+0800", "2021-06-10T02:36:22Z");
        check("20210610T103622", "2021-06-10T10:36:22Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in ["", "yesterday", "-5", "2021-13-01", "1.6e9", "+1623321382"] {
            check(bad, FORMS);
        }
    }
}
