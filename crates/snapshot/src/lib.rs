//! Snapshots of who follows whom: the words for them, and their Parquet form.
//!
//! A *crawl* is one reading of one list of one account; a *run* is one batch of crawls,
//! published together and never edited; a *store* is a folder of runs. This crate knows what
//! a run is, writes it so that a reader sees all of it or none, and reads back no more than
//! was asked for.
//!
//! Knows neither HTTP nor algorithms, and shows no type of the Parquet library.

mod error;
mod id;

mod crawl;
mod look_up;
mod member;
mod profile;

mod store;

mod run;

mod delta;
mod id_table;
mod integers;
mod manifest;
mod parts;
mod table;

mod staging;
mod writer;

mod history;

mod fs;
mod member_file;
mod part_writer;
mod sort;
mod verify;

pub mod schema;

pub use crawl::{Coverage, Crawl, Cut, List, Order, PageRecord, State};
pub use error::{Error, ErrorKind};
pub use history::{
    Began, Ended, HISTORY_VERSION, History, HistoryCrawl, HistoryLock, HistoryWriter, Kept, Spell,
    SpellFile,
};
pub use id::{AccountId, IdError};
pub use id_table::{IdPages, IdTable};
pub use look_up::{LookUp, Outcome};
pub use manifest::{FileEntry, Manifest, Tool};
pub use member::{ListedMember, MemberProfile};
pub use member_file::MemberProfiles;
pub use parts::{Columns, Cursor, ListReader, Rows, RowsChunk};
pub use profile::Profile;
pub use run::{Run, RunId};
pub use staging::Staging;
pub use store::{Entry, Store};
pub use table::{Column, Table, TableStream, Values};
pub use verify::{Fault, Verification};
pub use writer::{Published, RunWriter, StagedRun, WriterOptions};

/// The version of the on-disk format this library writes, and the newest it reads.
pub const FORMAT_VERSION: u32 = 1;
