//! What both generations share on the wire: one client, its limits, its headers.
//!
//! Nothing waits here, and nothing is asked again but with a new token, by the right clock,
//! or at an address on the same host that the answer names. The token goes to one host only: it is
//! not sent over plain HTTP except to this machine, and no redirect to another place is
//! followed. Whatever an answer says reaches a message through one place, which takes the
//! token out first and cuts it to length then.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, RequestBuilder, Url, redirect};

use super::{Generation, SourceError, Trouble, classify};
use crate::credential::Kind;
use crate::pace::{Family, Window};
use crate::token::encode;
use crate::{Credential, CredentialId, Error, ErrorKind, ServerClock};

/// How long things may take, and how much may come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) connect: Duration,
    /// Between two pieces of an answer.
    pub(crate) read: Duration,
    pub(crate) total: Duration,
    /// Connections that have been idle for longer are dropped rather than found dead after
    /// a long sleep.
    pub(crate) idle: Duration,
    /// A page of 5,000 ids takes 110 kB, one of 1,000 full profiles a few megabytes; this is
    /// for servers that never stop.
    pub(crate) body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(30),
            total: Duration::from_mins(2),
            idle: Duration::from_secs(10),
            body_bytes: 16 << 20,
        }
    }
}

/// How many redirects are followed.
const REDIRECTS_MAX: u32 = 3;
/// What a message shows of an answer.
const DETAIL_CHARS_MAX: usize = 180;

/// Asks one API for one thing.
pub(super) struct Http {
    client: Client,
    base: Url,
    generation: Generation,
    clock: ServerClock,
    credential: Credential,
    limits: Limits,
}

/// An answer.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) windows: Vec<Window>,
    pub(super) at: Timestamp,
    /// Where it sends us instead.
    location: Option<Url>,
}

impl Http {
    pub(super) fn new(
        base_url: &str,
        credential: Credential,
        generation: Generation,
        limits: Limits,
    ) -> Result<Self, Error> {
        let base = parse_base(base_url)?;
        if generation == Generation::V1 && matches!(credential.kind(), Kind::Refreshed(_)) {
            let message = format!(
                "the credential `{}` is an OAuth 2.0 user's, which the X API v1.1 does not take",
                credential.id()
            );
            return Err(Error::new(ErrorKind::Credentials, message)
                .hint("use the source x_v2, or a credential with `access_token_secret`"));
        }
        // Fails only if one is installed already, which will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("followgraph/", env!("CARGO_PKG_VERSION")))
            .gzip(true)
            .connect_timeout(limits.connect)
            .read_timeout(limits.read)
            .timeout(limits.total)
            .pool_idle_timeout(limits.idle)
            // Followed here, since a signature holds for one address only.
            .redirect(redirect::Policy::none());
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
        Ok(Self { client, base, generation, clock: ServerClock::new(), credential, limits })
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
        let (mut url, mut redirects, mut mended) = (self.url(path, query), 0, false);
        loop {
            let parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            let mut bare = url.clone();
            bare.set_query(None);
            let proof = self.prove(bare.as_str(), &parameters).await?;
            let request = self.client.get(url.clone());
            let reply = self.fetch(request.header(AUTHORIZATION, &proof.header), &url).await?;
            let home = reply.location.as_ref().filter(|to| to.origin() == url.origin());
            if let Some(to) = home.filter(|_| redirects < REDIRECTS_MAX) {
                (url, redirects) = (to.clone(), redirects + 1);
            } else if reply.status == 401 && !mended && self.mend(&proof, &reply.body).await? {
                mended = true;
            } else {
                return Ok(reply);
            }
        }
    }

    /// Posts a form to `path`; follows no redirect, since what it holds is meant for one
    /// place.
    pub(super) async fn post(
        &self,
        path: &str,
        authorization: Option<&str>,
        form: &[(&str, &str)],
    ) -> Result<Reply, SourceError> {
        let url = self.url(path, &[]);
        let pairs: Vec<_> =
            form.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
        let mut request = self
            .client
            .post(url.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded;charset=UTF-8")
            .body(pairs.join("&"));
        if let Some(mut value) = authorization.and_then(|v| HeaderValue::from_str(v).ok()) {
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        self.fetch(request, &url).await
    }

    pub(super) fn secret(&self) -> &Credential {
        &self.credential
    }

    /// Refuses an answer that does not hold what was asked for.
    pub(super) fn checked(&self, reply: Reply) -> Result<Reply, SourceError> {
        // What came with a good status is looked at by whoever reads it, and once only.
        if (200..300).contains(&reply.status) {
            return Ok(reply);
        }
        match self.refusal(&reply) {
            Some(error) => Err(error),
            None => Ok(reply),
        }
    }

    /// Why an answer does not hold what was asked for, if it says so.
    pub(super) fn refusal(&self, reply: &Reply) -> Option<SourceError> {
        let mut error = classify(self.generation, reply.status, &reply.windows, &reply.body)?;
        if let Some(to) = &reply.location {
            // Without its query, which may hold anything.
            let (origin, path) = (to.origin().ascii_serialization(), to.path());
            error.detail =
                format!("HTTP {}: sent on to {origin}{path}; check the base URL", reply.status);
        }
        Some(self.presentable(error))
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn fetch(&self, request: RequestBuilder, url: &Url) -> Result<Reply, SourceError> {
        self.receive(request, url).await.map_err(|e| self.presentable(no_answer(e)))
    }

    async fn receive(&self, request: RequestBuilder, url: &Url) -> Result<Reply, reqwest::Error> {
        let mut response = request.send().await?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        if let Some(date) = headers.get(DATE).and_then(|d| d.to_str().ok()) {
            self.clock.observe(date);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > self.limits.body_bytes {
                // What there is must not be taken for the whole.
                body.clear();
                break;
            }
        }
        let location = headers.get(LOCATION).filter(|_| (300..400).contains(&status));
        let location = location.and_then(|to| url.join(to.to_str().ok()?).ok());
        Ok(Reply { status, body, windows: windows(&headers), at: self.now(), location })
    }

    /// The error for a good status whose body is not what was asked for: what the answer
    /// says of itself if it does, and else why it makes no sense.
    pub(super) fn senseless(&self, reply: &Reply, why: impl fmt::Display) -> SourceError {
        let good = (200..300).contains(&reply.status);
        let senseless = || {
            self.presentable(SourceError {
                trouble: Trouble::Transient,
                detail: format!("the answer makes no sense: {why}"),
                windows: reply.windows.clone(),
            })
        };
        match self.refusal(reply).unwrap_or_else(senseless) {
            SourceError { trouble: Trouble::Transient, detail, windows } if good => {
                SourceError { trouble: Trouble::Lost, detail, windows }
            }
            error => error,
        }
    }

    /// An answer may quote the request; the token must not come out that way, nor a part of
    /// it, so the text is cut last. One line, whatever the answer holds.
    pub(super) fn presentable(&self, mut error: SourceError) -> SourceError {
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
    // Where no connection came about, nothing was asked.
    let trouble = if error.is_connect() { Trouble::Transient } else { Trouble::Lost };
    SourceError { trouble, detail, windows: Vec::new() }
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
