//! What questions are asked with: of which runs and accounts, and where answers go.

use std::path::PathBuf;

use clap::{Args as Group, ValueEnum};

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
  followgraph diff --exit-code --quiet              10 if anything changed")]
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

    /// One row for the whole run as a graph: edges, mutual pairs, reciprocity
    #[arg(long, conflicts_with_all = ["accounts", "summary"])]
    pub(crate) reciprocity: bool,

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
