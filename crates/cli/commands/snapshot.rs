//! `followgraph snapshot`: reads lists and publishes them as one run.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use anyhow::{Context as _, Result};
use ingest::{AccountRef, Batch, BatchReport, ErrorKind, Job, SourceKind, Stop, Target, Token};
use snapshot::{List, Store};

use super::runtime;
use crate::args::{self, Args};
use crate::exit::{Exit, Usage};
use crate::output::{self, counted};
use crate::progress::Shown;
use crate::settings::{Said, Settings};

pub(crate) fn run(args: &Args, command: &args::Snapshot) -> Result<Exit> {
    let job = job(command)?;
    let said = job.as_ref().map(|(job, path)| (of_job(job), path.as_path()));
    let settings = Settings::resolve(args, of_flags(command), said)?;
    let mut batch = Batch::of(targets(command, job.map(|(job, _)| job))?);
    batch.concurrency = settings.concurrency.value;
    batch.page_size = command.page_size;
    let source: SourceKind = settings.source.value.parse()?;
    let source = source.connect(&settings.base_url.value, token(&settings)?)?;
    let store = Store::create(&settings.store.value)?;
    let signalled = Signalled::default();
    let report = runtime()?.block_on(async {
        let stop = Stop::new();
        tokio::spawn(stop_on_signal(stop.clone(), Arc::clone(&signalled)));
        let progress = Shown::new(settings.quiet);
        ingest::run(&store, source.as_ref(), &batch, &progress, &stop).await
    })?;
    let exit = conclude(&report, settings.quiet)?;
    Ok(match signalled.load(Ordering::Relaxed) {
        0 => exit,
        number => Exit::Signal(number),
    })
}

/// The job file, if that is what was named.
fn job(command: &args::Snapshot) -> Result<Option<(Job, PathBuf)>> {
    let is_job = |name: &String| Path::new(name).extension().is_some_and(|e| e == "toml");
    match command.accounts.as_slice() {
        [only] if is_job(only) => {
            if !command.list.is_empty() {
                return Err(Usage::new("the job file says which lists to read")
                    .hint("leave --list out, or name accounts instead of a job")
                    .into());
            }
            let path = PathBuf::from(only);
            Ok(Some((Job::read(&path)?, path)))
        }
        several if several.iter().any(is_job) => {
            Err(Usage::new("a job file stands alone, without other accounts").into())
        }
        _ => Ok(None),
    }
}

fn of_flags(command: &args::Snapshot) -> Said {
    Said {
        store: None,
        base_url: command.base_url.clone(),
        source: command.source.map(|s| s.name().to_owned()),
        concurrency: command.concurrency.map(usize::from),
        token_file: command.token_file.clone(),
    }
}

fn of_job(job: &Job) -> Said {
    Said {
        store: job.store.clone(),
        base_url: job.base_url.clone(),
        source: job.source.map(|s| s.name().to_owned()),
        concurrency: job.concurrency,
        token_file: job.token_file.clone(),
    }
}

fn targets(command: &args::Snapshot, job: Option<Job>) -> Result<Vec<Target>> {
    if let Some(job) = job {
        return Ok(job.targets);
    }
    let mut lists: Vec<List> = command.list.iter().map(|name| (*name).into()).collect();
    if lists.is_empty() {
        lists.push(List::Followers);
    }
    let mut accounts = Vec::new();
    for name in &command.accounts {
        if name == "-" {
            accounts.extend(read_accounts()?);
        } else {
            accounts.push(name.parse()?);
        }
    }
    let target = |account| Target { account, lists: lists.clone() };
    Ok(accounts.into_iter().map(target).collect())
}

/// One account a line; blank lines and lines that begin with `#` do not count.
fn read_accounts() -> Result<Vec<AccountRef>> {
    let mut accounts = Vec::new();
    for (number, line) in (1..).zip(std::io::stdin().lock().lines()) {
        let line = line.context("cannot read standard input")?;
        let name = line.trim();
        if !name.is_empty() && !name.starts_with('#') {
            let account = name.parse().with_context(|| format!("standard input, line {number}"))?;
            accounts.push(account);
        }
    }
    Ok(accounts)
}

/// The token from the environment, else from the file that the settings name.
fn token(settings: &Settings) -> Result<Token> {
    if let Some(token) = Token::from_env(&[ingest::TOKEN_VARIABLE])? {
        return Ok(token);
    }
    if let Some(path) = &settings.token_file.value {
        return Ok(Token::from_file(path)?);
    }
    Err(ingest::Error::no_token().into())
}

/// The number of the signal that stopped the batch; 0 for none.
type Signalled = Arc<AtomicU8>;

const INTERRUPT: u8 = 2;
const TERMINATE: u8 = 15;

/// The first signal asks for an orderly stop, the second one ends the process.
async fn stop_on_signal(stop: Stop, signalled: Signalled) {
    let number = signal().await;
    signalled.store(number, Ordering::Relaxed);
    stop.request();
    output::remark("stopping: what was read is being published; once more to stop at once");
    let number = signal().await;
    std::process::exit(128 + i32::from(number));
}

#[cfg(unix)]
async fn signal() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => INTERRUPT,
        _ = terminate.recv() => TERMINATE,
    }
}

#[cfg(not(unix))]
async fn signal() -> u8 {
    match tokio::signal::ctrl_c().await {
        Ok(()) => INTERRUPT,
        Err(_) => std::future::pending().await,
    }
}

fn conclude(report: &BatchReport, quiet: bool) -> Result<Exit> {
    if let (Some(published), false) = (&report.published, quiet) {
        output::print(summary(report, published))?;
    }
    for unresolved in &report.unresolved {
        output::remark(format!("{}: {}", unresolved.account, unresolved.state));
    }
    for failure in &report.failures {
        let (list, account) = (failure.list, failure.account);
        output::remark(format!("{list} of {account} cut short: {}", failure.detail));
    }
    Ok(match &report.fatal {
        Some(e) if e.kind() == ErrorKind::Credentials => fatal(e, Exit::Credentials),
        Some(e) => fatal(e, Exit::Incomplete),
        None if report.is_complete() => Exit::Done,
        None => Exit::Incomplete,
    })
}

fn fatal(error: &ingest::Error, exit: Exit) -> Exit {
    output::remark(format!("stopped early: {error}"));
    if let Some(hint) = error.way_out() {
        output::remark(format!("hint: {hint}"));
    }
    exit
}

fn summary(report: &BatchReport, published: &snapshot::Published) -> String {
    let ids: u64 = published.crawls.iter().map(|c| c.ids).sum();
    let repeated: u64 = published.crawls.iter().map(|c| c.duplicates).sum();
    let states: Vec<_> = report
        .states()
        .into_iter()
        .map(|(name, n)| format!("{n} {}", name.replace('_', " ")))
        .collect();
    format!(
        "run {}: {} ({}), {}, {}, {}\n",
        published.run,
        counted(published.crawls.len() as u64, "list"),
        states.join(", "),
        counted(ids, "id"),
        counted(repeated, "repeated row"),
        counted(report.requests, "request"),
    )
}
