//! `followgraph mutuals`: who follows back, for accounts, and over the whole run.

use std::fmt::Write as _;

use analysis::engine::Stream;
use analysis::{
    Frame, MutualChange, MutualChanges, MutualEdges, Mutuals, Party, Reciprocity, RunObservations,
    file_mutual_edges, mutual_changes, mutuals, run_mutual_edges, run_reciprocity,
};
use anyhow::Result;
use snapshot::{AccountId, List, Run, Store};

use super::diff::are_in_order;
use crate::args;
use crate::exit::{Exit, Usage};
use crate::names::{self, Names};
use crate::output::{self, Align, counted, grouped, percent};
use crate::settings::Settings;

/// Pairs shown at a terminal; files get all of them.
const SHOWN: usize = 20;

pub(crate) fn run(settings: &Settings, command: &args::Mutuals) -> Result<Exit> {
    if command.edges || !command.from.from.is_empty() {
        return edges(settings, command);
    }
    let store = Store::open(&settings.store.value)?;
    let run = store.find(&command.run)?;
    if let Some(since) = &command.since {
        return changes(command, &store.find(since)?, &run);
    }
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

/// Which pairs became mutual between two runs, and which broke.
fn changes(command: &args::Mutuals, before: &Run, after: &Run) -> Result<Exit> {
    are_in_order(before, after, ["--since", "--run"])?;
    let (earlier, later) = (RunObservations::open(before)?, RunObservations::open(after)?);
    let mut accounts = if command.accounts.is_empty() {
        with_both_lists(&later)
    } else {
        names::resolve(after, &command.accounts)?
    };
    if command.accounts.is_empty() {
        let had_both = with_both_lists(&earlier);
        accounts.retain(|account| had_both.binary_search(account).is_ok());
    }
    let of = |account: &AccountId| {
        let lists = |run: &RunObservations| {
            Ok::<_, analysis::Error>([
                run.of(*account, List::Followers)?,
                run.of(*account, List::Following)?,
            ])
        };
        let (before, after) = (lists(&earlier)?, lists(&later)?);
        Ok(mutual_changes(before.each_ref(), after.each_ref(), &Stream)?)
    };
    let found = accounts.iter().map(of).collect::<Result<Vec<_>>>()?;
    let names = Names::of([before, after])?;
    let frame = || {
        let frame = if command.summary {
            Frame::mutual_changes_summary(&found)
        } else {
            Frame::mutual_changes(&found)
        };
        let (before, after) = (before.id().to_string(), after.id().to_string());
        frame.with_context("before_run", before).with_context("after_run", after)
    };
    let screen = || Ok(changes_screen(&found, [before, after], &names));
    output::deliver(&command.output, screen, || Ok(frame()))?;
    Ok(Exit::Done)
}

/// What a person sees of changes: a row per account, then who, if that is not too much.
fn changes_screen(found: &[MutualChanges], runs: [&Run; 2], names: &Names) -> String {
    let [before, after] = runs.map(Run::id);
    let mut text = format!("mutual follows from run {before} to run {after}\n\n");
    if found.is_empty() {
        text.push_str("no account has both lists in both runs\n");
        return text;
    }
    let headings = [
        ("account", Align::Left),
        ("before", Align::Right),
        ("new", Align::Right),
        ("broken", Align::Right),
        ("after", Align::Right),
        ("they followed back", Align::Right),
        ("they left", Align::Right),
    ];
    let row = |of: &MutualChanges| {
        let by = |changes: &[MutualChange]| {
            grouped(changes.iter().filter(|change| change.by == Party::Member).count() as u64)
        };
        vec![
            names.label(of.followers.account),
            grouped(of.opening),
            grouped(of.gained.len() as u64),
            grouped(of.broken.len() as u64),
            grouped(of.closing),
            by(&of.gained),
            by(&of.broken),
        ]
    };
    text.push_str(&output::table(&headings, found.iter().map(row)));
    let is_partial = |of: &MutualChanges| {
        let sides = [of.followers, of.following].map(|of| [of.before, of.after]);
        sides.as_flattened().iter().any(|side| !side.state.is_complete())
    };
    if found.iter().any(is_partial) {
        text.push_str(
            "\nsome lists were not read to their ends: before and after count who was seen, and only \
             changes that are sure are new or broken\n",
        );
    }
    let [only] = found else { return text };
    for (title, sign, changes) in [("new", '+', &only.gained), ("broken", '-', &only.broken)] {
        if changes.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{title}");
        for change in changes.iter().take(SHOWN) {
            let _ = writeln!(text, "  {sign} {}  {}", change.member, doing(sign, change.by));
        }
        if changes.len() > SHOWN {
            let more = grouped((changes.len() - SHOWN) as u64);
            let _ = writeln!(text, "    and {more} more; --format csv lists them all");
        }
    }
    text
}

/// What somebody did to a pair that became mutual (`+`) or broke.
const fn doing(sign: char, by: Party) -> &'static str {
    match (sign, by) {
        ('+', Party::Member) => "followed back",
        ('+', Party::Account) => "was followed back",
        (_, Party::Returned) => "was hidden, and is back",
        (_, Party::Member) => "unfollowed, or is hidden",
        (_, Party::Account) => "was unfollowed",
        (_, Party::Both) => "is in neither list: hidden, or has blocked the account",
        (_, Party::Unknown) => "who was first is not known",
    }
}

/// Every two accounts that follow each other, written as they are found.
fn edges(settings: &Settings, command: &args::Mutuals) -> Result<Exit> {
    let files = &command.from.from;
    if !command.edges {
        return Err(Usage::new("--from is for --edges").hint("add --edges").into());
    }
    let columns = command.from.columns()?;
    let find = |take: &mut (dyn FnMut(MutualEdges) -> Result<(), analysis::Error> + Send)| {
        if files.is_empty() {
            let run = Store::open(&settings.store.value)?.find(&command.run)?;
            return Ok::<_, anyhow::Error>(run_mutual_edges(&run, take)?);
        }
        Ok(file_mutual_edges(files, columns, take)?)
    };
    let Some(format) = command.output.format.of_file() else {
        let mut first = MutualEdges::default();
        let pairs = find(&mut |some| {
            let missing = SHOWN - first.len();
            first.a.extend(some.a.into_iter().take(missing));
            first.b.extend(some.b.into_iter().take(missing));
            Ok(())
        })?;
        let screen = || Ok(edges_screen(&first, pairs));
        let frame = || Ok(Frame::from(&first));
        output::deliver(&command.output, screen, frame)?;
        return Ok(Exit::Done);
    };
    let like = Frame::from(&MutualEdges::default());
    output::deliver_pieces(format, &command.output.output, &like, |rows| {
        find(&mut |some| rows.append(Frame::from(&some)))
    })?;
    Ok(Exit::Done)
}

/// The first pairs, and how many there are.
fn edges_screen(first: &MutualEdges, pairs: u64) -> String {
    let mut text = counted(pairs, "mutual pair");
    text.push('\n');
    if !first.is_empty() {
        let headings = [("one", Align::Right), ("and the other", Align::Right)];
        let rows = first.a.iter().zip(&first.b).map(|(a, b)| vec![a.to_string(), b.to_string()]);
        let _ = write!(text, "\n{}", output::table(&headings, rows));
    }
    let more = pairs.saturating_sub(first.len() as u64);
    if more > 0 {
        let _ = writeln!(text, "and {} more; --format csv lists them all", grouped(more));
    }
    text
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
