//! `followgraph`: the command line over the libraries.
//!
//! Arguments become [`settings::Settings`] once; commands see nothing else. Only
//! [`output`] prints, and [`exit`] alone knows the exit codes.

mod args;
mod commands;
mod exit;
mod names;
mod output;
mod progress;
mod settings;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Args;
use crate::exit::Exit;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    let exit = commands::run(&args).unwrap_or_else(|e| {
        let exit = Exit::of(&e);
        if exit != Exit::Done {
            output::error(&e);
        }
        exit
    });
    exit.into()
}
