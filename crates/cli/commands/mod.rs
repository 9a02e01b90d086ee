//! One module per command; each turns settings and its own arguments into calls of the
//! libraries, and their answers into output.

mod completions;
mod config;
mod demo;
mod diff;
mod graph;
mod import;
mod mutuals;
mod overlap;
mod runs;
mod simulate;
mod snapshot;
mod verify;

use anyhow::{Context as _, Result};

use crate::args::{Args, Command};
use crate::exit::Exit;
use crate::settings::{Said, Settings};

/// Runs the command that was typed.
pub(crate) fn run(args: &Args) -> Result<Exit> {
    // A job file has a say in the settings, so this command resolves them itself.
    if let Command::Snapshot(command) = &args.command {
        return snapshot::run(args, command);
    }
    let settings = Settings::resolve(args, Said::default(), None)?;
    analysis::set_threads(settings.threads.value)?;
    match &args.command {
        Command::Demo(command) => demo::run(&settings, command),
        Command::Snapshot(command) => snapshot::run(args, command),
        Command::Import(command) => import::run(&settings, command),
        Command::Runs(command) => runs::run(&settings, command),
        Command::Diff(command) => diff::run(&settings, command),
        Command::Mutuals(command) => mutuals::run(&settings, command),
        Command::Overlap(command) => overlap::run(&settings, command),
        Command::Graph(command) => graph::run(&settings, command),
        Command::Verify(command) => verify::run(&settings, command),
        Command::Simulate(command) => simulate::run(command),
        Command::Config(command) => config::run(&settings, command),
        Command::Completions(command) => completions::run(command),
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
