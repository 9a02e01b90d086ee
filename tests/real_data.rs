//! Real lists and graphs come out as others have published or computed them; the facts and
//! their sources stand in `data/README.md`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::util::{data, on, published, scratch, succeed};

#[test]
fn the_421_snapshots_become_421_runs_whose_changes_add_up() {
    let folder = scratch();
    let file = data("github-followers/snapshots.csv.zst");
    let columns = ["--member-column", "follower_id", "--time-column", "snapshot_time"];
    succeed(on(folder.path()).arg("import").arg(file).args(["--account", "42"]).args(columns));
    let runs = published(folder.path());
    assert_eq!(runs.len(), 421);
    assert_eq!(runs[0], "run=2021-06-10T10-36-22Z", "its +08:00 offset was read");

    let store = snapshot::Store::open(folder.path()).unwrap();
    let runs = store.runs().unwrap();
    let rows: u64 = runs.iter().map(|run| run.manifest().rows).sum();
    assert_eq!(rows, 104_813);

    let account = snapshot::AccountId::from(42);
    let observe = |run| analysis::Observation::of(run, account, snapshot::List::Followers).unwrap();
    let diff =
        |before: &_, after: &_| analysis::diff(before, after, &analysis::engine::Stream).unwrap();
    let observations: Vec<_> = runs.iter().map(observe).collect();
    let (mut gained, mut lost, mut ids) = (0, 0, BTreeSet::new());
    for pair in observations.windows(2) {
        let changes = diff(&pair[0], &pair[1]);
        assert!(changes.unknown.is_empty());
        gained += changes.gained.len();
        lost += changes.lost.len();
        ids.extend(changes.gained.iter().map(|c| c.member));
    }
    assert_eq!((gained, lost), (444, 46));
    let whole = diff(&observations[0], &observations[420]);
    assert_eq!((whole.gained.len(), whole.lost.len(), whole.unchanged), (398, 0, 45));
    let empty: [_; 0] = [];
    let nobody =
        analysis::Observation::complete(account, snapshot::List::Followers, empty).unwrap();
    ids.extend(diff(&nobody, &observations[0]).gained.iter().map(|c| c.member));
    assert_eq!(ids.len(), 479);
}

fn graph_of(file: &str) -> Value {
    let folder = scratch();
    succeed(on(folder.path()).arg("import").arg(data(file)).arg("--edges"));
    let json = succeed(on(folder.path()).args(["graph", "--format", "json"]));
    serde_json::from_str::<Value>(&json).unwrap()["rows"][0].take()
}

#[track_caller]
fn check(graph: &Value, facts: &[(&str, u64)]) {
    for (name, value) in facts {
        assert_eq!(graph[*name].as_u64(), Some(*value), "{name} in {graph}");
    }
}

#[test]
fn slashdot_has_its_published_edges_components_and_reciprocity() {
    let graph = graph_of("slashdot0902/soc-Slashdot0902.txt.gz");
    check(
        &graph,
        &[
            ("nodes", 82_168),
            ("edges", 948_464),
            ("self_loops", 78_303),
            ("mutual_pairs", 365_931),
            ("largest_strong", 71_307),
            ("strong_components", 10_559),
            ("largest_weak", 82_168),
        ],
    );
    let reciprocity = graph["reciprocity"].as_f64().unwrap();
    assert!((reciprocity - 731_862.0 / 870_161.0).abs() < 1e-12, "{reciprocity}");
}

#[test]
fn konects_twitter_lists_have_their_published_edges_components_and_reciprocity() {
    let graph = graph_of("konect-ego-twitter/out.ego-twitter.gz");
    check(
        &graph,
        &[
            ("nodes", 23_370),
            ("edges", 33_101),
            ("self_loops", 0),
            ("mutual_pairs", 270),
            ("largest_strong", 38),
            ("largest_weak", 22_322),
        ],
    );
    let reciprocity = graph["reciprocity"].as_f64().unwrap();
    assert!((reciprocity - 0.016_313_7).abs() < 5e-8, "{reciprocity}");
}
