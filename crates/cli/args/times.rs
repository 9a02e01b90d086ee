//! Questions about when members followed.

use clap::{Args as Group, ValueEnum};

use super::{ListName, Output};

/// Lists of a run, of accounts that are named.
#[derive(Debug, Group)]
pub(crate) struct Lists {
    /// Accounts as @name or id
    #[arg(value_name = "ACCOUNT", required = true)]
    pub(crate) accounts: Vec<String>,

    /// The run
    #[arg(long, value_name = "RUN", default_value = "latest")]
    pub(crate) run: String,

    /// Which list
    #[arg(long, value_name = "LIST", default_value = "followers")]
    pub(crate) list: ListName,
}

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph growth @alice                  when today's followers came
  followgraph growth @alice --by week
  followgraph growth @alice --by day --format csv --output days.csv
  followgraph growth @alice --members --format parquet --output times.parquet

Nobody states when somebody followed. The order of the list and the ages of accounts bound it,
and so do the cursors of a crawl; who has left since is in no list, and so not counted.")]
pub(crate) struct Growth {
    #[command(flatten)]
    pub(crate) lists: Lists,

    /// What to count by, in UTC [default: the shortest that makes at most 40 rows]
    #[arg(long, value_name = "PERIOD")]
    pub(crate) by: Option<PeriodName>,

    /// One row per member instead, with the bounds of its follow time
    #[arg(long, conflicts_with = "by")]
    pub(crate) members: bool,

    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph fingerprint @alice             position against account age, and what stands out
  followgraph fingerprint @alice --format json
  followgraph fingerprint @alice --members --format csv --output members.csv
  followgraph fingerprint @alice --grid --format csv --output plot.csv

What stands out are facts about dates. What they are due to, they do not tell: a television show
and a purchase may look alike.")]
pub(crate) struct Fingerprint {
    #[command(flatten)]
    pub(crate) lists: Lists,

    /// One row per member of the blocks instead
    #[arg(long)]
    pub(crate) members: bool,

    /// One row per cell of the plot instead
    #[arg(long, conflicts_with = "members")]
    pub(crate) grid: bool,

    /// One row per year of account age instead
    #[arg(long, conflicts_with_all = ["members", "grid"])]
    pub(crate) ages: bool,

    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PeriodName {
    /// From midnight to midnight
    Day,
    /// From Monday to Monday
    Week,
    /// Calendar months
    Month,
    /// Calendar years
    Year,
}

impl From<PeriodName> for analysis::when::Period {
    fn from(name: PeriodName) -> Self {
        match name {
            PeriodName::Day => Self::Day,
            PeriodName::Week => Self::Week,
            PeriodName::Month => Self::Month,
            PeriodName::Year => Self::Year,
        }
    }
}
