//! `followgraph status`
use anyhow::Result;
use crate::args;
use crate::exit::Exit;
use crate::settings::Settings;
pub(crate) fn run(_: &Settings, _: &args::Status) -> Result<Exit> { Ok(Exit::Done) }
