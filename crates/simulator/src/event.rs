//! What happens in the world after its beginning.

use jiff::Timestamp;
use serde::Serialize;

/// Something that happened, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The instant, to the millisecond.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// The kinds of events; `a` and `b` always read "a follows b", ids are written as strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// `a` began to follow `b`.
    Followed {
        /// The follower.
        #[serde(serialize_with = "as_string")]
        a: i64,
        /// The followed account.
        #[serde(serialize_with = "as_string")]
        b: i64,
    },
    /// `a` stopped following `b`.
    Unfollowed {
        /// The former follower.
        #[serde(serialize_with = "as_string")]
        a: i64,
        /// The account it followed.
        #[serde(serialize_with = "as_string")]
        b: i64,
    },
    /// The network hid the account.
    Suspended {
        /// The account.
        #[serde(serialize_with = "as_string")]
        id: i64,
    },
    /// The network showed a suspended account again.
    Reinstated {
        /// The account.
        #[serde(serialize_with = "as_string")]
        id: i64,
    },
    /// The owner hid the account.
    Deactivated {
        /// The account.
        #[serde(serialize_with = "as_string")]
        id: i64,
    },
    /// The owner of a deactivated account came back.
    Reactivated {
        /// The account.
        #[serde(serialize_with = "as_string")]
        id: i64,
    },
    /// The account made its posts and lists private.
    Protected {
        /// The account.
        #[serde(serialize_with = "as_string")]
        id: i64,
    },
    /// The account made its posts and lists public.
    Unprotected {
        /// The account.
        #[serde(serialize_with = "as_string")]
        id: i64,
    },
    /// A new account was opened.
    Joined {
        /// The account.
        #[serde(serialize_with = "as_string")]
        id: i64,
    },
    /// The account took another username; its id stays.
    Renamed {
        /// The account.
        #[serde(serialize_with = "as_string")]
        id: i64,
    },
}

/// Ids as strings, since many readers damage integers beyond 2^53.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
pub(crate) fn as_string<S: serde::Serializer>(id: &i64, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(id)
}
