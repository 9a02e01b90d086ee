//! What a whole run is asked as one graph.

use clap::{Args as Group, ValueEnum};

use super::{EdgeFiles, Output};

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph graph                                      the run in a dozen numbers
  followgraph graph --metrics pagerank,communities       who matters, and who belongs together
  followgraph graph --metrics all --format parquet --output accounts.parquet
  followgraph graph --degrees --format csv               how many accounts have how many followers
  followgraph graph --run 2026-11-23 --format json
  followgraph graph --from edges.parquet --columns src,dst --metrics cores

The graph holds what the run has read and nothing else: where lists are missing or cut short,
degrees, cores and triangles are lower bounds, and ranks and communities may err either way.")]
pub(crate) struct Graph {
    /// One row per account, with these metrics of it
    #[arg(long, value_name = "METRIC,...", value_delimiter = ',')]
    pub(crate) metrics: Vec<MetricName>,

    /// How many accounts have how many follows and followers
    #[arg(long, conflicts_with = "metrics")]
    pub(crate) degrees: bool,

    /// For communities: more makes smaller ones
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0, requires = "metrics")]
    pub(crate) resolution: f64,

    /// For communities: another seed may find others as good
    #[arg(long, value_name = "N", default_value_t = 1, requires = "metrics")]
    pub(crate) seed: u64,

    /// The run
    #[arg(long, value_name = "RUN", default_value = "latest")]
    pub(crate) run: String,

    #[command(flatten)]
    pub(crate) from: EdgeFiles,

    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MetricName {
    /// All of them
    All,
    /// Share of a random walk along follows, damping 0.85
    Pagerank,
    /// How deep an account sits: its k-core
    Cores,
    /// Neighbors that are neighbors, and local clustering
    Triangles,
    /// Who belongs together, by Leiden
    Communities,
    /// Who is connected, weakly and strongly
    Components,
}

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph suggest @alice                          whom her followers follow most
  followgraph suggest @alice --by lift --at-least 20  whom they follow more than others do
  followgraph suggest @alice @bob --format csv --output suggestions.csv

Who follows whom is known from lists of whom the followers follow, or of the followers of other
accounts. What the run has not read is not counted.")]
pub(crate) struct Suggest {
    /// Accounts as @name or id, whose followers are the audience
    #[arg(value_name = "ACCOUNT", required = true)]
    pub(crate) accounts: Vec<String>,

    /// What comes first
    #[arg(long, value_name = "ORDER", default_value = "shared")]
    pub(crate) by: SuggestBy,

    /// Leave out whom fewer of the audience follow
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) at_least: u64,

    /// The run
    #[arg(long, value_name = "RUN", default_value = "latest")]
    pub(crate) run: String,

    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SuggestBy {
    /// How many of the audience follow it
    Shared,
    /// How much more the audience follows it than everybody else does
    Lift,
    /// `PageRank` as seen from the audience
    Score,
}
