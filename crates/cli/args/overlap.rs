//! What `followgraph overlap` is asked with.

use std::num::NonZeroUsize;

use clap::{Args as Group, ValueEnum};

use super::{ListName, Output};

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph overlap @alice @bob @carol
  followgraph overlap --list following                   every account of the run
  followgraph overlap @alice @bob --cells                members of exactly these lists
  followgraph overlap --top 100 --by coefficient         only the strongest pairs
  followgraph overlap --top 100 --approximate            tens of thousands of accounts
  followgraph overlap @alice @bob --since 2026-06-01     how it went from run to run
  followgraph overlap --format csv --output pairs.csv")]
pub(crate) struct Overlap {
    /// Accounts as @name or id [default: every account of the run]
    #[arg(value_name = "ACCOUNT")]
    pub(crate) accounts: Vec<String>,

    /// The run
    #[arg(long, value_name = "RUN", default_value = "latest")]
    pub(crate) run: String,

    /// Which list
    #[arg(long, value_name = "LIST", default_value = "followers")]
    pub(crate) list: ListName,

    /// Count the members of exactly each set of accounts, for up to 20 accounts
    #[arg(long, conflicts_with_all = ["top", "approximate"])]
    pub(crate) cells: bool,

    /// Only so many pairs, the strongest first
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<NonZeroUsize>,

    /// What makes a pair strong
    #[arg(long, value_name = "MEASURE", default_value = "jaccard")]
    pub(crate) by: Measure,

    /// Estimate from a sample of 4,096 members of each list; every estimate has bounds
    #[arg(long)]
    pub(crate) approximate: bool,

    /// All runs from this one on, and how each pair changed
    #[arg(long, value_name = "RUN", conflicts_with_all = ["cells", "top", "approximate"])]
    pub(crate) since: Option<String>,

    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measure {
    /// Members of both among members of either
    Jaccard,
    /// Members of both
    Intersection,
    /// Members of both among those of the smaller list
    Coefficient,
}

impl From<Measure> for analysis::By {
    fn from(measure: Measure) -> Self {
        match measure {
            Measure::Jaccard => Self::Jaccard,
            Measure::Intersection => Self::Intersection,
            Measure::Coefficient => Self::Coefficient,
        }
    }
}
