//! What the program promises, one module per behaviour; this file is the contents page.
//!
//! Everything here goes through the real binary or the public libraries. The oracles are
//! naive sets, published facts, or the simulator's own truth, and share no code with what
//! they check.

mod util;

/// Every bad input has a clear message, and nothing half-published appears.
mod bad_input;
/// What became of lost members is what the network knows, and nobody is looked up twice.
mod classify;
/// A kill at any moment of publishing leaves the whole run or none.
mod crash;
/// Every way to prove who asks, and none of their secrets anywhere.
mod credentials;
/// Files of every format that was ever written are still read.
mod formats;
/// The history of a store says what its runs say, and stays out of everybody's way.
mod history;
/// Job files: what is due, again and again.
mod jobs;
/// The program against its own simulated network, as a person would run both.
mod network;
/// Rate windows and budgets: all of what is allowed, and nothing beyond it.
mod pace;
/// Members' profiles, when they are asked for.
mod profiles;
/// Real lists and graphs come out as others have published them.
mod real_data;
/// Whole sessions at the prompt: commands in; output and exit codes out.
mod sessions;
/// Snapshots that are killed, starved and lied to end in the truth.
mod soak;
/// Rules about the source itself: headers, dependencies, directions.
mod tidy;
/// What ingest stored is what the simulator says is true, for both API generations.
mod truth;
