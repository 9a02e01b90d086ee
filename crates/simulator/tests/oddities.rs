//! Pages that are right and still not what a client expects, and cursors where they do not
//! belong.

use serde_json::Value;
use simulator::{Fault, Server, World};

use crate::util::{get, serve, small, star_with_fans};

/// One page of followers: ids, next token, the JSON.
async fn page(
    server: &Server,
    id: i64,
    size: usize,
    at: &str,
) -> (Vec<i64>, Option<String>, Value) {
    let token = if at.is_empty() { String::new() } else { format!("&pagination_token={at}") };
    let path = format!("/2/users/{id}/followers?max_results={size}{token}");
    let answer = get(server, &path).await;
    assert_eq!(answer.status, 200, "{path}");
    let json = answer.json();
    let next = json["meta"]["next_token"].as_str().map(str::to_owned);
    (answer.v2_ids(), next, json)
}

/// Reads to the end; the rows page by page.
async fn crawl(server: &Server, id: i64, size: usize) -> Vec<Vec<i64>> {
    let (mut pages, mut at) = (Vec::new(), String::new());
    loop {
        let (ids, next, _) = page(server, id, size, &at).await;
        pages.push(ids);
        match next {
            None => return pages,
            Some(next) => {
                assert!(number(&next) < number(&at), "cursors fall");
                at = next;
            }
        }
    }
}

fn number(token: &str) -> i64 {
    if token.is_empty() {
        i64::MAX
    } else {
        simulator::Position::from_v2(token).unwrap().to_number()
    }
}

#[tokio::test]
async fn empty_pages_lead_on_to_what_they_should_have_held() {
    let (world, star, fans) = star_with_fans(4);
    let server = serve(world).await;
    let newest: Vec<i64> = fans.iter().rev().copied().collect();
    server.inject("/2/users/", Fault::EmptyPage, 3);
    let pages = crawl(&server, star, 2).await;
    assert!(pages[..3].iter().all(Vec::is_empty));
    assert_eq!(pages[3..].concat(), newest);
    let (_, next, _) = page(&server, star, 2, "").await;
    server.inject("/2/users/", Fault::EmptyPage, 1);
    let (ids, onward, json) = page(&server, star, 2, &next.unwrap()).await;
    assert!(ids.is_empty() && json.get("data").is_none() && json["meta"]["result_count"] == 0);
    assert_eq!(page(&server, star, 2, &onward.unwrap()).await.0, newest[2..]);
    assert!(server.requests().iter().all(|record| !record.foreign_cursor));
}

#[tokio::test]
async fn an_empty_page_of_v1_leads_on_as_well() {
    let (world, star, fans) = star_with_fans(2);
    let server = serve(world).await;
    server.inject("/1.1/", Fault::EmptyPage, 1);
    let path = format!("/1.1/followers/ids.json?user_id={star}");
    let empty = get(&server, &path).await;
    assert_eq!(empty.v1_ids(), Vec::<i64>::new());
    let next = empty.json()["next_cursor"].as_i64().unwrap();
    assert_ne!(next, 0);
    let rows = get(&server, &format!("{path}&cursor={next}")).await.v1_ids();
    assert_eq!(rows, [fans[1], fans[0]]);
}

#[tokio::test]
async fn an_empty_list_has_nothing_to_lead_on_to() {
    let (world, star, _) = star_with_fans(0);
    let server = serve(world).await;
    server.inject("/2/users/", Fault::EmptyPage, 1);
    assert_eq!(page(&server, star, 2, "").await.1, None);
}

#[tokio::test]
async fn a_short_page_loses_nothing() {
    let (world, star, fans) = star_with_fans(5);
    let server = serve(world).await;
    server.inject("/2/users/", Fault::ShortPage { rows: 1 }, 1);
    let pages = crawl(&server, star, 3).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [1, 3, 1]);
    assert_eq!(pages.concat(), fans.iter().rev().copied().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_row_at_a_boundary_can_come_twice() {
    let (world, star, fans) = star_with_fans(5);
    let server = serve(world).await;
    server.inject("/2/users/", Fault::DuplicateAtBoundary, 1);
    let pages = crawl(&server, star, 3).await;
    assert_eq!(pages, [vec![fans[4], fans[3], fans[2]], vec![fans[2], fans[1], fans[0]]]);
}

#[tokio::test]
async fn duplicates_on_every_page_still_reach_the_end() {
    let world = World::new(small(4));
    let star = world.watched()[0];
    let mut truth: Vec<i64> = world.truth().followers(star).into_iter().map(|f| f.0).collect();
    let server = serve(world).await;
    server.inject("/2/users/", Fault::DuplicateAtBoundary, 1_000);
    let mut rows = crawl(&server, star, 20).await.concat();
    assert!(rows.len() > truth.len() + 5, "{} of {}", rows.len(), truth.len());
    rows.sort_unstable();
    rows.dedup();
    truth.sort_unstable();
    assert_eq!(rows, truth);
}

#[tokio::test]
async fn a_cursor_that_repeats_waits_for_a_cursor_and_makes_a_loop() {
    let (world, star, _) = star_with_fans(5);
    let server = serve(world).await;
    server.inject("/2/users/", Fault::CursorRepeats, 2);
    let (_, next, _) = page(&server, star, 2, "").await;
    let next = next.unwrap();
    let (_, again, _) = page(&server, star, 2, &next).await;
    assert_eq!(again.as_ref(), Some(&next));
    let (_, again, _) = page(&server, star, 2, &next).await;
    assert_eq!(again.as_ref(), Some(&next));
    let (_, onward, _) = page(&server, star, 2, &next).await;
    assert_ne!(onward.unwrap(), next);
}

#[tokio::test]
async fn a_page_can_bring_errors_beside_its_data() {
    let world = World::new(small(4));
    let star = world.watched()[0];
    let server = serve(world).await;
    let path = format!("/2/users/{star}/followers?expansions=pinned_tweet_id&max_results=200");
    let plain = get(&server, &path).await;
    server.inject("/2/users/", Fault::PartialErrors, 1);
    let odd = get(&server, &path).await;
    assert_eq!(odd.v2_ids(), plain.v2_ids());
    let (odd, plain) = (odd.json(), plain.json());
    assert_eq!(odd["errors"].as_array().unwrap().len(), 1);
    let gone = &odd["errors"][0];
    assert_eq!(gone["resource_type"], "tweet");
    assert!(gone["type"].as_str().unwrap().ends_with("/resource-not-found"));
    let tweets = |page: &Value| page["includes"]["tweets"].as_array().unwrap().clone();
    let lost = gone["value"].clone();
    assert!(tweets(&plain).iter().any(|tweet| tweet["id"] == lost));
    assert!(tweets(&odd).iter().all(|tweet| tweet["id"] != lost));
    assert_eq!(tweets(&odd).len() + 1, tweets(&plain).len());
    assert!(odd["data"].as_array().unwrap().iter().any(|user| user["pinned_tweet_id"] == lost));
}

#[tokio::test]
async fn oddities_wait_for_a_list() {
    let (world, star, _) = star_with_fans(5);
    let server = serve(world).await;
    server.inject("/", Fault::ShortPage { rows: 2 }, 1);
    get(&server, &format!("/2/users/{star}")).await;
    assert_eq!(page(&server, star, 5, "").await.0.len(), 2);
}

#[tokio::test]
async fn a_cursor_of_another_list_is_answered_and_noted() {
    let (mut world, star, fans) = star_with_fans(4);
    let other = world.add_user("other");
    world.follow(fans[0], other);
    world.follow(fans[1], other);
    let server = serve(world).await;
    let (_, next, _) = page(&server, other, 1, "").await;
    let next = next.unwrap();
    page(&server, other, 1, &next).await;
    assert_eq!(page(&server, star, 2, &next).await.0, [fans[3], fans[2]], "200 and a wrong slice");
    let cursor = number(&next);
    get(&server, &format!("/1.1/friends/ids.json?user_id={other}&cursor={cursor}")).await;
    get(&server, &format!("/1.1/followers/ids.json?user_id={other}&cursor={cursor}")).await;
    get(&server, &format!("/1.1/followers/ids.json?user_id={other}&cursor=-1")).await;
    let foreign: Vec<bool> = server.requests().iter().map(|record| record.foreign_cursor).collect();
    // Another account, another list; the same list in the other generation is no stranger.
    assert_eq!(foreign, [false, false, true, true, false, false]);
}
