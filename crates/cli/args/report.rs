//! What a report is asked with.

use std::path::PathBuf;

use clap::{Args as Group, ValueEnum};

use super::Pair;

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph report --output report.html           everything, the last two runs
  followgraph report @alice @bob --before 2026-11-01 --output report.html
  followgraph report --format md --output weekly.md     charts in weekly-charts/
  followgraph report --format json | jq .changes.total")]
pub(crate) struct Report {
    #[command(flatten)]
    pub(crate) pair: Pair,

    /// The form of the report
    #[arg(long, value_name = "FORMAT", default_value = "html")]
    pub(crate) format: ReportForm,

    /// Write it to a file, which appears whole or not at all; `-` is standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportForm {
    /// One page that needs nothing else, with charts
    Html,
    /// Markdown, its charts in a folder beside the file
    Md,
    /// One document with a `schema_version`
    Json,
}
