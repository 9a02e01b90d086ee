//! What a journal's records come to: where each list stands. One pure fold.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::{SignedDuration, Timestamp};
use snapshot::{AccountId, List, Profile};

use super::record::{Began, Ended, ListKey, Page, Pause, Record, Refusal, Started};
use crate::Cursor;
use crate::head::Meeting;
use crate::pace::Heard;

/// Where a job stands.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) began: Began,
    /// Times that somebody went on with it.
    pub(crate) sessions: u32,
    /// When the last of them began.
    pub(crate) last_session: Option<Timestamp>,
    /// How far the network's clock was ahead of the machine's then.
    pub(crate) ahead: Option<SignedDuration>,
    /// What stopped the last of them, if it was stopped and could still say so.
    pub(crate) paused: Option<Pause>,
    /// The process of the last of them.
    pub(crate) pid: Option<u32>,
    /// How many lists the job has, as far as it has been told.
    pub(crate) wanted: u64,
    pub(crate) lists: BTreeMap<(List, AccountId), ListState>,
    /// Hashes of the cursors received: eight bytes a page notice any loop.
    cursors: HashMap<(List, AccountId), HashSet<u64>>,
    pub(crate) accounts: Accounts,
    /// Members that vanished and were looked up, and when they were the last time.
    pub(crate) checked: HashMap<AccountId, Timestamp>,
    /// The rate windows as they were last heard of.
    pub(crate) heard: HashMap<(String, String), Vec<Heard>>,
    /// Requests of look-ups.
    pub(crate) look_up_requests: u64,
    /// What look-ups cost, if there is a price.
    pub(crate) look_up_cost: Option<i64>,
}

/// What look-ups told of the accounts of a job.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts {
    /// Everybody that was asked for, as `@name` in lower case or id.
    pub(crate) asked: HashSet<String>,
    pub(crate) profiles: HashMap<AccountId, Profile>,
    /// `@name` in lower case.
    pub(crate) names: HashMap<String, AccountId>,
    pub(crate) absent: HashMap<String, Refusal>,
}

/// Where a list stands.
#[derive(Clone, Debug)]
pub(crate) struct ListState {
    pub(crate) started: Started,
    /// How often it was begun, from 1.
    pub(crate) attempt: u32,
    pub(crate) pages: u32,
    pub(crate) rows: u64,
    /// Where to go on, once there was a page.
    pub(crate) next: Option<String>,
    pub(crate) last: Option<LastPage>,
    pub(crate) requests: u32,
    /// What its pages cost, those of earlier beginnings included; none without a price.
    pub(crate) cost: Option<i64>,
    empty_in_a_row: u32,
    /// What is wrong with its cursors.
    pub(crate) fault: Option<Fault>,
    /// How a head refresh goes.
    pub(crate) meeting: Option<Meeting>,
    pub(crate) ended: Option<Ended>,
    /// Sessions that gave it up since its last page.
    pub(crate) given_up: u32,
    /// What was wrong the last time that something was.
    pub(crate) why: Option<String>,
}

/// Pages without rows in a row that still promise more.
const EMPTY_PAGES_MAX: u32 = 20;

/// A way of paging that would never end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Empty,
    Circle,
    Backwards,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "one empty page after the other promised more",
            Self::Circle => "a cursor came back: the network is paging in a circle",
            Self::Backwards => "a cursor did not move towards older follows",
        })
    }
}

/// What matters of the last page that was read.
#[derive(Clone, Debug)]
pub(crate) struct LastPage {
    pub(crate) fetched_at: Timestamp,
    pub(crate) boundary: Option<Timestamp>,
    /// Its members, kept while their profiles are looked up apart.
    pub(crate) ids: Vec<AccountId>,
    /// How many of them have been asked for.
    pub(crate) looked_up: usize,
}

impl ListState {
    fn new(started: Started) -> Self {
        Self {
            started,
            attempt: 1,
            pages: 0,
            rows: 0,
            next: None,
            last: None,
            requests: 0,
            cost: None,
            empty_in_a_row: 0,
            fault: None,
            meeting: None,
            ended: None,
            given_up: 0,
            why: None,
        }
    }

    /// Whether it was begun as it would be now, so that its cursor can be sent.
    pub(crate) fn continues(&self, now: &Started) -> bool {
        let then = &self.started;
        (then.source == now.source && then.page_size == now.page_size)
            && (then.profiles == now.profiles && then.known_run == now.known_run)
    }

    /// The last page has been read, though nobody has said so yet.
    pub(crate) fn is_at_its_end(&self) -> bool {
        self.pages > 0 && self.next.is_none()
    }
}

/// Adds a cost that may not be known.
pub(crate) fn add_cost(sum: &mut Option<i64>, more: Option<i64>) {
    if let Some(more) = more {
        *sum = Some(sum.unwrap_or(0).saturating_add(more));
    }
}

impl State {
    pub(crate) fn new(began: Began) -> Self {
        Self {
            began,
            sessions: 0,
            last_session: None,
            ahead: None,
            paused: None,
            pid: None,
            wanted: 0,
            lists: BTreeMap::new(),
            cursors: HashMap::new(),
            accounts: Accounts::default(),
            checked: HashMap::new(),
            heard: HashMap::new(),
            look_up_requests: 0,
            look_up_cost: None,
        }
    }

    /// Takes a record in. One that fits nothing before it changes nothing.
    pub(crate) fn apply(&mut self, record: &Record) {
        match record {
            Record::Began(_) => {}
            Record::Session(session) => {
                self.sessions = self.sessions.saturating_add(1);
                self.last_session = Some(session.at);
                self.paused = None;
                self.ahead = Some(session.at.duration_since(session.here));
                self.pid = Some(session.pid);
                self.wanted = session.lists;
            }
            Record::LookedUp(looked_up) => {
                let accounts = &mut self.accounts;
                accounts.asked.extend(looked_up.asked.iter().map(|who| who.to_lowercase()));
                for profile in &looked_up.found {
                    if let Some(name) = &profile.username {
                        let name = format!("@{}", name.to_lowercase());
                        accounts.names.insert(name, profile.account);
                    }
                    accounts.profiles.insert(profile.account, profile.clone());
                }
                let absent = looked_up.absent.iter();
                accounts.absent.extend(absent.map(|(who, why)| (who.to_lowercase(), *why)));
                self.look_up_requests += u64::from(looked_up.requests);
                add_cost(&mut self.look_up_cost, looked_up.cost_micro_usd);
                self.hear(&looked_up.heard);
            }
            Record::Checked(checked) => {
                self.checked.extend(checked.fates.iter().map(|fate| (fate.member, checked.at)));
                self.look_up_requests += u64::from(checked.requests);
                add_cost(&mut self.look_up_cost, checked.cost_micro_usd);
                self.hear(&checked.heard);
            }
            Record::Started(started) => self.start(started),
            Record::Page(page) => {
                self.hear(&page.heard);
                let place = (page.key.list, page.key.account);
                if let Some(list) = self.lists.get_mut(&place) {
                    list.add(page, self.cursors.entry(place).or_default());
                }
            }
            Record::Members(members) => {
                self.hear(&members.heard);
                if let Some(list) = self.list(&members.key) {
                    list.requests = list.requests.saturating_add(members.requests);
                    add_cost(&mut list.cost, members.cost_micro_usd);
                    if let Some(last) = &mut list.last {
                        last.looked_up = members.upto as usize;
                    }
                }
            }
            Record::Ended(ended) => {
                if let Some(list) = self.list(&ended.key) {
                    list.requests = list.requests.saturating_add(ended.requests);
                    list.why.clone_from(&ended.detail);
                    list.ended = Some(ended.clone());
                }
                // No cursor of it comes back any more.
                self.cursors.remove(&(ended.key.list, ended.key.account));
            }
            Record::Paused(paused) => self.paused = Some(paused.why),
            Record::GaveUp(gave_up) => {
                if let Some(list) = self.list(&gave_up.key) {
                    list.requests = list.requests.saturating_add(gave_up.requests);
                    if let Some(detail) = &gave_up.detail {
                        list.given_up += 1;
                        list.why = Some(detail.clone());
                    }
                }
            }
        }
    }

    fn start(&mut self, started: &Started) {
        let place = (started.key.list, started.key.account);
        let mut list = ListState::new(started.clone());
        if let Some(before) = self.lists.get(&place) {
            list.attempt = before.attempt + 1;
            // What has been spent stays spent.
            (list.requests, list.cost) = (before.requests, before.cost);
        }
        self.cursors.remove(&place);
        self.lists.insert(place, list);
    }

    fn list(&mut self, key: &ListKey) -> Option<&mut ListState> {
        self.lists.get_mut(&(key.list, key.account))
    }

    fn hear(&mut self, heard: &[Heard]) {
        for window in heard {
            let bucket = (window.credential.clone(), window.endpoint.clone());
            let known = self.heard.entry(bucket).or_default();
            known.retain(|other| other.family != window.family);
            known.push(window.clone());
        }
    }

    /// Whether nothing was bought yet.
    pub(crate) fn is_blank(&self) -> bool {
        self.accounts.asked.is_empty() && self.lists.is_empty() && self.checked.is_empty()
    }

    /// What all of it has cost so far; none if nothing has a price.
    pub(crate) fn cost(&self) -> Option<i64> {
        let mut sum = self.look_up_cost;
        self.lists.values().for_each(|list| add_cost(&mut sum, list.cost));
        sum
    }

    /// Requests so far, those that failed included.
    pub(crate) fn requests(&self) -> u64 {
        let lists = self.lists.values().map(|list| u64::from(list.requests));
        self.look_up_requests + lists.sum::<u64>()
    }
}

impl ListState {
    fn add(&mut self, page: &Page, cursors: &mut HashSet<u64>) {
        let ids = page.ids.len();
        self.pages = page.page.saturating_add(1);
        self.rows += ids as u64;
        self.empty_in_a_row = if ids == 0 { self.empty_in_a_row + 1 } else { 0 };
        self.fault = page.next.as_deref().and_then(|next| self.fault_of(page, next, cursors));
        self.next.clone_from(&page.next);
        self.meeting = page.meeting;
        self.requests = self.requests.saturating_add(page.requests);
        add_cost(&mut self.cost, page.cost_micro_usd);
        let apart = self.started.profiles && page.profiles.is_empty();
        self.last = Some(LastPage {
            fetched_at: page.fetched_at,
            boundary: page.boundary,
            ids: if apart { page.ids.clone() } else { Vec::new() },
            looked_up: 0,
        });
        (self.given_up, self.why) = (0, None);
    }

    fn fault_of(&self, page: &Page, next: &str, cursors: &mut HashSet<u64>) -> Option<Fault> {
        if self.empty_in_a_row >= EMPTY_PAGES_MAX {
            return Some(Fault::Empty);
        }
        if !cursors.insert(hash(next)) {
            return Some(Fault::Circle);
        }
        let place = |cursor: &str| Cursor::new(cursor).place(page.fetched_at);
        let (before, after) = (page.cursor.as_deref().and_then(place), place(next));
        before.zip(after).filter(|(before, after)| after >= before).map(|_| Fault::Backwards)
    }
}

fn hash(cursor: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    cursor.hash(&mut hasher);
    hasher.finish()
}
