//! What both generations write alike: ids, and fields that may be damaged.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use snapshot::AccountId;

/// A field that is not worth an answer: what it should not be counts as not there.
pub(super) fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + serde::de::DeserializeOwned,
{
    Ok(T::deserialize(Value::deserialize(deserializer)?).unwrap_or_default())
}

/// The same where nothing is flattened, which costs less and forgives more: even text that
/// is no Unicode and numbers that are none.
pub(super) fn forgiving<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + serde::de::DeserializeOwned,
{
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).unwrap_or_default())
}

/// An id as text or as a number. A float is refused: it has lost digits.
#[derive(Debug)]
pub(super) struct WireId(pub(super) AccountId);

impl<'de> Deserialize<'de> for WireId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Id;

        impl Visitor<'_> for Id {
            type Value = WireId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an account id")
            }

            // The text is quoted whole, so that a secret in it can be recognized.
            fn visit_str<E: Error>(self, text: &str) -> Result<WireId, E> {
                let wrong = |_| E::invalid_value(Unexpected::Str(text), &self);
                text.parse().map(WireId).map_err(wrong)
            }

            fn visit_u64<E: Error>(self, raw: u64) -> Result<WireId, E> {
                let id = i64::try_from(raw).ok().and_then(AccountId::new);
                id.map(WireId).ok_or_else(|| E::custom(format!("{raw} is above 2^63")))
            }
        }

        deserializer.deserialize_any(Id)
    }
}
