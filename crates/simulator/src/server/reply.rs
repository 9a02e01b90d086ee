//! What goes back: status, body, rate window, and how it is put into HTTP.

use std::io::Write;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue,
    LOCATION, SERVER, VARY,
};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::cursors::PageFacts;
use super::faults::{self, Wire};
use super::limits::{Window, Windows};
use super::wire::{Parcel, Receipt};
use crate::config::DateZone;

/// Bodies below this many bytes are sent as they are.
const GZIP_FROM_BYTES: usize = 200;

/// Names for a window's limit, what remains of it, and its end.
type WindowNames = [HeaderName; 3];

const LIMITS: WindowNames = [
    HeaderName::from_static("x-rate-limit-limit"),
    HeaderName::from_static("x-rate-limit-remaining"),
    HeaderName::from_static("x-rate-limit-reset"),
];
const DAY_OF_APP: WindowNames = [
    HeaderName::from_static("x-app-limit-24hour-limit"),
    HeaderName::from_static("x-app-limit-24hour-remaining"),
    HeaderName::from_static("x-app-limit-24hour-reset"),
];
const DAY_OF_USER: WindowNames = [
    HeaderName::from_static("x-user-limit-24hour-limit"),
    HeaderName::from_static("x-user-limit-24hour-remaining"),
    HeaderName::from_static("x-user-limit-24hour-reset"),
];

/// What a reply says of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    /// Virtual time, as it really is.
    pub(super) now: Timestamp,
    /// How wrong all that is told is.
    pub(super) skew: SignedDuration,
    pub(super) zone: DateZone,
}

impl Told {
    fn date(self) -> String {
        let told = self.now.checked_add(self.skew).unwrap_or(self.now);
        let zone = match self.zone {
            DateZone::Gmt => "GMT",
            DateZone::Utc => "UTC",
        };
        format!("{} {zone}", told.strftime("%a, %d %b %Y %H:%M:%S"))
    }
}

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    content: Content,
    windows: Option<Box<Windows>>,
    location: Option<String>,
    /// Users in the body, if an endpoint served any or none; what a metered API would bill.
    pub(super) users: Option<usize>,
    /// The page this is, if it is one.
    pub(super) page: Option<Box<PageFacts>>,
}

#[derive(Debug)]
enum Content {
    Json(Value),
    Html(&'static str),
    Empty,
    /// No answer at all: the connection ends.
    Cut,
}

impl Reply {
    pub(super) fn json(status: u16, body: Value) -> Self {
        Self::new(status, Content::Json(body))
    }

    pub(super) fn html(status: u16, body: &'static str) -> Self {
        Self::new(status, Content::Html(body))
    }

    pub(super) fn empty(status: u16) -> Self {
        Self::new(status, Content::Empty)
    }

    /// Ends the connection instead of answering; recorded with status 0.
    pub(super) fn cut() -> Self {
        Self::new(0, Content::Cut)
    }

    fn new(status: u16, content: Content) -> Self {
        Self { status, content, windows: None, location: None, users: None, page: None }
    }

    pub(super) fn unknown_route() -> Self {
        Self::empty(404)
    }

    pub(super) fn with_users(mut self, users: usize) -> Self {
        self.users = Some(users);
        self
    }

    pub(super) fn with_page(mut self, page: PageFacts) -> Self {
        self.page = Some(Box::new(page));
        self
    }

    pub(super) fn with_location(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }

    /// A page that has lost its rows.
    pub(super) fn without_rows(mut self) -> Self {
        if let Content::Json(body) = &mut self.content {
            faults::drop_rows(body);
        }
        self
    }

    /// With fields nobody has heard of.
    pub(super) fn with_unknown_fields(mut self) -> Self {
        if let Content::Json(body) = &mut self.content {
            faults::add_unknown_fields(body);
        }
        self
    }

    pub(super) fn with_windows(mut self, windows: Windows) -> Self {
        self.windows = Some(Box::new(windows));
        self
    }

    /// Adds a label to every entry of a v1.1 `errors` array, as the token endpoint does.
    pub(super) fn labelled(mut self, label: &str) -> Self {
        if let Content::Json(body) = &mut self.content {
            for error in body["errors"].as_array_mut().into_iter().flatten() {
                error["label"] = label.into();
            }
        }
        self
    }

    /// The HTTP response; `receipt` is called when the whole of it was handed over.
    pub(super) fn into_response(
        self,
        told: Told,
        gzip: bool,
        wire: Wire,
        receipt: Receipt,
    ) -> Response {
        let (kind, mut body) = match self.content {
            Content::Json(body) => {
                ("application/json; charset=utf-8", body.to_string().into_bytes())
            }
            Content::Html(body) => ("text/html; charset=utf-8", body.as_bytes().to_vec()),
            Content::Empty => ("", Vec::new()),
            Content::Cut => return Response::new(Body::new(Parcel::cut())),
        };
        if wire == Wire::Lost {
            return Response::new(Body::new(Parcel::cut()));
        }
        if wire == Wire::HalfJson {
            body.truncate(body.len() / 2);
        }
        let compressed = if wire == Wire::BadGzip {
            Some(damaged_gzip(body.len()))
        } else {
            (gzip && body.len() >= GZIP_FROM_BYTES).then(|| compress(&body)).flatten()
        };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or_default();
        let headers = response.headers_mut();
        headers.insert(SERVER, HeaderValue::from_static("simulator"));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        insert(headers, DATE, &told.date());
        if !kind.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        if compressed.is_some() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if let Some(windows) = self.windows {
            announce(headers, LIMITS, windows.quarter, told.skew);
            if let Some(day) = windows.day {
                announce(
                    headers,
                    if windows.of_app { DAY_OF_APP } else { DAY_OF_USER },
                    day,
                    told.skew,
                );
            }
        }
        if let Some(location) = &self.location {
            insert(headers, LOCATION, location);
        }
        let parcel = Parcel::new(compressed.unwrap_or(body), wire, receipt);
        *response.body_mut() = Body::new(parcel);
        response
    }
}

/// Whether the client named gzip among the encodings it takes.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        named && !parts.any(|weight| ["q=0", "q=0.0", "q=0.00", "q=0.000"].contains(&weight))
    })
}

fn announce(headers: &mut HeaderMap, names: WindowNames, window: Window, skew: SignedDuration) {
    let [limit, remaining, reset] = names;
    insert(headers, limit, &window.limit.to_string());
    insert(headers, remaining, &window.remaining.to_string());
    insert(headers, reset, &window.reset_secs.saturating_add(skew.as_secs()).to_string());
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn compress(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

/// A gzip head, and then a block of the one type that does not exist: every reader stops here.
fn damaged_gzip(len: usize) -> Vec<u8> {
    let mut bytes = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];
    bytes.resize(bytes.len() + len.max(16), 0xFF);
    bytes
}
