//! The command line as typed. Defaults, environment and files come in `settings`.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};

mod export;
mod graph;
mod history;
mod overlap;
mod questions;
mod report;
mod times;

pub(crate) use export::{Export, ExportName};
pub(crate) use graph::{Graph, MetricName, Suggest, SuggestBy};
pub(crate) use history::{Explain, History, Retention};
pub(crate) use overlap::Overlap;
pub(crate) use questions::{Diff, EdgeFiles, Flows, ListName, Mutuals, Output, Pair};
pub(crate) use report::{Report, ReportForm};
pub(crate) use times::{Fingerprint, Growth, Lists};

/// Snapshots of who follows whom, and exact answers about what changed.
#[derive(Debug, Parser)]
#[command(
    name = "followgraph",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    before_help = "Examples:
  followgraph demo                                 the whole job, without credentials
  followgraph snapshot @alice 123 --list followers take a snapshot
  followgraph diff @alice                          who is new, who left
  followgraph classify @alice                      who of them unfollowed, who is suspended
  followgraph mutuals @alice                       who follows back
  followgraph overlap @alice @bob @carol           whose audiences overlap
  followgraph report --output report.html          all of it, as a page for others
  followgraph export --to gexf --output graph.gexf who of the accounts follows whom, for Gephi
  followgraph suggest @alice                       whom else her followers follow
  followgraph growth @alice                        when her followers came
  followgraph import ids.txt --account 123         use lists you already have"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// The folder that holds the snapshots [default: followgraph-store]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,

    /// Worker threads [default: one per core]
    #[arg(long, global = true, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Memory that questions may take, as 512MiB or 8GiB [default: half of the machine's]
    #[arg(long, global = true, value_name = "SIZE")]
    pub(crate) memory: Option<String>,

    /// Print results only, no progress and no remarks
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Network(Network),
    #[command(flatten)]
    Local(Local),
}

/// Commands that read from a network, and so have more settings than others.
#[derive(Debug, Subcommand)]
pub(crate) enum Network {
    /// Read follower and following lists and publish them as one run
    #[command(display_order = 2)]
    Snapshot(Snapshot),
    /// Tell what a snapshot would take: requests, rate windows, time, dollars
    #[command(display_order = 3)]
    Plan(Plan),
    /// Tell what became of lost members: unfollowed, suspended, deactivated
    #[command(display_order = 5)]
    Classify(Classify),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Local {
    /// Run the whole job against a built-in simulator, without credentials
    #[command(display_order = 1)]
    Demo(Demo),
    /// Show unfinished snapshots: how far they are, what they cost, when they can go on
    #[command(display_order = 4)]
    Status(Status),
    /// Turn id lists, tables, edge lists and exports of other tools into runs
    Import(Import),
    /// List the runs of a store
    Runs(Runs),
    /// Show who is new and who left between two runs
    Diff(Diff),
    /// Show how lists grew over all runs, and every gain, loss and return
    History(History),
    /// Show everything that was observed of a member, and what follows from it
    Explain(Explain),
    /// Show how long followers stay
    Retention(Retention),
    /// Show who follows back
    Mutuals(Mutuals),
    /// Compare the audiences of several accounts
    Overlap(Overlap),
    /// Show who left one account and came to another
    Flows(Flows),
    /// Write everything that two runs tell as a page to send to somebody
    Report(Report),
    /// Take a run as one follow graph: a summary, or metrics of every account
    Graph(Graph),
    /// Write a graph, or a history, for Gephi, networkx, Graphviz and others
    Export(Export),
    /// Show whom else the followers of an account follow
    Suggest(Suggest),
    /// Show when the members of a list followed, as its order and their ids tell
    Growth(Growth),
    /// Show what stands out in an audience: accounts made together, in order, follows in bursts
    Fingerprint(Fingerprint),
    /// Check checksums, order and counts of runs
    Verify(Verify),
    /// Serve a simulated network that speaks the X API on this machine
    Simulate(Simulate),
    /// Show every setting and where it comes from
    Config(Config),
    /// Print a completion script for a shell
    Completions(Completions),
}

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph demo
  followgraph demo --store my-store --seed 7")]
pub(crate) struct Demo {
    /// Another seed makes another network
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  export FOLLOWGRAPH_BEARER_TOKEN=...       an app bearer token
  followgraph snapshot @alice 123 --list followers --list following
  followgraph snapshot @alice --mode auto   the newest followers; everybody once a month
  followgraph snapshot - < accounts.txt     accounts from standard input
  followgraph snapshot job.toml             what a batch job has due
  followgraph snapshot job.toml --every 1h  the same again every hour, until stopped
  followgraph snapshot @alice --max-cost-usd 5

A snapshot that is stopped, by whatever, is gone on with by the same command.")]
pub(crate) struct Snapshot {
    #[command(flatten)]
    pub(crate) what: What,

    /// Do this again, every so often: `6h`, `1d`
    #[arg(long, value_name = "DURATION")]
    pub(crate) every: Option<String>,

    /// Throw away what an unfinished snapshot of the same has read, and begin anew
    #[arg(long)]
    pub(crate) restart: bool,

    /// Ask for nothing more: publish what an unfinished snapshot has read, as cut short
    #[arg(long, conflicts_with_all = ["restart", "every"])]
    pub(crate) finish: bool,
}

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph plan @alice @bob              pages, windows, dollars, earliest finish
  followgraph plan @alice @bob --ask        look up how long the lists are, if need be
  followgraph plan job.toml --format json")]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) what: What,

    /// Look up accounts that the store does not know; the X API v2 bills each of them
    #[arg(long)]
    pub(crate) ask: bool,

    /// The form of the result
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: Form,
}

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph status                        unfinished snapshots: how far, what cost, when next
  followgraph status --format json")]
pub(crate) struct Status {
    /// The form of the result
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: Form,
}

/// How something is shown that has parts, and is no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people
    Table,
    /// One document with a `schema_version`
    Json,
}

/// What to read, and how.
#[derive(Debug, Group)]
pub(crate) struct What {
    /// Accounts as @name or id, `-` for standard input, or one job file ending in .toml
    #[arg(required = true, value_name = "ACCOUNT|JOB.toml")]
    pub(crate) accounts: Vec<String>,

    /// Which lists to read; may be given twice [default: followers]
    #[arg(long, value_name = "LIST")]
    pub(crate) list: Vec<ListName>,

    /// How much of them [default: complete]
    #[arg(long, value_name = "MODE")]
    pub(crate) mode: Option<ModeName>,

    /// The oldest that a complete snapshot may become in `--mode auto` [default: 30 days]
    #[arg(long, value_name = "DURATION")]
    pub(crate) complete_every: Option<String>,

    /// Keep the members' profiles, too; the X API v2 bills them anyway
    #[arg(long, visible_alias = "user-fields")]
    pub(crate) profiles: bool,

    #[command(flatten)]
    pub(crate) asking: Asking,

    /// Ids asked for per page [default: the API's largest]
    #[arg(long, value_name = "N")]
    pub(crate) page_size: Option<u32>,

    /// Lists read at the same time [default: 8]
    #[arg(long, value_name = "N")]
    pub(crate) concurrency: Option<NonZeroUsize>,
}

/// Whom to ask, as whom, and for how much.
#[derive(Debug, Group)]
pub(crate) struct Asking {
    /// Which API to speak [default: `x_v2`]
    #[arg(long, value_name = "SOURCE")]
    pub(crate) source: Option<SourceName>,

    /// The API's address, for a proxy or `followgraph simulate` [default: X's own]
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// A file of mode 0600 that holds the app bearer token, instead of the variable
    /// `FOLLOWGRAPH_BEARER_TOKEN`
    #[arg(long, value_name = "FILE", conflicts_with = "credentials")]
    pub(crate) token_file: Option<PathBuf>,

    /// A file of mode 0600 that holds one or more credentials, as TOML
    #[arg(long, value_name = "FILE")]
    pub(crate) credentials: Option<PathBuf>,

    /// Stop before more than this is spent
    #[arg(long, value_name = "DOLLARS")]
    pub(crate) max_cost_usd: Option<f64>,

    /// Stop after so many requests
    #[arg(long, value_name = "N")]
    pub(crate) max_requests: Option<u64>,

    /// Stop after so long: `50min`, `6h`
    #[arg(long, value_name = "DURATION")]
    pub(crate) max_time: Option<String>,

    /// The shortest wait before a failed request is repeated; it doubles from there
    /// [default: 1s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) retry_delay: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeName {
    /// The whole list
    Complete,
    /// The newest members, down to those that the last complete snapshot holds
    Head,
    /// The head, and everything when the last complete snapshot is too old
    Auto,
}

#[derive(Debug, Group)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(before_help = "Examples:
  followgraph import followers.txt --account 123              one id a line
  followgraph import lists.csv --account-column user --member-column follower_id
  followgraph import daily.csv.zst --account 123 --member-column id --time-column day
  followgraph import graph.txt.gz --edges                     `u v` a line: u follows v
  followgraph import twitter-2026-11-01.zip                   X's own data archive
  followgraph import followers.jsonl                          `twarc2 followers`, as it is
  followgraph import twitter-Followers-1700000000000.json --account 123
  zcat ids.gz | followgraph import - --account 123")]
pub(crate) struct Import {
    /// Files to read, plain, gzip or zstd; `-` is standard input. What X's data archive (the
    /// zip, follower.js, following.js), twarc, minet and twitter-web-exporter have written is
    /// known by its content
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,

    /// Whose list it is, if the file does not say
    #[arg(long, value_name = "ID", conflicts_with_all = ["account_column", "edges"])]
    pub(crate) account: Option<String>,

    /// The column of a table that says whose list it is
    #[arg(long, value_name = "NAME")]
    pub(crate) account_column: Option<String>,

    /// The column of a table that holds the members; makes the file a table
    #[arg(long, value_name = "NAME", conflicts_with = "edges")]
    pub(crate) member_column: Option<String>,

    /// The column of a table that holds the time; each time becomes a run of its own
    #[arg(long, value_name = "NAME", requires = "member_column")]
    pub(crate) time_column: Option<String>,

    /// Read `u v` lines (SNAP, KONECT): u follows v
    #[arg(long, conflicts_with = "list")]
    pub(crate) edges: bool,

    /// What has made the files [default: their content tells]
    #[arg(long = "as", value_name = "FORMAT", conflicts_with_all = ["member_column", "edges"])]
    pub(crate) format: Option<MakerName>,

    /// Which list the members are in [default: what the file says, or else followers]
    #[arg(long, value_name = "LIST")]
    pub(crate) list: Option<ListName>,

    /// What separates the columns of a table [default: the header tells: tab, `;` or `,`], or
    /// the two ends of an edge [default: white space]
    #[arg(long, value_name = "CHAR")]
    pub(crate) delimiter: Option<char>,

    /// When the lists were taken: 2026-11-23, 2026-11-23T07:28:00Z or Unix seconds
    /// [default: what the file says, or else now]
    #[arg(long, value_name = "TIME", conflicts_with = "time_column", value_parser = ingest::import::time)]
    pub(crate) time: Option<jiff::Timestamp>,

    /// The lists are known to be incomplete: nobody is ever reported lost because of them
    #[arg(long)]
    pub(crate) partial: bool,

    /// The lists are known to be whole, though their format cannot say so
    #[arg(long, conflicts_with = "partial")]
    pub(crate) complete: bool,

    /// The lists are in the API's order, newest follow first
    #[arg(long)]
    pub(crate) newest_first: bool,

    /// Accept a list without any id
    #[arg(long)]
    pub(crate) allow_empty: bool,
}

/// What has made a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MakerName {
    /// One id a line
    Ids,
    /// X's data archive
    XArchive,
    /// `twarc2 followers` and `following`
    Twarc2,
    /// `twarc users`
    Users,
    /// `minet twitter followers` and `friends`
    Minet,
    /// twitter-web-exporter
    WebExporter,
}

impl From<MakerName> for ingest::import::Format {
    fn from(name: MakerName) -> Self {
        match name {
            MakerName::Ids => Self::Ids,
            MakerName::XArchive => Self::XArchive,
            MakerName::Twarc2 => Self::Twarc2,
            MakerName::Users => Self::Users,
            MakerName::Minet => Self::Minet,
            MakerName::WebExporter => Self::WebExporter,
        }
    }
}

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph runs
  followgraph runs --accounts --run latest
  followgraph runs --format csv")]
pub(crate) struct Runs {
    /// List the accounts and lists of one run instead
    #[arg(long)]
    pub(crate) accounts: bool,

    /// Count them by list, state and coverage
    #[arg(long, requires = "accounts")]
    pub(crate) summary: bool,

    /// The run for --accounts
    #[arg(long, value_name = "RUN", default_value = "latest", requires = "accounts")]
    pub(crate) run: String,

    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph classify                      what became of whom the last two runs lost
  followgraph classify @alice --max-cost-usd 5
  followgraph classify --offline            from the look-ups that are there, without a request
  followgraph classify --format csv --output fates.csv

An account may be locked for a day, so a first look-up is provisional. The same command, a day
later, looks up again what is due, and is final where both agree. One that is stopped is gone
on with by the same command, and nobody is looked up twice.")]
pub(crate) struct Classify {
    #[command(flatten)]
    pub(crate) pair: Pair,

    /// How far apart two look-ups must be to settle what became of a member
    #[arg(long, value_name = "DURATION", default_value = "24h")]
    pub(crate) recheck: String,

    /// Ask the network for nothing: tell what the store knows
    #[arg(long)]
    pub(crate) offline: bool,

    #[command(flatten)]
    pub(crate) asking: Asking,

    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph verify
  followgraph verify latest")]
pub(crate) struct Verify {
    /// Runs to check [default: all]
    #[arg(value_name = "RUN")]
    pub(crate) runs: Vec<String>,
}

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph simulate
  followgraph simulate --port 8080 --users 100000 --window 60")]
pub(crate) struct Simulate {
    /// Another seed makes another network
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// How many users there are
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub(crate) users: usize,

    /// How many of them have large audiences
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub(crate) watched: usize,

    /// The port on 127.0.0.1; 0 takes any free one
    #[arg(long, default_value_t = 8080)]
    pub(crate) port: u16,

    /// Length of a rate window in seconds; the real one is 900
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    pub(crate) window: u64,

    /// Requests for lists in each window, for each kind of list [default: as documented]
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,
}

impl Simulate {
    pub(crate) fn addr(&self) -> SocketAddr {
        (std::net::Ipv4Addr::LOCALHOST, self.port).into()
    }
}

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph config show")]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Every setting, its value and its origin; never a secret
    Show,
}

#[derive(Debug, Group)]
#[command(before_help = "Examples:
  followgraph completions bash > ~/.local/share/bash-completion/completions/followgraph")]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SourceName {
    /// X API v2
    #[value(name = "x_v2")]
    XV2,
    /// X API v1.1, for those who still have access to it
    #[value(name = "x_v1")]
    XV1,
}

impl SourceName {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::XV2 => "x_v2",
            Self::XV1 => "x_v1",
        }
    }
}
