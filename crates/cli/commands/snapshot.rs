//! `followgraph snapshot`: reads lists and publishes them as one run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use anyhow::{Context as _, Result};
use ingest::{
    AccountRef, Batch, BatchReport, Credential, ErrorKind, Job, SourceKind, Stop, Target, Token,
};
use snapshot::{List, Store};

use super::runtime;
use crate::args::{self, Args};
use crate::exit::{Exit, Usage};
use crate::output::{self, counted};
use crate::progress::Shown;
use crate::settings::{Origin, Said, Setting, Settings};

pub(crate) fn run(args: &Args, command: &args::Snapshot) -> Result<Exit> {
    let job = job(command)?;
    let said = job.as_ref().map(|(job, path)| (of_job(job), path.as_path()));
    let settings = Settings::resolve(args, of_flags(command), said)?;
    let page_size = command.page_size.or(job.as_ref().and_then(|(job, _)| job.page_size));
    let mut batch = Batch::of(targets(command, job.map(|(job, _)| job))?);
    batch.concurrency = settings.concurrency.value;
    batch.page_size = page_size;
    let source: SourceKind = settings.source.value.parse()?;
    let source = source.connect(&settings.base_url.value, Credential::bearer(token(&settings)?))?;
    let store = Store::create(&settings.store.value)?;
    let signalled = Signalled::default();
    let report = runtime()?.block_on(async {
        let stop = Stop::new();
        tokio::spawn(stop_on_signal(stop.clone(), Arc::clone(&signalled)));
        let progress = Shown::new(settings.quiet);
        ingest::run(&store, source.as_ref(), &batch, &progress, &stop).await
    });
    let exit = match report {
        Ok(report) => conclude(&report, settings.quiet)?,
        Err(e) if signalled.load(Ordering::Relaxed) > 0 => {
            output::remark(format!("{e}; nothing was published"));
            Exit::Incomplete
        }
        Err(e) => return Err(e.into()),
    };
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

fn read_accounts() -> Result<Vec<AccountRef>> {
    let text = std::io::read_to_string(std::io::stdin()).context("cannot read standard input")?;
    Ok(ingest::read_accounts(&text, "standard input")?)
}

/// The token from the file that a flag names, else from the environment, else from the file
/// that the other settings name.
fn token(settings: &Settings) -> Result<Token> {
    let Setting { value: file, origin } = &settings.token_file;
    if let (Some(path), Origin::Flag(_)) = (file, origin) {
        return Ok(Token::from_file(path)?);
    }
    if let Some(token) = Token::from_env(&[ingest::TOKEN_VARIABLE])? {
        return Ok(token);
    }
    match file {
        Some(path) => Ok(Token::from_file(path)?),
        None => Err(ingest::Error::no_token().into()),
    }
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
        output::remark(format!("{list} of {account} cut short: {detail}"));
    }
    if report.published.is_none() {
        return Err(Usage::new("none of these accounts is there to be read")
            .hint("nothing was published; check the names, and @name against id")
            .into());
    }
    let Some(fatal) = &report.fatal else {
        return Ok(if report.is_complete() { Exit::Done } else { Exit::Incomplete });
    };
    output::remark("stopped early; what had been read is published, marked as cut short");
    let exit = match fatal.kind() {
        ErrorKind::Credentials => Exit::Credentials,
        ErrorKind::Incomplete => Exit::Incomplete,
        _ => Exit::Failed,
    };
    output::error_of(fatal);
    Ok(exit)
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
