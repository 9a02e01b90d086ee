//! One crawl: reads a list page by page until it ends, or something ends it.
//!
//! Knows nothing of HTTP; a page arrives already parsed. What it can be sure of decides the
//! coverage: only a page without a next cursor makes a list complete.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use jiff::{SignedDuration, Timestamp};
use snapshot::{AccountId, Coverage, Crawl, Cut, List, Order, PageRecord, RunWriter, State};

use crate::pace::{Family, Pace, TooFar, tightest};
use crate::source::{BoxFuture, Call, PageRequest, Source, SourceError, Trouble};
use crate::{Cursor, Error, ErrorKind, Event, Page, Progress, Stop, Window};

/// How often a request is repeated that the network could not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// How many times, before the list is given up.
    pub times: usize,
    /// The shortest wait; it doubles from there, and a random part is added.
    pub delay_min: Duration,
    /// The longest wait.
    pub delay_max: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { times: 6, delay_min: Duration::from_secs(1), delay_max: Duration::from_mins(1) }
    }
}

/// Used-up windows in a row that one request sits through; others may be using the same
/// credentials, but not for ever.
const WINDOWS_MAX: u32 = 8;
/// The wait when the network says "too many requests" and not until when.
const WINDOW_UNKNOWN: SignedDuration = SignedDuration::from_secs(60);
/// The shortest wait after a refusal; it doubles with every refusal in a row. The network
/// may name a time that has passed, and asking at once would only be refused again.
const REFUSED_DELAY_SECS: i64 = 2;
/// Pages without rows in a row that still promise more.
const EMPTY_PAGES_MAX: u32 = 20;

/// What ends a whole batch early.
#[derive(Debug)]
pub(crate) struct Brake {
    user: Stop,
    own: Stop,
    why: OnceLock<(Cut, Error)>,
}

impl Brake {
    pub(crate) fn new(user: Stop) -> Self {
        Self { user, own: Stop::new(), why: OnceLock::new() }
    }

    /// Stops everything; the first reason counts.
    pub(crate) fn pull(&self, cut: Cut, error: Error) {
        let _ = self.why.set((cut, error));
        self.own.request();
    }

    /// Why everything stops, if it does.
    pub(crate) fn pulled(&self) -> Option<Cut> {
        match self.why.get() {
            Some((cut, _)) => Some(*cut),
            None => self.user.is_requested().then_some(Cut::Stopped),
        }
    }

    async fn wait(&self) {
        tokio::select! {
            () = self.own.requested() => {}
            () = self.user.requested() => {}
        }
    }

    /// The reason, when all is over; `stopped` is what to say of a wish of the user.
    pub(crate) fn into_error(self, stopped: &str) -> Option<Error> {
        let stopped = || Error::new(ErrorKind::Incomplete, stopped);
        let user = self.user.is_requested();
        self.why.into_inner().map(|(_, error)| error).or_else(|| user.then(stopped))
    }
}

/// Sends requests one crawl at a time: with pace, with retries, until the brake is pulled.
pub(crate) struct Sender<'a> {
    pub(crate) source: &'a dyn Source,
    pub(crate) pace: &'a Pace,
    pub(crate) retries: Retries,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) brake: &'a Brake,
    pub(crate) requests: &'a AtomicU64,
}

/// Why a request brought nothing in the end.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The account's list cannot be seen.
    Target(State),
    /// The brake was pulled, by this request or by something else.
    Braked,
    /// It was tried often enough.
    GivenUp(SourceError),
}

/// What can be asked and tells of the window when it is answered.
pub(crate) trait Answer {
    fn window(&self) -> Option<Window>;
}

impl Answer for Page {
    fn window(&self) -> Option<Window> {
        tightest(&self.windows)
    }
}

impl Answer for crate::Lookup {
    fn window(&self) -> Option<Window> {
        tightest(&self.windows)
    }
}

impl Sender<'_> {
    /// Sends a request until it is answered; `sent` counts every try.
    pub(crate) async fn send<'r, T: Answer>(
        &self,
        call: Call,
        sent: &mut u32,
        request: impl Fn() -> BoxFuture<'r, Result<T, SourceError>>,
    ) -> Result<T, Failed> {
        let mut delays = self.delays();
        let (mut attempt, mut windows) = (0, 0);
        loop {
            let error = match self.send_once(call, windows, sent, &request).await? {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match error.trouble {
                Trouble::Target(state) => return Err(Failed::Target(state)),
                Trouble::Quota | Trouble::Credentials | Trouble::Bug => {
                    let (cut, error) = fatal(self.source, &error);
                    self.brake.pull(cut, error);
                    return Err(Failed::Braked);
                }
                // The next try waits in the bucket.
                Trouble::Window { .. } if windows < WINDOWS_MAX => windows += 1,
                Trouble::Window { .. } => return Err(Failed::GivenUp(error)),
                Trouble::Transient => {
                    let Some(delay) = delays.next() else { return Err(Failed::GivenUp(error)) };
                    attempt += 1;
                    let (endpoint, why) = (self.source.endpoint(call), error.detail.as_str());
                    self.progress.event(&Event::Retry { endpoint, attempt, delay, why });
                    self.unless_braked(tokio::time::sleep(delay)).await?;
                }
            }
        }
    }

    /// Waits for room, sends, and tells the bucket what came of it. A request that has been
    /// sent is waited for even if the brake is pulled meanwhile: it has been paid for.
    /// `refusals` is how often it has been refused in a row.
    async fn send_once<'r, T: Answer>(
        &self,
        call: Call,
        refusals: u32,
        sent: &mut u32,
        request: &impl Fn() -> BoxFuture<'r, Result<T, SourceError>>,
    ) -> Result<Result<T, SourceError>, Failed> {
        let endpoint = self.source.endpoint(call);
        let now = || self.source.now();
        let announce = |until| {
            self.progress.event(&Event::Waiting { endpoint, until, now: self.source.now() });
        };
        let admitted = self.unless_braked(self.pace.admit(endpoint, now, announce)).await?;
        let permit = admitted.map_err(|TooFar { reset }| {
            self.brake.pull(Cut::Error, too_far(self.source, reset));
            Failed::Braked
        })?;
        *sent += 1;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let outcome = request().await;
        match &outcome {
            Ok(answer) => permit.answered(answer.window()),
            Err(SourceError { trouble: Trouble::Window { until }, windows, .. }) => {
                let now = self.source.now();
                let delay = REFUSED_DELAY_SECS << refusals.min(WINDOWS_MAX);
                let soonest = now + SignedDuration::from_secs(delay);
                let until = until.unwrap_or_else(|| now + WINDOW_UNKNOWN).max(soonest);
                permit
                    .exhausted(tightest(windows).map_or(Family::QuarterHour, |w| w.family), until);
            }
            Err(SourceError { windows, .. }) if !windows.is_empty() => {
                permit.answered(tightest(windows));
            }
            Err(_) => drop(permit),
        }
        Ok(outcome)
    }

    async fn unless_braked<T>(&self, work: impl Future<Output = T>) -> Result<T, Failed> {
        if self.brake.pulled().is_some() {
            return Err(Failed::Braked);
        }
        tokio::select! {
            done = work => Ok(done),
            () = self.brake.wait() => Err(Failed::Braked),
        }
    }

    fn delays(&self) -> impl Iterator<Item = Duration> + use<> {
        ExponentialBuilder::new()
            .with_min_delay(self.retries.delay_min)
            .with_max_delay(self.retries.delay_max)
            .with_max_times(self.retries.times)
            .with_jitter()
            .build()
    }
}

/// The error for a trouble that ends a batch, and what it means for the crawls it cuts.
fn fatal(source: &dyn Source, error: &SourceError) -> (Cut, Error) {
    let said = |kind, what: &str| Error::new(kind, format!("{source} {what}: {}", error.detail));
    match error.trouble {
        Trouble::Quota => {
            let error = said(ErrorKind::Incomplete, "says that the quota is used up");
            let hint = "buy credit or raise the cap, or wait for the next period; waiting for the rate window does not help";
            (Cut::Budget, error.hint(hint))
        }
        Trouble::Credentials => {
            let error = said(ErrorKind::Credentials, "does not accept the credentials");
            let hint = "check the token and what its app may do; if code 135 is mentioned, set this machine's clock";
            (Cut::Error, error.hint(hint))
        }
        _ => {
            let error = said(ErrorKind::Network, "does not understand the request");
            (
                Cut::Error,
                error.hint("check the base URL and the source; if both are right, this is a bug"),
            )
        }
    }
}

fn too_far(source: &dyn Source, reset: Timestamp) -> Error {
    let (now, what) = (source.now(), "says that its rate window ends at");
    let message = format!("{source} {what} {reset:.0}, and its clock shows {now:.0}");
    Error::new(ErrorKind::Network, message)
        .hint("no window is longer than a day, so this was not waited for; check the base URL, and run the same command again later")
}

/// What to crawl, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task<'a> {
    pub(crate) account: AccountId,
    pub(crate) username: Option<&'a str>,
    pub(crate) list: List,
    pub(crate) reported: Option<u64>,
    pub(crate) page_size: u32,
}

/// A crawl that is over. Its rows and pages are in the writer.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) crawl: Crawl,
    /// What went wrong, if an error cut it short.
    pub(crate) failure: Option<String>,
}

/// Reads one list into the writer.
///
/// # Errors
/// If the writer refuses: then nothing can be published.
pub(crate) async fn crawl(
    sender: &Sender<'_>,
    writer: &Mutex<RunWriter>,
    task: Task<'_>,
) -> Result<Done, Error> {
    let Task { account, username, list, reported, .. } = task;
    sender.progress.event(&Event::CrawlStarted { account, username, list, reported });
    let mut reading = Reading::new(task, sender.source.now());
    let (state, failure) = loop {
        let request = reading.request();
        let page = sender
            .send(Call::Page(list), &mut reading.requests, || sender.source.page(&request))
            .await;
        let page = match page {
            Ok(page) => page,
            Err(failed) => break reading.ended_by(failed, sender.brake),
        };
        reading.store(&page, writer)?;
        let boundary = page.boundary;
        let ids_so_far = reading.rows;
        sender.progress.event(&Event::Page { account, list, ids_so_far, reported, boundary });
        match reading.advance(page) {
            Ok(true) => {}
            Ok(false) => break (State::Read(Coverage::Complete), None),
            Err(why) => break (reading.cut(Cut::Error), Some(why.to_owned())),
        }
    };
    let crawl = reading.into_crawl(state, sender.source);
    sender.progress.event(&Event::CrawlFinished { crawl: &crawl, username });
    Ok(Done { crawl, failure })
}

/// Where a crawl stands.
struct Reading<'a> {
    task: Task<'a>,
    started_at: Timestamp,
    fetched_at: Option<Timestamp>,
    cursor: Option<Cursor>,
    /// Hashes of the cursors sent: eight bytes a page notice any loop.
    seen: HashSet<u64>,
    hasher: RandomState,
    rows: u64,
    pages: u32,
    empty_in_a_row: u32,
    requests: u32,
    boundary: Option<Timestamp>,
}

impl<'a> Reading<'a> {
    fn new(task: Task<'a>, started_at: Timestamp) -> Self {
        Self {
            task,
            started_at,
            fetched_at: None,
            cursor: None,
            seen: HashSet::new(),
            hasher: RandomState::new(),
            rows: 0,
            pages: 0,
            empty_in_a_row: 0,
            requests: 0,
            boundary: None,
        }
    }

    fn request(&self) -> PageRequest {
        PageRequest {
            account: self.task.account,
            list: self.task.list,
            cursor: self.cursor.clone(),
            page_size: self.task.page_size,
            profiles: false,
        }
    }

    fn store(&mut self, page: &Page, writer: &Mutex<RunWriter>) -> Result<(), Error> {
        let Task { account, list, .. } = self.task;
        let first_position = u32::try_from(self.rows).unwrap_or(u32::MAX);
        let record = PageRecord {
            account,
            list,
            page: self.pages,
            cursor: self.cursor.as_ref().map(Cursor::to_string),
            next_cursor: page.next.as_ref().map(Cursor::to_string),
            fetched_at: page.fetched_at,
            ids: u32::try_from(page.ids.len()).unwrap_or(u32::MAX),
            first_position,
            boundary: page.boundary,
        };
        let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer
            .rows(list, account, first_position, &page.ids)
            .map_err(|e| Error::store("cannot keep a page", e))?;
        writer.page(record);
        self.rows += page.ids.len() as u64;
        self.pages += 1;
        self.fetched_at = Some(page.fetched_at);
        self.boundary = page.boundary;
        Ok(())
    }

    /// Moves on to the next page; `false` if there is none.
    fn advance(&mut self, page: Page) -> Result<bool, &'static str> {
        self.empty_in_a_row = if page.ids.is_empty() { self.empty_in_a_row + 1 } else { 0 };
        let Some(next) = page.next else { return Ok(false) };
        if self.empty_in_a_row >= EMPTY_PAGES_MAX {
            return Err("one empty page after the other promised more");
        }
        if !self.seen.insert(self.hasher.hash_one(&next)) {
            return Err("a cursor came back: the network is paging in a circle");
        }
        let place = |cursor: &Cursor| cursor.place(page.fetched_at);
        if let (Some(before), Some(after)) = (self.cursor.as_ref().and_then(place), place(&next))
            && after >= before
        {
            return Err("a cursor did not move towards older follows");
        }
        self.cursor = Some(next);
        Ok(true)
    }

    fn cut(&self, why: Cut) -> State {
        State::Read(Coverage::CutShort { after_page: self.pages, why })
    }

    /// An account that stops to be visible half-way has still been read that far.
    fn ended_by(&self, failed: Failed, brake: &Brake) -> (State, Option<String>) {
        match failed {
            Failed::Target(state) if self.pages == 0 => (state, None),
            Failed::Target(state) => {
                (self.cut(Cut::Error), Some(format!("became {state} while it was read")))
            }
            Failed::Braked => (self.cut(brake.pulled().unwrap_or(Cut::Stopped)), None),
            Failed::GivenUp(error) => (self.cut(Cut::Error), Some(error.detail)),
        }
    }

    fn into_crawl(self, state: State, source: &dyn Source) -> Crawl {
        let ended_early = state.coverage().is_some() && !state.is_complete();
        Crawl {
            account: self.task.account,
            list: self.task.list,
            source: source.name().to_owned(),
            state,
            order: Order::NewestFirst,
            started_at: self.started_at,
            finished_at: self.fetched_at.unwrap_or_else(|| source.now()).max(self.started_at),
            ids: self.rows,
            duplicates: 0,
            pages: self.pages,
            requests: self.requests,
            cost_micro_usd: None,
            reported_count: self.task.reported,
            covered_since: self.boundary.filter(|_| ended_early),
        }
    }
}
