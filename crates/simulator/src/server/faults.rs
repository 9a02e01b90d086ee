//! Trouble on demand: what the next requests to a path meet instead of, or on the way of,
//! their answer.
//!
//! A fault strikes at one of four places, and its place decides what it costs. At the
//! **front** nobody looked at the credential, so nothing is spent. At the **gate** the
//! credential was known and the request counted, but no page was made. On the **way** the
//! page was made, counted and served, and then lost, damaged or slow. In the **page** the
//! answer is right and whole, only odd. [`RequestRecord`](super::RequestRecord) says of every
//! request which it was.

use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value, json};

use super::asked::Asked;
use super::auth::Generation;
use super::errors;
use super::reply::Reply;

/// The page that overloaded front servers show.
const OVER_CAPACITY: &str = "<!DOCTYPE html>\n<html><head><title>Over capacity</title></head>\
    <body><h1>Something is technically wrong</h1></body></html>\n";

/// What a captive portal or a proxy says in the place of the API.
const SIGN_IN: &str = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head>\
    <body><h1>Please accept the terms to continue</h1></body></html>\n";

/// Something that goes wrong with a request, or an oddity of its answer.
///
/// A fault waits for a request it fits: one of a page fits lists only. Each can be asked for
/// by [name](Fault::names), with usual numbers where it has some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Front: status 503 with an HTML body, and no rate limit spent.
    Unavailable,
    /// Front: the connection ends without an answer, and no rate limit spent.
    Disconnect,
    /// The answer comes, right and whole, this much later in real time; the limit is spent.
    Delay(Duration),

    /// Front: a server error, no rate limit spent.
    ServerError {
        /// The status; 500, 502, 503 and 504 are usual.
        status: u16,
        /// What stands in the body.
        body: ErrorBody,
    },
    /// Front: HTML with status 200, as from a captive portal; no rate limit spent.
    Html200,
    /// Front: status 200 and no body; no rate limit spent.
    EmptyBody200,
    /// Front: status 302; no rate limit spent. Whether a client followed shows in
    /// [`RequestRecord::host`](super::RequestRecord::host).
    Redirect(RedirectTo),
    /// Front: status 429 by its body alone, without any rate limit header; none spent.
    RateLimitedBare,
    /// Front: the token is refused as expired: 401 with code 89, in v2 `Unauthorized`; no rate
    /// limit spent.
    TokenExpired,

    /// Gate: 429 `usage-capped` with requests remaining in the window; the limit is spent.
    UsageCapped,
    /// Gate: 402 `CreditsDepleted`; the limit is spent.
    CreditsDepleted,
    /// Gate: 403 `SpendCapReached`; the limit is spent.
    SpendCapReached,

    /// Way: the page is served and the limit spent, then the connection ends without a byte.
    LostAnswer,
    /// Way: the head promises the whole body, `keep` bytes of it come (at least one less than
    /// promised), and the connection ends; the limit is spent.
    Truncated {
        /// Bytes of the body, as encoded, that are sent.
        keep: usize,
    },
    /// Way: the whole body comes, in pieces with a pause before each; the limit is spent.
    SlowDrip {
        /// Pieces, at least one.
        pieces: usize,
        /// Real time before every piece.
        pause: Duration,
    },
    /// Way: head and `keep` bytes come, then nothing for a time, then the connection ends; the
    /// limit is spent.
    Stalled {
        /// Bytes of the body, as encoded, that are sent.
        keep: usize,
        /// Real time of silence.
        hold: Duration,
    },
    /// Way: the body says it is gzip and cannot be unpacked, whether or not the client takes
    /// gzip; the limit is spent.
    BadGzip,
    /// Way: status 200 and a right content length, but the JSON ends half-way; the limit is
    /// spent.
    TruncatedJson,
    /// Way: the page lacks its rows though all else is there: v2 has no `data` while
    /// `meta.result_count` counts them, v1.1 no `ids`. The limit is spent. Lists only.
    MissingData,

    /// Page: fields nobody has heard of, everywhere; all others are right.
    UnknownFields,
    /// Page: no rows, and a next cursor that leads to those that should have been here. Lists
    /// only; a page without rows stays as it is.
    EmptyPage,
    /// Page: at most this many rows (at least one) are read, and the cursor leads on from
    /// there. Lists only.
    ShortPage {
        /// Rows before hidden members are left out.
        rows: usize,
    },
    /// Page: the next cursor is one row early, so that the last row of this page comes again
    /// as the first of the next. Lists only; a last page stays as it is.
    DuplicateAtBoundary,
    /// Page: the next cursor is the one that was sent: a loop. Waits for a list request that
    /// bears a cursor.
    CursorRepeats,
    /// Page: `errors` beside the data, saying that a pinned post is gone; if posts were asked
    /// for, it is left out of them. v2 lists only.
    PartialErrors,
}

/// What stands in the body of a [`Fault::ServerError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorBody {
    /// A page for people.
    Html,
    /// v1.1's codes 130 and 131, v2's problem.
    Json,
    /// Nothing.
    Empty,
}

/// Where a [`Fault::Redirect`] points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectTo {
    /// The same address under the same host; who follows is answered.
    SameHost,
    /// The same address under another name of this machine, `localhost`; who follows may have
    /// carried a token to a stranger.
    OtherHost,
}

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Front,
    Gate,
    Way,
    Page,
}

/// What reaches the connection of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Whole,
    Lost,
    Truncated { keep: usize },
    Drip { pieces: usize, pause: Duration },
    Stalled { keep: usize, hold: Duration },
    BadGzip,
    HalfJson,
}

/// A name no fault has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no fault has this name")]
pub struct UnknownFault;

/// Faults by the names that the control endpoint takes; numbers have a usual value.
const NAMED: [(&str, Fault); 28] = [
    ("unavailable", Fault::Unavailable),
    ("disconnect", Fault::Disconnect),
    ("delay", Fault::Delay(Duration::from_millis(100))),
    ("server-error", Fault::ServerError { status: 500, body: ErrorBody::Json }),
    ("bad-gateway", Fault::ServerError { status: 502, body: ErrorBody::Html }),
    ("gateway-timeout", Fault::ServerError { status: 504, body: ErrorBody::Empty }),
    ("html-200", Fault::Html200),
    ("empty-body-200", Fault::EmptyBody200),
    ("redirect", Fault::Redirect(RedirectTo::SameHost)),
    ("redirect-other-host", Fault::Redirect(RedirectTo::OtherHost)),
    ("rate-limited-bare", Fault::RateLimitedBare),
    ("token-expired", Fault::TokenExpired),
    ("usage-capped", Fault::UsageCapped),
    ("credits-depleted", Fault::CreditsDepleted),
    ("spend-cap-reached", Fault::SpendCapReached),
    ("lost-answer", Fault::LostAnswer),
    ("truncated", Fault::Truncated { keep: 64 }),
    ("slow-drip", Fault::SlowDrip { pieces: 5, pause: Duration::from_millis(20) }),
    ("stalled", Fault::Stalled { keep: 64, hold: Duration::from_millis(500) }),
    ("bad-gzip", Fault::BadGzip),
    ("truncated-json", Fault::TruncatedJson),
    ("missing-data", Fault::MissingData),
    ("unknown-fields", Fault::UnknownFields),
    ("empty-page", Fault::EmptyPage),
    ("short-page", Fault::ShortPage { rows: 1 }),
    ("duplicate-at-boundary", Fault::DuplicateAtBoundary),
    ("cursor-repeats", Fault::CursorRepeats),
    ("partial-errors", Fault::PartialErrors),
];

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        let named = NAMED.iter().find(|(known, _)| *known == name);
        named.map(|&(_, fault)| fault).ok_or(UnknownFault)
    }
}

impl Fault {
    /// Every name that [`from_str`](Fault::from_str) knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|&(name, _)| name)
    }

    /// Whether a request that meets it takes from its rate limit.
    pub fn spends_limit(self) -> bool {
        self.place() != Place::Front
    }

    /// Whether the answer was made before it was lost, damaged or changed.
    pub fn serves(self) -> bool {
        matches!(self.place(), Place::Way | Place::Page)
    }

    /// Whether the client gets the answer whole and right, if late or odd.
    pub fn delivers(self) -> bool {
        let whole = matches!(self, Self::Delay(_) | Self::SlowDrip { .. });
        whole || self.place() == Place::Page
    }

    pub(super) fn place(self) -> Place {
        match self {
            Self::Unavailable
            | Self::Disconnect
            | Self::ServerError { .. }
            | Self::Html200
            | Self::EmptyBody200
            | Self::Redirect(_)
            | Self::RateLimitedBare
            | Self::TokenExpired => Place::Front,
            Self::UsageCapped | Self::CreditsDepleted | Self::SpendCapReached => Place::Gate,
            Self::Delay(_)
            | Self::LostAnswer
            | Self::Truncated { .. }
            | Self::SlowDrip { .. }
            | Self::Stalled { .. }
            | Self::BadGzip
            | Self::TruncatedJson
            | Self::MissingData => Place::Way,
            Self::UnknownFields
            | Self::EmptyPage
            | Self::ShortPage { .. }
            | Self::DuplicateAtBoundary
            | Self::CursorRepeats
            | Self::PartialErrors => Place::Page,
        }
    }

    /// Whether a request can meet this fault.
    pub(super) fn fits(self, asked: &Asked<'_>) -> bool {
        let list = asked.list();
        match self {
            Self::MissingData
            | Self::EmptyPage
            | Self::ShortPage { .. }
            | Self::DuplicateAtBoundary => list.is_some(),
            Self::CursorRepeats => list.is_some() && asked.has_cursor(),
            Self::PartialErrors => list == Some(Generation::V2),
            _ => true,
        }
    }

    /// What is answered before anybody looks at the credential.
    pub(super) fn at_front(self, asked: &Asked<'_>) -> Option<Reply> {
        Some(match self {
            Self::Unavailable => Reply::html(503, OVER_CAPACITY),
            Self::Disconnect => Reply::cut(),
            Self::ServerError { status, body: ErrorBody::Html } => {
                Reply::html(status, OVER_CAPACITY)
            }
            Self::ServerError { status, body: ErrorBody::Empty } => Reply::empty(status),
            Self::ServerError { status, body: ErrorBody::Json } => {
                errors::server_error(asked.generation(), status)
            }
            Self::Html200 => Reply::html(200, SIGN_IN),
            Self::EmptyBody200 => Reply::empty(200),
            Self::Redirect(to) => Reply::empty(302).with_location(asked.elsewhere(to)),
            Self::RateLimitedBare => errors::too_many_requests(asked.generation()),
            Self::TokenExpired => errors::expired(asked.generation()),
            _ => return None,
        })
    }

    /// What is answered in the place of a page, to a known credential.
    pub(super) fn at_gate(self) -> Option<Reply> {
        match self {
            Self::UsageCapped => Some(errors::usage_capped()),
            Self::CreditsDepleted => Some(errors::credits_depleted()),
            Self::SpendCapReached => Some(errors::spend_cap_reached()),
            _ => None,
        }
    }

    /// What becomes of the reply on its way.
    pub(super) fn wire(self) -> Wire {
        match self {
            Self::LostAnswer => Wire::Lost,
            Self::Truncated { keep } => Wire::Truncated { keep },
            Self::SlowDrip { pieces, pause } => Wire::Drip { pieces, pause },
            Self::Stalled { keep, hold } => Wire::Stalled { keep, hold },
            Self::BadGzip => Wire::BadGzip,
            Self::TruncatedJson => Wire::HalfJson,
            _ => Wire::Whole,
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

/// Takes the rows out of a page, and leaves all else.
pub(super) fn drop_rows(body: &mut Value) {
    if let Some(page) = body.as_object_mut() {
        page.remove("data");
        page.remove("ids");
    }
}

/// Adds fields nobody has heard of to every object.
pub(super) fn add_unknown_fields(body: &mut Value) {
    match body {
        Value::Object(object) => {
            object.values_mut().for_each(add_unknown_fields);
            object.insert("zz_new".to_owned(), json!({"ids": [1], "next_cursor": "x", "n": 1.5}));
            object.insert("aa_new".to_owned(), json!(["\u{1F9EA}", null, true]));
        }
        Value::Array(items) => items.iter_mut().for_each(add_unknown_fields),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_different_fault() {
        for (at, (name, fault)) in NAMED.iter().enumerate() {
            assert_eq!(name.parse(), Ok(*fault));
            assert!(!NAMED[..at].iter().any(|(other, twin)| other == name || twin == fault));
        }
        assert_eq!("flood".parse::<Fault>(), Err(UnknownFault));
    }
}
