//! `followgraph retention`: how long followers stay.

use std::fmt::Write as _;

use analysis::Frame;
use analysis::history::{ShortStay, retention, short_stays};
use analysis::retention::{Curve, DAYS, RetentionCurves, Settings as Counting};
use anyhow::Result;
use snapshot::{List, Store};

use super::history::{chosen, names, up_to_date};
use crate::args;
use crate::exit::Exit;
use crate::names::Names;
use crate::output::{self, Align, counted, grouped, minute};
use crate::settings::Settings;

/// Stays shown at a terminal; files get all of them.
const SHOWN: usize = 20;

pub(crate) fn run(settings: &Settings, command: &args::Retention) -> Result<Exit> {
    let store = Store::open(&settings.store.value)?;
    let history = up_to_date(settings, &store)?;
    let list: List = command.list.into();
    let accounts = chosen(&store, &history, &command.accounts, list)?;
    let names = names(&store)?;
    if let Some(days) = command.short_stays {
        let found = short_stays(&history, Some(&accounts), days)?;
        let screen = || Ok(short(&found, days, &names));
        output::deliver(&command.output, screen, || Ok(Frame::short_stays(&found)))?;
        return Ok(Exit::Done);
    }
    let curves = accounts.iter().map(|of| retention(&history, *of, list, Counting::default()));
    let curves = curves.collect::<Result<Vec<_>, _>>()?;
    let screen = || Ok(screen(&curves, command.cohorts, &names));
    output::deliver(&command.output, screen, || Ok(Frame::retention(&curves)))?;
    Ok(Exit::Done)
}

/// What a person sees: the shares that stay, a row per account, or per month of each.
fn screen(of: &[RetentionCurves], by_month: bool, names: &Names) -> String {
    let days = DAYS.map(|days| counted(days.into(), "day"));
    let mut headings = vec![("account", Align::Left), ("came in", Align::Left)];
    headings.retain(|(name, _)| by_month || *name != "came in");
    headings.extend([("stays", Align::Right), ("half stay", Align::Right)]);
    headings.extend(days.iter().map(|days| (days.as_str(), Align::Right)));
    let rows = of.iter().flat_map(|of| {
        let shown = of.cohorts.iter().take(if by_month { usize::MAX } else { 1 });
        shown.map(|cohort| {
            let mut row = vec![names.label(of.account)];
            if by_month {
                row.push(cohort.name());
            }
            row.extend(cells(&cohort.curve));
            row
        })
    });
    let mut text = String::from("how many of those who came still follow after so long\n\n");
    text.push_str(&output::table(&headings, rows));
    let (vague, short) = of.iter().fold((0, 0), |(v, s), of| (v + of.vague, s + of.short));
    if vague > 0 {
        let vague = counted(vague, "stay");
        let _ = writeln!(text, "\nleft out: {vague} of whom it is not known when they began");
    }
    if short > 0 {
        let _ =
            writeln!(text, "left out: {} over when they were first seen", counted(short, "stay"));
    }
    text
}

/// How many stays a curve rests on, how long half of them last, and the shares after some days,
/// with their bands.
fn cells(curve: &Curve) -> Vec<String> {
    let median = curve.median().map_or("-".to_owned(), |median| match median.at_most {
        Some(at_most) => format!("{:.0} days", f64::midpoint(median.above, at_most)),
        None => format!("> {:.0} days", median.above),
    });
    let shares = DAYS.iter().map(|days| match curve.at(f64::from(*days)) {
        Some(share) if share.lower > 0.0 || share.highest - share.lowest < 0.1 => {
            let [low, high] = [share.lower, share.upper].map(|share| 100.0 * share);
            format!("{low:.0} to {high:.0} %")
        }
        // Beyond what was seen, or not told at all.
        _ => "-".to_owned(),
    });
    [grouped(curve.members), median].into_iter().chain(shares).collect()
}

/// The stays of a few days only.
fn short(found: &[ShortStay], days: u32, names: &Names) -> String {
    let who = counted(found.len() as u64, "follower");
    let mut text = format!("{who} gone within {} of following\n", counted(days.into(), "day"));
    if found.is_empty() {
        return text;
    }
    let headings = [
        ("account", Align::Left),
        ("follower", Align::Right),
        ("followed after", Align::Left),
        ("gone by", Align::Left),
        ("followed back", Align::Left),
    ];
    let row = |stay: &ShortStay| {
        vec![
            names.label(stay.account),
            stay.member.to_string(),
            minute(stay.followed.earliest),
            minute(stay.left.latest),
            stay.was_followed_back.map_or("-", |was| if was { "yes" } else { "no" }).to_owned(),
        ]
    };
    let _ = write!(text, "\n{}", output::table(&headings, found.iter().take(SHOWN).map(row)));
    if found.len() > SHOWN {
        let more = grouped((found.len() - SHOWN) as u64);
        let _ = writeln!(text, "and {more} more; --format csv lists them all");
    }
    text
}
