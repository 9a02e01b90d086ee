//! A batch: the lists of many accounts, read at once and published as one run.
//!
//! Protected, suspended and missing accounts are results and stand in the run as such. When
//! something stops the batch, what had been read by then is published all the same, with a
//! coverage that says how far it goes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use futures_util::future::try_join;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use snapshot::{
    AccountId, Crawl, List, Order, Profile, Published, RunWriter, State, Store, WriterOptions,
};

use crate::crawl::{Brake, Done, Failed, Retries, Sender, Task, crawl};
use crate::pace::Pace;
use crate::source::{AccountRef, Detail, Lookup, Source, Username, Who};
use crate::{Error, ErrorKind, Event, Progress, Stop};

/// What to read, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Batch {
    /// Whose lists. An account that is there twice, by name and by id too, is read once.
    pub targets: Vec<Target>,
    /// How many lists of a kind are read at once; each kind has its own rate window.
    pub concurrency: usize,
    /// Rows to ask for in a page; `None` for the most that the source gives.
    pub page_size: Option<u32>,
    /// How often a request is repeated that the network could not answer.
    pub retries: Retries,
    /// Bytes of rows to sort in memory before spilling to disk.
    pub sort_memory: usize,
    /// Kept in the manifest: how the run was made, without secrets.
    pub parameters: BTreeMap<String, String>,
}

/// One account and the lists that are wanted of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whose lists.
    pub account: AccountRef,
    /// Which lists.
    pub lists: Vec<List>,
}

impl Batch {
    /// The same lists of every account, eight at once, with the source's largest pages.
    pub fn new(accounts: impl IntoIterator<Item = AccountRef>, lists: &[List]) -> Self {
        let target = |account| Target { account, lists: lists.to_vec() };
        Self::of(accounts.into_iter().map(target).collect())
    }

    /// These targets, eight at once, with the source's largest pages.
    pub fn of(targets: Vec<Target>) -> Self {
        Self {
            targets,
            concurrency: 8,
            page_size: None,
            retries: Retries::default(),
            sort_memory: WriterOptions::default().sort_memory,
            parameters: BTreeMap::new(),
        }
    }
}

/// What came of a batch.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchReport {
    /// The run; `None` if none of the accounts has an id.
    pub published: Option<Published>,
    /// Accounts that were named and have no id, so they have no place in the run.
    pub unresolved: Vec<Unresolved>,
    /// Lists that an error cut short.
    pub failures: Vec<Failure>,
    /// Requests sent, those that failed included.
    pub requests: u64,
    /// What stopped the batch before its end, if anything did.
    pub fatal: Option<Error>,
}

/// An account that could not be resolved to an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresolved {
    /// As it was asked for.
    pub account: AccountRef,
    /// Why, as far as the network says.
    pub state: State,
    /// What `state` leaves open: v1.1 passes over suspended and missing accounts alike.
    pub note: Option<&'static str>,
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.account)?;
        match self.note {
            Some(note) => f.write_str(note),
            None => self.state.fmt(f),
        }
    }
}

/// The note on an account that the network said nothing of.
const PASSED_OVER: &str = "suspended or missing; the network does not say which";

/// A list that an error cut short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whose.
    pub account: AccountId,
    /// Which list.
    pub list: List,
    /// The last error.
    pub detail: String,
}

impl BatchReport {
    /// How many lists came to each state, by the names of the columns: coverage for lists
    /// that were read, state for others.
    pub fn states(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for crawl in self.published.iter().flat_map(|p| &p.crawls) {
            let state = crawl.state;
            let name = state.coverage().map_or(state.name(), |_| state.coverage_name());
            *counts.entry(name).or_default() += 1;
        }
        counts
    }

    /// Whether every list was read to its end, or is known not to be there to read.
    pub fn is_complete(&self) -> bool {
        let crawls = self.published.iter().flat_map(|p| &p.crawls);
        let whole = |crawl: &Crawl| crawl.state.is_complete() || crawl.state.coverage().is_none();
        self.fatal.is_none() && crawls.into_iter().all(whole)
    }
}

/// Resolves the accounts, reads their lists and publishes one run.
///
/// # Errors
/// If the batch makes no sense, the store cannot be written to, or nothing at all could be
/// read. Once something was read, whatever goes wrong with the network is part of the report.
pub async fn run(
    store: &Store,
    source: &dyn Source,
    batch: &Batch,
    progress: &dyn Progress,
    stop: &Stop,
) -> Result<BatchReport, Error> {
    let page_size = check(batch, source)?;
    let (pace, brake, requests) = (Pace::default(), Brake::new(stop.clone()), AtomicU64::new(0));
    let sender = Sender {
        source,
        pace: &pace,
        retries: batch.retries,
        progress,
        brake: &brake,
        requests: &requests,
    };
    let Some(known) = Known::look_up(&sender, batch).await? else {
        return Err(brake.into_error(STOPPED_AT_ONCE).unwrap_or_else(nothing_read));
    };
    let plan = known.plan(batch);
    let unresolved = known.unresolved(batch);
    progress.event(&Event::Resolved {
        accounts: plan.accounts.len(),
        unresolved: unresolved.len(),
        lists: plan.lists.len(),
    });
    if plan.lists.is_empty() {
        let requests = requests.into_inner();
        let failures = Vec::new();
        return Ok(BatchReport { published: None, unresolved, failures, requests, fatal: None });
    }
    let writer = Mutex::new(begin(store, source, batch, page_size)?);
    let done = read_lists(&sender, &writer, &known, &plan, batch.concurrency, page_size).await?;
    let mut writer = writer.into_inner().unwrap_or_else(PoisonError::into_inner);

    let cut =
        |done: &Done| !done.crawl.state.is_complete() && done.crawl.state.coverage().is_some();
    let seen = |done: &Done| done.crawl.pages > 0 || done.crawl.state.coverage().is_none();
    let anything = done.iter().any(seen);
    let stopped = if anything { "stopped before the end" } else { STOPPED_AT_ONCE };
    // A wish to stop that came after the last page has stopped nothing.
    let fatal = brake.into_error(stopped).filter(|_| done.iter().any(cut));
    if !anything {
        return Err(fatal.unwrap_or_else(|| first_failure(source, &done)));
    }
    let mut failures = Vec::new();
    for Done { crawl, failure } in done {
        let (account, list) = (crawl.account, crawl.list);
        failures.extend(failure.map(|detail| Failure { account, list, detail }));
        writer.crawl(crawl);
    }
    for account in plan.accounts {
        writer.profile(known.profile(account, source));
    }
    let published = writer.publish().map_err(|e| Error::store("cannot publish the run", e))?;
    progress.event(&Event::Published { run: published.run });
    let requests = requests.into_inner();
    Ok(BatchReport { published: Some(published), unresolved, failures, requests, fatal })
}

/// Refuses what cannot be run; tells the page size.
fn check(batch: &Batch, source: &dyn Source) -> Result<u32, Error> {
    let most = source.page_size_max();
    let page_size = batch.page_size.unwrap_or(most);
    if batch.targets.iter().all(|target| target.lists.is_empty()) {
        return Err(Error::usage("there is nothing to read: no account, or no list of it"));
    }
    if batch.concurrency == 0 {
        return Err(Error::usage("no list can be read with a concurrency of 0"));
    }
    if !(1..=most).contains(&page_size) {
        return Err(Error::usage(format!("{source} gives pages of 1 to {most}, not {page_size}")));
    }
    Ok(page_size)
}

/// Begins the run. What was asked for stands in its manifest; what the caller says there
/// comes first.
fn begin(
    store: &Store,
    source: &dyn Source,
    batch: &Batch,
    page_size: u32,
) -> Result<RunWriter, Error> {
    let mut options = WriterOptions::default();
    options.sort_memory = batch.sort_memory;
    options.parameters.clone_from(&batch.parameters);
    let wanted = |list: &List| batch.targets.iter().any(|target| target.lists.contains(list));
    let lists: Vec<_> = List::ALL.iter().filter(|list| wanted(list)).map(List::to_string).collect();
    for (key, value) in [
        ("source", source.to_string()),
        ("lists", lists.join(" ")),
        ("concurrency", batch.concurrency.to_string()),
        ("page_size", page_size.to_string()),
    ] {
        options.parameters.entry(key.to_owned()).or_insert(value);
    }
    store.begin(source.now(), options).map_err(|e| Error::store("cannot begin a run", e))
}

/// What the look-ups told of the accounts.
#[derive(Debug, Default)]
struct Known {
    profiles: HashMap<AccountId, Profile>,
    names: HashMap<Username, AccountId>,
    absent: HashMap<AccountRef, State>,
}

/// A refusal of a whole look-up. It says nothing of any of the accounts, so none of them may
/// become missing by it.
fn no_look_up(source: &dyn Source, state: State) -> Error {
    let (kind, hint) = match state {
        State::NotAuthorized => (
            ErrorKind::Credentials,
            "look-ups need no more than a valid token: check it, and what its app may do",
        ),
        _ => (ErrorKind::Network, "nothing was published; run the same command again later"),
    };
    let message = format!("{source} answered a look-up of several accounts with `{state}`");
    Error::new(kind, message).hint(hint)
}

/// The lists to read, each once, in the order they were asked for.
#[derive(Debug, Default)]
struct Plan {
    accounts: Vec<AccountId>,
    lists: Vec<(AccountId, List)>,
}

impl Known {
    /// Looks all accounts up; `None` if the brake was pulled.
    async fn look_up(sender: &Sender<'_>, batch: &Batch) -> Result<Option<Self>, Error> {
        let (mut ids, mut names) = (Vec::new(), Vec::new());
        let mut asked = HashSet::new();
        for target in batch.targets.iter().filter(|target| asked.insert(&target.account)) {
            match &target.account {
                AccountRef::Id(id) => ids.push(*id),
                AccountRef::Name(name) => names.push(name.clone()),
            }
        }
        let most = sender.source.profiles_max();
        let by_id = ids.chunks(most).map(Who::Ids);
        let mut known = Self::default();
        for who in by_id.chain(names.chunks(most).map(Who::Names)) {
            let request = || sender.source.profiles(who, Detail::Brief);
            match sender.send(who.call(), &mut 0, request).await {
                Ok(lookup) => known.add(who, lookup),
                Err(Failed::Target(State::Missing)) => {}
                Err(Failed::Target(state)) => match who.only() {
                    Some(account) if state != State::NotAuthorized => {
                        known.absent.insert(account, state);
                    }
                    _ => return Err(no_look_up(sender.source, state)),
                },
                Err(Failed::Braked) => return Ok(None),
                Err(Failed::GivenUp(error)) => {
                    let message = format!("{} cannot look the accounts up", sender.source);
                    return Err(Error::new(ErrorKind::Network, message).because(error));
                }
            }
        }
        Ok(Some(known))
    }

    fn add(&mut self, who: Who<'_>, lookup: Lookup) {
        self.absent.extend(lookup.absent);
        for profile in lookup.found.into_iter().map(|member| member.profile) {
            if let (Who::Names(names), Some(username)) = (who, &profile.username) {
                let name = names.iter().find(|name| name.is(username));
                self.names.extend(name.map(|name| (name.clone(), profile.account)));
            }
            self.profiles.insert(profile.account, profile);
        }
    }

    fn id(&self, account: &AccountRef) -> Option<AccountId> {
        match account {
            AccountRef::Id(id) => Some(*id),
            AccountRef::Name(name) => self.names.get(name).copied(),
        }
    }

    fn plan(&self, batch: &Batch) -> Plan {
        let (mut plan, mut seen, mut listed) = (Plan::default(), HashSet::new(), HashSet::new());
        for target in &batch.targets {
            let Some(account) = self.id(&target.account) else { continue };
            if !target.lists.is_empty() && seen.insert(account) {
                plan.accounts.push(account);
            }
            let lists = target.lists.iter().map(|list| (account, *list));
            plan.lists.extend(lists.filter(|list| listed.insert(*list)));
        }
        plan
    }

    fn unresolved(&self, batch: &Batch) -> Vec<Unresolved> {
        let mut seen = HashSet::new();
        let lost = |account: &&AccountRef| self.id(account).is_none();
        let accounts = batch.targets.iter().map(|target| &target.account).filter(lost);
        let unresolved = |account: &AccountRef| {
            let (account, said) = (account.clone(), self.absent.get(account).copied());
            match said {
                Some(state) => Unresolved { account, state, note: None },
                None => Unresolved { account, state: State::Missing, note: Some(PASSED_OVER) },
            }
        };
        accounts.filter(|account| seen.insert(*account)).map(unresolved).collect()
    }

    /// The state that needs no request to be known. A protected list may still be open to
    /// the caller, so only its answer decides.
    fn settled(&self, account: AccountId) -> Option<State> {
        let state = self.absent.get(&AccountRef::Id(account)).copied();
        state.filter(|state| matches!(state, State::Suspended | State::Missing))
    }

    fn profile(&self, account: AccountId, source: &dyn Source) -> Profile {
        let profile = self.profiles.get(&account).cloned();
        profile.unwrap_or_else(|| Profile::unknown(account, source.now()))
    }

    fn task(&self, account: AccountId, list: List, page_size: u32) -> Task<'_> {
        let profile = self.profiles.get(&account);
        let username = profile.and_then(|p| p.username.as_deref());
        let reported = profile.and_then(|p| match list {
            List::Followers => p.followers_count,
            List::Following => p.following_count,
        });
        Task { account, username, list, reported, page_size }
    }
}

/// Reads all lists of the plan; followers and following have lanes of their own, so that
/// one kind's rate window does not hold up the other.
async fn read_lists(
    sender: &Sender<'_>,
    writer: &Mutex<RunWriter>,
    known: &Known,
    plan: &Plan,
    concurrency: usize,
    page_size: u32,
) -> Result<Vec<Done>, Error> {
    let lane = |kind: List| {
        let lists = plan.lists.iter().filter(move |(_, list)| *list == kind);
        let crawls = lists.map(move |(account, list)| async move {
            let task = known.task(*account, *list, page_size);
            match known.settled(*account) {
                Some(state) => Ok(settled(sender, task, state)),
                None => crawl(sender, writer, task).await,
            }
        });
        stream::iter(crawls).buffer_unordered(concurrency).try_collect::<Vec<Done>>()
    };
    let (mut done, more) = try_join(lane(List::Followers), lane(List::Following)).await?;
    done.extend(more);
    Ok(done)
}

/// A crawl that needs no request: the look-up has said what is the matter.
fn settled(sender: &Sender<'_>, task: Task<'_>, state: State) -> Done {
    let (source, now) = (sender.source.name(), sender.source.now());
    let crawl = Crawl::new(task.account, task.list, source, state, now);
    let crawl = Crawl { order: Order::NewestFirst, ..crawl };
    sender.progress.event(&Event::CrawlFinished { crawl: &crawl, username: task.username });
    Done { crawl, failure: None }
}

const STOPPED_AT_ONCE: &str = "stopped before anything was read";

fn nothing_read() -> Error {
    Error::new(ErrorKind::Incomplete, STOPPED_AT_ONCE)
}

fn first_failure(source: &dyn Source, done: &[Done]) -> Error {
    let detail = done.iter().find_map(|d| d.failure.as_deref()).unwrap_or("no reason is known");
    let message = format!("nothing could be read from {source}: {detail}");
    Error::new(ErrorKind::Network, message)
        .hint("nothing was published; run the command again later")
}
