//! `followgraph suggest`: whom else the followers of an account follow.

use std::fmt::Write as _;

use analysis::graph::{PageRank, Suggestion, Suggestions};
use analysis::{FollowGraph, Frame};
use anyhow::Result;
use snapshot::Store;

use crate::args::{self, SuggestBy};
use crate::exit::Exit;
use crate::names::{self, Names};
use crate::output::{self, Align, counted, fine_percent, grouped};
use crate::settings::Settings;

/// Rows of an account at a terminal; files get all of them.
const SHOWN: usize = 20;

pub(crate) fn run(settings: &Settings, command: &args::Suggest) -> Result<Exit> {
    let run = Store::open(&settings.store.value)?.find(&command.run)?;
    let accounts = names::resolve(&run, &command.accounts)?;
    let graph = FollowGraph::from_run(&run)?;
    let answer = |account| {
        let mut answer = graph.suggestions(account, PageRank::default())?;
        arrange(&mut answer.suggestions, command);
        Ok(answer)
    };
    let answers = accounts.into_iter().map(answer).collect::<Result<Vec<_>>>()?;
    let names = Names::of([&run])?;
    let frame = || Frame::suggestions(&answers).with_context("run", run.id().to_string());
    output::deliver(&command.output, || Ok(screen(&answers, &names)), || Ok(frame()))?;
    Ok(Exit::Done)
}

/// Drops whom too few follow, and puts first what was asked for; equal ones keep their order.
fn arrange(suggestions: &mut Vec<Suggestion>, command: &args::Suggest) {
    suggestions.retain(|suggestion| suggestion.shared >= command.at_least);
    match command.by {
        SuggestBy::Shared => {}
        // Nobody else follows it: there is no more than that.
        SuggestBy::Lift => suggestions.sort_by(|a, b| {
            let lift = |s: &Suggestion| s.lift.unwrap_or(f64::INFINITY);
            lift(b).total_cmp(&lift(a))
        }),
        SuggestBy::Score => suggestions.sort_by(|a, b| b.score.total_cmp(&a.score)),
    }
}

/// What a person sees: a table for each account.
fn screen(answers: &[Suggestions], names: &Names) -> String {
    let tables: Vec<String> = answers.iter().map(|answer| table(answer, names)).collect();
    tables.join("\n")
}

fn table(answer: &Suggestions, names: &Names) -> String {
    let whose = names.label(answer.account);
    let audience = counted(answer.audience, "follower");
    if answer.suggestions.is_empty() {
        return format!("no other account is known to be followed by the {audience} of {whose}\n");
    }
    let mut text = format!("whom the {audience} of {whose} follow\n\n");
    let headings = [
        ("account", Align::Left),
        ("of them", Align::Right),
        ("share", Align::Right),
        ("of all", Align::Right),
        ("lift", Align::Right),
        ("score", Align::Right),
        ("", Align::Left),
    ];
    let row = |s: &Suggestion| {
        vec![
            names.label(s.account),
            grouped(s.shared),
            fine_percent(Some(s.share)),
            grouped(s.followers),
            s.lift.map_or_else(|| "-".to_owned(), |lift| format!("{lift:.2}")),
            fine_percent(Some(s.score)),
            if s.in_audience { "one of them" } else { "" }.to_owned(),
        ]
    };
    text.push_str(&output::table(&headings, answer.suggestions.iter().take(SHOWN).map(row)));
    if answer.suggestions.len() > SHOWN {
        let more = grouped((answer.suggestions.len() - SHOWN) as u64);
        let _ = writeln!(text, "and {more} more accounts; --format csv lists them all");
    }
    text.push_str(
        "\nlift: how many times as likely they are to follow it as everybody else in the run\n\
         score: how often a walk along follows that keeps starting at them comes to it\n",
    );
    text
}
