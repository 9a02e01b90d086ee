//! Plans of batches against invented stores and journals.

use std::path::Path;

use snapshot::{Coverage, Crawl, Order, State as Outcome, WriterOptions};

use super::*;
use crate::canned::{Canned, Server};
use crate::journal::record::{End, Ended, LookedUp, Page, Record};
use crate::{Credential, Silent, Target};

const ONE: u32 = 1;

fn now() -> Timestamp {
    Timestamp::now()
}

fn days_ago(days: i64) -> Timestamp {
    now() - SignedDuration::from_hours(24 * days)
}

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    (folder, store)
}

fn profile(followers: u64, at: Timestamp) -> Profile {
    let mut profile = Profile::unknown(AccountId::from(ONE), at);
    profile.username = Some("One".to_owned());
    profile.followers_count = Some(followers);
    profile
}

/// An invented run that knows how many followers 1 has; complete, if it has rows.
fn run(store: &Store, days: i64, followers: u64, complete: bool) {
    let at = days_ago(days);
    let mut writer = store.begin(at, WriterOptions::default()).unwrap();
    let (account, list) = (AccountId::from(ONE), List::Followers);
    let coverage = if complete { Coverage::Complete } else { Coverage::Head };
    let mut crawl = Crawl::new(account, list, "x_v2", Outcome::Read(coverage), at);
    crawl.order = Order::NewestFirst;
    crawl.reported_count = Some(followers);
    crawl.pages = 1;
    writer.rows(list, account, 0, &[AccountId::from(7_u32)]).unwrap();
    writer.crawl(crawl);
    writer.profile(profile(followers, at));
    writer.publish().unwrap();
}

fn batch(who: &str, mode: Mode) -> Batch {
    let account = who.parse().unwrap();
    Batch::of(vec![Target { account, lists: vec![List::Followers], mode }])
}

async fn planned(store: &Store, kind: SourceKind, url: &str, batch: &Batch, ask: Ask) -> Plan {
    let source = kind.connect(url, Credential::of_test()).unwrap();
    plan(store, &[source], batch, ask, &Stop::new(), &Silent).await.unwrap()
}

/// A plan that asks nobody: nothing answers there.
async fn offline(store: &Store, kind: SourceKind, batch: &Batch) -> Plan {
    planned(store, kind, NOWHERE, batch, Ask::Nobody).await
}

const NOWHERE: &str = "http://127.0.0.1:9";

fn minutes(plan: &Plan) -> Option<i64> {
    plan.earliest_finish.map(|end| end.duration_since(plan.at).as_mins())
}

#[tokio::test]
async fn a_million_followers_that_the_store_knows_of_cost_ten_thousand_dollars() {
    let (_folder, store) = store();
    run(&store, 3, 5, false);
    run(&store, 2, 1_000_000, false);
    let plan = offline(&store, SourceKind::XV2, &batch("@one", Mode::Complete)).await;
    let list = &plan.lists[0];
    assert_eq!((list.pages, list.cost_micro_usd), (Some(1000), Some(10_000_000_000)));
    assert_eq!((list.account, list.mode), (Some(AccountId::from(ONE)), "complete"));
    assert!(matches!(list.known_from, Some(KnownFrom::Run { .. })));
    // And the look-up with which the batch begins.
    assert_eq!((plan.requests, plan.cost_micro_usd), (1001, Some(10_000_010_000)));
    assert_eq!((plan.asked_requests, plan.unknown, plan.about), (0, 0, false));
    let endpoint = plan.endpoints.iter().find(|e| e.endpoint == "users/:id/followers").unwrap();
    assert_eq!((endpoint.requests, endpoint.windows), (1000, Some(4)));
    assert!(endpoint.limits[0].assumed);
    assert_eq!(minutes(&plan), Some(45));
}

#[tokio::test]
async fn v1_has_no_price_and_takes_its_time() {
    let (_folder, store) = store();
    run(&store, 2, 1_000_000, false);
    let plan = offline(&store, SourceKind::XV1, &batch("1", Mode::Complete)).await;
    assert_eq!((plan.lists[0].pages, plan.cost_micro_usd), (Some(200), None));
    let endpoint = plan.endpoints.iter().find(|e| e.endpoint == "followers/ids").unwrap();
    assert_eq!((endpoint.requests, endpoint.windows), (200, Some(14)));
    assert_eq!(minutes(&plan), Some(195));
}

#[tokio::test]
async fn what_nobody_knows_is_looked_up_only_if_asked_to() {
    let server = Server::start(|_| {
        let profile = r#"{"id":"1","username":"one","public_metrics":{"followers_count":1500}}"#;
        Canned::new(200, format!(r#"{{"data":[{profile}]}}"#)).window(14, 600)
    })
    .await;
    let (_folder, store) = store();
    let batch = batch("@One", Mode::Complete);
    let plan = planned(&store, SourceKind::XV2, &server.url, &batch, Ask::Nobody).await;
    assert_eq!((plan.lists[0].pages, plan.unknown, plan.earliest_finish), (None, 1, None));
    assert!(server.paths().is_empty());

    let plan = planned(&store, SourceKind::XV2, &server.url, &batch, Ask::Network).await;
    let list = &plan.lists[0];
    assert_eq!((list.pages, list.cost_micro_usd), (Some(2), Some(15_000_000)));
    assert_eq!(list.known_from, Some(KnownFrom::Network));
    assert_eq!((plan.asked_requests, plan.asked_cost_micro_usd), (1, 10_000));
    let look_up = plan.endpoints.iter().find(|e| e.endpoint == "users/by").unwrap();
    assert_eq!((look_up.limits[0].limit, look_up.limits[0].left), (15, 14));
    assert!(!look_up.limits[0].assumed);
    assert!(!Path::new(store.folder()).join(".journal").exists());

    let mut poor = batch.clone();
    poor.budget.cost_micro_usd_max = Some(9_999);
    let source = SourceKind::XV2.connect(&server.url, Credential::of_test()).unwrap();
    let refused = super::plan(&store, &[source], &poor, Ask::Network, &Stop::new(), &Silent).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Incomplete);
    assert_eq!(server.paths().len(), 1);
}

#[tokio::test]
async fn what_the_journal_has_is_not_counted_again() {
    let (_folder, store) = store();
    let batch = batch("@one", Mode::Complete);
    let journals = Journals::of(&store);
    std::fs::create_dir_all(journals.folder()).unwrap();
    let journal = journals.begin(&batch.key_at(NOWHERE), "again", now()).unwrap();
    let key = ListKey { account: AccountId::from(ONE), list: List::Followers };
    let records = [
        Record::LookedUp(LookedUp {
            asked: vec!["@one".to_owned()],
            found: vec![profile(5000, now())],
            absent: Vec::new(),
            requests: 1,
            cost_micro_usd: Some(10_000),
            heard: Vec::new(),
        }),
        Record::Started(Started {
            key: key.clone(),
            at: now(),
            source: "x_v2".to_owned(),
            page_size: 1000,
            profiles: false,
            known_run: None,
            reads_on: false,
            reported: Some(5000),
        }),
        Record::Page(Page {
            key: key.clone(),
            page: 0,
            cursor: None,
            next: Some("more".to_owned()),
            fetched_at: now(),
            boundary: None,
            requests: 1,
            cost_micro_usd: Some(10_000_000),
            heard: Vec::new(),
            meeting: None,
            profiles: Vec::new(),
            problems: None,
            ids: (0..1000_u32).map(AccountId::from).collect(),
        }),
    ];
    for record in records {
        journal.append(record).await.unwrap();
    }
    let plan = offline(&store, SourceKind::XV2, &batch).await;
    let list = &plan.lists[0];
    assert_eq!((list.pages, list.pages_kept, list.ids_kept), (Some(4), 1, 1000));
    assert_eq!((plan.requests, plan.cost_micro_usd), (4, Some(40_000_000)));

    // Another page size begins it anew; a batch that begins anew has nothing.
    let mut other = batch.clone();
    other.page_size = Some(500);
    let plan = offline(&store, SourceKind::XV2, &other).await;
    assert_eq!((plan.lists[0].pages, plan.lists[0].pages_kept), (Some(10), 0));

    let (at, how) = (now(), End::Complete);
    let ended = Ended { key, at, how, requests: 0, detail: None };
    journal.append(Record::Ended(ended)).await.unwrap();
    let plan = offline(&store, SourceKind::XV2, &batch).await;
    assert!(plan.lists[0].finished);
    assert_eq!((plan.requests, plan.cost_micro_usd), (0, Some(0)));
    assert_eq!(minutes(&plan), Some(0));
}

#[tokio::test]
async fn a_head_refresh_reads_what_has_been_added_and_says_about() {
    let (_folder, store) = store();
    run(&store, 10, 1_000_000, true);
    run(&store, 1, 1_001_200, false);
    let plan = offline(&store, SourceKind::XV2, &batch("1", Mode::AUTO)).await;
    let list = &plan.lists[0];
    assert_eq!((list.mode, list.pages, list.about), ("head", Some(2), true), "{}", list.why);
    assert_eq!(list.cost_micro_usd, Some(20_000_000));
    assert!(plan.about && list.why.contains("10 days old"), "{}", list.why);

    let week = Mode::Auto { complete_every: SignedDuration::from_hours(7 * 24) };
    let plan = offline(&store, SourceKind::XV2, &batch("1", week)).await;
    assert_eq!((plan.lists[0].mode, plan.lists[0].pages), ("complete", Some(1002)));

    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["lists"][0]["account"], "1");
    assert_eq!(json["lists"][0]["known_from"]["from"], "run");
}

#[tokio::test]
async fn without_a_complete_snapshot_a_head_refresh_reads_everything() {
    let (_folder, store) = store();
    run(&store, 1, 2500, false);
    let plan = offline(&store, SourceKind::XV2, &batch("1", Mode::Head)).await;
    let list = &plan.lists[0];
    assert_eq!((list.mode, list.pages, list.about), ("complete", Some(3), false));
    assert_eq!(list.why, "there is no complete snapshot of it yet");
}
