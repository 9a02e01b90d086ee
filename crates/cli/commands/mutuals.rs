//! `followgraph mutuals`: who follows back, for accounts, and over the whole run.

use std::fmt::Write as _;

use analysis::engine::Stream;
use analysis::{Frame, Mutuals, Reciprocity, RunObservations, mutuals, run_reciprocity};
use anyhow::Result;
use snapshot::{AccountId, List, Store};

use crate::args;
use crate::exit::Exit;
use crate::names::{self, Names};
use crate::output::{self, Align, counted, grouped, percent};
use crate::settings::Settings;

pub(crate) fn run(settings: &Settings, command: &args::Mutuals) -> Result<Exit> {
    let run = Store::open(&settings.store.value)?.find(&command.run)?;
    if command.reciprocity {
        let whole = run_reciprocity(&run)?;
        let screen = || Ok(format!("{}\n", graph(whole)));
        output::deliver(&command.output, screen, || Ok(Frame::from(&whole)))?;
        return Ok(Exit::Done);
    }
    let observations = RunObservations::open(&run)?;
    let accounts = if command.accounts.is_empty() {
        with_both_lists(&observations)
    } else {
        names::resolve(&run, &command.accounts)?
    };
    let answers = accounts.iter().map(|account| of(&observations, *account));
    let answers = answers.collect::<Result<Vec<_>>>()?;
    let names = Names::of([&run])?;
    let screen = || {
        let whole = command.accounts.is_empty().then(|| run_reciprocity(&run)).transpose()?;
        Ok(screen(&answers, whole, &names))
    };
    let frame = || {
        if command.summary { Frame::mutuals_summary(&answers) } else { Frame::mutuals(&answers) }
    };
    output::deliver(&command.output, screen, || Ok(frame()))?;
    Ok(Exit::Done)
}

fn with_both_lists(run: &RunObservations) -> Vec<AccountId> {
    let following = run.accounts(List::Following);
    let has_both = |account: &AccountId| following.binary_search(account).is_ok();
    run.accounts(List::Followers).into_iter().filter(has_both).collect()
}

pub(crate) fn of(run: &RunObservations, account: AccountId) -> Result<Mutuals> {
    let followers = run.of(account, List::Followers)?;
    let following = run.of(account, List::Following)?;
    Ok(mutuals(&followers, &following, &Stream)?)
}

/// What a person sees: a row per account, then the run as one graph.
pub(crate) fn screen(answers: &[Mutuals], whole: Option<Reciprocity>, names: &Names) -> String {
    let headings = [
        ("account", Align::Left),
        ("mutual", Align::Right),
        ("only followers", Align::Right),
        ("only following", Align::Right),
        ("unknown", Align::Right),
        ("follow back", Align::Right),
    ];
    let row = |m: &Mutuals| {
        vec![
            names.label(m.account),
            grouped(m.mutual.len() as u64),
            grouped(m.only_followers.len() as u64),
            grouped(m.only_following.len() as u64),
            grouped(m.unknown.len() as u64),
            percent(m.follow_back_rate()),
        ]
    };
    let mut text = if answers.is_empty() {
        "no account of this run has both lists\n".to_owned()
    } else {
        output::table(&headings, answers.iter().map(row))
    };
    if answers.iter().any(|m| !m.unknown.is_empty()) {
        text.push_str("\nunknown: in one list, while the other was not read to its end\n");
    }
    if let Some(whole) = whole {
        let _ = writeln!(text, "\n{}", graph(whole));
    }
    text
}

/// The whole run in a sentence or two. Where an opposite edge was not looked for, only the
/// edges of which the answer is known count.
fn graph(whole: Reciprocity) -> String {
    let share = if whole.unknown > 0 { whole.ratio_of_known() } else { whole.ratio() };
    let mut text = format!(
        "the whole run as a graph: {}, {}\nreciprocity, self-loops left out: {}",
        counted(whole.edges, "edge"),
        counted(whole.mutual_pairs(), "mutual pair"),
        percent(share),
    );
    if whole.self_loops > 0 {
        let _ = write!(text, "\naccounts that follow themselves: {}", grouped(whole.self_loops));
    }
    if whole.unknown > 0 {
        let unknown = counted(whole.unknown, "edge");
        let _ = write!(
            text,
            "\nleft out of it too: {unknown} whose opposite no list that was read would show"
        );
    }
    text
}
