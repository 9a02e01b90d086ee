//! Who is asking: bearer tokens of apps and users, signatures, and the trade of a key for a
//! token.
//!
//! Tokens are compared here and go no further: later code sees only a credential's name.

use std::sync::Mutex;

use axum::http::HeaderValue;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use jiff::Timestamp;
use serde_json::json;

use super::encoding::basic;
use super::lock;
use super::oauth1::{self, Nonces};
use super::oauth2::Grants;
use super::reply::{Reply, Told};
use super::{errors, oauth2};
use crate::config::ServerConfig;

/// Which API's manners apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generation {
    V1,
    V2,
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Credential {
    /// What the request log calls it; not the token.
    pub(super) name: String,
    pub(super) actor: Actor,
}

/// On whose behalf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Actor {
    App,
    User(i64),
}

impl Actor {
    /// The account that is asking, if it is one.
    pub(super) fn user(self) -> Option<i64> {
        match self {
            Self::App => None,
            Self::User(id) => Some(id),
        }
    }
}

/// Why nobody was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No usable `Authorization` header.
    Missing,
    /// A token this server does not know, or knows no more.
    Unknown,
    /// A signature that does not prove what it should, or is sent a second time.
    Unproven,
    /// A signature of another time.
    ClockOff,
    /// A token that this generation of the API does not take.
    WrongKind,
}

impl Refusal {
    pub(super) fn reply(self, generation: Generation) -> Reply {
        match (generation, self) {
            (Generation::V2, _) | (_, Self::Unknown) => errors::expired(generation),
            (_, Self::Missing) => errors::v1(400, 215, "Bad Authentication data."),
            (_, Self::Unproven) => errors::v1(401, 32, "Could not authenticate you."),
            (_, Self::ClockOff) => errors::v1(401, 135, "Timestamp out of bounds."),
            (_, Self::WrongKind) => {
                let detail = "Your credentials do not allow access to this resource.";
                errors::v1(403, 220, detail)
            }
        }
    }
}

/// What credentials are held against.
#[derive(Debug)]
pub(super) struct Registry {
    nonces: Mutex<Nonces>,
    grants: Mutex<Grants>,
}

impl Registry {
    pub(super) fn new(config: &ServerConfig, seed: u64, now: Timestamp) -> Self {
        let grants = Grants::new(&config.grants, seed, config.access_token_life, now);
        Self { nonces: Mutex::default(), grants: Mutex::new(grants) }
    }

    /// Finds the credential a request bears.
    pub(super) fn identify(
        &self,
        config: &ServerConfig,
        generation: Generation,
        head: &Parts,
        body: &[u8],
        told: Told,
    ) -> Result<Credential, Refusal> {
        let value = head.headers.get(AUTHORIZATION).and_then(text).ok_or(Refusal::Missing)?;
        let (scheme, rest) = value.split_once(' ').ok_or(Refusal::Missing)?;
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" => self.bearer(config, generation, rest.trim(), told.now),
            "oauth" => {
                // A client may go by our clock or by the one it runs on.
                let clocks = [told.now, Timestamp::now()]
                    .map(|clock| clock.checked_add(told.skew).unwrap_or(clock));
                let mut nonces = lock(&self.nonces);
                let user = oauth1::verify(config, head, body, rest, &clocks, &mut nonces)?;
                Ok(Credential::of_user(user.user_id))
            }
            _ => Err(Refusal::Missing),
        }
    }

    fn bearer(
        &self,
        config: &ServerConfig,
        generation: Generation,
        token: &str,
        now: Timestamp,
    ) -> Result<Credential, Refusal> {
        if let Some(user) = config.user_tokens.iter().find(|user| user.token == token) {
            return Ok(Credential::of_user(user.user_id));
        }
        if let Some(app) = config.app_tokens.iter().find(|app| app.token == token) {
            return Ok(Credential { name: app.app.clone(), actor: Actor::App });
        }
        match lock(&self.grants).user_of(token, now) {
            None => Err(Refusal::Unknown),
            Some(_) if generation == Generation::V1 => Err(Refusal::WrongKind),
            Some(user) => Ok(Credential::of_user(user)),
        }
    }

    pub(super) fn refresh(&self, head: &Parts, body: &[u8], now: Timestamp) -> Reply {
        lock(&self.grants).refresh(head, body, now)
    }

    pub(super) fn pair_of(&self, user_id: i64) -> Option<oauth2::TokenPair> {
        lock(&self.grants).pair_of(user_id)
    }
}

impl Credential {
    fn of_user(user_id: i64) -> Self {
        Self { name: format!("user {user_id}"), actor: Actor::User(user_id) }
    }
}

/// Trades a key and secret, sent as HTTP Basic, for the first app token.
pub(super) fn issue_token(config: &ServerConfig, head: &Parts, body: &[u8]) -> Reply {
    let grants = form_urlencoded::parse(body)
        .any(|(name, value)| name == "grant_type" && value == "client_credentials");
    let sent = head.headers.get(AUTHORIZATION).and_then(text);
    let consumer = &config.consumer;
    let known = sent.is_some_and(|sent| sent == basic(&consumer.key, &consumer.secret));
    match config.app_tokens.first() {
        Some(app) if grants && known => {
            Reply::json(200, json!({"token_type": "bearer", "access_token": app.token}))
        }
        _ => errors::v1(403, 99, "Unable to verify your credentials")
            .labelled("authenticity_token_error"),
    }
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}
