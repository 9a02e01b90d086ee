//! `followgraph classify`: what became of the members that a list lost between two runs.

use std::fmt::Write as _;

use analysis::{Fate, Frame, Losses, RunDiff, Standing, Verdict, losses, verdict};
use anyhow::Result;
use ingest::{ErrorKind, LookUpReport, LookUps, SourceKind};
use jiff::{SignedDuration, Timestamp};
use snapshot::{AccountId, Store};

use super::diff::{compare, not_compared};
use super::reading::{connect, duration, limit, of_flags, quoted, retries, with_store};
use super::signals::until_signalled;
use crate::args::{self, Args};
use crate::exit::Exit;
use crate::names::Names;
use crate::output::{self, Align, counted, dollars, grouped};
use crate::progress::Shown;
use crate::settings::Settings;

/// Members shown at a terminal; files get all of them.
const SHOWN: usize = 40;
/// The most that a request looks up, of either API.
const ASKED_AT_ONCE: u64 = 100;

pub(crate) fn run(args: &Args, command: &args::Classify) -> Result<Exit> {
    let settings = Settings::resolve(args, of_flags(&command.asking), None)?;
    settings.limit_questions()?;
    let recheck = duration("--recheck", &command.recheck)?;
    let store = Store::open(&settings.store.value)?;
    let (before, after, lost) = compare(&store, &command.pair)?;
    let classify = Classify { settings: &settings, command, store: &store, lost: &lost, recheck };
    let (found, exit) = classify.look_up_what_is_due()?;
    let names = Names::of([&before, &after])?;
    let frame = || {
        Frame::losses(&found)
            .with_context("before_run", lost.before.to_string())
            .with_context("after_run", lost.after.to_string())
    };
    output::deliver(&command.output, || Ok(screen(&lost, &found, &names)), || Ok(frame()))?;
    if !settings.quiet {
        classify.say_when_it_is_final(&found);
    }
    Ok(exit)
}

struct Classify<'a> {
    settings: &'a Settings,
    command: &'a args::Classify,
    store: &'a Store,
    lost: &'a RunDiff,
    recheck: SignedDuration,
}

impl Classify<'_> {
    fn losses(&self) -> Result<Vec<Losses>> {
        Ok(losses(self.store, &self.lost.diffs, self.recheck)?)
    }

    /// What became of the lost, after looking up those for whom it is time.
    fn look_up_what_is_due(&self) -> Result<(Vec<Losses>, Exit)> {
        let known = self.losses()?;
        let due = verdict::due(all(&known), ingest::network_time(self.store), self.recheck);
        if due.is_empty() {
            return Ok((known, Exit::Done));
        }
        let kind = self.settings.source.value.parse()?;
        let price = self.price(kind, due.len());
        if self.command.offline {
            if !self.settings.quiet {
                output::remark(format!("to be looked up, without --offline: {price}"));
            }
            return Ok((known, Exit::Done));
        }
        let request = self.request(due)?;
        let sources = connect(self.settings, kind)?;
        if !self.settings.quiet {
            output::remark(format!("to be looked up: {price}"));
        }
        let exit = until_signalled(async |stop| {
            let progress = Shown::new(self.settings.quiet);
            let report = ingest::look_up(self.store, &sources, &request, &progress, stop).await?;
            drop(progress);
            Ok(conclude(&report, self.settings.quiet))
        })?;
        Ok((self.losses()?, exit))
    }

    /// How many there are, and what they take.
    fn price(&self, kind: SourceKind, members: usize) -> String {
        let members = members as u64;
        let cost = self.settings.prices.value.look_up(kind, members);
        let cost = cost.map_or(String::new(), |cost| format!(", {}", dollars(cost)));
        let requests = counted(members.div_ceil(ASKED_AT_ONCE), "request");
        format!("{}, {requests}{cost}", counted(members, "lost member"))
    }

    fn request(&self, due: Vec<AccountId>) -> Result<LookUps> {
        let mut request = LookUps::of(due);
        request.fresh_for = self.recheck;
        request.retries = retries(self.settings)?;
        request.prices = self.settings.prices.value.clone();
        limit(&mut request.budget, &self.command.asking)?;
        let mut words = vec!["followgraph classify".to_owned()];
        words.extend(self.command.pair.accounts.iter().map(|account| quoted(account)));
        request.command = with_store(words.join(" "), self.settings);
        let runs = [("before_run", self.lost.before), ("after_run", self.lost.after)];
        request.parameters = runs.map(|(key, run)| (key.to_owned(), run.to_string())).into();
        Ok(request)
    }

    /// How many verdicts may still change, and when to ask again.
    fn say_when_it_is_final(&self, found: &[Losses]) {
        let is_open = |verdict: &&Verdict| verdict.standing == Standing::Provisional;
        let open: Vec<_> = all(found).filter(is_open).collect();
        let (count, never) =
            (all(found).count() as u64, open.iter().filter(|v| v.looked_up_at.is_none()));
        let never = never.count() as u64;
        if never > 0 {
            output::remark(format!("not looked up yet: {} of {}", grouped(never), grouped(count)));
        }
        let Some(last) = open.iter().filter_map(|verdict| verdict.looked_up_at).max() else {
            return;
        };
        let mut again = format!("after {} UTC", minute(last, self.recheck));
        if last + self.recheck <= ingest::network_time(self.store) {
            "now".clone_into(&mut again);
        }
        let provisional = grouped(open.len() as u64 - never);
        let mut text = format!(
            "provisional: {provisional} of {}; run the same command again {again} for final verdicts",
            grouped(count),
        );
        if self.command.pair.before.is_none() || self.command.pair.after == "latest" {
            let (before, after) = (self.lost.before, self.lost.after);
            let _ = write!(
                text,
                "\nif there are newer runs by then, say which: --before {before} --after {after}"
            );
        }
        output::remark(text);
    }
}

/// Every verdict of every list.
fn all(found: &[Losses]) -> impl Iterator<Item = &Verdict> {
    found.iter().flat_map(|losses| &losses.verdicts)
}

/// The first whole minute at which a look-up is due again: `2026-11-25T08:00`.
fn minute(looked_up_at: Timestamp, recheck: SignedDuration) -> String {
    let due = looked_up_at.saturating_add(recheck + SignedDuration::from_secs(59));
    due.map_or_else(|_| "a while".to_owned(), |due| due.strftime("%Y-%m-%dT%H:%M").to_string())
}

/// Says what the look-ups came to.
fn conclude(report: &LookUpReport, quiet: bool) -> Exit {
    if !quiet {
        let cost = report.cost_micro_usd.map_or(String::new(), |c| format!(", {}", dollars(c)));
        let mut text = format!(
            "looked up: {}, {}{cost}",
            counted(report.answered as u64, "member"),
            counted(report.requests, "request"),
        );
        if report.kept > 0 {
            let kept = grouped(report.kept as u64);
            let _ = write!(text, "; {kept} had been answered in a session that was cut off");
        }
        output::remark(text);
    }
    let Some(fatal) = &report.fatal else {
        return if report.unanswered.is_empty() { Exit::Done } else { Exit::Incomplete };
    };
    output::error_of(fatal);
    match fatal.kind() {
        ErrorKind::Credentials => Exit::Credentials,
        ErrorKind::Incomplete => Exit::Incomplete,
        _ => Exit::Failed,
    }
}

/// What a person sees: how many of each fate, then who.
fn screen(lost: &RunDiff, found: &[Losses], names: &Names) -> String {
    let (list, before, after) = (lost.list, lost.before, lost.after);
    let mut text = format!("{list} lost from run {before} to run {after}\n\n");
    let notes = not_compared(lost, names);
    if found.is_empty() {
        text.push_str("no account has this list in both runs, so nothing was compared\n");
    } else if all(found).next().is_none() {
        text.push_str("nobody\n");
    } else {
        text.push_str(&summary(found));
        text.push('\n');
        text.push_str(&members(found, names));
    }
    if !notes.is_empty() {
        let _ = write!(text, "\n{notes}");
    }
    text
}

fn summary(found: &[Losses]) -> String {
    let headings = [
        ("fate", Align::Left),
        ("members", Align::Right),
        ("final", Align::Right),
        ("provisional", Align::Right),
    ];
    let row = |fate: Fate| {
        let of = |standing| all(found).filter(|v| (v.fate, v.standing) == (fate, standing)).count();
        let (done, open) = (of(Standing::Final) as u64, of(Standing::Provisional) as u64);
        let counts = [done + open, done, open].map(grouped);
        (done + open > 0).then(|| [fate.name().to_owned()].into_iter().chain(counts).collect())
    };
    output::table(&headings, Fate::ALL.into_iter().filter_map(row))
}

fn members(found: &[Losses], names: &Names) -> String {
    let headings = [
        ("account", Align::Left),
        ("list", Align::Left),
        ("member", Align::Right),
        ("fate", Align::Left),
        ("standing", Align::Left),
        ("looked up", Align::Left),
    ];
    let of_list = |losses: &'_ Losses, verdict: &Verdict| {
        vec![
            names.label(losses.account),
            losses.list.to_string(),
            verdict.member.to_string(),
            verdict.fate.name().to_owned(),
            verdict.standing.name().to_owned(),
            verdict.looked_up_at.map_or("never".to_owned(), |at| format!("{at:.0}")),
        ]
    };
    let rows =
        found.iter().flat_map(|losses| losses.verdicts.iter().map(move |v| of_list(losses, v)));
    let mut text = output::table(&headings, rows.take(SHOWN));
    let count = all(found).count();
    if count > SHOWN {
        let more = grouped((count - SHOWN) as u64);
        let _ = writeln!(text, "and {more} more; --format csv lists them all");
    }
    text
}
