//! `followgraph diff`: who is new and who left between two runs.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use analysis::engine::Stream;
use analysis::verdict::{Fates, RECHECK};
use analysis::when::{Arrival, Moved};
use analysis::{
    Accounts, Change, Diff, DiffPart, Format, Frame, Losses, RunDiff, Standing, Undecided,
    diff_each, diff_id_files, diff_runs, diff_runs_each, id_files, losses,
};
use anyhow::Result;
use snapshot::{List, Order, Run, Store};

use crate::args;
use crate::exit::{Exit, Usage};
use crate::names::Names;
use crate::output::{self, Align, grouped};
use crate::settings::Settings;

/// Changes shown per account and kind at a terminal; files get all of them.
const SHOWN: usize = 10;

pub(crate) fn run(settings: &Settings, command: &args::Diff) -> Result<Exit> {
    // Whoever asks for the exit code alone does not want to read.
    let only_code =
        command.exit_code && settings.quiet && output::is_stdout(&command.output.output);
    if let Some(files) = files(command)? {
        return of_files(command, files, only_code);
    }
    let store = Store::open(&settings.store.value)?;
    let rows_of = command.output.format.of_file().filter(|_| !command.summary && !only_code);
    if let Some(format) = rows_of {
        return piece_by_piece(settings, &store, command, format);
    }
    let (before, after, answer) = compare(&store, &command.pair)?;
    if !only_code {
        let names = Names::of([&before, &after])?;
        let losses = if command.summary { Vec::new() } else { fates(&store, &answer, settings) };
        let screen = || Ok(screen(&answer, &losses, &names, command.summary));
        output::deliver(&command.output, screen, || Ok(Frame::diff_summary(&answer.diffs)))?;
    }
    Ok(exit(command, answer.diffs.iter().any(Diff::has_changes)))
}

fn exit(command: &args::Diff, changed: bool) -> Exit {
    if command.exit_code && changed { Exit::Changed } else { Exit::Done }
}

/// Writes the rows as they are found, so that they need not fit in memory.
fn piece_by_piece(
    settings: &Settings,
    store: &Store,
    command: &args::Diff,
    format: Format,
) -> Result<Exit> {
    let (before, after) = pair(store, command.pair.before.as_deref(), &command.pair.after)?;
    let accounts = chosen(&before, &after, &command.pair.accounts)?;
    let since = after.manifest().started_at;
    let fates = Fates::since(store, since, RECHECK);
    let fates = fates.unwrap_or_else(|e| left_out(settings, Fates::none(), &e));
    let like = Frame::diffs(&[])
        .with_context("before_run", before.id().to_string())
        .with_context("after_run", after.id().to_string());
    let changed = output::deliver_pieces(format, &command.output.output, &like, |rows| {
        let mut changed = false;
        let list = command.pair.list.into();
        diff_runs_each(&before, &after, list, &accounts, &Stream, |of, part| {
            changed |= !part.gained.is_empty() || !part.lost.is_empty();
            rows.append(Frame::diff_part(of, &part, &fates))
        })?;
        Ok(changed)
    })?;
    Ok(exit(command, changed))
}

/// The files that are to be compared, if --before and --after name files and not runs.
fn files(command: &args::Diff) -> Result<Option<[&Path; 2]>> {
    // Not whatever is there: a file called `latest` is no reason to refuse a run.
    let is_file = |name: &&str| {
        let path = Path::new(name);
        let says_so = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("parquet"));
        says_so || path.components().count() > 1
    };
    let before = command.pair.before.as_deref().filter(is_file);
    let after = Some(command.pair.after.as_str()).filter(is_file);
    match (before, after) {
        (None, None) if command.id_column.is_some() => {
            Err(Usage::new("--id-column is for files, and --before and --after name runs").into())
        }
        (None, None) => Ok(None),
        (Some(before), Some(after)) if command.pair.accounts.is_empty() => {
            Ok(Some([before, after].map(Path::new)))
        }
        (Some(_), Some(_)) => Err(Usage::new("two files are compared whole, not by account")
            .hint("leave the accounts out, or `followgraph import` the files into a store")
            .into()),
        _ => Err(Usage::new("a file can be compared with another file only")
            .hint("name files with both --before and --after, or import the file into the store")
            .into()),
    }
}

/// Compares two Parquet files of ids.
fn of_files(command: &args::Diff, files: [&Path; 2], only_code: bool) -> Result<Exit> {
    let column = command.id_column.as_deref();
    let rows_of = command.output.format.of_file().filter(|_| !command.summary && !only_code);
    if let Some(format) = rows_of {
        let like = Frame::id_changes(&DiffPart::default());
        let changed = output::deliver_pieces(format, &command.output.output, &like, |rows| {
            let mut changed = false;
            diff_id_files(files, column, &Stream, |part| {
                changed |= !part.gained.is_empty() || !part.lost.is_empty();
                rows.append(Frame::id_changes(&part))
            })?;
            Ok(changed)
        })?;
        return Ok(exit(command, changed));
    }
    let lists = id_files(&files, column)?;
    let mut count = FileCounts::default();
    diff_each(&lists[0], &lists[1], &Stream, |_, part| {
        count.add(&part);
        Ok(())
    })?;
    if !only_code {
        let FileCounts { gained, lost, unchanged } = count;
        let frame = || Ok(Frame::id_counts(gained, lost, unchanged));
        output::deliver(&command.output, || Ok(count.screen(files)), frame)?;
    }
    Ok(exit(command, count.gained + count.lost > 0))
}

/// What two files have in common and what not.
#[derive(Clone, Copy, Default)]
struct FileCounts {
    gained: u64,
    lost: u64,
    unchanged: u64,
}

impl FileCounts {
    fn add(&mut self, part: &DiffPart) {
        self.gained += part.gained.len() as u64;
        self.lost += part.lost.len() as u64;
        self.unchanged += part.unchanged;
    }

    fn screen(self, [before, after]: [&Path; 2]) -> String {
        let (before, after) = (before.display(), after.display());
        let headings = [("ids", Align::Right), ("", Align::Left)];
        let rows = [
            (self.gained, format!("gained: only in {after}")),
            (self.lost, format!("lost: only in {before}")),
            (self.unchanged, "in both".to_owned()),
        ];
        output::table(&headings, rows.map(|(ids, what)| vec![grouped(ids), what]))
    }
}

/// The runs that were asked for, the earlier one first, and what changed between them.
pub(super) fn compare(store: &Store, asked: &args::Pair) -> Result<(Run, Run, RunDiff)> {
    let (before, after) = pair(store, asked.before.as_deref(), &asked.after)?;
    let accounts = chosen(&before, &after, &asked.accounts)?;
    let answer = diff_runs(&before, &after, asked.list.into(), &accounts, &Stream)?;
    Ok((before, after, answer))
}

/// The runs that are meant: the last two with lists, if nothing else is said.
fn pair(store: &Store, before: Option<&str>, after: &str) -> Result<(Run, Run)> {
    let (before, after) = pair_or_one(store, before, after)?;
    let before = before.ok_or_else(|| {
        Usage::new(format!("there is no run before {}", after.id()))
            .hint("`followgraph runs` lists the runs; a diff needs two")
    })?;
    Ok((before, after))
}

/// The same, for questions that can do with the later one.
pub(super) fn pair_or_one(
    store: &Store,
    before: Option<&str>,
    after: &str,
) -> Result<(Option<Run>, Run)> {
    let after = store.find(after)?;
    let before = match before {
        Some(name) => Some(store.find(name)?),
        None => store.preceding(&after)?,
    };
    if let Some(before) = &before {
        are_in_order(before, &after, ["--before", "--after"])?;
    }
    Ok((before, after))
}

/// Refuses runs of which the earlier one is not, with the flags that name them.
pub(super) fn are_in_order(before: &Run, after: &Run, flags: [&str; 2]) -> Result<()> {
    if before.id() < after.id() {
        return Ok(());
    }
    let ((before, after), [earlier, later]) = ((before.id(), after.id()), flags);
    Err(Usage::new(format!("run {before} is not before run {after}"))
        .hint(format!("name the earlier run with {earlier} and the later one with {later}"))
        .into())
}

/// What became of the lost, as far as the store knows. A diff stands without it, so a damaged
/// run elsewhere in the store does not keep it from being shown.
fn fates(store: &Store, answer: &RunDiff, settings: &Settings) -> Vec<Losses> {
    losses(store, &answer.diffs, RECHECK).unwrap_or_else(|e| left_out(settings, Vec::new(), &e))
}

fn left_out<T>(settings: &Settings, nothing: T, why: &analysis::Error) -> T {
    if !settings.quiet {
        output::remark(format!("what became of the lost is left out: {why}"));
    }
    nothing
}

/// The accounts that were named: by the later run's handles, or else by the earlier one's.
pub(super) fn chosen(before: &Run, after: &Run, named: &[String]) -> Result<Accounts> {
    if named.is_empty() {
        return Ok(Accounts::All);
    }
    let find = |name: &String| after.account(name).or_else(|e| before.account(name).map_err(|_| e));
    Ok(Accounts::Only(named.iter().map(find).collect::<Result<_, _>>()?))
}

/// What a person sees: a row per account, then who, if that is not too much.
pub(crate) fn screen(
    answer: &RunDiff,
    losses: &[Losses],
    names: &Names,
    summary_only: bool,
) -> String {
    let mut text =
        format!("{} from run {} to run {}\n\n", answer.list, answer.before, answer.after);
    let returned = answer.diffs.iter().any(|d| d.returned().is_some_and(|n| n > 0));
    let headings = [
        ("account", Align::Left),
        ("before", Align::Right),
        ("gained", Align::Right),
        ("returned", Align::Right),
        ("lost", Align::Right),
        ("unknown", Align::Right),
        ("after", Align::Right),
        ("coverage", Align::Left),
    ];
    let headings: Vec<_> =
        headings.into_iter().filter(|(name, _)| returned || *name != "returned").collect();
    let rows = answer.diffs.iter().map(|d| summary_row(d, names, returned));
    text.push_str(&output::table(&headings, rows));
    let notes = notes(answer, names);
    if !notes.is_empty() {
        let _ = write!(text, "\n{notes}");
    }
    if let ([only], false) = (answer.diffs.as_slice(), summary_only) {
        text.push_str(&details(only, losses.first(), answer.list));
    }
    text
}

/// What the table leaves unsaid, a line each.
fn notes(answer: &RunDiff, names: &Names) -> String {
    let mut text = not_compared(answer, names);
    if answer.diffs.iter().any(|d| !d.unknown.is_empty()) {
        text.push_str(
            "unknown: in one run, and outside what the other run read; neither gained nor lost\n",
        );
    }
    if answer.diffs.iter().any(|d| d.returned().is_some_and(|n| n > 0)) {
        text.push_str(
            "returned: had followed before, and were hidden when the earlier run looked\n",
        );
    }
    let mut untold: Vec<_> = answer.diffs.iter().filter(|d| !d.gained.is_empty()).collect();
    untold.retain(|d| d.of.order.is_err());
    if let Some(Err(why)) = untold.first().map(|d| d.of.order) {
        let some = if untold.len() == answer.diffs.len() { "" } else { "of some accounts " };
        let why = why.reason();
        let _ = writeln!(text, "the gained {some}may include some who returned: {why}");
    }
    text
}

/// Accounts that only one of the runs asked for, a line for each run.
pub(super) fn not_compared(answer: &RunDiff, names: &Names) -> String {
    let mut text = String::new();
    for (accounts, run) in
        [(&answer.only_before, answer.before), (&answer.only_after, answer.after)]
    {
        if accounts.is_empty() {
            continue;
        }
        let shown: Vec<_> = accounts.iter().take(SHOWN).map(|a| names.label(*a)).collect();
        let _ = write!(text, "only in run {run}, so not compared: {}", shown.join(" "));
        if accounts.len() > SHOWN {
            let _ = write!(text, " and {} more", grouped((accounts.len() - SHOWN) as u64));
        }
        text.push('\n');
    }
    text
}

fn summary_row(diff: &Diff, names: &Names, returned: bool) -> Vec<String> {
    let signed = |sign: &str, n: usize| {
        if n == 0 { "0".to_owned() } else { format!("{sign}{}", grouped(n as u64)) }
    };
    let (before, after) = (diff.of.before.state.to_string(), diff.of.after.state.to_string());
    let coverage = if before == after { after } else { format!("{before}, then {after}") };
    let returned = returned.then(|| diff.returned().map_or("-".to_owned(), grouped));
    let start =
        [names.label(diff.of.account), grouped(diff.opening()), signed("+", diff.gained.len())];
    let end = [
        signed("-", diff.lost.len()),
        grouped(diff.unknown.len() as u64),
        grouped(diff.closing()),
        coverage,
    ];
    start.into_iter().chain(returned).chain(end).collect()
}

fn followed_anew(moved: &Moved) -> Change {
    let Moved { member, after, between, .. } = *moved;
    Change { member, position: Some(after), arrival: None, between }
}

/// Who came and who went; newest first where the order of both lists says who is new, else
/// by id.
fn details(diff: &Diff, losses: Option<&Losses>, list: List) -> String {
    let mut text = String::new();
    let newest_first = [diff.of.before.order, diff.of.after.order] == [Order::NewestFirst; 2];
    let order = if newest_first { "newest first" } else { "by id" };
    let (before, after): (Vec<_>, Vec<_>) =
        diff.unknown.iter().partition(|u| matches!(u, Undecided::InBefore(_)));
    let change = |undecided: &&Undecided| match **undecided {
        Undecided::InBefore(change) | Undecided::InAfter(change) => change,
    };
    let verdicts = losses.into_iter().flat_map(|losses| &losses.verdicts);
    let looked_up = verdicts.filter(|verdict| verdict.looked_up_at.is_some());
    let fates: HashMap<_, _> = looked_up.map(|v| (v.member, (v.fate, v.standing))).collect();
    let (returned, gained): (Vec<Change>, Vec<Change>) =
        diff.gained.iter().partition(|change| change.arrival == Some(Arrival::Returned));
    let sections = [
        ("gained", '+', gained),
        ("returned", '+', returned),
        ("left and followed anew", '~', diff.moved.iter().map(followed_anew).collect()),
        ("lost", '-', diff.lost.clone()),
        ("unknown, seen before", '?', before.iter().map(change).collect()),
        ("unknown, seen after", '?', after.iter().map(change).collect()),
    ];
    for (title, sign, mut changes) in sections {
        if changes.is_empty() {
            continue;
        }
        if newest_first {
            changes.sort_by_key(|c: &Change| c.position);
        }
        let _ = write!(text, "\n{title} ({list}, {order})\n");
        for change in changes.iter().take(SHOWN) {
            let fate = fates.get(&change.member).filter(|_| sign == '-');
            let fate = fate.map_or(String::new(), |(fate, standing)| match standing {
                Standing::Final => format!("  {}", fate.name()),
                Standing::Provisional => format!("  {} ({})", fate.name(), standing.name()),
            });
            let _ = writeln!(text, "  {sign} {}{fate}", change.member);
        }
        if changes.len() > SHOWN {
            let more = grouped((changes.len() - SHOWN) as u64);
            let _ = writeln!(text, "    and {more} more; --format csv lists them all");
        }
    }
    text
}
