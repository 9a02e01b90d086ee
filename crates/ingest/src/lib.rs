//! Turns a network, or files, into snapshots.
//!
//! A *source* fetches one page. Around any source, the *crawl* reads a list page by page,
//! *pace* keeps it inside the network's rate windows, and the *batch* reads the lists of
//! many accounts at once and publishes them as one run. *Look-ups* ask what became of members
//! that vanished. *Import* makes runs out of files.
//!
//! # Memory
//!
//! A batch needs the writer's `sort_memory` (32 MiB unless told) and about 20 MB more while
//! it publishes, one page per list in progress, about 300 bytes for each page read (its
//! record, and eight bytes to notice a cursor that comes back), and about 2 kB for each list.
//! An import needs the same without the pages, and 500 bytes for each account; what it needs
//! besides stands in [`mod@import`]. The length of a list does not count otherwise.
//!
//! The only crate that asks over HTTP; no type of its client shows. Futures need a tokio
//! runtime with time and I/O, which is the caller's.

mod error;

mod clock;
mod credential;
mod cursor;
mod token;

pub mod source;

mod budget;
mod pace;
mod price;
mod send;
mod windows;

mod journal;

mod batch;
mod crawl;
mod head;
mod look_up;
mod publish;
mod report;
mod stop;
mod target;

mod progress;

pub mod conformance;

mod job;
mod plan;
mod schedule;
mod status;

pub mod import;

/// What must hold of every reader, whatever it is given; for fuzzing and its corpus.
#[doc(hidden)]
pub mod fuzzing;

#[cfg(test)]
mod canned;

#[cfg(test)]
mod tests;

pub use batch::{Batch, finish, run};
pub use budget::Budget;
pub use clock::ServerClock;
pub use credential::{Credential, CredentialId};
pub use cursor::Cursor;
pub use error::{Error, ErrorKind};
pub use import::{Imported, import};
pub use job::{Group, Job, PricesTable, parse_duration, read_accounts};
pub use journal::Owner;
pub use look_up::{LookUpReport, LookUps, look_up, network_time};
pub use pace::{Family, Heard, Window};
pub use plan::{Ask, KnownFrom, Plan, PlannedEndpoint, PlannedLimit, PlannedList, plan};
pub use price::{Prices, micro_usd};
pub use progress::{Event, Progress, Silent};
pub use report::{BatchReport, Failure, Unfinished, Unresolved};
pub use schedule::{Due, due, run_parameters};
pub use send::Retries;
pub use source::{
    AccountRef, Call, Detail, Endpoint, Lookup, Page, PageRequest, Source, SourceError, SourceKind,
    Username, check_base_url,
};
pub use status::{DamagedJournal, JobStatus, ListStatus, Status, WindowStatus, status};
pub use stop::Stop;
pub use target::{Mode, Target};
pub use token::Token;

/// The environment variable that holds the token.
pub const TOKEN_VARIABLE: &str = "FOLLOWGRAPH_BEARER_TOKEN";

/// Where the X API answers, unless told otherwise.
pub const DEFAULT_BASE_URL: &str = "https://api.x.com";
