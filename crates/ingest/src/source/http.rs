//! What both generations share on the wire: one client, its limits, its headers.
//!
//! Nothing is retried here and nothing waits here. The token goes to one host only: it is
//! not sent over plain HTTP except to this machine, and no redirect to another place is
//! followed. Whatever an answer says reaches a message through one place, which takes the
//! token out first and cuts it to length then.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, DATE, HeaderMap, HeaderValue};
use reqwest::{Client, Url, redirect};

use super::{Generation, SourceError, Trouble, classify};
use crate::pace::{Family, Window, tightest};
use crate::{Credential, CredentialId, Error, ErrorKind, ServerClock, Token};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(30);
const TOTAL_TIMEOUT: Duration = Duration::from_mins(2);
/// Connections that have been idle for longer are dropped rather than found dead after a
/// long sleep.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// A page of 5,000 ids takes 110 kB; this is for servers that never stop.
const BODY_BYTES_MAX: usize = 16 << 20;
/// What a message shows of an answer.
const DETAIL_CHARS_MAX: usize = 180;

/// Asks one API for one thing.
pub(super) struct Http {
    client: Client,
    base: Url,
    generation: Generation,
    clock: ServerClock,
    credential: Credential,
}

/// An answer.
pub(super) struct Reply {
    status: u16,
    pub(super) body: Vec<u8>,
    pub(super) window: Option<Window>,
    pub(super) at: Timestamp,
}

impl Http {
    pub(super) fn new(
        base_url: &str,
        credential: Credential,
        generation: Generation,
    ) -> Result<Self, Error> {
        let base = parse_base(base_url)?;
        // Fails only if one is installed already, which will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("followgraph/", env!("CARGO_PKG_VERSION")))
            .default_headers(authorization(credential.token())?)
            .gzip(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .redirect(redirect::Policy::custom(only_at_home));
        if is_loopback(&base) {
            builder = builder.no_proxy();
        }
        if base.scheme() == "http" {
            // A machine without root certificates can still talk to itself.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|e| {
            Error::new(ErrorKind::Network, "cannot set up the HTTP client").because(e)
        })?;
        Ok(Self { client, base, generation, clock: ServerClock::new(), credential })
    }

    pub(super) fn credential(&self) -> &CredentialId {
        self.credential.id()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn assume_ahead(&self, ahead: SignedDuration) {
        self.clock.assume_ahead(ahead);
    }

    pub(super) fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Fetches `path` below the base address and makes sure that the answer holds something.
    pub(super) async fn get(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Reply, SourceError> {
        self.checked(self.ask(path, query).await?)
    }

    /// Fetches `path` below the base address, whatever the answer is.
    pub(super) async fn ask(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Reply, SourceError> {
        let (status, headers, body) =
            self.fetch(self.url(path, query)).await.map_err(|e| self.presentable(no_answer(e)))?;
        let windows = windows(&headers);
        Ok(Reply { status, body, window: tightest(&windows), at: self.now() })
    }

    /// Refuses an answer that does not hold what was asked for.
    pub(super) fn checked(&self, reply: Reply) -> Result<Reply, SourceError> {
        let window = reply.window.as_slice();
        match classify(self.generation, reply.status, window, &reply.body) {
            Some(error) => Err(self.presentable(error)),
            None => Ok(reply),
        }
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url.query_pairs_mut().extend_pairs(query);
        url
    }

    async fn fetch(&self, url: Url) -> Result<(u16, HeaderMap, Vec<u8>), reqwest::Error> {
        let mut response = self.client.get(url).send().await?;
        let headers = std::mem::take(response.headers_mut());
        if let Some(date) = headers.get(DATE).and_then(|d| d.to_str().ok()) {
            self.clock.observe(date);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > BODY_BYTES_MAX {
                // What there is does not parse, and says so.
                break;
            }
        }
        Ok((response.status().as_u16(), headers, body))
    }

    /// Makes sense of a body, or says that it made none.
    pub(super) fn parse<'a, T: serde::Deserialize<'a>>(
        &self,
        reply: &'a Reply,
    ) -> Result<T, SourceError> {
        serde_json::from_slice(&reply.body).map_err(|e| self.senseless(reply, e))
    }

    /// The error for an answer that cannot be as it is; another one may be better.
    pub(super) fn senseless(&self, reply: &Reply, why: impl fmt::Display) -> SourceError {
        self.presentable(SourceError {
            trouble: Trouble::Transient,
            detail: format!("the answer makes no sense: {why}"),
            window: reply.window,
        })
    }

    /// An answer may quote the request; the token must not come out that way, nor a part of
    /// it, so the text is cut last. One line, whatever the answer holds.
    fn presentable(&self, mut error: SourceError) -> SourceError {
        let line: String = error.detail.chars().filter(|c| !c.is_control()).collect();
        error.detail = self.credential.scrub(&line).chars().take(DETAIL_CHARS_MAX).collect();
        error
    }
}

/// Refuses a base address that a token must not be sent to, or that holds credentials
/// itself. The message does not quote the address.
///
/// # Errors
/// If a source cannot be connected to it.
pub fn check_base_url(text: &str) -> Result<(), Error> {
    parse_base(text).map(drop)
}

fn authorization(token: &Token) -> Result<HeaderMap, Error> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.secret()))
        .map_err(|_| Error::new(ErrorKind::Credentials, "the token cannot be sent in a header"))?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

fn parse_base(text: &str) -> Result<Url, Error> {
    let refuse = |why: &str| Error::usage(format!("the base URL {why}"));
    let url = Url::parse(text).map_err(|e| {
        refuse("is not an address").because(e).hint("it looks like https://api.x.com")
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            refuse("holds a user name or a password").hint("credentials have no place in it")
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("has more than scheme, host and path"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(refuse("would send the token unencrypted to another machine").hint(
            "write https://, or use an address of this machine such as http://127.0.0.1:8080",
        )),
        _ => Err(refuse("is not one of HTTP").hint("it looks like https://api.x.com")),
    }
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn only_at_home(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let origin = |url: &Url| url.origin();
    let same = attempt.previous().first().is_some_and(|from| origin(from) == origin(attempt.url()));
    if same && attempt.previous().len() <= 3 { attempt.follow() } else { attempt.stop() }
}

/// Everything that can happen below HTTP. The library's text holds the address and no
/// secret; only the last cause says something new.
#[expect(clippy::needless_pass_by_value, reason = "an argument of map_err")]
fn no_answer(error: reqwest::Error) -> SourceError {
    let mut cause: &dyn std::error::Error = &error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let what = if error.is_timeout() { "no answer in time" } else { "no answer" };
    let detail = format!("{what}: {cause}");
    SourceError { trouble: Trouble::Transient, detail, window: None }
}

/// The families of rate headers: the quarter hour's, and two of a day.
const WINDOWS: [(Family, &str); 3] = [
    (Family::QuarterHour, "x-rate-limit"),
    (Family::AppDay, "x-app-limit-24hour"),
    (Family::UserDay, "x-user-limit-24hour"),
];

fn windows(headers: &HeaderMap) -> Vec<Window> {
    let number = |family: &str, part: &str| {
        headers.get(format!("{family}-{part}"))?.to_str().ok()?.trim().parse::<i64>().ok()
    };
    let small = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
    let window = |(family, prefix): (Family, &str)| {
        Some(Window {
            family,
            limit: number(prefix, "limit").map(small),
            remaining: small(number(prefix, "remaining")?),
            reset: Timestamp::from_second(number(prefix, "reset")?).ok()?,
        })
    };
    WINDOWS.into_iter().filter_map(window).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_base(text: &str, expected: &str) {
        let shown = match parse_base(text) {
            Ok(url) => url.to_string(),
            Err(e) => e.to_string(),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_token_is_not_sent_in_the_clear() {
        check_base("https://api.x.com", "https://api.x.com/");
        check_base("http://127.0.0.1:8080", "http://127.0.0.1:8080/");
        check_base("http://[::1]:8080/api", "http://[::1]:8080/api");
        check_base("http://localhost:1", "http://localhost:1/");
        let refused = "the base URL would send the token unencrypted to another machine";
        check_base("http://api.x.com", refused);
        check_base("http://127.0.0.1.example.org", refused);
        check_base("https://me:secret@api.x.com", "the base URL holds a user name or a password");
        check_base("https://me@api.x.com", "the base URL holds a user name or a password");
        check_base("http://me:secret@api.x.com", "the base URL holds a user name or a password");
        check_base("https://me:secret@api.x.com:99999", "the base URL is not an address");
        check_base("ftp://api.x.com", "the base URL is not one of HTTP");
        check_base("api.x.com", "the base URL is not an address");
    }

    #[test]
    fn a_base_url_that_holds_a_secret_is_refused_and_not_quoted() {
        for bad in ["https://me:sesame@api.x.com", "https://me:sesame@host:99999", "me:sesame@host"]
        {
            let error = check_base_url(bad).unwrap_err();
            let shown = format!("{error} {error:?} {:?}", error.way_out());
            assert!(!shown.contains("sesame"), "{shown}");
        }
        assert!(check_base_url("https://api.x.com").is_ok());
    }

    #[test]
    fn windows_come_from_whole_families_of_headers() {
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: &'static str| {
            headers.insert(name, HeaderValue::from_static(value));
        };
        set("x-rate-limit-limit", "300");
        set("x-rate-limit-remaining", "299");
        set("x-rate-limit-reset", "1700000000");
        set("x-app-limit-24hour-remaining", "-1");
        set("x-app-limit-24hour-reset", "1700086400");
        set("x-user-limit-24hour-remaining", "12");
        let found = windows(&headers);
        assert_eq!(found.len(), 2, "half a family is none");
        assert_eq!((found[0].limit, found[0].remaining), (Some(300), 299));
        assert_eq!((found[0].family, found[1].family), (Family::QuarterHour, Family::AppDay));
        assert_eq!((found[1].limit, found[1].remaining), (None, 0));
    }
}
