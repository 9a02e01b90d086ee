//! What goes wrong on the wire, and what becomes of it.

use std::time::Duration;

use super::*;
use crate::canned::{Canned, Manner, Server};

const V2_PAGE: &str =
    r#"{"data":[{"id":"12","name":"C","new":{"x":[1]}}],"meta":{"result_count":1}}"#;

fn limits() -> Limits {
    let short = Duration::from_millis(150);
    Limits { read: short, total: 4 * short, idle: short / 3, body_bytes: 4000, ..Limits::default() }
}

fn connect(kind: SourceKind, server: &Server) -> Arc<dyn Source> {
    kind.connect_within(&server.url, Credential::of_test(), limits()).unwrap()
}

fn request() -> PageRequest {
    let (account, list) = (AccountId::from(7), List::Followers);
    PageRequest { account, list, cursor: None, page_size: 3, profiles: false }
}

async fn page(kind: SourceKind, answer: Canned) -> Result<Page, SourceError> {
    let server = Server::in_turn([answer]).await;
    connect(kind, &server).page(&request()).await
}

async fn check(kind: SourceKind, answer: Canned, expected: Trouble) -> String {
    let said = format!("{answer:?}");
    let error = page(kind, answer).await.expect_err(&said);
    assert_eq!(error.trouble, expected, "{said}: {error}");
    error.detail
}

#[tokio::test]
async fn answers_that_break_off_or_never_come_are_asked_for_again() {
    let given = |manner| Canned::new(200, V2_PAGE).given(manner);
    let lost = Trouble::Lost;
    let detail = check(SourceKind::XV2, given(Manner::Stall), lost).await;
    assert!(detail.starts_with("no answer in time"), "{detail}");
    let detail = check(SourceKind::XV2, given(Manner::Reset), lost).await;
    assert!(detail.starts_with("no answer: "), "{detail}");
    let drip = given(Manner::Drip(Duration::from_millis(40)));
    let detail = check(SourceKind::XV2, drip, lost).await;
    assert!(detail.starts_with("no answer in time"), "{detail}");
}

#[tokio::test]
async fn bodies_that_cannot_be_right_are_asked_for_again() {
    for kind in SourceKind::ALL {
        let html = "<html>Attention required</html>";
        for (status, body) in
            [(200, html), (200, ""), (200, "{\"data\":[{"), (503, html), (403, html)]
        {
            // A good status may have been charged; the others were not.
            let expected = if status == 200 { Trouble::Lost } else { Trouble::Transient };
            check(kind, Canned::new(status, body), expected).await;
        }
        let packed = Canned::new(200, V2_PAGE).with("content-encoding", "gzip");
        check(kind, packed, Trouble::Lost).await;
        check(kind, Canned::new(200, " ".repeat(5000)), Trouble::Lost).await;
        check(kind, Canned::new(401, html), Trouble::Credentials).await;
    }
    let beyond = r#"{"ids":[9223372036854775808],"next_cursor":0}"#;
    check(SourceKind::XV1, Canned::new(200, beyond), Trouble::Lost).await;
    // What is cut at the limit may look whole.
    let long = format!("{V2_PAGE}{}", " ".repeat(5000));
    check(SourceKind::XV2, Canned::new(200, long), Trouble::Lost).await;
}

#[tokio::test]
async fn a_good_status_of_v1_with_errors_is_believed() {
    let coded = |code: u32| Canned::new(200, format!(r#"{{"errors":[{{"code":{code}}}]}}"#));
    let check = async |code, expected| check(SourceKind::XV1, coded(code), expected).await;
    check(34, Trouble::Target(State::Missing)).await;
    check(63, Trouble::Target(State::Suspended)).await;
    check(88, Trouble::Window { until: None }).await;
    check(89, Trouble::Credentials).await;
    check(130, Trouble::Lost).await;
}

#[tokio::test]
async fn unknown_fields_and_short_pages_are_answers() {
    let page_of = async |body: &str| page(SourceKind::XV2, Canned::new(200, body)).await.unwrap();
    assert_eq!(page_of(V2_PAGE).await.ids, [AccountId::from(12)]);
    let more = page_of(r#"{"data":[{"id":"1"}],"meta":{"result_count":1,"next_token":"T"}}"#).await;
    assert!(more.next.is_some(), "a short page need not be the last one");
}

#[tokio::test]
async fn every_window_that_was_heard_of_is_given_back() {
    let answer = Canned::new(200, V2_PAGE)
        .window(14, 900)
        .with("x-app-limit-24hour-remaining", 7)
        .with("x-app-limit-24hour-reset", crate::canned::DATE + 80_000);
    let page = page(SourceKind::XV2, answer).await.unwrap();
    assert_eq!(page.windows.iter().map(|w| w.remaining).collect::<Vec<_>>(), [14, 7]);
}

#[tokio::test]
async fn redirects_are_followed_at_home_and_a_few_times_only() {
    let on = |to: &str| Canned::new(307, "").with("location", to);
    let hops = |n| (0..n).map(|_| on("/elsewhere?x=1")).chain([Canned::new(200, V2_PAGE)]);
    let server = Server::in_turn(hops(3)).await;
    connect(SourceKind::XV2, &server).page(&request()).await.unwrap();
    assert_eq!(server.paths().len(), 4);
    assert!(server.requests()[3].to_ascii_lowercase().contains("authorization: bearer"));
    let server = Server::in_turn(hops(4)).await;
    let error = connect(SourceKind::XV2, &server).page(&request()).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Bug);
    let detail = check(SourceKind::XV2, on("https://example.org/a?q=secret"), Trouble::Bug).await;
    assert_eq!(detail, "HTTP 307: sent on to https://example.org/a; check the base URL");
}

#[tokio::test]
async fn a_connection_that_died_during_a_wait_is_not_used_again() {
    let server = Server::start(|_| Canned::new(200, V2_PAGE).given(Manner::GoDeaf)).await;
    let source = connect(SourceKind::XV2, &server);
    source.page(&request()).await.unwrap();
    tokio::time::sleep(limits().idle + Duration::from_millis(20)).await;
    source.page(&request()).await.unwrap();
    // Without the wait the connection is still trusted, which shows that the server is deaf.
    let error = source.page(&request()).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Lost);
}

#[tokio::test]
async fn a_page_brings_whole_profiles_and_a_damaged_field_costs_that_field_only() {
    let body = r#"{"data":[
        {"id":"1","username":"one","name":"One","created_at":"2010-05-01T12:00:00.000Z","verified":true,
         "verified_type":"blue","pinned_tweet_id":"5","description":"d","location":"l","url":"u",
         "profile_image_url":"p","protected":false,"entities":{"url":{"urls":[]}},"withheld":{"country_codes":["XX"]},
         "public_metrics":{"followers_count":1,"following_count":2,"tweet_count":3,"listed_count":4,"like_count":5,"media_count":6}},
        {"id":"2","name":"\ud800","location":1e999,"created_at":"long ago","verified":"maybe","pinned_tweet_id":[],"public_metrics":{"like_count":-1,"tweet_count":7}}],
        "includes":{"tweets":[{"id":"5","text":"hi"},{"no":"id"}]},
        "errors":[{"title":"Not Found Error","detail":"test-token%2F%3D"}],"meta":{"result_count":2}}"#;
    let server = Server::in_turn([Canned::new(200, body)]).await;
    let wanted = PageRequest { profiles: true, ..request() };
    let page = connect(SourceKind::XV2, &server).page(&wanted).await.unwrap();
    assert_eq!(page.ids, [1, 2].map(AccountId::from));
    let [one, two] = &page.profiles[..] else { panic!("{page:?}") };
    assert_eq!(
        (one.pinned_tweet_id, one.pinned_tweet.as_deref()),
        (Some(5), Some(r#"{"id":"5","text":"hi"}"#))
    );
    assert_eq!((one.like_count, one.media_count, one.verified), (Some(5), Some(6), Some(true)));
    assert_eq!(one.withheld.as_deref(), Some(r#"{"country_codes":["XX"]}"#));
    assert_eq!(one.entities.as_deref(), Some(r#"{"url":{"urls":[]}}"#));
    assert_eq!((two.profile.created_at, two.verified, two.like_count), (None, None, None));
    assert_eq!((two.pinned_tweet_id, two.profile.tweet_count), (None, Some(7)));
    assert!(page.problems.unwrap().contains("REDACTED"));
    let path = &server.paths()[0];
    for part in ["verified_type", "expansions=pinned_tweet_id", "tweet.fields=created_at%2Ctext"] {
        assert!(path.contains(part), "{path}");
    }
}

#[tokio::test]
async fn a_look_up_brings_whole_profiles_from_either_generation() {
    let v1 = r#"[{"id_str":"7","screen_name":"Seven","description":"d","verified":false,"favourites_count":9,
        "profile_image_url_https":"p","entities":{"a":1},"withheld_in_countries":["XX"],"listed_count":"many"}]"#;
    let v2 = r#"{"data":[{"id":"7","username":"Seven","description":"d","verified":false,
        "public_metrics":{"like_count":9},"profile_image_url":"p","entities":{"a":1},"withheld":["XX"]}]}"#;
    for (kind, body) in [(SourceKind::XV1, v1), (SourceKind::XV2, v2)] {
        let server = Server::in_turn([Canned::new(200, body)]).await;
        let who = [AccountId::from(7)];
        let source = connect(kind, &server);
        let found = source.profiles(Who::Ids(&who), Detail::Full).await.unwrap().found;
        let seven = &found[0];
        assert_eq!((seven.like_count, seven.verified), (Some(9), Some(false)), "{kind}");
        assert_eq!(seven.entities.as_deref(), Some(r#"{"a":1}"#), "{kind}");
        assert_eq!(seven.withheld.as_deref(), Some(r#"["XX"]"#), "{kind}");
        assert_eq!(seven.profile.listed_count, None);
    }
}
