//! The virtual clock: real time since the start, plus every explicit advance.
//!
//! Everything the server says about time comes from here, so a test can let a rate window
//! pass without waiting for it.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// One day in milliseconds.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// Milliseconds since 1970 as a timestamp; times outside jiff's range stop at its ends.
pub(crate) fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

#[derive(Debug)]
pub(crate) struct Clock {
    start: Timestamp,
    started: Instant,
    skipped: Duration,
}

impl Clock {
    pub(crate) fn starting_at(start: Timestamp) -> Self {
        Self { start, started: Instant::now(), skipped: Duration::ZERO }
    }

    pub(crate) fn now(&self) -> Timestamp {
        later(self.start, self.started.elapsed() + self.skipped)
    }

    pub(crate) fn skip(&mut self, by: Duration) {
        self.skipped += by;
    }
}

/// `time + by`, stopping at the end of representable time.
pub(crate) fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}
