//! `followgraph plan`: what a snapshot would take, before anything is spent.

use std::fmt::Write as _;

use anyhow::Result;
use ingest::{Ask, Plan, PlannedList, Stop};
use snapshot::Store;

use super::reading::Reading;
use super::runtime;
use crate::args::{self, Args};
use crate::exit::Exit;
use crate::output::{self, Align, counted, dollars, grouped};
use crate::progress::Shown;

pub(crate) fn run(args: &Args, command: &args::Plan) -> Result<Exit> {
    let reading = Reading::new(args, &command.what)?;
    let batch = reading.batch(&reading.groups);
    let ask = if command.ask { Ask::Network } else { Ask::Nobody };
    let sources = if command.ask { reading.connect()? } else { reading.imagine()? };
    // A plan makes no store; without one, nothing is known.
    let nothing = tempfile::tempdir()?;
    let folder = &reading.settings.store.value;
    let store = Store::open(if folder.is_dir() { folder } else { nothing.path() })?;
    let progress = Shown::new(reading.settings.quiet);
    let (stop, quiet) = (Stop::new(), reading.settings.quiet);
    let plan =
        runtime()?.block_on(ingest::plan(&store, &sources, &batch, ask, &stop, &progress))?;
    drop(progress);
    output::show(command.format, &plan, || screen(&plan))?;
    if plan.unknown > 0 && !quiet {
        let lists = counted(plan.unknown, "list");
        let price = batch.prices.look_up(reading.kind, plan.unknown);
        let price = price.map_or(String::new(), |p| format!(", for at most {}", dollars(p)));
        let ask = format!("{lists} of unknown length: --ask looks the accounts up{price}");
        output::remark(if command.ask { format!("{lists} of unknown length") } else { ask });
    }
    Ok(Exit::Done)
}

fn screen(plan: &Plan) -> String {
    let headings = [
        ("account", Align::Left),
        ("list", Align::Left),
        ("mode", Align::Left),
        ("ids", Align::Right),
        ("kept", Align::Right),
        ("requests", Align::Right),
        ("cost", Align::Right),
        ("", Align::Left),
    ];
    let mut text = output::table(&headings, plan.lists.iter().map(row));
    let about = if plan.about { "about " } else { "" };
    let cost =
        plan.cost_micro_usd.map_or(String::new(), |cost| format!(", {about}{}", dollars(cost)));
    let _ = write!(text, "\nleft to do: {about}{}{cost}", counted(plan.requests, "request"));
    let _ = match plan.earliest_finish {
        Some(at) if at > plan.at => writeln!(text, ", not before {at:.0}"),
        Some(_) => writeln!(text, ", without waiting"),
        None => writeln!(text),
    };
    for endpoint in &plan.endpoints {
        let windows =
            endpoint.windows.map_or(String::new(), |n| format!(", {}", counted(n, "window")));
        let requests = counted(endpoint.requests, "request");
        let _ = writeln!(text, "  {}: {requests}{windows}", endpoint.endpoint);
        for limit in &endpoint.limits {
            let assumed = if limit.assumed { " (documented)" } else { "" };
            let (left, whole, whose) = (limit.left, limit.limit, &limit.credential);
            let _ = writeln!(text, "    {whose}: {left} of {whole} left in this window{assumed}");
        }
    }
    if plan.cost_micro_usd.is_some() {
        let _ = writeln!(text, "prices as of {}, each returned user paid once", plan.prices_as_of);
    }
    if plan.asked_requests > 0 {
        let cost = dollars(plan.asked_cost_micro_usd);
        let _ = writeln!(text, "asking took {}, {cost}", counted(plan.asked_requests, "request"));
    }
    text
}

fn row(list: &PlannedList) -> Vec<String> {
    let unknown = || "?".to_owned();
    let about = if list.about { "~" } else { "" };
    vec![
        list.who.clone(),
        list.list.to_owned(),
        list.mode.to_owned(),
        list.reported.map_or_else(unknown, grouped),
        grouped(list.ids_kept),
        list.pages.map_or_else(unknown, |pages| format!("{about}{}", grouped(pages))),
        list.cost_micro_usd.map_or("-".to_owned(), |cost| format!("{about}{}", dollars(cost))),
        if list.finished { "done".to_owned() } else { String::new() },
    ]
}
