//! Answers questions about snapshots: what changed, who follows back, whose audiences
//! overlap, how long followers stay, and what the graph of all of it looks like.
//!
//! A question is computed per partition of the id space and merged ([`Question`]); an
//! [engine] chooses where partitions live. Every question takes [`Observation`]s, lists that
//! carry what their crawl covered, so that no answer can take silence for absence.
//!
//! ```
//! use analysis::{Observation, diff, engine::Memory};
//! use snapshot::{AccountId, List};
//!
//! let list = |ids: &[u32]| {
//!     let ids = ids.iter().map(|id| AccountId::from(*id));
//!     Observation::complete(AccountId::from(7), List::Followers, ids)
//! };
//! let changes = diff(&list(&[3, 2, 1])?, &list(&[4, 3, 2])?, &Memory)?;
//! assert_eq!(changes.gained[0].member, AccountId::from(4));
//! assert_eq!(changes.lost[0].member, AccountId::from(1));
//! assert_eq!(changes.unchanged, 2);
//! # Ok::<(), analysis::Error>(())
//! ```
//!
//! Knows neither HTTP nor how answers are shown. rayon, petgraph and polars live here and
//! nowhere else; only petgraph's traits are public, because [`FollowGraph`] is a petgraph
//! graph.

mod error;
mod factorial;
mod id_file;
mod in_order;
mod in_step;
mod limits;
mod observation;
mod radix;
mod random;
mod ratio;
mod reading;
mod scatter;
mod sight;

pub mod engine;
mod question;

pub mod when;

mod among;
mod diff;
mod flow;
mod mutual;
mod mutual_changes;
mod overlap;
mod reach;

pub mod verdict;

pub mod history;
pub mod retention;

pub mod graph;

pub mod export;
pub mod frame;

pub use among::edges_among;
pub use diff::{
    Apart, Change, Compared, Diff, DiffPart, RunDiff, Undecided, diff, diff_each, diff_runs,
    diff_runs_each,
};
pub use error::Error;
pub use flow::{Flow, flows};
pub use frame::{Format, Frame, FrameWriter};
pub use graph::{FollowGraph, MutualEdges, file_mutual_edges, run_mutual_edges, run_summary};
pub use id_file::{diff_id_files, id_files};
pub use limits::{memory, set_memory, set_threads};
pub use mutual::{Mutuals, OneSided, Reciprocity, mutuals, run_reciprocity};
pub use mutual_changes::{MutualChange, MutualChanges, Party, mutual_changes};
pub use observation::{Accounts, Observation, RunObservations, Side};
pub use overlap::{
    By, CONFIDENCE, Cell, Cells, Chance, Estimate, Estimates, MAX_CELL_LISTS, Overlap, Pair,
    Strongest, Work, chances, holm, ln_tail, overlap, overlap_each, overlap_estimated,
    overlap_strongest,
};
pub use question::{Partition, Question, Slice, ask, each};
pub use reach::{Reach, Step, reach};
pub use retention::{Retention, RetentionCurves};
pub use verdict::{Fate, Losses, Standing, Verdict, losses, verdicts};
