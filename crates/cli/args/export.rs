//! What is written for other programs.

use std::path::PathBuf;

use clap::{Args as Group, ValueEnum};

use super::ListName;

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph export --to gexf --output graph.gexf          for Gephi: who of the accounts follows whom
  followgraph export --to gexf --history --output all.gexf  the same over all runs, with a timeline
  followgraph export --to graphml --members --output graph.graphml   everybody in their lists, too
  followgraph export @alice @bob @carol --to dot | dot -Tsvg > graph.svg
  followgraph export --to edges --members --output edges.csv
  followgraph export --to events --members --output events.parquet   for temporal graph engines

An edge goes from who follows to who is followed. The graph holds what was read and nothing else: an
edge that is missing was looked for only where a list was read to its end.")]
pub(crate) struct Export {
    /// Accounts as @name or id [default: every account of the run, or of the history]
    #[arg(value_name = "ACCOUNT")]
    pub(crate) accounts: Vec<String>,

    /// The form of the result
    #[arg(long, value_name = "FORM")]
    pub(crate) to: ExportName,

    /// Everybody in the accounts' lists and every edge that these show, not only those among the
    /// accounts
    #[arg(long)]
    pub(crate) members: bool,

    /// For GEXF: over all runs, each edge with the times at which it was there
    #[arg(long, conflicts_with = "run")]
    pub(crate) history: bool,

    /// The lists that show edges; may be given twice
    /// [default: both; of a history and of events, followers]
    #[arg(long, value_name = "LIST")]
    pub(crate) list: Vec<ListName>,

    /// The run [default: latest]
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,

    /// Write the result to a file, which appears whole or not at all; `-` is standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportName {
    /// For Gephi, version 1.3
    Gexf,
    /// For networkx, igraph, Cytoscape and yEd
    Graphml,
    /// For Graphviz, up to 5,000 edges
    Dot,
    /// A table of edges: Parquet if the file's name ends in .parquet, else CSV
    Edges,
    /// A table of edges that began (+1) and ended (-1) over all runs, in the same forms
    Events,
}
