//! `followgraph graph`: a run as one follow graph, in a dozen numbers.

use analysis::graph::{Extreme, Summary};
use analysis::{Frame, run_summary};
use anyhow::Result;
use snapshot::Store;

use crate::args;
use crate::exit::Exit;
use crate::names::Names;
use crate::output::{self, Align, grouped, percent};
use crate::settings::Settings;

pub(crate) fn run(settings: &Settings, command: &args::Graph) -> Result<Exit> {
    let run = Store::open(&settings.store.value)?.find(&command.run)?;
    let summary = run_summary(&run)?;
    let names = Names::of([&run])?;
    let screen = || Ok(format!("run {}\n\n{}", run.id(), screen(&summary, &names)));
    output::deliver(&command.output, screen, || Ok(Frame::from(&summary)))?;
    Ok(Exit::Done)
}

fn screen(summary: &Summary, names: &Names) -> String {
    let extreme = |extreme: Option<Extreme>| match extreme {
        Some(e) => format!("{} ({})", grouped(e.degree), names.label(e.account)),
        None => "-".to_owned(),
    };
    let component = |count: u64, largest: u64| {
        format!("{}, the largest has {} accounts", grouped(count), grouped(largest))
    };
    let rows = [
        ("accounts", grouped(summary.nodes)),
        ("edges", grouped(summary.edges)),
        ("self-loops", grouped(summary.self_loops)),
        ("mutual pairs", grouped(summary.mutual_pairs)),
        ("reciprocity, self-loops left out", percent(summary.reciprocity)),
        (
            "reciprocity among edges whose opposite was looked for",
            percent(summary.reciprocity_of_known),
        ),
        ("edges whose opposite was not looked for", grouped(summary.unknown)),
        ("most followed", extreme(summary.max_in)),
        ("follows most", extreme(summary.max_out)),
        ("strong components", component(summary.strong_components, summary.largest_strong)),
        ("weak components", component(summary.weak_components, summary.largest_weak)),
    ];
    let headings = [("measure", Align::Left), ("value", Align::Left)];
    output::table(&headings, rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]))
}
