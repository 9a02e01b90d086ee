//! `OAuth` 1.0a: what is signed rightly is let in, and nothing else.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use serde_json::json;
use simulator::{Server, ServerConfig};

use crate::util::{Answer, VIEWER_SECRET, VIEWER_TOKEN, send, serve, serve_with, star_with_fans};

/// A signing client; every field can be made wrong.
#[derive(Clone)]
struct Signer {
    base: String,
    consumer_key: &'static str,
    consumer_secret: &'static str,
    token: &'static str,
    token_secret: &'static str,
    kind: &'static str,
    at: i64,
    nonce: String,
}

impl Signer {
    fn of(server: &Server) -> Self {
        static NONCE: AtomicU64 = AtomicU64::new(0);
        Self {
            base: server.base_url(),
            consumer_key: "simulatorkey",
            consumer_secret: "simulatorsecret",
            token: VIEWER_TOKEN,
            token_secret: VIEWER_SECRET,
            kind: "HMAC-SHA1",
            at: server.now().as_second(),
            nonce: format!("nonce{}", NONCE.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// The header that signs a request; `params` are those of query and form, decoded.
    fn header(&self, method: &str, path: &str, params: &[(&str, &str)]) -> String {
        let at = self.at.to_string();
        let oauth = [
            ("oauth_consumer_key", self.consumer_key),
            ("oauth_nonce", &self.nonce),
            ("oauth_signature_method", self.kind),
            ("oauth_timestamp", &at),
            ("oauth_token", self.token),
            ("oauth_version", "1.0"),
        ];
        let mut all: Vec<String> =
            params.iter().chain(&oauth).map(|(n, v)| format!("{}={}", enc(n), enc(v))).collect();
        all.sort();
        let url = enc(&format!("{}{path}", self.base));
        let base = format!("{method}&{url}&{}", enc(&all.join("&")));
        let key = format!("{}&{}", enc(self.consumer_secret), enc(self.token_secret));
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes());
        let signature = base64(hmac::sign(&key, base.as_bytes()).as_ref());
        let mut header = "Authorization: OAuth realm=\"ours\"".to_owned();
        for (name, value) in oauth.into_iter().chain([("oauth_signature", &*signature)]) {
            write!(header, ", {name}=\"{}\"", enc(value)).unwrap();
        }
        header
    }

    async fn verify_credentials(&self, server: &Server) -> Answer {
        let path = "/1.1/account/verify_credentials.json";
        send(server, "GET", path, &[&self.header("GET", path, &[])], "").await
    }
}

fn enc(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
        .replace('*', "%2A")
        .replace("%7E", "~")
}

fn base64(bytes: &[u8]) -> String {
    let alphabet: Vec<char> =
        ('A'..='Z').chain('a'..='z').chain('0'..='9').chain("+/".chars()).collect();
    let mut bits = String::new();
    for byte in bytes {
        write!(bits, "{byte:08b}").unwrap();
    }
    let digits = bits.as_bytes().chunks(6).map(|six| {
        let six = format!("{:0<6}", std::str::from_utf8(six).unwrap());
        alphabet[usize::from_str_radix(&six, 2).unwrap()]
    });
    let text: String = digits.collect();
    let length = text.len().div_ceil(4) * 4;
    format!("{text:=<length$}")
}

async fn viewer_served() -> Server {
    serve(star_with_fans(2).0).await
}

/// The code of a v1.1 refusal.
fn code(answer: &Answer) -> (u16, i64) {
    (answer.status, answer.json()["errors"][0]["code"].as_i64().unwrap())
}

#[tokio::test]
async fn a_right_signature_is_let_in_over_both_generations() {
    let server = viewer_served().await;
    let me = Signer::of(&server).verify_credentials(&server).await;
    assert_eq!((me.status, &me.json()["screen_name"]), (200, &json!("viewer")));
    let header =
        Signer::of(&server).header("GET", "/2/users/me", &[("user.fields", "created_at,url")]);
    let me = send(&server, "GET", "/2/users/me?user.fields=created_at%2Curl", &[&header], "").await;
    assert_eq!(me.json()["data"]["username"], "viewer");
}

#[tokio::test]
async fn the_real_hosts_may_have_been_signed() {
    let server = viewer_served().await;
    for (base, status) in
        [("https://api.x.com", 200), ("https://api.twitter.com", 200), ("https://api.example", 401)]
    {
        let signer = Signer { base: base.to_owned(), ..Signer::of(&server) };
        assert_eq!(signer.verify_credentials(&server).await.status, status, "{base}");
    }
}

#[tokio::test]
async fn a_form_is_signed_with_the_rest() {
    let server = viewer_served().await;
    let path = "/1.1/users/lookup.json";
    let header =
        Signer::of(&server).header("POST", path, &[("screen_name", "fan1,fan2"), ("x", "a b")]);
    let form = "Content-Type: application/x-www-form-urlencoded";
    let found =
        send(&server, "POST", path, &[&header, form], "screen_name=fan1%2Cfan2&x=a+b").await;
    assert_eq!(found.json().as_array().map(Vec::len), Some(2));
    let header = Signer::of(&server).header("POST", path, &[("screen_name", "fan1")]);
    let altered = send(&server, "POST", path, &[&header, form], "screen_name=fan2").await;
    assert_eq!(code(&altered), (401, 32));
}

#[tokio::test]
async fn whatever_is_wrong_is_refused() {
    let server = viewer_served().await;
    let right = || Signer::of(&server);
    let wrong = [
        Signer { consumer_key: "otherkey", ..right() },
        Signer { consumer_secret: "othersecret", ..right() },
        Signer { token_secret: "", ..right() },
        Signer { kind: "PLAINTEXT", ..right() },
        Signer { nonce: String::new(), ..right() },
    ];
    for signer in wrong {
        assert_eq!(code(&signer.verify_credentials(&server).await), (401, 32));
    }
    let unknown = Signer { token: "stranger", ..right() };
    assert_eq!(code(&unknown.verify_credentials(&server).await), (401, 89));
    let bare =
        "Authorization: OAuth oauth_consumer_key=\"simulatorkey\", oauth_token=\"viewer-token\"";
    let path = "/1.1/account/verify_credentials.json";
    assert_eq!(code(&send(&server, "GET", path, &[bare], "").await), (401, 32));
    let header = right().header("GET", path, &[("skip_status", "true")]);
    let other = format!("{path}?skip_status=false");
    assert_eq!(code(&send(&server, "GET", &other, &[&header], "").await), (401, 32));
    let header = right().header("POST", "/2/users/me", &[]);
    let refused = send(&server, "GET", "/2/users/me", &[&header], "").await;
    assert_eq!((refused.status, &refused.json()["title"]), (401, &json!("Unauthorized")));
    assert!(server.requests().iter().all(|record| record.credential_name.is_none()));
}

#[tokio::test]
async fn a_signature_is_good_once() {
    let server = viewer_served().await;
    let signer = Signer::of(&server);
    assert_eq!(signer.verify_credentials(&server).await.status, 200);
    assert_eq!(code(&signer.verify_credentials(&server).await), (401, 32));
    let later = Signer { at: signer.at + 1, ..signer };
    assert_eq!(later.verify_credentials(&server).await.status, 200, "the nonce of another second");
}

#[tokio::test]
async fn a_timestamp_must_be_near_the_clock_that_is_told_or_the_machines() {
    let skew = SignedDuration::from_mins(30);
    let config = ServerConfig { skew, ..ServerConfig::default() };
    let server = serve_with(star_with_fans(0).0, config).await;
    let told = server.now().as_second() + 1800;
    let machine = Timestamp::now().as_second() + 1800;
    for (at, status) in [
        (told, 200),
        (told - 290, 200),
        (told + 290, 200),
        (told - 310, 401),
        (told + 320, 401),
        (told - 1800, 401),
        (machine, 200),
        (machine - 1800, 401),
    ] {
        let answer = Signer { at, ..Signer::of(&server) }.verify_credentials(&server).await;
        assert_eq!(answer.status, status, "{}", at - told);
        if status == 401 {
            assert_eq!(code(&answer), (401, 135));
        }
    }
    server.advance(Duration::from_mins(10));
    let late = Signer { at: told, ..Signer::of(&server) };
    assert_eq!(code(&late.verify_credentials(&server).await), (401, 135));
}
