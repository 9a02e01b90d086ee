//! What commands that ask a network share: from what was typed, or a job file, to a batch and
//! the credentials to ask with.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::ValueEnum as _;
use ingest::{
    Batch, Budget, Credential, Group, Job, Mode, Retries, Source, SourceKind, Target, Token,
};
use jiff::SignedDuration;
use snapshot::List;

use crate::args::{Args, Asking, ModeName, What};
use crate::exit::Usage;
use crate::settings::{Origin, Said, Setting, Settings};

/// What is to be read, and how.
pub(crate) struct Reading {
    pub(crate) settings: Settings,
    pub(crate) kind: SourceKind,
    /// The groups of the job file, or one of what was typed.
    pub(crate) groups: Vec<Group>,
    /// What the job is known by; `None` for what was typed.
    pub(crate) job_key: Option<String>,
    /// Without targets.
    batch: Batch,
}

impl Reading {
    pub(crate) fn new(args: &Args, what: &What) -> Result<Self> {
        let job = job(what)?;
        let said = job.as_ref().map(|(job, path)| (of_job(job), path.as_path()));
        let settings = Settings::resolve(args, flags(what), said)?;
        let mut batch = Batch::of(Vec::new());
        batch.concurrency = settings.concurrency.value;
        batch.retries = retries(&settings)?;
        batch.prices = settings.prices.value.clone();
        batch.page_size = what.page_size;
        batch.profiles = what.profiles;
        let (groups, job_key) = if let Some((job, path)) = job {
            take_job(&mut batch, job, &path, what)?
        } else {
            batch.command = command(what);
            (vec![typed(what)?], None)
        };
        limit(&mut batch.budget, &what.asking)?;
        batch.command = with_store(batch.command, &settings);
        batch.key.clone_from(&job_key);
        let kind = settings.source.value.parse()?;
        Ok(Self { settings, kind, groups, job_key, batch })
    }

    /// The batch of these groups.
    pub(crate) fn batch<'g>(&self, groups: impl IntoIterator<Item = &'g Group>) -> Batch {
        let targets = groups.into_iter().flat_map(|group| group.targets.clone()).collect();
        let mut batch = self.batch.clone();
        batch.targets = targets;
        batch
    }

    /// The network as somebody without a credential would see it: to plan with, not to ask.
    pub(crate) fn imagine(&self) -> Result<Vec<Arc<dyn Source>>> {
        if credentials(&self.settings).is_ok() {
            return self.connect();
        }
        let nobody = Credential::bearer(Token::new("nobody")?);
        Ok(vec![self.kind.connect(&self.settings.base_url.value, nobody)?])
    }

    /// The network, as each credential sees it.
    pub(crate) fn connect(&self) -> Result<Vec<Arc<dyn Source>>> {
        connect(&self.settings, self.kind)
    }
}

/// The network that the settings name, as each of their credentials sees it.
pub(crate) fn connect(settings: &Settings, kind: SourceKind) -> Result<Vec<Arc<dyn Source>>> {
    let connect = |credential| Ok(kind.connect(&settings.base_url.value, credential)?);
    credentials(settings)?.into_iter().map(connect).collect()
}

/// A command as it can be typed again: with the store, where that was typed.
pub(crate) fn with_store(command: String, settings: &Settings) -> String {
    if matches!(settings.store.origin, Origin::Default | Origin::File(_)) {
        return command;
    }
    format!("{command} --store {}", quoted(&settings.store.value.display().to_string()))
}

/// The job file, if that is what was named.
fn job(what: &What) -> Result<Option<(Job, PathBuf)>> {
    let is_job = |name: &String| Path::new(name).extension().is_some_and(|e| e == "toml");
    match what.accounts.as_slice() {
        [only] if is_job(only) => {
            if !what.list.is_empty() {
                return Err(Usage::new("the job file says which lists to read")
                    .hint("leave --list out, or name accounts instead of a job")
                    .into());
            }
            let path = PathBuf::from(only);
            let mut job = Job::read(&path)?;
            if job.wants_stdin() {
                job = job.with_stdin(&stdin()?)?;
            }
            Ok(Some((job, path)))
        }
        several if several.iter().any(is_job) => {
            Err(Usage::new("a job file stands alone, without other accounts").into())
        }
        _ => Ok(None),
    }
}

/// What a job file says of the batch; its groups, and what the job is known by.
fn take_job(
    batch: &mut Batch,
    job: Job,
    path: &Path,
    what: &What,
) -> Result<(Vec<Group>, Option<String>)> {
    batch.page_size = what.page_size.or(job.page_size);
    batch.profiles |= job.profiles.unwrap_or(false);
    batch.budget = job.budget;
    batch.prices = job.prices.unwrap_or_else(|| batch.prices.clone());
    let file = quoted(&path.display().to_string());
    let words = ["followgraph snapshot".to_owned(), file].into_iter().chain(binding(what));
    batch.command = words.collect::<Vec<_>>().join(" ");
    let mut groups = job.groups;
    if let Some(mode) = mode(what)? {
        for target in groups.iter_mut().flat_map(|group| &mut group.targets) {
            target.mode = mode;
        }
    }
    let whole = path.canonicalize();
    let whole = whole.with_context(|| format!("cannot find {}", path.display()))?;
    let key = job.name.unwrap_or_else(|| whole.display().to_string());
    Ok((groups, Some(key)))
}

fn stdin() -> Result<String> {
    std::io::read_to_string(std::io::stdin()).context("cannot read standard input")
}

fn flags(what: &What) -> Said {
    Said { concurrency: what.concurrency.map(usize::from), ..of_flags(&what.asking) }
}

/// What flags say of whom to ask.
pub(crate) fn of_flags(asking: &Asking) -> Said {
    Said {
        store: None,
        base_url: asking.base_url.clone(),
        source: asking.source.map(|s| s.name().to_owned()),
        concurrency: None,
        token_file: asking.token_file.clone(),
        credentials: asking.credentials.clone(),
        retry_delay: asking.retry_delay.clone(),
    }
}

fn of_job(job: &Job) -> Said {
    Said {
        store: job.store.clone(),
        base_url: job.base_url.clone(),
        source: job.source.map(|s| s.name().to_owned()),
        concurrency: job.concurrency,
        token_file: job.token_file.clone(),
        credentials: job.credentials.clone(),
        retry_delay: None,
    }
}

/// One group of what was typed.
fn typed(what: &What) -> Result<Group> {
    let mut lists: Vec<List> = what.list.iter().map(|name| (*name).into()).collect();
    if lists.is_empty() {
        lists.push(List::Followers);
    }
    let mode = mode(what)?.unwrap_or_default();
    let mut accounts = Vec::new();
    for name in &what.accounts {
        if name == "-" {
            accounts.extend(ingest::read_accounts(&stdin()?, "standard input")?);
        } else {
            accounts.push(name.parse()?);
        }
    }
    let target = |account| Target { account, lists: lists.clone(), mode };
    Ok(Group::new("typed", None, accounts.into_iter().map(target).collect()))
}

fn mode(what: &What) -> Result<Option<Mode>> {
    let complete_every =
        what.complete_every.as_deref().map(|text| duration("--complete-every", text));
    let complete_every = complete_every.transpose()?;
    if complete_every.is_some() && what.mode != Some(ModeName::Auto) {
        return Err(Usage::new("--complete-every is for --mode auto").into());
    }
    Ok(what.mode.map(|mode| match mode {
        ModeName::Complete => Mode::Complete,
        ModeName::Head => Mode::Head,
        ModeName::Auto => {
            complete_every.map_or(Mode::AUTO, |complete_every| Mode::Auto { complete_every })
        }
    }))
}

/// A flag goes before the job file.
pub(crate) fn limit(budget: &mut Budget, asking: &Asking) -> Result<()> {
    if let Some(dollars) = asking.max_cost_usd {
        let amount = ingest::micro_usd(dollars);
        let amount = amount.ok_or_else(|| {
            Usage::new(format!("--max-cost-usd is {dollars}, which is no amount of money"))
        })?;
        budget.cost_micro_usd_max = Some(amount);
    }
    budget.requests_max = asking.max_requests.or(budget.requests_max);
    if let Some(text) = &asking.max_time {
        budget.time_max = Some(duration("--max-time", text)?.unsigned_abs());
    }
    Ok(())
}

pub(crate) fn retries(settings: &Settings) -> Result<Retries> {
    let default = Retries::default();
    let Some(text) = &settings.retry_delay.value else { return Ok(default) };
    let delay_min = duration("retry_delay", text)?.unsigned_abs();
    // The longest wait keeps its proportion.
    let delay_max = delay_min.saturating_mul(60).min(Duration::from_hours(1));
    Ok(Retries { delay_min, delay_max, ..default })
}

/// A positive time, as people write it.
pub(crate) fn duration(name: &str, text: &str) -> Result<SignedDuration> {
    ingest::parse_duration(text).map_err(|e| {
        let usage = Usage::new(format!("{name}: {e}"));
        e.way_out().map_or(usage.clone(), |hint| usage.clone().hint(hint)).into()
    })
}

/// The credentials that a flag names, else the token of the environment, else what the other
/// settings name.
fn credentials(settings: &Settings) -> Result<Vec<Credential>> {
    let flag = |origin: &Origin| matches!(origin, Origin::Flag(_));
    let Setting { value: file, origin } = &settings.credentials;
    if let (Some(path), true) = (file, flag(origin)) {
        return Ok(Credential::read_file(path)?);
    }
    let Setting { value: token_file, origin } = &settings.token_file;
    if let (Some(path), true) = (token_file, flag(origin)) {
        return Ok(vec![Credential::bearer(Token::from_file(path)?)]);
    }
    if let Some(token) = Token::from_env(&[ingest::TOKEN_VARIABLE])? {
        return Ok(vec![Credential::bearer(token)]);
    }
    match (file, token_file) {
        (Some(path), _) => Ok(Credential::read_file(path)?),
        (None, Some(path)) => Ok(vec![Credential::bearer(Token::from_file(path)?)]),
        (None, None) => Err(ingest::Error::no_token().into()),
    }
}

/// What was typed, as it can be typed again.
fn command(what: &What) -> String {
    let accounts = what.accounts.iter().map(|account| quoted(account));
    let lists = what.list.iter().map(|list| format!("--list {}", List::from(*list)));
    let words: Vec<_> = ["followgraph snapshot".to_owned()]
        .into_iter()
        .chain(accounts)
        .chain(lists)
        .chain(binding(what))
        .collect();
    words.join(" ")
}

/// The flags without which a list in progress could not be gone on with.
fn binding(what: &What) -> Vec<String> {
    let asking = &what.asking;
    let mode = what.mode.and_then(|mode| mode.to_possible_value());
    let values = [
        ("--mode", mode.map(|mode| mode.get_name().to_owned())),
        ("--complete-every", what.complete_every.clone()),
        ("--source", asking.source.map(|source| source.name().to_owned())),
        ("--base-url", asking.base_url.clone()),
        ("--page-size", what.page_size.map(|size| size.to_string())),
    ];
    let said = values.into_iter().filter_map(|(flag, value)| Some((flag, value?)));
    let mut flags: Vec<_> =
        said.map(|(flag, value)| format!("{flag} {}", quoted(&value))).collect();
    if what.profiles {
        flags.push("--profiles".to_owned());
    }
    flags
}

/// For a shell, if it has to be.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "@._-/=:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
