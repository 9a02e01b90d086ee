//! One look-up of one account by its id: what the network said became of it.
//!
//! A member that vanished from a list is gone, not "unfollowed"; only looking it up can tell
//! these apart, and only looking it up twice can tell for sure.

use jiff::Timestamp;

use crate::{AccountId, Error};

/// What the network said of an account when it was asked for by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookUp {
    /// Who was looked up.
    pub member: AccountId,
    /// When the answer came, by the network's clock.
    pub looked_up_at: Timestamp,
    /// Where it came from: `x_v2`, `x_v1`.
    pub source: String,
    /// The answer.
    pub outcome: Outcome,
    /// The handle, without `@`, if it was shown.
    pub username: Option<String>,
}

/// What became of an account, by one answer of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It is there, for everybody to see.
    Visible,
    /// It is there, and shows itself to approved followers only.
    Protected,
    /// The network has suspended it.
    Suspended,
    /// The network knows no such account: its owner has deactivated it, or it is deleted.
    Missing,
    /// The network passed over it without a word, as v1.1 does with whatever it does not
    /// show: suspended, missing, or not for this caller.
    NotShown,
}

impl Outcome {
    const ALL: [Self; 5] =
        [Self::Visible, Self::Protected, Self::Suspended, Self::Missing, Self::NotShown];

    /// The value of the `outcome` column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Visible => "visible",
            Self::Protected => "protected",
            Self::Suspended => "suspended",
            Self::Missing => "missing",
            Self::NotShown => "not_shown",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.name() == name)
    }
}

/// The value of the `outcome` column.
impl std::str::FromStr for Outcome {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::from_name(text).ok_or_else(|| Error::invalid(format!("`{text}` is no outcome")))
    }
}
