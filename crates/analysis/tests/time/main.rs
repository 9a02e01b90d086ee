//! What is concluded about time, held against what truly happened in simulated networks.
//!
//! Each test goes over a hundred networks and more, and prints its figures, which stand in
//! `TIME.md`: `cargo test --test time -- --nocapture`.

mod harness;
mod moves;
mod order;
