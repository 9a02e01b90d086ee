//! Keeps requests inside the network's rate windows, as its headers tell them.
//!
//! There is one bucket for each endpoint and no constant anywhere: documented limits have
//! been wrong in both directions. Until a bucket has been heard from, one request at a time
//! finds out; after that, as many may be under way as there are units left.
//!
//! A process that shares its credentials with another sees `remaining` fall faster; that
//! is all right, since the smallest number heard counts.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::source::Endpoint;

/// A rate window, as the headers of an answer tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
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

#[derive(Debug, Default)]
struct Bucket {
    known: Known,
    /// Requests that have been let go and have not been heard of.
    in_flight: u32,
    /// The end of the wait that was last spoken of.
    announced: Option<Timestamp>,
}

/// What is known of a bucket.
#[derive(Clone, Copy, Debug, Default)]
enum Known {
    #[default]
    Nothing,
    /// The network sends no rate headers here.
    NoLimit,
    Window(Window),
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
        if let Known::Window(window) = self.known
            && window.reset <= now
        {
            self.known = Known::Nothing;
        }
        match self.known {
            Known::NoLimit => Verdict::Go,
            Known::Nothing if self.in_flight == 0 => Verdict::Go,
            Known::Window(window) if window.remaining > self.in_flight => Verdict::Go,
            Known::Window(window) if window.remaining == 0 => Verdict::Until(window.reset),
            Known::Nothing | Known::Window(_) => Verdict::Hold,
        }
    }

    /// Answers may arrive in another order than the server counted them in, so within one
    /// window the smallest number is the latest.
    fn learn(&mut self, heard: Window) {
        self.known = Known::Window(match self.known {
            Known::Window(known) if known.reset > heard.reset => known,
            Known::Window(known) if known.reset == heard.reset => {
                Window { remaining: known.remaining.min(heard.remaining), ..heard }
            }
            _ => heard,
        });
    }
}

impl Pace {
    /// Waits for room in a bucket and takes a unit of it.
    ///
    /// `now` is the network's clock. `announce` is called when a wait begins, once for each
    /// wait of a bucket however many requests share it.
    pub(crate) async fn admit(
        &self,
        endpoint: Endpoint,
        now: impl Fn() -> Timestamp,
        announce: impl Fn(Timestamp),
    ) -> Permit<'_> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            match self.try_admit(endpoint, now(), &announce) {
                Verdict::Go => return Permit { pace: self, endpoint, told: false },
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
    ) -> Verdict {
        let mut buckets = self.lock();
        let bucket = buckets.entry(endpoint).or_default();
        let verdict = bucket.judge(now);
        match verdict {
            Verdict::Go => bucket.in_flight += 1,
            Verdict::Hold => {}
            Verdict::Until(reset) => {
                if bucket.announced.replace(reset) != Some(reset) {
                    announce(reset);
                }
            }
        }
        verdict
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Endpoint, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
            None if matches!(bucket.known, Known::Nothing) => bucket.known = Known::NoLimit,
            None => {}
        }
    }

    /// Says that the network refused because the window is used up until then.
    pub(crate) fn exhausted(mut self, until: Timestamp) {
        self.told = true;
        let mut buckets = self.pace.lock();
        let bucket = buckets.entry(self.endpoint).or_default();
        bucket.known = Known::Window(Window { limit: None, remaining: 0, reset: until });
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut buckets = self.pace.lock();
        let bucket = buckets.entry(self.endpoint).or_default();
        bucket.in_flight = bucket.in_flight.saturating_sub(1);
        // No answer came, but the request may have been counted.
        if !self.told
            && let Known::Window(window) = &mut bucket.known
        {
            window.remaining = window.remaining.saturating_sub(1);
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
        Window { limit: Some(15), remaining, reset: at(reset) }
    }

    /// A network whose clock shows 1000 when the test begins.
    fn clock() -> impl Fn() -> Timestamp {
        let start = Instant::now();
        move || at(1000) + SignedDuration::try_from(start.elapsed()).unwrap()
    }

    async fn admitted<'a>(pace: &'a Pace, now: &impl Fn() -> Timestamp) -> Option<Permit<'a>> {
        timeout(Duration::from_secs(1), pace.admit(LIST, now, |_| {})).await.ok()
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
            pace.admit(LIST, &now, announce).await.answered(Some(window(14, 2800)));
        };
        tokio::join!(wait(), wait(), wait());
        let waited = start.elapsed();
        assert!((899..=901).contains(&waited.as_secs()), "{waited:?}");
        assert_eq!(*announced.borrow(), [at(1900)], "one wait is announced once");
    }

    #[tokio::test(start_paused = true)]
    async fn while_one_endpoint_waits_others_go_on() {
        let (pace, now) = (Pace::default(), clock());
        admitted(&pace, &now).await.unwrap().exhausted(at(1900));
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

    #[test]
    fn of_several_windows_the_used_up_one_that_ends_last_decides() {
        let w = |remaining, reset| Window { limit: None, remaining, reset: at(reset) };
        assert_eq!(tightest(&[w(3, 9), w(0, 5), w(0, 7), w(1, 8)]), Some(w(0, 7)));
        assert_eq!(tightest(&[w(3, 9), w(1, 8)]), Some(w(1, 8)));
        assert_eq!(tightest(&[]), None);
    }
}
