//! `followgraph overlap`: whose audiences overlap, and by how much.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use analysis::engine::Stream;
use analysis::{
    By, CONFIDENCE, Cells, Estimates, Frame, Observation, Overlap, Pair, RunObservations, Side,
    Work, overlap, overlap_each, overlap_estimated, overlap_strongest,
};
use anyhow::Result;
use snapshot::{AccountId, Run, RunId, Store};

use crate::args::{self, Output};
use crate::exit::{Exit, Usage};
use crate::names::{self, Names};
use crate::output::{self, Align, counted, grouped, percent};
use crate::settings::Settings;

/// Accounts that fit across a terminal as a matrix.
const MATRIX: usize = 12;
/// Rows of a ranking at a terminal; files get all of them.
const SHOWN: usize = 20;
/// Characters that the course of a pair takes at most.
const COURSE: usize = 24;
/// Accounts whose pairs are an answer as a whole; those of more are written as they come.
const WHOLE: usize = 700;
/// Accounts whose pairs are all estimated unless only some are asked for.
const ESTIMATED: usize = 2000;

pub(crate) fn run(settings: &Settings, command: &args::Overlap) -> Result<Exit> {
    let store = Store::open(&settings.store.value)?;
    let run = store.find(&command.run)?;
    if let Some(since) = &command.since {
        return series(&store, command, &store.find(since)?, &run);
    }
    let observations = RunObservations::open(&run)?;
    let list = command.list.into();
    let accounts = if command.accounts.is_empty() {
        observations.accounts(list)
    } else {
        names::resolve(&run, &command.accounts)?
    };
    if accounts.len() < 2 {
        return Err(Usage::new("an overlap needs two accounts")
            .hint("`followgraph runs --accounts` lists the accounts of a run")
            .into());
    }
    let lists = accounts.iter().map(|a| Ok(observations.of(*a, list)?));
    let lists = lists.collect::<Result<Vec<Observation>>>()?;
    let names = Names::of([&run])?;
    let asked = Asked { settings, command, lists, labels: Labels { accounts, names } };
    match command.top {
        _ if command.approximate => asked.estimated(),
        Some(top) => asked.strongest(top.get()),
        None if asked.lists.len() > WHOLE && !command.cells => asked.pieces(),
        None => asked.whole(),
    }?;
    Ok(Exit::Done)
}

/// How pairs changed from run to run.
fn series(store: &Store, command: &args::Overlap, first: &Run, last: &Run) -> Result<Exit> {
    let list = command.list.into();
    let mut answers = Vec::new();
    let ids = store.run_ids()?.into_iter().filter(|id| (first.id()..=last.id()).contains(id));
    for id in ids {
        let run = store.run(id)?;
        let observations = RunObservations::open(&run)?;
        let mut accounts = observations.accounts(list);
        if !command.accounts.is_empty() {
            let asked = names::resolve(last, &command.accounts)?;
            accounts.retain(|account| asked.contains(account));
        }
        if accounts.len() >= 2 {
            let lists = accounts.iter().map(|a| Ok(observations.of(*a, list)?));
            let lists = lists.collect::<Result<Vec<Observation>>>()?;
            answers.push((id, overlap(&lists, Cells::Skip, &Stream)?));
        }
    }
    if answers.is_empty() {
        let (first, last) = (first.id(), last.id());
        let message = format!("no run from {first} to {last} has two of these {list} lists");
        return Err(Usage::new(message).into());
    }
    let names = Names::of([last])?;
    let screen = || Ok(series_screen(&answers, &names));
    output::deliver(&command.output, screen, || Ok(Frame::overlap_series(&answers)))?;
    Ok(Exit::Done)
}

/// The pairs that share most in the last run, and how that went.
fn series_screen(answers: &[(RunId, Overlap)], names: &Names) -> String {
    let mut pairs: BTreeMap<[AccountId; 2], Vec<Option<Pair>>> = BTreeMap::new();
    for (number, (_, overlap)) in answers.iter().enumerate() {
        for (a, b) in overlap.pairs() {
            let key = [overlap.accounts[a], overlap.accounts[b]];
            let course = pairs.entry(key).or_insert_with(|| vec![None; answers.len()]);
            course[number] = Some(overlap.pair(a, b));
        }
    }
    let share = |pair: &Option<Pair>| pair.and_then(|pair| pair.jaccard());
    let mut pairs: Vec<_> = pairs.into_iter().collect();
    pairs.sort_by(|(_, one), (_, other)| {
        let last = |course: &[Option<Pair>]| course.last().and_then(share).unwrap_or(0.0);
        last(other).total_cmp(&last(one))
    });
    let (first, last) = (answers[0].0, answers[answers.len() - 1].0);
    let runs = counted(answers.len() as u64, "run");
    let mut text = format!("Jaccard overlap over {runs}, {first} to {last}\n\n");
    let headings = [
        ("one", Align::Left),
        ("and the other", Align::Left),
        ("first", Align::Right),
        ("last", Align::Right),
        ("course", Align::Left),
    ];
    let row = |(key, course): &([AccountId; 2], Vec<Option<Pair>>)| {
        let shares: Vec<_> = course.iter().map(share).collect();
        vec![
            names.label(key[0]),
            names.label(key[1]),
            percent(shares.iter().flatten().next().copied()),
            percent(shares.iter().flatten().last().copied()),
            output::sparkline(&shares, COURSE),
        ]
    };
    text.push_str(&output::table(&headings, pairs.iter().take(SHOWN).map(row)));
    if pairs.len() > SHOWN {
        let more = grouped((pairs.len() - SHOWN) as u64);
        let _ = writeln!(text, "and {more} more pairs; --format csv lists them all");
    }
    text
}

/// A question that only waits for an answer.
struct Asked<'a> {
    settings: &'a Settings,
    command: &'a args::Overlap,
    lists: Vec<Observation>,
    labels: Labels,
}

struct Labels {
    accounts: Vec<AccountId>,
    names: Names,
}

impl Labels {
    fn of(&self, list: usize) -> String {
        self.names.label(self.accounts[list])
    }
}

impl Asked<'_> {
    /// All pairs, and cells.
    fn whole(&self) -> Result<()> {
        let cells = if self.command.cells { Cells::Count } else { Cells::Skip };
        let answer = overlap(&self.lists, cells, &Stream)?;
        self.say_how(&answer.work);
        let frame = || Frame::overlap_cells(&answer).unwrap_or_else(|| Frame::from(&answer));
        output::deliver(
            &self.command.output,
            || Ok(screen(&answer, &self.labels.names)),
            || Ok(frame()),
        )
    }

    /// All pairs of very many lists: the strongest at a terminal, the others to a file as they
    /// are counted.
    fn pieces(&self) -> Result<()> {
        let Output { format, output } = &self.command.output;
        let Some(format) = format.of_file() else { return self.strongest(SHOWN) };
        let like = Frame::overlaps(&self.lists, &[]);
        let work = output::deliver_pieces(format, output, &like, |writer| {
            let write = |pairs: Vec<Pair>| writer.append(Frame::overlaps(&self.lists, &pairs));
            Ok(overlap_each(&self.lists, &Stream, write)?)
        })?;
        self.say_how(&work);
        Ok(())
    }

    fn strongest(&self, top: usize) -> Result<()> {
        let answer = overlap_strongest(&self.lists, top, self.command.by.into(), &Stream)?;
        self.say_how(&answer.work);
        let more = all_pairs(self.lists.len()).saturating_sub(answer.pairs.len());
        output::deliver(
            &self.command.output,
            || {
                let table = ranking(&answer.pairs, more, |list| self.labels.of(list));
                Ok(table + note(&answer.sides))
            },
            || Ok(Frame::from(&answer)),
        )
    }

    fn estimated(&self) -> Result<()> {
        let shown = self.command.output.format.of_file().is_none();
        let top = match self.command.top {
            Some(top) => top.get(),
            None if shown => SHOWN,
            None if self.lists.len() > ESTIMATED => {
                let many = grouped(all_pairs(self.lists.len()) as u64);
                return Err(Usage::new(format!("{many} pairs are too many to estimate all"))
                    .hint("ask for the strongest: --top 100000")
                    .into());
            }
            None => usize::MAX,
        };
        let answer = overlap_estimated(&self.lists, top, self.command.by.into(), &Stream)?;
        output::deliver(
            &self.command.output,
            || Ok(estimates(&answer, |list| self.labels.of(list)) + note(&answer.sides)),
            || Ok(Frame::from(&answer)),
        )
    }

    /// Says how it was counted, where that is not the only way it could have been.
    fn say_how(&self, work: &Work) {
        if !self.settings.quiet && work.bits_from > 0 {
            output::remark(work);
        }
    }
}

fn all_pairs(lists: usize) -> usize {
    lists * lists.saturating_sub(1) / 2
}

/// What a person sees: a matrix if it fits, the strongest pairs, and cells if counted.
pub(crate) fn screen(answer: &Overlap, names: &Names) -> String {
    let labels: Vec<_> = answer.accounts.iter().map(|a| names.label(*a)).collect();
    let mut text = String::new();
    if answer.len() <= MATRIX {
        text.push_str(&matrix(answer, &labels));
        text.push('\n');
    }
    let all = all_pairs(answer.len());
    let strongest = answer.strongest(SHOWN, By::Jaccard);
    text.push_str(&ranking(&strongest, all - strongest.len(), |list| labels[list].clone()));
    if let Some(cells) = &answer.cells {
        text.push('\n');
        text.push_str(&exclusive(cells, &labels));
    }
    text + note(&answer.sides)
}

/// What the marks mean, if there are any.
fn note(sides: &[Side]) -> &'static str {
    if sides.iter().all(|side| side.state.is_complete()) {
        return "";
    }
    "\n*: a list was not read to its end: counts of both, either and members are lower bounds; \
     shares and combinations are of what was seen\n"
}

/// Row percent: of the members of the row's account, how many the column's has too.
fn matrix(answer: &Overlap, labels: &[String]) -> String {
    let numbers: Vec<_> = (1..=answer.len()).map(|n| n.to_string()).collect();
    let mut headings = vec![("share of a row's members", Align::Left), ("members", Align::Right)];
    headings.extend(numbers.iter().map(|n| (n.as_str(), Align::Right)));
    let row = |i: usize| {
        let mark = if answer.is_exact(i, i) { "" } else { "*" };
        let mut cells = vec![format!("{} {}{mark}", i + 1, labels[i]), grouped(answer.size(i))];
        cells.extend((0..answer.len()).map(|j| match answer.containment(i, j) {
            _ if i == j => "·".to_owned(),
            Some(share) => format!("{:.0}%", 100.0 * share),
            None => "-".to_owned(),
        }));
        cells
    };
    output::table(&headings, (0..answer.len()).map(row))
}

/// Pairs as they come, and how many more there are.
fn ranking(pairs: &[Pair], more: usize, label: impl Fn(usize) -> String) -> String {
    let headings = [
        ("pair", Align::Left),
        ("", Align::Left),
        ("both", Align::Right),
        ("either", Align::Right),
        ("Jaccard", Align::Right),
        ("overlap coeff.", Align::Right),
        ("", Align::Left),
    ];
    let row = |pair: &Pair| {
        vec![
            label(pair.a),
            label(pair.b),
            grouped(pair.intersection),
            grouped(pair.union()),
            percent(pair.jaccard()),
            percent(pair.overlap_coefficient()),
            if pair.exact { "" } else { "*" }.to_owned(),
        ]
    };
    let mut text = output::table(&headings, pairs.iter().map(row));
    if more > 0 {
        let more = grouped(more as u64);
        let _ = writeln!(text, "and {more} more pairs; --format csv lists them all");
    }
    text
}

fn estimates(answer: &Estimates, label: impl Fn(usize) -> String) -> String {
    let headings = [
        ("pair", Align::Left),
        ("", Align::Left),
        ("both, about", Align::Right),
        ("at least", Align::Right),
        ("at most", Align::Right),
        ("Jaccard", Align::Right),
        ("overlap coeff.", Align::Right),
        ("", Align::Left),
    ];
    let row = |pair: &analysis::Estimate| {
        vec![
            label(pair.a),
            label(pair.b),
            grouped(pair.intersection),
            grouped(pair.at_least),
            grouped(pair.at_most),
            percent(pair.jaccard()),
            percent(pair.overlap_coefficient()),
            if pair.complete { "" } else { "*" }.to_owned(),
        ]
    };
    let mut text = output::table(&headings, answer.pairs.iter().map(row));
    let _ = writeln!(
        text,
        "estimated from {} members of each list; {:.0}% of pairs lie within their bounds",
        grouped(answer.sampled),
        100.0 * CONFIDENCE
    );
    text
}

fn exclusive(cells: &[analysis::Cell], labels: &[String]) -> String {
    let mut cells = cells.to_vec();
    cells.sort_by_key(|cell| (std::cmp::Reverse(cell.members), cell.mask));
    let headings = [("members", Align::Right), ("of exactly these", Align::Left)];
    let row = |cell: &analysis::Cell| {
        let members: Vec<_> = cell.lists().map(|i| labels[i].as_str()).collect();
        vec![grouped(cell.members), members.join(" ")]
    };
    let mut text = output::table(&headings, cells.iter().take(SHOWN).map(row));
    if cells.len() > SHOWN {
        let more = grouped((cells.len() - SHOWN) as u64);
        let _ = writeln!(text, "and {more} more combinations; --format csv lists them all");
    }
    text
}
