//! Both generations on the wire: synthetic pages in the shapes that were recorded.

use super::*;
use crate::canned::{Canned, DATE, Server, parameter};
use crate::conformance::{self, Truth};

fn connect(kind: SourceKind, server: &Server) -> Arc<dyn Source> {
    kind.connect(&server.url, Credential::of_test()).unwrap()
}

fn request(cursor: Option<&str>) -> PageRequest {
    PageRequest {
        account: AccountId::from(7),
        list: List::Followers,
        cursor: cursor.map(Cursor::new),
        page_size: 3,
        profiles: false,
    }
}

async fn page(kind: SourceKind, answer: Canned) -> Result<Page, SourceError> {
    let server = Server::in_turn([answer]).await;
    connect(kind, &server).page(&request(None)).await
}

fn raw(page: &Page) -> Vec<i64> {
    page.ids.iter().map(|id| id.get()).collect()
}

const V1_PAGE: &str = r#"{"previous_cursor":0,"ids":["9007199254740993",12,"9223372036854775807"],
    "previous_cursor_str":"0","next_cursor":1591087837626119954,
    "next_cursor_str":"1591087837626119954","total_count":null}"#;

const V2_PAGE: &str = r#"{"data":[{"id":"9007199254740993","name":"A B","username":"a_b"},
    {"username":"c","id":"12","name":"C"}],"meta":{"result_count":2,"next_token":"DFEDBNRFT3MHCZZZ"}}"#;

#[tokio::test]
async fn a_page_of_v1_keeps_ids_and_cursor_exact() {
    let page = page(SourceKind::XV1, Canned::new(200, V1_PAGE).gzip()).await.unwrap();
    assert_eq!(raw(&page), [9_007_199_254_740_993, 12, i64::MAX]);
    assert_eq!(page.next, Some(Cursor::new("1591087837626119954")));
    assert_eq!(page.boundary.unwrap().to_string(), "2018-01-31T06:20:05.89Z");
}

#[tokio::test]
async fn a_page_of_v2_keeps_ids_and_cursor_exact() {
    let page = page(SourceKind::XV2, Canned::new(200, V2_PAGE).gzip()).await.unwrap();
    assert_eq!(raw(&page), [9_007_199_254_740_993, 12]);
    assert_eq!(page.next, Some(Cursor::new("DFEDBNRFT3MHCZZZ")));
    assert_eq!(page.boundary.unwrap().to_string(), "2019-12-07T04:03:39.133Z");
}

#[tokio::test]
async fn an_empty_page_ends_a_list_only_without_a_cursor() {
    let empty = r#"{"meta":{"result_count":0,"previous_token":"X"}}"#;
    let page_of = |kind, body: &'static str| page(kind, Canned::new(200, body));
    let last = page_of(SourceKind::XV2, empty).await.unwrap();
    assert_eq!((last.ids, last.next), (vec![], None));
    let more = r#"{"meta":{"result_count":0,"next_token":"DFEDBNRFT3MHCZZZ"}}"#;
    assert!(page_of(SourceKind::XV2, more).await.unwrap().next.is_some());
    let last = r#"{"ids":[],"next_cursor":0,"next_cursor_str":"0"}"#;
    let last = page_of(SourceKind::XV1, last).await.unwrap();
    assert_eq!((last.ids, last.next), (vec![], None));
}

#[tokio::test]
async fn requests_carry_the_token_and_the_cursor_verbatim() {
    let server = Server::in_turn([
        Canned::new(200, V2_PAGE),
        Canned::new(200, V2_PAGE),
        Canned::new(200, V1_PAGE),
        Canned::new(200, V1_PAGE),
    ])
    .await;
    for kind in [SourceKind::XV2, SourceKind::XV1] {
        let source = connect(kind, &server);
        source.page(&request(None)).await.unwrap();
        source.page(&request(Some("1591087837626119954"))).await.unwrap();
    }
    let v1 = |cursor| {
        format!("/1.1/followers/ids.json?user_id=7&count=3&stringify_ids=true&cursor={cursor}")
    };
    assert_eq!(
        server.paths(),
        [
            "/2/users/7/followers?max_results=3".to_owned(),
            "/2/users/7/followers?max_results=3&pagination_token=1591087837626119954".to_owned(),
            v1("-1"),
            v1("1591087837626119954"),
        ]
    );
    for head in server.requests() {
        let head = head.to_ascii_lowercase();
        assert!(head.contains("authorization: bearer test-token%2f%3d\r\n"), "{head}");
        assert!(head.contains(concat!("user-agent: followgraph/", env!("CARGO_PKG_VERSION"))));
        assert!(head.contains("accept-encoding: gzip"), "{head}");
    }
}

#[tokio::test]
async fn times_and_windows_are_the_servers() {
    let answer = Canned::new(200, V2_PAGE).window(14, 900);
    let page = page(SourceKind::XV2, answer).await.unwrap();
    let late = page.fetched_at.as_second() - DATE;
    assert!((0..60).contains(&late), "{late} s after the server's own time");
    let window = page.windows[0];
    assert_eq!((window.remaining, window.reset.as_second()), (14, DATE + 900));
}

#[tokio::test]
async fn refusals_are_told_apart_and_count_as_requests() {
    let body = r#"{"request":"\/1.1\/followers\/ids.json","error":"Not authorized."}"#;
    let error = page(SourceKind::XV1, Canned::new(401, body).window(3, 900)).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Target(State::NotAuthorized));
    assert_eq!(error.windows[0].remaining, 3);
    let error = page(SourceKind::XV2, Canned::new(429, "").window(0, 60)).await.unwrap_err();
    let until = jiff::Timestamp::from_second(DATE + 60).unwrap();
    assert_eq!(error.trouble, Trouble::Window { until: Some(until) });
    let error = page(SourceKind::XV2, Canned::new(503, "<html>")).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Transient);
    for damaged in ["{\"data\":[{\"id\":\"1", "{\"data\":[{\"id\":\"1.43E+18\"}]}", "[]"] {
        let error = page(SourceKind::XV2, Canned::new(200, damaged)).await.unwrap_err();
        assert_eq!(error.trouble, Trouble::Lost, "{damaged}");
    }
}

#[tokio::test]
async fn a_page_of_v2_that_lost_its_end_or_its_rows_is_not_the_last_one() {
    let check = async |body: &'static str, expected: &str| {
        let error = page(SourceKind::XV2, Canned::new(200, body)).await.unwrap_err();
        assert_eq!(error.trouble, Trouble::Lost, "{body}");
        assert!(error.detail.contains(expected), "{error}");
    };
    check(r#"{"data":[{"id":"1"},{"id":"2"}]}"#, "missing field `meta`").await;
    check(r#"{"data":[{"id":"1"}],"meta":{}}"#, "missing field `result_count`").await;
    let counts = "the page counts 1000 rows and holds 0";
    check(r#"{"meta":{"result_count":1000}}"#, counts).await;
    check(r#"{"data":[],"meta":{"result_count":1000}}"#, counts).await;
    check(r#"{"data":[{"id":"1"}],"meta":{"result_count":2,"next_token":"T"}}"#, "holds 1").await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_passing_trouble() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let source = SourceKind::XV2.connect(&url, Credential::of_test()).unwrap();
    let error = source.page(&request(None)).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Transient);
    assert!(error.detail.starts_with("no answer: "), "{error}");
}

#[tokio::test]
async fn the_token_stays_at_home() {
    let other = Server::in_turn([Canned::new(200, V2_PAGE)]).await;
    let away = Canned::new(302, "").with("location", format!("{}/2/users/7/followers", other.url));
    let error = page(SourceKind::XV2, away).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Bug);
    assert!(other.requests().is_empty(), "another host was asked");
    // An answer that quotes the request does not bring the token into a message.
    let quoting = r#"{"title":"Bad","detail":"cannot use Bearer test-token%2F%3D here"}"#;
    let error = page(SourceKind::XV2, Canned::new(400, quoting)).await.unwrap_err();
    assert!(error.detail.contains("REDACTED") && !format!("{error:?}").contains("test-token"));
}

#[tokio::test]
async fn an_answer_that_echoes_the_token_does_not_bring_it_into_a_message() {
    let secret = "test-token%2F%3D";
    let id = format!(r#"{{"data":[{{"id":"{secret}"}}],"meta":{{"result_count":1}}}}"#);
    let long_id = id.replace(secret, &format!("{}{secret}", "x".repeat(35)));
    let shape = format!(r#"{{"data":"{secret}"}}"#);
    // Wherever the text is cut, no part of the token may be left at its end.
    let details = (140..180).map(|n| format!(r#"{{"detail":"{}{secret}"}}"#, "x".repeat(n)));
    let v2 = [id, long_id, shape].map(|body| (SourceKind::XV2, 200, body)).into_iter();
    let v2 = v2.chain(details.map(|body| (SourceKind::XV2, 400, body)));
    let ids = format!(r#"{{"ids":["{secret}"],"next_cursor":0}}"#);
    let split = r#"{"error":"test-\u0007token%2F%3D"}"#.to_owned();
    let v1 = [(SourceKind::XV1, 200, ids), (SourceKind::XV1, 401, split)];
    for (kind, status, body) in v2.chain(v1) {
        let error = page(kind, Canned::new(status, body.clone())).await.unwrap_err();
        assert!(!format!("{error:?}").contains("test-"), "{body}: {error}");
    }
    let profiles = [
        (SourceKind::XV2, format!(r#"{{"data":[{{"id":"{secret}"}}]}}"#)),
        (SourceKind::XV1, format!(r#"[{{"id_str":"{secret}"}}]"#)),
    ];
    for (kind, body) in profiles {
        let server = Server::in_turn([Canned::new(200, body)]).await;
        let who = [AccountId::from(7)];
        let error =
            connect(kind, &server).profiles(Who::Ids(&who), Detail::Brief).await.unwrap_err();
        assert!(error.detail.contains("REDACTED") && !format!("{error:?}").contains("test-"));
    }
}

#[tokio::test]
async fn details_are_short_and_on_one_line() {
    let long = format!(r#"{{"detail":"a\n\u001b[31m{}"}}"#, "x".repeat(500));
    let detail = page(SourceKind::XV2, Canned::new(400, long)).await.unwrap_err().detail;
    assert!(detail.len() < 200 && !detail.contains(['\n', '\u{1b}']), "{detail}");
}

#[test]
fn a_source_is_shown_without_secrets() {
    for kind in SourceKind::ALL {
        let error =
            kind.connect("https://me:sesame@api.x.com", Credential::of_test()).err().unwrap();
        assert!(!format!("{error} {error:?}").contains("sesame"));
        let source = kind.connect("https://api.x.com/", Credential::of_test()).unwrap();
        assert!(source.to_string().ends_with("at https://api.x.com"), "{source}");
    }
}

#[tokio::test]
async fn a_look_up_of_v2_tells_why_somebody_is_absent() {
    let body = r#"{"data":[{"id":"7","username":"Seven","name":"S","created_at":"2010-05-01T12:00:00.000Z",
        "protected":true,"public_metrics":{"followers_count":5,"following_count":6,"tweet_count":7,"listed_count":8}}],
        "errors":[{"value":"8","detail":"User has been suspended: [8].","title":"Forbidden","resource_type":"user",
        "parameter":"ids","resource_id":"8","type":"https://api.twitter.com/2/problems/resource-not-found"},
        {"value":"9","title":"Not Found Error","resource_id":"9","type":"https://api.twitter.com/2/problems/resource-not-found"}]}"#;
    let server = Server::in_turn([Canned::new(200, body)]).await;
    let ids = [7, 8, 9].map(AccountId::from);
    let lookup =
        connect(SourceKind::XV2, &server).profiles(Who::Ids(&ids), Detail::Brief).await.unwrap();
    let profile = &lookup.found[0].profile;
    assert_eq!((profile.followers_count, profile.following_count), (Some(5), Some(6)));
    assert_eq!((profile.protected, profile.username.as_deref()), (Some(true), Some("Seven")));
    let absent =
        [(AccountRef::Id(ids[1]), State::Suspended), (AccountRef::Id(ids[2]), State::Missing)];
    assert_eq!(lookup.absent, absent);
    assert!(server.paths()[0].starts_with("/2/users?ids=7%2C8%2C9&user.fields="));
}

#[tokio::test]
async fn a_look_up_of_nobody_is_empty_and_no_error() {
    let v2 = r#"{"errors":[{"value":"ghost","title":"Not Found Error","resource_id":"ghost","parameter":"usernames",
        "type":"https://api.twitter.com/2/problems/resource-not-found"}]}"#;
    let names: [Username; 1] = ["Ghost".parse().unwrap()];
    let server = Server::in_turn([Canned::new(200, v2)]).await;
    let lookup = connect(SourceKind::XV2, &server)
        .profiles(Who::Names(&names), Detail::Brief)
        .await
        .unwrap();
    assert_eq!(lookup.absent, [(AccountRef::Name(names[0].clone()), State::Missing)]);
    let v1 = r#"{"errors":[{"code":17,"message":"No user matches for specified terms."}]}"#;
    let server = Server::in_turn([Canned::new(404, v1)]).await;
    let lookup = connect(SourceKind::XV1, &server)
        .profiles(Who::Names(&names), Detail::Brief)
        .await
        .unwrap();
    assert_eq!(lookup, Lookup::default());
}

/// Forty-six followers in pages of any size, whose cursors are what comes next.
fn member(i: usize) -> i64 {
    9_007_199_254_740_993 + i64::try_from(i).unwrap() * 7
}

const MEMBERS: usize = 46;

/// A number that hides a follow time, and counts down from one row to the next.
fn cursor_at(row: usize) -> i64 {
    (1_700_000_000_000 - i64::try_from(row).unwrap() * 1000) << 20
}

fn slice(path: &str, size: &str, cursor: &str) -> (Vec<i64>, Option<i64>) {
    let size: usize = parameter(path, size).unwrap().parse().unwrap();
    let sent = parameter(path, cursor).and_then(|c| c.parse::<i64>().ok()).filter(|c| *c > 0);
    let from = sent.map_or(0, |c| (0..MEMBERS).find(|row| cursor_at(*row) == c).unwrap());
    let to = (from + size).min(MEMBERS);
    ((from..to).map(member).collect(), (to < MEMBERS).then(|| cursor_at(to)))
}

const NOT_FOUND: &str = r#"{"errors":[{"code":34,"resource_id":"99","value":"99","title":"Not Found Error",
    "type":"https://api.twitter.com/2/problems/resource-not-found"}]}"#;

fn world_v1(path: &str) -> Canned {
    if path.starts_with("/1.1/users/lookup") {
        return Canned::new(200, r#"[{"id":7,"id_str":"7","screen_name":"Seven"}]"#);
    }
    if parameter(path, "user_id") != Some("7") {
        return Canned::new(404, NOT_FOUND);
    }
    let (ids, next) = slice(path, "count", "cursor");
    let next = next.unwrap_or(0);
    Canned::new(
        200,
        format!(r#"{{"ids":{ids:?},"next_cursor":{next},"next_cursor_str":"{next}"}}"#),
    )
}

fn world_v2(path: &str) -> Canned {
    if path.starts_with("/2/users?") || path.starts_with("/2/users/by?") {
        return Canned::new(200, r#"{"data":[{"id":"7","name":"S","username":"Seven"}]}"#);
    }
    if !path.starts_with("/2/users/7/") {
        return Canned::new(200, NOT_FOUND);
    }
    let (ids, next) = slice(path, "max_results", "pagination_token");
    let users: Vec<_> = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
    let next = next.map_or(String::new(), |n| format!(r#","next_token":"{n}""#));
    let (users, count) = (users.join(","), users.len());
    Canned::new(200, format!(r#"{{"data":[{users}],"meta":{{"result_count":{count}{next}}}}}"#))
}

#[tokio::test]
async fn both_generations_keep_what_a_source_promises() {
    let truth = Truth {
        account: AccountId::from(7),
        name: "seven".parse().unwrap(),
        list: List::Followers,
        members: (0..MEMBERS).map(|i| AccountId::new(member(i)).unwrap()).collect(),
        page_size: 10,
        missing: AccountId::from(99),
        missing_states: vec![State::Missing],
    };
    let v1 = Server::start(world_v1).await;
    assert_eq!(conformance::check(&*connect(SourceKind::XV1, &v1), &truth).await, Ok(()));
    let v2 = Server::start(world_v2).await;
    assert_eq!(conformance::check(&*connect(SourceKind::XV2, &v2), &truth).await, Ok(()));
    let wrong = Truth { members: truth.members[1..].to_vec(), ..truth };
    assert!(conformance::check(&*connect(SourceKind::XV2, &v2), &wrong).await.is_err());
}
