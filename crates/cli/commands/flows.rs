//! `followgraph flows`: who left one account and came to another between two runs.

use std::fmt::Write as _;

use analysis::{Flow, Frame, RunDiff, flows};
use anyhow::Result;
use snapshot::Store;

use super::diff::{compare, not_compared};
use crate::args;
use crate::exit::Exit;
use crate::names::Names;
use crate::output::{self, Align, grouped, percent};
use crate::settings::Settings;

/// Flows shown at a terminal; files get all of them.
const SHOWN: usize = 20;

pub(crate) fn run(settings: &Settings, command: &args::Flows) -> Result<Exit> {
    let store = Store::open(&settings.store.value)?;
    let (before, after, changes) = compare(&store, &command.pair)?;
    let found = flows(&changes.diffs);
    let names = Names::of([&before, &after])?;
    let frame = || if command.members { Frame::flow_members(&found) } else { Frame::flows(&found) };
    let frame = || {
        let (before, after) = (changes.before.to_string(), changes.after.to_string());
        frame().with_context("before_run", before).with_context("after_run", after)
    };
    let screen = || {
        let text = screen(&found, &changes, &names);
        Ok(if command.members { text + &members(&found, &names) } else { text })
    };
    output::deliver(&command.output, screen, || Ok(frame()))?;
    Ok(Exit::Done)
}

/// The first members of each flow.
fn members(flows: &[Flow], names: &Names) -> String {
    let rows = flows.iter().flat_map(|flow| flow.members.iter().map(move |member| (flow, member)));
    let all = flows.iter().map(|flow| flow.members.len()).sum::<usize>();
    let headings = [("member", Align::Right), ("from", Align::Left), ("to", Align::Left)];
    let row = |(flow, member): (&Flow, &snapshot::AccountId)| {
        vec![member.to_string(), names.label(flow.from), names.label(flow.to)]
    };
    let mut text = format!("\n{}", output::table(&headings, rows.take(SHOWN).map(row)));
    if all > SHOWN {
        let more = grouped((all - SHOWN) as u64);
        let _ = writeln!(text, "and {more} more; --format csv lists them all");
    }
    text
}

/// What a person sees: the largest flows first.
fn screen(flows: &[Flow], changes: &RunDiff, names: &Names) -> String {
    let (list, before, after) = (changes.list, changes.before, changes.after);
    let mut text = format!("{list} from run {before} to run {after}\n\n");
    if flows.is_empty() {
        text.push_str("nobody left one of these accounts and came to another\n");
    } else {
        let mut largest: Vec<&Flow> = flows.iter().collect();
        largest.sort_by_key(|flow| std::cmp::Reverse(flow.members.len()));
        let headings = [
            ("from", Align::Left),
            ("to", Align::Left),
            ("members", Align::Right),
            ("of lost", Align::Right),
            ("of gained", Align::Right),
        ];
        let share = |flow: &Flow, of: u64| percent(Some(flow.members.len() as f64 / of as f64));
        let row = |flow: &&Flow| {
            vec![
                names.label(flow.from),
                names.label(flow.to),
                grouped(flow.members.len() as u64),
                share(flow, flow.lost),
                share(flow, flow.gained),
            ]
        };
        text.push_str(&output::table(&headings, largest.iter().take(SHOWN).map(row)));
        if flows.len() > SHOWN {
            let more = grouped((flows.len() - SHOWN) as u64);
            let _ = writeln!(text, "and {more} more; --format csv lists them all");
        }
    }
    let apart = not_compared(changes, names);
    if !apart.is_empty() {
        let _ = write!(text, "\n{apart}");
    }
    text
}
