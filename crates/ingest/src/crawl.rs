//! One crawl: reads a list page by page until it ends, or something ends it.
//!
//! Knows nothing of HTTP; a page arrives already parsed. Where a crawl stands is what its
//! journal says and nothing else, so going on after a crash is the same as going on. Only a
//! page without a next cursor makes a list complete.

use snapshot::{Coverage, Crawl, Cut, Order, State};
use tokio::sync::Semaphore;

use crate::head::Known;
use crate::journal::record::{End, Ended, GaveUp, Members, Page, Record, Refusal, Started};
use crate::journal::{Journal, ListState};
use crate::price::Prices;
use crate::send::{Failed, Question, Sender, Slot, transient};
use crate::source::{Call, Detail, PageRequest, Who};
use crate::{Cursor, Error, Event, SourceKind};

/// Room on the disk for a page: its ids, and what is said of it.
const RECORD_BYTES: u64 = 4096;
/// The same for a member's profile.
const PROFILE_BYTES: u64 = 4096;

/// What every crawl of a batch works with.
pub(crate) struct Crawler<'a> {
    pub(crate) sender: &'a Sender<'a>,
    pub(crate) journal: &'a Journal,
    pub(crate) prices: &'a Prices,
    pub(crate) kind: SourceKind,
}

/// A list to read, as it would be begun now.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) started: Started,
    pub(crate) username: Option<String>,
    /// What a head refresh is to meet.
    pub(crate) known: Option<Known>,
}

/// What became of a list in this session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is done with.
    Ended,
    /// Its request could not be answered; others went on.
    GaveUp,
    /// Everything was stopped.
    Braked,
}

/// What to do next with a list, as its journal stands.
enum Step {
    End(End, Option<String>),
    Members,
    Page(Option<String>),
}

fn next_step(list: &ListState) -> Step {
    if list.last.as_ref().is_some_and(|last| last.looked_up < last.ids.len()) {
        return Step::Members;
    }
    if list.is_at_its_end() {
        return Step::End(End::Complete, None);
    }
    if let Some(fault) = list.fault {
        return Step::End(End::Broken, Some(fault.to_string()));
    }
    if let Some(meeting) = list.meeting {
        if meeting.is_met() && !meeting.is_disordered() {
            return Step::End(End::Head, None);
        }
        if meeting.is_disordered() && !list.started.reads_on {
            let why = "the list is not in the order it had in the last complete snapshot, so a head refresh cannot tell what it covers";
            return Step::End(End::Broken, Some(why.to_owned()));
        }
    }
    Step::Page(list.next.clone())
}

impl Crawler<'_> {
    /// Reads one list, from wherever its journal says it stands.
    ///
    /// # Errors
    /// If the journal, or the snapshot that is refreshed, cannot be used.
    pub(crate) async fn crawl(&self, task: &Task, slots: &Semaphore) -> Result<Outcome, Error> {
        let mut slot = Some(Slot::take(slots).await);
        if self.sender.brake.pulled().is_some() {
            return Ok(Outcome::Braked);
        }
        let Started { key, reported, .. } = &task.started;
        let (account, list, username) = (key.account, key.list, task.username.as_deref());
        if self.place(task).is_none() {
            let started = Started { at: self.sender.now(), ..task.started.clone() };
            self.journal.append(Record::Started(started)).await?;
        }
        let event = Event::CrawlStarted { account, username, list, reported: *reported };
        self.sender.progress.event(&event);
        let mut refused = Vec::new();
        loop {
            let Some(place) = self.place(task) else { return Ok(Outcome::Braked) };
            let mut sent = 0;
            let failed = match next_step(&place) {
                Step::End(how, detail) => return self.end(task, how, detail, 0).await,
                Step::Members => self.members(task, &place, &refused, &mut sent, &mut slot).await?,
                Step::Page(cursor) => {
                    self.page(task, &place, cursor, &refused, &mut sent, &mut slot).await?
                }
            };
            match failed {
                None => refused.clear(),
                Some(Failed::Target(state, credential)) => {
                    refused.push(credential);
                    // Somebody else may be allowed to see what this one is not.
                    let others = self.sender.others(&refused) > 0 && may_differ(state);
                    if !others {
                        let (how, detail) = refused_as(state, place.pages);
                        return self.end(task, how, detail, sent).await;
                    }
                    self.gave_up(task, None, sent).await?;
                }
                Some(Failed::GivenUp(error)) => {
                    self.gave_up(task, Some(error.detail), sent).await?;
                    return Ok(Outcome::GaveUp);
                }
                Some(Failed::Braked) => {
                    // Only a count; the reason for the stop matters more than losing it.
                    let _ = self.gave_up(task, None, sent).await;
                    return Ok(Outcome::Braked);
                }
            }
        }
    }

    /// Where the list stands; none if it was not begun as it would be now.
    fn place(&self, task: &Task) -> Option<ListState> {
        let key = &task.started.key;
        self.journal.with(|state| {
            let list = state.lists.get(&(key.list, key.account))?;
            list.continues(&task.started).then(|| list.clone())
        })
    }

    async fn page(
        &self,
        task: &Task,
        place: &ListState,
        cursor: Option<String>,
        refused: &[usize],
        sent: &mut u32,
        slot: &mut Option<Slot<'_>>,
    ) -> Result<Option<Failed>, Error> {
        let started = &task.started;
        let (account, list) = (started.key.account, started.key.list);
        let size = u64::from(started.page_size);
        let each = if started.profiles { 8 + PROFILE_BYTES } else { 8 };
        let _room = self.journal.reserve(RECORD_BYTES + size * each).await?;
        let (page_size, profiles) = (started.page_size, started.profiles);
        let cursor = cursor.map(Cursor::new);
        let request = PageRequest { account, list, cursor: cursor.clone(), page_size, profiles };
        let price = |users| self.prices.list(self.kind, account, users);
        let question = Question {
            call: Call::Page(list),
            refused,
            most: price(size).unwrap_or(0),
            each: price(1).unwrap_or(0),
        };
        let sources = self.sender.sources;
        let ask = |credential: usize| sources[credential].page(&request);
        let answered = match self.sender.send(question, sent, slot, ask).await {
            Ok(answered) => answered,
            Err(failed) => return Ok(Some(failed)),
        };
        let page = answered.answer;
        // A page is kept even if what it should be compared with cannot be read.
        let (meeting, compared) = match &task.known {
            None => (None, Ok(())),
            Some(known) => match known.positions(&page.ids).await {
                Ok(found) => (Some(place.meeting.unwrap_or_default().page(&found)), Ok(())),
                Err(error) => (place.meeting, Err(error)),
            },
        };
        let ids_so_far = place.rows + page.ids.len() as u64;
        let (reported, boundary) = (started.reported, page.boundary);
        self.journal
            .append(Record::Page(Page {
                key: started.key.clone(),
                page: place.pages,
                cursor: cursor.map(|cursor| cursor.to_string()),
                next: page.next.map(|cursor| cursor.to_string()),
                fetched_at: page.fetched_at,
                boundary,
                requests: *sent,
                cost_micro_usd: price(page.ids.len() as u64),
                heard: answered.heard,
                meeting,
                profiles: page.profiles,
                problems: page.problems,
                ids: page.ids,
            }))
            .await?;
        compared?;
        let spent = self.sender.purse.cost();
        self.sender.progress.event(&Event::Page {
            account,
            list,
            ids_so_far,
            reported,
            boundary,
            spent,
        });
        Ok(None)
    }

    /// Looks up the next members of the last page whose profiles did not come with it.
    async fn members(
        &self,
        task: &Task,
        place: &ListState,
        refused: &[usize],
        sent: &mut u32,
        slot: &mut Option<Slot<'_>>,
    ) -> Result<Option<Failed>, Error> {
        let Some(last) = &place.last else { return Ok(None) };
        let network = self.sender.network();
        let due = &last.ids[last.looked_up..];
        let due = &due[..due.len().min(network.profiles_max())];
        let bytes = RECORD_BYTES + due.len() as u64 * PROFILE_BYTES;
        let _room = self.journal.reserve(bytes).await?;
        let price = |users| self.prices.look_up(self.kind, users);
        let question = Question {
            call: Call::ProfilesById,
            refused,
            most: price(due.len() as u64).unwrap_or(0),
            each: price(1).unwrap_or(0),
        };
        let sources = self.sender.sources;
        let ask = |credential: usize| sources[credential].profiles(Who::Ids(due), Detail::Full);
        let answered = match self.sender.send(question, sent, slot, ask).await {
            Ok(answered) => answered,
            // It says nothing of the list itself.
            Err(Failed::Target(state, _)) => {
                let detail = format!("the members' profiles could not be looked up: {state}");
                return Ok(Some(Failed::GivenUp(transient(detail))));
            }
            Err(failed) => return Ok(Some(failed)),
        };
        let upto = last.looked_up + due.len();
        let profiles = answered.answer.found;
        self.journal
            .append(Record::Members(Members {
                key: task.started.key.clone(),
                upto: u32::try_from(upto).unwrap_or(u32::MAX),
                requests: *sent,
                cost_micro_usd: price(profiles.len() as u64),
                heard: answered.heard,
                profiles,
            }))
            .await?;
        Ok(None)
    }

    async fn end(
        &self,
        task: &Task,
        how: End,
        detail: Option<String>,
        requests: u32,
    ) -> Result<Outcome, Error> {
        let (key, at) = (task.started.key.clone(), self.sender.now());
        self.journal.append(Record::Ended(Ended { key, at, how, requests, detail })).await?;
        if let Some(list) = self.place(task) {
            let (crawl, detail) = (crawl_of(&list, Cut::Stopped), list.why.as_deref());
            let username = task.username.as_deref();
            self.sender.progress.event(&Event::CrawlFinished { crawl: &crawl, username, detail });
        }
        Ok(Outcome::Ended)
    }

    async fn gave_up(
        &self,
        task: &Task,
        detail: Option<String>,
        requests: u32,
    ) -> Result<(), Error> {
        if requests == 0 && detail.is_none() {
            return Ok(());
        }
        let (key, at) = (task.started.key.clone(), self.sender.now());
        self.journal.append(Record::GaveUp(GaveUp { key, at, detail, requests })).await
    }
}

/// Whether another credential may be told something else. A suspended account is suspended
/// for everybody.
fn may_differ(state: State) -> bool {
    matches!(state, State::Protected | State::NotAuthorized)
}

/// An account that stops to be visible half-way has still been read that far.
fn refused_as(state: State, pages: u32) -> (End, Option<String>) {
    match Refusal::of(state) {
        Some(refusal) if pages == 0 => (End::Refused(refusal), None),
        _ => (End::Broken, Some(format!("became {state} while it was read"))),
    }
}

/// The record of a list as it stands. `cut` is why it ends where it does, if nothing else
/// is known to be the reason.
pub(crate) fn crawl_of(list: &ListState, cut: Cut) -> Crawl {
    let started = &list.started;
    let cut_short = |why| State::Read(Coverage::CutShort { after_page: list.pages, why });
    let state = match list.ended.as_ref().map(|ended| ended.how) {
        Some(End::Complete) => State::Read(Coverage::Complete),
        Some(End::Head) => State::Read(Coverage::Head),
        Some(End::Broken) => cut_short(Cut::Error),
        Some(End::Refused(refusal)) => refusal.state(),
        None if list.given_up > 0 => cut_short(Cut::Error),
        None => cut_short(cut),
    };
    let last = list.last.as_ref();
    let ended_at = list.ended.as_ref().map(|ended| ended.at);
    let finished_at = last.map(|last| last.fetched_at).or(ended_at).unwrap_or(started.at);
    let is_head = state == State::Read(Coverage::Head);
    let ended_early = state.coverage().is_some() && !state.is_complete();
    let (account, key_list) = (started.key.account, started.key.list);
    Crawl {
        order: Order::NewestFirst,
        started_at: started.at,
        finished_at: finished_at.max(started.at),
        ids: list.rows,
        pages: list.pages,
        requests: list.requests,
        cost_micro_usd: list.cost,
        reported_count: started.reported,
        covered_since: last.and_then(|last| last.boundary).filter(|_| ended_early),
        known_run: started.known_run.filter(|_| is_head),
        ..Crawl::new(account, key_list, started.source.clone(), state, started.at)
    }
}
