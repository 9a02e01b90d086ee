//! Trouble on demand: what the next requests to a path meet instead of their answer.

use std::time::Duration;

use super::reply::Reply;

/// The page that overloaded front servers show.
const OVER_CAPACITY: &str = "<!DOCTYPE html>\n<html><head><title>Over capacity</title></head>\
    <body><h1>Something is technically wrong</h1></body></html>\n";

/// Something that goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Status 503 with an HTML body, and no rate limit spent.
    Unavailable,
    /// The connection ends without an answer, and no rate limit spent.
    Disconnect,
    /// The answer comes, this much later in real time.
    Delay(Duration),
}

impl Fault {
    /// What is answered instead, if anything is.
    pub(super) fn reply(self) -> Option<Reply> {
        match self {
            Self::Unavailable => Some(Reply::html(503, OVER_CAPACITY)),
            Self::Disconnect => Some(Reply::cut()),
            Self::Delay(_) => None,
        }
    }

    /// How long to wait first.
    pub(super) fn delay(self) -> Duration {
        match self {
            Self::Delay(delay) => delay,
            _ => Duration::ZERO,
        }
    }
}

/// The faults still to come, in the order in which they were asked for.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Planned>);

#[derive(Debug)]
struct Planned {
    path_prefix: String,
    fault: Fault,
    left: usize,
}

impl Faults {
    pub(super) fn add(&mut self, path_prefix: String, fault: Fault, times: usize) {
        self.0.push(Planned { path_prefix, fault, left: times });
    }

    /// The fault a request to this path meets; the oldest fitting one is used up first.
    pub(super) fn take(&mut self, path: &str) -> Option<Fault> {
        self.0.retain(|planned| planned.left > 0);
        let planned = self.0.iter_mut().find(|planned| path.starts_with(&planned.path_prefix))?;
        planned.left -= 1;
        Some(planned.fault)
    }
}
