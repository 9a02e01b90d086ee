//! What came of a batch, for its caller.

use std::collections::BTreeMap;
use std::fmt;

use snapshot::{AccountId, Coverage, Crawl, List, Published, State};

use crate::{AccountRef, Error};

/// What came of a batch.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchReport {
    /// The run; `None` if the batch is not finished, or none of the accounts has an id.
    pub published: Option<Published>,
    /// Lists that are not done with. The same batch goes on with them.
    pub unfinished: Vec<Unfinished>,
    /// Accounts that were named and have no id, so they have no place in the run.
    pub unresolved: Vec<Unresolved>,
    /// Lists that an error cut short, or left unfinished.
    pub failures: Vec<Failure>,
    /// Requests that this session sent, those that failed included.
    pub requests: u64,
    /// What this session cost, in millionths of a US dollar.
    pub cost_micro_usd: i64,
    /// Requests of all sessions together.
    pub requests_in_all: u64,
    /// What all sessions together cost; `None` if the source has no price.
    pub cost_in_all_micro_usd: Option<i64>,
    /// What stopped the batch before its end, if anything did.
    pub fatal: Option<Error>,
}

/// A list that is not done with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Whose.
    pub account: AccountId,
    /// Which list.
    pub list: List,
    /// Pages that are kept.
    pub pages: u32,
    /// Rows that are kept.
    pub ids: u64,
}

/// An account that could not be resolved to an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresolved {
    /// As it was asked for.
    pub account: AccountRef,
    /// Why, as far as the network says.
    pub state: State,
    /// What `state` leaves open: v1.1 passes over suspended and missing accounts alike.
    pub note: Option<&'static str>,
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.account)?;
        match self.note {
            Some(note) => f.write_str(note),
            None => self.state.fmt(f),
        }
    }
}

/// The note on an account that the network said nothing of.
pub(crate) const PASSED_OVER: &str = "suspended or missing; the network does not say which";

/// A list that an error cut short, or left unfinished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whose.
    pub account: AccountId,
    /// Which list.
    pub list: List,
    /// The last error.
    pub detail: String,
}

impl BatchReport {
    /// How many lists came to each state, by the names of the columns: coverage for lists
    /// that were read, state for others.
    pub fn states(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for crawl in self.published.iter().flat_map(|p| &p.crawls) {
            let state = crawl.state;
            let name = state.coverage().map_or(state.name(), |_| state.coverage_name());
            *counts.entry(name).or_default() += 1;
        }
        counts
    }

    /// Whether every list was read as far as it was to be, or is known not to be there to
    /// read.
    pub fn is_complete(&self) -> bool {
        let crawls = self.published.iter().flat_map(|p| &p.crawls);
        let done = |crawl: &Crawl| {
            let coverage = crawl.state.coverage();
            !matches!(coverage, Some(Coverage::CutShort { .. }))
        };
        self.fatal.is_none() && self.unfinished.is_empty() && crawls.into_iter().all(done)
    }
}
