//! The network's clock, learned from the `Date` of its answers.
//!
//! Rate windows end by the server's clock, and snapshots are compared with each other for
//! years; neither should depend on how this machine's clock is set.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Local time that has been put right by what the server said.
#[derive(Debug)]
pub struct ServerClock {
    started: Instant,
    /// What the local clock said then. From there on only elapsed time counts, so that
    /// somebody who sets the local clock does not move ours.
    local: Timestamp,
    offset: Mutex<Option<SignedDuration>>,
}

impl ServerClock {
    /// A clock that shows local time until it has heard from the server.
    pub fn new() -> Self {
        Self { started: Instant::now(), local: Timestamp::now(), offset: Mutex::new(None) }
    }

    /// What the server's clock shows now, as far as it is known.
    pub fn now(&self) -> Timestamp {
        let offset = *self.lock();
        self.local_now() + offset.unwrap_or(SignedDuration::ZERO)
    }

    /// Takes over how far the server's clock was ahead of this machine's when somebody else
    /// heard of it. What is heard from now on counts for more.
    pub fn assume_ahead(&self, ahead: SignedDuration) {
        let local = Timestamp::now().duration_since(self.local_now());
        let ahead = ahead.saturating_add(local);
        let believed = self.local_now().checked_add(ahead).is_ok_and(is_plausible);
        let mut offset = self.lock();
        if offset.is_none() && believed {
            *offset = Some(ahead);
        }
    }

    /// Takes note of a `Date` header that has just arrived. One that cannot be read, or that
    /// no clock can show, is passed over.
    pub fn observe(&self, date: &str) {
        if let Some(date) = parse_date(date).filter(|date| is_plausible(*date)) {
            self.observe_time(date);
        }
    }

    /// The header counts whole seconds and has travelled, so the server's clock shows at
    /// least this much, and at most about a second more. Keeping the greatest lower bound
    /// finds the fraction and never lets time run backwards, unless the clock really jumped.
    fn observe_time(&self, date: Timestamp) {
        let seen = date.duration_since(self.local_now());
        let mut offset = self.lock();
        let jumped_back = |known: SignedDuration| known - seen > SignedDuration::from_mins(1);
        match *offset {
            Some(known) if seen <= known && !jumped_back(known) => {}
            _ => *offset = Some(seen),
        }
    }

    fn local_now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.started.elapsed()).unwrap_or_default();
        self.local + elapsed
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<SignedDuration>> {
        self.offset.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Default for ServerClock {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a clock may show this. Near the ends of time there is no room for a wait.
fn is_plausible(time: Timestamp) -> bool {
    // 1970 to 9000.
    (0..221_845_392_000).contains(&time.as_second())
}

/// Reads an HTTP date. Some servers end it in `UTC`, which no standard allows.
pub(crate) fn parse_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let text = text.strip_suffix("UTC").map_or(text.to_owned(), |t| format!("{t}GMT"));
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_with_either_suffix() {
        let expected: Timestamp = "2021-08-01T22:15:00Z".parse().unwrap();
        assert_eq!(parse_date("Sun, 01 Aug 2021 22:15:00 GMT"), Some(expected));
        assert_eq!(parse_date("Sun, 01 Aug 2021 22:15:00 UTC"), Some(expected));
        assert_eq!(parse_date("yesterday"), None);
    }

    #[test]
    fn the_server_is_believed_however_far_its_clock_is_away() {
        let clock = ServerClock::new();
        clock.observe("Sun, 01 Aug 2021 22:15:00 UTC");
        let at = clock.now().to_string();
        assert!(at.starts_with("2021-08-01T22:15:0"), "{at}");
        for nonsense in ["nonsense", "Thu, 30 Dec 9999 22:00:00 GMT"] {
            clock.observe(nonsense);
            assert!(clock.now().to_string().starts_with("2021-08-01T22:15:0"));
        }
    }

    #[test]
    fn how_far_ahead_the_server_was_is_not_believed_without_end() {
        let clock = ServerClock::new();
        clock.assume_ahead(SignedDuration::MAX);
        clock.assume_ahead(SignedDuration::from_hours(-24 * 365 * 3000));
        assert!(Timestamp::now().duration_since(clock.now()).abs().as_secs() < 60);
    }

    #[tokio::test(start_paused = true)]
    async fn the_fraction_of_a_second_is_found_and_time_never_runs_backwards() {
        let clock = ServerClock::new();
        clock.observe("Sun, 01 Aug 2021 22:15:00 GMT");
        tokio::time::advance(std::time::Duration::from_millis(900)).await;
        let before = clock.now();
        // The header still shows the second it began with.
        clock.observe("Sun, 01 Aug 2021 22:15:00 GMT");
        assert_eq!(clock.now(), before);
        clock.observe("Sun, 01 Aug 2021 22:15:01 GMT");
        assert!(clock.now() > before);
        clock.observe("Sun, 01 Aug 2021 21:00:00 GMT");
        assert!(clock.now().to_string().starts_with("2021-08-01T21:00:00"));
    }
}
