//! `followgraph completions`: a completion script for a shell.

use anyhow::Result;
use clap::CommandFactory as _;

use crate::args::{Args, Completions};
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(command: &Completions) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut Args::command(), "followgraph", &mut script);
    output::print(String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
