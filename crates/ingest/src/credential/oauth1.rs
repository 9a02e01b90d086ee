//! OAuth 1.0a: a signature of method, address and query for every request.
//!
//! HMAC-SHA1 is what the network asks for; it is not known to be broken, unlike SHA-1.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::KeyPair;
use crate::Token;
use crate::token::encode;

/// An app's pair, and a user's.
pub(crate) struct UserKeys {
    pub(crate) consumer: KeyPair,
    pub(crate) token: Token,
    pub(crate) token_secret: Token,
}

impl UserKeys {
    /// The value of the `Authorization` header for a GET of `url`, which has no query, with
    /// these parameters, at this second of the server's clock. `None` if the operating
    /// system has no random bytes.
    pub(crate) fn header(
        &self,
        url: &str,
        query: &[(String, String)],
        now_secs: i64,
    ) -> Option<String> {
        let mut nonce = [0; 16];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let nonce = nonce.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let time = now_secs.to_string();
        let mut oauth = vec![
            ("oauth_consumer_key", self.consumer.key.secret()),
            ("oauth_nonce", &nonce),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", &time),
            ("oauth_token", self.token.secret()),
            ("oauth_version", "1.0"),
        ];
        let all = query.iter().map(|(k, v)| (k.as_str(), v.as_str())).chain(oauth.iter().copied());
        let secrets = (self.consumer.secret.secret(), self.token_secret.secret());
        let signature = sign(secrets, "GET", url, all);
        oauth.push(("oauth_signature", &signature));
        let parts: Vec<_> = oauth.iter().map(|(k, v)| format!("{k}=\"{}\"", encode(v))).collect();
        Some(format!("OAuth {}", parts.join(", ")))
    }
}

/// The signature of a request by a consumer's and a token's secret.
fn sign<'a>(
    (consumer, token): (&str, &str),
    method: &str,
    url: &str,
    parameters: impl Iterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut parameters: Vec<_> = parameters.map(|(k, v)| (encode(k), encode(v))).collect();
    parameters.sort();
    let pairs: Vec<_> = parameters.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let text = [method, &encode(url), &encode(&pairs.join("&"))].join("&");
    let key = format!("{}&{}", encode(consumer), encode(token));
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes());
    BASE64_STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRETS: (&str, &str) = (
        "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
        "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
    );

    const OAUTH: [(&str, &str); 6] = [
        ("oauth_consumer_key", "xvz1evFS4wEEPTGEFPHBog"),
        ("oauth_nonce", "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "1318622958"),
        ("oauth_token", "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"),
        ("oauth_version", "1.0"),
    ];

    fn check(method: &str, url: &str, parameters: &[(&str, &str)], expected: &str) {
        let all = parameters.iter().chain(&OAUTH).copied();
        assert_eq!(sign(SECRETS, method, url, all), expected, "{url}");
    }

    #[test]
    fn the_documented_post_has_the_signature_of_the_host_it_goes_to() {
        let parameters = [
            ("include_entities", "true"),
            ("status", "Hello Ladies + Gentlemen, a signed OAuth request!"),
        ];
        let check = |host: &str, expected: &str| {
            check("POST", &format!("https://{host}/statuses/update.json"), &parameters, expected);
        };
        check("api.x.com/1.1", "Ls93hJiZbQ3akF3HF3x1Bz8/zU4=");
        check("api.twitter.com/1.1", "hCtSmYh+iHYCEqBWrE7C7hYmtUk=");
        // Still shown on a page about 1.1, and it belongs to version 1.
        check("api.twitter.com/1", "tnnArxj06cWHq44gCs1OSKk/jLY=");
    }

    #[test]
    fn a_get_is_signed_with_its_query() {
        let parameters = [("count", "5000"), ("cursor", "-1"), ("screen_name", "andypiper")];
        let check = |host: &str, expected: &str| {
            check("GET", &format!("https://{host}/1.1/followers/ids.json"), &parameters, expected);
        };
        check("api.x.com", "h/sZt2CZ2m9h1zI9S91PdoIzhfk=");
        check("api.twitter.com", "Yubx6gtU5Z5qyWgc86MJaTGOIzI=");
    }

    #[test]
    fn an_empty_token_secret_leaves_the_key_open_at_its_end() {
        let parameters = [
            (
                "oauth_callback",
                "http://localhost:3005/the_dance/process_callback?service_provider_id=11",
            ),
            ("oauth_consumer_key", "GDdmIQH6jhtmLUypg82g"),
            ("oauth_nonce", "QP70eNmVz8jvdPevU3oJD2AfF7R7odC2XJcn4XlZJqk"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "1272323042"),
            ("oauth_version", "1.0"),
        ];
        let secrets = ("MCD8BKwGdgPHvAuvgvz4EQpqDAtx89grbuNMRd7Eh98", "");
        let url = "https://api.twitter.com/oauth/request_token";
        let signature = sign(secrets, "POST", url, parameters.into_iter());
        assert_eq!(signature, "8wUi7m5HFQy76nowoCThusfgB+Q=");
    }

    #[test]
    fn every_request_has_a_nonce_of_its_own() {
        let token = |text| Token::new(text).unwrap();
        let consumer = KeyPair { key: token("k"), secret: token("s") };
        let keys = UserKeys { consumer, token: token("t"), token_secret: token("u") };
        let query = [("ids".to_owned(), "1,2".to_owned())];
        let header = || keys.header("https://api.x.com/2/users", &query, 1_700_000_000).unwrap();
        let (one, two) = (header(), header());
        assert_ne!(one, two);
        assert!(one.starts_with("OAuth oauth_consumer_key=\"k\", oauth_nonce=\""), "{one}");
        assert!(one.contains("oauth_timestamp=\"1700000000\""), "{one}");
    }
}
