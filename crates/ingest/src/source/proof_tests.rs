//! How requests prove who asks, over the wire.

use std::path::{Path, PathBuf};

use super::*;
use crate::Token;
use crate::canned::{Canned, DATE, Server};

const V2_PAGE: &str = r#"{"data":[{"id":"12"}],"meta":{"result_count":1}}"#;

fn token(text: &str) -> Token {
    Token::new(text).unwrap()
}

fn request() -> PageRequest {
    let (account, list) = (AccountId::from(7), List::Followers);
    PageRequest { account, list, cursor: None, page_size: 3, profiles: false }
}

async fn page(server: &Server, credential: &Credential) -> Result<Page, SourceError> {
    let source = SourceKind::XV2.connect(&server.url, credential.clone()).unwrap();
    source.page(&request()).await
}

fn header(request: &str) -> &str {
    let is = |line: &&str| line.to_ascii_lowercase().starts_with("authorization: ");
    request.lines().find(is).map_or("", |line| &line["authorization: ".len()..])
}

#[tokio::test]
async fn an_apps_keys_are_traded_once() {
    let given = r#"{"token_type":"bearer","access_token":"fresh%2F%3D"}"#;
    let quoting = r#"{"detail":"not fresh%2F%3D and not fresh/= "}"#;
    let server = Server::in_turn([
        Canned::new(200, given),
        Canned::new(200, V2_PAGE),
        Canned::new(400, quoting),
    ])
    .await;
    let app = Credential::app(token("key"), token("sec%ret"));
    page(&server, &app).await.unwrap();
    let error = page(&server, &app).await.unwrap_err();
    assert!(!error.detail.contains("fresh"), "{error}");
    let requests = server.requests();
    assert!(
        requests[0].starts_with("POST /oauth2/token HTTP")
            && requests[0].ends_with("grant_type=client_credentials")
    );
    assert_eq!(header(&requests[0]), "Basic a2V5OnNlYyUyNXJldA==");
    assert_eq!(header(&requests[1]), "Bearer fresh%2F%3D");
    assert_eq!(header(&requests[2]), "Bearer fresh%2F%3D");
}

#[tokio::test]
async fn a_trade_that_gives_no_bearer_token_says_so_and_shows_none() {
    let check = async |status, body: &str, expected| {
        let server = Server::in_turn([Canned::new(status, body)]).await;
        let error =
            page(&server, &Credential::app(token("kkey"), token("ssecret"))).await.unwrap_err();
        assert_eq!(error.trouble, expected, "{body}: {error}");
        let shown = format!("{error:?}");
        assert!(!["kkey", "ssecret", "sesame"].iter().any(|s| shown.contains(s)), "{shown}");
        assert!(server.requests().len() == 1 && error.windows.is_empty());
    };
    let wrong = r#"{"errors":[{"code":99,"message":"Unable to verify kkey:ssecret"}]}"#;
    check(403, wrong, Trouble::Credentials).await;
    check(200, r#"{"token_type":"mac","access_token":"sesame"}"#, Trouble::Credentials).await;
    check(200, r#"{"token_type":"bearer","access_token":["sesame"]}"#, Trouble::Transient).await;
    check(200, "<html>", Trouble::Transient).await;
    check(503, "", Trouble::Transient).await;
    check(429, "", Trouble::Window { until: None }).await;
}

#[tokio::test]
async fn signed_requests_go_by_the_servers_clock_and_are_asked_again_once() {
    let off =
        || Canned::new(401, r#"{"errors":[{"code":135,"message":"Timestamp out of bounds."}]}"#);
    let server = Server::in_turn([off(), Canned::new(200, V2_PAGE), off(), off()]).await;
    let user = Credential::user(token("ck"), token("cs"), token("tk"), token("ts"));
    let source = SourceKind::XV2.connect(&server.url, user).unwrap();
    source.page(&request()).await.unwrap();
    let requests = server.requests();
    let time = |request: &str| {
        let rest = request.split_once("oauth_timestamp=\"").unwrap().1;
        rest.split('"').next().unwrap().parse::<i64>().unwrap()
    };
    assert!((0..60).contains(&(time(&requests[1]) - DATE)), "{}", requests[1]);
    assert!(header(&requests[0]).starts_with("OAuth oauth_consumer_key=\"ck\""));
    let error = source.page(&request()).await.unwrap_err();
    assert_eq!((error.trouble, server.requests().len()), (Trouble::Credentials, 4));
}

/// A token file in a folder of its own.
fn tokens(expires_at: Option<i64>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let ends = expires_at.map_or(String::new(), |at| format!(r#","expires_at":{at}"#));
    let text = format!(r#"{{"access_token":"old-a","refresh_token":"old-r","scope":"s"{ends}}}"#);
    let mut file = tempfile::NamedTempFile::new_in(folder.path()).unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    file.persist(&path).unwrap();
    (folder, path)
}

fn stored(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

const GRANTED: &str =
    r#"{"token_type":"bearer","expires_in":7200,"access_token":"new-a","refresh_token":"new-r"}"#;

#[tokio::test]
async fn tokens_that_end_are_renewed_once_however_many_wait_and_kept_before_they_are_used() {
    let (_folder, path) = tokens(Some(DATE));
    let kept = path.clone();
    let server = Server::start(move |asked| {
        if asked == "/2/oauth2/token" {
            return Canned::new(200, GRANTED);
        }
        assert_eq!(stored(&kept)["refresh_token"], "new-r", "used before it was kept");
        Canned::new(200, V2_PAGE)
    })
    .await;
    let user = Credential::refreshed("client", Some(token("hush")), &path).unwrap();
    let source = SourceKind::XV2.connect(&server.url, user).unwrap();
    // The local clock may be anywhere; the first answer tells the server's.
    let wanted = request();
    let (a, b, c) = tokio::join!(source.page(&wanted), source.page(&wanted), source.page(&wanted));
    assert!(a.is_ok() && b.is_ok() && c.is_ok(), "{a:?}");
    let requests = server.requests();
    let asked = |r: &&String| r.starts_with("POST /2/oauth2/token");
    assert_eq!(requests.iter().filter(asked).count(), 1);
    assert_eq!(header(&requests[0]), "Basic Y2xpZW50Omh1c2g=");
    assert!(requests[0].ends_with("grant_type=refresh_token&refresh_token=old-r"));
    assert_eq!(header(&requests[1]), "Bearer new-a");
    let stored = stored(&path);
    assert_eq!((&stored["access_token"], &stored["scope"]), (&"new-a".into(), &"s".into()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn without_a_known_end_a_token_is_renewed_when_it_is_refused_and_once() {
    let (_folder, path) = tokens(None);
    let refused = || Canned::new(401, r#"{"title":"Unauthorized","detail":"old-a new-a new-r"}"#);
    let server = Server::in_turn([refused(), Canned::new(200, GRANTED), refused()]).await;
    let user = Credential::refreshed("client", None, &path).unwrap();
    let error = page(&server, &user).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Credentials);
    assert_eq!(error.detail, "HTTP 401: REDACTED REDACTED REDACTED");
    assert!(server.requests()[1].ends_with("refresh_token=old-r&client_id=client"));
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn tokens_that_cannot_be_kept_are_not_used_and_not_lost() {
    let (folder, path) = tokens(None);
    let refused = Canned::new(401, r#"{"title":"Unauthorized"}"#);
    let server =
        Server::in_turn([refused, Canned::new(200, GRANTED), Canned::new(200, V2_PAGE)]).await;
    let user = Credential::refreshed("client", None, &path).unwrap();
    let away = folder.path().with_extension("away");
    std::fs::rename(folder.path(), &away).unwrap();
    let error = page(&server, &user).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Credentials);
    assert!(error.detail.starts_with("the new refresh token could not be kept in "), "{error}");
    assert_eq!(server.requests().len(), 2, "they were used");
    std::fs::rename(&away, folder.path()).unwrap();
    page(&server, &user).await.unwrap();
    assert_eq!(stored(&path)["refresh_token"], "new-r");
    assert_eq!(header(&server.requests()[2]), "Bearer new-a");
}

#[tokio::test]
async fn a_refresh_token_that_is_not_accepted_stops_the_work() {
    let (_folder, path) = tokens(Some(0));
    let body = r#"{"error":"invalid_request","error_description":"Value passed for the token was invalid."}"#;
    let server = Server::in_turn([Canned::new(400, body)]).await;
    let user = Credential::refreshed("client", None, &path).unwrap();
    assert_eq!(page(&server, &user).await.unwrap_err().trouble, Trouble::Credentials);
    assert_eq!(stored(&path)["refresh_token"], "old-r");
}

#[tokio::test]
async fn tokens_that_another_process_has_renewed_are_taken_over() {
    let (_folder, path) = tokens(None);
    let refused = Canned::new(401, r#"{"title":"Unauthorized"}"#);
    let server = Server::in_turn([refused, Canned::new(200, V2_PAGE)]).await;
    let user = Credential::refreshed("client", None, &path).unwrap();
    let other = r#"{"access_token":"other-a","refresh_token":"other-r"}"#;
    std::fs::write(&path, other).unwrap();
    page(&server, &user).await.unwrap();
    assert_eq!(header(&server.requests()[1]), "Bearer other-a");
    assert_eq!(user.scrub("other-a other-r"), "REDACTED REDACTED");
}

#[test]
fn v1_does_not_take_a_users_token_of_oauth_2() {
    let (_folder, path) = tokens(None);
    let user = Credential::refreshed("client", None, &path).unwrap().named("me");
    let error = SourceKind::XV1.connect("https://api.x.com", user).err().unwrap();
    assert!(error.to_string().starts_with("the credential `me` is an OAuth 2.0 user's"), "{error}");
}
