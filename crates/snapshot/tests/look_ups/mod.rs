//! Look-ups of accounts that vanished, with lists or without.

use crate::util::{self, crawl, id, scratch, time};
use snapshot::{ErrorKind, List, LookUp, Outcome, Run, Store, WriterOptions};

fn look_up(member: u32, second: i64, outcome: Outcome) -> LookUp {
    let username = (outcome == Outcome::Visible).then(|| format!("user_{member}"));
    let (member, looked_up_at, source) = (id(member), time(second), "x_v2".to_owned());
    LookUp { member, looked_up_at, source, outcome, username }
}

/// Publishes a run that holds look-ups alone.
fn publish(store: &Store, second: i64, look_ups: &[LookUp]) -> Run {
    let mut run = store.begin(time(second), WriterOptions::default()).unwrap();
    for one in look_ups {
        run.look_up(one.clone());
    }
    store.run(run.publish().unwrap().run).unwrap()
}

#[test]
fn look_ups_without_any_list_are_a_run() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let written = [
        look_up(9, 30, Outcome::NotShown),
        look_up(3, 20, Outcome::Suspended),
        look_up(3, 10, Outcome::Visible),
        look_up(4, 15, Outcome::Missing),
        look_up(5, 15, Outcome::Protected),
    ];
    let run = publish(&store, 5, &written);
    let [nine, late, early, four, five] = written;
    assert_eq!(run.look_ups().unwrap(), [early.clone(), late.clone(), four, five, nine]);
    let asked = [id(3), id(77)];
    assert_eq!(run.look_ups_of(&asked).unwrap(), [early, late]);
    let manifest = run.manifest();
    assert_eq!((manifest.started_at, manifest.finished_at), (time(10), time(30)));
    assert_eq!((manifest.has_lists(), manifest.look_ups()), (false, 5));
    assert_eq!((run.lists(), run.crawls().unwrap()), (vec![], vec![]));
    assert_eq!(run.verify().faults, []);
    assert_eq!(store.runs().unwrap().len(), 1);
}

#[test]
fn look_ups_may_come_with_lists() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let mut run = store.begin(time(0), WriterOptions::default()).unwrap();
    run.crawl(crawl(1, List::Followers));
    run.look_up(look_up(3, 99, Outcome::Missing));
    run.publish().unwrap();
    let run = store.find("latest").unwrap();
    assert_eq!(run.look_ups().unwrap().len(), 1);
    assert_eq!(run.manifest().finished_at, time(1), "the time of a run is that of its crawls");
    assert_eq!(run.verify().faults, []);
}

#[test]
fn a_run_without_look_ups_has_no_file_of_them() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    util::publish(&store, 0, &[(1, &[2])]);
    let run = store.find("latest").unwrap();
    assert!(!run.folder().join("lookups.parquet").exists());
    assert_eq!(run.look_ups().unwrap(), []);
    assert_eq!(run.look_ups_of(&[id(2)]).unwrap(), []);
    assert_eq!(run.manifest().look_ups(), 0);
}

#[test]
fn a_run_of_nothing_is_refused() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let run = store.begin(time(0), WriterOptions::default()).unwrap();
    assert_eq!(run.publish().unwrap_err().to_string(), "the run has no crawls");
}

#[test]
fn whoever_asks_for_the_latest_lists_is_not_given_look_ups() {
    const DAY: i64 = 86_400;
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let lone = |second| publish(&store, second, &[look_up(2, second, Outcome::Visible)]).id();
    lone(0);
    let find = |name: &str| store.find(name).map(|run| run.id());
    let error = find("latest").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().ends_with("has no run with lists"), "{error}");

    util::publish(&store, 60, &[(1, &[2, 3])]);
    lone(120);
    let error = find("previous").unwrap_err();
    assert!(error.to_string().ends_with("has only one run with lists"), "{error}");
    util::publish(&store, DAY, &[(1, &[3])]);
    let (last, alone) = (lone(DAY + 60), lone(2 * DAY));
    let ids = store.run_ids().unwrap();
    assert_eq!(find("latest").unwrap(), ids[3]);
    assert_eq!(find("previous").unwrap(), ids[1]);
    assert_eq!(find("1970-01-02").unwrap(), ids[3], "the day's last run with lists");
    assert_eq!(find("1970-01-03").unwrap(), alone, "the day has no other");
    assert_eq!(find(&last.to_string()).unwrap(), last, "an id is an id");
    let preceding = |id| store.preceding(&store.run(id).unwrap()).unwrap().map(|run| run.id());
    assert_eq!(preceding(alone), Some(ids[3]));
    assert_eq!(preceding(ids[3]), Some(ids[1]));
    assert_eq!(preceding(ids[1]), None);
}

#[test]
fn a_damaged_run_is_not_stepped_over() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let first = util::publish(&store, 0, &[(1, &[2])]);
    let second = util::publish(&store, 60, &[(1, &[2])]);
    util::publish(&store, 120, &[(1, &[2])]);
    std::fs::remove_file(second.join("manifest.json")).unwrap();
    let latest = store.find("latest").unwrap();
    assert_eq!(store.preceding(&latest).unwrap_err().kind(), ErrorKind::Damaged);
    assert_eq!(store.find("previous").unwrap_err().kind(), ErrorKind::Damaged);
    std::fs::remove_dir_all(second).unwrap();
    assert_eq!(store.find("previous").unwrap().folder(), first);
}

#[test]
fn verify_checks_look_ups() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let run = publish(&store, 0, &[look_up(2, 10, Outcome::Visible)]);
    let mut manifest = run.manifest().clone();
    manifest.finished_at = time(11);
    manifest.files.iter_mut().find(|f| f.path == "lookups.parquet").unwrap().rows = 7;
    let path = run.folder().join("manifest.json");
    std::fs::write(path, serde_json::to_string(&manifest).unwrap()).unwrap();
    let faults = store.run(run.id()).unwrap().verify().faults;
    assert_eq!(
        faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "lookups.parquet: 1 rows, the manifest says 7",
            "manifest.json: finished at 1970-01-01T00:00:11Z, \
             its look-ups at 1970-01-01T00:00:10Z",
        ]
    );
}
