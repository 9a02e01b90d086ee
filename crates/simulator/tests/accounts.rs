//! Accounts whose lists cannot be had: missing, hidden, private; and who is asking.

use serde_json::json;
use simulator::{AppToken, ServerConfig};

use crate::util::{get, get_as_viewer, send, serve, serve_with, star_with_fans};

#[tokio::test]
async fn a_missing_account_is_not_found() {
    let (world, ..) = star_with_fans(0);
    let server = serve(world).await;
    let v1 = get(&server, "/1.1/followers/ids.json?user_id=4").await;
    assert_eq!((v1.status, &v1.json()["errors"][0]["code"]), (404, &json!(34)));
    let v2 = get(&server, "/2/users/4/followers").await;
    assert_eq!(v2.status, 200);
    assert!(v2.json().get("data").is_none() && v2.json().get("meta").is_none());
    assert_eq!(v2.json()["errors"][0]["title"], "Not Found Error");
}

#[tokio::test]
async fn a_suspended_account_has_its_own_answers() {
    let (mut world, star, _) = star_with_fans(1);
    world.suspend(star);
    let server = serve(world).await;
    let list = get(&server, &format!("/1.1/followers/ids.json?user_id={star}")).await;
    assert_eq!((list.status, &list.json()["error"]), (401, &json!("Not authorized.")));
    let shown = get(&server, "/1.1/users/show.json?screen_name=star").await;
    assert_eq!((shown.status, &shown.json()["errors"][0]["code"]), (403, &json!(63)));
    for path in [format!("/2/users/{star}/following"), "/2/users/by/username/star".to_owned()] {
        let error = get(&server, &path).await.json()["errors"][0].clone();
        assert_eq!(error["title"], "Forbidden", "{path}");
        assert!(error["type"].as_str().unwrap().ends_with("/resource-not-found"));
    }
}

#[tokio::test]
async fn a_deactivated_account_looks_like_a_missing_one() {
    let (mut world, star, _) = star_with_fans(1);
    world.deactivate(star);
    let server = serve(world).await;
    assert_eq!(get(&server, &format!("/1.1/followers/ids.json?user_id={star}")).await.status, 404);
    let shown = get(&server, &format!("/1.1/users/show.json?user_id={star}")).await;
    assert_eq!((shown.status, &shown.json()["errors"][0]["code"]), (404, &json!(50)));
    let v2 = get(&server, &format!("/2/users/{star}")).await.json();
    assert_eq!(v2["errors"][0]["title"], "Not Found Error");
}

#[tokio::test]
async fn a_private_list_is_for_followers_only() {
    let (mut world, star, fans) = star_with_fans(2);
    let viewer = world.user_by_name("viewer").unwrap().id;
    world.protect(star);
    let server = serve(world).await;
    let (v1, v2) =
        (format!("/1.1/followers/ids.json?user_id={star}"), format!("/2/users/{star}/followers"));
    let refused = get(&server, &v1).await;
    assert_eq!(refused.status, 401);
    let expected = json!({"request": "/1.1/followers/ids.json", "error": "Not authorized."});
    assert_eq!(refused.json(), expected);
    assert_eq!(refused.number("x-rate-limit-remaining"), 14, "it costs a request");
    let refused = get_as_viewer(&server, &v2).await;
    assert_eq!(refused.status, 200);
    assert_eq!(refused.json()["errors"][0]["title"], "Authorization Error");
    server.with_world(|world| world.follow(viewer, star));
    assert_eq!(get_as_viewer(&server, &v2).await.v2_ids(), [viewer, fans[1], fans[0]]);
}

#[tokio::test]
async fn private_accounts_still_appear_in_the_lists_of_others() {
    let (mut world, star, fans) = star_with_fans(2);
    world.protect(fans[0]);
    let server = serve(world).await;
    let page = get(&server, &format!("/2/users/{star}/followers")).await;
    assert_eq!(page.v2_ids(), [fans[1], fans[0]]);
}

#[tokio::test]
async fn without_a_known_token_nothing_is_told() {
    let (world, star, _) = star_with_fans(1);
    let server = serve(world).await;
    let v1 = format!("/1.1/followers/ids.json?user_id={star}");
    let v2 = format!("/2/users/{star}/followers");
    let wrong = "Authorization: Bearer wrong";
    let missing = send(&server, "GET", &v1, &[], "").await;
    assert_eq!((missing.status, &missing.json()["errors"][0]["code"]), (400, &json!(215)));
    let unknown = send(&server, "GET", &v1, &[wrong], "").await;
    assert_eq!((unknown.status, &unknown.json()["errors"][0]["code"]), (401, &json!(89)));
    for headers in [&[][..], &[wrong]] {
        let answer = send(&server, "GET", &v2, headers, "").await;
        let expected = json!({
            "title": "Unauthorized", "detail": "Unauthorized", "type": "about:blank", "status": 401,
        });
        assert_eq!((answer.status, answer.json()), (401, expected));
    }
}

#[tokio::test]
async fn only_an_account_can_ask_who_it_is() {
    let (world, ..) = star_with_fans(0);
    let server = serve(world).await;
    let app = get(&server, "/1.1/account/verify_credentials.json").await;
    assert_eq!((app.status, &app.json()["errors"][0]["code"]), (403, &json!(220)));
    assert_eq!(get(&server, "/2/users/me").await.status, 403);
    let user = get_as_viewer(&server, "/1.1/account/verify_credentials.json").await;
    assert_eq!(user.json()["screen_name"], "viewer");
    let me = get_as_viewer(&server, "/2/users/me").await;
    assert_eq!(me.json()["data"]["username"], "viewer");
}

#[tokio::test]
async fn a_key_and_secret_buy_the_token() {
    let (world, ..) = star_with_fans(0);
    let server = serve(world).await;
    // "simulatorkey:simulatorsecret"
    let right = "Authorization: Basic c2ltdWxhdG9ya2V5OnNpbXVsYXRvcnNlY3JldA==";
    let grant = "grant_type=client_credentials";
    let bought = send(&server, "POST", "/oauth2/token", &[right], grant).await;
    let expected = json!({"token_type": "bearer", "access_token": server.bearer()});
    assert_eq!((bought.status, bought.json()), (200, expected));
    for (header, body) in [(right, ""), ("Authorization: Basic eDp5", grant)] {
        let refused = send(&server, "POST", "/oauth2/token", &[header], body).await;
        assert_eq!((refused.status, &refused.json()["errors"][0]["code"]), (403, &json!(99)));
    }
}

#[tokio::test]
async fn the_log_names_credentials_and_holds_no_token() {
    let (world, star, _) = star_with_fans(2);
    let token = "AAAAsecretAAAA".to_owned();
    let app_tokens = vec![AppToken { token: token.clone(), app: "lab".to_owned() }];
    let server = serve_with(world, ServerConfig { app_tokens, ..Default::default() }).await;
    get(&server, &format!("/2/users/{star}/followers?max_results=5&access_token={token}")).await;
    get_as_viewer(&server, "/2/users/me").await;
    get(&server, "/_simulator/truth").await;
    let log = server.requests();
    let told: Vec<_> =
        log.iter().map(|r| (r.credential_name.as_deref(), r.status, r.returned_users)).collect();
    let viewer = server.with_world(|world| world.user_by_name("viewer").unwrap().id);
    let user = format!("user {viewer}");
    assert_eq!(told, [(Some("lab"), 400, 0), (Some(&*user), 200, 1)]);
    assert!(!format!("{log:?} {server:?}").contains(&token));
}
