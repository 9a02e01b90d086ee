//! Rate windows as headers and refusals tell them, and the clock behind them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use simulator::{DateZone, Error, Limits, Quota, Server, ServerConfig, World};

use crate::util::{get, get_as_viewer, send, serve, serve_with, small, star_with_fans, start};

fn tight() -> ServerConfig {
    let limits = Limits { v2_lists: Quota::both(2), v1_ids: Quota::both(1), ..Limits::default() };
    ServerConfig { limits, ..ServerConfig::default() }
}

#[tokio::test]
async fn a_window_counts_down_refuses_and_opens_again() {
    let (world, star, _) = star_with_fans(1);
    let server = serve_with(world, tight()).await;
    let path = format!("/2/users/{star}/followers");
    let opened = server.now().as_second();
    for remaining in [1, 0] {
        let answer = get(&server, &path).await;
        assert_eq!(answer.number("x-rate-limit-limit"), 2);
        assert_eq!(answer.number("x-rate-limit-remaining"), remaining);
        assert!((opened + 900..=opened + 905).contains(&answer.number("x-rate-limit-reset")));
    }
    let refused = get(&server, &path).await;
    assert_eq!((refused.status, &refused.json()["title"]), (429, &"Too Many Requests".into()));
    assert_eq!(refused.number("x-rate-limit-remaining"), 0);
    server.advance(Duration::from_mins(15));
    assert_eq!(get(&server, &path).await.status, 200);
}

#[tokio::test]
async fn v1_refuses_with_its_own_code() {
    let (world, star, _) = star_with_fans(1);
    let server = serve_with(world, tight()).await;
    let path = format!("/1.1/friends/ids.json?user_id={star}");
    assert_eq!(get(&server, &path).await.status, 200);
    let refused = get(&server, &path).await;
    assert_eq!((refused.status, &refused.json()["errors"][0]["code"]), (429, &88.into()));
}

#[tokio::test]
async fn lists_generations_and_credentials_have_buckets_of_their_own() {
    let (world, star, _) = star_with_fans(1);
    let server = serve_with(world, tight()).await;
    let followers = format!("/1.1/followers/ids.json?user_id={star}");
    assert_eq!(get(&server, &followers).await.status, 200);
    assert_eq!(get(&server, &followers).await.status, 429);
    assert_eq!(get_as_viewer(&server, &followers).await.status, 200);
    assert_eq!(get(&server, &format!("/1.1/friends/ids.json?user_id={star}")).await.status, 200);
    assert_eq!(get(&server, &format!("/2/users/{star}/followers")).await.status, 200);
}

#[tokio::test]
async fn the_status_report_agrees_with_the_headers() {
    let (world, star, _) = star_with_fans(1);
    let server = serve(world).await;
    let spent = get(&server, &format!("/1.1/followers/ids.json?user_id={star}")).await;
    let report = get(&server, "/1.1/application/rate_limit_status.json?resources=followers").await;
    let resources = report.json()["resources"].clone();
    assert_eq!(resources.as_object().unwrap().len(), 1);
    let window = &resources["followers"]["/followers/ids"];
    for (field, header) in [("limit", "limit"), ("remaining", "remaining"), ("reset", "reset")] {
        assert_eq!(window[field], spent.number(&format!("x-rate-limit-{header}")), "{field}");
    }
    let all = get(&server, "/1.1/application/rate_limit_status.json?resource=followers").await;
    assert_eq!(all.json()["resources"].as_object().unwrap().len(), 5, "a misspelt name is ignored");
}

#[tokio::test]
async fn the_date_header_tells_virtual_time() {
    let (world, star, _) = star_with_fans(0);
    let server = serve(world).await;
    server.advance(Duration::from_hours(24));
    let answer = get(&server, &format!("/2/users/{star}")).await;
    let date = answer.header("date").unwrap();
    assert!(date.starts_with("Thu, 02 May 2024 12:0") && date.ends_with(" GMT"), "{date}");
    assert_eq!(answer.header("server"), Some("simulator"));
}

#[tokio::test]
async fn a_frozen_world_moves_by_exactly_what_is_asked() {
    let server = serve(World::new(small(2))).await;
    server.advance(Duration::from_hours(1));
    let hour: Timestamp = start() + Duration::from_hours(1);
    assert_eq!(server.with_world(|world| world.now()), hour);
}

#[tokio::test]
async fn a_living_world_follows_the_clock() {
    let config = ServerConfig { freeze_between_advances: false, ..ServerConfig::default() };
    let server = serve_with(World::new(small(2)), config).await;
    let before = server.with_world(|world| world.now());
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(server.with_world(|world| world.now()) > before);
}

#[tokio::test]
async fn time_and_truth_can_be_reached_over_http() {
    let server = serve(World::new(small(2))).await;
    let moved = send(&server, "POST", "/_simulator/advance?seconds=86400", &[], "").await;
    assert_eq!(moved.json()["world"], "2024-05-02T12:00:00Z");
    let refused = send(&server, "POST", "/_simulator/advance?seconds=soon", &[], "").await;
    assert_eq!(refused.status, 400);
    let truth = send(&server, "GET", "/_simulator/truth", &[], "").await.json();
    let (star, followers, events) = server.with_world(|world| {
        let star = world.watched()[0];
        (star, world.truth().followers_all(star).len(), world.events().len())
    });
    assert_eq!(truth["accounts"][0]["id"], star.to_string());
    assert_eq!(truth["accounts"][0]["followers"].as_array().unwrap().len(), followers);
    assert_eq!(truth["events"].as_array().unwrap().len(), events);
}

#[tokio::test]
async fn only_loopback_is_served() {
    let config = ServerConfig { addr: ([0, 0, 0, 0], 0).into(), ..ServerConfig::default() };
    let refused = Server::start(World::empty(1, start()), config).await;
    assert!(matches!(refused, Err(Error::NotLoopback(_))));
}

#[tokio::test]
async fn a_wrong_clock_is_wrong_everywhere_alike() {
    let (world, star, _) = star_with_fans(1);
    let skew = SignedDuration::from_mins(-90);
    let config = ServerConfig { skew, date_zone: DateZone::Utc, ..ServerConfig::default() };
    let server = serve_with(world, config).await;
    let path = format!("/1.1/followers/ids.json?user_id={star}");
    let real = server.now().as_second();
    let answer = get(&server, &path).await;
    let date = answer.header("date").unwrap();
    assert!(date.starts_with("Wed, 01 May 2024 10:31:") && date.ends_with(" UTC"), "{date}");
    let reset = answer.number("x-rate-limit-reset");
    assert!((real - 5400 + 900..=real - 5400 + 905).contains(&reset), "{reset}");
    let report = get(&server, "/1.1/application/rate_limit_status.json").await.json();
    assert_eq!(report["resources"]["followers"]["/followers/ids"]["reset"], reset);
    // The window itself is as long as ever.
    server.advance(Duration::from_mins(14));
    assert_eq!(get(&server, &path).await.number("x-rate-limit-remaining"), 13);
    server.advance(Duration::from_mins(1));
    assert_eq!(get(&server, &path).await.number("x-rate-limit-remaining"), 14);
}

#[tokio::test]
async fn a_day_has_a_limit_of_its_own() {
    let (world, star, _) = star_with_fans(1);
    let day = Limits { v2_lists: Quota { app: 3, user: 1 }, ..Limits::default() };
    let config = ServerConfig { day_limits: Some(day), ..ServerConfig::default() };
    let server = serve_with(world, config).await;
    let path = format!("/2/users/{star}/followers");
    let opened = server.now().as_second();
    for remaining in [2, 1, 0] {
        let answer = get(&server, &path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.number("x-app-limit-24hour-limit"), 3);
        assert_eq!(answer.number("x-app-limit-24hour-remaining"), remaining);
        let reset = answer.number("x-app-limit-24hour-reset") - opened;
        assert!((86_400..86_410).contains(&reset), "{reset}");
        assert_eq!(answer.header("x-user-limit-24hour-limit"), None);
    }
    server.advance(Duration::from_mins(20));
    let refused = get(&server, &path).await;
    assert_eq!((refused.status, &refused.json()["title"]), (429, &"Too Many Requests".into()));
    assert_eq!(refused.number("x-app-limit-24hour-remaining"), 0);
    assert_eq!(
        refused.number("x-rate-limit-remaining"),
        300,
        "the quarter of an hour is untouched"
    );
    let user = get_as_viewer(&server, &path).await;
    assert_eq!((user.status, user.number("x-user-limit-24hour-remaining")), (200, 0));
    assert_eq!(user.header("x-app-limit-24hour-limit"), None);
    server.advance(Duration::from_hours(24));
    assert_eq!(get(&server, &path).await.status, 200);
}
