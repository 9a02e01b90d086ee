//! From a finished journal to a run, and from runs to what a head refresh starts from.
//!
//! The run is made by reading the journal from its beginning, so it does not matter how many
//! processes have read it together. A journal whose run is there is removed; a crash between
//! the two is noticed by the run's own note of the journal it came of.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use snapshot::{
    AccountId, Crawl, Cut, List, LookUp, Order, PageRecord, Profile, Published, Run, RunWriter,
    Store, WriterOptions,
};

use crate::crawl::crawl_of;
use crate::journal::record::{Checked, Fate, ListKey, Page, Pause, Record};
use crate::journal::{Journal, Journals, RUN_PARAMETER, State};
use crate::{Batch, Error, LookUps, Source};

/// How to write the run.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    sort_memory: usize,
    parameters: BTreeMap<String, String>,
}

impl Options {
    /// What was asked for stands in the manifest; what the caller says there comes first.
    pub(crate) fn of(batch: &Batch, read: Option<(&dyn Source, u32)>) -> Self {
        let mut parameters = batch.parameters.clone();
        let wanted = |list: &List| batch.targets.iter().any(|t| t.lists.contains(list));
        let lists: Vec<_> =
            List::ALL.iter().filter(|list| wanted(list)).map(List::to_string).collect();
        let mut say = |key: &str, value: String| {
            parameters.entry(key.to_owned()).or_insert(value);
        };
        say("lists", lists.join(" "));
        say("concurrency", batch.concurrency.to_string());
        if let Some((source, page_size)) = read {
            say("source", source.to_string());
            say("page_size", page_size.to_string());
        }
        Self { sort_memory: batch.sort_memory, parameters }
    }

    /// The same for a run of look-ups alone.
    pub(crate) fn of_look_ups(request: &LookUps, source: &dyn Source) -> Self {
        let mut parameters = request.parameters.clone();
        parameters.entry("source".to_owned()).or_insert_with(|| source.to_string());
        Self { sort_memory: WriterOptions::default().sort_memory, parameters }
    }
}

/// Makes a run of a journal and removes the journal. Lists that are not done with are marked
/// as cut short.
pub(crate) fn publish(
    store: &Store,
    journal: Journal,
    options: Options,
) -> Result<Published, Error> {
    let published = journal.with(|state| write(store, &journal, state, options))?;
    journal.remove()?;
    Ok(published)
}

fn write(
    store: &Store,
    journal: &Journal,
    state: &State,
    options: Options,
) -> Result<Published, Error> {
    let mut writer_options = WriterOptions::default();
    writer_options.sort_memory = options.sort_memory;
    writer_options.parameters = options.parameters;
    let parameters = &mut writer_options.parameters;
    parameters.insert(RUN_PARAMETER.to_owned(), journal.name());
    parameters.insert("sessions".to_owned(), state.sessions.to_string());
    parameters.insert("look_up_requests".to_owned(), state.look_up_requests.to_string());
    if let Some(cost) = state.look_up_cost {
        parameters.insert("look_up_cost_micro_usd".to_owned(), cost.to_string());
    }
    if let Some(cost) = state.cost() {
        parameters.insert("cost_micro_usd".to_owned(), cost.to_string());
    }
    let writer = store
        .begin(run_time(state), writer_options)
        .map_err(|e| Error::store("cannot begin a run", e))?;
    let mut making = Making { writer, read: HashMap::new(), state };
    journal.records(|record| making.take(record))?;
    making.finish()
}

/// The time that names the run: when its first list was begun, or its first look-up answered.
fn run_time(state: &State) -> Timestamp {
    let started = state.lists.values().map(|list| list.started.at).min();
    let checked = state.checked.values().copied().min();
    started.or(checked).unwrap_or(state.began.at)
}

/// A run that is being made of a journal.
struct Making<'a> {
    writer: RunWriter,
    read: HashMap<(List, AccountId), Read>,
    /// The state at the journal's end.
    state: &'a State,
}

/// A list, as far as the journal has been read.
#[derive(Default)]
struct Read {
    /// How often it was begun.
    attempt: u32,
    /// Rows since then.
    rows: u64,
}

impl Making<'_> {
    fn take(&mut self, record: Record) -> Result<(), Error> {
        match record {
            Record::Started(started) => {
                let read = self.read.entry((started.key.list, started.key.account)).or_default();
                *read = Read { attempt: read.attempt + 1, rows: 0 };
                Ok(())
            }
            Record::Page(page) if self.counts(&page.key) => self.page(page),
            Record::Members(members) if self.counts(&members.key) => {
                self.members(&members.key, &members.profiles)
            }
            Record::Checked(checked) => {
                for fate in &checked.fates {
                    self.writer.look_up(look_up(&checked, fate));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether what is being read belongs to the list's last beginning.
    fn counts(&self, key: &ListKey) -> bool {
        let place = (key.list, key.account);
        let last = self.state.lists.get(&place).map(|list| list.attempt);
        last.is_some() && last == self.read.get(&place).map(|read| read.attempt)
    }

    fn page(&mut self, page: Page) -> Result<(), Error> {
        let (account, list) = (page.key.account, page.key.list);
        let read = self.read.entry((list, account)).or_default();
        let first_position = u32::try_from(read.rows).unwrap_or(u32::MAX);
        read.rows += page.ids.len() as u64;
        self.writer
            .rows(list, account, first_position, &page.ids)
            .map_err(|e| Error::store("cannot keep a page", e))?;
        self.members(&page.key, &page.profiles)?;
        self.writer.page(PageRecord {
            account,
            list,
            page: page.page,
            cursor: page.cursor,
            next_cursor: page.next,
            fetched_at: page.fetched_at,
            ids: u32::try_from(page.ids.len()).unwrap_or(u32::MAX),
            first_position,
            boundary: page.boundary,
            problems: page.problems,
        });
        Ok(())
    }

    fn members(
        &mut self,
        key: &ListKey,
        profiles: &[snapshot::MemberProfile],
    ) -> Result<(), Error> {
        for profile in profiles {
            self.writer
                .member(key.list, key.account, profile)
                .map_err(|e| Error::store("cannot keep a profile", e))?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Published, Error> {
        let cut = self.state.paused.map_or(Cut::Stopped, Pause::cut);
        let mut accounts = HashSet::new();
        for ((_, account), list) in &self.state.lists {
            self.writer.crawl(crawl_of(list, cut));
            if accounts.insert(*account) {
                let known = self.state.accounts.profiles.get(account).cloned();
                let profile = known.unwrap_or_else(|| Profile::unknown(*account, list.started.at));
                self.writer.profile(profile);
            }
        }
        self.writer.publish().map_err(|e| Error::store("cannot publish the run", e))
    }
}

fn look_up(checked: &Checked, fate: &Fate) -> LookUp {
    LookUp {
        member: fate.member,
        looked_up_at: checked.at,
        source: checked.source.clone(),
        outcome: fate.outcome,
        username: fate.username.clone(),
    }
}

/// Removes journals whose runs are there: a crash came between the two.
pub(crate) fn clear_published(store: &Store, journals: &Journals) -> Result<(), Error> {
    for name in published(store, journals)? {
        journals.remove(&name)?;
    }
    Ok(())
}

/// The names of journals whose runs are there.
pub(crate) fn published(store: &Store, journals: &Journals) -> Result<HashSet<String>, Error> {
    let mut names: HashSet<String> = journals.names()?.into_iter().collect();
    let mut published = HashSet::new();
    if names.is_empty() {
        return Ok(published);
    }
    let entries = store.entries().map_err(|e| Error::store("cannot list the store", e))?;
    // The newest come last, and the journal's run is among the newest.
    for (_, run) in entries.into_iter().rev() {
        let Ok(run) = run else { continue };
        if let Some(name) = run.manifest().parameters.get(RUN_PARAMETER) {
            published.extend(names.take(name));
        }
        if names.is_empty() {
            break;
        }
    }
    Ok(published)
}

/// For lists, the newest run that has read all of them.
#[derive(Debug, Default)]
pub(crate) struct Baselines(HashMap<(AccountId, List), (Arc<Run>, Timestamp)>);

impl Baselines {
    /// Looks through the store from its newest run on, until every wanted list is found.
    pub(crate) fn find(store: &Store, wanted: &HashSet<(AccountId, List)>) -> Result<Self, Error> {
        let mut found = Self::default();
        if wanted.is_empty() {
            return Ok(found);
        }
        let entries = store.entries().map_err(|e| Error::store("cannot list the store", e))?;
        for (_, run) in entries.into_iter().rev() {
            // A damaged run is no reason not to read the network; `verify` will tell of it.
            let Ok(run) = run else { continue };
            let Ok(crawls) = run.crawls() else { continue };
            let run = Arc::new(run);
            for crawl in crawls.iter().filter(|crawl| can_be_met(crawl)) {
                let list = (crawl.account, crawl.list);
                if wanted.contains(&list) {
                    let newest = (Arc::clone(&run), crawl.finished_at);
                    found.0.entry(list).or_insert(newest);
                }
            }
            if found.0.len() == wanted.len() {
                break;
            }
        }
        Ok(found)
    }

    pub(crate) fn of(&self, account: AccountId, list: List) -> Option<(&Arc<Run>, Timestamp)> {
        self.0.get(&(account, list)).map(|(run, at)| (run, *at))
    }
}

/// Only the order of a whole list says where a newer reading of it may stop.
fn can_be_met(crawl: &Crawl) -> bool {
    crawl.state.is_complete() && crawl.order == Order::NewestFirst && crawl.ids > 0
}
