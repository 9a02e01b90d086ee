//! The history of a store's lists: who was in which of them from when until when, over all runs.
//!
//! It is derived: everything in it follows from the runs, and it can be deleted and made again.
//! This module knows its words and its files; what they say is worked out by who writes them.
//!
//! One row is a *spell*: a stretch of crawls of one list, from the first that saw a member to the
//! last that did, with none between that proves the member absent.

use jiff::Timestamp;

use crate::{AccountId, List, RunId, State};

mod files;
mod manifest;

pub use files::{History, HistoryLock, HistoryWriter, Kept, SpellFile};

/// The version of the history's files and of what they mean. Another one is not read.
pub const HISTORY_VERSION: u32 = 1;

/// A stretch of crawls of one list that saw a member. Crawls are counted from 0, for each account
/// and list, in the order of their runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    /// Whose list.
    pub account: AccountId,
    /// Who was in it.
    pub member: AccountId,
    /// The first crawl that saw the member.
    pub first_seen: u32,
    /// The last crawl that did.
    pub last_seen: u32,
    /// The latest crawl before `first_seen` that proves that the member was absent, or at least
    /// that this follow was not there yet.
    pub absent_before: Option<u32>,
    /// The first crawl after `last_seen` that proves that the member was absent.
    pub absent_after: Option<u32>,
    /// How it began.
    pub began: Began,
    /// How it ended, if it has.
    pub ended: Ended,
    /// The position at the last sighting; 0 is the newest where the list is in order of time.
    pub position: u32,
    /// The member followed no earlier, if something tells.
    pub followed_after: Option<Timestamp>,
    /// The member followed no later, if something tells.
    pub followed_before: Option<Timestamp>,
    /// The member followed no earlier, by the cursors of the crawls that saw it: what makes its
    /// absence from a crawl that did not read the whole list evidence.
    pub boundary: Option<Timestamp>,
}

/// How a spell began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Began {
    /// The member was there when a crawl looked there for the first time.
    FirstLook,
    /// It was never seen before, and absent where a crawl looked.
    New,
    /// It was seen before, and the order or follow times show that it follows anew.
    Refollowed,
    /// It was absent, and the order or follow times show that it had followed already: it was
    /// hidden meanwhile.
    Reappeared,
    /// It was seen before and was absent since; nothing tells whether it follows anew.
    Returned,
}

impl Began {
    /// Every one, in the order of reports.
    pub const ALL: [Self; 5] =
        [Self::FirstLook, Self::New, Self::Refollowed, Self::Reappeared, Self::Returned];

    /// The name used in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstLook => "first_look",
            Self::New => "new",
            Self::Refollowed => "refollowed",
            Self::Reappeared => "reappeared",
            Self::Returned => "returned",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|began| began.name() == name)
    }
}

/// How a spell ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ended {
    /// It has not, as far as is known: nothing proves that the member is gone.
    Open,
    /// A crawl proves that the member is gone.
    Absent,
    /// The member left and came back between two crawls that both saw it: it followed anew, or a
    /// crawl between them that did not read the whole list proves it. Its next spell follows.
    Moved,
}

impl Ended {
    const ALL: [Self; 3] = [Self::Open, Self::Absent, Self::Moved];

    /// The name used in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Absent => "absent",
            Self::Moved => "moved",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ended| ended.name() == name)
    }
}

/// A crawl of one list, as the history counts it, and what it changed.
///
/// Who counts as being in the list: whoever was seen and of whom no later crawl proves the
/// absence. So `closing = opening + found + gained() − lost`, and after a crawl that read the
/// whole list `closing` is the number of ids it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryCrawl {
    /// Whose list.
    pub account: AccountId,
    /// Which list.
    pub list: List,
    /// Counted from 0, for each account and list.
    pub number: u32,
    /// The run that holds it.
    pub run: RunId,
    /// What came of it, with its coverage.
    pub state: State,
    /// As in [`Crawl`](crate::Crawl).
    pub covered_since: Option<Timestamp>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// How many members it saw.
    pub ids: u64,
    /// `dependable` if its positions tell of time, or why they do not.
    pub order: String,
    /// The crawl with which its order was compared, if one could be.
    pub compared_with: Option<u32>,
    /// How many of its leading positions hold follows made since that crawl.
    pub head: Option<u32>,
    /// Members in the list after the crawl before it.
    pub opening: u64,
    /// Members seen where no crawl had looked.
    pub found: u64,
    /// Spells that began with it as [`New`](Began::New).
    pub new: u64,
    /// Spells that began with it as [`Refollowed`](Began::Refollowed), after an absence.
    pub refollowed: u64,
    /// Spells that began with it as [`Reappeared`](Began::Reappeared).
    pub reappeared: u64,
    /// Spells that began with it as [`Returned`](Began::Returned).
    pub returned: u64,
    /// Members whose absence it proves, and no crawl before it.
    pub lost: u64,
    /// Members who left and came back since a crawl that saw them, neither lost nor gained.
    pub moved: u64,
    /// Members in the list after it.
    pub closing: u64,
}

impl HistoryCrawl {
    /// Members who came to be in the list since an earlier crawl.
    pub const fn gained(&self) -> u64 {
        self.new + self.refollowed + self.reappeared + self.returned
    }

    /// Members counted as being in the list whom it did not see, as it did not look there.
    pub const fn unseen(&self) -> u64 {
        self.closing.saturating_sub(self.ids)
    }
}
