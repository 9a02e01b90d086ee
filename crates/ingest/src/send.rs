//! Sends one request, whatever it takes: pace, budget, retries, and a brake that stops all.
//!
//! Any crawl, look-up or check goes through here, so this is the one place that decides
//! whether to ask, whom to ask as, and when to stop asking.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use jiff::{SignedDuration, Timestamp};
use snapshot::{Cut, State};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::budget::{Budget, Purse, Spent};
use crate::pace::{BucketKey, Family, Heard, Pace, TooFar, tightest};
use crate::source::{BoxFuture, Call, Source, SourceError, Trouble};
use crate::{Error, ErrorKind, Event, Page, Progress, Stop, Window};

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

/// What ends a whole batch early.
#[derive(Debug)]
pub(crate) struct Brake {
    user: Stop,
    own: Stop,
    why: OnceLock<(Cut, Mutex<Option<Error>>)>,
}

impl Brake {
    pub(crate) fn new(user: Stop) -> Self {
        Self { user, own: Stop::new(), why: OnceLock::new() }
    }

    /// Stops everything; the first reason counts.
    pub(crate) fn pull(&self, cut: Cut, error: Error) {
        let _ = self.why.set((cut, Mutex::new(Some(error))));
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
    pub(crate) fn take_error(&self, stopped: &str) -> Option<Error> {
        let stopped = || Error::new(ErrorKind::Incomplete, stopped).hint(GO_ON);
        match self.why.get() {
            Some((_, error)) => error.lock().unwrap_or_else(PoisonError::into_inner).take(),
            None => self.user.is_requested().then(stopped),
        }
    }
}

/// Sends requests: with pace, within the budget, with retries, until the brake is pulled.
pub(crate) struct Sender<'a> {
    /// The same network, as each of the credentials sees it.
    pub(crate) sources: &'a [Arc<dyn Source>],
    /// Credentials that are of no use any more, in the same order.
    retired: Vec<AtomicBool>,
    pub(crate) pace: Pace,
    pub(crate) purse: Purse,
    retries: Retries,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) brake: Brake,
    /// When the batch must be over.
    deadline: Option<Instant>,
    /// What the last credential that was retired was refused for.
    refused: Mutex<Option<(Cut, Error)>>,
}

/// Why a request brought nothing in the end.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The account's list cannot be seen with this credential.
    Target(State, usize),
    /// The brake was pulled, by this request or by something else.
    Braked,
    /// It was tried often enough.
    GivenUp(SourceError),
}

/// What can be asked and tells of the windows when it is answered.
pub(crate) trait Answer {
    fn windows(&self) -> &[Window];
    /// How many users it holds, which is what is charged for.
    fn users(&self) -> u64;
}

impl Answer for Page {
    fn windows(&self) -> &[Window] {
        &self.windows
    }

    fn users(&self) -> u64 {
        self.ids.len() as u64
    }
}

impl Answer for crate::Lookup {
    fn windows(&self) -> &[Window] {
        &self.windows
    }

    fn users(&self) -> u64 {
        self.found.len() as u64
    }
}

/// What to ask, and what it may cost.
pub(crate) struct Question<'q> {
    pub(crate) call: Call,
    /// Credentials that have been refused this already.
    pub(crate) refused: &'q [usize],
    /// What the answer costs at most, in millionths of a dollar; 0 if there is no price.
    pub(crate) most: i64,
    /// What each user that comes back costs.
    pub(crate) each: i64,
}

/// An answer, and what it took.
#[derive(Debug)]
pub(crate) struct Answered<T> {
    pub(crate) answer: T,
    pub(crate) heard: Vec<Heard>,
}

/// A place among the lists that are read at once. It is given up while its list waits for
/// a repetition, so that a list in trouble keeps no other from being read.
pub(crate) struct Slot<'a> {
    slots: &'a Semaphore,
    held: Option<SemaphorePermit<'a>>,
}

impl<'a> Slot<'a> {
    pub(crate) async fn take(slots: &'a Semaphore) -> Self {
        Self { slots, held: slots.acquire().await.ok() }
    }

    async fn sleep(&mut self, delay: Duration) {
        self.held = None;
        tokio::time::sleep(delay).await;
        self.held = self.slots.acquire().await.ok();
    }
}

impl<'a> Sender<'a> {
    /// Has sent nothing, and knows nothing of rate windows yet. There is a credential at least.
    pub(crate) fn new(
        sources: &'a [Arc<dyn Source>],
        budget: Budget,
        retries: Retries,
        progress: &'a dyn Progress,
        stop: &Stop,
    ) -> Self {
        Self {
            sources,
            retired: sources.iter().map(|_| AtomicBool::new(false)).collect(),
            pace: Pace::default(),
            purse: Purse::new(budget),
            retries,
            progress,
            brake: Brake::new(stop.clone()),
            deadline: budget.time_max.map(|time| Instant::now() + time),
            refused: Mutex::default(),
        }
    }
}

impl Sender<'_> {
    /// The network, for whatever does not depend on who asks.
    pub(crate) fn network(&self) -> &dyn Source {
        &*self.sources[0]
    }

    /// The network's clock: that of a credential that has heard of it, if there is one.
    pub(crate) fn now(&self) -> Timestamp {
        let live = self.retired.iter().position(|retired| !retired.load(Ordering::Relaxed));
        self.sources[live.unwrap_or(0)].now()
    }

    /// How many credentials could answer a question that these have been refused.
    pub(crate) fn others(&self, refused: &[usize]) -> usize {
        (0..self.sources.len()).filter(|i| self.is_live(*i) && !refused.contains(i)).count()
    }

    fn is_live(&self, credential: usize) -> bool {
        !self.retired[credential].load(Ordering::Relaxed)
    }

    /// Sends a request until it is answered; `sent` counts every try.
    pub(crate) async fn send<'r, T: Answer>(
        &self,
        question: Question<'_>,
        sent: &mut u32,
        slot: &mut Option<Slot<'_>>,
        request: impl Fn(usize) -> BoxFuture<'r, Result<T, SourceError>>,
    ) -> Result<Answered<T>, Failed> {
        let mut delays = self.delays();
        let (mut attempt, mut windows) = (0, 0);
        loop {
            let (credential, error) =
                match self.send_once(&question, windows, sent, &request).await? {
                    Ok(answered) => return Ok(answered),
                    Err(error) => error,
                };
            match error.trouble {
                Trouble::Target(state) => return Err(Failed::Target(state, credential)),
                Trouble::Quota | Trouble::Credentials => self.retire(credential, &error),
                Trouble::Bug => {
                    let (cut, error) = fatal(self.network(), &error);
                    self.brake.pull(cut, error);
                    return Err(Failed::Braked);
                }
                // The next try waits in the bucket.
                Trouble::Window { .. } if windows < WINDOWS_MAX => windows += 1,
                Trouble::Window { .. } => return Err(Failed::GivenUp(error)),
                Trouble::Transient | Trouble::Lost => {
                    let Some(delay) = delays.next() else { return Err(Failed::GivenUp(error)) };
                    attempt += 1;
                    let (endpoint, why) =
                        (self.network().endpoint(question.call), error.detail.as_str());
                    self.progress.event(&Event::Retry { endpoint, attempt, delay, why });
                    self.check_deadline(delay)?;
                    let wait = async {
                        match slot {
                            Some(slot) => slot.sleep(delay).await,
                            None => tokio::time::sleep(delay).await,
                        }
                    };
                    self.unless_braked(wait).await?;
                }
            }
        }
    }

    /// Waits for room and for money, sends, and tells the bucket what came of it. A request
    /// that has been sent is waited for even if the brake is pulled meanwhile: it has been
    /// paid for. `refusals` is how often it has been refused in a row.
    async fn send_once<'r, T: Answer>(
        &self,
        question: &Question<'_>,
        refusals: u32,
        sent: &mut u32,
        request: &impl Fn(usize) -> BoxFuture<'r, Result<T, SourceError>>,
    ) -> Result<Result<Answered<T>, (usize, SourceError)>, Failed> {
        let choices = self.choices(question)?;
        let now = |credential: usize| self.sources[credential].now();
        let announce = |(credential, endpoint): BucketKey, until| {
            let credential = self.sources.get(1).map(|_| self.sources[credential].credential());
            self.progress.event(&Event::Waiting { endpoint, credential, until, now: self.now() });
        };
        let admit = self.pace.admit(&choices, self.deadline, now, announce);
        let mut permit = self.unless_braked(admit).await?.map_err(|far| self.too_far(far))?;
        let money = self.unless_braked(self.purse.set_aside(question.most)).await?;
        let money = money.map_err(|spent| self.spent(spent, question.most))?;
        self.check_deadline(Duration::ZERO)?;
        *sent += 1;
        permit.sent();
        let (credential, endpoint) = permit.bucket();
        let outcome = request(credential).await;
        let heard = |windows: &[Window]| self.heard((credential, endpoint), windows);
        Ok(match outcome {
            Ok(answer) => {
                let users = i64::try_from(answer.users()).unwrap_or(i64::MAX);
                money.spend(question.each.saturating_mul(users));
                permit.answered(answer.windows());
                Ok(Answered { heard: heard(answer.windows()), answer })
            }
            Err(error) => {
                if error.trouble == Trouble::Lost {
                    // Nobody can know; so that the budget holds, it counts as charged.
                    money.spend(question.most);
                }
                match error.trouble {
                    Trouble::Window { until } => {
                        let now = now(credential);
                        let delay = REFUSED_DELAY_SECS << refusals.min(WINDOWS_MAX);
                        let soonest = now + SignedDuration::from_secs(delay);
                        let until = until.unwrap_or_else(|| now + WINDOW_UNKNOWN).max(soonest);
                        let family =
                            tightest(&error.windows).map_or(Family::QuarterHour, |w| w.family);
                        permit.exhausted(family, until);
                    }
                    _ if !error.windows.is_empty() => permit.answered(&error.windows),
                    _ => drop(permit),
                }
                Err((credential, error))
            }
        })
    }

    /// The buckets that the question can be asked from.
    fn choices(&self, question: &Question<'_>) -> Result<Vec<BucketKey>, Failed> {
        let live = (0..self.sources.len()).filter(|i| self.is_live(*i));
        let open = live.filter(|i| !question.refused.contains(i));
        let choices: Vec<_> = open.map(|i| (i, self.sources[i].endpoint(question.call))).collect();
        if !choices.is_empty() {
            return Ok(choices);
        }
        if self.others(&[]) > 0 {
            let detail = "no credential that is left may see it".to_owned();
            return Err(Failed::GivenUp(transient(detail)));
        }
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((cut, error)) = refused {
            self.brake.pull(cut, error);
        }
        Err(Failed::Braked)
    }

    /// Uses a credential no more. With the last of them everything stops.
    fn retire(&self, credential: usize, error: &SourceError) {
        self.retired[credential].store(true, Ordering::Relaxed);
        let source = &*self.sources[credential];
        let (cut, reason) = fatal(source, error);
        if self.others(&[]) == 0 {
            self.brake.pull(cut, reason);
            return;
        }
        let detail = error.detail.as_str();
        self.progress.event(&Event::CredentialRetired { credential: source.credential(), detail });
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some((cut, reason));
    }

    fn heard(&self, (credential, endpoint): BucketKey, windows: &[Window]) -> Vec<Heard> {
        let fingerprint = &self.sources[credential].credential().fingerprint;
        let heard = |window: &Window| Heard::new(fingerprint.clone(), endpoint, *window);
        windows.iter().map(heard).collect()
    }

    fn too_far(&self, far: TooFar) -> Failed {
        if far.deadline {
            self.brake.pull(Cut::Budget, out_of_time(Some(far.reset)));
        } else {
            self.brake.pull(Cut::Error, too_far(self.network(), self.now(), far.reset));
        }
        Failed::Braked
    }

    fn spent(&self, spent: Spent, most: i64) -> Failed {
        let what = match spent {
            Spent::Money => "the next page could cost more than is left of `max_cost_usd`",
            Spent::Requests => "`max_requests` have been sent",
        };
        let hint = match spent {
            Spent::Money if !self.purse.could_ever(most) => {
                "not one page fits into it: raise the limit, or ask for smaller pages with --page-size"
            }
            _ => GO_ON,
        };
        let error = Error::new(ErrorKind::Incomplete, format!("stopped within the budget: {what}"));
        self.brake.pull(Cut::Budget, error.hint(hint));
        Failed::Braked
    }

    /// Stops if the time is over, or will be after a delay.
    fn check_deadline(&self, delay: Duration) -> Result<(), Failed> {
        if self.deadline.is_none_or(|deadline| Instant::now() + delay <= deadline) {
            return Ok(());
        }
        self.brake.pull(Cut::Budget, out_of_time(None));
        Err(Failed::Braked)
    }

    pub(crate) async fn unless_braked<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> Result<T, Failed> {
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

/// How to go on after a stop.
pub(crate) const GO_ON: &str = "run the same command again; it goes on at the next page";

/// A trouble of our own telling, which another session may not have.
pub(crate) fn transient(detail: String) -> SourceError {
    SourceError { trouble: Trouble::Transient, detail, windows: Vec::new() }
}

/// The error for a trouble that ends a batch, and what it means for the crawls it cuts.
fn fatal(source: &dyn Source, error: &SourceError) -> (Cut, Error) {
    let said = |kind, what: &str| Error::new(kind, format!("{source} {what}: {}", error.detail));
    match error.trouble {
        Trouble::Quota => {
            let error = said(ErrorKind::Incomplete, "says that the quota is used up");
            let hint = "buy credit or raise the cap, or wait for the next period, and run the same command again; waiting for the rate window does not help";
            (Cut::Budget, error.hint(hint))
        }
        Trouble::Credentials => {
            let error = said(ErrorKind::Credentials, "does not accept the credentials");
            let hint = "check the token and what its app may do, and run the same command again; if code 135 is mentioned, set this machine's clock";
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

fn out_of_time(reset: Option<Timestamp>) -> Error {
    let message = match reset {
        Some(reset) => format!(
            "stopped within the budget: the rate window ends at {reset:.0}, after `max_time`"
        ),
        None => "stopped within the budget: `max_time` is over".to_owned(),
    };
    Error::new(ErrorKind::Incomplete, message).hint(GO_ON)
}

fn too_far(source: &dyn Source, now: Timestamp, reset: Timestamp) -> Error {
    let what = "says that its rate window ends at";
    let message = format!("{source} {what} {reset:.0}, and its clock shows {now:.0}");
    Error::new(ErrorKind::Network, message)
        .hint("no window is longer than a day, so this was not waited for; check the base URL, and run the same command again later")
}
