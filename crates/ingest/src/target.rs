//! What is wanted: an account, its lists, and how thoroughly.

use jiff::SignedDuration;
use snapshot::List;

use crate::AccountRef;

/// One account and the lists that are wanted of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whose lists.
    pub account: AccountRef,
    /// Which lists.
    pub lists: Vec<List>,
    /// How much of them.
    pub mode: Mode,
}

impl Target {
    /// The whole of these lists.
    pub fn whole(account: AccountRef, lists: &[List]) -> Self {
        Self { account, lists: lists.to_vec(), mode: Mode::Complete }
    }
}

/// How much of a list to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// All of it.
    #[default]
    Complete,
    /// From the newest member down to a stretch that the last complete snapshot holds; all
    /// of it where there is no such snapshot. Costs a page or two, and tells nothing of the
    /// older part.
    Head,
    /// The head, but all of it when the last complete snapshot is older than this, or when
    /// the list turns out not to be in the order it was in.
    Auto {
        /// The oldest that a complete snapshot may become.
        complete_every: SignedDuration,
    },
}

impl Mode {
    /// A complete snapshot at least every thirty days.
    pub const AUTO: Self = Self::Auto { complete_every: SignedDuration::from_hours(30 * 24) };

    /// The name in options and job files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Head => "head",
            Self::Auto { .. } => "auto",
        }
    }
}
