//! What a batch would take, told before anything is spent.
//!
//! The length of a list is what the profile's counter says, as the job's own journal or the
//! store knows it; only if neither does, and only if asked to, the network is looked up, which
//! costs what the plan says it did, and is not kept: the batch asks once more. What a journal
//! of the same job holds is not counted again.
//! Counters drift and head refreshes meet what they meet, so every figure is an estimate; the
//! limits that are kept to are those of the [`Budget`](crate::Budget).

mod forecast;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use snapshot::{AccountId, List, Profile, Run, RunId, Store};

use self::forecast::{Bucket, forecast, pages};
use crate::batch::{ask_profiles, by_kind, check, find};
use crate::head::STRETCH;
use crate::journal::record::{ListKey, Refusal, Started};
use crate::journal::{Journals, ListState, State};
use crate::pace::Heard;
use crate::publish::Baselines;
use crate::send::Sender;
use crate::source::{AccountRef, Call, Source, Who};
use crate::status::as_string;
use crate::{Batch, Error, ErrorKind, Mode, Progress, SourceKind, Stop, windows};

/// The version of what [`Plan`] looks like when it is serialized.
const SCHEMA_VERSION: u32 = 1;

/// Whom to ask for the counters that the store does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ask {
    /// Nobody: such lists have no known length.
    #[default]
    Nobody,
    /// The network. It is paid for, within the batch's budget.
    Network,
}

/// What a batch would take.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The version of this form.
    pub schema_version: u32,
    /// When it was so, by the network's clock.
    pub at: Timestamp,
    /// Rows of a page.
    pub page_size: u32,
    /// Each list once, in the order they were asked for.
    pub lists: Vec<PlannedList>,
    /// Requests that are left, as far as is known, look-ups included.
    pub requests: u64,
    /// What is left to pay, in millionths of a US dollar; none if the source has no price.
    pub cost_micro_usd: Option<i64>,
    /// Lists whose length is not known; they are in none of the sums.
    pub unknown: u64,
    /// Whether the sums hold head refreshes, of which only about is known.
    pub about: bool,
    /// When the prices were right.
    pub prices_as_of: Date,
    /// Requests that making this plan took.
    pub asked_requests: u64,
    /// What making this plan cost, in millionths of a US dollar.
    pub asked_cost_micro_usd: i64,
    /// Each endpoint that has something to do.
    pub endpoints: Vec<PlannedEndpoint>,
    /// When the last request can be sent; none if that is not known.
    pub earliest_finish: Option<Timestamp>,
}

/// What a list would take.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PlannedList {
    /// As it was asked for.
    pub who: String,
    /// Its id, if it is known; a string when serialized.
    #[serde(serialize_with = "option_as_string")]
    pub account: Option<AccountId>,
    /// `followers` or `following`.
    pub list: &'static str,
    /// `complete` or `head`.
    pub mode: &'static str,
    /// Why so.
    pub why: String,
    /// How long it is.
    pub reported: Option<u64>,
    /// Where that is known from.
    pub known_from: Option<KnownFrom>,
    /// Rows that the journal has already.
    pub ids_kept: u64,
    /// Pages that the journal has already.
    pub pages_kept: u32,
    /// Whether it is done with.
    pub finished: bool,
    /// Pages that are left, each of them a request.
    pub pages: Option<u64>,
    /// What they cost, in millionths of a US dollar; none without a price or a length.
    pub cost_micro_usd: Option<i64>,
    /// Whether pages and cost are a guess at how far a head refresh has to read.
    pub about: bool,
}

/// Where the length of a list is known from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "from")]
#[non_exhaustive]
pub enum KnownFrom {
    /// The job's journal.
    Journal {
        /// When it was read.
        at: Timestamp,
    },
    /// A run of the store.
    Run {
        /// Which.
        run: String,
        /// When it was read.
        at: Timestamp,
    },
    /// The network, asked for this plan.
    Network,
}

/// What an endpoint has to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedEndpoint {
    /// Its name.
    pub endpoint: String,
    /// Requests that are left.
    pub requests: u64,
    /// Rate windows that they take, of all credentials together.
    pub windows: Option<u64>,
    /// When the last of them can be sent.
    pub earliest_finish: Option<Timestamp>,
    /// What each credential may ask.
    pub limits: Vec<PlannedLimit>,
}

/// What a credential may ask of an endpoint in a quarter of an hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedLimit {
    /// What the credential is called.
    pub credential: String,
    /// Requests of a whole window.
    pub limit: u64,
    /// Requests that are left now.
    pub left: u64,
    /// Whether the limit is the documented one, because the network has not told it yet.
    pub assumed: bool,
}

/// Tells what a batch would take. Changes nothing in the store.
///
/// # Errors
/// If the batch makes no sense, the store or the job's journal cannot be read, or the network
/// was to be asked and did not answer.
pub async fn plan(
    store: &Store,
    sources: &[Arc<dyn Source>],
    batch: &Batch,
    ask: Ask,
    stop: &Stop,
    progress: &dyn Progress,
) -> Result<Plan, Error> {
    let page_size = check(batch, sources)?;
    let journals = Journals::of(store);
    let key = batch.key_at(sources[0].base_url());
    let found = if batch.restart { None } else { find(&journals, &key)? };
    let state = found.map(|name| journals.state(&name)).transpose()?.flatten();
    let heard = state.iter().flat_map(|state| state.heard.values().flatten().cloned());
    let mut heard: Vec<_> = windows::saved(&journals).into_iter().chain(heard).collect();
    let mut known = Known::of(store, batch, state.as_ref())?;
    let mut asked = (0, 0);
    if ask == Ask::Network {
        asked = known.ask(sources, batch, &mut heard, stop, progress).await?;
    }
    let now = sources[0].now();
    let planner = Planner { store, source: &*sources[0], batch, page_size, state, known, now };
    let (lists, mut calls) = planner.lists()?;
    let look_ups = planner.look_ups(&mut calls);
    let mut plan = Plan {
        schema_version: SCHEMA_VERSION,
        at: now,
        page_size,
        requests: calls.values().sum(),
        cost_micro_usd: look_ups,
        unknown: lists.iter().filter(|list| list.pages.is_none()).count() as u64,
        about: lists.iter().any(|list| list.about),
        prices_as_of: batch.prices.as_of,
        asked_requests: asked.0,
        asked_cost_micro_usd: asked.1,
        endpoints: endpoints(sources, &calls, &heard, now),
        earliest_finish: None,
        lists,
    };
    for list in &plan.lists {
        let sum = plan.cost_micro_usd.zip(list.cost_micro_usd);
        plan.cost_micro_usd = sum.map_or(plan.cost_micro_usd, |(a, b)| Some(a.saturating_add(b)));
    }
    let ends: Option<Vec<_>> = plan.endpoints.iter().map(|e| e.earliest_finish).collect();
    if plan.unknown == 0 {
        plan.earliest_finish = ends.map(|ends| ends.into_iter().fold(now, Timestamp::max));
    }
    Ok(plan)
}

/// What is known of the accounts, from wherever.
#[derive(Debug, Default)]
struct Known {
    profiles: HashMap<AccountId, (Profile, KnownFrom)>,
    /// `@name` in lower case.
    names: HashMap<String, AccountId>,
}

impl Known {
    /// From the journal, and from the newest runs that know the others.
    fn of(store: &Store, batch: &Batch, state: Option<&State>) -> Result<Self, Error> {
        let mut known = Self::default();
        for profile in state.iter().flat_map(|state| state.accounts.profiles.values()) {
            known.add(profile.clone(), KnownFrom::Journal { at: profile.observed_at });
        }
        let mut missing = known.missing(batch);
        if missing.is_empty() {
            return Ok(known);
        }
        let entries = store.entries().map_err(|e| Error::store("cannot list the store", e))?;
        for (_, run) in entries.into_iter().rev() {
            let Ok(run) = run else { continue };
            let Ok(profiles) = run.profiles() else { continue };
            let names: HashSet<_> =
                missing.iter().map(|who| who.to_string().to_lowercase()).collect();
            for profile in profiles {
                let name = name_of(&profile);
                let wanted = names.contains(&profile.account.to_string())
                    || name.is_some_and(|name| names.contains(&name));
                let counts = profile.followers_count.is_some() || profile.following_count.is_some();
                if wanted && counts {
                    let from =
                        KnownFrom::Run { run: run.id().to_string(), at: profile.observed_at };
                    known.add(profile, from);
                }
            }
            missing = known.missing(batch);
            if missing.is_empty() {
                break;
            }
        }
        Ok(known)
    }

    fn add(&mut self, profile: Profile, from: KnownFrom) {
        if let Some(name) = name_of(&profile) {
            self.names.entry(name).or_insert(profile.account);
        }
        self.profiles.entry(profile.account).or_insert((profile, from));
    }

    /// The accounts of which no counter is known.
    fn missing(&self, batch: &Batch) -> HashSet<AccountRef> {
        let accounts = batch.targets.iter().map(|target| &target.account);
        let missing = accounts
            .filter(|account| self.id(account).is_none_or(|id| !self.profiles.contains_key(&id)));
        missing.cloned().collect()
    }

    fn id(&self, account: &AccountRef) -> Option<AccountId> {
        match account {
            AccountRef::Id(id) => Some(*id),
            AccountRef::Name(_) => self.names.get(&account.to_string().to_lowercase()).copied(),
        }
    }

    /// Looks up whoever is missing; tells the requests and the money it took.
    async fn ask(
        &mut self,
        sources: &[Arc<dyn Source>],
        batch: &Batch,
        heard: &mut Vec<Heard>,
        stop: &Stop,
        progress: &dyn Progress,
    ) -> Result<(u64, i64), Error> {
        let (ids, names) = by_kind(self.missing(batch));
        let sender = Sender::new(sources, batch.budget, batch.retries, progress, stop);
        windows::take_over(&sender.pace, sources, heard.iter().cloned());
        let most = sources[0].profiles_max();
        let by_id = ids.chunks(most).map(Who::Ids);
        for who in by_id.chain(names.chunks(most).map(Who::Names)) {
            let answer = ask_profiles(&sender, &batch.prices, who, &mut 0).await?;
            let Some((lookup, more)) = answer else {
                let stopped = || Error::new(ErrorKind::Incomplete, STOPPED);
                return Err(sender.brake.take_error(STOPPED).unwrap_or_else(stopped));
            };
            heard.extend(more);
            for member in lookup.found {
                self.add(member.profile, KnownFrom::Network);
            }
        }
        Ok((sender.purse.requests(), sender.purse.cost()))
    }
}

const STOPPED: &str = "stopped before the plan was made";

fn name_of(profile: &Profile) -> Option<String> {
    profile.username.as_ref().map(|name| format!("@{}", name.to_lowercase()))
}

/// Everything a plan is made of.
struct Planner<'a> {
    store: &'a Store,
    source: &'a dyn Source,
    batch: &'a Batch,
    page_size: u32,
    state: Option<State>,
    known: Known,
    now: Timestamp,
}

/// Requests by call; calls of one endpoint are put together later.
type Calls = HashMap<Call, u64>;

/// A complete reading that a head refresh would start from.
struct Baseline {
    run: RunId,
    at: Timestamp,
    /// How long the list was then.
    length: u64,
}

impl Planner<'_> {
    fn lists(&self) -> Result<(Vec<PlannedList>, Calls), Error> {
        let mut seen = HashSet::new();
        let mut wanted = Vec::new();
        for target in &self.batch.targets {
            let account = self.known.id(&target.account);
            let name = account.map_or_else(
                || target.account.to_string().to_lowercase(),
                |account| account.to_string(),
            );
            for list in &target.lists {
                if seen.insert((name.clone(), *list)) {
                    wanted.push((&target.account, account, *list, target.mode));
                }
            }
        }
        let of_heads = wanted.iter().filter(|(.., mode)| *mode != Mode::Complete);
        let of_heads = of_heads.filter_map(|(_, account, list, _)| Some(((*account)?, *list)));
        let baselines = self.baselines(&of_heads.collect())?;
        let (mut lists, mut calls) = (Vec::new(), Calls::new());
        for (who, account, list, mode) in wanted {
            let baseline = account.and_then(|account| baselines.get(&(account, list)));
            lists.push(self.list(who, account, list, mode, baseline, &mut calls));
        }
        Ok((lists, calls))
    }

    fn baselines(
        &self,
        wanted: &HashSet<(AccountId, List)>,
    ) -> Result<HashMap<(AccountId, List), Baseline>, Error> {
        let found = Baselines::find(self.store, wanted)?;
        let mut by_run: HashMap<RunId, (&Arc<Run>, Vec<_>)> = HashMap::new();
        for (account, list) in wanted {
            if let Some((run, at)) = found.of(*account, *list) {
                by_run.entry(run.id()).or_insert((run, Vec::new())).1.push((*account, *list, at));
            }
        }
        let mut baselines = HashMap::new();
        for (id, (run, lists)) in by_run {
            let crawls = run.crawls().map_err(|e| Error::store("cannot read a run", e))?;
            let length = |crawl: &snapshot::Crawl| crawl.reported_count.unwrap_or(crawl.ids);
            let lengths: HashMap<_, _> =
                crawls.iter().map(|crawl| ((crawl.account, crawl.list), length(crawl))).collect();
            for (account, list, at) in lists {
                let length = lengths.get(&(account, list)).copied().unwrap_or(0);
                baselines.insert((account, list), Baseline { run: id, at, length });
            }
        }
        Ok(baselines)
    }

    fn list(
        &self,
        who: &AccountRef,
        account: Option<AccountId>,
        list: List,
        mode: Mode,
        baseline: Option<&Baseline>,
        calls: &mut Calls,
    ) -> PlannedList {
        let profile = account.and_then(|account| self.known.profiles.get(&account));
        let reported = profile.and_then(|(profile, _)| match list {
            List::Followers => profile.followers_count,
            List::Following => profile.following_count,
        });
        let place = account.zip(self.state.as_ref());
        let place = place.and_then(|(account, state)| state.lists.get(&(list, account)));
        let (head, why) = self.mode(place, mode, baseline);
        let kept = place.filter(|place| self.continues(place, head.is_some()));
        let (ids_kept, pages_kept) = kept.map_or((0, 0), |place| (place.rows, place.pages));
        let settled = self.is_settled(who, account);
        let finished = place.is_some_and(|place| place.ended.is_some()) || settled;
        let left = match (finished || kept.is_some_and(ListState::is_at_its_end), head) {
            (true, _) => Some((0, 0)),
            (false, None) => reported.map(|reported| {
                let rows = reported.saturating_sub(ids_kept);
                (pages(rows, self.page_size), rows)
            }),
            (false, Some(baseline)) => reported.map(|reported| {
                let growth = reported.saturating_sub(baseline.length) + u64::from(STRETCH);
                let pages = pages(growth.saturating_sub(ids_kept), self.page_size);
                let rows = pages.saturating_mul(u64::from(self.page_size));
                (pages, rows.min(reported.saturating_sub(ids_kept)))
            }),
        };
        let kind = self.source.kind();
        let own = account.unwrap_or(AccountId::MAX);
        let price = |rows| self.batch.prices.list(kind, own, rows);
        if let Some((pages, rows)) = left.filter(|(pages, _)| *pages > 0) {
            *calls.entry(Call::Page(list)).or_default() += pages;
            if self.batch.profiles && kind == SourceKind::XV1 {
                // Its pages hold ids alone.
                let most = self.source.profiles_max().max(1) as u64;
                *calls.entry(Call::ProfilesById).or_default() += rows.div_ceil(most);
            }
        }
        PlannedList {
            who: who.to_string(),
            account,
            list: list.name(),
            mode: if head.is_some() { "head" } else { "complete" },
            why: if settled { "suspended or missing: not asked for".to_owned() } else { why },
            reported,
            known_from: reported.and(profile).map(|(_, from)| from.clone()),
            ids_kept,
            pages_kept,
            finished,
            pages: left.map(|(pages, _)| pages),
            cost_micro_usd: left.and_then(|(_, rows)| price(rows)),
            about: head.is_some() && left.is_some_and(|(pages, _)| pages > 0),
        }
    }

    /// What a head refresh would start from, if it is to be one, and why.
    fn mode<'b>(
        &self,
        place: Option<&ListState>,
        mode: Mode,
        baseline: Option<&'b Baseline>,
    ) -> (Option<&'b Baseline>, String) {
        let complete_every = match mode {
            Mode::Complete => return (None, "as asked for".to_owned()),
            Mode::Head => None,
            Mode::Auto { complete_every } => Some(complete_every),
        };
        if place.is_some_and(|place| place.started.known_run.is_none()) {
            return (None, "it was begun so".to_owned());
        }
        let Some(baseline) = baseline else {
            return (None, "there is no complete snapshot of it yet".to_owned());
        };
        let age = self.now.duration_since(baseline.at);
        // One that was begun as a head refresh stays one.
        let old = complete_every.is_some_and(|every| age >= every) && place.is_none();
        let days = age.as_hours() / 24;
        let run = baseline.run;
        if old {
            return (None, format!("its complete snapshot {run} is {days} days old"));
        }
        (Some(baseline), format!("down to its complete snapshot {run}, {days} days old"))
    }

    /// Whether what the journal has of a list would be gone on with.
    fn continues(&self, place: &ListState, head: bool) -> bool {
        let key = &place.started.key;
        place.continues(&Started {
            key: ListKey { account: key.account, list: key.list },
            at: self.now,
            source: self.source.name().to_owned(),
            page_size: self.page_size,
            profiles: self.batch.profiles,
            known_run: place.started.known_run.filter(|_| head),
            reads_on: false,
            reported: None,
        })
    }

    fn is_settled(&self, who: &AccountRef, account: Option<AccountId>) -> bool {
        let Some(state) = &self.state else { return false };
        let said = |who: String| state.accounts.absent.get(&who);
        let said = said(who.to_string().to_lowercase())
            .or_else(|| account.and_then(|account| said(account.to_string())));
        said.is_some_and(|said| matches!(said, Refusal::Suspended | Refusal::Missing))
    }

    /// The look-ups with which the batch begins; tells what they cost.
    fn look_ups(&self, calls: &mut Calls) -> Option<i64> {
        let asked = |account: &AccountRef| {
            let name = account.to_string().to_lowercase();
            self.state.as_ref().is_some_and(|state| state.accounts.asked.contains(&name))
        };
        let accounts = self.batch.targets.iter().map(|target| &target.account);
        let ahead: HashSet<_> = accounts.filter(|account| !asked(account)).cloned().collect();
        let users = ahead.len() as u64;
        let (ids, names) = by_kind(ahead);
        let most = self.source.profiles_max().max(1);
        for (call, some) in [
            (Call::ProfilesById, ids.len().div_ceil(most)),
            (Call::ProfilesByName, names.len().div_ceil(most)),
        ] {
            if some > 0 {
                *calls.entry(call).or_default() += some as u64;
            }
        }
        self.batch.prices.look_up(self.source.kind(), users)
    }
}

/// What the network documents for a quarter of an hour. Nothing is paced by it.
fn documented(kind: SourceKind, call: Call) -> u32 {
    match (kind, call) {
        (SourceKind::XV1, Call::Page(_)) => 15,
        _ => 300,
    }
}

fn endpoints(
    sources: &[Arc<dyn Source>],
    calls: &Calls,
    heard: &[Heard],
    now: Timestamp,
) -> Vec<PlannedEndpoint> {
    let mut requests: BTreeMap<&str, (u64, Call)> = BTreeMap::new();
    for (call, some) in calls {
        requests.entry(sources[0].endpoint(*call).0).or_insert((0, *call)).0 += some;
    }
    let endpoint = |(endpoint, (requests, call)): (&str, (u64, Call))| {
        let bucket = |source: &Arc<dyn Source>| {
            let fingerprint = &source.credential().fingerprint;
            let ours = |h: &&Heard| h.credential == *fingerprint && h.endpoint == endpoint;
            let heard: Vec<_> = heard.iter().filter(ours).collect();
            Bucket::of(&heard, documented(source.kind(), call), now)
        };
        let buckets: Vec<_> = sources.iter().map(bucket).collect();
        let limit = |(source, bucket): (&Arc<dyn Source>, &Bucket)| PlannedLimit {
            credential: source.credential().name.clone(),
            limit: bucket.windows[0].limit,
            left: bucket.windows[0].left,
            assumed: bucket.assumed,
        };
        let forecast = forecast(requests, &buckets);
        let finish = |wait: SignedDuration| now.checked_add(wait).ok();
        PlannedEndpoint {
            endpoint: endpoint.to_owned(),
            requests,
            windows: forecast.map(|(windows, _)| windows),
            earliest_finish: forecast.and_then(|(_, wait)| finish(wait)),
            limits: sources.iter().zip(&buckets).map(limit).collect(),
        }
    };
    requests.into_iter().map(endpoint).collect()
}

#[expect(clippy::ref_option, reason = "serde asks for it")]
fn option_as_string<S: serde::Serializer>(
    id: &Option<AccountId>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => as_string(id, to),
        None => to.serialize_none(),
    }
}

#[cfg(test)]
mod tests;
