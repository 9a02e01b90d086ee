//! `OAuth` 2.0 on behalf of accounts: access tokens that expire, and refresh tokens that are
//! good once.
//!
//! The consent of a person is taken for given, so a grant begins with a pair of tokens. Those
//! that follow are drawn from the world's seed: the same session, the same tokens.

use std::fmt;
use std::time::Duration;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use jiff::Timestamp;
use serde_json::json;

use super::encoding::basic;
use super::reply::Reply;
use crate::clock::later;
use crate::config::Grant;
use crate::dice::mix;

/// What every grant allows.
const SCOPE: &str = "tweet.read users.read follows.read offline.access";

/// The tokens of a grant at one moment.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenPair {
    /// What requests bear.
    pub access: String,
    /// What buys the next pair.
    pub refresh: String,
}

impl fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenPair(REDACTED)")
    }
}

#[derive(Debug)]
struct Current {
    grant: Grant,
    pair: TokenPair,
    expires: Timestamp,
    refreshed: u64,
}

#[derive(Debug)]
pub(super) struct Grants {
    seed: u64,
    life: Duration,
    current: Vec<Current>,
}

impl Grants {
    pub(super) fn new(grants: &[Grant], seed: u64, life: Duration, now: Timestamp) -> Self {
        let current = grants.iter().cloned().map(|grant| Current {
            pair: TokenPair {
                access: grant.access_token.clone(),
                refresh: grant.refresh_token.clone(),
            },
            grant,
            expires: later(now, life),
            refreshed: 0,
        });
        Self { seed, life, current: current.collect() }
    }

    /// The account an access token acts for, if it has not expired.
    pub(super) fn user_of(&self, access: &str, now: Timestamp) -> Option<i64> {
        let current = self.current.iter().find(|current| current.pair.access == access)?;
        (now < current.expires).then_some(current.grant.user_id)
    }

    pub(super) fn pair_of(&self, user_id: i64) -> Option<TokenPair> {
        let current = self.current.iter().find(|current| current.grant.user_id == user_id);
        current.map(|current| current.pair.clone())
    }

    /// Trades a refresh token for a new pair; the old pair is worth nothing from now on.
    pub(super) fn refresh(&mut self, head: &Parts, body: &[u8], now: Timestamp) -> Reply {
        let form: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        let get = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        if get("grant_type") != Some("refresh_token") {
            return refusal(400, "unsupported_grant_type", "Only refresh_token is supported.");
        }
        let Some(token) = get("refresh_token") else {
            return refusal(400, "invalid_request", "Missing required parameter [refresh_token].");
        };
        let Some(at) = self.current.iter().position(|current| current.pair.refresh == token) else {
            return refusal(400, "invalid_request", "Value passed for the token was invalid.");
        };
        let sent = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let grant = &self.current[at].grant;
        let is_client = match &grant.client_secret {
            Some(secret) => sent.is_some_and(|sent| sent == basic(&grant.client_id, secret)),
            None => get("client_id") == Some(&grant.client_id),
        };
        if !is_client {
            let detail = "Missing valid authorization header";
            return refusal(401, "unauthorized_client", detail);
        }
        self.rotate(at, now);
        let pair = &self.current[at].pair;
        let body = json!({
            "token_type": "bearer",
            "expires_in": self.life.as_secs(),
            "access_token": pair.access,
            "scope": SCOPE,
            "refresh_token": pair.refresh,
        });
        Reply::json(200, body)
    }

    fn rotate(&mut self, at: usize, now: Timestamp) {
        let (seed, expires) = (mix(self.seed, at as u64), later(now, self.life));
        let current = &mut self.current[at];
        current.refreshed += 1;
        let pair = mix(seed, current.refreshed);
        current.pair = TokenPair { access: mint(mix(pair, 1)), refresh: mint(mix(pair, 2)) };
        current.expires = expires;
    }
}

/// A token as long as real ones are.
fn mint(seed: u64) -> String {
    let [a, b, c, d] = [0, 1, 2, 3].map(|part| mix(seed, part));
    format!("{a:016x}{b:016x}{c:016x}{d:016x}")
}

fn refusal(status: u16, error: &str, detail: &str) -> Reply {
    Reply::json(status, json!({"error": error, "error_description": detail}))
}
