//! `followgraph growth`: when the members of a list followed.

use std::fmt::Write as _;

use analysis::engine::Stream;
use analysis::when::{FollowTimes, Followed, Grown, Growth, NoOrder, Period, follow_times_each};
use analysis::{Format, Frame, Observation, RunObservations};
use anyhow::Result;
use snapshot::{AccountId, Run, Store};

use crate::args;
use crate::exit::{Exit, Usage};
use crate::names::{self, Names};
use crate::output::{self, Align, counted, grouped, minute};
use crate::settings::Settings;

/// Periods, or members, of a list shown at a terminal; files get all of them.
const SHOWN: usize = 40;

/// Characters of the longest bar.
const BAR: usize = 24;

pub(crate) fn run(settings: &Settings, command: &args::Growth) -> Result<Exit> {
    let (run, lists, names) = asked(settings, &command.lists)?;
    if command.members {
        members(command, &lists, &run, &names)?;
        return Ok(Exit::Done);
    }
    let mut answers = Vec::new();
    for list in &lists {
        let times = follow_times(list, &names)?;
        let by = |period| Growth::of(list, &times, period).map_err(|why| untold(list, why, &names));
        answers.push(match command.by {
            Some(period) => by(period.into())?,
            None => shortest(by)?,
        });
    }
    if !settings.quiet {
        for answer in &answers {
            remark(answer, &names);
        }
    }
    let screen = || Ok(screen(&answers, &names));
    let frame = || Ok(Frame::growth(&answers).with_context("run", run.id().to_string()));
    output::deliver(&command.output, screen, frame)?;
    Ok(Exit::Done)
}

/// The lists that are asked for, their run, and the names that it knows.
pub(super) fn asked(
    settings: &Settings,
    asked: &args::Lists,
) -> Result<(Run, Vec<Observation>, Names)> {
    let run = Store::open(&settings.store.value)?.find(&asked.run)?;
    let observations = RunObservations::open(&run)?;
    let accounts = names::resolve(&run, &asked.accounts)?;
    let list = |account: &AccountId| Ok(observations.of(*account, asked.list.into())?);
    let lists = accounts.iter().map(list).collect::<Result<_>>()?;
    let names = Names::of([&run])?;
    Ok((run, lists, names))
}

/// By the shortest period that fits a screen.
fn shortest(by: impl Fn(Period) -> Result<Growth>) -> Result<Growth> {
    let mut last = by(Period::Year)?;
    for period in Period::ALL.into_iter().rev().skip(1) {
        let shorter = by(period)?;
        if shorter.rows.len() > SHOWN {
            break;
        }
        last = shorter;
    }
    Ok(last)
}

/// The follow times of a list, or why there are none.
fn follow_times(list: &Observation, names: &Names) -> Result<FollowTimes> {
    let times = FollowTimes::of(list, &Stream)?;
    times.map_err(|why| untold(list, why, names))
}

/// What to say, and to do, where a list tells no times.
pub(super) fn untold(list: &Observation, why: NoOrder, names: &Names) -> anyhow::Error {
    let whose = format!("the {} list of {}", list.list(), names.label(list.account()));
    let (reason, hint) = match why {
        NoOrder::NotStated => (
            "nobody says that its order is that of time",
            "if it is, newest first, import it with --newest-first",
        ),
        NoOrder::Sorted => (
            "it is sorted by id",
            "take a snapshot of it, or import it in the order in which it was returned",
        ),
        NoOrder::TimesDisagree => (
            "going by its ids, members followed before they were made",
            "it is in another order than newest first, or of another network",
        ),
        _ => (
            "neither its ids nor its cursors tell any time",
            "the ids of X's accounts do, and its cursors",
        ),
    };
    Usage::new(format!("{whose} does not tell when its members followed: {reason}"))
        .hint(hint)
        .into()
}

/// What the figures of a list are, and are not.
fn remark(growth: &Growth, names: &Names) {
    let whose = names.label(growth.account);
    if !growth.side.state.is_complete() {
        let state = growth.side.state;
        output::remark(format!(
            "{whose}: its list was not read to its end ({state}); who followed before is missing"
        ));
    }
    if growth.contradicting > 0 {
        let some = counted(growth.contradicting, "id");
        output::remark(format!("{whose}: {some} contradict the order and were not gone by"));
    }
}

fn screen(answers: &[Growth], names: &Names) -> String {
    let tables: Vec<String> = answers.iter().map(|answer| table(answer, names)).collect();
    let mut text = tables.join("\n");
    text.push_str(
        "\nfollowed: by estimate, even between members who were new when they followed\n\
         at least, at most: who surely had, and who may have, by the end of the period\n\
         who has left since is not counted: this is not how many there were\n",
    );
    if answers.iter().any(|answer| !answer.has_cursors) {
        text.push_str(
            "no page boundary tells by when somebody had followed, so \"at least\" is idle\n",
        );
    }
    text
}

fn table(answer: &Growth, names: &Names) -> String {
    let members = match answer.list {
        snapshot::List::Followers => "followers of",
        snapshot::List::Following => "accounts followed by",
    };
    let mut text = format!(
        "{} {members} {} on {}, by when they came\n\n",
        grouped(answer.side.members),
        names.label(answer.account),
        answer.side.finished_at.strftime("%F"),
    );
    let headings = [
        (answer.period.name(), Align::Left),
        ("followed", Align::Right),
        ("", Align::Left),
        ("so far", Align::Right),
        ("at least", Align::Right),
        ("at most", Align::Right),
    ];
    let hidden = answer.rows.len().saturating_sub(SHOWN);
    let shown = &answer.rows[hidden..];
    let most = shown.iter().map(|row| row.followed).max().unwrap_or(0);
    let row = |row: &Grown| {
        vec![
            label(row, answer.period),
            grouped(row.followed),
            output::bar(row.followed, most, BAR),
            grouped(row.so_far),
            grouped(row.at_least),
            grouped(row.at_most),
        ]
    };
    if hidden > 0 {
        let before = answer.rows[..hidden].last().map_or(0, |row| row.so_far);
        let _ = writeln!(
            text,
            "{} came in the {} before; --format csv lists them all\n",
            counted(before, "of them").trim_end_matches('s'),
            counted(hidden as u64, answer.period.name()),
        );
    }
    text.push_str(&output::table(&headings, shown.iter().map(row)));
    text
}

fn label(row: &Grown, period: Period) -> String {
    let format = match period {
        Period::Day | Period::Week => "%F",
        Period::Month => "%Y-%m",
        Period::Year => "%Y",
    };
    row.from.strftime(format).to_string()
}

/// One row per member: all of them in a file, the newest at a terminal.
fn members(command: &args::Growth, lists: &[Observation], run: &Run, names: &Names) -> Result<()> {
    let of = |list: &Observation| {
        let times = follow_times(list, names)?;
        if times.tells_times() { Ok(times) } else { Err(untold(list, NoOrder::NoTimes, names)) }
    };
    let Some(format) = command.output.format.of_file() else {
        let mut text = String::new();
        for list in lists {
            let times = of(list)?;
            text.push_str(&newest(list, &times, names)?);
        }
        let frame = || Ok(Frame::growth(&[]));
        return output::deliver(&command.output, || Ok(text), frame);
    };
    // Before anything is written: whether each list tells times at all.
    let times = lists.iter().map(of).collect::<Result<Vec<_>>>()?;
    write_members(command, format, lists, &times, run)
}

fn write_members(
    command: &args::Growth,
    format: Format,
    lists: &[Observation],
    times: &[FollowTimes],
    run: &Run,
) -> Result<()> {
    let like = Frame::follow_times(AccountId::MIN, command.lists.list.into(), &[])
        .with_context("run", run.id().to_string());
    output::deliver_pieces(format, &command.output.output, &like, |rows| {
        for (list, times) in lists.iter().zip(times) {
            follow_times_each(
                list,
                times,
                &Stream,
                |_| true,
                |members| rows.append(Frame::follow_times(list.account(), list.list(), &members)),
            )?;
        }
        Ok(())
    })
}

/// The newest members of a list.
fn newest(list: &Observation, times: &FollowTimes, names: &Names) -> Result<String> {
    let mut members: Vec<Followed> = Vec::new();
    let only = |position: u32| (position as usize) < SHOWN;
    follow_times_each(list, times, &Stream, only, |some| {
        members.extend(some);
        Ok(())
    })?;
    members.sort_unstable_by_key(|member| member.position);
    let headings = [
        ("member", Align::Right),
        ("not before", Align::Left),
        ("about", Align::Left),
        ("not after", Align::Left),
    ];
    let row = |member: &Followed| {
        vec![
            member.member.to_string(),
            minute(member.between.earliest),
            minute(member.estimate),
            minute(member.between.latest),
        ]
    };
    let whose = names.label(list.account());
    let mut text = format!("the newest {} of {whose}, by when they followed\n\n", list.list());
    text.push_str(&output::table(&headings, members.iter().map(row)));
    let more = list.len().saturating_sub(members.len() as u64);
    if more > 0 {
        let _ = writeln!(text, "and {} more; --format csv lists them all", grouped(more));
    }
    Ok(text)
}
