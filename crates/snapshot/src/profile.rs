//! What an account said of itself at the time of a run.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::AccountId;

/// The profile of a watched account, as the network showed it.
///
/// Everything but the id may be unknown: a source that only knows ids still has accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Whose profile.
    pub account: AccountId,
    /// The handle, without `@`, in the network's own spelling; compare without case.
    pub username: Option<String>,
    /// The display name.
    pub name: Option<String>,
    /// When the account was made.
    pub created_at: Option<Timestamp>,
    /// Whether its lists are hidden from strangers.
    pub protected: Option<bool>,
    /// The network's own counter of followers.
    pub followers_count: Option<u64>,
    /// The network's own counter of accounts it follows.
    pub following_count: Option<u64>,
    /// The network's own counter of posts.
    pub tweet_count: Option<u64>,
    /// The network's own counter of curated lists it is on.
    pub listed_count: Option<u64>,
    /// When this was read.
    pub observed_at: Timestamp,
}

impl Profile {
    /// A profile of which only the id is known.
    pub fn unknown(account: AccountId, observed_at: Timestamp) -> Self {
        Self {
            account,
            username: None,
            name: None,
            created_at: None,
            protected: None,
            followers_count: None,
            following_count: None,
            tweet_count: None,
            listed_count: None,
            observed_at,
        }
    }
}
