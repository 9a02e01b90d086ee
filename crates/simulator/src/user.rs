//! An account of the simulated network, as far as it is stored.
//!
//! The rest of a profile (bio, link, counters of posts) is derived from the id on demand,
//! see `profile`.

use jiff::Timestamp;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// The numeric id, never reused and never changed.
    pub id: i64,
    /// The handle, without `@`; unique without regard to case.
    pub username: String,
    /// The display name: any text.
    pub name: String,
    /// When the account was opened.
    pub created_at: Timestamp,
    /// Whether the network shows the account.
    pub standing: Standing,
    /// Whether only its followers may see its lists.
    pub protected: bool,
}

/// Whether the network shows an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Visible to all.
    Active,
    /// Hidden by the network, its edges kept.
    Suspended,
    /// Hidden by its owner, its edges kept.
    Deactivated,
}

impl User {
    /// Whether lists and lookups show the account.
    pub fn is_visible(&self) -> bool {
        self.standing == Standing::Active
    }
}

/// The index of an account within one [`World`](crate::World); means nothing outside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ix(u32);

impl Ix {
    /// No account: marks a row whose edge is gone.
    pub(crate) const NONE: Self = Self(u32::MAX);

    pub(crate) fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("a world holds fewer than 2^32 accounts"))
    }

    pub(crate) fn at(self) -> usize {
        self.0 as usize
    }
}
