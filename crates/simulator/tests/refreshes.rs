//! `OAuth` 2.0 tokens of accounts: they expire, and a refresh changes both.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::{Grant, Server, ServerConfig};

use crate::util::{Answer, send, serve_with, star_with_fans};

/// "client:client secret", as HTTP Basic.
const BASIC: &str = "Authorization: Basic Y2xpZW50OmNsaWVudCUyMHNlY3JldA==";

async fn granted(confide: bool) -> (Server, i64) {
    let (world, ..) = star_with_fans(1);
    let viewer = world.user_by_name("viewer").unwrap().id;
    let grant = Grant::public("client", viewer, "first-access", "first-refresh");
    let grant = if confide { grant.confidential("client secret") } else { grant };
    let config = ServerConfig {
        grants: vec![grant],
        access_token_life: Duration::from_mins(30),
        ..ServerConfig::default()
    };
    (serve_with(world, config).await, viewer)
}

async fn me(server: &Server, token: &str) -> Answer {
    send(server, "GET", "/2/users/me", &[&format!("Authorization: Bearer {token}")], "").await
}

async fn refresh(server: &Server, headers: &[&str], token: &str, rest: &str) -> Answer {
    let body = format!("grant_type=refresh_token&refresh_token={token}{rest}");
    send(server, "POST", "/2/oauth2/token", headers, &body).await
}

fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_access_token_acts_for_its_account_until_it_expires() {
    let (server, viewer) = granted(false).await;
    assert_eq!(me(&server, "first-access").await.json()["data"]["id"], viewer.to_string());
    server.advance(Duration::from_mins(29));
    assert_eq!(me(&server, "first-access").await.status, 200);
    server.advance(Duration::from_mins(1));
    let refused = me(&server, "first-access").await;
    assert_eq!((refused.status, &refused.json()["title"]), (401, &json!("Unauthorized")));
}

#[tokio::test]
async fn a_refresh_changes_both_tokens_and_ends_the_old_ones() {
    let (server, viewer) = granted(false).await;
    server.advance(Duration::from_mins(20));
    let bought = refresh(&server, &[], "first-refresh", "&client_id=client").await;
    assert_eq!(bought.status, 200);
    let json = bought.json();
    assert_eq!((&json["token_type"], &json["expires_in"]), (&json!("bearer"), &json!(1800)));
    let (access, next) = (text(&json, "access_token"), text(&json, "refresh_token"));
    let pair = server.tokens_of(viewer).unwrap();
    assert_eq!((&pair.access, &pair.refresh), (&access, &next));
    assert_ne!(access, next);
    assert_eq!(me(&server, "first-access").await.status, 401);
    server.advance(Duration::from_mins(29));
    assert_eq!(me(&server, &access).await.status, 200, "it lives from the refresh on");
    let again = refresh(&server, &[], "first-refresh", "&client_id=client").await;
    assert_eq!((again.status, &again.json()["error"]), (400, &json!("invalid_request")));
    let third = refresh(&server, &[], &next, "&client_id=client").await.json();
    assert_ne!(text(&third, "access_token"), access);
    assert_eq!(me(&server, &access).await.status, 401);
}

#[tokio::test]
async fn the_same_session_draws_the_same_tokens() {
    let mut drawn = Vec::new();
    for _ in 0..2 {
        let (server, viewer) = granted(false).await;
        refresh(&server, &[], "first-refresh", "&client_id=client").await;
        drawn.push(server.tokens_of(viewer).unwrap());
    }
    assert_eq!(drawn[0], drawn[1]);
}

#[tokio::test]
async fn a_client_with_a_secret_shows_it() {
    let (server, _) = granted(true).await;
    let refused = refresh(&server, &[], "first-refresh", "&client_id=client").await;
    assert_eq!((refused.status, &refused.json()["error"]), (401, &json!("unauthorized_client")));
    let wrong = "Authorization: Basic Y2xpZW50Ong=";
    assert_eq!(refresh(&server, &[wrong], "first-refresh", "").await.status, 401);
    assert_eq!(refresh(&server, &[BASIC], "first-refresh", "").await.status, 200);
}

#[tokio::test]
async fn a_refresh_that_is_refused_changes_nothing() {
    let (server, viewer) = granted(false).await;
    let before = server.tokens_of(viewer);
    for rest in ["", "&client_id=other"] {
        assert_eq!(refresh(&server, &[], "first-refresh", rest).await.status, 401);
    }
    for body in ["", "grant_type=refresh_token&client_id=client", "grant_type=password"] {
        assert_eq!(send(&server, "POST", "/2/oauth2/token", &[], body).await.status, 400);
    }
    assert_eq!(server.tokens_of(viewer), before);
    assert_eq!(server.tokens_of(1), None);
}

#[tokio::test]
async fn such_a_token_is_for_v2_only() {
    let (server, _) = granted(false).await;
    let bearer = "Authorization: Bearer first-access";
    let path = "/1.1/account/verify_credentials.json";
    let refused = send(&server, "GET", path, &[bearer], "").await;
    assert_eq!((refused.status, &refused.json()["errors"][0]["code"]), (403, &json!(220)));
}

#[tokio::test]
async fn tokens_and_secrets_are_never_printed() {
    let (server, viewer) = granted(true).await;
    refresh(&server, &[BASIC], "first-refresh", "").await;
    let pair = server.tokens_of(viewer).unwrap();
    let grant =
        Grant::public("client", viewer, "first-access", "first-refresh").confidential("s3cret");
    let printed = format!("{grant:?} {pair:?} {:?} {server:?}", server.requests());
    for secret in ["first-access", "first-refresh", "s3cret", &pair.access, &pair.refresh] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(printed.contains("client"));
}
