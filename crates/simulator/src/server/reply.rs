//! What goes back: status, body, rate window, and how it is put into HTTP.

use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue,
    SERVER, VARY,
};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::Frame;
use jiff::Timestamp;
use serde_json::Value;

use super::limits::Window;

/// Bodies below this many bytes are sent as they are.
const GZIP_FROM_BYTES: usize = 200;

const LIMIT: HeaderName = HeaderName::from_static("x-rate-limit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-rate-limit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-rate-limit-reset");

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    content: Content,
    window: Option<Window>,
    /// Users in the body; what a metered API would bill.
    pub(super) users: usize,
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
        Self { status, content: Content::Json(body), window: None, users: 0 }
    }

    pub(super) fn html(status: u16, body: &'static str) -> Self {
        Self { status, content: Content::Html(body), window: None, users: 0 }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { status, content: Content::Empty, window: None, users: 0 }
    }

    /// Ends the connection instead of answering; recorded with status 0.
    pub(super) fn cut() -> Self {
        Self { status: 0, content: Content::Cut, window: None, users: 0 }
    }

    pub(super) fn unknown_route() -> Self {
        Self::empty(404)
    }

    pub(super) fn with_users(mut self, users: usize) -> Self {
        self.users = users;
        self
    }

    pub(super) fn with_window(mut self, window: Window) -> Self {
        self.window = Some(window);
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

    pub(super) fn into_response(self, now: Timestamp, gzip: bool) -> Response {
        let (kind, body) = match self.content {
            Content::Json(body) => {
                ("application/json; charset=utf-8", body.to_string().into_bytes())
            }
            Content::Html(body) => ("text/html; charset=utf-8", body.as_bytes().to_vec()),
            Content::Empty => ("", Vec::new()),
            Content::Cut => return Response::new(Body::new(CutShort)),
        };
        let compressed = (gzip && body.len() >= GZIP_FROM_BYTES).then(|| compress(&body)).flatten();
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or_default();
        let headers = response.headers_mut();
        headers.insert(SERVER, HeaderValue::from_static("simulator"));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        insert(headers, DATE, &now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
        if !kind.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        if compressed.is_some() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if let Some(window) = self.window {
            insert(headers, LIMIT, &window.limit.to_string());
            insert(headers, REMAINING, &window.remaining.to_string());
            insert(headers, RESET, &window.reset_secs.to_string());
        }
        *response.body_mut() = Body::from(compressed.unwrap_or(body));
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

/// A body that fails at once, before the head was sent: the peer sees a closed connection.
struct CutShort;

impl http_body::Body for CutShort {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionAborted.into())))
    }
}
