//! Pages of both APIs, read in both directions, are the truth.

use serde_json::Value;
use simulator::{Server, World};

use crate::util::{Answer, get, get_as_viewer, serve, small, star_with_fans};

/// How one generation of the API names things.
struct Api {
    path: fn(i64, &str) -> String,
    size: &'static str,
    cursor: &'static str,
    ids: fn(&Answer) -> Vec<i64>,
    next: fn(&Value) -> Option<String>,
    previous: fn(&Value) -> Option<String>,
}

const V1: Api = Api {
    path: |id, list| {
        let list = if list == "following" { "friends" } else { list };
        format!("/1.1/{list}/ids.json?user_id={id}")
    },
    size: "count",
    cursor: "cursor",
    ids: Answer::v1_ids,
    next: |page| v1_cursor(page, "next_cursor"),
    previous: |page| v1_cursor(page, "previous_cursor"),
};

const V2: Api = Api {
    path: |id, list| format!("/2/users/{id}/{list}?"),
    size: "max_results",
    cursor: "pagination_token",
    ids: Answer::v2_ids,
    next: |page| page["meta"]["next_token"].as_str().map(str::to_owned),
    previous: |page| page["meta"]["previous_token"].as_str().map(str::to_owned),
};

/// A cursor other than 0, after checking that its two forms agree.
fn v1_cursor(page: &Value, name: &str) -> Option<String> {
    let text = page[format!("{name}_str")].as_str().unwrap();
    assert_eq!(page[name].as_i64().unwrap().to_string(), text);
    (text != "0").then(|| text.to_owned())
}

async fn page(
    server: &Server,
    api: &Api,
    id: i64,
    list: &str,
    size: usize,
    at: Option<&str>,
) -> Answer {
    let cursor = at.map(|at| format!("&{}={at}", api.cursor)).unwrap_or_default();
    let path = format!("{}&{}={size}{cursor}", (api.path)(id, list), api.size);
    let answer = get(server, &path).await;
    assert_eq!(answer.status, 200, "{path}");
    answer
}

/// Reads down to the end, then back up, and returns both readings newest first.
async fn down_and_up(
    server: &Server,
    api: &Api,
    id: i64,
    list: &str,
    size: usize,
) -> [Vec<i64>; 2] {
    let mut pages: Vec<Vec<i64>> = Vec::new();
    let mut at: Option<String> = None;
    let mut back = loop {
        let answer = page(server, api, id, list, size, at.as_deref()).await;
        pages.push((api.ids)(&answer));
        at = (api.next)(&answer.json());
        if at.is_none() {
            break (api.previous)(&answer.json());
        }
    };
    let mut upward = vec![pages.last().unwrap().clone()];
    while let Some(at) = back {
        let answer = page(server, api, id, list, size, Some(&at)).await;
        upward.push((api.ids)(&answer));
        back = (api.previous)(&answer.json());
    }
    upward.reverse();
    [pages.concat(), upward.concat()]
}

#[tokio::test]
async fn reading_down_and_back_up_gives_the_truth_over_both_apis() {
    let world = World::new(small(4));
    let id = world.watched()[0];
    let truth = |list: Vec<(i64, _)>| list.into_iter().map(|(id, _)| id).collect::<Vec<i64>>();
    let followers = truth(world.truth().followers(id));
    let following = truth(world.truth().following(id));
    assert!(world.truth().followers_all(id).len() > followers.len(), "someone is hidden");
    let server = serve(world).await;
    // Few v1.1 requests fit a window, hence the larger pages.
    for (api, size) in [(&V1, 60), (&V2, 17), (&V2, 1000)] {
        for (list, truth) in [("followers", &followers), ("following", &following)] {
            let [down, up] = down_and_up(&server, api, id, list, size).await;
            assert_eq!(&down, truth, "{list} down");
            assert_eq!(&up, truth, "{list} up");
        }
    }
}

#[tokio::test]
async fn a_page_counts_hidden_members_and_may_be_short_or_empty() {
    let (mut world, star, fans) = star_with_fans(4);
    world.suspend(fans[3]);
    world.suspend(fans[1]);
    world.deactivate(fans[0]);
    let server = serve(world).await;
    for api in [&V1, &V2] {
        let first = page(&server, api, star, "followers", 2, None).await;
        assert_eq!((api.ids)(&first), [fans[2]]);
        assert_eq!((api.previous)(&first.json()), None);
        let next = (api.next)(&first.json()).expect("more rows, if hidden ones");
        let second = page(&server, api, star, "followers", 2, Some(&next)).await;
        assert_eq!((api.ids)(&second), Vec::<i64>::new());
        assert_eq!((api.next)(&second.json()), None);
    }
}

#[tokio::test]
async fn an_empty_page_can_still_lead_on() {
    let (mut world, star, fans) = star_with_fans(3);
    world.suspend(fans[2]);
    let server = serve(world).await;
    let first = page(&server, &V2, star, "followers", 1, None).await.json();
    assert_eq!(first["meta"]["result_count"], 0);
    assert!(first.get("data").is_none());
    let next = (V2.next)(&first).unwrap();
    let second = page(&server, &V2, star, "followers", 1, Some(&next)).await;
    assert_eq!(second.v2_ids(), [fans[1]]);
}

#[tokio::test]
async fn an_empty_list_has_the_documented_shape() {
    let (world, star, _) = star_with_fans(0);
    let server = serve(world).await;
    let v2 = page(&server, &V2, star, "followers", 10, None).await.json();
    assert_eq!(v2, serde_json::json!({"meta": {"result_count": 0}}));
    let v1 = page(&server, &V1, star, "followers", 10, None).await.json();
    let expected = serde_json::json!({
        "ids": [], "next_cursor": 0, "next_cursor_str": "0",
        "previous_cursor": 0, "previous_cursor_str": "0", "total_count": null,
    });
    assert_eq!(v1, expected);
}

#[tokio::test]
async fn both_apis_write_the_same_cursor() {
    let (world, star, _) = star_with_fans(5);
    let server = serve(world).await;
    let v1 = page(&server, &V1, star, "followers", 2, None).await.json();
    let v2 = page(&server, &V2, star, "followers", 2, None).await.json();
    let number = simulator::Position::from_v2(v2["meta"]["next_token"].as_str().unwrap());
    assert_eq!(number.unwrap().to_number(), v1["next_cursor"].as_i64().unwrap());
    let boundary = simulator::edge_time(v1["next_cursor"].as_i64().unwrap());
    let fourth = server.with_world(|world| world.truth().followers(star)[1].1);
    assert_eq!(boundary, fourth);
}

#[tokio::test]
async fn rows_that_come_during_a_crawl_do_not_shift_it() {
    let (world, star, fans) = star_with_fans(4);
    let server = serve(world).await;
    let first = page(&server, &V2, star, "followers", 2, None).await.json();
    server.with_world(|world| {
        let late = world.add_user("late");
        world.follow(late, star);
        world.unfollow(fans[2], star);
    });
    let next = (V2.next)(&first).unwrap();
    let second = page(&server, &V2, star, "followers", 2, Some(&next)).await;
    assert_eq!(second.v2_ids(), [fans[1], fans[0]]);
}

#[tokio::test]
async fn the_token_of_another_list_cuts_this_one_at_the_same_moment() {
    let (mut world, star, fans) = star_with_fans(4);
    let other = world.add_user("other");
    world.follow(fans[0], other);
    world.follow(fans[1], other);
    let server = serve(world).await;
    let foreign = page(&server, &V2, other, "followers", 1, None).await.json();
    let next = (V2.next)(&foreign).unwrap();
    let page = page(&server, &V2, star, "followers", 2, Some(&next)).await;
    assert_eq!(page.v2_ids(), [fans[3], fans[2]], "all older than the foreign edge");
}

#[tokio::test]
async fn v1_ids_come_as_numbers_or_as_strings() {
    let (world, star, fans) = star_with_fans(1);
    let server = serve(world).await;
    let path =
        format!("/1.1/followers/ids.json?screen_name=STAR&stringify_ids=true&user_id={star}");
    let strings = get(&server, &path).await.json();
    assert_eq!(strings["ids"], serde_json::json!([fans[0].to_string()]));
    let numbers = get(&server, "/1.1/followers/ids.json?screen_name=STAR").await.json();
    assert_eq!(numbers["ids"], serde_json::json!([fans[0]]));
}

#[tokio::test]
async fn v1_lists_default_to_the_account_that_asks() {
    let (mut world, star, _) = star_with_fans(0);
    let viewer = world.user_by_name("viewer").unwrap().id;
    world.follow(viewer, star);
    let server = serve(world).await;
    assert_eq!(get_as_viewer(&server, "/1.1/friends/ids.json").await.v1_ids(), [star]);
    let answer = get(&server, "/1.1/friends/ids.json").await;
    assert_eq!((answer.status, &answer.json()["errors"][0]["code"]), (400, &25.into()));
}

#[tokio::test]
async fn page_sizes_have_limits() {
    let (world, star, _) = star_with_fans(3);
    let server = serve(world).await;
    for size in ["0", "1001", "-1", "many"] {
        let path = format!("/2/users/{star}/followers?max_results={size}");
        let answer = get(&server, &path).await;
        assert_eq!(answer.status, 400, "{size}");
        let json = answer.json();
        assert_eq!(json["errors"][0]["parameters"]["max_results"][0], size);
        assert!(json["type"].as_str().unwrap().ends_with("/invalid-request"));
    }
    let path = format!("/1.1/followers/ids.json?user_id={star}&count=99999");
    assert_eq!(get(&server, &path).await.v1_ids().len(), 3);
}

#[tokio::test]
async fn mangled_cursors_and_unknown_parameters_are_refused() {
    let (world, star, _) = star_with_fans(3);
    let server = serve(world).await;
    for query in
        ["pagination_token=ABC", "pagination_token=", "next_token=DFEDBNRFT3MHCZZZ", "count=5"]
    {
        let answer = get(&server, &format!("/2/users/{star}/followers?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        let name = query.split('=').next().unwrap();
        assert!(answer.json()["errors"][0]["parameters"].get(name).is_some(), "{query}");
    }
    let path = format!("/1.1/followers/ids.json?user_id={star}&cursor=1.59e18");
    assert_eq!(get(&server, &path).await.status, 400);
}

#[tokio::test]
async fn the_v1_cursor_zero_is_past_the_end() {
    let (world, star, _) = star_with_fans(3);
    let server = serve(world).await;
    let page = page(&server, &V1, star, "followers", 5, Some("0")).await;
    assert_eq!((page.v1_ids(), page.json()["next_cursor"].as_i64()), (vec![], Some(0)));
}
