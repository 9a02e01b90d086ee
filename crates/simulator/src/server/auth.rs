//! Who is asking: bearer tokens of apps and users, and the trade of a key for a token.
//!
//! `OAuth` 1.0a is recognised by its `oauth_token`; signatures are not verified. Tokens are
//! compared here and go no further: later code sees only a credential's name.

use std::fmt::Write;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use serde_json::json;

use super::errors;
use super::reply::Reply;
use crate::config::{Consumer, ServerConfig};

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
    /// A token this server does not know.
    Unknown,
}

impl Refusal {
    pub(super) fn reply(self, generation: Generation) -> Reply {
        match (generation, self) {
            (Generation::V1, Self::Missing) => errors::v1(400, 215, "Bad Authentication data."),
            (Generation::V1, Self::Unknown) | (Generation::V2, _) => errors::expired(generation),
        }
    }
}

/// Finds the credential a request bears.
pub(super) fn identify(config: &ServerConfig, headers: &HeaderMap) -> Result<Credential, Refusal> {
    let value = headers.get(AUTHORIZATION).and_then(text).ok_or(Refusal::Missing)?;
    let (scheme, rest) = value.split_once(' ').ok_or(Refusal::Missing)?;
    let token = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => rest.trim().to_owned(),
        "oauth" => oauth_token(rest).ok_or(Refusal::Missing)?,
        _ => return Err(Refusal::Missing),
    };
    let user = config.user_tokens.iter().find(|user| user.token == token).map(|user| Credential {
        name: format!("user {}", user.user_id),
        actor: Actor::User(user.user_id),
    });
    let app = config
        .app_tokens
        .iter()
        .find(|app| app.token == token)
        .map(|app| Credential { name: app.app.clone(), actor: Actor::App });
    user.or(app).ok_or(Refusal::Unknown)
}

/// Trades a key and secret, sent as HTTP Basic, for the first app token.
pub(super) fn issue_token(config: &ServerConfig, head: &Parts, body: &[u8]) -> Reply {
    let grants = form_urlencoded::parse(body)
        .any(|(name, value)| name == "grant_type" && value == "client_credentials");
    let sent = head.headers.get(AUTHORIZATION).and_then(text);
    let known = sent.is_some_and(|sent| sent == basic(&config.consumer));
    match config.app_tokens.first() {
        Some(app) if grants && known => {
            Reply::json(200, json!({"token_type": "bearer", "access_token": app.token}))
        }
        _ => errors::v1(403, 99, "Unable to verify your credentials")
            .labelled("authenticity_token_error"),
    }
}

/// The `oauth_token` parameter of an `OAuth` header, decoded.
fn oauth_token(parameters: &str) -> Option<String> {
    let quoted = parameters.split(',').find_map(|p| p.trim().strip_prefix("oauth_token="))?;
    let encoded = format!("t={}", quoted.trim_matches('"').replace('+', "%2B"));
    form_urlencoded::parse(encoded.as_bytes()).next().map(|(_, token)| token.into_owned())
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

/// The header value that shows a key and secret.
fn basic(consumer: &Consumer) -> String {
    let pair = format!("{}:{}", percent(&consumer.key), percent(&consumer.secret));
    format!("Basic {}", base64(pair.as_bytes()))
}

/// Percent-encoding as RFC 3986 has it: only unreserved characters stay.
fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Standard base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            (0..3).fold(0u32, |bits, at| bits << 8 | u32::from(*chunk.get(at).unwrap_or(&0)));
        for digit in 0..4 {
            let letter = char::from(ALPHABET[(bits >> (18 - 6 * digit) & 63) as usize]);
            encoded.push(if digit <= chunk.len() { letter } else { '=' });
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_matches_the_documented_example() {
        let consumer = Consumer {
            key: "xvz1evFS4wEEPTGEFPHBog".to_owned(),
            secret: "L8qq9PZyRg6ieKGEKhZolGC0vJWLw8iEJ88DRdyOg".to_owned(),
        };
        let expected = "Basic eHZ6MWV2RlM0d0VFUFRHRUZQSEJvZzpMOHFxOVBaeVJnNmllS0dFS2hab2xHQzB2\
                        SldMdzhpRUo4OERSZHlPZw==";
        assert_eq!(basic(&consumer), expected);
    }

    #[test]
    fn an_oauth_header_tells_its_token() {
        let header = r#"oauth_consumer_key="k", oauth_token="12-ab%2Fc", oauth_version="1.0""#;
        assert_eq!(oauth_token(header).as_deref(), Some("12-ab/c"));
        assert_eq!(oauth_token(r#"oauth_consumer_key="k""#), None);
    }
}
