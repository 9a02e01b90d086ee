//! `followgraph runs`: what a store has.

use analysis::Frame;
use anyhow::Result;
use snapshot::{Crawl, Run, Store};

use crate::args;
use crate::exit::Exit;
use crate::names::Names;
use crate::output::{self, Align, grouped};
use crate::settings::Settings;

pub(crate) fn run(settings: &Settings, command: &args::Runs) -> Result<Exit> {
    let store = Store::open(&settings.store.value)?;
    if command.accounts {
        let run = store.find(&command.run)?;
        let crawls = run.crawls()?;
        let names = Names::of([&run])?;
        if command.summary {
            let summary = Frame::crawls_summary(&crawls);
            output::deliver(&command.output, || Ok(summary.to_string()), || Ok(summary.clone()))?;
            return Ok(Exit::Done);
        }
        let screen = || Ok(accounts(&crawls, &names));
        output::deliver(&command.output, screen, || Ok(Frame::crawls(&crawls)))?;
        return Ok(Exit::Done);
    }
    // One run that cannot be read does not hide the others.
    let (mut runs, mut exit) = (Vec::new(), Exit::Done);
    for (_, run) in store.entries()? {
        match run {
            Ok(run) => runs.push(run),
            Err(e) => {
                output::error_of(&e);
                exit = Exit::Store;
            }
        }
    }
    output::deliver(&command.output, || Ok(screen(&runs)), || Ok(Frame::runs(&runs)))?;
    Ok(exit)
}

/// A row per run.
pub(crate) fn screen(runs: &[Run]) -> String {
    if runs.is_empty() {
        return "the store has no runs yet\n".to_owned();
    }
    let headings = [
        ("run", Align::Left),
        ("accounts", Align::Right),
        ("lists", Align::Right),
        ("complete", Align::Right),
        ("rows", Align::Right),
        ("size", Align::Right),
    ];
    let row = |run: &Run| {
        let m = run.manifest();
        vec![
            run.id().to_string(),
            grouped(m.accounts),
            grouped(m.crawls),
            grouped(m.complete),
            grouped(m.rows),
            indicatif::HumanBytes(m.bytes()).to_string(),
        ]
    };
    output::table(&headings, runs.iter().map(row))
}

/// A row per account and list of one run.
fn accounts(crawls: &[Crawl], names: &Names) -> String {
    let headings = [
        ("account", Align::Left),
        ("id", Align::Right),
        ("list", Align::Left),
        ("members", Align::Right),
        ("profile says", Align::Right),
        ("repeated", Align::Right),
        ("coverage", Align::Left),
    ];
    let row = |crawl: &Crawl| {
        vec![
            names.label(crawl.account),
            crawl.account.to_string(),
            crawl.list.to_string(),
            grouped(crawl.ids),
            crawl.reported_count.map_or_else(|| "-".to_owned(), grouped),
            grouped(crawl.duplicates),
            crawl.state.to_string(),
        ]
    };
    output::table(&headings, crawls.iter().map(row))
}
