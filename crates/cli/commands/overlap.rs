//! `followgraph overlap`: whose audiences overlap, and by how much.

use std::fmt::Write as _;

use analysis::engine::Stream;
use analysis::{Cells, Frame, Observation, Overlap, RunObservations, overlap};
use anyhow::Result;
use snapshot::Store;

use crate::args;
use crate::exit::{Exit, Usage};
use crate::names::{self, Names};
use crate::output::{self, Align, grouped, percent};
use crate::settings::Settings;

/// Accounts that fit across a terminal as a matrix.
const MATRIX: usize = 12;
/// Rows of a ranking at a terminal; files get all of them.
const SHOWN: usize = 20;

pub(crate) fn run(settings: &Settings, command: &args::Overlap) -> Result<Exit> {
    let run = Store::open(&settings.store.value)?.find(&command.run)?;
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
    let cells = if command.cells { Cells::Count } else { Cells::Skip };
    let answer = overlap(&lists, cells, &Stream)?;
    let names = Names::of([&run])?;
    let frame = || Frame::overlap_cells(&answer).unwrap_or_else(|| Frame::from(&answer));
    output::deliver(&command.output, || Ok(screen(&answer, &names)), || Ok(frame()))?;
    Ok(Exit::Done)
}

/// What a person sees: a matrix if it fits, the strongest pairs, and cells if counted.
pub(crate) fn screen(answer: &Overlap, names: &Names) -> String {
    let labels: Vec<_> = answer.accounts.iter().map(|a| names.label(*a)).collect();
    let mut text = String::new();
    if answer.len() <= MATRIX {
        text.push_str(&matrix(answer, &labels));
        text.push('\n');
    }
    text.push_str(&pairs(answer, &labels));
    if let Some(cells) = &answer.cells {
        text.push('\n');
        text.push_str(&exclusive(cells, &labels));
    }
    if answer.sides.iter().any(|side| !side.state.is_complete()) {
        text.push_str(
            "\n*: a list was not read to its end: counts of both, either and members are lower \
             bounds; shares and combinations are of what was seen\n",
        );
    }
    text
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

fn pairs(answer: &Overlap, labels: &[String]) -> String {
    let mut pairs: Vec<_> = answer.pairs().collect();
    pairs.sort_by(|a, b| {
        let jaccard = |&(i, j): &(usize, usize)| answer.jaccard(i, j).unwrap_or(-1.0);
        jaccard(b).total_cmp(&jaccard(a)).then(a.cmp(b))
    });
    let headings = [
        ("pair", Align::Left),
        ("", Align::Left),
        ("both", Align::Right),
        ("either", Align::Right),
        ("Jaccard", Align::Right),
        ("overlap coeff.", Align::Right),
        ("", Align::Left),
    ];
    let row = |&(i, j): &(usize, usize)| {
        vec![
            labels[i].clone(),
            labels[j].clone(),
            grouped(answer.intersection(i, j)),
            grouped(answer.union(i, j)),
            percent(answer.jaccard(i, j)),
            percent(answer.overlap_coefficient(i, j)),
            if answer.is_exact(i, j) { "" } else { "*" }.to_owned(),
        ]
    };
    let mut text = output::table(&headings, pairs.iter().take(SHOWN).map(row));
    if pairs.len() > SHOWN {
        let more = grouped((pairs.len() - SHOWN) as u64);
        let _ = writeln!(text, "and {more} more pairs; --format csv lists them all");
    }
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
