//! A seeded drizzle of faults: the same every time, and never too much for a patient client.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use simulator::{FaultMix, Limits, Quota, Server, ServerConfig, World};

use crate::util::{Answer, get, send, serve_with, small, try_send};

/// Tries that a client makes for one page.
const TRIES: usize = 6;

async fn served(mix: FaultMix) -> Server {
    let quota = Quota::both(100_000);
    let limits = Limits { v2_lists: quota, v1_ids: quota, ..Limits::default() };
    let config = ServerConfig { mix: Some(mix), limits, ..ServerConfig::default() };
    serve_with(World::new(small(4)), config).await
}

/// A list page that is whole, or nothing.
async fn try_page(server: &Server, path: &str) -> Option<Answer> {
    let bearer = format!("Authorization: Bearer {}", server.bearer());
    let answer = try_send(server, "GET", path, &[&bearer], "").await?;
    let json: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    let is_whole = match json.get("meta") {
        Some(meta) => meta["result_count"] == json["data"].as_array().map_or(0, Vec::len),
        None => json.get("ids").is_some(),
    };
    (answer.status == 200 && is_whole).then_some(answer)
}

/// Reads a whole list with bounded retries; its members, and the tries of the worst page.
async fn crawl(server: &Server, id: i64, size: usize) -> (BTreeSet<i64>, usize) {
    let (mut members, mut at, mut worst) = (BTreeSet::new(), String::new(), 0);
    loop {
        let path = format!("/2/users/{id}/followers?max_results={size}{at}");
        let mut page = None;
        for tries in 1..=TRIES {
            page = try_page(server, &path).await;
            if page.is_some() {
                worst = worst.max(tries);
                break;
            }
        }
        let page = page.expect("bounded retries are enough");
        members.extend(page.v2_ids());
        match page.json()["meta"]["next_token"].as_str() {
            Some(next) => at = format!("&pagination_token={next}"),
            None => return (members, worst),
        }
    }
}

#[tokio::test]
async fn a_patient_client_reads_the_truth_through_every_seed() {
    let (mut met, mut worst) = (BTreeSet::new(), 0);
    for seed in 0..12 {
        let mix = FaultMix { stall: Duration::from_millis(20), ..FaultMix::rough(seed) };
        let server = served(mix).await;
        let (star, truth) = server.with_world(|world| {
            let star = world.watched()[0];
            let truth = world.truth().followers(star).into_iter().map(|(id, _)| id);
            (star, truth.collect::<BTreeSet<_>>())
        });
        let (members, tries) = crawl(&server, star, 5).await;
        assert_eq!(members, truth, "seed {seed}");
        worst = worst.max(tries);
        let faults = server.requests().into_iter().filter_map(|record| record.fault);
        met.extend(faults.map(|fault| fault.split(['(', ' ']).next().unwrap().to_owned()));
    }
    assert!((2..=4).contains(&worst), "{worst}");
    assert!(met.len() >= 15, "{met:?}");
}

#[tokio::test]
async fn the_same_seed_and_requests_meet_the_same_faults() {
    let mut runs = Vec::new();
    for seed in [5, 5, 6] {
        let stall = Duration::from_millis(1);
        let server = served(FaultMix { stall, slow: 0.0, ..FaultMix::rough(seed) }).await;
        let star = server.with_world(|world| world.watched()[0]);
        for _ in 0..60 {
            try_page(&server, &format!("/2/users/{star}/followers?max_results=5")).await;
        }
        let told = server.requests().into_iter().map(|record| (record.fault, record.completed));
        runs.push(told.collect::<Vec<_>>());
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test]
async fn failures_in_a_row_are_bounded_for_each_path() {
    let server = served(FaultMix { unavailable: 1.0, ..FaultMix::default() }).await;
    let ids = server.with_world(|world| world.watched().to_vec());
    // Two paths in turn: each has a count of its own, whatever stands in the query.
    let mut seen = vec![Vec::new(); 2];
    for round in 0..8 {
        for (at, seen) in seen.iter_mut().enumerate() {
            let path = format!("/2/users/{}/followers?max_results={}", ids[at], round + 1);
            seen.push(try_page(&server, &path).await.is_some());
        }
    }
    for seen in seen {
        assert_eq!(seen, [false, false, false, true, false, false, false, true]);
    }
}

#[tokio::test]
async fn tokens_and_the_simulators_own_paths_are_spared() {
    let server = served(FaultMix { unavailable: 1.0, ..FaultMix::default() }).await;
    let own = send(&server, "GET", "/_simulator/truth", &[], "").await;
    assert_eq!(own.status, 200);
    let right = "Authorization: Basic c2ltdWxhdG9ya2V5OnNpbXVsYXRvcnNlY3JldA==";
    let bought =
        send(&server, "POST", "/oauth2/token", &[right], "grant_type=client_credentials").await;
    assert_eq!(bought.status, 200);
}

#[tokio::test]
async fn slow_answers_are_not_too_slow_for_a_soak() {
    let server = served(FaultMix { slow: 1.0, ..FaultMix::default() }).await;
    let star = server.with_world(|world| world.watched()[0]);
    for _ in 0..20 {
        let asked = Instant::now();
        assert_eq!(get(&server, &format!("/2/users/{star}/followers")).await.status, 200);
        // Twice the bound, for a machine that is busy.
        assert!(asked.elapsed() < Duration::from_millis(400), "{:?}", asked.elapsed());
    }
}
