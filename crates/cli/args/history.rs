//! What is asked of a store with many runs as a whole.

use clap::{Args as Group, ValueEnum};
use jiff::civil::Date;

use super::{ListName, Output};

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph history @alice                        how the list grew, run by run
  followgraph history @alice --by week
  followgraph history --by day --from 2026-10-01 --to 2026-10-31 --format csv
  followgraph history @alice --events --format csv  every gain, loss and return
  followgraph history --spells --format parquet --output spells.parquet

The store keeps the history in a folder of its own, and only runs that are new are read. It can
be deleted; then all runs are read again.")]
pub(crate) struct History {
    /// Accounts as @name or id [default: every account of the store]
    #[arg(value_name = "ACCOUNT")]
    pub(crate) accounts: Vec<String>,

    /// Which list
    #[arg(long, value_name = "LIST", default_value = "followers")]
    pub(crate) list: ListName,

    /// What a row is about
    #[arg(long, value_name = "PERIOD", default_value = "run")]
    pub(crate) by: PeriodName,

    /// Leave out crawls that ended before this day, UTC
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<Date>,

    /// Leave out crawls that ended after this day, UTC
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<Date>,

    /// One row per gain, loss or return, with the moments between which it happened
    #[arg(long, conflicts_with_all = ["by", "spells"])]
    pub(crate) events: bool,

    /// One row per stretch of crawls that saw a member
    #[arg(long, conflicts_with_all = ["by", "from", "to"])]
    pub(crate) spells: bool,

    /// One row per step at which a list lost far more than usual: were the lost spread evenly
    /// over it, and did other lists lose, too?
    #[arg(long, conflicts_with_all = ["by", "events", "spells"])]
    pub(crate) spikes: bool,

    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PeriodName {
    /// One crawl
    Run,
    /// The crawls of one day, UTC
    Day,
    /// The crawls of one week from Monday on, UTC
    Week,
}

impl From<PeriodName> for analysis::history::Period {
    fn from(name: PeriodName) -> Self {
        match name {
            PeriodName::Run => Self::Run,
            PeriodName::Day => Self::Day,
            PeriodName::Week => Self::Week,
        }
    }
}

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph explain 123                      every list that ever had 123, and why we think so
  followgraph explain 123 --account @alice
  followgraph explain 123 --format csv")]
pub(crate) struct Explain {
    /// The member's id, or @name of one that is crawled itself
    #[arg(value_name = "MEMBER")]
    pub(crate) member: String,

    /// The account whose list is asked for, as @name or id [default: all that ever had the member]
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Option<String>,

    /// Which list
    #[arg(long, value_name = "LIST", default_value = "followers")]
    pub(crate) list: ListName,

    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph retention @alice                       how many stay a week, a month, a year
  followgraph retention @alice --cohorts             the same by the month in which they came
  followgraph retention --format csv --output curves.csv
  followgraph retention --short-stays 5              who followed and was gone within five days

A stay begins and ends between two crawls, so shares are estimates, with bands that hold the truth
19 times in 20.")]
pub(crate) struct Retention {
    /// Accounts as @name or id [default: every account of the store]
    #[arg(value_name = "ACCOUNT")]
    pub(crate) accounts: Vec<String>,

    /// Which list
    #[arg(long, value_name = "LIST", default_value = "followers")]
    pub(crate) list: ListName,

    /// Show each month's followers by themselves; files have them in any case
    #[arg(long)]
    pub(crate) cohorts: bool,

    /// Instead, one row per follower who was gone within so many days
    #[arg(long, value_name = "DAYS", conflicts_with_all = ["cohorts", "list"])]
    pub(crate) short_stays: Option<u32>,

    #[command(flatten)]
    pub(crate) output: Output,
}
