//! Account ids: 63-bit numbers that must never pass through a float.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The numeric id of an account, `0 ..= 2^63 − 1`.
///
/// Stored as signed INT64, the one integer type that Parquet readers, notebooks and JVMs
/// all keep intact; parsed strictly, because a third of today's ids exceed 2^53 and any
/// detour through a float silently names another account.
///
/// ```
/// use snapshot::AccountId;
/// let id: AccountId = "967155179614240768".parse()?;
/// assert_eq!(id.get(), 967_155_179_614_240_768);
/// assert!("1.43E+18".parse::<AccountId>().is_err());
/// # Ok::<(), snapshot::IdError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct AccountId(i64);

impl AccountId {
    /// The smallest id there can be.
    pub const MIN: Self = Self(0);
    /// The largest id that INT64 holds.
    pub const MAX: Self = Self(i64::MAX);

    /// Takes a raw number; `None` if it is negative.
    pub const fn new(raw: i64) -> Option<Self> {
        if raw < 0 { None } else { Some(Self(raw)) }
    }

    /// The raw number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for AccountId {
    /// As text, because readers of JSON may know no integer beyond 2^53.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl From<u32> for AccountId {
    fn from(raw: u32) -> Self {
        Self(i64::from(raw))
    }
}

impl FromStr for AccountId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        match text.parse::<i64>() {
            Ok(raw) if digits => Ok(Self(raw)),
            _ => Err(IdError::explain(text)),
        }
    }
}

/// Why a text is not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Nothing between two separators.
    #[error("the id is empty")]
    Empty,
    /// A minus sign before digits.
    #[error("`{0}` is negative; ids are whole numbers from 0 to 9223372036854775807")]
    Negative(String),
    /// Digits, but more than 63 bits of them.
    #[error("`{0}` is above 9223372036854775807 (2^63 - 1), the largest id there can be")]
    TooLarge(String),
    /// A decimal point or an exponent: a spreadsheet or a float has damaged it.
    #[error(
        "`{0}` is a rounded number, not an id: a spreadsheet or a float has cut its last digits off"
    )]
    Rounded(String),
    /// Letters or signs.
    #[error("`{0}` is not a numeric id")]
    NotNumeric(String),
}

impl IdError {
    fn explain(text: &str) -> Self {
        let short = || text.chars().take(40).collect::<String>();
        let all_digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        if text.is_empty() {
            Self::Empty
        } else if all_digits(text) {
            Self::TooLarge(short())
        } else if text.strip_prefix('-').is_some_and(all_digits) {
            Self::Negative(short())
        } else if text.parse::<f64>().is_ok_and(f64::is_finite) && !text.starts_with('+') {
            Self::Rounded(short())
        } else {
            Self::NotNumeric(short())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Outcome(Result<i64, IdError>);

    impl From<i64> for Outcome {
        fn from(id: i64) -> Self {
            Self(Ok(id))
        }
    }

    impl From<IdError> for Outcome {
        fn from(error: IdError) -> Self {
            Self(Err(error))
        }
    }

    fn check(text: &str, expected: impl Into<Outcome>) {
        let Outcome(expected) = expected.into();
        assert_eq!(text.parse::<AccountId>().map(AccountId::get), expected, "{text:?}");
    }

    #[test]
    fn whole_numbers_up_to_63_bits_are_ids() {
        check("0", 0);
        check("12", 12);
        check("9007199254740993", 9_007_199_254_740_993);
        check("9223372036854775807", i64::MAX);
    }

    #[test]
    fn each_kind_of_damage_has_its_own_words() {
        check("", IdError::Empty);
        check("-5", IdError::Negative("-5".into()));
        check("9223372036854775808", IdError::TooLarge("9223372036854775808".into()));
        check("1.43E+18", IdError::Rounded("1.43E+18".into()));
        check("12.0", IdError::Rounded("12.0".into()));
        check("+5", IdError::NotNumeric("+5".into()));
        check("claudebartolone", IdError::NotNumeric("claudebartolone".into()));
        check(" 5", IdError::NotNumeric(" 5".into()));
        check("NaN", IdError::NotNumeric("NaN".into()));
    }
}
