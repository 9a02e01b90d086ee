//! One reading of one list of one account: what was read, when, and how far.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::{AccountId, Error, RunId};

/// Which of an account's two lists.
///
/// Directions always read "a follows b": in [`Followers`](Self::Followers) the members
/// follow the account, in [`Following`](Self::Following) the account follows the members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum List {
    /// The members follow the account.
    Followers,
    /// The account follows the members; X's API v1.1 calls them friends.
    Following,
}

impl List {
    /// Both lists, in storage order.
    pub const ALL: [Self; 2] = [Self::Followers, Self::Following];

    /// The name used in paths, columns and options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Followers => "followers",
            Self::Following => "following",
        }
    }

    /// The edge (follower, followed) that a member of this list stands for.
    pub const fn edge(self, account: AccountId, member: AccountId) -> (AccountId, AccountId) {
        match self {
            Self::Followers => (member, account),
            Self::Following => (account, member),
        }
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for List {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "followers" => Ok(Self::Followers),
            "following" | "friends" => Ok(Self::Following),
            _ => Err(Error::invalid(format!("`{text}` is neither `followers` nor `following`"))),
        }
    }
}

/// How much of a list a crawl read. Absence from the crawl is evidence only in that part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// The whole list, from its newest member to its oldest.
    Complete,
    /// From the newest member down to a stretch already known from an earlier crawl.
    Head,
    /// From the newest member to the end of a page, where something stopped it.
    CutShort {
        /// How many pages had been read; 0 means that nothing was seen. A file that holds
        /// a part of a list is one page, or 0 when it is empty.
        after_page: u32,
        /// What stopped it.
        why: Cut,
    },
}

/// What stopped a crawl before the end of its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// A limit on requests, time or money.
    Budget,
    /// An error that did not go away.
    Error,
    /// The user, or the system, asked it to stop.
    Stopped,
    /// The source itself held only a part, as the importer was told.
    Partial,
}

impl Cut {
    const ALL: [Self; 4] = [Self::Budget, Self::Error, Self::Stopped, Self::Partial];

    /// The name used in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Error => "error",
            Self::Stopped => "stopped",
            Self::Partial => "partial",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.name() == name)
    }
}

/// What came of asking for a list.
///
/// A list that may not be seen is a result of its own: it is neither a failure of the
/// batch nor an empty list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was read, as far as the coverage says.
    Read(Coverage),
    /// Its owner shows it to approved followers only.
    Protected,
    /// The network has suspended its owner.
    Suspended,
    /// The network knows no such account.
    Missing,
    /// Refused without a stated reason: protected, suspended, or the caller is blocked.
    NotAuthorized,
}

impl State {
    /// The coverage, if the list was read at all.
    pub const fn coverage(self) -> Option<Coverage> {
        match self {
            Self::Read(coverage) => Some(coverage),
            _ => None,
        }
    }

    /// Whether the whole list was read.
    pub const fn is_complete(self) -> bool {
        matches!(self, Self::Read(Coverage::Complete))
    }

    /// The value of the `state` column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read(_) => "read",
            Self::Protected => "protected",
            Self::Suspended => "suspended",
            Self::Missing => "missing",
            Self::NotAuthorized => "not_authorized",
        }
    }

    /// The value of the `coverage` column.
    pub const fn coverage_name(self) -> &'static str {
        match self {
            Self::Read(Coverage::Complete) => "complete",
            Self::Read(Coverage::Head) => "head",
            Self::Read(Coverage::CutShort { .. }) => "cut_short",
            _ => "none",
        }
    }

    pub(crate) fn from_columns(
        state: &str,
        coverage: &str,
        after_page: u32,
        why: Option<&str>,
    ) -> Option<Self> {
        Some(match (state, coverage) {
            ("read", "complete") => Self::Read(Coverage::Complete),
            ("read", "head") => Self::Read(Coverage::Head),
            ("read", "cut_short") => {
                Self::Read(Coverage::CutShort { after_page, why: Cut::from_name(why?)? })
            }
            ("protected", "none") => Self::Protected,
            ("suspended", "none") => Self::Suspended,
            ("missing", "none") => Self::Missing,
            ("not_authorized", "none") => Self::NotAuthorized,
            _ => return None,
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(Coverage::CutShort { why: Cut::Partial, .. }) => f.pad("partial"),
            Self::Read(Coverage::CutShort { after_page, why }) => {
                write!(f, "cut short after page {after_page} ({})", why.name())
            }
            Self::Read(_) => f.pad(self.coverage_name()),
            _ => f.pad(&self.name().replace('_', " ")),
        }
    }
}

/// Whether positions say anything about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Position 0 is the latest follow, as the API returns lists.
    NewestFirst,
    /// The rows came in an order that means nothing: sorted, shuffled, unknown.
    Unknown,
}

impl Order {
    /// The value of the `order` column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewestFirst => "newest_first",
            Self::Unknown => "unknown",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::NewestFirst, Self::Unknown].into_iter().find(|o| o.name() == name)
    }
}

/// One reading of one list of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crawl {
    /// Whose list.
    pub account: AccountId,
    /// Which list.
    pub list: List,
    /// Where it came from: `x_v2`, `x_v1`, `file`.
    pub source: String,
    /// What came of it, with its coverage.
    pub state: State,
    /// Whether positions say anything about time.
    pub order: Order,
    /// When the first page was asked for, by the network's clock.
    pub started_at: Timestamp,
    /// When the last page had arrived, by the network's clock.
    pub finished_at: Timestamp,
    /// How many different members it has. Counted by the writer.
    pub ids: u64,
    /// How many rows repeated a member. Counted by the writer; each member is kept once,
    /// at its first position.
    pub duplicates: u64,
    /// Pages read.
    pub pages: u32,
    /// Requests sent, those that failed included.
    pub requests: u32,
    /// What the network charges for it, in millionths of a US dollar, if known.
    pub cost_micro_usd: Option<i64>,
    /// The profile's own counter of this list at the time, if it was read.
    pub reported_count: Option<u64>,
    /// For a list that was not read to its end: everybody who followed after this moment
    /// was inside the part that was read. `None` if the source does not tell.
    pub covered_since: Option<Timestamp>,
    /// For a [`Head`](Coverage::Head): the run, complete for this list, in which it met ids
    /// that it already knew.
    pub known_run: Option<RunId>,
}

impl Crawl {
    /// A crawl that began and ended at `at`, of which nothing else is known: no pages, no
    /// requests, an order that means nothing. Set the other fields as needed.
    pub fn new(
        account: AccountId,
        list: List,
        source: impl Into<String>,
        state: State,
        at: Timestamp,
    ) -> Self {
        Self {
            account,
            list,
            source: source.into(),
            state,
            order: Order::Unknown,
            started_at: at,
            finished_at: at,
            ids: 0,
            duplicates: 0,
            pages: 0,
            requests: 0,
            cost_micro_usd: None,
            reported_count: None,
            covered_since: None,
            known_run: None,
        }
    }
}

impl Crawl {
    /// How many members a list that was read to its end lacks of those that the profile
    /// counted, if that is a large part of them: more than ten, and more than one in twenty.
    ///
    /// Recorded crawls equal the counter, but need not while people come and go, and networks
    /// count accounts that they do not show.
    pub fn shortfall(&self) -> Option<u64> {
        let counted = self.reported_count.filter(|_| self.state.is_complete())?;
        let missing = counted.saturating_sub(self.ids);
        (missing > 10 && missing > counted / 20).then_some(missing)
    }
}

/// One page of a crawl, as the API returned it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRecord {
    /// Whose list.
    pub account: AccountId,
    /// Which list.
    pub list: List,
    /// Counted from 0.
    pub page: u32,
    /// The cursor that was sent; `None` on a first page that needs none.
    pub cursor: Option<String>,
    /// The cursor to the page after it; `None` on the last page.
    pub next_cursor: Option<String>,
    /// When it arrived, by the network's clock.
    pub fetched_at: Timestamp,
    /// How many ids it held, repeated ones included.
    pub ids: u32,
    /// The position of its first id in the list.
    pub first_position: u32,
    /// A follow time at the page's far end, when the cursor reveals one: its members
    /// followed at or after it, those of the next page at or before it.
    pub boundary: Option<Timestamp>,
    /// What the network could not show of the page although it answered, as its own JSON.
    pub problems: Option<String>,
}

impl PageRecord {
    /// A page without ids at position 0, of which nothing else is known. Set the other
    /// fields as needed.
    pub fn new(account: AccountId, list: List, page: u32, fetched_at: Timestamp) -> Self {
        Self {
            account,
            list,
            page,
            cursor: None,
            next_cursor: None,
            fetched_at,
            ids: 0,
            first_position: 0,
            boundary: None,
            problems: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_shortfall_is_told_and_a_small_one_is_not() {
        let short = |coverage, ids, reported| {
            let (account, state) = (AccountId::from(1), State::Read(coverage));
            let at = Timestamp::UNIX_EPOCH;
            let crawl = Crawl::new(account, List::Followers, "x_v2", state, at);
            Crawl { ids, reported_count: reported, ..crawl }.shortfall()
        };
        assert_eq!(short(Coverage::Complete, 900, Some(1000)), Some(100));
        assert_eq!(short(Coverage::Complete, 960, Some(1000)), None, "one in twenty-five");
        assert_eq!(short(Coverage::Complete, 5, Some(15)), None, "ten");
        assert_eq!(short(Coverage::Complete, 0, Some(11)), Some(11));
        assert_eq!(short(Coverage::Complete, 1001, Some(1000)), None);
        assert_eq!(short(Coverage::Complete, 1, None), None);
        assert_eq!(short(Coverage::Head, 1, Some(1000)), None, "it was not to be read whole");
    }
}
