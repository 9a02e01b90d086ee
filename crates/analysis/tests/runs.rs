//! Whole runs: many accounts at once, accounts that only one run asked for, and the graph of
//! everything a run saw.

use std::collections::BTreeSet;

use analysis::engine::{Engine, Memory, Stream};
use analysis::{
    Accounts, Cells, FollowGraph, Observation, RunDiff, RunObservations, diff, diff_runs, overlap,
    run_reciprocity, run_summary,
};
use jiff::Timestamp;
use snapshot::{
    AccountId, Coverage, Crawl, Cut, ErrorKind, List, Order, Run, State, Store, WriterOptions,
};

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Publishes a run of lists: `followers 7: 3 2 1; following 7: 2 ...; followers 8: !`,
    /// `...` for a list that was cut short and `!` for a protected one.
    fn run(&self, second: i64, lists: &str) -> Run {
        let lists = lists.split(';').map(|text| {
            let (head, ids) = text.trim().split_once(':').unwrap();
            let (list, account) = head.split_once(' ').unwrap();
            let mut state = State::Read(Coverage::Complete);
            let mut members = Vec::new();
            for word in ids.split_whitespace() {
                match word {
                    "..." => {
                        let why = Cut::Budget;
                        state = State::Read(Coverage::CutShort { after_page: 1, why });
                    }
                    "!" => state = State::Protected,
                    id => members.push(id.parse().unwrap()),
                }
            }
            (list.parse().unwrap(), account.parse().unwrap(), state, members)
        });
        self.publish(second, lists)
    }

    fn publish(
        &self,
        second: i64,
        lists: impl Iterator<Item = (List, AccountId, State, Vec<AccountId>)>,
    ) -> Run {
        let time = Timestamp::from_second(second).unwrap();
        let store = Store::create(self.folder.path()).unwrap();
        let mut run = store.begin(time, WriterOptions::default()).unwrap();
        for (list, account, state, members) in lists {
            run.rows(list, account, 0, &members).unwrap();
            let crawl = Crawl::new(account, list, "test", state, time);
            run.crawl(Crawl { order: Order::NewestFirst, ..crawl });
        }
        store.run(run.publish().unwrap().run).unwrap()
    }
}

fn ask(before: &Run, after: &Run, accounts: &Accounts) -> RunDiff {
    let by =
        |engine: &dyn Engine| diff_runs(before, after, List::Followers, accounts, engine).unwrap();
    let (memory, stream) = (by(&Memory), by(&Stream));
    assert_eq!(memory, stream);
    memory
}

fn told(found: &RunDiff) -> String {
    let diffs = found.diffs.iter().map(|d| {
        let gained = d.gained.iter().map(|c| format!(" +{}", c.member));
        let lost = d.lost.iter().map(|c| format!(" -{}", c.member));
        let unknown = format!(" ?{}", d.unknown.len());
        let changes: String = gained.chain(lost).collect();
        format!("{}:{changes}{unknown} ={}", d.of.account, d.unchanged)
    });
    let only = |sign: char, ids: &[AccountId]| {
        ids.iter().map(|id| format!("{sign}{id}")).collect::<Vec<_>>()
    };
    let only = [only('<', &found.only_before), only('>', &found.only_after)].concat();
    diffs.chain(only).collect::<Vec<_>>().join("; ")
}

#[test]
fn each_account_is_compared_with_itself() {
    let world = World::new();
    let before = world.run(1, "followers 7: 3 2 1; followers 8: 3; followers 9:");
    let after = world.run(2, "followers 7: 4 3 2; followers 8: 3 ...; followers 9: !");
    let found = ask(&before, &after, &Accounts::All);
    assert_eq!(told(&found), "7: +4 -1 ?0 =2; 8: ?0 =1; 9: ?0 =0");
    assert_eq!((found.before, found.after), (before.id(), after.id()));
}

#[test]
fn an_account_in_one_run_only_gains_and_loses_nobody() {
    let world = World::new();
    let before = world.run(1, "followers 7: 1; followers 5: 1 2");
    let after = world.run(2, "followers 7: 1; followers 9: 1 2; following 5: 1");
    assert_eq!(told(&ask(&before, &after, &Accounts::All)), "7: ?0 =1; <5; >9");
}

#[test]
fn an_account_that_became_protected_lost_nobody() {
    let world = World::new();
    let before = world.run(1, "followers 7: 3 2 1");
    let after = world.run(2, "followers 7: !");
    assert_eq!(told(&ask(&before, &after, &Accounts::All)), "7: ?3 =0");
}

#[test]
fn only_the_accounts_asked_for_are_compared() {
    let world = World::new();
    let before = world.run(1, "followers 7: 1; followers 8: 1; followers 9: 1");
    let after = world.run(2, "followers 7: 2; followers 8: 2");
    let only = |ids: &[u32]| Accounts::Only(ids.iter().map(|id| (*id).into()).collect());
    assert_eq!(told(&ask(&before, &after, &only(&[8]))), "8: +2 -1 ?0 =0");
    assert_eq!(told(&ask(&before, &after, &only(&[9, 8]))), "8: +2 -1 ?0 =0; <9");
    let error = diff_runs(&before, &after, List::Followers, &only(&[6]), &Memory).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let (b, a) = (before.id(), after.id());
    let message = format!("neither run {b} nor run {a} has the followers list of 6");
    assert_eq!(error.to_string(), message);
    assert!(error.way_out().is_some());
}

#[test]
fn a_list_nobody_asked_for_is_not_found_and_not_empty() {
    let world = World::new();
    let run = world.run(1, "followers 7: 1");
    let error = Observation::of(&run, 7.into(), List::Following).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(Observation::of(&run, 7.into(), List::Followers).unwrap().len(), 1);
}

/// What a run lost on disk, nobody lost as a follower.
#[test]
fn a_run_without_the_rows_its_crawls_saw_is_damaged() {
    let world = World::new();
    let whole = world.run(1, "followers 7: 3 2 1; followers 8: 1");
    let fewer = world.run(2, "followers 7: 3 2; followers 8: 1");
    let check = |damaged: &Run, what: &str| {
        let asked = |before: &Run, after: &Run, accounts: &Accounts| {
            let engines: [&dyn Engine; 2] = [&Memory, &Stream];
            for engine in engines {
                let found = diff_runs(before, after, List::Followers, accounts, engine);
                let error = found.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Damaged);
                assert_eq!(error.to_string(), format!("run {} is damaged: {what}", damaged.id()));
                assert!(error.way_out().is_some_and(|hint| hint.contains("verify")));
            }
        };
        for accounts in [Accounts::All, Accounts::Only(vec![7.into()])] {
            asked(&fewer, damaged, &accounts);
            asked(damaged, &fewer, &accounts);
        }
        let audience = Observation::of(damaged, 7.into(), List::Followers);
        let shared = audience.and_then(|list| overlap(&[list], Cells::Skip, &Stream));
        assert_eq!(shared.unwrap_err().kind(), ErrorKind::Damaged);
        assert_eq!(FollowGraph::from_run(damaged).unwrap_err().kind(), ErrorKind::Damaged);
        assert_eq!(run_summary(damaged).unwrap_err().kind(), ErrorKind::Damaged);
    };

    // A part that is another run's.
    let swapped = world.run(3, "followers 7: 3 2 1; followers 8: 1");
    copy_part(&fewer, &swapped);
    check(&swapped, "the followers list of 7 has 2 rows, and its crawl saw 3");

    // A crawl that saw nobody, and rows nevertheless.
    let emptied = world.run(4, "followers 7:; followers 8: 1");
    copy_part(&whole, &emptied);
    check(&emptied, "the followers list of 7 has 3 rows, and its crawl saw 0");

    // A manifest that names no part.
    let path = swapped.folder().join("manifest.json");
    let mut manifest: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let files = manifest["files"].as_array_mut().unwrap();
    files.retain(|file| !file["path"].as_str().unwrap().starts_with(PARTS));
    std::fs::write(&path, manifest.to_string()).unwrap();
    let lost = Store::open(world.folder.path()).unwrap().run(swapped.id()).unwrap();
    check(&lost, "the followers list of 7 has 0 rows, and its crawl saw 3");
}

/// The folder of a run's followers, in the manifest's words.
const PARTS: &str = "list=followers/";

fn copy_part(from: &Run, to: &Run) {
    let part = |run: &Run| {
        let file = run.manifest().files.iter().find(|file| file.path.starts_with(PARTS)).unwrap();
        run.folder().join(&file.path)
    };
    std::fs::copy(part(from), part(to)).unwrap();
}

/// Short lists share row groups and are swept; one long list among them is not.
#[test]
fn many_short_lists_and_a_long_one_equal_the_sets() {
    let members = |account: u32, run: u32| {
        let count = if account == 40 { 200_000 } else { account * 7 % 50 };
        (0..count).map(move |i| i * (2 + run) + account % 3).collect::<BTreeSet<_>>()
    };
    let lists = |run: u32| {
        (0..600).map(move |account| {
            let ids = members(account, run).into_iter().rev().map(AccountId::from).collect();
            let state = State::Read(Coverage::Complete);
            (List::Followers, AccountId::from(account), state, ids)
        })
    };
    let world = World::new();
    let (before, after) = (world.publish(1, lists(0)), world.publish(2, lists(1)));
    let found = ask(&before, &after, &Accounts::All);
    let (earlier, later) =
        (RunObservations::open(&before).unwrap(), RunObservations::open(&after).unwrap());
    assert_eq!(found.diffs.len(), 600);
    for (account, swept) in (0..600).zip(&found.diffs) {
        let (x, y) = (members(account, 0), members(account, 1));
        let ids = |set: BTreeSet<u32>| set.into_iter().map(AccountId::from).collect::<Vec<_>>();
        let gained: Vec<_> = swept.gained.iter().map(|c| c.member).collect();
        let lost: Vec<_> = swept.lost.iter().map(|c| c.member).collect();
        assert_eq!(gained, ids(&y - &x), "account {account}");
        assert_eq!(lost, ids(&x - &y), "account {account}");
        assert_eq!(swept.unchanged, (&x & &y).len() as u64, "account {account}");
        let of = |run: &RunObservations| run.of(account.into(), List::Followers).unwrap();
        if account % 50 == 0 {
            assert_eq!(&diff(&of(&earlier), &of(&later), &Stream).unwrap(), swept);
        }
    }
}

#[test]
fn the_graph_of_a_run_has_each_edge_once() {
    let world = World::new();
    let lists = "followers 1: 2 3; following 2: 1 4; following 1: 1; followers 9:";
    let graph = FollowGraph::from_run(&world.run(1, lists)).unwrap();
    let mut edges = Vec::new();
    for from in graph.nodes() {
        for to in graph.out_neighbors(from) {
            edges.push(format!("{}->{}", graph.account(from), graph.account(*to)));
        }
    }
    assert_eq!(edges.join(" "), "1->1 2->1 2->4 3->1");
    assert_eq!(graph.accounts(), 5, "account 9 is in the run, and so in the graph");
}

#[test]
fn a_return_that_nobody_looked_for_is_unknown() {
    let check = |lists: &str, reciprocal: u64, unknown: u64| {
        let found = run_reciprocity(&World::new().run(1, lists)).unwrap();
        assert_eq!((found.reciprocal, found.unknown), (reciprocal, unknown), "{lists}");
    };
    // 2->1 is known; 1->2 would stand in the following list of 1 or the followers of 2.
    check("followers 1: 2", 0, 1);
    check("followers 1: 2; following 1:", 0, 0);
    check("followers 1: 2; following 1: ...", 0, 1);
    check("followers 1: 2; followers 2:", 0, 0);
    check("followers 1: 2; following 1: 2", 2, 0);
    check("followers 1: 2; following 1: 2 ...", 2, 0);
    check("followers 1: 2; following 2: 1; following 1: 2", 2, 0);
}

/// Followers lists show no opposite at all; published edge lists, imported as following lists,
/// have none of accounts that follow nobody.
#[test]
fn a_summary_tells_the_reciprocity_of_all_edges_from_that_of_the_known() {
    let check = |lists: &str, all: Option<f64>, unknown: u64, known: Option<f64>| {
        let world = World::new();
        let run = world.run(1, lists);
        let found = run_summary(&run).unwrap();
        let told = (found.reciprocity, found.unknown, found.reciprocity_of_known);
        assert_eq!(told, (all, unknown, known), "{lists}");
        let graph = FollowGraph::from_run(&run).unwrap().summary();
        assert_eq!((graph.reciprocity, graph.unknown), (all, 0), "{lists}");
        assert_eq!((graph.nodes, graph.largest_weak), (found.nodes, found.largest_weak));
    };
    check("followers 1: 2 3", Some(0.0), 2, None);
    check("following 1: 2 3; following 2: 1", Some(2.0 / 3.0), 1, Some(1.0));
    check("following 1: 2 3; following 2: 1; following 3:", Some(2.0 / 3.0), 0, Some(2.0 / 3.0));
    check("following 1: 1", None, 0, None);
    check("followers 1:", None, 0, None);
}

#[test]
fn a_side_says_whether_positions_tell_times() {
    let world = World::new();
    let run = world.run(1, "followers 7: 1");
    let side = Observation::of(&run, 7.into(), List::Followers).unwrap().side();
    assert_eq!(side.order, Order::NewestFirst);
}
