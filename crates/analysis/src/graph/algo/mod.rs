//! What is asked of a whole follow graph: components, ranks, cores, triangles, communities,
//! and whom else an audience follows.
//!
//! Everything here is exact and in memory, and answers the same, to the last bit, however
//! many threads there are: work is cut where the graph says, never where the threads do, and
//! sums of fractions are added in one order. Questions about cohesion (triangles, cores,
//! communities) are of the graph without directions, which is an [`Undirected`] view: built
//! once, asked as often as one likes.
//!
//! A graph of a crawl holds what was read and nothing else. A list that is not in it makes
//! degrees, triangles and cores lower bounds, may tear components apart, and moves ranks and
//! communities either way; only [`run_summary`](crate::run_summary) counts what is unknown.
//!
//! Leaves out what needs paths between all pairs, such as betweenness.

mod chunks;
mod cores;
mod degrees;
mod grouping;
mod leiden;
mod metrics;
mod rank;
mod reach;
mod rows;
mod strong;
mod suggest;
mod triangles;
mod undirected;
mod weak;

pub use cores::Cores;
pub use degrees::{DegreeOf, Degrees};
pub use grouping::Grouping;
pub use leiden::{Communities, Leiden};
pub use metrics::{Metrics, Wanted};
pub use rank::{PageRank, Ranks};
pub use suggest::{Suggestion, Suggestions};
pub use triangles::Triangles;
pub use undirected::Undirected;
