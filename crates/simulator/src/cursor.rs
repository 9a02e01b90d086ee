//! Where a page of a list begins, and the two ways the API writes it down.
//!
//! Every edge has a unique key, `follow time in Unix milliseconds << 20 | tie-break`, and
//! lists are sorted by it, so a key is all a cursor needs to hold: v1.1 prints it as a
//! number, v2 as base32hex of its little-endian bytes. No session, no expiry; a cursor of
//! one list cuts another list at the same moment, as on the real network.

use jiff::Timestamp;

/// Bits of an edge key below the follow time.
pub(crate) const TIE_BITS: u32 = 20;

/// Base32 with the extended hex alphabet, as in RFC 4648 section 7.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";

/// Characters needed for 64 bits, five at a time.
const TOKEN_DIGITS: usize = 13;

/// What v2 appends to reach its minimum token length of 16.
const TOKEN_TAIL: &str = "ZZZ";

/// The place in a list, newest first, at which a page is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// The newest rows: the first page.
    Newest,
    /// The rows with keys strictly below this one, the newest of them: what a next cursor says.
    Before(i64),
    /// The rows with this key or above, the oldest of them: what a previous cursor says.
    From(i64),
}

/// A cursor or pagination token that no server could have given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed cursor")]
pub struct MalformedCursor;

impl Position {
    /// Reads the number behind a cursor: negative for previous pages, −1 for the first page.
    pub fn from_number(number: i64) -> Self {
        match number {
            -1 => Self::Newest,
            0.. => Self::Before(number),
            _ => Self::From(number.saturating_neg()),
        }
    }

    /// The number behind this position's cursor; inverse of [`from_number`](Self::from_number).
    pub fn to_number(self) -> i64 {
        match self {
            Self::Newest => -1,
            Self::Before(key) => key,
            Self::From(key) => key.saturating_neg(),
        }
    }

    /// Reads a v1.1 `cursor` parameter: a decimal number.
    pub fn from_v1(cursor: &str) -> Result<Self, MalformedCursor> {
        cursor.parse().map(Self::from_number).map_err(|_| MalformedCursor)
    }

    /// Reads a v2 `pagination_token`: 13 base32hex digits and at least three `Z`.
    pub fn from_v2(token: &str) -> Result<Self, MalformedCursor> {
        let digits = token.trim_end_matches('Z');
        if digits.len() != TOKEN_DIGITS || token.len() < TOKEN_DIGITS + TOKEN_TAIL.len() {
            return Err(MalformedCursor);
        }
        decode(digits).map(|bytes| Self::from_number(i64::from_le_bytes(bytes)))
    }

    /// Writes the v2 token of this position.
    pub fn to_v2(self) -> String {
        encode(self.to_number().to_le_bytes()) + TOKEN_TAIL
    }
}

/// When the edge with this key was made, to the millisecond.
pub fn edge_time(key: i64) -> Timestamp {
    crate::clock::timestamp(key.saturating_abs() >> TIE_BITS)
}

fn encode(bytes: [u8; 8]) -> String {
    // 64 bits and one zero bit of padding: 13 digits of five bits.
    let bits = u128::from(u64::from_be_bytes(bytes)) << 1;
    (0..TOKEN_DIGITS)
        .rev()
        .map(|digit| char::from(ALPHABET[(bits >> (5 * digit) & 31) as usize]))
        .collect()
}

fn decode(digits: &str) -> Result<[u8; 8], MalformedCursor> {
    let mut bits: u128 = 0;
    for digit in digits.bytes() {
        let value = ALPHABET.iter().position(|&c| c == digit).ok_or(MalformedCursor)?;
        bits = bits << 5 | value as u128;
    }
    if bits & 1 == 1 {
        return Err(MalformedCursor);
    }
    u64::try_from(bits >> 1).map(u64::to_be_bytes).map_err(|_| MalformedCursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number that the v2 document's example token holds.
    const EXAMPLE: i64 = 1_652_232_205_509_188_715;

    #[test]
    fn the_documented_v1_cursor_is_a_follow_time() {
        let Ok(Position::Before(key)) = Position::from_v1("1591087837626119954") else { panic!() };
        assert_eq!(edge_time(key).to_string(), "2018-01-31T06:20:05.89Z");
    }

    #[test]
    fn the_documented_v2_token_is_the_same_kind_of_number() {
        assert_eq!(Position::from_v2("DFEDBNRFT3MHCZZZ"), Ok(Position::Before(EXAMPLE)));
        assert_eq!(Position::Before(EXAMPLE).to_v2(), "DFEDBNRFT3MHCZZZ");
        assert_eq!(edge_time(EXAMPLE).to_string(), "2019-12-07T04:03:39.133Z");
    }

    #[test]
    fn every_position_survives_both_notations() {
        for key in [2, 12_345, EXAMPLE, i64::MAX] {
            for position in [Position::Newest, Position::Before(key), Position::From(key)] {
                assert_eq!(Position::from_v2(&position.to_v2()), Ok(position));
                assert_eq!(Position::from_v1(&position.to_number().to_string()), Ok(position));
            }
        }
    }

    #[test]
    fn mangled_tokens_are_refused() {
        let tokens = ["", "ZZZ", "DFEDBNRFT3MHC", "DFEDBNRFT3MHCZZ", "DFEDBNRFT3MZZZZ"];
        let altered =
            ["dfedbnrft3mhczzz", "DFEDBNRFT3MHDZZZ", "DFEDBN FT3MHCZZZ", "VVVVVVVVVVVVÉZZZ"];
        for token in tokens.into_iter().chain(altered) {
            assert_eq!(Position::from_v2(token), Err(MalformedCursor), "{token}");
        }
        assert_eq!(Position::from_v1("1.59e18"), Err(MalformedCursor));
    }

    #[test]
    fn cursor_zero_means_after_the_last_row() {
        assert_eq!(Position::from_v1("0"), Ok(Position::Before(0)));
    }
}
