//! What a batch or an import tells while it works. Drawing it is somebody else's business.

use std::time::Duration;

use jiff::Timestamp;
use snapshot::{AccountId, Crawl, List, RunId};

use crate::CredentialId;
use crate::source::Endpoint;

/// Hears what happens. Called from the middle of the work, so it should be quick.
pub trait Progress: Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _event: &Event<'_>) {}
}

/// Something that happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// All accounts have been looked up; the lists come next.
    Resolved {
        /// Accounts whose lists will be asked for, or whose state is known already.
        accounts: usize,
        /// Accounts without an id: they have no place in the run.
        unresolved: usize,
        /// How many lists there are to read.
        lists: usize,
    },
    /// A job that was left unfinished goes on.
    Resumed {
        /// Lists that are done with already.
        finished: usize,
        /// Lists that were left in their middle.
        unfinished: usize,
        /// Rows that are there already.
        ids: u64,
        /// Bytes that a crash had left behind the last page, which was dropped.
        torn: u64,
    },
    /// A list that had been begun is read from its beginning, because its cursor cannot be
    /// used any more.
    StartedAnew {
        /// Whose.
        account: AccountId,
        /// Which list.
        list: List,
        /// What has changed.
        why: &'a str,
    },
    /// A list is about to be read, or gone on with.
    CrawlStarted {
        /// Whose.
        account: AccountId,
        /// The account's name, if it is known.
        username: Option<&'a str>,
        /// Which list.
        list: List,
        /// How long it is by the profile's own counter.
        reported: Option<u64>,
    },
    /// A page has arrived.
    Page {
        /// Whose.
        account: AccountId,
        /// Which list.
        list: List,
        /// Rows read so far, repeated ones included.
        ids_so_far: u64,
        /// How long the list is by the profile's own counter.
        reported: Option<u64>,
        /// A follow time that the crawl has reached, if the cursor tells.
        boundary: Option<Timestamp>,
        /// What this session has cost so far, in millionths of a US dollar.
        spent: i64,
    },
    /// Members that vanished have been looked up.
    Checked {
        /// How many of them so far.
        done: usize,
        /// How many there are to look up.
        of: usize,
        /// What this session has cost so far, in millionths of a US dollar.
        spent: i64,
    },
    /// A rate window is used up. Told once, however many lists wait for it.
    Waiting {
        /// What cannot be asked.
        endpoint: Endpoint,
        /// Whose window it is, where there are several credentials.
        credential: Option<&'a CredentialId>,
        /// Until when, by the network's clock.
        until: Timestamp,
        /// What the network's clock shows now.
        now: Timestamp,
    },
    /// A request will be repeated.
    Retry {
        /// What was asked.
        endpoint: Endpoint,
        /// The how-manieth repetition it is, from 1.
        attempt: u32,
        /// When it will be sent.
        delay: Duration,
        /// What was wrong.
        why: &'a str,
    },
    /// A credential was refused and is not used any more; there are others.
    CredentialRetired {
        /// Which.
        credential: &'a CredentialId,
        /// What the network said.
        detail: &'a str,
    },
    /// A list is done with, whatever came of it. Its `ids` still count repeated rows.
    CrawlFinished {
        /// What came of it.
        crawl: &'a Crawl,
        /// The account's name, if it is known.
        username: Option<&'a str>,
        /// What was wrong, if something was.
        detail: Option<&'a str>,
    },
    /// An import has read this much of an input.
    Importing {
        /// The file, or standard input.
        input: &'a str,
        /// Rows read from it so far.
        rows: u64,
    },
    /// A run has been published.
    Published {
        /// Which.
        run: RunId,
    },
}
