//! Keeps requests inside the network's rate windows, as its headers tell them.
//!
//! There is one bucket for each credential and endpoint and no constant anywhere: documented
//! limits have been wrong in both directions. Until a bucket has been heard from, one request
//! at a time finds out; after that, as many may be under way as there are units left. Windows
//! of several families can apply to a bucket at once, and each is kept until it ends. A
//! request that several credentials could send goes to the bucket whose window ends first,
//! because what is left there is lost first.
//!
//! A process that shares its credentials with another sees `remaining` fall faster; that
//! is all right, since the smallest number heard counts. Windows of an earlier process are
//! taken over, but for one request that has to find out what that one did at its end.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::source::Endpoint;

/// Which count a window belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// The short one, of fifteen minutes.
    QuarterHour,
    /// The app's, of a day.
    AppDay,
    /// The user's, of a day.
    UserDay,
}

/// A rate window, as the headers of an answer tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Which count it belongs to.
    pub family: Family,
    /// Units that a whole window has.
    pub limit: Option<u32>,
    /// Units that are left.
    pub remaining: u32,
    /// When it ends, by the network's clock.
    pub reset: Timestamp,
}

/// A window with the bucket it belongs to, as it is kept on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The fingerprint of the credential.
    pub credential: String,
    /// The endpoint's name.
    pub endpoint: String,
    /// Which count it belongs to.
    pub family: Family,
    /// Units that a whole window has.
    pub limit: Option<u32>,
    /// Units that are left.
    pub remaining: u32,
    /// When it ends, by the network's clock.
    pub reset: Timestamp,
}

impl Heard {
    pub(crate) fn new(credential: String, endpoint: Endpoint, window: Window) -> Self {
        let Window { family, limit, remaining, reset } = window;
        Self { credential, endpoint: endpoint.0.to_owned(), family, limit, remaining, reset }
    }

    pub(crate) fn window(&self) -> Window {
        let Self { family, limit, remaining, reset, .. } = *self;
        Window { family, limit, remaining, reset }
    }
}

/// The window that decides when several apply: of those used up the one that ends last,
/// else the one with the least left.
pub(crate) fn tightest(windows: &[Window]) -> Option<Window> {
    let used_up = windows.iter().filter(|w| w.remaining == 0).max_by_key(|w| w.reset);
    used_up.or_else(|| windows.iter().min_by_key(|w| w.remaining)).copied()
}

/// A credential, by its place among those that are used, and an endpoint.
pub(crate) type BucketKey = (usize, Endpoint);

/// The rate buckets of all credentials.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    buckets: Mutex<HashMap<BucketKey, Bucket>>,
    changed: Notify,
}

#[derive(Debug)]
struct Bucket {
    /// At most one window of each family.
    windows: Vec<Window>,
    /// The network sends no rate headers here.
    no_limit: bool,
    /// A window has ended, or none has been heard of: one request has to find out.
    unsure: bool,
    /// Requests that have been let go and have not been heard of.
    in_flight: u32,
    /// The end of the wait that was last spoken of.
    announced: Option<Timestamp>,
}

impl Default for Bucket {
    fn default() -> Self {
        Self { windows: Vec::new(), no_limit: false, unsure: true, in_flight: 0, announced: None }
    }
}

/// What a bucket says to one more request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Go,
    /// Somebody else's answer is awaited.
    Hold,
    Until(Timestamp),
}

impl Bucket {
    fn judge(&mut self, now: Timestamp) -> Verdict {
        let known = self.windows.len();
        self.windows.retain(|window| window.reset > now);
        self.unsure |= self.windows.len() < known;
        let used_up = self.windows.iter().filter(|window| window.remaining == 0);
        if let Some(reset) = used_up.map(|window| window.reset).max() {
            return Verdict::Until(reset);
        }
        let room = match self.windows.iter().map(|window| window.remaining).min() {
            None if self.no_limit => u32::MAX,
            Some(left) if !self.unsure => left,
            _ => 1,
        };
        if room > self.in_flight { Verdict::Go } else { Verdict::Hold }
    }

    /// When what is left of it is lost.
    fn ends(&self) -> Timestamp {
        self.windows.iter().map(|window| window.reset).min().unwrap_or(Timestamp::MAX)
    }

    /// Answers may arrive in another order than the server counted them in, so within one
    /// window the smallest number is the latest. Windows of other families stay as they are.
    fn learn(&mut self, heard: Window) {
        (self.unsure, self.no_limit) = (false, false);
        let Some(known) = self.windows.iter_mut().find(|known| known.family == heard.family) else {
            return self.windows.push(heard);
        };
        *known = match known.reset.cmp(&heard.reset) {
            std::cmp::Ordering::Greater => *known,
            std::cmp::Ordering::Less => heard,
            std::cmp::Ordering::Equal => {
                Window { remaining: known.remaining.min(heard.remaining), ..heard }
            }
        };
    }

    /// A refusal is newer than anything that was known of its window.
    fn exhaust(&mut self, family: Family, until: Timestamp) {
        self.windows.retain(|known| known.family != family);
        self.learn(Window { family, limit: None, remaining: 0, reset: until });
    }
}

/// What a request has to wait for.
enum Wait {
    /// Somebody else's answer, or the end of a window if that comes first.
    Answer(Option<Duration>),
    /// The end of a window.
    Window(Duration),
}

impl Pace {
    /// Waits for room in one of several buckets and takes a unit of it.
    ///
    /// `now` is the network's clock, as a credential hears it. `announce` is called when a
    /// wait begins, once for each wait of a bucket however many requests share it.
    ///
    /// # Errors
    /// If the wait would be longer than any window there is, or past the deadline.
    pub(crate) async fn admit(
        &self,
        choices: &[BucketKey],
        deadline: Option<Instant>,
        now: impl Fn(usize) -> Timestamp,
        announce: impl Fn(BucketKey, Timestamp),
    ) -> Result<Permit<'_>, TooFar> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            let wait = match self.try_admit(choices, deadline, &now, &announce)? {
                Ok(bucket) => return Ok(Permit { pace: self, bucket, state: Use::Unused }),
                Err(wait) => wait,
            };
            match wait {
                Wait::Answer(None) => changed.await,
                Wait::Answer(Some(wait)) | Wait::Window(wait) => {
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = changed => {}
                    }
                }
            }
        }
    }

    fn try_admit(
        &self,
        choices: &[BucketKey],
        deadline: Option<Instant>,
        now: impl Fn(usize) -> Timestamp,
        announce: impl Fn(BucketKey, Timestamp),
    ) -> Result<Result<BucketKey, Wait>, TooFar> {
        let mut buckets = self.lock();
        let (mut open, mut hold) = (None, false);
        let mut soonest: Option<(Duration, Timestamp, BucketKey)> = None;
        for key in choices {
            let now = now(key.0);
            let bucket = buckets.entry(*key).or_default();
            match bucket.judge(now) {
                Verdict::Go => {
                    let ends = bucket.ends();
                    if open.is_none_or(|(_, other)| ends < other) {
                        open = Some((*key, ends));
                    }
                }
                Verdict::Hold => hold = true,
                Verdict::Until(reset) => {
                    let wait = (until(reset, now), reset, *key);
                    if soonest.is_none_or(|(other, ..)| wait.0 < other) {
                        soonest = Some(wait);
                    }
                }
            }
        }
        if let Some((key, _)) = open {
            buckets.entry(key).or_default().in_flight += 1;
            return Ok(Ok(key));
        }
        let wait = soonest.map(|(wait, ..)| wait);
        if hold {
            return Ok(Err(Wait::Answer(wait)));
        }
        let Some((wait, reset, key)) = soonest else { return Ok(Err(Wait::Answer(None))) };
        let passed = deadline.is_some_and(|deadline| Instant::now() + wait > deadline);
        if passed || reset.duration_since(now(key.0)) > WAIT_MAX {
            return Err(TooFar { reset, deadline: passed });
        }
        let bucket = buckets.entry(key).or_default();
        if bucket.announced.replace(reset) != Some(reset) {
            announce(key, reset);
        }
        Ok(Err(Wait::Window(wait)))
    }

    /// Takes over what an earlier process heard. What it had under way at its end is not
    /// known, so one request has to find out, unless the window is used up anyway.
    pub(crate) fn take_over(&self, bucket: BucketKey, window: Window) {
        let mut buckets = self.lock();
        let bucket = buckets.entry(bucket).or_default();
        bucket.learn(window);
        bucket.unsure = true;
    }

    /// Everything that is known of the windows.
    pub(crate) fn windows(&self) -> Vec<(BucketKey, Window)> {
        let buckets = self.lock();
        let windows = |(key, bucket): (&BucketKey, &Bucket)| {
            bucket.windows.iter().map(|window| (*key, *window)).collect::<Vec<_>>()
        };
        buckets.iter().flat_map(windows).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<BucketKey, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The longest windows have a day; what is said to end much later never ends.
pub(crate) const WAIT_MAX: SignedDuration = SignedDuration::from_hours(25);

/// A window is used up, and is said to end at a time that is not waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooFar {
    pub(crate) reset: Timestamp,
    /// It ends after the time that the batch may take; else it ends at a time that makes no
    /// sense.
    pub(crate) deadline: bool,
}

/// How long to sleep so that the reset has passed. The clock is good to about a second.
fn until(reset: Timestamp, now: Timestamp) -> Duration {
    let wait = reset.duration_since(now) + SignedDuration::from_millis(500);
    wait.max(SignedDuration::from_millis(10)).unsigned_abs()
}

/// The right to send one request.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    pace: &'a Pace,
    bucket: BucketKey,
    state: Use,
}

/// What became of a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Unused,
    Sent,
    Answered,
}

impl Permit<'_> {
    /// Which bucket it was taken from.
    pub(crate) fn bucket(&self) -> BucketKey {
        self.bucket
    }

    /// Says that the request goes out now.
    pub(crate) fn sent(&mut self) {
        self.state = Use::Sent;
    }

    /// Says what the answer told of the windows; empty if it had no rate headers.
    pub(crate) fn answered(mut self, windows: &[Window]) {
        self.state = Use::Answered;
        let mut buckets = self.pace.lock();
        let bucket = buckets.entry(self.bucket).or_default();
        for window in windows {
            bucket.learn(*window);
        }
        if windows.is_empty() && bucket.windows.is_empty() {
            bucket.no_limit = true;
        }
    }

    /// Says that the network refused because a window is used up until then.
    pub(crate) fn exhausted(mut self, family: Family, until: Timestamp) {
        self.state = Use::Answered;
        let mut buckets = self.pace.lock();
        buckets.entry(self.bucket).or_default().exhaust(family, until);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut buckets = self.pace.lock();
        let bucket = buckets.entry(self.bucket).or_default();
        bucket.in_flight = bucket.in_flight.saturating_sub(1);
        // No answer came, but the request may have been counted.
        if self.state == Use::Sent {
            for window in &mut bucket.windows {
                window.remaining = window.remaining.saturating_sub(1);
            }
        }
        drop(buckets);
        self.pace.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use tokio::time::timeout;

    const LIST: BucketKey = (0, Endpoint("followers"));
    const OTHER: BucketKey = (0, Endpoint("following"));
    const SECOND: BucketKey = (1, Endpoint("followers"));

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn window(remaining: u32, reset: i64) -> Window {
        Window { family: Family::QuarterHour, limit: Some(15), remaining, reset: at(reset) }
    }

    /// A network whose clock shows 1000 when the test begins.
    fn clock() -> impl Fn(usize) -> Timestamp {
        let start = Instant::now();
        move |_| at(1000) + SignedDuration::try_from(start.elapsed()).unwrap()
    }

    async fn admitted<'a>(pace: &'a Pace, now: &impl Fn(usize) -> Timestamp) -> Option<Permit<'a>> {
        timeout(Duration::from_secs(1), pace.admit(&[LIST], None, now, |_, _| {})).await.ok()?.ok()
    }

    #[tokio::test(start_paused = true)]
    async fn one_request_finds_out_before_others_follow() {
        let (pace, now) = (Pace::default(), clock());
        let first = admitted(&pace, &now).await.unwrap();
        assert!(admitted(&pace, &now).await.is_none());
        first.answered(&[window(3, 1900)]);
        let held = [admitted(&pace, &now).await, admitted(&pace, &now).await];
        assert!(held.iter().all(Option::is_some));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_are_under_way_than_there_are_units() {
        let (pace, now) = (Pace::default(), clock());
        admitted(&pace, &now).await.unwrap().answered(&[window(2, 1900)]);
        let (mut a, b) =
            (admitted(&pace, &now).await.unwrap(), admitted(&pace, &now).await.unwrap());
        assert!(admitted(&pace, &now).await.is_none());
        // A lost answer counts as a unit, and its place is free again.
        a.sent();
        drop(a);
        assert!(admitted(&pace, &now).await.is_none());
        b.answered(&[window(1, 1900)]);
        assert!(admitted(&pace, &now).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_used_up_window_is_waited_for_by_the_networks_clock() {
        let (pace, now) = (Pace::default(), clock());
        admitted(&pace, &now).await.unwrap().answered(&[window(0, 1900)]);
        let announced = RefCell::new(Vec::new());
        let (start, announce) = (Instant::now(), |_, t: Timestamp| announced.borrow_mut().push(t));
        let wait = || async {
            let permit = pace.admit(&[LIST], None, &now, announce).await.unwrap();
            permit.answered(&[window(14, 2800)]);
        };
        tokio::join!(wait(), wait(), wait());
        let waited = start.elapsed();
        assert!((899..=901).contains(&waited.as_secs()), "{waited:?}");
        assert_eq!(*announced.borrow(), [at(1900)], "one wait is announced once");
    }

    #[tokio::test(start_paused = true)]
    async fn while_one_endpoint_waits_others_go_on() {
        let (pace, now) = (Pace::default(), clock());
        admitted(&pace, &now).await.unwrap().exhausted(Family::QuarterHour, at(1900));
        assert!(admitted(&pace, &now).await.is_none());
        let other =
            timeout(Duration::from_secs(1), pace.admit(&[OTHER], None, &now, |_, _| {})).await;
        assert!(other.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_arrive_late_do_not_add_units() {
        let (pace, now) = (Pace::default(), clock());
        admitted(&pace, &now).await.unwrap().answered(&[window(5, 1900)]);
        let (a, b) = (admitted(&pace, &now).await.unwrap(), admitted(&pace, &now).await.unwrap());
        b.answered(&[window(0, 1900)]);
        a.answered(&[window(4, 1900)]);
        assert!(admitted(&pace, &now).await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn without_headers_nothing_is_held_back() {
        let (pace, now) = (Pace::default(), clock());
        admitted(&pace, &now).await.unwrap().answered(&[]);
        let all = [admitted(&pace, &now).await, admitted(&pace, &now).await];
        assert!(all.iter().all(Option::is_some));
    }

    #[tokio::test(start_paused = true)]
    async fn a_days_window_does_not_hide_a_used_up_quarter_of_an_hour() {
        let (pace, now) = (Pace::default(), clock());
        let day = Window { family: Family::AppDay, ..window(20, 80_000) };
        admitted(&pace, &now).await.unwrap().answered(&[day]);
        admitted(&pace, &now).await.unwrap().answered(&[window(0, 1900)]);
        assert!(admitted(&pace, &now).await.is_none());
        let start = Instant::now();
        let first = pace.admit(&[LIST], None, &now, |_, _| {}).await.unwrap();
        assert!(start.elapsed() > Duration::from_secs(850));
        // What the new window holds is not known, so one request finds out.
        assert!(admitted(&pace, &now).await.is_none());
        first.answered(&[window(14, 2800)]);
        assert!(admitted(&pace, &now).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_used_up_day_outlasts_a_new_quarter_of_an_hour() {
        let (pace, now) = (Pace::default(), clock());
        let (a, day) = (admitted(&pace, &now).await.unwrap(), Family::AppDay);
        a.exhausted(day, at(80_000));
        pace.lock().get_mut(&LIST).unwrap().learn(window(15, 1900));
        let start = Instant::now();
        pace.admit(&[LIST], None, &now, |_, _| {}).await.unwrap();
        assert!(start.elapsed() > Duration::from_mins(1300));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reset_that_is_days_away_is_not_waited_for() {
        let (pace, now) = (Pace::default(), clock());
        let reset = at(1000 + 26 * 3600);
        admitted(&pace, &now).await.unwrap().exhausted(Family::QuarterHour, reset);
        let refused = pace.admit(&[LIST], None, &now, |_, _| {}).await.map(drop);
        assert_eq!(refused, Err(TooFar { reset, deadline: false }));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_past_the_deadline_is_not_waited_for() {
        let (pace, now) = (Pace::default(), clock());
        admitted(&pace, &now).await.unwrap().exhausted(Family::QuarterHour, at(1900));
        let start = Instant::now();
        let by = |secs| Some(start + Duration::from_secs(secs));
        let refused = pace.admit(&[LIST], by(899), &now, |_, _| {}).await.map(drop);
        assert_eq!(refused, Err(TooFar { reset: at(1900), deadline: true }));
        assert!(pace.admit(&[LIST], by(905), &now, |_, _| {}).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_one_credential_may_not_another_may() {
        let (pace, now) = (Pace::default(), clock());
        let both = [LIST, SECOND];
        let admit = || pace.admit(&both, None, &now, |_, _| {});
        // Nothing is known yet, so each finds out for itself.
        let (a, b) = (admit().await.unwrap(), admit().await.unwrap());
        assert_ne!(a.bucket(), b.bucket());
        a.answered(&[window(1, 1950)]);
        b.answered(&[window(2, 1900)]);
        // The window that ends first goes first.
        let order: Vec<_> =
            [admit().await, admit().await, admit().await].into_iter().map(Result::unwrap).collect();
        let order: Vec<_> = order.iter().map(|permit| permit.bucket().0).collect();
        assert_eq!(order.iter().filter(|i| **i == order[0]).count(), 2);
        assert_eq!(order[0], order[1]);
    }

    #[tokio::test(start_paused = true)]
    async fn windows_of_an_earlier_process_are_kept_to() {
        let (pace, now) = (Pace::default(), clock());
        pace.take_over(LIST, window(0, 1900));
        pace.take_over(SECOND, window(5, 1900));
        assert!(admitted(&pace, &now).await.is_none());
        let second = || pace.admit(&[SECOND], None, &now, |_, _| {});
        let first = second().await.unwrap();
        assert!(timeout(Duration::from_secs(1), second()).await.is_err(), "one finds out");
        first.answered(&[window(3, 1900)]);
        assert!(second().await.is_ok());
        let told = pace.windows();
        assert!(told.contains(&(LIST, window(0, 1900))), "{told:?}");
    }

    /// A network with a window of its own for each credential, which refuses nothing that it
    /// allows, and counts.
    #[tokio::test(start_paused = true)]
    async fn of_a_hundred_windows_no_request_is_left_unused_and_none_is_refused() {
        use std::cell::Cell;
        const LIMIT: u32 = 15;
        const WINDOWS: u32 = 100;
        let (pace, now) = (Pace::default(), clock());
        // For each credential: when its window ends, what is left of it, windows begun.
        let served = [(); 2].map(|()| Cell::new((at(0), 0_u32, 0_u32)));
        let (sent, refused) = (Cell::new(0_u32), Cell::new(0_u32));
        let end = at(1000 + 900 * i64::from(WINDOWS));
        let deadline = Instant::now() + Duration::from_mins(15) * WINDOWS;
        let crawl = || async {
            while now(0) < end {
                let permit = pace.admit(&[LIST, SECOND], Some(deadline), &now, |_, _| {}).await;
                let Ok(permit) = permit else { return };
                let which = permit.bucket().0;
                tokio::time::sleep(Duration::from_millis(300)).await;
                let (mut ends, mut left, mut windows) = served[which].get();
                let now = now(which);
                if ends <= now {
                    (ends, left, windows) =
                        (now + SignedDuration::from_secs(900), LIMIT, windows + 1);
                }
                if left == 0 {
                    refused.set(refused.get() + 1);
                    permit.exhausted(Family::QuarterHour, ends);
                    continue;
                }
                left -= 1;
                served[which].set((ends, left, windows));
                sent.set(sent.get() + 1);
                let reset = at(ends.as_second() + 1);
                permit.answered(&[Window {
                    family: Family::QuarterHour,
                    limit: Some(LIMIT),
                    remaining: left,
                    reset,
                }]);
            }
        };
        tokio::join!(crawl(), crawl(), crawl(), crawl(), crawl());
        assert_eq!(refused.get(), 0);
        // Permitted is what two credentials have in that time, whatever their windows.
        let permitted = 2 * LIMIT * WINDOWS;
        let used = f64::from(sent.get()) / f64::from(permitted);
        assert!(used >= 0.99, "{} of {permitted} requests were sent", sent.get());
    }

    #[test]
    fn of_several_windows_the_used_up_one_that_ends_last_decides() {
        let w = |remaining, reset| Window { limit: None, ..window(remaining, reset) };
        assert_eq!(tightest(&[w(3, 9), w(0, 5), w(0, 7), w(1, 8)]), Some(w(0, 7)));
        assert_eq!(tightest(&[w(3, 9), w(1, 8)]), Some(w(1, 8)));
        assert_eq!(tightest(&[]), None);
    }
}
