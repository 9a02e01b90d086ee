//! What a store keeps of its history: damage, old runs, deleted runs, crashes.

use std::path::Path;

use snapshot::{Kept, List, Spell, Store};

use super::{import, spells, updated};
use crate::util::{on, scratch, succeed};

/// Three days of account 42.
fn three_days(folder: &Path) -> Store {
    for (day, members) in
        [("2026-11-01", "1\n2\n3\n"), ("2026-11-02", "2\n3\n4\n"), ("2026-11-04", "1\n2\n4\n")]
    {
        import(&mut on(&folder.join("store")), folder, day, members);
    }
    Store::open(folder.join("store")).unwrap()
}

fn shown(spells: &[Spell]) -> String {
    let one = |spell: &Spell| {
        format!("{}:{}-{} {}", spell.member, spell.first_seen, spell.last_seen, spell.began.name())
    };
    spells.iter().map(one).collect::<Vec<_>>().join(", ")
}

const THREE: &str =
    "1:0-0 first_look, 1:2-2 returned, 2:0-2 first_look, 3:0-1 first_look, 4:1-2 new";

#[test]
fn only_new_runs_are_added() {
    let folder = scratch();
    let store = three_days(folder.path());
    let (history, done) = updated(&store);
    assert_eq!((done.added, done.rebuilt), (3, None));
    assert_eq!(shown(&spells(&history, List::Followers)), THREE);
    assert_eq!(updated(&store).1.added, 0);
    import(&mut on(store.folder()), folder.path(), "2026-11-05", "4\n");
    let (history, done) = updated(&store);
    assert_eq!((done.added, done.rebuilt), (1, None));
    let last = history.crawls().last().unwrap();
    assert_eq!((last.number, last.opening, last.lost, last.closing), (3, 3, 2, 1));
}

#[test]
fn a_run_that_comes_late_or_goes_has_it_made_anew() {
    let folder = scratch();
    let store = three_days(folder.path());
    updated(&store);
    import(&mut on(store.folder()), folder.path(), "2026-11-03", "3\n");
    let (history, done) = updated(&store);
    assert!(done.rebuilt.unwrap().contains("2026-11-03T00-00-00Z came"));
    let expected = "1:0-0 first_look, 1:3-3 returned, 2:0-1 first_look, 2:3-3 returned, 3:0-2 first_look, 4:1-1 new, 4:3-3 returned";
    assert_eq!(shown(&spells(&history, List::Followers)), expected);
    let late = store.find("2026-11-03").unwrap();
    std::fs::remove_dir_all(late.folder()).unwrap();
    let (history, done) = updated(&store);
    assert!(done.rebuilt.unwrap().contains("not in the store any more"));
    assert_eq!(shown(&spells(&history, List::Followers)), THREE);
}

#[test]
fn damage_and_other_versions_have_it_made_anew() {
    let folder = scratch();
    let store = three_days(folder.path());
    updated(&store);
    let file = |name: &str| store.folder().join("history").join(name);
    let spoil = |path: &Path| {
        let mut bytes = std::fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        // Whatever bit of the manifest changes, it need not be one that matters.
        if path.ends_with("manifest.json") {
            bytes.truncate(middle);
        } else {
            bytes[middle] ^= 1;
        }
        std::fs::write(path, bytes).unwrap();
    };
    for name in ["manifest.json", "crawls.parquet", "list=followers/spells.parquet"] {
        for removed in [false, true] {
            if removed {
                std::fs::remove_file(file(name)).unwrap();
            } else {
                spoil(&file(name));
            }
            let (history, done) = updated(&store);
            assert!(done.rebuilt.is_some(), "{name} {removed}");
            assert_eq!(shown(&spells(&history, List::Followers)), THREE);
        }
    }
    let manifest = std::fs::read_to_string(file("manifest.json")).unwrap();
    std::fs::write(file("manifest.json"), manifest.replace("\"format\":1", "\"format\":99"))
        .unwrap();
    let (history, done) = updated(&store);
    assert!(done.rebuilt.unwrap().contains("format 99"));
    assert_eq!(shown(&spells(&history, List::Followers)), THREE);
}

#[test]
fn a_crash_between_two_histories_leaves_the_old_one() {
    let folder = scratch();
    let store = three_days(folder.path());
    updated(&store);
    std::fs::rename(store.folder().join("history"), store.folder().join(".history-old")).unwrap();
    let Kept::Whole(history) = store.history().unwrap() else { panic!("it is there") };
    assert_eq!(shown(&spells(&history, List::Followers)), THREE);
    assert!(store.folder().join("history").exists());
    // And one after the new one has its place.
    let old = store.folder().join(".history-old");
    std::fs::create_dir(&old).unwrap();
    import(&mut on(store.folder()), folder.path(), "2026-11-05", "4\n");
    assert_eq!(updated(&store).1.added, 1);
    assert!(!old.exists());
}

#[test]
fn two_at_a_time_wait_for_each_other() {
    let folder = scratch();
    let store = three_days(folder.path());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let (history, _) = updated(&store);
                assert_eq!(shown(&spells(&history, List::Followers)), THREE);
            });
        }
    });
}

#[test]
fn runs_and_verify_take_no_notice_of_it() {
    let folder = scratch();
    let store = three_days(folder.path());
    let see = |command: &str| succeed(on(store.folder()).arg(command));
    let before = [see("runs"), see("verify")];
    updated(&store);
    assert_eq!([see("runs"), see("verify")], before);
    assert_eq!(store.runs().unwrap().len(), 3);
}
