//! Damaged files: every change is found, and none makes the reader panic.

use std::path::{Path, PathBuf};

use crate::util::{crawl, id, ids, scratch, time};
use proptest::prelude::*;
use snapshot::{
    Columns, Coverage, Crawl, Cut, List, LookUp, Manifest, Outcome, PageRecord, Profile, Run,
    State, Store, Tool, WriterOptions,
};

/// One run with something of everything: both lists, pages, profiles, a repeated member.
fn small_run(store: &Store) -> PathBuf {
    let mut run = store.begin(time(60), WriterOptions::default()).unwrap();
    for (account, list) in [(1, List::Followers), (2, List::Followers), (1, List::Following)] {
        let mut cursor = None;
        for (page, members) in (0_u32..).zip([&[9, 8, 7][..], &[6, account, 8]]) {
            let next_cursor = (page == 0).then(|| "1777000000000000000".to_owned());
            let first_position = page * 3;
            run.rows(list, id(account), first_position, &ids(members)).unwrap();
            run.page(PageRecord {
                cursor: std::mem::replace(&mut cursor, next_cursor.clone()),
                next_cursor,
                ids: 3,
                first_position,
                ..PageRecord::new(id(account), list, page, time(61 + i64::from(page)))
            });
        }
        run.crawl(Crawl {
            source: "x_v1".to_owned(),
            pages: 2,
            requests: 2,
            reported_count: Some(6),
            ..crawl(account, list)
        });
        let name = Some(format!("account {account}"));
        run.profile(Profile { name, ..Profile::unknown(id(account), time(60)) });
        run.member(list, id(account), &Profile::unknown(id(9), time(61)).into()).unwrap();
    }
    let cut = State::Read(Coverage::CutShort { after_page: 1, why: Cut::Partial });
    run.crawl(Crawl::new(id(3), List::Followers, "file", cut, time(1)));
    run.rows(List::Followers, id(3), 0, &ids(&[5, 4])).unwrap();
    run.look_up(LookUp {
        member: id(5),
        looked_up_at: time(70),
        source: "x_v1".to_owned(),
        outcome: Outcome::Visible,
        username: None,
    });
    run.publish().unwrap().folder
}

fn files(run: &Path) -> Vec<PathBuf> {
    let names = [
        "manifest.json",
        "crawls.parquet",
        "pages.parquet",
        "accounts.parquet",
        "profiles.parquet",
        "lookups.parquet",
        "list=followers/part-00000.parquet",
        "list=following/part-00000.parquet",
    ];
    names.into_iter().map(|name| run.join(name)).collect()
}

/// A manifest without the two things that nothing in a run repeats.
fn verifiable(run: &Run) -> Manifest {
    let tool = Tool { name: String::new(), version: String::new() };
    Manifest { tool, parameters: std::collections::BTreeMap::new(), ..run.manifest().clone() }
}

/// Whether the damage is found. Text of the manifest may change without a change of what
/// it says, such as the blanks in it; then there is nothing to find.
fn is_found(store: &Store, whole: &Manifest) -> bool {
    let (_, run) = store.entries().unwrap().remove(0);
    run.map_or(true, |run| !run.verify().faults.is_empty() || verifiable(&run) == *whole)
}

fn read_all(run: &Run) {
    let _ = (run.crawls(), run.pages(), run.profiles(), run.look_ups());
    let _ = run.member_profiles().map(|batches| batches.map(drop).count());
    for list in List::ALL {
        if let Ok(reader) = run.list(list) {
            let _ = reader.all(Columns { accounts: true, positions: true }).load();
            let _ = reader.positions_of(id(2), &ids(&[3, 8]));
            let _ = reader.members(id(2), 3..8, Columns::default()).load();
        }
    }
}

#[test]
fn a_byte_that_changed_is_found() {
    change_bytes(23);
}

/// Changes every `step`th byte of every file, one at a time.
fn change_bytes(step: usize) {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let path = small_run(&store);
    let run = store.find("latest").unwrap();
    assert_eq!(run.verify().faults, []);
    let whole = verifiable(&run);
    for file in files(&path) {
        let bytes = std::fs::read(&file).unwrap();
        let is_part = file.ends_with("part-00000.parquet");
        for at in (0..bytes.len()).step_by(step) {
            for mask in [0x01, 0x10, 0x80, 0xFF] {
                let mut damaged = bytes.clone();
                damaged[at] ^= mask;
                std::fs::write(&file, &damaged).unwrap();
                assert!(is_found(&store, &whole), "{} byte {at} ^ {mask:#x}", file.display());
                if is_part {
                    read_all(&run);
                }
            }
        }
        std::fs::write(&file, &bytes).unwrap();
    }
    assert_eq!(run.verify().faults, []);
}

#[test]
#[cfg(unix)]
fn a_pipe_in_place_of_a_file_is_damage_and_nobody_waits_for_it() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let path = small_run(&store);
    let run = store.find("latest").unwrap();
    for file in files(&path) {
        let bytes = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
        assert!(made.success());
        let (done, waiting) = std::sync::mpsc::channel();
        let (store, run) = (store.clone(), run.clone());
        std::thread::spawn(move || {
            read_all(&run);
            let entries = store.entries().unwrap();
            let faults = run.verify().faults;
            done.send((entries[0].1.as_ref().err().map(snapshot::Error::kind), faults)).unwrap();
        });
        let (entry, faults) = waiting.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
        if file.ends_with("manifest.json") {
            assert_eq!(entry, Some(snapshot::ErrorKind::Damaged));
        } else {
            assert!(faults.iter().any(|f| f.what.ends_with("it is not a file")), "{faults:?}");
        }
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, bytes).unwrap();
    }
    assert_eq!(run.verify().faults, []);
}

#[test]
fn sizes_that_no_disk_holds_are_added_up_without_a_panic() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    small_run(&store);
    let mut manifest = store.find("latest").unwrap().manifest().clone();
    assert!(manifest.bytes() > 0);
    manifest.files.iter_mut().for_each(|f| f.bytes = u64::MAX / 2);
    assert_eq!(manifest.bytes(), u64::MAX);
}

#[test]
fn a_missing_end_is_found() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let path = small_run(&store);
    let run = store.find("latest").unwrap();
    let whole = verifiable(&run);
    for file in files(&path) {
        let bytes = std::fs::read(&file).unwrap();
        let near_its_end = bytes.len() - 20..bytes.len();
        for length in (0..bytes.len()).step_by(29).chain(near_its_end) {
            std::fs::write(&file, &bytes[..length]).unwrap();
            assert!(is_found(&store, &whole), "{} cut to {length}", file.display());
            read_all(&run);
        }
        std::fs::write(&file, &bytes).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn much_damage_in_many_places_is_found_too(
        file in 1..8_usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
    ) {
        let folder = scratch();
        let store = Store::create(folder.path()).unwrap();
        let path = small_run(&store);
        let run = store.find("latest").unwrap();
        let file = &files(&path)[file];
        let whole = std::fs::read(file).unwrap();
        let mut bytes = whole.clone();
        for (index, value) in damage {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        std::fs::write(file, &bytes).unwrap();
        prop_assert!(bytes == whole || !run.verify().faults.is_empty());
        read_all(&run);
    }
}
