//! Cursors: opaque to us but for the follow time that both generations hide in them.
//!
//! A v1.1 cursor is a number whose upper bits are Unix milliseconds; a v2 token is the same
//! number in other clothes. Cursors are read, never made.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

/// A place in one list of one account, as one API generation writes it.
///
/// It belongs to the list, the account and the page size it was given for, and must not be
/// sent for another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor(String);

impl Cursor {
    /// Takes a cursor as the network sent it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As it must be sent back.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number inside, if it is one that can be a place in a list: larger means newer.
    pub(crate) fn place(&self, now: Timestamp) -> Option<u64> {
        let number = self.decimal().or_else(|| self.base32hex())?.unsigned_abs();
        let day = SignedDuration::from_hours(24);
        let latest = u64::try_from((now + day).as_millisecond()).ok()?;
        (EARLIEST_MS..=latest).contains(&(number >> 20)).then_some(number)
    }

    /// The follow time near which the page before it ended, if it tells one that can be.
    pub(crate) fn boundary(&self, now: Timestamp) -> Option<Timestamp> {
        let millis = i64::try_from(self.place(now)? >> 20).ok()?;
        Timestamp::from_millisecond(millis).ok()
    }

    fn decimal(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    fn base32hex(&self) -> Option<i64> {
        let digits = self.0.trim_end_matches('Z').as_bytes();
        if digits.len() != 13 {
            return None;
        }
        // 13 digits are 65 bits; the last bit pads.
        let mut bits: u128 = 0;
        for digit in digits {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'A'..=b'V' => digit - b'A' + 10,
                b'a'..=b'v' => digit - b'a' + 10,
                _ => return None,
            };
            bits = bits << 5 | u128::from(value);
        }
        let bytes: [u8; 16] = (bits >> 1).to_be_bytes();
        Some(i64::from_le_bytes(std::array::from_fn(|i| bytes[8 + i])))
    }
}

/// 2006-03-01, before the first follow there can have been.
const EARLIEST_MS: u64 = 1_141_171_200_000;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cursor: &str, expected: &str) {
        let now = "2026-11-24T00:00:00Z".parse().unwrap();
        let boundary = Cursor::new(cursor).boundary(now);
        let shown = boundary.map_or("none".to_owned(), |t| format!("{t:.0}"));
        assert_eq!(shown, expected, "{cursor}");
    }

    #[test]
    fn both_generations_tell_the_time() {
        check("1591087837626119954", "2018-01-31T06:20:05Z");
        check("-1591087837626119954", "2018-01-31T06:20:05Z");
        // The documentation's example token.
        check("DFEDBNRFT3MHCZZZ", "2019-12-07T04:03:39Z");
        check(&as_token(1_591_087_837_626_119_954), "2018-01-31T06:20:05Z");
    }

    #[test]
    fn what_cannot_be_a_follow_time_tells_none() {
        for bad in ["0", "-1", "7", "9223372036854775807", "", "ZZZZ", "hello-world-1234"] {
            check(bad, "none");
        }
        check("zzzzzzzzzzzzzzzz", "none");
    }

    #[test]
    fn a_token_and_its_number_are_the_same_place() {
        let number = 1_591_087_837_626_119_954_i64;
        let token = Cursor::new(as_token(number));
        let now = "2026-11-24T00:00:00Z".parse().unwrap();
        assert_eq!(token.place(now), Some(number.unsigned_abs()));
        assert_eq!(Cursor::new(number.to_string()).place(now), token.place(now));
    }

    fn as_token(number: i64) -> String {
        let bits = u128::from(u64::from_be_bytes(number.to_le_bytes())) << 1;
        let digit = |i: u32| {
            let value = u8::try_from(bits >> (60 - 5 * i) & 31).unwrap();
            char::from(if value < 10 { b'0' + value } else { b'A' + value - 10 })
        };
        (0..13).map(digit).chain("ZZZ".chars()).collect()
    }
}
