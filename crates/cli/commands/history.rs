//! `followgraph history`: how lists grew over all runs, and what came and went.

use std::fmt::Write as _;

use analysis::Frame;
use analysis::history::{
    Event, EventKind, Growth, Period, Spike, Updated, events_each, series, spikes, update,
};
use anyhow::Result;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use snapshot::{AccountId, History, HistoryCrawl, List, Spell, Store};

use crate::args;
use crate::exit::Exit;
use crate::names::Names;
use crate::output::{self, Align, counted, grouped, minute};
use crate::settings::Settings;

/// Rows shown per account at a terminal; files get all of them.
const SHOWN: usize = 30;

/// The width of the line of blocks.
const WIDTH: usize = 60;

/// Rows that are written at a time.
const PIECE: usize = 1 << 14;

pub(crate) fn run(settings: &Settings, command: &args::History) -> Result<Exit> {
    let store = Store::open(&settings.store.value)?;
    let history = up_to_date(settings, &store)?;
    let list = command.list.into();
    let accounts = chosen(&store, &history, &command.accounts, list)?;
    if command.spells {
        return spells(&history, list, &accounts, command);
    }
    let window = Window { from: command.from, to: command.to };
    if command.events {
        return events(&history, list, &accounts, window, command);
    }
    let mut spikes = spikes(&history, list, Some(&accounts))?;
    spikes
        .retain(|spike| window.has(&history.crawls_of(spike.account, list)[spike.crawl as usize]));
    if command.spikes {
        let screen = || Ok(spikes_screen(&spikes, &names(&store)?));
        output::deliver(&command.output, screen, || Ok(Frame::history_spikes(&spikes)))?;
        return Ok(Exit::Done);
    }
    let by = Period::from(command.by);
    let rows = accounts.iter().map(|account| {
        let crawls = history.crawls_of(*account, list);
        let crawls: Vec<_> = crawls.iter().filter(|crawl| window.has(crawl)).cloned().collect();
        (*account, series(&crawls, by))
    });
    let rows: Vec<(AccountId, Vec<Growth>)> = rows.collect();
    let screen = || Ok(screen(&rows, &spikes, list, by, &names(&store)?));
    let frame = || {
        let rows: Vec<_> = rows.iter().flat_map(|(_, rows)| rows.iter().cloned()).collect();
        Ok(Frame::history(&rows))
    };
    output::deliver(&command.output, screen, frame)?;
    Ok(Exit::Done)
}

/// The store's history with all its runs, and a remark if it had to be made anew.
pub(crate) fn up_to_date(settings: &Settings, store: &Store) -> Result<History> {
    let (history, Updated { added, rebuilt }) = update(store)?;
    if let Some(why) = rebuilt.filter(|_| !settings.quiet) {
        let runs = counted(added as u64, "run");
        output::remark(format!("the history was made anew from {runs}: {why}"));
    }
    Ok(history)
}

/// The handles that the newest run knows.
pub(crate) fn names(store: &Store) -> Result<Names> {
    let latest = store.find("latest").ok();
    Names::of(latest.as_ref())
}

/// The account that goes by a name in the newest run that knows it, or by its id.
pub(crate) fn account(store: &Store, name: &str) -> Result<AccountId> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let mut unknown = None;
    for run in store.run_ids()?.into_iter().rev() {
        match store.run(run)?.account(name) {
            Ok(account) => return Ok(account),
            Err(e) => unknown = unknown.or(Some(e)),
        }
    }
    match unknown {
        Some(e) => Err(e.into()),
        None => Ok(store.find("latest")?.account(name)?),
    }
}

pub(crate) fn chosen(
    store: &Store,
    history: &History,
    named: &[String],
    list: List,
) -> Result<Vec<AccountId>> {
    if named.is_empty() {
        return Ok(history.accounts(list));
    }
    let mut accounts = Vec::new();
    for name in named {
        let account = account(store, name)?;
        if !accounts.contains(&account) {
            accounts.push(account);
        }
    }
    accounts.sort_unstable();
    Ok(accounts)
}

/// The days that are asked for.
#[derive(Clone, Copy)]
struct Window {
    from: Option<Date>,
    to: Option<Date>,
}

impl Window {
    fn has(self, crawl: &HistoryCrawl) -> bool {
        let day = day(crawl.finished_at);
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }
}

fn day(time: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(time).date()
}

fn spells(
    history: &History,
    list: List,
    accounts: &[AccountId],
    command: &args::History,
) -> Result<Exit> {
    let wanted = |spell: &Spell| accounts.binary_search(&spell.account).is_ok();
    let Some(format) = command.output.format.of_file() else {
        let (mut first, mut all) = (Vec::new(), 0);
        for group in groups(history, list) {
            let some: Vec<_> = group?.into_iter().filter(wanted).collect();
            all += some.len();
            first.extend(some.into_iter().take(SHOWN - first.len()));
        }
        let screen = || Ok(spells_screen(&first, all, history, list));
        output::deliver(&command.output, screen, || {
            Ok(Frame::history_spells(history.crawls(), list, &first))
        })?;
        return Ok(Exit::Done);
    };
    let like = Frame::history_spells(history.crawls(), list, &[]);
    output::deliver_pieces(format, &command.output.output, &like, |rows| {
        for group in groups(history, list) {
            let some: Vec<_> = group?.into_iter().filter(wanted).collect();
            rows.append(Frame::history_spells(history.crawls(), list, &some))?;
        }
        Ok(())
    })?;
    Ok(Exit::Done)
}

fn groups(history: &History, list: List) -> impl Iterator<Item = Result<Vec<Spell>>> {
    let file = history.spells(list);
    file.into_iter().flat_map(|file| (0..file.groups()).map(|group| Ok(file.group(group)?)))
}

fn spells_screen(first: &[Spell], all: usize, history: &History, list: List) -> String {
    let mut text = format!("{} of {list}\n\n", counted(all as u64, "spell"));
    let headings = [
        ("account", Align::Right),
        ("member", Align::Right),
        ("seen from", Align::Left),
        ("until", Align::Left),
        ("began", Align::Left),
        ("ended", Align::Left),
    ];
    let row = |spell: &Spell| {
        let crawls = history.crawls_of(spell.account, list);
        vec![
            spell.account.to_string(),
            spell.member.to_string(),
            day(crawls[spell.first_seen as usize].finished_at).to_string(),
            day(crawls[spell.last_seen as usize].started_at).to_string(),
            spell.began.name().replace('_', " "),
            spell.ended.name().to_owned(),
        ]
    };
    text.push_str(&output::table(&headings, first.iter().map(row)));
    and_more(&mut text, all.saturating_sub(first.len()));
    text
}

fn events(
    history: &History,
    list: List,
    accounts: &[AccountId],
    window: Window,
    command: &args::History,
) -> Result<Exit> {
    let wanted = |event: &Event| {
        window.has(&history.crawls_of(event.account, list)[event.shown_by as usize])
    };
    let Some(format) = command.output.format.of_file() else {
        let (mut first, mut all) = (Vec::new(), 0_usize);
        events_each(history, list, Some(accounts), |event| {
            if wanted(&event) {
                all += 1;
                first.extend(Some(event).filter(|_| all <= SHOWN));
            }
            Ok(())
        })?;
        let screen = || Ok(events_screen(&first, all, list));
        output::deliver(&command.output, screen, || Ok(Frame::history_events(list, &first)))?;
        return Ok(Exit::Done);
    };
    let like = Frame::history_events(list, &[]);
    output::deliver_pieces(format, &command.output.output, &like, |rows| {
        let mut piece = Vec::new();
        events_each(history, list, Some(accounts), |event| {
            piece.extend(Some(event).filter(&wanted));
            if piece.len() == PIECE {
                rows.append(Frame::history_events(list, &piece))?;
                piece.clear();
            }
            Ok(())
        })?;
        Ok(rows.append(Frame::history_events(list, &piece))?)
    })?;
    Ok(Exit::Done)
}

fn events_screen(first: &[Event], all: usize, list: List) -> String {
    let mut text = format!("{} in {list}\n\n", counted(all as u64, "event"));
    let headings = [
        ("account", Align::Right),
        ("", Align::Left),
        ("member", Align::Right),
        ("event", Align::Left),
        ("not before", Align::Left),
        ("not after", Align::Left),
    ];
    let row = |event: &Event| {
        vec![
            event.account.to_string(),
            if event.kind == EventKind::Lost { "-" } else { "+" }.to_owned(),
            event.member.to_string(),
            event.kind.name().to_owned(),
            minute(event.when.earliest),
            minute(event.when.latest),
        ]
    };
    text.push_str(&output::table(&headings, first.iter().map(row)));
    and_more(&mut text, all.saturating_sub(first.len()));
    text
}

fn and_more(text: &mut String, more: usize) {
    if more > 0 {
        let _ = writeln!(text, "and {} more; --format csv lists them all", grouped(more as u64));
    }
}

/// What a person sees: for each account a table with its newest rows, and its size as blocks.
fn screen(
    lists: &[(AccountId, Vec<Growth>)],
    spikes: &[Spike],
    list: List,
    by: Period,
    names: &Names,
) -> String {
    let mut text = String::new();
    let mut is_unknown = false;
    for (account, rows) in lists {
        if !text.is_empty() {
            text.push('\n');
        }
        let Some((first, last)) = rows.first().zip(rows.last()) else {
            let _ = writeln!(text, "{list} of {}: no crawl of them", names.label(*account));
            continue;
        };
        let crawls: u64 = rows.iter().map(|row| u64::from(row.crawls)).sum();
        let (from, until) = (day(first.finished_at), day(last.finished_at));
        let _ = writeln!(
            text,
            "{list} of {}: {}, {from} to {until}\n",
            names.label(*account),
            counted(crawls, "crawl"),
        );
        let unknown = rows.iter().any(|row| row.unseen > 0);
        is_unknown |= unknown;
        text.push_str(&table(&rows[rows.len().saturating_sub(SHOWN)..], by, unknown));
        if rows.len() > SHOWN {
            let more = grouped((rows.len() - SHOWN) as u64);
            let _ = writeln!(text, "and {more} before; --format csv lists them all");
        }
        if rows.len() > 1 {
            let _ = writeln!(text, "\n{}", course(rows));
        }
        for spike in spikes.iter().filter(|spike| spike.account == *account) {
            let _ = writeln!(text, "\n{}", spike_told(spike));
        }
    }
    if is_unknown {
        text.push_str("\nunseen: counted as members, and not looked for by the last crawl\n");
    }
    text
}

/// A step at which far more were lost than usual, in a sentence or two.
fn spike_told(spike: &Spike) -> String {
    let Spike { run, lost, expected, others, others_with_spike, .. } = spike;
    let mut text = format!("run {run}: {} lost, where {expected:.0} is usual", grouped(*lost));
    match spike.evenness {
        None => text.push_str("; the order does not tell when they had followed"),
        Some(chance) => {
            let _ = write!(text, "; p = {chance:.3} that they left whenever they had followed");
        }
    }
    if *others > 0 {
        let _ = write!(text, "\n  the same in {others_with_spike} of {others} other lists");
    }
    text.push_str(match spike.looks_like_the_network() {
        None => "",
        Some(true) => "\n  it looks like the network's own doing",
        Some(false) => "\n  it does not look like the network's own doing",
    });
    text
}

fn spikes_screen(spikes: &[Spike], names: &Names) -> String {
    if spikes.is_empty() {
        return "no list lost far more than usual, of those with five earlier steps to compare\n"
            .to_owned();
    }
    let told = spikes.iter().map(|s| format!("{}, {}\n", names.label(s.account), spike_told(s)));
    told.collect::<Vec<_>>().join("\n")
}

fn table(rows: &[Growth], by: Period, unknown: bool) -> String {
    let mut headings = vec![
        (
            match by {
                Period::Run => "run",
                Period::Day => "day",
                Period::Week => "week from",
            },
            Align::Left,
        ),
        ("found", Align::Right),
        ("new", Align::Right),
        ("back", Align::Right),
        ("lost", Align::Right),
        ("after", Align::Right),
        ("churn", Align::Right),
    ];
    if unknown {
        headings.push(("unseen", Align::Right));
    }
    let signed =
        |sign: &str, n: u64| if n == 0 { "0".to_owned() } else { format!("{sign}{}", grouped(n)) };
    let row = |row: &Growth| {
        let back = row.refollowed + row.reappeared + row.returned;
        let mut cells = vec![
            if by == Period::Run { row.run.to_string() } else { day(row.period).to_string() },
            signed("+", row.found),
            signed("+", row.new),
            signed("+", back),
            signed("-", row.lost),
            grouped(row.closing),
            output::percent(row.churn()),
        ];
        if unknown {
            cells.push(grouped(row.unseen));
        }
        cells
    };
    // A list that was read whole at first has nothing found later.
    let hidden = rows.iter().skip(1).all(|row| row.found == 0)
        && rows.first().is_some_and(|row| row.opening > 0);
    let keep = |column: usize| !(hidden && column == 1);
    let kept = |cells: Vec<String>| -> Vec<String> {
        cells.into_iter().enumerate().filter(|(at, _)| keep(*at)).map(|(_, cell)| cell).collect()
    };
    let headings: Vec<_> =
        headings.into_iter().enumerate().filter(|(at, _)| keep(*at)).map(|(_, h)| h).collect();
    output::table(&headings, rows.iter().map(|r| kept(row(r))))
}

/// How the list's length went, and between which bounds.
fn course(rows: &[Growth]) -> String {
    let sizes = || rows.iter().map(|row| row.closing);
    let (least, most) = (sizes().min().unwrap_or(0), sizes().max().unwrap_or(0));
    let sizes: Vec<_> = sizes().map(|size| Some(size as f64)).collect();
    let blocks = output::sparkline(&sizes, WIDTH);
    format!("{blocks} {} to {}", grouped(least), grouped(most))
}
