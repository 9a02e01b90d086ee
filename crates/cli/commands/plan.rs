//! `followgraph plan`
use crate::args::{self, Args};
use crate::exit::Exit;
use anyhow::Result;
pub(crate) fn run(_: &Args, _: &args::Plan) -> Result<Exit> {
    Ok(Exit::Done)
}
