//! What questions are asked with: of which runs and accounts, and where answers go.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args as Group, ValueEnum};

use crate::exit::Usage;

/// Two runs to compare, and what of them.
#[derive(Debug, Group)]
pub(crate) struct Pair {
    /// Accounts as @name or id [default: every account of both runs]
    #[arg(value_name = "ACCOUNT")]
    pub(crate) accounts: Vec<String>,

    /// The earlier run: an id, the beginning of one, a date, `previous`, `latest`
    /// [default: the one before the later run]
    #[arg(long, value_name = "RUN")]
    pub(crate) before: Option<String>,

    /// The later run
    #[arg(long, value_name = "RUN", default_value = "latest")]
    pub(crate) after: String,

    /// Which list
    #[arg(long, value_name = "LIST", default_value = "followers")]
    pub(crate) list: ListName,
}

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph diff                                  all accounts, the last two runs
  followgraph diff @alice --before 2026-11-01       against the last run of that day
  followgraph diff 123 --format csv --output changes.csv
  followgraph diff --before old.parquet --after new.parquet   files of other tools
  followgraph diff --exit-code --quiet              10 if anything changed

Where lists are in the API's order, a diff tells who is new and who returned. That takes 16 bytes
of memory a member; where it is more than --memory allows, a diff is one of sets.")]
pub(crate) struct Diff {
    #[command(flatten)]
    pub(crate) pair: Pair,

    /// One row per account instead of one per change
    #[arg(long)]
    pub(crate) summary: bool,

    /// Where --before and --after name Parquet files: the column that holds the ids
    /// [default: `member_id`, `id`, or the only one]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) id_column: Option<String>,

    /// Exit with 10 if anything was gained or lost
    #[arg(long)]
    pub(crate) exit_code: bool,

    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph mutuals @alice             mutual, only followers, only following
  followgraph mutuals                    every account of the run that has both lists
  followgraph mutuals --reciprocity --format json
  followgraph mutuals @alice --since 2026-11-01   who followed back since, who broke it, who first
  followgraph mutuals --edges            every two accounts that follow each other
  followgraph mutuals --edges --from edges.parquet --columns src,dst
  followgraph mutuals --format parquet --output mutuals.parquet")]
pub(crate) struct Mutuals {
    /// Accounts as @name or id [default: every account that has both lists]
    #[arg(value_name = "ACCOUNT")]
    pub(crate) accounts: Vec<String>,

    /// The run
    #[arg(long, value_name = "RUN", default_value = "latest")]
    pub(crate) run: String,

    /// One row per account instead of one per member
    #[arg(long)]
    pub(crate) summary: bool,

    /// What changed since this earlier run: pairs that became mutual, and pairs that broke
    #[arg(long, value_name = "RUN", conflicts_with_all = ["reciprocity", "edges"])]
    pub(crate) since: Option<String>,

    /// One row for the whole run as a graph: edges, mutual pairs, reciprocity
    #[arg(long, conflicts_with_all = ["accounts", "summary"])]
    pub(crate) reciprocity: bool,

    /// One row for every two accounts of the whole run that follow each other
    #[arg(long, conflicts_with_all = ["accounts", "summary", "reciprocity"])]
    pub(crate) edges: bool,

    #[command(flatten)]
    pub(crate) from: EdgeFiles,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// Edges that are not in a store.
#[derive(Debug, Group)]
pub(crate) struct EdgeFiles {
    /// Parquet files of edges from elsewhere, in place of a run
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "run")]
    pub(crate) from: Vec<PathBuf>,

    /// The columns of these files that hold who follows and who is followed
    #[arg(long, value_name = "FROM,TO", default_value = "src,dst", requires = "from")]
    pub(crate) columns: String,
}

impl EdgeFiles {
    /// The columns, one after the other.
    pub(crate) fn columns(&self) -> Result<[&str; 2]> {
        let two = self.columns.split_once(',').filter(|(_, to)| !to.contains(','));
        let (from, to) = two.ok_or_else(|| {
            Usage::new(format!("--columns: `{}` does not name two columns", self.columns))
                .hint("write who follows first and who is followed then, as src,dst")
        })?;
        Ok([from.trim(), to.trim()])
    }
}

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph flows                           who left one account and came to another
  followgraph flows @alice @bob @carol --before 2026-11-01
  followgraph flows --members --format csv    every member of every flow")]
pub(crate) struct Flows {
    #[command(flatten)]
    pub(crate) pair: Pair,

    /// One row per member that flowed instead of one per two accounts
    #[arg(long)]
    pub(crate) members: bool,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// Where results go, and in which form.
#[derive(Debug, Group)]
pub(crate) struct Output {
    /// The form of the result
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: FormatName,

    /// Write the result to a file, which appears whole or not at all; `-` is standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatName {
    /// For people
    Table,
    /// One document with a `schema_version`
    Json,
    /// One document per row
    Jsonl,
    /// Ids are quoted strings
    Csv,
    /// For notebooks; not for terminals
    Parquet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListName {
    /// Who follows the account
    Followers,
    /// Whom the account follows
    Following,
}

impl From<ListName> for snapshot::List {
    fn from(name: ListName) -> Self {
        match name {
            ListName::Followers => Self::Followers,
            ListName::Following => Self::Following,
        }
    }
}

impl FormatName {
    /// The format of a file; none for what is drawn for people.
    pub(crate) const fn of_file(self) -> Option<analysis::Format> {
        match self {
            Self::Table => None,
            Self::Json => Some(analysis::Format::Json),
            Self::Jsonl => Some(analysis::Format::Jsonl),
            Self::Csv => Some(analysis::Format::Csv),
            Self::Parquet => Some(analysis::Format::Parquet),
        }
    }
}
