//! A crawl without HTTP reads what the server serves, page for page, while the world moves.

use std::time::Duration;

use jiff::Timestamp;
use simulator::{
    Churn, Limits, List, Position, Quota, ServerConfig, World, WorldConfig, edge_time,
};

use crate::util::{busy, get, pass, serve_with, star_with_fans};

const STEP: Duration = Duration::from_millis(700_300);

/// When a page was read, its ids, and the number behind the next cursor.
type Read = (Timestamp, Vec<i64>, Option<i64>);

/// Reads a list over HTTP; also the world's time at the end.
async fn over_http(
    world: World,
    id: i64,
    list: List,
    page_size: usize,
    is_v1: bool,
) -> (Vec<Read>, Timestamp) {
    let many = Quota::both(100_000);
    let limits = Limits { v1_ids: many, v2_lists: many, ..Limits::default() };
    let config = ServerConfig { page_step: STEP, limits, ..ServerConfig::default() };
    let server = serve_with(world, config).await;
    let mut pages = Vec::new();
    let mut cursor = None::<i64>;
    loop {
        let path = match (is_v1, list) {
            (true, List::Followers) => format!("/1.1/followers/ids.json?user_id={id}"),
            (true, List::Following) => format!("/1.1/friends/ids.json?user_id={id}"),
            (false, List::Followers) => format!("/2/users/{id}/followers?"),
            (false, List::Following) => format!("/2/users/{id}/following?"),
        };
        let sent = match (is_v1, cursor) {
            (_, None) => String::new(),
            (true, Some(number)) => format!("&cursor={number}"),
            (false, Some(number)) => {
                format!("&pagination_token={}", Position::from_number(number).to_v2())
            }
        };
        let size = if is_v1 { "count" } else { "max_results" };
        let answer = get(&server, &format!("{path}&{size}={page_size}{sent}")).await;
        assert_eq!(answer.status, 200);
        let body = answer.json();
        let ids = if is_v1 { answer.v1_ids() } else { answer.v2_ids() };
        cursor = if is_v1 {
            body["next_cursor"].as_i64().filter(|&number| number != 0)
        } else {
            let token = body["meta"]["next_token"].as_str();
            token.map(|token| Position::from_v2(token).unwrap().to_number())
        };
        pages.push((server.requests().last().unwrap().world_at, ids, cursor));
        if cursor.is_none() {
            return (pages, server.with_world(|world| world.now()));
        }
    }
}

#[tokio::test]
async fn both_generations_serve_what_a_crawl_reads() {
    for (seed, page_size) in [(1, 7), (2, 40), (3, 1000)] {
        let mut world = World::new(busy(seed));
        pass(&mut world, 3 * 86_400);
        let id = world.watched()[0];
        for list in [List::Followers, List::Following] {
            let mut crawled = world.clone();
            let pages = crawled.crawl(id, list, page_size, STEP).into_iter();
            let pages: Vec<Read> = pages.map(|page| (page.read_at, page.ids, page.next)).collect();
            for is_v1 in [true, false] {
                let (served, now) = over_http(world.clone(), id, list, page_size, is_v1).await;
                assert_eq!(served, pages, "{list:?} in pages of {page_size}");
                assert_eq!(now, crawled.now());
            }
        }
    }
}

#[test]
fn the_world_moves_between_the_pages_of_a_crawl() {
    let mut world = World::new(busy(4));
    let (id, start) = (world.watched()[0], world.now());
    let before = world.events().len();
    let pages = world.crawl(id, List::Followers, 10, STEP);
    assert!(pages.len() >= 20, "{}", pages.len());
    assert!(world.events().len() > before, "events");
    for (n, page) in (0..).zip(&pages) {
        assert_eq!(page.read_at, start + STEP * n);
    }
    let steps = u32::try_from(pages.len()).unwrap();
    assert_eq!(world.now(), start + STEP * steps);
}

#[test]
fn in_a_world_at_rest_a_crawl_reads_the_truth() {
    let mut world = World::new(WorldConfig { churn: Churn::NONE, ..busy(4) });
    let id = world.watched()[0];
    for list in [List::Followers, List::Following] {
        let truth = match list {
            List::Followers => world.truth().followers(id),
            List::Following => world.truth().following(id),
        };
        let truth: Vec<i64> = truth.into_iter().map(|(member, _)| member).collect();
        let ids: Vec<i64> = world
            .crawl(id, list, 17, Duration::from_mins(1))
            .into_iter()
            .flat_map(|page| page.ids)
            .collect();
        assert_eq!(ids, truth);
    }
}

#[test]
fn a_cursor_tells_when_the_oldest_row_of_its_page_was_made() {
    let (world, star, fans) = star_with_fans(5);
    let page = world.list_page(star, List::Followers, Position::Newest, 2);
    assert_eq!(page.ids, [fans[4], fans[3]]);
    let second = world.truth().followers(star)[1].1;
    assert_eq!(edge_time(page.next.unwrap()), second);
    assert_eq!(page.next.unwrap() >> 20, second.as_millisecond());
    let rest = world.list_page(star, List::Followers, Position::from_number(page.next.unwrap()), 9);
    assert_eq!((rest.ids, rest.next), (vec![fans[2], fans[1], fans[0]], None));
}

#[test]
fn a_list_without_rows_is_one_empty_page() {
    let (mut world, star, _) = star_with_fans(0);
    let pages = world.crawl(star, List::Following, 5, STEP);
    assert_eq!(pages.len(), 1);
    assert_eq!((pages[0].ids.len(), pages[0].next), (0, None));
}
