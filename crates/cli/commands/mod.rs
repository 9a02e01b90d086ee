//! One module per command; each turns settings and its own arguments into calls of the
//! libraries, and their answers into output.

mod classify;
mod completions;
mod config;
mod demo;
mod diff;
mod explain;
mod export;
mod fingerprint;
mod flows;
mod graph;
mod growth;
mod history;
mod import;
mod mutuals;
mod overlap;
mod plan;
mod reading;
mod report;
mod retention;
mod runs;
mod signals;
mod simulate;
mod snapshot;
mod status;
mod suggest;
mod verify;

use anyhow::{Context as _, Result};

use crate::args::{Args, Command, Local, Network};
use crate::exit::Exit;
use crate::settings::{Said, Settings};

/// Runs the command that was typed.
pub(crate) fn run(args: &Args) -> Result<Exit> {
    let command = match &args.command {
        // A job file has a say in the settings, so these resolve them themselves.
        Command::Network(Network::Snapshot(command)) => return snapshot::run(args, command),
        Command::Network(Network::Plan(command)) => return plan::run(args, command),
        Command::Network(Network::Classify(command)) => return classify::run(args, command),
        Command::Local(command) => command,
    };
    let settings = Settings::resolve(args, Said::default(), None)?;
    settings.limit_questions()?;
    match command {
        Local::Demo(command) => demo::run(&settings, command),
        Local::Status(command) => status::run(&settings, command),
        Local::Import(command) => import::run(&settings, command),
        Local::Runs(command) => runs::run(&settings, command),
        Local::Diff(command) => diff::run(&settings, command),
        Local::History(command) => history::run(&settings, command),
        Local::Explain(command) => explain::run(&settings, command),
        Local::Retention(command) => retention::run(&settings, command),
        Local::Mutuals(command) => mutuals::run(&settings, command),
        Local::Overlap(command) => overlap::run(&settings, command),
        Local::Flows(command) => flows::run(&settings, command),
        Local::Report(command) => report::run(&settings, command),
        Local::Graph(command) => graph::run(&settings, command),
        Local::Export(command) => export::run(&settings, command),
        Local::Suggest(command) => suggest::run(&settings, command),
        Local::Growth(command) => growth::run(&settings, command),
        Local::Fingerprint(command) => fingerprint::run(&settings, command),
        Local::Verify(command) => verify::run(&settings, command),
        Local::Simulate(command) => simulate::run(command),
        Local::Config(command) => config::run(&settings, command),
        Local::Completions(command) => completions::run(command),
    }
}

/// A runtime for the commands that talk over the network.
fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the network threads")
}
