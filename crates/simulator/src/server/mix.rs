//! A steady drizzle of faults, drawn from a seed and the number of each request.
//!
//! The same seed and the same order of requests meet the same faults. A client that tries a
//! few times always gets through, because failures in a row are bounded for every path; what
//! would rightly end a crawl, as money that has run out or a cursor that loops, is not in the
//! mix. Faults asked for with [`Server::inject`](super::Server::inject) go first.

use std::collections::HashMap;
use std::time::Duration;

use super::asked::Asked;
use super::faults::{ErrorBody, Fault};
use crate::dice::Dice;

/// Most failures in a row that one path meets.
const FAILURES_IN_A_ROW_MAX: u32 = 3;

/// How often requests to `/1.1/` and `/2/users` meet which family of faults; shares of all
/// requests, to be at most 1 together. All are zero by default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaultMix {
    /// Same seed, same faults.
    pub seed: u64,
    /// Server errors of all kinds, and connections that end without an answer.
    pub unavailable: f64,
    /// Pages that were served and lost on the way: no byte, half a body.
    pub lost: f64,
    /// Answers with status 200 that are none: HTML, nothing, half of the JSON, broken gzip.
    pub malformed: f64,
    /// Pages without their rows, though all else says there are some.
    pub missing_data: f64,
    /// Late and dripping answers, whole in the end; at most 200 ms.
    pub slow: f64,
    /// Half a body and then silence for [`stall`](Self::stall).
    pub stalled: f64,
    /// Right pages of unusual shape: short, empty, with a repeated row, with partial errors,
    /// with unknown fields.
    pub odd: f64,
    /// Refusals for a rate limit that carry no headers.
    pub rate_limited_bare: f64,
    /// Real time for which a stalled connection is silent.
    pub stall: Duration,
}

/// Draws one fault of a family.
type Draw<'a> = dyn Fn(&mut Dice) -> Fault + 'a;

impl Default for FaultMix {
    fn default() -> Self {
        Self {
            seed: 0,
            unavailable: 0.0,
            lost: 0.0,
            malformed: 0.0,
            missing_data: 0.0,
            slow: 0.0,
            stalled: 0.0,
            odd: 0.0,
            rate_limited_bare: 0.0,
            stall: Duration::from_millis(100),
        }
    }
}

impl FaultMix {
    /// Three requests in ten meet something, of every family but bare rate limits.
    pub fn rough(seed: u64) -> Self {
        Self {
            seed,
            unavailable: 0.08,
            lost: 0.05,
            malformed: 0.04,
            missing_data: 0.02,
            slow: 0.02,
            stalled: 0.01,
            odd: 0.08,
            ..Self::default()
        }
    }

    fn draw(&self, dice: &mut Dice) -> Option<Fault> {
        let mut left = dice.unit();
        let families: [(f64, &Draw<'_>); 8] = [
            (self.unavailable, &unavailable),
            (self.lost, &lost),
            (self.malformed, &malformed),
            (self.missing_data, &|_| Fault::MissingData),
            (self.slow, &slow),
            (self.stalled, &|dice| Fault::Stalled { keep: dice.below(400), hold: self.stall }),
            (self.odd, &odd),
            (self.rate_limited_bare, &|_| Fault::RateLimitedBare),
        ];
        for (share, fault) in families {
            if left < share {
                return Some(fault(dice));
            }
            left -= share;
        }
        None
    }
}

fn unavailable(dice: &mut Dice) -> Fault {
    let error = |status, body| Fault::ServerError { status, body };
    let bodies = [ErrorBody::Html, ErrorBody::Json, ErrorBody::Empty];
    match dice.below(6) {
        0 => Fault::Disconnect,
        1 => Fault::Unavailable,
        kind => error([500, 502, 503, 504][kind - 2], bodies[dice.below(bodies.len())]),
    }
}

fn lost(dice: &mut Dice) -> Fault {
    match dice.below(2) {
        0 => Fault::LostAnswer,
        _ => Fault::Truncated { keep: dice.below(2000) },
    }
}

fn malformed(dice: &mut Dice) -> Fault {
    let faults = [Fault::Html200, Fault::EmptyBody200, Fault::TruncatedJson, Fault::BadGzip];
    faults[dice.below(faults.len())]
}

fn slow(dice: &mut Dice) -> Fault {
    let ms = |below: usize, dice: &mut Dice| Duration::from_millis(dice.below(below) as u64);
    match dice.below(2) {
        0 => Fault::Delay(ms(60, dice)),
        _ => Fault::SlowDrip { pieces: 1 + dice.below(10), pause: ms(20, dice) },
    }
}

fn odd(dice: &mut Dice) -> Fault {
    match dice.below(5) {
        0 => Fault::EmptyPage,
        1 => Fault::ShortPage { rows: 1 + dice.below(20) },
        2 => Fault::DuplicateAtBoundary,
        3 => Fault::PartialErrors,
        _ => Fault::UnknownFields,
    }
}

/// A mix at work.
#[derive(Debug)]
pub(super) struct Mixer {
    mix: FaultMix,
    requests: u64,
    /// Failures in a row by path; paths that were last answered are not kept.
    failures: HashMap<String, u32>,
}

impl Mixer {
    pub(super) fn new(mix: FaultMix) -> Self {
        Self { mix, requests: 0, failures: HashMap::new() }
    }

    /// The fault the next request meets, `injected` or drawn.
    pub(super) fn next(&mut self, asked: &Asked<'_>, injected: Option<Fault>) -> Option<Fault> {
        if !asked.path.starts_with("/1.1/") && !asked.path.starts_with("/2/users") {
            return injected;
        }
        self.requests += 1;
        let mut dice = Dice::new(crate::dice::mix(self.mix.seed, self.requests));
        let drawn = self.mix.draw(&mut dice).filter(|fault| fault.fits(asked));
        let failures = self.failures.get(asked.path).copied().unwrap_or(0);
        let is_bearable = |fault: &Fault| !is_setback(*fault) || failures < FAILURES_IN_A_ROW_MAX;
        let fault = injected.or(drawn.filter(is_bearable));
        if fault.is_some_and(is_setback) {
            *self.failures.entry(asked.path.to_owned()).or_default() += 1;
        } else {
            self.failures.remove(asked.path);
        }
        fault
    }
}

/// Whether a client is no further after it; an empty page brings no rows either.
fn is_setback(fault: Fault) -> bool {
    !fault.delivers() || fault == Fault::EmptyPage
}
