//! Whole batches against canned networks: what is stored when things go well, and when not.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use snapshot::{AccountId, Columns, Coverage, Cut, List, Run, State, Store};

use crate::canned::{Canned, DATE, Server, parameter};
use crate::*;

/// Hears events as short words.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Progress for Heard {
    fn event(&self, event: &Event<'_>) {
        let word = match event {
            Event::Waiting { endpoint, until, .. } => {
                format!("wait {endpoint} {}", until.as_second() - DATE)
            }
            Event::Retry { attempt, .. } => format!("retry {attempt}"),
            Event::Page { list, ids_so_far, .. } => format!("page {list} {ids_so_far}"),
            Event::CrawlFinished { crawl, .. } => format!("{} {}", crawl.account, crawl.state),
            _ => return,
        };
        self.0.lock().unwrap().push(word);
    }
}

struct Place {
    _folder: tempfile::TempDir,
    store: Store,
    heard: Heard,
    stop: Stop,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        Self { _folder: folder, store, heard: Heard::default(), stop: Stop::new() }
    }

    async fn run(&self, server: &Server, batch: &Batch) -> Result<BatchReport, Error> {
        self.run_as(SourceKind::XV2, server, batch).await
    }

    async fn run_as(
        &self,
        kind: SourceKind,
        server: &Server,
        batch: &Batch,
    ) -> Result<BatchReport, Error> {
        let source = kind.connect(&server.url, Credential::of_test()).unwrap();
        run(&self.store, &[source], batch, &self.heard, &self.stop).await
    }

    fn only_run(&self) -> Run {
        let mut runs = self.store.runs().unwrap();
        assert_eq!(runs.len(), 1);
        runs.remove(0)
    }

    fn heard(&self) -> Vec<String> {
        self.heard.0.lock().unwrap().clone()
    }
}

fn batch(accounts: &[&str], lists: &[List]) -> Batch {
    let mut batch = Batch::new(accounts.iter().map(|a| a.parse().unwrap()), lists);
    let delay = Duration::from_millis(1);
    batch.retries = Retries { times: 3, delay_min: delay, delay_max: delay };
    batch
}

fn is_lookup(path: &str) -> bool {
    path.starts_with("/2/users?") || path.starts_with("/2/users/by?")
}

fn problem(id: &str, title: &str, kind: &str) -> String {
    format!(
        r#"{{"resource_id":"{id}","title":"{title}","type":"https://api.x.com/2/problems/{kind}"}}"#
    )
}

fn refused(id: &str, title: &str, kind: &str) -> Canned {
    Canned::new(200, format!(r#"{{"errors":[{}]}}"#, problem(id, title, kind)))
}

/// A token that hides a follow time, older for larger rows.
fn token(row: i64) -> String {
    ((1_700_000_000_000 - row * 1000) << 20).to_string()
}

fn page(ids: &[i64], next: Option<String>) -> Canned {
    let users: Vec<_> = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
    let next = next.map_or(String::new(), |n| format!(r#","next_token":"{n}""#));
    let (users, count) = (users.join(","), ids.len());
    Canned::new(200, format!(r#"{{"data":[{users}],"meta":{{"result_count":{count}{next}}}}}"#))
}

fn cut(after_page: u32, why: Cut) -> State {
    State::Read(Coverage::CutShort { after_page, why })
}

/// Looks up 1 as `@one`, and nobody else; the pages of its lists come from `pages`.
async fn network(pages: impl Fn(&str) -> Canned + Send + Sync + 'static) -> Server {
    Server::start(move |path| {
        if is_lookup(path) {
            return Canned::new(
                200,
                r#"{"data":[{"id":"1","username":"one","public_metrics":{"followers_count":4}}]}"#,
            );
        }
        pages(path)
    })
    .await
}

#[tokio::test]
async fn a_list_of_several_pages_becomes_one_complete_crawl() {
    let big = 9_007_199_254_740_993;
    let server = network(move |path| match parameter(path, "pagination_token") {
        None => page(&[big, 5], Some(token(2))),
        Some(t) if t == token(2) => page(&[], Some(token(3))),
        Some(t) if t == token(3) => page(&[5, 3], None),
        Some(other) => panic!("{other}"),
    })
    .await;
    let place = Place::new();
    let report = place.run(&server, &batch(&["@One", "1"], &[List::Followers])).await.unwrap();
    assert!(report.is_complete() && report.failures.is_empty());
    assert_eq!(report.states(), [("complete", 1)].into());
    assert_eq!(report.requests, 5, "two look-ups and three pages");
    let run = place.only_run();
    let crawl = &run.crawls().unwrap()[0];
    assert_eq!((crawl.ids, crawl.duplicates, crawl.pages, crawl.requests), (3, 1, 3, 3));
    assert_eq!((crawl.reported_count, crawl.source.as_str()), (Some(4), "x_v2"));
    assert!((crawl.started_at.as_second() - DATE).abs() < 60, "{}", crawl.started_at);
    let pages = run.pages().unwrap();
    let shown: Vec<_> = pages.iter().map(|p| (p.page, p.ids, p.first_position)).collect();
    assert_eq!(shown, [(0, 2, 0), (1, 0, 2), (2, 2, 2)]);
    assert_eq!(pages[1].cursor, Some(token(2)));
    let rows = run.list(List::Followers).unwrap().all(Columns::default()).load().unwrap();
    assert_eq!(rows.members, [3, 5, big]);
    assert_eq!(run.profiles().unwrap()[0].username.as_deref(), Some("one"));
}

#[tokio::test]
async fn accounts_that_cannot_be_seen_are_results() {
    let server = Server::start(|path| {
        let forbidden = problem("3", "Forbidden", "resource-not-found");
        let missing = problem("4", "Not Found Error", "resource-not-found");
        let ghost = problem("ghost", "Not Found Error", "resource-not-found");
        let banned = problem("banned", "Forbidden", "resource-not-found");
        match path {
            p if p.starts_with("/2/users?") => Canned::new(
                200,
                format!(r#"{{"data":[{{"id":"1"}},{{"id":"2","protected":true}}],"errors":[{forbidden},{missing}]}}"#),
            ),
            p if p.starts_with("/2/users/by?") => {
                Canned::new(200, format!(r#"{{"errors":[{ghost},{banned}]}}"#))
            }
            p if p.starts_with("/2/users/1/") => page(&[7], None),
            _ => refused("2", "Authorization Error", "not-authorized-for-resource"),
        }
    })
    .await;
    let place = Place::new();
    let accounts = ["1", "2", "3", "4", "@Ghost", "@banned"];
    let report = place.run(&server, &batch(&accounts, &[List::Followers])).await.unwrap();
    assert!(report.is_complete() && report.fatal.is_none());
    let lost: Vec<_> =
        report.unresolved.iter().map(|u| format!("{} {}", u.account, u.state)).collect();
    assert_eq!(lost, ["@Ghost missing", "@banned suspended"]);
    let crawls = place.only_run().crawls().unwrap();
    let states: Vec<_> = crawls.iter().map(|c| (c.account.get(), c.state, c.requests)).collect();
    let expected = [
        (1, State::Read(Coverage::Complete), 1),
        (2, State::Protected, 1),
        (3, State::Suspended, 0),
        (4, State::Missing, 0),
    ];
    assert_eq!(states, expected);
    assert_eq!(server.paths().len(), 4, "no list of the suspended and the missing was asked for");
}

#[tokio::test]
async fn nobody_of_that_name_is_a_report_and_no_failure() {
    let server = Server::start(|_| refused("ghost", "Not Found Error", "resource-not-found")).await;
    let place = Place::new();
    let report = place.run(&server, &batch(&["@ghost"], &List::ALL)).await.unwrap();
    assert!(report.published.is_none() && report.unresolved.len() == 1);
    assert!(place.store.run_ids().unwrap().is_empty());
}

#[tokio::test]
async fn v1_passes_over_names_and_the_report_does_not_guess_why() {
    let server = Server::start(|path| match path {
        p if p.starts_with("/1.1/users/lookup") => {
            Canned::new(200, r#"[{"id_str":"1","screen_name":"one"}]"#)
        }
        _ => Canned::new(200, r#"{"ids":["7"],"next_cursor_str":"0"}"#),
    })
    .await;
    let (place, all) = (Place::new(), batch(&["@one", "@ghost"], &[List::Followers]));
    let report = place.run_as(SourceKind::XV1, &server, &all).await.unwrap();
    assert_eq!(report.unresolved[0].state, State::Missing);
    let shown = report.unresolved[0].to_string();
    assert_eq!(shown, "@ghost: suspended or missing; the network does not say which");
    let run = place.only_run();
    let kept = |key: &str| run.manifest().parameters.get(key).cloned().unwrap_or_default();
    assert_eq!(kept("source"), format!("X API v1.1 at {}", server.url));
    let kept = ["lists", "concurrency", "page_size"].map(kept);
    assert_eq!(kept, ["followers", "8", "5000"]);
}

#[tokio::test]
async fn a_refused_look_up_makes_nobody_missing() {
    let refused = r#"{"request":"\/1.1\/users\/lookup.json","error":"Not authorized."}"#;
    let server = Server::start(move |_| Canned::new(401, refused)).await;
    for names in [&["@one", "@two"][..], &["@one"]] {
        let (place, all) = (Place::new(), batch(names, &[List::Followers]));
        let error = place.run_as(SourceKind::XV1, &server, &all).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials, "{error}");
        assert!(place.store.run_ids().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_stop_before_anything_was_read_is_incomplete() {
    let server = network(|_| Canned::new(503, "")).await;
    let place = Place::new();
    place.stop.request();
    let error = place.run(&server, &batch(&["1"], &List::ALL)).await.unwrap_err();
    let expected = (ErrorKind::Incomplete, "stopped before anything was read");
    assert_eq!((error.kind(), error.to_string().as_str()), expected);
    // The same when the look-up still went through.
    let place = Place::new();
    let stop = place.stop.clone();
    let server = network(move |_| {
        stop.request();
        Canned::new(503, "")
    })
    .await;
    let report = place.run(&server, &batch(&["1"], &List::ALL)).await.unwrap();
    assert_eq!(report.fatal.map(|error| error.kind()), Some(ErrorKind::Incomplete));
    assert_eq!(report.unfinished.len(), 2);
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_again_with_the_same_cursor() {
    let asked = AtomicU32::new(0);
    let server = network(move |path| match parameter(path, "pagination_token") {
        None => page(&[9], Some(token(1))),
        Some(_) if asked.fetch_add(1, Ordering::Relaxed) < 2 => Canned::new(503, "<html>"),
        Some(_) => page(&[8], None),
    })
    .await;
    let place = Place::new();
    let report = place.run(&server, &batch(&["1"], &[List::Followers])).await.unwrap();
    assert!(report.is_complete());
    assert_eq!(place.only_run().crawls().unwrap()[0].requests, 4);
    let expected = ["page followers 1", "retry 1", "retry 2", "page followers 2", "1 complete"];
    assert_eq!(place.heard(), expected);
}

#[tokio::test]
async fn a_list_that_stays_in_trouble_is_left_and_then_cut_and_the_others_are_not() {
    let server = network(|path| match parameter(path, "pagination_token") {
        _ if path.contains("/following?") || path.contains("/2/users/2/") => page(&[6], None),
        None => page(&[9], Some(token(1))),
        Some(_) => Canned::new(503, "<html>"),
    })
    .await;
    let place = Place::new();
    let report = place.run(&server, &batch(&["1"], &List::ALL)).await.unwrap();
    assert!(!report.is_complete() && report.fatal.is_none() && report.published.is_none());
    assert_eq!(report.failures[0].detail, "HTTP 503: no explanation that can be read");
    let (account, list) = (AccountId::from(1), List::Followers);
    assert_eq!(report.unfinished, [Unfinished { account, list, pages: 1, ids: 1 }]);
    // It alone is no reason to believe that it will never be read.
    let again = place.run(&server, &batch(&["1"], &List::ALL)).await.unwrap();
    assert!(again.published.is_none());
    let sent = |path: &str| server.paths().iter().filter(|p| p.contains(path)).count();
    assert_eq!((sent("following?"), sent("/2/users?")), (1, 1), "neither is bought again");
    // But while others can be, it must not keep them from being seen.
    let more = Batch { key: Some("job".to_owned()), ..batch(&["1"], &List::ALL) };
    let place = Place::new();
    for accounts in [&["1"][..], &["1", "2"]] {
        let targets = batch(accounts, &List::ALL).targets;
        place.run(&server, &Batch { targets, ..more.clone() }).await.unwrap();
    }
    let crawls = place.only_run().crawls().unwrap();
    assert_eq!(crawls[0].state, cut(1, Cut::Error));
    let since = crawls[0].covered_since.unwrap();
    assert_eq!(since.as_millisecond(), 1_700_000_000_000 - 1000);
    let complete = State::Read(Coverage::Complete);
    let following = crawls.iter().find(|c| c.list == List::Following).unwrap();
    assert_eq!(following.state, complete);
}

async fn cut_by(pages: impl Fn(Option<&str>) -> Canned + Send + Sync + 'static) -> (u32, String) {
    let server = network(move |path| pages(parameter(path, "pagination_token"))).await;
    let place = Place::new();
    let report = place.run(&server, &batch(&["1"], &[List::Followers])).await.unwrap();
    match place.only_run().crawls().unwrap()[0].state {
        State::Read(Coverage::CutShort { after_page, why: Cut::Error }) => {
            (after_page, report.failures[0].detail.clone())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn paging_that_does_not_end_is_noticed() {
    let circle = "a cursor came back: the network is paging in a circle";
    let still = cut_by(|_| page(&[1], Some("SAME".to_owned()))).await;
    assert_eq!(still, (2, circle.to_owned()));
    let round =
        cut_by(|sent| page(&[1], Some(if sent == Some("A") { "B" } else { "A" }.to_owned())));
    assert_eq!(round.await, (3, circle.to_owned()));
    let back = cut_by(|sent| page(&[1], Some(token(if sent.is_some() { 1 } else { 2 })))).await;
    assert_eq!(back, (2, "a cursor did not move towards older follows".to_owned()));
    let count = AtomicU32::new(0);
    let empty =
        cut_by(move |_| page(&[], Some(format!("T{}", count.fetch_add(1, Ordering::Relaxed)))));
    assert_eq!(empty.await, (20, "one empty page after the other promised more".to_owned()));
}

#[tokio::test]
async fn a_used_up_window_is_waited_for_and_others_go_on() {
    let server = network(|path| match parameter(path, "pagination_token") {
        _ if path.contains("/following?") => page(&[6], None),
        None => page(&[9], Some(token(1))).window(0, 2),
        Some(_) => page(&[8], None).window(14, 900),
    })
    .await;
    let place = Place::new();
    let report = place.run(&server, &batch(&["1"], &List::ALL)).await.unwrap();
    assert!(report.is_complete());
    let heard = place.heard();
    let at =
        |word: &str| heard.iter().position(|h| h == word).unwrap_or_else(|| panic!("{heard:?}"));
    assert!(at("wait users/:id/followers 2") < at("page followers 2"));
    assert!(at("page following 1") < at("page followers 2"));
}

#[tokio::test]
async fn a_429_is_waited_out_and_asked_again() {
    let asked = AtomicU32::new(0);
    let server = network(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => Canned::new(429, r#"{"title":"Too Many Requests"}"#).window(0, 1),
        _ => page(&[8], None),
    })
    .await;
    let place = Place::new();
    let report = place.run(&server, &batch(&["1"], &[List::Followers])).await.unwrap();
    assert!(report.is_complete());
    assert_eq!(place.only_run().crawls().unwrap()[0].requests, 2);
}

#[tokio::test]
async fn a_429_whose_window_has_ended_already_is_not_hammered() {
    let asked = AtomicU32::new(0);
    let server = network(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => Canned::new(429, "").window(0, -60),
        _ => page(&[8], None),
    })
    .await;
    let (place, start) = (Place::new(), std::time::Instant::now());
    let report = place.run(&server, &batch(&["1"], &[List::Followers])).await.unwrap();
    assert!(report.is_complete());
    assert!(start.elapsed() >= Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_window_that_ends_in_years_is_an_error_and_no_wait() {
    let asked = AtomicU32::new(0);
    let server = network(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => Canned::new(429, "").window(0, 400_000_000),
        _ => page(&[9], None),
    })
    .await;
    let place = Place::new();
    let report = place.run(&server, &batch(&["1"], &[List::Followers])).await.unwrap();
    let error = report.fatal.unwrap();
    assert_eq!(error.kind(), ErrorKind::Network);
    let said = "says that its rate window ends at 2039-07-28T21:43:37Z, and its clock shows 2026";
    assert!(error.to_string().contains(said), "{error}");
    assert!(error.way_out().unwrap().starts_with("no window is longer than a day"));
    // The next session does not believe it either.
    let again = place.run(&server, &batch(&["1"], &[List::Followers])).await.unwrap();
    assert!(again.is_complete(), "{:?}", again.fatal);
}

#[tokio::test]
async fn what_was_read_before_the_credit_ended_is_kept_and_gone_on_with() {
    let credits = r#"{"title":"CreditsDepleted","type":"https://api.x.com/2/problems/credits"}"#;
    let spent = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let is_spent = std::sync::Arc::clone(&spent);
    let server = network(move |path| match parameter(path, "pagination_token") {
        None => page(&[9], Some(token(1))),
        Some(_) if is_spent.load(Ordering::Relaxed) => Canned::new(402, credits),
        Some(_) => page(&[8], None),
    })
    .await;
    let place = Place::new();
    let all = batch(&["1", "2", "3"], &[List::Followers]);
    let report = place.run(&server, &all).await.unwrap();
    assert_eq!(report.fatal.as_ref().map(Error::kind), Some(ErrorKind::Incomplete));
    let refusals = server.paths().iter().filter(|path| path.contains("pagination_token")).count();
    assert!(refusals <= 3, "a used-up credit is not asked for again");
    spent.store(false, Ordering::Relaxed);
    let report = place.run(&server, &all).await.unwrap();
    assert!(report.is_complete());
    let first = server.paths().iter().filter(|p| p.ends_with("max_results=1000")).count();
    assert_eq!(first, 3, "no first page is bought twice");
    // One profile was found by the look-up, six users stood on the pages.
    assert_eq!(report.cost_in_all_micro_usd, Some(70_000));
    let costs =
        place.only_run().crawls().unwrap().iter().map(|c| c.cost_micro_usd).sum::<Option<_>>();
    assert_eq!(costs, Some(60_000));
}

#[tokio::test]
async fn refused_credentials_publish_nothing_and_print_no_token() {
    let server = Server::start(|_| {
        Canned::new(401, r#"{"title":"Unauthorized","detail":"Bearer test-token%2F%3D is bad"}"#)
    })
    .await;
    let place = Place::new();
    let error = place.run(&server, &batch(&["1"], &List::ALL)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(!format!("{error} {error:?}").contains("test-token"));
    assert!(place.store.run_ids().unwrap().is_empty());
    assert_eq!(server.paths().len(), 1);
}

#[tokio::test]
async fn a_wish_to_stop_keeps_what_was_read_and_shows_it_when_asked() {
    let server = network(|path| match parameter(path, "pagination_token") {
        None => page(&[9], Some(token(1))).window(0, 900),
        Some(_) => panic!("asked after the stop"),
    })
    .await;
    let place = Place::new();
    let stop = place.stop.clone();
    let later = async {
        while !place.heard().iter().any(|word| word.starts_with("wait")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.request();
    };
    let all = batch(&["1", "2"], &[List::Followers]);
    let (report, ()) = tokio::join!(place.run(&server, &all), later);
    let fatal = report.unwrap().fatal.unwrap();
    assert_eq!(
        (fatal.kind(), fatal.to_string().as_str()),
        (ErrorKind::Incomplete, "stopped before the end")
    );
    assert!(place.store.run_ids().unwrap().is_empty(), "what is not done is not shown");
    // Whoever wants it as it is can have it.
    finish(&place.store, &all, &server.url).unwrap();
    let states: Vec<_> = place.only_run().crawls().unwrap().iter().map(|c| c.state).collect();
    assert!(states.contains(&cut(1, Cut::Stopped)), "{states:?}");
    let error = finish(&place.store, &all, &server.url).unwrap_err();
    assert_eq!(error.to_string(), "there is nothing unfinished of this job");
}

#[tokio::test]
async fn a_batch_that_makes_no_sense_is_refused_before_anything_is_sent() {
    let server = Server::in_turn([]).await;
    let place = Place::new();
    let mut too_large = batch(&["1"], &List::ALL);
    too_large.page_size = Some(5000);
    let mut idle = batch(&["1"], &List::ALL);
    idle.concurrency = 0;
    for wrong in [batch(&[], &List::ALL), batch(&["1"], &[]), too_large, idle] {
        let error = place.run(&server, &wrong).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
    }
    assert!(server.paths().is_empty());
}

#[tokio::test]
async fn a_thousand_accounts_are_looked_up_by_the_hundred() {
    let server = Server::start(|path| match path {
        p if is_lookup(p) => Canned::new(200, r#"{"meta":{}}"#).window(200, 900),
        _ => page(&[1], None),
    })
    .await;
    let place = Place::new();
    let accounts = (0..1000_u32).map(|id| AccountRef::Id(AccountId::from(id)));
    let report = place.run(&server, &Batch::new(accounts, &[List::Followers])).await.unwrap();
    assert_eq!(report.states(), [("complete", 1000)].into());
    assert_eq!(report.requests, 1010);
}
