//! `followgraph fingerprint`: positions against the ages of accounts, and what stands out.

use std::fmt::Write as _;

use analysis::engine::Stream;
use analysis::when::{
    Block, BlockKind, Fingerprint, Followed, Grid, fingerprint, follow_times_each,
};
use analysis::{Frame, Observation};
use anyhow::Result;
use jiff::Timestamp;

use super::growth::{asked, untold};
use crate::args;
use crate::exit::Exit;
use crate::names::Names;
use crate::output::{self, Align, grouped};
use crate::settings::Settings;

/// Blocks, or members, of a list shown at a terminal; files get all of them.
const SHOWN: usize = 20;

/// Stretches of time in a line of the plot.
const BINS_IN_A_LINE: usize = 2;

pub(crate) fn run(settings: &Settings, command: &args::Fingerprint) -> Result<Exit> {
    let (run, lists, names) = asked(settings, &command.lists)?;
    let answer =
        |list: &Observation| fingerprint(list, &Stream)?.map_err(|why| untold(list, why, &names));
    let answers = lists.iter().map(answer).collect::<Result<Vec<_>>>()?;
    let context = |frame: Frame| frame.with_context("run", run.id().to_string());
    if let Some(format) = command.output.format.of_file().filter(|_| command.members) {
        let like = context(Frame::no_fingerprint_members());
        output::deliver_pieces(format, &command.output.output, &like, |rows| {
            for (list, answer) in lists.iter().zip(&answers) {
                members(list, answer, &mut |some| {
                    rows.append(Frame::fingerprint_members(answer, &some))
                })?;
            }
            Ok(())
        })?;
        return Ok(Exit::Done);
    }
    let screen = || screen(command, &lists, &answers, &names);
    let frame = || {
        Ok(context(match (command.grid, command.ages) {
            (true, _) => Frame::fingerprint_grids(&answers),
            (_, true) => Frame::account_ages(&answers),
            _ => Frame::fingerprints(&answers),
        }))
    };
    output::deliver(&command.output, screen, frame)?;
    Ok(Exit::Done)
}

/// The members of the blocks of a list, piece by piece.
fn members(
    list: &Observation,
    answer: &Fingerprint,
    take: &mut (dyn FnMut(Vec<Followed>) -> Result<(), analysis::Error> + Send),
) -> Result<()> {
    let only = |position| answer.blocks.iter().any(|block| answer.is_in(block, position));
    Ok(follow_times_each(list, answer.times(), &Stream, only, take)?)
}

fn screen(
    command: &args::Fingerprint,
    lists: &[Observation],
    answers: &[Fingerprint],
    names: &Names,
) -> Result<String> {
    let mut texts = Vec::new();
    for (list, answer) in lists.iter().zip(answers) {
        texts.push(if command.ages {
            ages(answer, names)
        } else if command.members {
            newest(list, answer, names)?
        } else {
            let mut text = plot(answer, names);
            if !command.grid {
                text.push_str(&blocks(answer));
            }
            text
        });
    }
    Ok(texts.join("\n"))
}

fn title(answer: &Fingerprint, names: &Names, by: &str) -> String {
    let dated = match answer.side.members - answer.dated {
        0 => String::new(),
        others => format!(" ({} of unknown age left out)", grouped(others)),
    };
    let whose = names.label(answer.account);
    format!("{} {} of {whose}{dated}, by {by}\n\n", grouped(answer.dated), answer.list)
}

/// The newest follows to the right, the youngest accounts on top.
fn plot(answer: &Fingerprint, names: &Names) -> String {
    let mut text = title(answer, names, "position and by when their accounts were made");
    let Grid { columns, edges, counts } = &answer.grid;
    let bins = edges.len() - 1;
    let lines: Vec<usize> = (0..bins).step_by(BINS_IN_A_LINE).collect();
    let cell = |column: &Vec<u64>, line: usize| -> u64 {
        column[line..(line + BINS_IN_A_LINE).min(bins)].iter().sum()
    };
    let cells = counts.iter().flat_map(|column| lines.iter().map(move |line| cell(column, *line)));
    let most = cells.max().unwrap_or(0);
    for line in lines.iter().rev() {
        let shades: String = counts.iter().rev().map(|c| shade(cell(c, *line), most)).collect();
        let _ = writeln!(text, "{} │{}", edges[*line].strftime("%Y-%m"), shades.trim_end());
    }
    let _ = writeln!(text, "        └{}", "─".repeat(columns.len()));
    let (old, new) = ("first to follow", "last");
    if let Some(space) = columns.len().checked_sub(old.len() + new.len() + 1) {
        let _ = writeln!(text, "         {old}{}{new}", " ".repeat(space + 1));
    }
    text
}

/// Darker for more, by the square root of their share of the most.
fn shade(members: u64, most: u64) -> char {
    const SHADES: [char; 5] = ['·', '░', '▒', '▓', '█'];
    if members == 0 {
        return ' ';
    }
    // 1, 4, 9 and 16 twenty-fifths of the most.
    let share = u128::from(members) * 25 / u128::from(most.max(1));
    SHADES[[1, 4, 9, 16].into_iter().filter(|least| share >= *least).count()]
}

fn blocks(answer: &Fingerprint) -> String {
    if answer.blocks.is_empty() {
        return "\nno stretch of the list is unlike its neighbourhood\n".to_owned();
    }
    let headings = [
        ("", Align::Right),
        ("what", Align::Left),
        ("positions", Align::Left),
        ("members", Align::Right),
        ("made", Align::Left),
        ("followed, about", Align::Left),
        ("chance", Align::Left),
    ];
    let row = |(number, block): (usize, &Block)| {
        vec![
            number.to_string(),
            word(block.kind).to_owned(),
            format!(
                "{}-{}",
                grouped(block.positions.start.into()),
                grouped(u64::from(block.positions.end) - 1)
            ),
            grouped(block.members),
            block.created.map_or_else(String::new, |of| span(of.earliest, of.latest)),
            span(block.estimated.earliest, block.estimated.latest),
            format!("1e{:.0}", block.log10_chance.ceil()),
        ]
    };
    let shown = (1..).zip(&answer.blocks).take(SHOWN);
    let mut text = format!("\n{}", output::table(&headings, shown.map(row)));
    let more = answer.blocks.len().saturating_sub(SHOWN);
    if more > 0 {
        let _ = writeln!(text, "and {more} more; --format csv lists them all");
    }
    text.push('\n');
    let kinds = [BlockKind::CreatedClose, BlockKind::CreatedInOrder, BlockKind::FollowedDense];
    for kind in kinds {
        if answer.blocks.iter().any(|block| block.kind == kind) {
            let _ = writeln!(text, "{}: {}", word(kind), meaning(kind));
        }
    }
    text.push_str(
        "chance: how many such blocks it makes in a list that has only chance\n\
         these are facts about dates; what they are due to, they do not tell\n",
    );
    text
}

const fn word(kind: BlockKind) -> &'static str {
    match kind {
        BlockKind::CreatedClose => "close",
        BlockKind::CreatedInOrder => "order",
        _ => "dense",
    }
}

const fn meaning(kind: BlockKind) -> &'static str {
    match kind {
        BlockKind::CreatedClose => "many accounts made within a short time, unlike those around",
        BlockKind::CreatedInOrder => {
            "accounts in the order in which they were made, or the opposite"
        }
        _ => "follows much denser in time than before and after",
    }
}

/// A day, and how many more.
fn span(from: Timestamp, until: Timestamp) -> String {
    let days = (until.as_second() - from.as_second()) / 86_400;
    let more = if days > 0 { format!(" +{days}d") } else { String::new() };
    format!("{}{more}", from.strftime("%F"))
}

fn ages(answer: &Fingerprint, names: &Names) -> String {
    let mut text = title(answer, names, "the age of their accounts");
    let analysis::when::Ages(years) = &answer.ages;
    let most = years.iter().copied().max().unwrap_or(0);
    let headings = [("years", Align::Right), ("members", Align::Right), ("", Align::Left)];
    let row = |(age, members): (u64, &u64)| {
        vec![age.to_string(), grouped(*members), output::bar(*members, most, 48)]
    };
    text.push_str(&output::table(&headings, (0..).zip(years).map(row)));
    text
}

/// The newest members of the blocks.
fn newest(list: &Observation, answer: &Fingerprint, names: &Names) -> Result<String> {
    let mut found: Vec<Followed> = Vec::new();
    let mut all = 0;
    members(list, answer, &mut |some| {
        all += some.len();
        found.extend(some);
        found.sort_unstable_by_key(|member| member.position);
        found.truncate(SHOWN);
        Ok(())
    })?;
    let headings = [
        ("member", Align::Right),
        ("position", Align::Right),
        ("made", Align::Left),
        ("followed, about", Align::Left),
        ("blocks", Align::Left),
    ];
    let row = |member: &Followed| {
        let blocks = (1..).zip(&answer.blocks);
        let own = blocks.filter(|(_, block)| answer.is_in(block, member.position));
        let own = own.map(|(number, block)| format!("{number} {}", word(block.kind)));
        vec![
            member.member.to_string(),
            grouped(member.position.into()),
            member.created.map_or_else(String::new, |of| of.earliest.strftime("%F").to_string()),
            member.estimate.strftime("%F").to_string(),
            own.collect::<Vec<_>>().join(", "),
        ]
    };
    let mut text = title(answer, names, "the blocks that they are in");
    text.push_str(&output::table(&headings, found.iter().map(row)));
    if all > found.len() {
        let more = grouped((all - found.len()) as u64);
        let _ = writeln!(text, "and {more} more; --format csv lists them all");
    }
    Ok(text)
}
