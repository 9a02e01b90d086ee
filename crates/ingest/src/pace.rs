//! Keeps requests inside the network's rate windows, as its headers tell them.
//!
//! There is one bucket for each endpoint and no constant anywhere: documented limits have
//! been wrong in both directions. Until a bucket has been heard from, one request at a time
//! finds out; after that, as many may be under way as there are units left. Windows of
//! several families can apply to a bucket at once, and each is kept until it ends.
//!
//! A process that shares its credentials with another sees `remaining` fall faster; that
//! is all right, since the smallest number heard counts.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::source::Endpoint;

/// Which count a window belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// The window that decides when several apply: of those used up the one that ends last,
/// else the one with the least left.
pub(crate) fn tightest(windows: &[Window]) -> Option<Window> {
    let used_up = windows.iter().filter(|w| w.remaining == 0).max_by_key(|w| w.reset);
    used_up.or_else(|| windows.iter().min_by_key(|w| w.remaining)).copied()
}

/// The rate buckets of one set of credentials.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    buckets: Mutex<HashMap<Endpoint, Bucket>>,
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

impl Pace {
    /// Waits for room in a bucket and takes a unit of it.
    ///
    /// `now` is the network's clock. `announce` is called when a wait begins, once for each
    /// wait of a bucket however many requests share it.
    ///
    /// # Errors
    /// If the wait would be longer than any window there is.
    pub(crate) async fn admit(
        &self,
        endpoint: Endpoint,
        now: impl Fn() -> Timestamp,
        announce: impl Fn(Timestamp),
    ) -> Result<Permit<'_>, TooFar> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            match self.try_admit(endpoint, now(), &announce)? {
                Verdict::Go => return Ok(Permit { pace: self, endpoint, told: false }),
                Verdict::Hold => changed.await,
                Verdict::Until(reset) => {
                    let wait = until(reset, now());
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
        endpoint: Endpoint,
        now: Timestamp,
        announce: impl Fn(Timestamp),
    ) -> Result<Verdict, TooFar> {
        let mut buckets = self.lock();
        let bucket = buckets.entry(endpoint).or_default();
        let verdict = bucket.judge(now);
        match verdict {
            Verdict::Go => bucket.in_flight += 1,
            Verdict::Hold => {}
            Verdict::Until(reset) if reset.duration_since(now) > WAIT_MAX => {
                return Err(TooFar { reset });
            }
            Verdict::Until(reset) => {
                if bucket.announced.replace(reset) != Some(reset) {
                    announce(reset);
                }
            }
        }
        Ok(verdict)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Endpoint, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The longest windows have a day; what is said to end much later never ends.
const WAIT_MAX: SignedDuration = SignedDuration::from_hours(25);

/// A window is used up, and is said to end at a time that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooFar {
    pub(crate) reset: Timestamp,
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
    endpoint: Endpoint,
    told: bool,
}

impl Permit<'_> {
    /// Says what the answer told of the window; `None` if it had no rate headers.
    pub(crate) fn answered(mut self, window: Option<Window>) {
        self.told = true;
        let mut buckets = self.pace.lock();
        let bucket = buckets.entry(self.endpoint).or_default();
        match window {
            Some(window) => bucket.learn(window),
            None if bucket.windows.is_empty() => bucket.no_limit = true,
            None => {}
        }
    }

    /// Says that the network refused because a window is used up until then.
    pub(crate) fn exhausted(mut self, family: Family, until: Timestamp) {
        self.told = true;
        let mut buckets = self.pace.lock();
        buckets.entry(self.endpoint).or_default().exhaust(family, until);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut buckets = self.pace.lock();
        let bucket = buckets.entry(self.endpoint).or_default();
        bucket.in_flight = bucket.in_flight.saturating_sub(1);
        // No answer came, but the request may have been counted.
        if !self.told {
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
    use tokio::time::{Instant, timeout};

    const LIST: Endpoint = Endpoint("followers");
    const OTHER: Endpoint = Endpoint("following");

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn window(remaining: u32, reset: i64) -> Window {
        Window { family: Family::QuarterHour, limit: Some(15), remaining, reset: at(reset) }
    }

    /// A network whose clock shows 1000 when the test begins.
    fn clock() -> impl Fn() -> Timestamp {
        let start = Instant::now();
        move || at(1000) + SignedDuration::try_from(start.elapsed()).unwrap()
    }

    async fn admitted<'a>(pace: &'a Pace, now: &impl Fn() -> Timestamp) -> Option<Permit<'a>> {
        timeout(Duration::from_secs(1), pace.admit(LIST, now, |_| {})).await.ok()?.ok()
    }

    #[tokio::test(start_paused = true)]
    async fn one_request_finds_out_before_others_follow() {
        let (pace, now) = (Pace::default(), clock());
        let first = admitted(&pace, &now).await.unwrap();
        assert!(admitted(&pace, &now).await.is_none());
        first.answered(Some(window(3, 1900)));
        let held = [admitted(&pace, &now).await, admitted(&pace, &now).await];
        assert!(held.iter().all(Option::is_some));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_are_under_way_than_there_are_units() {
        let (pace, now) = (Pace::default(), clock());
        admitted(&pace, &now).await.unwrap().answered(Some(window(2, 1900)));
        let (a, b) = (admitted(&pace, &now).await.unwrap(), admitted(&pace, &now).await.unwrap());
        assert!(admitted(&pace, &now).await.is_none());
        // A lost answer counts as a unit, and its place is free again.
        drop(a);
        assert!(admitted(&pace, &now).await.is_none());
        b.answered(Some(window(1, 1900)));
        assert!(admitted(&pace, &now).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_used_up_window_is_waited_for_by_the_networks_clock() {
        let (pace, now) = (Pace::default(), clock());
        admitted(&pace, &now).await.unwrap().answered(Some(window(0, 1900)));
        let announced = RefCell::new(Vec::new());
        let (start, announce) = (Instant::now(), |t: Timestamp| announced.borrow_mut().push(t));
        let wait = || async {
            let permit = pace.admit(LIST, &now, announce).await.unwrap();
            permit.answered(Some(window(14, 2800)));
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
        let other = timeout(Duration::from_secs(1), pace.admit(OTHER, &now, |_| {})).await;
        assert!(other.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_arrive_late_do_not_add_units() {
        let (pace, now) = (Pace::default(), clock());
        admitted(&pace, &now).await.unwrap().answered(Some(window(5, 1900)));
        let (a, b) = (admitted(&pace, &now).await.unwrap(), admitted(&pace, &now).await.unwrap());
        b.answered(Some(window(0, 1900)));
        a.answered(Some(window(4, 1900)));
        assert!(admitted(&pace, &now).await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn without_headers_nothing_is_held_back() {
        let (pace, now) = (Pace::default(), clock());
        admitted(&pace, &now).await.unwrap().answered(None);
        let all = [admitted(&pace, &now).await, admitted(&pace, &now).await];
        assert!(all.iter().all(Option::is_some));
    }

    #[tokio::test(start_paused = true)]
    async fn a_days_window_does_not_hide_a_used_up_quarter_of_an_hour() {
        let (pace, now) = (Pace::default(), clock());
        let day = Window { family: Family::AppDay, ..window(20, 80_000) };
        admitted(&pace, &now).await.unwrap().answered(Some(day));
        admitted(&pace, &now).await.unwrap().answered(Some(window(0, 1900)));
        assert!(admitted(&pace, &now).await.is_none());
        let start = Instant::now();
        let first = pace.admit(LIST, &now, |_| {}).await.unwrap();
        assert!(start.elapsed() > Duration::from_secs(850));
        // What the new window holds is not known, so one request finds out.
        assert!(admitted(&pace, &now).await.is_none());
        first.answered(Some(window(14, 2800)));
        assert!(admitted(&pace, &now).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_used_up_day_outlasts_a_new_quarter_of_an_hour() {
        let (pace, now) = (Pace::default(), clock());
        let (a, day) = (admitted(&pace, &now).await.unwrap(), Family::AppDay);
        a.exhausted(day, at(80_000));
        pace.lock().get_mut(&LIST).unwrap().learn(window(15, 1900));
        let start = Instant::now();
        pace.admit(LIST, &now, |_| {}).await.unwrap();
        assert!(start.elapsed() > Duration::from_mins(1300));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reset_that_is_days_away_is_not_waited_for() {
        let (pace, now) = (Pace::default(), clock());
        let reset = at(1000 + 26 * 3600);
        admitted(&pace, &now).await.unwrap().exhausted(Family::QuarterHour, reset);
        let refused = pace.admit(LIST, &now, |_| {}).await.map(drop);
        assert_eq!(refused, Err(TooFar { reset }));
    }

    #[test]
    fn of_several_windows_the_used_up_one_that_ends_last_decides() {
        let w = |remaining, reset| Window { limit: None, ..window(remaining, reset) };
        assert_eq!(tightest(&[w(3, 9), w(0, 5), w(0, 7), w(1, 8)]), Some(w(0, 7)));
        assert_eq!(tightest(&[w(3, 9), w(1, 8)]), Some(w(1, 8)));
        assert_eq!(tightest(&[]), None);
    }
}
