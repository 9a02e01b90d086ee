//! What ingest stored is what the simulator says is true, for both API generations.

use std::collections::HashSet;
use std::time::Duration;

use analysis::{Accounts, diff_runs, engine::Stream};
use ingest::{AccountRef, Batch, BatchReport, Credential, Silent, SourceKind, Stop, Token};
use simulator::{EventKind, Fault, Server, ServerConfig, World, WorldConfig};
use snapshot::{AccountId, List, Order, State, Store};

use crate::util::{scratch, stored};

const WEEK: Duration = Duration::from_hours(7 * 24);

fn world(seed: u64) -> World {
    World::new(WorldConfig {
        seed,
        users: 4_000,
        largest_audience: 2_500,
        ..WorldConfig::default()
    })
}

fn id(raw: i64) -> AccountId {
    AccountId::new(raw).unwrap()
}

/// Starts a server, and answers what `work` makes of it.
fn with_server<R>(world: World, config: ServerConfig, work: impl AsyncFnOnce(&Server) -> R) -> R {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Server::start(world, config).await.unwrap();
        let result = work(&server).await;
        server.shutdown().await;
        result
    })
}

async fn crawl(server: &Server, store: &Store, kind: SourceKind, batch: &Batch) -> BatchReport {
    let token = Token::new(server.bearer()).unwrap();
    let source = kind.connect(&server.base_url(), Credential::bearer(token)).unwrap();
    ingest::run(store, &[source], batch, &Silent, &Stop::new()).await.unwrap()
}

/// The list as it truly is, newest first.
fn truth(server: &Server, account: AccountId, list: List) -> Vec<i64> {
    server.with_world(|world| {
        let rows = match list {
            List::Followers => world.truth().followers(account.get()),
            List::Following => world.truth().following(account.get()),
        };
        rows.into_iter().map(|(member, _)| member).collect()
    })
}

fn watched(server: &Server) -> Vec<AccountId> {
    server.with_world(|world| world.watched().iter().copied().map(id).collect())
}

/// Crawls everything twice with a week between and compares lists, order, counts, requests
/// and the diff with the truth.
fn stores_the_truth(kind: SourceKind, page_size: u32) {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    with_server(world(11), ServerConfig::default(), async |server| {
        let accounts = watched(server);
        let mut batch = Batch::new(accounts.iter().copied().map(AccountRef::Id), &List::ALL);
        batch.page_size = Some(page_size);
        let (mut before, mut pages) = (Vec::new(), 0);
        for week in 0..2 {
            if week > 0 {
                server.advance(WEEK);
            }
            let report = crawl(server, &store, kind, &batch).await;
            assert!(report.is_complete(), "{:?}", report.failures);
            let run = store.find("latest").unwrap();
            assert_eq!(run.verify().faults, []);
            for crawl in run.crawls().unwrap() {
                let expected = truth(server, crawl.account, crawl.list);
                assert_eq!(stored(&run, crawl.account, crawl.list), expected);
                assert_eq!(crawl.ids, expected.len() as u64);
                pages += u64::from(crawl.pages);
                assert_eq!(crawl.reported_count, Some(crawl.ids));
                assert_eq!((crawl.duplicates, crawl.order), (0, Order::NewestFirst));
            }
            if week == 0 {
                before = accounts.iter().map(|a| truth(server, *a, List::Followers)).collect();
            }
        }
        let is_page = |path: &str| path.contains("/ids.json") || path.contains("/follow");
        let asked = server.requests().iter().filter(|r| is_page(&r.path_and_query)).count();
        assert_eq!(asked as u64, pages, "every page was asked for once");

        let (earlier, later) = (store.find("previous").unwrap(), store.find("latest").unwrap());
        let changes =
            diff_runs(&earlier, &later, List::Followers, &Accounts::All, &Stream).unwrap();
        assert_eq!(changes.diffs.len(), accounts.len());
        for (account, before) in accounts.iter().zip(before) {
            let before: HashSet<_> = before.into_iter().collect();
            let after: HashSet<_> = truth(server, *account, List::Followers).into_iter().collect();
            let diff = changes.diffs.iter().find(|d| d.of.account == *account).unwrap();
            let members = |changes: &[analysis::Change]| -> HashSet<i64> {
                changes.iter().map(|change| change.member.get()).collect()
            };
            assert_eq!(members(&diff.gained), &after - &before);
            assert_eq!(members(&diff.lost), &before - &after);
            assert!(diff.unknown.is_empty());
            assert!(diff.has_changes(), "a week without changes would prove nothing");
        }
    });
}

#[test]
fn api_v2_stores_the_truth() {
    stores_the_truth(SourceKind::XV2, 1000);
}

#[test]
fn api_v2_in_small_pages_stores_the_truth() {
    stores_the_truth(SourceKind::XV2, 97);
}

#[test]
fn api_v1_stores_the_truth() {
    stores_the_truth(SourceKind::XV1, 5000);
}

#[test]
fn every_loss_between_two_crawls_has_its_event() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    with_server(world(12), ServerConfig::default(), async |server| {
        let accounts = watched(server);
        let batch = Batch::new(accounts.into_iter().map(AccountRef::Id), &[List::Followers]);
        crawl(server, &store, SourceKind::XV2, &batch).await;
        let began = server.with_world(|world| world.now());
        server.advance(WEEK);
        crawl(server, &store, SourceKind::XV2, &batch).await;
        let (before, after) = (store.find("previous").unwrap(), store.find("latest").unwrap());
        let changes = diff_runs(&before, &after, List::Followers, &Accounts::All, &Stream).unwrap();
        let (mut left, mut hidden) = (HashSet::new(), HashSet::new());
        server.with_world(|world| {
            for event in world.events().iter().filter(|event| event.at > began) {
                match event.kind {
                    EventKind::Unfollowed { a, b } => drop(left.insert((a, b))),
                    EventKind::Suspended { id } | EventKind::Deactivated { id } => {
                        hidden.insert(id);
                    }
                    _ => {}
                }
            }
        });
        let mut losses = 0;
        for diff in &changes.diffs {
            for lost in &diff.lost {
                let edge = (lost.member.get(), diff.of.account.get());
                assert!(left.contains(&edge) || hidden.contains(&edge.0), "{edge:?}");
                losses += 1;
            }
        }
        assert!(losses > 100, "{losses} losses prove little");
    });
}

/// A world of four accounts: one open, one protected, one suspended, one deactivated.
fn four() -> (World, [i64; 4]) {
    let mut world = World::empty(5, "2026-11-01T00:00:00Z".parse().unwrap());
    let accounts = ["open", "shy", "banned", "gone"].map(|name| world.add_user(name));
    for number in 0..10 {
        let member = world.add_user(&format!("member{number}"));
        for account in accounts {
            world.follow(member, account);
        }
    }
    world.protect(accounts[1]);
    world.suspend(accounts[2]);
    world.deactivate(accounts[3]);
    (world, accounts)
}

#[test]
fn lists_that_may_not_be_read_are_results() {
    for kind in SourceKind::ALL {
        let folder = scratch();
        let store = Store::create(folder.path()).unwrap();
        let (world, accounts) = four();
        with_server(world, ServerConfig::default(), async |server| {
            let refs = accounts.map(|raw| AccountRef::Id(id(raw)));
            let batch = Batch::new(refs, &[List::Followers]);
            let report = crawl(server, &store, kind, &batch).await;
            assert!(report.is_complete(), "{kind:?}: {:?}", report.failures);
            let run = store.find("latest").unwrap();
            assert_eq!(run.verify().faults, []);
            let state = |account: i64| {
                let crawls = run.crawls().unwrap();
                crawls.into_iter().find(|c| c.account.get() == account).unwrap().state
            };
            assert!(state(accounts[0]).is_complete(), "{kind:?}");
            assert_eq!(stored(&run, id(accounts[0]), List::Followers).len(), 10);
            let refused =
                [State::Protected, State::Suspended, State::Missing, State::NotAuthorized];
            for account in &accounts[1..] {
                assert!(refused.contains(&state(*account)), "{kind:?}: {:?}", state(*account));
                assert!(stored(&run, id(*account), List::Followers).is_empty());
            }
            if kind == SourceKind::XV2 {
                assert_eq!(state(accounts[1]), State::Protected);
                assert_eq!(state(accounts[2]), State::Suspended);
                assert_eq!(state(accounts[3]), State::Missing);
            }
        });
    }
}

#[test]
fn names_are_resolved_without_case_and_unknown_ones_are_reported() {
    for kind in SourceKind::ALL {
        let folder = scratch();
        let store = Store::create(folder.path()).unwrap();
        let (world, accounts) = four();
        with_server(world, ServerConfig::default(), async |server| {
            let names = ["@OPEN", "@nobody_at_all"].map(|name| name.parse().unwrap());
            let report = crawl(server, &store, kind, &Batch::new(names, &[List::Followers])).await;
            assert_eq!(report.unresolved.len(), 1);
            let run = store.find("latest").unwrap();
            assert_eq!(run.account("@Open").unwrap(), id(accounts[0]));
            assert_eq!(stored(&run, id(accounts[0]), List::Followers).len(), 10);
        });
    }
}

#[test]
fn rate_windows_are_waited_for_and_never_overrun() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let mut config = ServerConfig { window: Duration::from_secs(2), ..ServerConfig::default() };
    config.limits.v2_lists.app = 5;
    with_server(world(13), config, async |server| {
        let accounts = watched(server);
        let batch = Batch::new(accounts.into_iter().map(AccountRef::Id), &[List::Followers]);
        let report = crawl(server, &store, SourceKind::XV2, &batch).await;
        assert!(report.is_complete());
        let refused = server.requests().iter().filter(|r| r.status == 429).count();
        assert_eq!(refused, 0, "no request was sent that the headers had ruled out");
        let run = store.find("latest").unwrap();
        for crawl in run.crawls().unwrap() {
            let expected = truth(server, crawl.account, crawl.list);
            assert_eq!(stored(&run, crawl.account, crawl.list), expected);
        }
    });
}

#[test]
fn a_passing_outage_costs_retries_and_nothing_else() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    with_server(world(14), ServerConfig::default(), async |server| {
        let accounts = watched(server);
        server.inject("/2/users/", Fault::Unavailable, 2);
        let batch = Batch::new([AccountRef::Id(accounts[0])], &[List::Followers]);
        let report = crawl(server, &store, SourceKind::XV2, &batch).await;
        assert!(report.is_complete(), "{:?}", report.failures);
        let run = store.find("latest").unwrap();
        let expected = truth(server, accounts[0], List::Followers);
        assert_eq!(stored(&run, accounts[0], List::Followers), expected);
    });
}

#[test]
fn both_sources_keep_the_promises_of_a_source() {
    with_server(world(15), ServerConfig::default(), async |server| {
        let account = watched(server)[0];
        let members = truth(server, account, List::Followers);
        let name = server.with_world(|w| w.user(account.get()).unwrap().username.clone());
        for kind in SourceKind::ALL {
            let token = Token::new(server.bearer()).unwrap();
            let source = kind.connect(&server.base_url(), Credential::bearer(token)).unwrap();
            let promise = ingest::conformance::Truth {
                account,
                name: name.parse().unwrap(),
                list: List::Followers,
                members: members.iter().copied().map(id).collect(),
                page_size: u32::try_from(members.len() / 3).unwrap(),
                missing: id(999),
                missing_states: vec![State::Missing],
            };
            ingest::conformance::check(source.as_ref(), &promise).await.unwrap();
        }
    });
}
