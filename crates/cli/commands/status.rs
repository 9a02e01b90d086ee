//! `followgraph status`: unfinished snapshots, how far they are, and when they can go on.

use std::fmt::Write as _;

use anyhow::Result;
use ingest::{JobStatus, ListStatus, Status};
use snapshot::Store;

use crate::args;
use crate::exit::Exit;
use crate::output::{self, Align, counted, dollars, grouped};
use crate::settings::Settings;

/// Lists in progress that are shown of a job; the rest is counted.
const SHOWN: usize = 20;

pub(crate) fn run(settings: &Settings, command: &args::Status) -> Result<Exit> {
    let status = ingest::status(&Store::open(&settings.store.value)?)?;
    output::show(command.format, &status, || screen(&status))?;
    Ok(if status.damaged.is_empty() { Exit::Done } else { Exit::Store })
}

fn screen(status: &Status) -> String {
    let mut text = String::new();
    if let Some(owner) = &status.running {
        let age = owner.held_for(status.at);
        let _ = writeln!(text, "process {} is at work since {age}: {}", owner.pid, owner.command);
    }
    if status.jobs.is_empty() && status.damaged.is_empty() {
        return text + "nothing is unfinished\n";
    }
    for job in &status.jobs {
        let _ = writeln!(text, "{}", of_job(status, job));
    }
    for damaged in &status.damaged {
        let _ = writeln!(text, "{}: {}", damaged.name, output::printable(&damaged.error));
        if let Some(hint) = &damaged.hint {
            let _ = writeln!(text, "  {hint}");
        }
    }
    text
}

fn of_job(status: &Status, job: &JobStatus) -> String {
    let cost = job.cost_micro_usd.map_or(String::new(), |cost| format!(", {}", dollars(cost)));
    let mut text = format!(
        "{}\n  begun {:.0}, {}, {}{cost}\n",
        job.name,
        job.began,
        counted(u64::from(job.sessions), "session"),
        counted(job.requests, "request"),
    );
    let _ = if job.looked_up > 0 {
        writeln!(text, "  {} looked up", counted(job.looked_up, "lost member"))
    } else {
        writeln!(
            text,
            "  {} done, {} in progress, {} not begun",
            counted(job.lists_finished, "list"),
            grouped(job.lists_in_progress),
            grouped(job.lists_not_begun),
        )
    };
    for waiting in &job.waiting {
        let _ = writeln!(text, "  {} has to wait until {:.0}", waiting.endpoint, waiting.until);
    }
    if job.running {
        text.push_str("  being worked on\n");
    } else {
        let when = if job.goes_on_at > status.at {
            format!("after {:.0}", job.goes_on_at)
        } else {
            "now".to_owned()
        };
        let _ = writeln!(text, "  go on {when}:\n  {}", output::printable(&job.command));
    }
    if !job.lists.is_empty() {
        let _ = write!(text, "\n{}", table(&job.lists));
    }
    let more = job.lists.len().saturating_sub(SHOWN);
    if more > 0 {
        let _ = writeln!(text, "and {}", counted(more as u64, "more list"));
    }
    text
}

fn table(lists: &[ListStatus]) -> String {
    let headings = [
        ("account", Align::Left),
        ("list", Align::Left),
        ("pages", Align::Right),
        ("ids", Align::Right),
        ("of", Align::Right),
        ("read", Align::Right),
        ("cost", Align::Right),
        ("reached", Align::Left),
    ];
    let none = || "-".to_owned();
    let rows = lists.iter().take(SHOWN).map(|list| {
        let name = list.username.as_ref().map(|name| format!("@{}", output::printable(name)));
        vec![
            name.unwrap_or_else(|| list.account.to_string()),
            list.list.to_owned(),
            grouped(u64::from(list.pages)),
            grouped(list.ids),
            list.reported.map_or_else(none, grouped),
            list.percent.map_or_else(none, |percent| format!("{percent:.1} %")),
            list.cost_micro_usd.map_or_else(none, dollars),
            list.boundary.map_or_else(none, |at| at.strftime("%Y-%m-%d").to_string()),
        ]
    });
    let mut text = output::table(&headings, rows);
    for list in lists.iter().take(SHOWN) {
        if let Some(trouble) = &list.trouble {
            let account =
                list.username.as_ref().map_or(list.account.to_string(), |n| format!("@{n}"));
            let trouble = output::printable(trouble);
            let _ = writeln!(text, "{} of {}: {trouble}", list.list, output::printable(&account));
        }
    }
    text
}
