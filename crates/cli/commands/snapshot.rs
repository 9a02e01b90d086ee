//! `followgraph snapshot`: reads lists and publishes them as one run, now or again and again.

use std::sync::Arc;

use anyhow::Result;
use ingest::{BatchReport, Due, ErrorKind, Source, Stop};
use jiff::{SignedDuration, Timestamp};
use snapshot::Store;

use super::reading::{Reading, duration};
use super::signals::until_signalled;
use crate::args::{self, Args};
use crate::exit::{Exit, Usage};
use crate::output::{self, counted, dollars};
use crate::progress::Shown;

pub(crate) fn run(args: &Args, command: &args::Snapshot) -> Result<Exit> {
    let every = command.every.as_deref().map(|text| duration("--every", text)).transpose()?;
    let reading = Reading::new(args, &command.what)?;
    if command.finish {
        return finish(&reading);
    }
    let sources = reading.connect()?;
    let store = Store::create(&reading.settings.store.value)?;
    until_signalled(async |stop| {
        let session = Job { reading: &reading, sources: &sources, store: &store, stop };
        match every {
            None => session.once(command.restart).await,
            Some(every) => session.again_and_again(every, command.restart).await,
        }
    })
}

/// Something to read, and what to read it with.
struct Job<'a> {
    reading: &'a Reading,
    sources: &'a [Arc<dyn Source>],
    store: &'a Store,
    stop: &'a Stop,
}

impl Job<'_> {
    /// Does what is due now.
    async fn once(&self, restart: bool) -> Result<Exit> {
        let due = self.due()?;
        let quiet = self.reading.settings.quiet;
        if due.now.is_empty() {
            if let (Some(next), false) = (due.next, quiet) {
                output::remark(format!("nothing is due before {next:.0}"));
            }
            return Ok(Exit::Done);
        }
        let groups = || due.now.iter().map(|place| &self.reading.groups[*place]);
        let mut batch = self.reading.batch(groups());
        batch.restart = restart;
        if let Some(key) = &self.reading.job_key {
            batch.parameters.extend(ingest::run_parameters(key, groups()));
        }
        let progress = Shown::new(quiet);
        let report = ingest::run(self.store, self.sources, &batch, &progress, self.stop).await?;
        drop(progress);
        conclude(&report, quiet)
    }

    /// Which groups of a job are due. What was typed always is.
    fn due(&self) -> Result<Due> {
        let key = self.reading.job_key.as_deref().unwrap_or_default();
        let now = ingest::network_time(self.store);
        Ok(ingest::due(self.store, key, &self.reading.groups, now)?)
    }

    /// Does what is due, waits, and does it again, until it is stopped. What a later try may
    /// put right does not end it.
    async fn again_and_again(&self, every: SignedDuration, mut restart: bool) -> Result<Exit> {
        let mut next = tokio::time::Instant::now();
        loop {
            match self.once(restart).await {
                Ok(Exit::Done | Exit::Incomplete | Exit::Failed) => {}
                Ok(other) => return Ok(other),
                Err(e) => match Exit::of(&e) {
                    Exit::Incomplete | Exit::Failed => output::error(&e),
                    _ => return Err(e),
                },
            }
            restart = false;
            next = (next + every.unsigned_abs()).max(tokio::time::Instant::now());
            if self.stop.is_requested() {
                return Ok(Exit::Done);
            }
            let wait = next.duration_since(tokio::time::Instant::now());
            let until = Timestamp::now() + SignedDuration::try_from(wait).unwrap_or(every);
            if !self.reading.settings.quiet {
                output::remark(format!("waiting until {until:.0} for the next round"));
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.stop.requested() => return Ok(Exit::Done),
            }
        }
    }
}

/// Publishes what there is.
fn finish(reading: &Reading) -> Result<Exit> {
    let store = Store::open(&reading.settings.store.value)?;
    let mut batch = reading.batch(&reading.groups);
    if let Some(key) = &reading.job_key {
        batch.parameters.extend(ingest::run_parameters(key, &reading.groups));
    }
    let published = ingest::finish(&store, &batch, &reading.settings.base_url.value)?;
    if !reading.settings.quiet {
        let cut = published.crawls.iter().filter(|crawl| !crawl.state.is_complete()).count();
        let lists = of_lists(&published.crawls);
        output::print(format!("run {}: {lists}; {cut} not complete\n", published.run))?;
    }
    Ok(Exit::Done)
}

/// Says what came of the batch. A later run can add what is missing, unless an account is
/// not there at all.
fn conclude(report: &BatchReport, quiet: bool) -> Result<Exit> {
    if let (Some(published), false) = (&report.published, quiet) {
        output::print(summary(report, published))?;
    }
    for unresolved in &report.unresolved {
        output::remark(unresolved);
    }
    for failure in &report.failures {
        let (list, account) = (failure.list, failure.account);
        let detail = output::printable(&failure.detail);
        output::remark(format!("{list} of {account}: {detail}"));
    }
    for crawl in report.published.iter().flat_map(|published| &published.crawls) {
        if let Some(short) = crawl.shortfall() {
            output::remark(format!(
                "{} of {}: {} are missing of the {} that the profile counts",
                crawl.list,
                crawl.account,
                output::grouped(short),
                output::grouped(crawl.reported_count.unwrap_or(0)),
            ));
        }
    }
    if !report.unfinished.is_empty() {
        let ids = report.unfinished.iter().map(|list| list.ids).sum();
        output::remark(format!(
            "unfinished: {}, {} kept{}; the same command goes on{}",
            counted(report.unfinished.len() as u64, "list"),
            counted(ids, "id"),
            spent(report),
            if report.fatal.is_none() { ",\n--finish publishes what there is" } else { "" },
        ));
    }
    let Some(fatal) = &report.fatal else {
        if report.published.is_none() && report.unfinished.is_empty() {
            return Err(Usage::new("none of these accounts is there to be read")
                .hint("nothing was published; check the names, and @name against id")
                .into());
        }
        return Ok(if report.is_complete() { Exit::Done } else { Exit::Incomplete });
    };
    output::error_of(fatal);
    Ok(match fatal.kind() {
        ErrorKind::Credentials => Exit::Credentials,
        ErrorKind::Incomplete => Exit::Incomplete,
        _ => Exit::Failed,
    })
}

fn summary(report: &BatchReport, published: &snapshot::Published) -> String {
    let repeated: u64 = published.crawls.iter().map(|c| c.duplicates).sum();
    let states: Vec<_> = report
        .states()
        .into_iter()
        .map(|(name, n)| format!("{n} {}", name.replace('_', " ")))
        .collect();
    format!(
        "run {}: {} ({}), {}, {}, {}{}\n",
        published.run,
        counted(published.crawls.len() as u64, "list"),
        states.join(", "),
        counted(published.crawls.iter().map(|c| c.ids).sum(), "id"),
        counted(repeated, "repeated row"),
        counted(report.requests_in_all, "request"),
        spent(report),
    )
}

fn of_lists(crawls: &[snapshot::Crawl]) -> String {
    let ids = crawls.iter().map(|c| c.ids).sum();
    format!("{}, {}", counted(crawls.len() as u64, "list"), counted(ids, "id"))
}

/// What it cost, where there is a price.
fn spent(report: &BatchReport) -> String {
    report.cost_in_all_micro_usd.map_or(String::new(), |cost| format!(", {}", dollars(cost)))
}
