//! `OAuth` 1.0a as a server checks it: consumer, token, signature, clock, nonce.
//!
//! HMAC-SHA1 only, in the `Authorization` header only. The host is part of what is signed, and
//! requests meant for the real network may be led here underneath their client, so its two
//! hosts are taken for right beside our own.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;

use super::auth::Refusal;
use super::encoding::{base64, percent, unpercent};
use crate::config::{ServerConfig, UserToken};

/// How far a timestamp may be off.
const TIMESTAMP_OFF_MAX: SignedDuration = SignedDuration::from_mins(5);

/// Nonces remembered, the oldest forgotten first.
const NONCES_MAX: usize = 1 << 16;

/// Where the real network is.
const REAL_BASES: [&str; 2] = ["https://api.x.com", "https://api.twitter.com"];

type Params = Vec<(String, String)>;

/// Nonces that were used.
#[derive(Debug, Default)]
pub(super) struct Nonces {
    hashes: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Nonces {
    /// Whether this one is new; it is not from now on.
    fn take(&mut self, token: &str, timestamp: &str, nonce: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        (token, timestamp, nonce).hash(&mut hasher);
        let hash = hasher.finish();
        let is_new = self.hashes.insert(hash);
        if is_new {
            self.order.push_back(hash);
        }
        if self.order.len() > NONCES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.hashes.remove(&oldest);
        }
        is_new
    }
}

/// Whose signature this is; `header` is the value of `Authorization` after the scheme.
///
/// `clocks` are the times that a timestamp may be near to.
pub(super) fn verify<'a>(
    config: &'a ServerConfig,
    head: &Parts,
    body: &[u8],
    header: &str,
    clocks: &[Timestamp],
    nonces: &mut Nonces,
) -> Result<&'a UserToken, Refusal> {
    let sent = header_params(header);
    let get = |name: &str| sent.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    let token = get("oauth_token").filter(|token| !token.is_empty()).ok_or(Refusal::Missing)?;
    if get("oauth_consumer_key") != Some(&config.consumer.key) {
        return Err(Refusal::Unproven);
    }
    let known = config.user_tokens.iter().find(|user| user.token == token);
    let user = known.ok_or(Refusal::Unknown)?;
    let is_of_kind = get("oauth_signature_method") == Some("HMAC-SHA1")
        && get("oauth_version").is_none_or(|version| version == "1.0");
    let (Some(signature), Some(nonce), Some(timestamp), true) =
        (get("oauth_signature"), get("oauth_nonce"), get("oauth_timestamp"), is_of_kind)
    else {
        return Err(Refusal::Unproven);
    };
    let params = signed_params(head, body, &sent);
    let method = head.method.as_str();
    let secrets = (config.consumer.secret.as_str(), user.secret.as_str());
    let is_right = urls(head).any(|url| sign(method, &url, &params, secrets) == signature);
    let at = timestamp.parse().ok().and_then(|secs| Timestamp::from_second(secs).ok());
    let at = at.filter(|_| is_right && !nonce.is_empty()).ok_or(Refusal::Unproven)?;
    if !clocks.iter().any(|clock| clock.duration_since(at).abs() <= TIMESTAMP_OFF_MAX) {
        return Err(Refusal::ClockOff);
    }
    if nonces.take(token, timestamp, nonce) { Ok(user) } else { Err(Refusal::Unproven) }
}

/// The addresses that may have been signed, without their query.
fn urls(head: &Parts) -> impl Iterator<Item = String> {
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let ours = format!("http://{}", host.to_ascii_lowercase());
    let path = head.uri.path();
    REAL_BASES.into_iter().map(str::to_owned).chain([ours]).map(move |base| base + path)
}

/// The parameters of an `OAuth` header, decoded.
fn header_params(header: &str) -> Params {
    let pairs = header.split(',').filter_map(|pair| pair.trim().split_once('='));
    pairs.map(|(name, value)| (unpercent(name), unpercent(value.trim_matches('"')))).collect()
}

/// All that is signed: the header without signature and realm, the query, and a form.
fn signed_params(head: &Parts, body: &[u8], header: &Params) -> Params {
    let header = header.iter().filter(|(name, _)| name != "oauth_signature" && name != "realm");
    let query = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_form = kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let form = form_urlencoded::parse(if is_form { body } else { b"" });
    header.cloned().chain(query.into_owned()).chain(form.into_owned()).collect()
}

/// The signature over a request, for a consumer secret and a token secret.
fn sign(method: &str, url: &str, params: &Params, secrets: (&str, &str)) -> String {
    let mut pairs: Vec<(String, String)> =
        params.iter().map(|(name, value)| (percent(name), percent(value))).collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let base = [method, &percent(url), &percent(&pairs.join("&"))].join("&");
    let key = format!("{}&{}", percent(secrets.0), percent(secrets.1));
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes());
    base64(hmac::sign(&key, base.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONSUMER_SECRET: &str = "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw";
    const TOKEN_SECRET: &str = "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE";

    fn params(own: &[(&str, &str)]) -> Params {
        let oauth = [
            ("oauth_consumer_key", "xvz1evFS4wEEPTGEFPHBog"),
            ("oauth_nonce", "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "1318622958"),
            ("oauth_token", "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"),
            ("oauth_version", "1.0"),
        ];
        own.iter().chain(&oauth).map(|&(n, v)| (n.to_owned(), v.to_owned())).collect()
    }

    #[test]
    fn the_documented_status_update_has_its_documented_signatures() {
        let status = "Hello Ladies + Gentlemen, a signed OAuth request!";
        let params = params(&[("include_entities", "true"), ("status", status)]);
        for (base, expected) in [
            ("https://api.x.com/1.1", "Ls93hJiZbQ3akF3HF3x1Bz8/zU4="),
            ("https://api.twitter.com/1.1", "hCtSmYh+iHYCEqBWrE7C7hYmtUk="),
            ("https://api.twitter.com/1", "tnnArxj06cWHq44gCs1OSKk/jLY="),
        ] {
            let url = format!("{base}/statuses/update.json");
            assert_eq!(sign("POST", &url, &params, (CONSUMER_SECRET, TOKEN_SECRET)), expected);
        }
    }

    #[test]
    fn a_list_request_has_the_signatures_that_were_worked_out_apart() {
        let params = params(&[("count", "5000"), ("cursor", "-1"), ("screen_name", "andypiper")]);
        for (host, expected) in [
            ("api.x.com", "h/sZt2CZ2m9h1zI9S91PdoIzhfk="),
            ("api.twitter.com", "Yubx6gtU5Z5qyWgc86MJaTGOIzI="),
        ] {
            let url = format!("https://{host}/1.1/followers/ids.json");
            assert_eq!(sign("GET", &url, &params, (CONSUMER_SECRET, TOKEN_SECRET)), expected);
        }
    }

    #[test]
    fn a_request_without_a_token_is_signed_with_an_empty_secret() {
        let callback = "http://localhost:3005/the_dance/process_callback?service_provider_id=11";
        let params: Params = [
            ("oauth_callback", callback),
            ("oauth_consumer_key", "GDdmIQH6jhtmLUypg82g"),
            ("oauth_nonce", "QP70eNmVz8jvdPevU3oJD2AfF7R7odC2XJcn4XlZJqk"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "1272323042"),
            ("oauth_version", "1.0"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let secret = "MCD8BKwGdgPHvAuvgvz4EQpqDAtx89grbuNMRd7Eh98";
        let url = "https://api.twitter.com/oauth/request_token";
        let signature = sign("POST", url, &params, (secret, ""));
        assert_eq!(signature, "8wUi7m5HFQy76nowoCThusfgB+Q=");
    }

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let header =
            r#"oauth_consumer_key="k", oauth_token="12-ab%2Fc",oauth_signature="a%2Bb%3D""#;
        let expected =
            [("oauth_consumer_key", "k"), ("oauth_token", "12-ab/c"), ("oauth_signature", "a+b=")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(header_params(header), expected);
    }

    #[test]
    fn a_nonce_is_good_once_and_memory_has_a_bound() {
        let mut nonces = Nonces::default();
        assert!(nonces.take("t", "1", "n") && !nonces.take("t", "1", "n"));
        assert!(nonces.take("t", "2", "n") && nonces.take("u", "1", "n"));
        for n in 0..NONCES_MAX {
            nonces.take("t", "3", &n.to_string());
        }
        assert_eq!((nonces.hashes.len(), nonces.order.len()), (NONCES_MAX, NONCES_MAX));
    }
}
