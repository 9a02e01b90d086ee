//! Every fault as a client meets it, what it costs, and what the log says of it.

use std::io::Read;
use std::time::{Duration, Instant};

use serde_json::json;
use simulator::{ErrorBody, Fault, RedirectTo, RequestRecord, Server};

use crate::util::{Answer, get, send, serve, star_with_fans, try_send};

/// A server with a star of ten fans, and the paths of its followers in both generations.
async fn star() -> (Server, String, String) {
    let (world, star, _) = star_with_fans(10);
    let v1 = format!("/1.1/followers/ids.json?user_id={star}&count=5");
    (serve(world).await, format!("/2/users/{star}/followers"), v1)
}

/// Meets a fault once; none when the connection ended without an answer.
async fn meet(server: &Server, path: &str, fault: Fault) -> (Option<Answer>, RequestRecord) {
    server.inject(path.split('?').next().unwrap(), fault, 1);
    let bearer = format!("Authorization: Bearer {}", server.bearer());
    let answer = try_send(server, "GET", path, &[&bearer], "").await;
    (answer, server.requests().pop().unwrap())
}

/// Asks without a fault; requests left in the window.
async fn remaining(server: &Server, path: &str) -> i64 {
    get(server, path).await.number("x-rate-limit-remaining")
}

#[tokio::test]
async fn faults_at_the_front_cost_nothing_and_serve_nothing() {
    let json = |status| Fault::ServerError { status, body: ErrorBody::Json };
    let html = Fault::ServerError { status: 502, body: ErrorBody::Html };
    let empty = Fault::ServerError { status: 504, body: ErrorBody::Empty };
    let faults = [
        (Fault::Unavailable, 503),
        (json(500), 500),
        (html, 502),
        (empty, 504),
        (Fault::Html200, 200),
        (Fault::EmptyBody200, 200),
        (Fault::Redirect(RedirectTo::SameHost), 302),
        (Fault::RateLimitedBare, 429),
        (Fault::TokenExpired, 401),
    ];
    let (server, v2, v1) = star().await;
    for path in [&v2, &v1] {
        let before = remaining(&server, path).await;
        for (fault, status) in faults {
            let (answer, record) = meet(&server, path, fault).await;
            let answer = answer.unwrap();
            assert_eq!((answer.status, record.status), (status, status), "{fault:?}");
            assert_eq!(answer.header("x-rate-limit-limit"), None, "{fault:?}");
            assert_eq!((record.spent, record.served), (false, None), "{fault:?}");
            assert!(record.completed && record.delivered_users() == 0, "{fault:?}");
            assert!(!fault.spends_limit() && !fault.serves() && !fault.delivers(), "{fault:?}");
            assert_eq!(record.fault, Some(format!("{fault:?}")));
        }
        assert_eq!(remaining(&server, path).await, before - 1);
    }
}

#[tokio::test]
async fn server_errors_have_the_body_that_was_asked_for() {
    let (server, v2, v1) = star().await;
    let error = |body| Fault::ServerError { status: 503, body };
    let (html, _) = meet(&server, &v2, error(ErrorBody::Html)).await;
    assert!(html.unwrap().body.starts_with(b"<!DOCTYPE"));
    let (empty, _) = meet(&server, &v2, error(ErrorBody::Empty)).await;
    assert_eq!(empty.unwrap().body, b"");
    let (json, _) = meet(&server, &v1, error(ErrorBody::Json)).await;
    assert_eq!(json.unwrap().json()["errors"][0]["code"], 130);
    let (json, _) = meet(&server, &v2, error(ErrorBody::Json)).await;
    assert_eq!(json.unwrap().json()["title"], "Service Unavailable");
    let (html, _) = meet(&server, &v2, Fault::Html200).await;
    let html = html.unwrap();
    assert_eq!(html.header("content-type"), Some("text/html; charset=utf-8"));
}

#[tokio::test]
async fn a_refused_token_has_the_words_of_its_generation() {
    let (server, v2, v1) = star().await;
    let (answer, _) = meet(&server, &v1, Fault::TokenExpired).await;
    assert_eq!(answer.unwrap().json()["errors"][0]["code"], 89);
    let (answer, _) = meet(&server, &v2, Fault::TokenExpired).await;
    assert_eq!(answer.unwrap().json()["title"], "Unauthorized");
}

#[tokio::test]
async fn a_redirect_keeps_the_path_and_names_the_host_asked_for() {
    let (server, v2, _) = star().await;
    let path = format!("{v2}?max_results=3");
    let (same, _) = meet(&server, &path, Fault::Redirect(RedirectTo::SameHost)).await;
    assert_eq!(same.unwrap().header("location"), Some(&*format!("{}{path}", server.base_url())));
    let (other, record) = meet(&server, &path, Fault::Redirect(RedirectTo::OtherHost)).await;
    let other = other.unwrap();
    let location = other.header("location").unwrap();
    assert!(location.starts_with("http://localhost:") && location.ends_with(&path), "{location}");
    assert_eq!(record.host.map(|host| format!("http://{host}")), Some(server.base_url()));
}

#[tokio::test]
async fn faults_at_the_gate_cost_a_request_and_serve_nothing() {
    let (server, path, _) = star().await;
    for (fault, status, title) in [
        (Fault::UsageCapped, 429, "UsageCapExceeded"),
        (Fault::CreditsDepleted, 402, "CreditsDepleted"),
        (Fault::SpendCapReached, 403, "SpendCapReached"),
    ] {
        let before = remaining(&server, &path).await;
        let (answer, record) = meet(&server, &path, fault).await;
        let answer = answer.unwrap();
        assert_eq!((answer.status, &answer.json()["title"]), (status, &json!(title)));
        assert_eq!(answer.number("x-rate-limit-remaining"), before - 1, "no rate limit was hit");
        assert_eq!((record.spent, record.served), (true, None));
        assert!(fault.spends_limit() && !fault.serves());
    }
    let (answer, _) = meet(&server, &path, Fault::UsageCapped).await;
    assert!(answer.unwrap().json()["type"].as_str().unwrap().ends_with("/usage-capped"));
}

#[tokio::test]
async fn a_fault_behind_the_credential_is_not_met_without_one() {
    let (server, path, _) = star().await;
    server.inject(&path, Fault::CreditsDepleted, 1);
    let answer = send(&server, "GET", &path, &["Authorization: Bearer wrong"], "").await;
    assert_eq!(answer.status, 401);
    assert_eq!(server.requests()[0].fault, None);
}

#[tokio::test]
async fn what_is_lost_on_the_way_was_served_and_not_completed() {
    let hold = Duration::from_millis(30);
    let faults = [
        Fault::LostAnswer,
        Fault::Truncated { keep: 0 },
        Fault::Truncated { keep: 40 },
        Fault::Truncated { keep: 1 << 20 },
        Fault::Stalled { keep: 40, hold },
        Fault::BadGzip,
        Fault::TruncatedJson,
        Fault::MissingData,
    ];
    let (server, v2, v1) = star().await;
    for (path, served) in [(&v2, 10), (&v1, 5)] {
        for fault in faults {
            let (_, record) = meet(&server, path, fault).await;
            assert!(record.spent && fault.spends_limit() && fault.serves(), "{fault:?}");
            assert_eq!(record.served.map(|served| served.users), Some(served), "{fault:?}");
            assert!(!record.completed && !fault.delivers(), "{fault:?}");
            assert_eq!(record.delivered_users(), 0, "{fault:?}");
        }
        let whole = get(&server, path).await;
        assert_eq!(whole.status, 200);
        let record = server.requests().pop().unwrap();
        assert!(record.completed);
        assert_eq!((record.delivered_users(), record.fault), (served, None));
    }
}

#[tokio::test]
async fn a_truncated_body_promises_more_than_it_brings() {
    let (server, path, _) = star().await;
    let whole = get(&server, &path).await.body;
    let promised = whole.len().to_string();
    for (keep, sent) in [(0, 0), (40, 40), (whole.len(), whole.len() - 1)] {
        let (answer, _) = meet(&server, &path, Fault::Truncated { keep }).await;
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.header("content-length")), (200, Some(&*promised)));
        assert_eq!(answer.body, whole[..sent]);
    }
}

#[tokio::test]
async fn a_stall_holds_the_connection_and_then_drops_it() {
    let (server, path, _) = star().await;
    let hold = Duration::from_millis(120);
    let asked = Instant::now();
    let (answer, _) = meet(&server, &path, Fault::Stalled { keep: 7, hold }).await;
    assert_eq!(answer.unwrap().body.len(), 7);
    assert!(asked.elapsed() >= hold);
}

#[tokio::test]
async fn a_slow_body_is_whole_in_the_end() {
    let (server, path, _) = star().await;
    let whole = get(&server, &path).await.body;
    let fault = Fault::SlowDrip { pieces: 4, pause: Duration::from_millis(20) };
    let asked = Instant::now();
    let (answer, record) = meet(&server, &path, fault).await;
    assert!(asked.elapsed() >= Duration::from_millis(80));
    assert_eq!(answer.unwrap().body, whole);
    assert!(record.completed && fault.delivers());
}

#[tokio::test]
async fn a_damaged_gzip_cannot_be_unpacked() {
    let (server, path, _) = star().await;
    let (answer, _) = meet(&server, &path, Fault::BadGzip).await;
    let answer = answer.unwrap();
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    let mut unpacked = Vec::new();
    let read = flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut unpacked);
    assert!(read.is_err() && unpacked.is_empty());
}

#[tokio::test]
async fn half_of_the_json_comes_with_an_honest_length() {
    let (server, path, _) = star().await;
    let (answer, _) = meet(&server, &path, Fault::TruncatedJson).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(usize::try_from(answer.number("content-length")).unwrap(), answer.body.len());
    assert!(answer.body.len() > 100 && answer.body.starts_with(b"{"));
    assert!(serde_json::from_slice::<serde_json::Value>(&answer.body).is_err());
}

#[tokio::test]
async fn a_page_without_its_rows_keeps_all_else() {
    let (server, v2, v1) = star().await;
    let (answer, _) = meet(&server, &v2, Fault::MissingData).await;
    assert_eq!(answer.unwrap().json(), json!({"meta": {"result_count": 10}}));
    let (answer, _) = meet(&server, &v1, Fault::MissingData).await;
    let json = answer.unwrap().json();
    assert!(json.get("ids").is_none() && json["next_cursor"].as_i64() > Some(0));
}

#[tokio::test]
async fn unknown_fields_stand_beside_right_ones() {
    let (server, v2, v1) = star().await;
    let (plain_v2, plain_v1) = (get(&server, &v2).await, get(&server, &v1).await);
    let (answer, record) = meet(&server, &v2, Fault::UnknownFields).await;
    let answer = answer.unwrap();
    assert_eq!(answer.v2_ids(), plain_v2.v2_ids());
    let json = answer.json();
    for object in [&json, &json["meta"], &json["data"][3]] {
        assert!(object.get("zz_new").is_some() && object.get("aa_new").is_some());
    }
    assert_eq!(record.delivered_users(), 10);
    let (answer, _) = meet(&server, &v1, Fault::UnknownFields).await;
    assert_eq!(answer.unwrap().v1_ids(), plain_v1.v1_ids());
}
