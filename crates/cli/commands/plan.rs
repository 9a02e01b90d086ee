//! `followgraph plan`
use anyhow::Result;
use crate::args::{self, Args};
use crate::exit::Exit;
pub(crate) fn run(_: &Args, _: &args::Plan) -> Result<Exit> { Ok(Exit::Done) }
