//! A batch: the lists of many accounts, read at once and published as one run.
//!
//! What has been read is in the job's journal, and the run is made from the journal alone
//! when every list is done with. So a batch that is stopped, by whatever, has lost nothing:
//! the same batch goes on where it was. Protected, suspended and missing accounts are results
//! and stand in the run as such.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use futures_util::future::join;
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use snapshot::{AccountId, Cut, List, Profile, Published, Run, State, Store, WriterOptions};
use tokio::sync::Semaphore;

use crate::budget::Budget;
use crate::crawl::{Crawler, Outcome, Task, crawl_of};
use crate::head::Known;
use crate::journal::record::{
    End, Ended, ListKey, LookedUp, Pause, Paused, Record, Refusal, Session, Started,
};
use crate::journal::{self, Journal, Journals, ListState};
use crate::pace::Heard;
use crate::price::Prices;
use crate::publish;
use crate::report::{BatchReport, Failure, PASSED_OVER, Unfinished, Unresolved};
use crate::send::{Failed, GO_ON, Question, Retries, Sender};
use crate::source::{AccountRef, Detail, Lookup, Source, Username, Who};
use crate::target::{Mode, Target};
use crate::windows;
use crate::{Error, ErrorKind, Event, Progress, SourceKind, Stop};

/// What to read, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Batch {
    /// Whose lists. An account that is there twice, by name and by id too, is read once.
    pub targets: Vec<Target>,
    /// How many lists of a kind are read at once; each kind has its own rate windows.
    pub concurrency: usize,
    /// Rows to ask for in a page; `None` for the most that the source gives.
    pub page_size: Option<u32>,
    /// Whether to keep the profiles of the members, too.
    pub profiles: bool,
    /// How often a request is repeated that the network could not answer.
    pub retries: Retries,
    /// What this session may spend.
    pub budget: Budget,
    /// What the network charges.
    pub prices: Prices,
    /// Bytes of rows to sort in memory before spilling to disk.
    pub sort_memory: usize,
    /// What tells this job from others in the same store, so that it is gone on with and not
    /// begun again; `None` for what it reads, and where from.
    pub key: Option<String>,
    /// How a person would go on with it.
    pub command: String,
    /// Begin it anew, and throw away what an unfinished one has read.
    pub restart: bool,
    /// Kept in the manifest: how the run was made, without secrets.
    pub parameters: BTreeMap<String, String>,
}

impl Batch {
    /// The same lists of every account, eight at once, with the source's largest pages.
    pub fn new(accounts: impl IntoIterator<Item = AccountRef>, lists: &[List]) -> Self {
        Self::of(accounts.into_iter().map(|account| Target::whole(account, lists)).collect())
    }

    /// These targets, eight at once, with the source's largest pages.
    pub fn of(targets: Vec<Target>) -> Self {
        Self {
            targets,
            concurrency: 8,
            page_size: None,
            profiles: false,
            retries: Retries::default(),
            budget: Budget::default(),
            prices: Prices::default(),
            sort_memory: WriterOptions::default().sort_memory,
            key: None,
            command: "followgraph snapshot".to_owned(),
            restart: false,
            parameters: BTreeMap::new(),
        }
    }

    /// What tells this job from others, when it is read from this place.
    pub fn key_at(&self, base_url: &str) -> String {
        if let Some(key) = &self.key {
            return journal::job_key([key.as_str(), base_url]);
        }
        let targets = self.targets.iter().flat_map(|target| {
            let account = target.account.to_string().to_lowercase();
            target.lists.iter().map(move |list| format!("{list} of {account}"))
        });
        let mut parts: Vec<_> = targets.collect();
        parts.sort_unstable();
        parts.dedup();
        parts.push(base_url.to_owned());
        journal::job_key(parts)
    }
}

/// Sessions in a row in which a list may fail, while others are read, before it is published
/// as it stands. One list that cannot be read must not keep the others from being seen.
const GIVEN_UP_MAX: u32 = 2;
/// Lists that may be read at once; windows and connections bound them far below.
const CONCURRENCY_MAX: usize = 10_000;
/// Lists beyond `concurrency` that may be waiting to repeat a request.
const WAITING_MAX: usize = 56;

/// Resolves the accounts and reads their lists, as each of these credentials allows;
/// publishes one run when all are done with. A batch that was left unfinished goes on.
///
/// # Errors
/// If the batch makes no sense, the store cannot be written to or is in use, or no account
/// could be looked up. Once a list was begun, whatever goes wrong with the network is part of
/// the report.
pub async fn run(
    store: &Store,
    sources: &[Arc<dyn Source>],
    batch: &Batch,
    progress: &dyn Progress,
    stop: &Stop,
) -> Result<BatchReport, Error> {
    let page_size = check(batch, sources)?;
    let journals = Journals::of(store);
    let _lock = journals.lock(&batch.command)?;
    publish::clear_published(store, &journals)?;
    let journal = open(&journals, batch, &*sources[0], progress)?;
    let sender = Sender::new(sources, batch.budget, batch.retries, progress, stop);
    windows::restore(&sender.pace, sources, &journals, &journal);
    let session = At { store, batch, journal: &journal, sender: &sender, page_size };
    let read = session.read().await;
    windows::save(&sender.pace, sources, &journals);
    if let (Ok(_), Some(cut)) = (&read, sender.brake.pulled()) {
        let (at, why) = (sender.now(), Pause::of(cut));
        journal.append(Record::Paused(Paused { at, why })).await?;
    }
    let outcomes = match read {
        Ok(Some(outcomes)) => outcomes,
        stopped => {
            if journal.with(journal::State::is_blank) {
                journal.remove()?;
            }
            let stopped = stopped.map(|_| sender.brake.take_error(STOPPED_AT_ONCE));
            return Err(
                stopped?.unwrap_or_else(|| Error::new(ErrorKind::Incomplete, STOPPED_AT_ONCE))
            );
        }
    };
    session.conclude(outcomes).await
}

/// Publishes what an unfinished batch has read so far, marked as cut short, and ends it.
///
/// # Errors
/// If there is no such batch, or nothing that could be published.
pub fn finish(store: &Store, batch: &Batch, base_url: &str) -> Result<Published, Error> {
    let journals = Journals::of(store);
    let _lock = journals.lock(&batch.command)?;
    publish::clear_published(store, &journals)?;
    let Some(name) = find(&journals, &batch.key_at(base_url))? else {
        let what = "there is nothing unfinished of this job";
        return Err(Error::usage(what).hint("`followgraph status` lists what is"));
    };
    let (journal, _) = journals.resume(&name)?;
    if journal
        .with(|state| state.lists.values().all(|list| list.pages == 0 && list.ended.is_none()))
    {
        return Err(Error::usage("nothing has been read yet that could be published")
            .hint("go on with the job, or begin it anew with --restart"));
    }
    publish::publish(store, journal, publish::Options::of(batch, None))
}

/// Refuses what cannot be run; tells the page size.
pub(crate) fn check(batch: &Batch, sources: &[Arc<dyn Source>]) -> Result<u32, Error> {
    let Some(source) = sources.first() else { return Err(Error::no_token()) };
    if let Some(other) = sources.iter().find(|other| other.to_string() != source.to_string()) {
        return Err(Error::usage(format!("a batch cannot read from {source} and {other} at once")));
    }
    let most = source.page_size_max();
    let page_size = batch.page_size.unwrap_or_else(|| fitting(most, batch, source.kind()));
    if batch.targets.iter().all(|target| target.lists.is_empty()) {
        return Err(Error::usage("there is nothing to read: no account, or no list of it"));
    }
    if !(1..=CONCURRENCY_MAX).contains(&batch.concurrency) {
        let asked = batch.concurrency;
        let what = format!("the concurrency is 1 to {CONCURRENCY_MAX} lists, not {asked}");
        return Err(Error::usage(what));
    }
    if !(1..=most).contains(&page_size) {
        return Err(Error::usage(format!("{source} gives pages of 1 to {most}, not {page_size}")));
    }
    Ok(page_size)
}

/// The largest pages of which ten fit into the budget, since a page is paid for whole.
fn fitting(most: u32, batch: &Batch, kind: SourceKind) -> u32 {
    let price = batch.prices.look_up(kind, 1).filter(|price| *price > 0);
    let users = batch.budget.cost_micro_usd_max.zip(price).map(|(max, price)| max / price / 10);
    let users = users.map_or(most, |users| u32::try_from(users).unwrap_or(u32::MAX));
    users.clamp(PAGE_MIN.min(most), most)
}

/// Smaller pages than this are not asked for by ourselves.
const PAGE_MIN: u32 = 20;

/// The name of the journal of a job.
pub(crate) fn find(journals: &Journals, key: &str) -> Result<Option<String>, Error> {
    for name in journals.names()? {
        // One that cannot be read is some other job's, or lost; `status` tells of it.
        if let Ok(Some(began)) = journals.began(&name)
            && began.key == key
        {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Goes on with the batch's journal, or begins one.
fn open(
    journals: &Journals,
    batch: &Batch,
    source: &dyn Source,
    progress: &dyn Progress,
) -> Result<Journal, Error> {
    let key = batch.key_at(source.base_url());
    let found = find(journals, &key)?;
    if let (Some(name), true) = (&found, batch.restart) {
        journals.remove(name)?;
    }
    let Some(name) = found.filter(|_| !batch.restart) else {
        return journals.begin(&key, &batch.command, source.now());
    };
    let (journal, torn) = journals.resume(&name)?;
    journal.with(|state| {
        let finished = state.lists.values().filter(|list| list.ended.is_some()).count();
        progress.event(&Event::Resumed {
            finished,
            unfinished: state.lists.len() - finished,
            ids: state.lists.values().map(|list| list.rows).sum(),
            torn,
        });
    });
    Ok(journal)
}

/// A session of a batch.
struct At<'a> {
    store: &'a Store,
    batch: &'a Batch,
    journal: &'a Journal,
    sender: &'a Sender<'a>,
    page_size: u32,
}

/// The lists to read, each once, in the order they were asked for.
#[derive(Debug, Default)]
struct Plan {
    accounts: HashSet<AccountId>,
    lists: Vec<(AccountId, List, Mode)>,
}

/// What became of the lists in a session, by list.
type Outcomes = HashMap<(List, AccountId), Outcome>;

impl At<'_> {
    /// Looks the accounts up and reads their lists; none if it was stopped before a list.
    async fn read(&self) -> Result<Option<Outcomes>, Error> {
        if !self.look_up().await? {
            return Ok(None);
        }
        let plan = self.plan();
        let (unresolved, lists) = (self.unresolved().len(), plan.lists.len());
        let accounts = plan.accounts.len();
        self.sender.progress.event(&Event::Resolved { accounts, unresolved, lists });
        let (at, here, pid) = (self.sender.now(), Timestamp::now(), std::process::id());
        let session = Session { at, here, pid, lists: lists as u64 };
        self.journal.append(Record::Session(session)).await?;
        let tasks = self.tasks(&plan).await?;
        self.read_lists(tasks).await.map(Some)
    }

    /// Looks up every account that the journal does not speak of; `false` if it was stopped.
    async fn look_up(&self) -> Result<bool, Error> {
        let (ids, names) = self.journal.with(|state| {
            let mut asked = HashSet::new();
            let is_new = |account: &&AccountRef| {
                let name = account.to_string().to_lowercase();
                !state.accounts.asked.contains(&name) && asked.insert(name)
            };
            let accounts = self.batch.targets.iter().map(|target| &target.account);
            by_kind(accounts.filter(is_new).cloned())
        });
        let most = self.sender.network().profiles_max();
        let by_id = ids.chunks(most).map(Who::Ids);
        for who in by_id.chain(names.chunks(most).map(Who::Names)) {
            if !self.look_up_some(who).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn look_up_some(&self, who: Who<'_>) -> Result<bool, Error> {
        let asked = asked(who);
        let price = |users| self.batch.prices.look_up(self.kind(), users);
        let _room = self.journal.reserve(4096 * (1 + asked.len() as u64)).await?;
        let mut requests = 0;
        let answer = ask_profiles(self.sender, &self.batch.prices, who, &mut requests).await?;
        let Some((lookup, heard)) = answer else { return Ok(false) };
        let refusal = |(account, state): (AccountRef, State)| {
            Some((account.to_string(), Refusal::of(state)?))
        };
        let found: Vec<Profile> = lookup.found.into_iter().map(|member| member.profile).collect();
        self.journal
            .append(Record::LookedUp(LookedUp {
                asked,
                cost_micro_usd: price(found.len() as u64),
                found,
                absent: lookup.absent.into_iter().filter_map(refusal).collect(),
                requests,
                heard,
            }))
            .await?;
        Ok(true)
    }

    fn kind(&self) -> SourceKind {
        self.sender.network().kind()
    }

    fn plan(&self) -> Plan {
        let mut plan = Plan::default();
        let mut listed = HashSet::new();
        for target in &self.batch.targets {
            let Some(account) = self.resolve(&target.account) else { continue };
            if !target.lists.is_empty() {
                plan.accounts.insert(account);
            }
            let lists = target.lists.iter().filter(|list| listed.insert((account, **list)));
            plan.lists.extend(lists.map(|list| (account, *list, target.mode)));
        }
        plan
    }

    fn resolve(&self, account: &AccountRef) -> Option<AccountId> {
        match account {
            AccountRef::Id(id) => Some(*id),
            AccountRef::Name(_) => {
                let name = account.to_string().to_lowercase();
                self.journal.with(|state| state.accounts.names.get(&name).copied())
            }
        }
    }

    fn unresolved(&self) -> Vec<Unresolved> {
        let mut seen = HashSet::new();
        let lost = |account: &&AccountRef| self.resolve(account).is_none();
        let accounts = self.batch.targets.iter().map(|target| &target.account).filter(lost);
        let unresolved = |account: &AccountRef| {
            let name = account.to_string().to_lowercase();
            let said = self.journal.with(|state| state.accounts.absent.get(&name).copied());
            let account = account.clone();
            match said {
                Some(refusal) => Unresolved { account, state: refusal.state(), note: None },
                None => Unresolved { account, state: State::Missing, note: Some(PASSED_OVER) },
            }
        };
        accounts.filter(|account| seen.insert(*account)).map(unresolved).collect()
    }

    /// What is to be done for each list that is not done with.
    async fn tasks(&self, plan: &Plan) -> Result<Vec<Task>, Error> {
        let baselines = publish::Baselines::find(self.store, &plan.wanted_baselines())?;
        let mut tasks = Vec::new();
        for (account, list, mode) in &plan.lists {
            let place = self.journal.with(|state| state.lists.get(&(*list, *account)).cloned());
            if place.as_ref().is_some_and(|place| place.ended.is_some()) {
                continue;
            }
            let known = self.known(place.as_ref(), *mode, baselines.of(*account, *list));
            let known = known.map(|run| Known::new(run, *account, *list));
            let mut task = self.task(*account, *list, *mode, known);
            if let (Some(place), None) = (&place, self.batch.page_size) {
                // A list in progress keeps its page size, unless another one is asked for.
                task.started.page_size = place.started.page_size;
            }
            if let Some(place) = &place {
                self.tell_if_anew(place, &task.started);
            }
            let nothing_read = place.is_none_or(|place| place.pages == 0);
            if let Some(refusal) = self.settled(*account).filter(|_| nothing_read) {
                self.settle(task, refusal).await?;
                continue;
            }
            tasks.push(task);
        }
        Ok(tasks)
    }

    /// The complete reading that a list is to meet. A list in progress keeps to the one it
    /// was begun with, and to reading everything if it was begun so.
    fn known(
        &self,
        place: Option<&ListState>,
        mode: Mode,
        newest: Option<(&Arc<Run>, Timestamp)>,
    ) -> Option<Arc<Run>> {
        if mode == Mode::Complete {
            return None;
        }
        if let Some(place) = place {
            let begun_with = self.store.run(place.started.known_run?);
            let otherwise = |_| newest.map(|(run, _)| Arc::clone(run));
            return begun_with.map_or_else(otherwise, |run| Some(Arc::new(run)));
        }
        let now = self.sender.now();
        let fresh = |at: Timestamp| match mode {
            Mode::Auto { complete_every } => now.duration_since(at) < complete_every,
            _ => true,
        };
        newest.filter(|(_, at)| fresh(*at)).map(|(run, _)| Arc::clone(run))
    }

    fn task(&self, account: AccountId, list: List, mode: Mode, known: Option<Known>) -> Task {
        let profile = self.journal.with(|state| state.accounts.profiles.get(&account).cloned());
        let reported = profile.as_ref().and_then(|profile| match list {
            List::Followers => profile.followers_count,
            List::Following => profile.following_count,
        });
        let started = Started {
            key: ListKey { account, list },
            at: self.sender.now(),
            source: self.sender.network().name().to_owned(),
            page_size: self.page_size,
            profiles: self.batch.profiles,
            known_run: known.as_ref().map(Known::run),
            reads_on: matches!(mode, Mode::Auto { .. }),
            reported,
        };
        Task { started, username: profile.and_then(|profile| profile.username), known }
    }

    fn tell_if_anew(&self, place: &ListState, now: &Started) {
        let then = &place.started;
        let why = if then.source != now.source {
            format!("it was begun with {} and is now to be read with {}", then.source, now.source)
        } else if then.page_size != now.page_size {
            let (then, now) = (then.page_size, now.page_size);
            format!("it was begun with pages of {then} and is now to be read in pages of {now}")
        } else if !place.continues(now) {
            "what is to be read of it has changed".to_owned()
        } else {
            return;
        };
        let (account, list) = (now.key.account, now.key.list);
        self.sender.progress.event(&Event::StartedAnew { account, list, why: &why });
    }

    /// The state that needs no request to be known. A protected list may still be open to
    /// the caller, so only its answer decides.
    fn settled(&self, account: AccountId) -> Option<Refusal> {
        let name = account.to_string();
        let said = self.journal.with(|state| state.accounts.absent.get(&name).copied());
        said.filter(|said| matches!(said, Refusal::Suspended | Refusal::Missing))
    }

    /// Ends a list without a request: the look-up has said what is the matter.
    async fn settle(&self, task: Task, refusal: Refusal) -> Result<(), Error> {
        let (key, at) = (task.started.key.clone(), self.sender.now());
        self.journal.append(Record::Started(task.started)).await?;
        let (how, place) = (End::Refused(refusal), (key.list, key.account));
        let ended = Ended { key, at, how, requests: 0, detail: None };
        self.journal.append(Record::Ended(ended)).await?;
        let list = self.journal.with(|state| state.lists.get(&place).cloned());
        if let Some(list) = list {
            let (crawl, username) = (crawl_of(&list, Cut::Stopped), task.username.as_deref());
            let event = Event::CrawlFinished { crawl: &crawl, username, detail: None };
            self.sender.progress.event(&event);
        }
        Ok(())
    }

    /// Reads the lists; followers and following have lanes of their own, so that one kind's
    /// rate window does not hold up the other.
    async fn read_lists(&self, tasks: Vec<Task>) -> Result<Outcomes, Error> {
        let crawler = Crawler {
            sender: self.sender,
            journal: self.journal,
            prices: &self.batch.prices,
            kind: self.kind(),
        };
        // All are waited for, whatever becomes of one: what they have sent is paid for.
        let lane = async |kind: List| {
            let slots = Semaphore::new(self.batch.concurrency);
            let tasks = tasks.iter().filter(|task| task.started.key.list == kind);
            let crawls = tasks.map(|task| one(&crawler, task, &slots));
            let at_once = self.batch.concurrency + WAITING_MAX;
            stream::iter(crawls).buffer_unordered(at_once).collect::<Vec<_>>().await
        };
        let (outcomes, more) = join(lane(List::Followers), lane(List::Following)).await;
        outcomes.into_iter().chain(more).collect()
    }

    /// Publishes the run if every list is done with, and reports either way.
    async fn conclude(&self, outcomes: Outcomes) -> Result<BatchReport, Error> {
        let plan = self.plan();
        self.give_up_hopeless(&outcomes).await?;
        let (mut unfinished, mut failures) = (Vec::new(), Vec::new());
        self.journal.with(|state| {
            for (account, list, _) in &plan.lists {
                let (account, list) = (*account, *list);
                let place = state.lists.get(&(list, account));
                let why = place.and_then(|place| place.why.clone());
                failures.extend(why.map(|detail| Failure { account, list, detail }));
                if place.is_none_or(|place| place.ended.is_none()) {
                    let (pages, ids) = place.map_or((0, 0), |place| (place.pages, place.rows));
                    unfinished.push(Unfinished { account, list, pages, ids });
                }
            }
        });
        // A wish to stop that came after the last page has stopped nothing.
        let fatal = self
            .sender
            .brake
            .take_error("stopped before the end")
            .filter(|_| !unfinished.is_empty());
        let mut report = BatchReport {
            published: None,
            unresolved: self.unresolved(),
            failures,
            requests: self.sender.purse.requests(),
            cost_micro_usd: self.sender.purse.cost(),
            requests_in_all: self.journal.with(journal::State::requests),
            cost_in_all_micro_usd: self.journal.with(journal::State::cost),
            fatal,
            unfinished,
        };
        if plan.lists.is_empty() {
            self.journal.clone().remove()?;
        } else if report.unfinished.is_empty() {
            let options =
                publish::Options::of(self.batch, Some((self.sender.network(), self.page_size)));
            let (store, journal) = (self.store.clone(), self.journal.clone());
            let publish = move || publish::publish(&store, journal, options);
            let published = tokio::task::spawn_blocking(publish).await;
            let published =
                published.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
            self.sender.progress.event(&Event::Published { run: published.run });
            report.published = Some(published);
        }
        Ok(report)
    }

    /// Ends lists that fail session after session while others are read.
    async fn give_up_hopeless(&self, outcomes: &Outcomes) -> Result<(), Error> {
        if !outcomes.values().any(|outcome| *outcome == Outcome::Ended) {
            return Ok(());
        }
        let hopeless: Vec<_> = self.journal.with(|state| {
            let lists = state.lists.values().filter(|list| list.ended.is_none());
            let hopeless = lists.filter(|list| list.given_up >= GIVEN_UP_MAX);
            hopeless.map(|list| (list.started.key.clone(), list.why.clone())).collect()
        });
        for (key, detail) in hopeless {
            let (at, how, requests) = (self.sender.now(), End::Broken, 0);
            self.journal.append(Record::Ended(Ended { key, at, how, requests, detail })).await?;
        }
        Ok(())
    }
}

/// Reads one list. What one cannot write down, no other can, so an error stops all.
async fn one(
    crawler: &Crawler<'_>,
    task: &Task,
    slots: &Semaphore,
) -> Result<((List, AccountId), Outcome), Error> {
    let key = &task.started.key;
    match crawler.crawl(task, slots).await {
        Ok(outcome) => Ok(((key.list, key.account), outcome)),
        Err(error) => {
            crawler.sender.brake.pull(Cut::Error, Error::new(error.kind(), "stopped by an error"));
            Err(error)
        }
    }
}

impl Plan {
    fn wanted_baselines(&self) -> HashSet<(AccountId, List)> {
        let wanted = self.lists.iter().filter(|(.., mode)| *mode != Mode::Complete);
        wanted.map(|(account, list, _)| (*account, *list)).collect()
    }
}

/// Looks some accounts up, whatever it takes; none if it was stopped. `requests` counts every
/// try.
pub(crate) async fn ask_profiles<'a>(
    sender: &Sender<'a>,
    prices: &Prices,
    who: Who<'a>,
    requests: &mut u32,
) -> Result<Option<(Lookup, Vec<Heard>)>, Error> {
    let network = sender.network();
    let price = |users| prices.look_up(network.kind(), users).unwrap_or(0);
    let (call, most, each) = (who.call(), price(asked(who).len() as u64), price(1));
    let question = Question { call, refused: &[], most, each };
    let sources = sender.sources;
    let request = |credential: usize| sources[credential].profiles(who, Detail::Brief);
    match sender.send(question, requests, &mut None, request).await {
        Ok(answered) => Ok(Some((answered.answer, answered.heard))),
        Err(Failed::Target(State::Missing, _)) => Ok(Some((Lookup::default(), Vec::new()))),
        Err(Failed::Target(state, _)) => match who.only() {
            Some(account) if state != State::NotAuthorized => {
                let absent = vec![(account, state)];
                Ok(Some((Lookup { absent, ..Lookup::default() }, Vec::new())))
            }
            _ => Err(no_look_up(network, state)),
        },
        Err(Failed::Braked) => Ok(None),
        Err(Failed::GivenUp(error)) => {
            let message = format!("{network} cannot look the accounts up");
            Err(Error::new(ErrorKind::Network, message).because(error).hint(GO_ON))
        }
    }
}

/// Those by id and those by name, which are looked up apart.
pub(crate) fn by_kind(
    accounts: impl IntoIterator<Item = AccountRef>,
) -> (Vec<AccountId>, Vec<Username>) {
    let (mut ids, mut names) = (Vec::new(), Vec::new());
    for account in accounts {
        match account {
            AccountRef::Id(id) => ids.push(id),
            AccountRef::Name(name) => names.push(name),
        }
    }
    (ids, names)
}

fn asked(who: Who<'_>) -> Vec<String> {
    match who {
        Who::Ids(ids) => ids.iter().map(AccountId::to_string).collect(),
        Who::Names(names) => names.iter().map(Username::to_string).collect(),
    }
}

/// A refusal of a whole look-up. It says nothing of any of the accounts, so none of them may
/// become missing by it.
pub(crate) fn no_look_up(source: &dyn Source, state: State) -> Error {
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

const STOPPED_AT_ONCE: &str = "stopped before anything was read";
