//! What a source is: something that fetches one page, or a handful of profiles.
//!
//! A source knows one network's words and nothing of loops: pace, retries and recording are
//! wrapped around any of them. A new network is one file here, with private wire structs
//! and a call to the [conformance suite](crate::conformance), and one arm in
//! [`SourceKind`].

mod account;
mod auth;
mod classify;
mod http;
mod wire;
mod x_v1;
mod x_v2;

use std::fmt;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use snapshot::{AccountId, List, MemberProfile, State};

use crate::pace::Window;
use crate::{Credential, CredentialId, Cursor, Error};

use http::Limits;

pub use account::{AccountRef, Username};
pub use classify::{Generation, classify};
pub use http::check_base_url;

/// Pure readers of bodies, for fuzzing and replay.
#[doc(hidden)]
pub mod parsers;

/// A future on the heap, as trait objects need it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Fetches one page.
///
/// Dropping a returned future gives up the request, which may have been billed.
pub trait Source: Send + Sync + fmt::Display {
    /// The name in the `source` column.
    fn name(&self) -> &'static str;

    /// Whose windows its requests are counted in.
    fn credential(&self) -> &CredentialId;

    /// Which network it is, and which generation of its API.
    fn kind(&self) -> SourceKind;

    /// Where it answers.
    fn base_url(&self) -> &str;

    /// The most rows a page can hold.
    fn page_size_max(&self) -> u32;

    /// The most accounts one call of [`profiles`](Self::profiles) takes.
    fn profiles_max(&self) -> usize;

    /// The rate bucket that a call is counted in.
    fn endpoint(&self, call: Call) -> Endpoint {
        self.kind().endpoint(call)
    }

    /// The network's clock.
    fn now(&self) -> Timestamp;

    /// Takes over how far the network's clock was ahead of this machine's, until an answer
    /// tells.
    fn assume_ahead(&self, ahead: SignedDuration);

    /// Fetches one page of a list.
    fn page<'a>(&'a self, request: &'a PageRequest) -> BoxFuture<'a, Result<Page, SourceError>>;

    /// Looks up profiles. Accounts that the network does not speak of are in neither part
    /// of the answer.
    fn profiles<'a>(
        &'a self,
        who: Who<'a>,
        detail: Detail,
    ) -> BoxFuture<'a, Result<Lookup, SourceError>>;
}

/// What can be asked of a source, as far as rate buckets tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// A page of a list.
    Page(List),
    /// Profiles of accounts given by id.
    ProfilesById,
    /// Profiles of accounts given by name.
    ProfilesByName,
}

impl Call {
    /// Everything that can be asked.
    pub const ALL: [Self; 4] = [
        Self::Page(List::Followers),
        Self::Page(List::Following),
        Self::ProfilesById,
        Self::ProfilesByName,
    ];
}

/// A rate bucket: calls of one endpoint share a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint(pub &'static str);

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// How much to ask of a profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Detail {
    /// What is kept of watched accounts.
    #[default]
    Brief,
    /// Every field that the network has.
    Full,
}

/// Which page to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Whose list.
    pub account: AccountId,
    /// Which list.
    pub list: List,
    /// Where to go on; `None` for the first page.
    pub cursor: Option<Cursor>,
    /// Rows to ask for; the same through a whole crawl.
    pub page_size: u32,
    /// Whether to ask for the members' profiles; not every source has them on its pages.
    pub profiles: bool,
}

/// One page of a list, newest follow first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The members, as they came; there may be fewer than asked for, even none, on any page.
    pub ids: Vec<AccountId>,
    /// Where to go on. Only `None` ends the list.
    pub next: Option<Cursor>,
    /// A follow time at the page's far end, when the cursor reveals one.
    pub boundary: Option<Timestamp>,
    /// When it arrived, by the network's clock.
    pub fetched_at: Timestamp,
    /// The members' profiles, if they were asked for and the source gives them with a page.
    pub profiles: Vec<MemberProfile>,
    /// What the network could not show of this page although it answered, as its own JSON.
    pub problems: Option<String>,
    /// What is left of every rate window the answer told of.
    pub windows: Vec<Window>,
}

/// Who to look up. No more than [`Source::profiles_max`] at once.
#[derive(Clone, Copy, Debug)]
pub enum Who<'a> {
    /// By id.
    Ids(&'a [AccountId]),
    /// By name.
    Names(&'a [Username]),
}

impl Who<'_> {
    /// Which call it takes.
    pub const fn call(&self) -> Call {
        match self {
            Self::Ids(_) => Call::ProfilesById,
            Self::Names(_) => Call::ProfilesByName,
        }
    }

    /// The account, if there is just one.
    pub(crate) fn only(&self) -> Option<AccountRef> {
        match self {
            Self::Ids([id]) => Some(AccountRef::Id(*id)),
            Self::Names([name]) => Some(AccountRef::Name(name.clone())),
            _ => None,
        }
    }
}

/// What a look-up brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookup {
    /// The profiles that exist.
    pub found: Vec<MemberProfile>,
    /// The accounts of which the network said why it does not show them.
    pub absent: Vec<(AccountRef, State)>,
    /// What is left of every rate window the answer told of.
    pub windows: Vec<Window>,
}

/// Why a request brought nothing, sorted by what a client should do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct SourceError {
    /// What to do.
    pub trouble: Trouble,
    /// What the network said, in short; holds no secrets.
    pub detail: String,
    /// What is left of every rate window; refused requests count too.
    pub windows: Vec<Window>,
}

/// What a client should do about a refused request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Ask again a little later.
    Transient,
    /// The same; but an answer may have been made, and charged, that did not arrive whole.
    Lost,
    /// Ask again when the rate window ends.
    Window {
        /// When that is, if the network said so.
        until: Option<Timestamp>,
    },
    /// Stop: the credit, the cap or the month's share is used up.
    Quota,
    /// Stop: the credentials are not accepted.
    Credentials,
    /// Go on with others: this account's list cannot be seen.
    Target(State),
    /// Stop: the network does not understand us, and asking again changes nothing.
    Bug,
}

/// The sources there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceKind {
    /// The X API v2.
    #[default]
    XV2,
    /// The X API v1.1, for those who still have a contract.
    XV1,
}

impl SourceKind {
    /// Every source, the default first.
    pub const ALL: [Self; 2] = [Self::XV2, Self::XV1];

    /// The name in options, job files and the `source` column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::XV2 => "x_v2",
            Self::XV1 => "x_v1",
        }
    }

    /// The rate bucket that a call is counted in.
    pub const fn endpoint(self, call: Call) -> Endpoint {
        Endpoint(match (self, call) {
            (Self::XV2, Call::Page(List::Followers)) => "users/:id/followers",
            (Self::XV2, Call::Page(List::Following)) => "users/:id/following",
            (Self::XV2, Call::ProfilesById) => "users",
            (Self::XV2, Call::ProfilesByName) => "users/by",
            (Self::XV1, Call::Page(List::Followers)) => "followers/ids",
            (Self::XV1, Call::Page(List::Following)) => "friends/ids",
            (Self::XV1, Call::ProfilesById | Call::ProfilesByName) => "users/lookup",
        })
    }

    /// Makes the source that speaks to `base_url` with a credential. Sends nothing.
    ///
    /// # Errors
    /// If the address is not one that a token may be sent to, or the credential is of a sort
    /// that this source does not take.
    pub fn connect(self, base_url: &str, credential: Credential) -> Result<Arc<dyn Source>, Error> {
        self.connect_within(base_url, credential, Limits::default())
    }

    fn connect_within(
        self,
        base_url: &str,
        credential: Credential,
        limits: Limits,
    ) -> Result<Arc<dyn Source>, Error> {
        Ok(match self {
            Self::XV2 => Arc::new(x_v2::XV2::new(base_url, credential, limits)?),
            Self::XV1 => Arc::new(x_v1::XV1::new(base_url, credential, limits)?),
        })
    }
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for SourceKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| Error::usage(format!("`{text}` is neither `x_v2` nor `x_v1`")))
    }
}

#[cfg(test)]
mod proof_tests;

#[cfg(test)]
mod tests;

#[cfg(test)]
mod trouble_tests;
