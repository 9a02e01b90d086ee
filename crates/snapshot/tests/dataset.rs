//! The dataset as its readers see it: written, published, read back, verified.

mod damage;
mod look_ups;
mod members;
mod util;

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use snapshot::{
    AccountId, Columns, Coverage, Crawl, ErrorKind, List, PageRecord, RowsChunk, State, Store,
    WriterOptions,
};
use util::{crawl, id, ids, scratch, time};

const BOTH: Columns = Columns { accounts: true, positions: true };

/// (list, account) → members in the order of the source.
type Lists = BTreeMap<(List, u32), Vec<u32>>;

fn lists() -> impl Strategy<Value = Lists> {
    let list = prop_oneof![Just(List::Followers), Just(List::Following)];
    prop::collection::btree_map((list, 0..20_u32), prop::collection::vec(0..300_u32, 0..200), 1..8)
}

/// What the dataset promises: members ascending, each once, at its first position.
fn expected(members: &[u32]) -> Vec<(i64, i32)> {
    let mut first = BTreeMap::new();
    for (position, member) in (0..).zip(members) {
        first.entry(i64::from(*member)).or_insert(position);
    }
    first.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_written_is_read_back_sorted_once_at_its_first_position(
        lists in lists(),
        page in 1..50_usize,
        asked in prop::collection::vec(0..400_u32, 0..100),
        memory in prop_oneof![Just(0_usize), Just(1 << 20)],
    ) {
        let folder = scratch();
        let store = Store::create(folder.path()).unwrap();
        let mut options = WriterOptions::default();
        options.sort_memory = memory;
        let mut run = store.begin(time(0), options).unwrap();
        for ((list, account), members) in &lists {
            for (number, page_ids) in members.chunks(page).enumerate() {
                let first = u32::try_from(number * page).unwrap();
                run.rows(*list, id(*account), first, &ids(page_ids)).unwrap();
            }
            run.crawl(crawl(*account, *list));
        }
        let published = run.publish().unwrap();
        let run = store.find("latest").unwrap();
        prop_assert_eq!(&run.crawls().unwrap(), &published.crawls);
        let asked: Vec<_> = asked.iter().map(|m| id(*m)).collect();
        for crawl in &published.crawls {
            let members = &lists[&(crawl.list, u32::try_from(crawl.account.get()).unwrap())];
            let rows = run.list(crawl.list).unwrap().members(crawl.account, 0..i64::MAX, BOTH).load().unwrap();
            let rows: Vec<_> = rows.members.into_iter().zip(rows.positions).collect();
            let expected = expected(members);
            let places: BTreeMap<_, _> = expected.iter().copied().collect();
            let place = |m: &AccountId| places.get(&m.get()).map(|p| u32::try_from(*p).unwrap());
            let positions = run.list(crawl.list).unwrap().positions_of(crawl.account, &asked);
            prop_assert_eq!(positions.unwrap(), asked.iter().map(place).collect::<Vec<_>>());
            prop_assert_eq!(crawl.ids, expected.len() as u64);
            prop_assert_eq!(crawl.duplicates, (members.len() - expected.len()) as u64);
            prop_assert_eq!(rows, expected);
        }
        let verification = run.verify();
        prop_assert!(verification.faults.is_empty(), "{:?}", verification.faults);
    }
}

#[test]
fn ids_of_63_bits_survive() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let members: Vec<_> =
        ["0", "9007199254740993", "9223372036854775807"].map(|t| t.parse().unwrap()).into();
    let account = "9223372036854775806".parse().unwrap();
    let mut run = store.begin(time(0), WriterOptions::default()).unwrap();
    run.rows(List::Followers, account, 0, &members).unwrap();
    run.crawl(snapshot::Crawl { account, ..crawl(0, List::Followers) });
    run.publish().unwrap();
    let list = store.find("latest").unwrap().list(List::Followers).unwrap();
    let rows = list.members(account, 0..i64::MAX, Columns::default()).load().unwrap();
    assert_eq!(rows.members, [0, 9_007_199_254_740_993, i64::MAX]);
    let above = list.members(account, i64::MAX..i64::MAX, Columns::default()).load().unwrap();
    assert_eq!(above.members, [i64::MAX], "the end of the id space is inclusive");
    #[expect(clippy::reversed_empty_ranges, reason = "callers compute ranges")]
    let reversed = list.members(account, 9_007_199_254_740_994..1, BOTH).load().unwrap();
    assert_eq!(reversed, RowsChunk::default(), "a reversed range holds nothing");
}

#[test]
fn a_cursor_shows_page_by_page_what_a_range_holds() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let mut run = store.begin(time(0), WriterOptions::default()).unwrap();
    // The second list has a row group of its own between two that it shares.
    let lists = [(1, 60_000_u32), (2, 300_000), (3, 5), (4, 0), (5, 40_000)];
    for (account, members) in lists {
        let members: Vec<_> = (0..members).map(|n| 7 * n + account).collect();
        run.rows(List::Followers, id(account), 0, &ids(&members)).unwrap();
        run.crawl(crawl(account, List::Followers));
    }
    run.publish().unwrap();
    let reader = store.find("latest").unwrap().list(List::Followers).unwrap();
    #[expect(clippy::reversed_empty_ranges, reason = "a reversed range holds nothing")]
    let ranges = [0..i64::MAX, 0..1, 6..15, 200_000..1_100_000, 2_000_000..i64::MAX, 9..3];
    for (account, _) in lists {
        for range in ranges.clone() {
            let rows = reader.members(id(account), range.clone(), Columns::default());
            let mut cursor = reader.cursor(id(account), range.clone());
            let mut seen = Vec::new();
            while let Some(page) = cursor.page().unwrap() {
                assert!(!page.is_empty() && page.len() <= 1 << 17);
                seen.extend_from_slice(page);
            }
            assert_eq!(seen, rows.load().unwrap().members, "{account} in {range:?}");
        }
    }
}

#[test]
fn one_account_of_thousands_is_read_without_the_others() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let mut run = store.begin(time(0), WriterOptions::default()).unwrap();
    for account in 0..3000 {
        let members: Vec<u32> = (0..300).map(|i| i * 7919 + account).collect();
        run.rows(List::Followers, id(account), 0, &ids(&members)).unwrap();
        run.crawl(crawl(account, List::Followers));
    }
    run.publish().unwrap();
    let list = store.find("latest").unwrap().list(List::Followers).unwrap();
    let (opening, total) = (list.bytes_read(), list.bytes());
    let rows = list.members(id(1234), 0..i64::MAX, Columns::default()).load().unwrap();
    assert_eq!(rows.members.len(), 300);
    let read = list.bytes_read() - opening;
    // 900,000 rows are seven row groups; the account's rows lie in one of them, or in two.
    assert!(read * 3 < total, "{read} of {total} bytes");
    assert_eq!(list.members(id(5000), 0..i64::MAX, BOTH).count(), 0);
    assert_eq!(list.bytes_read() - opening, read, "an absent account costs nothing");
}

#[test]
fn a_page_is_looked_up_in_a_long_list_without_reading_it_whole() {
    const ROWS: u32 = 2_000_000;
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let mut run = store.begin(time(0), WriterOptions::default()).unwrap();
    // Even ids, newest first; a smaller list before it and one after share its row groups.
    for (account, rows) in [(1, 100), (2, ROWS), (3, 100)] {
        let members: Vec<_> = (0..rows).rev().map(|i| id(2 * i)).collect();
        run.rows(List::Followers, id(account), 0, &members).unwrap();
        run.crawl(crawl(account, List::Followers));
    }
    run.publish().unwrap();
    let list = store.find("latest").unwrap().list(List::Followers).unwrap();
    let (opening, total) = (list.bytes_read(), list.bytes());
    let page: Vec<_> = (0..1000).map(|i| id(3_000_000 - i)).collect();
    let expected = |id: &AccountId| {
        let raw = u32::try_from(id.get()).unwrap();
        raw.is_multiple_of(2).then(|| ROWS - 1 - raw / 2)
    };
    let check = |page: &[AccountId]| {
        let expected: Vec<_> = page.iter().map(expected).collect();
        assert_eq!(list.positions_of(id(2), page).unwrap(), expected);
    };
    check(&page);
    let read = list.bytes_read() - opening;
    // 16 row groups; the page lies in one of them, or in two.
    assert!(read * 7 < total, "{read} of {total} bytes");
    assert_eq!(list.positions_of(id(2), &[]).unwrap(), []);
    assert_eq!(list.positions_of(id(9), &page).unwrap(), [None; 1000]);
    assert_eq!(list.bytes_read() - opening, read, "nothing asked, nothing read");
    // Every row group, downwards, and one id twice.
    let spread = (0..1000).rev().map(|i| id(i * 4001 % (2 * ROWS)));
    check(&spread.chain([id(8002)]).collect::<Vec<_>>());
}

#[test]
fn a_list_without_rows_still_has_its_columns() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let mut run = store.begin(time(0), WriterOptions::default()).unwrap();
    run.crawl(snapshot::Crawl { state: State::Protected, ..crawl(7, List::Followers) });
    let published = run.publish().unwrap();
    assert!(published.folder.join("list=followers/part-00000.parquet").exists());
    let run = store.find("latest").unwrap();
    assert_eq!(run.list(List::Followers).unwrap().rows(), 0);
    assert_eq!(run.crawls().unwrap()[0].state, State::Protected);
    assert!(run.verify().faults.is_empty());
    assert_eq!(run.list(List::Following).err().unwrap().kind(), ErrorKind::NotFound);
}

#[test]
fn a_head_names_the_run_it_leans_on_and_a_page_what_was_not_shown() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let known = util::publish(&store, 0, &[(1, &[5])]);
    let known_run = known.file_name().unwrap().to_str().unwrap().strip_prefix("run=").unwrap();
    let mut run = store.begin(time(60), WriterOptions::default()).unwrap();
    run.crawl(Crawl {
        state: State::Read(Coverage::Head),
        known_run: Some(known_run.parse().unwrap()),
        pages: 1,
        ..crawl(1, List::Followers)
    });
    let problems = Some(r#"[{"title":"Forbidden"}]"#.to_owned());
    run.page(PageRecord { problems, ..PageRecord::new(id(1), List::Followers, 0, time(60)) });
    run.publish().unwrap();
    let run = store.find("latest").unwrap();
    assert_eq!(run.crawls().unwrap()[0].known_run, Some(store.run_ids().unwrap()[0]));
    assert_eq!(run.pages().unwrap()[0].problems.as_deref(), Some(r#"[{"title":"Forbidden"}]"#));
}

#[test]
fn a_dropped_run_leaves_no_trace() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let mut run = store.begin(time(0), WriterOptions::default()).unwrap();
    run.rows(List::Followers, id(1), 0, &ids(&[1, 2])).unwrap();
    drop(run);
    assert!(store.runs().unwrap().is_empty());
    assert_eq!(std::fs::read_dir(folder.path().join(".staging")).unwrap().count(), 0);
}

#[test]
fn runs_of_one_second_get_numbers() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    for _ in 0..3 {
        util::publish(&store, 0, &[(1, &[1, 2])]);
    }
    let names: Vec<_> = store.run_ids().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["1970-01-01T00-00-00Z", "1970-01-01T00-00-00Z-2", "1970-01-01T00-00-00Z-3"]);
}

#[test]
fn a_run_is_found_by_what_a_person_would_write() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    assert!(store.find("latest").is_err());
    for second in [0, 3600, 86_400 * 2] {
        util::publish(&store, second, &[(1, &[1])]);
    }
    let find = |name: &str| store.find(name).map(|run| run.id().to_string());
    assert_eq!(find("latest").unwrap(), "1970-01-03T00-00-00Z");
    assert_eq!(find("previous").unwrap(), "1970-01-01T01-00-00Z");
    assert_eq!(find("1970-01-01").unwrap(), "1970-01-01T01-00-00Z");
    assert_eq!(find("1970-01-03T").unwrap(), "1970-01-03T00-00-00Z");
    assert_eq!(find("run=1970-01-01T00-00-00Z").unwrap(), "1970-01-01T00-00-00Z");
    assert_eq!(find("1970-01-01T").unwrap_err().kind(), ErrorKind::Invalid, "two runs");
    assert_eq!(find("1970-01-02").unwrap_err().kind(), ErrorKind::NotFound);
    // Halves of ids, which a parser of dates may take for dates.
    assert_eq!(find("1970-01-03T00-00").unwrap(), "1970-01-03T00-00-00Z");
    assert_eq!(find("1970-01-01T01-00").unwrap(), "1970-01-01T01-00-00Z");
    assert_eq!(find("1970-01-01T00-00").unwrap(), "1970-01-01T00-00-00Z");
    for nobody in ["1970-01-01T07-20", "1970-01-01T00-30", "19700101", "1970-01-01T01+00"] {
        assert_eq!(find(nobody).unwrap_err().kind(), ErrorKind::NotFound, "{nobody}");
    }
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let run = util::publish(&store, 0, &[(1, &[1])]);
    let manifest = run.join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("\"format\": 1", "\"format\": 2")).unwrap();
    let error = store.runs().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NewerFormat);
    assert!(error.to_string().contains("format 2") && error.way_out().is_some(), "{error}");
}

#[test]
fn a_damaged_run_does_not_hide_the_others() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let [_, second, third] = [0, 60, 120].map(|at| util::publish(&store, at, &[(1, &[1])]));
    std::fs::remove_file(second.join("manifest.json")).unwrap();
    std::fs::write(third.join("manifest.json"), b"\xff").unwrap();
    std::fs::create_dir(folder.path().join("run=backup")).unwrap();
    let entries = store.entries().unwrap();
    let names: Vec<_> = entries.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[0], "run=1970-01-01T00-00-00Z");
    assert_eq!(names[1..3], ["run=1970-01-01T00-01-00Z", "run=1970-01-01T00-02-00Z"]);
    assert_eq!(names[3..], ["run=backup"]);
    assert!(entries[0].1.is_ok());
    for (name, run) in &entries[1..] {
        let error = run.as_ref().err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Damaged, "{name}: {error}");
        assert!(error.to_string().contains(name.as_str()), "{name}: {error}");
    }
    assert_eq!(store.run_ids().unwrap_err().kind(), ErrorKind::Damaged);
    assert_eq!(store.runs().unwrap_err().kind(), ErrorKind::Damaged);
    assert!(store.find("1970-01-01T00-00-00Z").is_ok(), "a stray folder is in nobody's way");
}

#[test]
fn many_writers_of_one_store_leave_each_other_in_peace() {
    const THREADS: u32 = 16;
    const RUNS: u32 = 12;
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = &store;
            scope.spawn(move || {
                for run in 0..RUNS {
                    util::publish(store, i64::from(run), &[(thread, &[1, 2, run])]);
                    drop(store.begin(time(0), WriterOptions::default()).unwrap());
                }
            });
        }
    });
    let runs = store.runs().unwrap();
    assert_eq!(runs.len(), (THREADS * RUNS) as usize);
    for run in runs {
        assert_eq!(run.verify().faults, []);
    }
    assert_eq!(std::fs::read_dir(folder.path().join(".staging")).unwrap().count(), 0);
}

fn faults(folder: &Path, store: &Store) -> Vec<String> {
    let faults = store.find("latest").unwrap().verify().faults;
    let clean = |f: &snapshot::Fault| f.to_string().replace(&folder.display().to_string(), "");
    faults.iter().map(clean).collect()
}

#[test]
fn verify_names_the_file_that_lost_a_byte() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let run = util::publish(&store, 0, &[(1, &[1, 2, 3]), (2, &[5])]);
    assert!(faults(folder.path(), &store).is_empty());

    let part = run.join("list=followers/part-00000.parquet");
    let whole = std::fs::read(&part).unwrap();
    let mut flipped = whole.clone();
    flipped[40] ^= 0x55;
    std::fs::write(&part, &flipped).unwrap();
    let found = faults(folder.path(), &store);
    assert!(found[0].starts_with("list=followers/part-00000.parquet: its SHA-256 is"), "{found:?}");
    assert!(found.iter().any(|f| f.contains("part-00000.parquet, row group 0")), "{found:?}");

    std::fs::write(&part, &whole[..whole.len() - 1]).unwrap();
    let found = faults(folder.path(), &store);
    assert!(found[0].contains("bytes, the manifest says"), "{found:?}");

    std::fs::remove_file(run.join("pages.parquet")).unwrap();
    let found = faults(folder.path(), &store);
    assert!(found.iter().any(|f| f.starts_with("pages.parquet: cannot open")), "{found:?}");
}

#[test]
fn verify_sees_a_part_that_was_exchanged_for_another_runs() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let other = util::publish(&store, 0, &[(1, &[1, 2, 3]), (9, &[4])]);
    let run = util::publish(&store, 60, &[(1, &[1, 2]), (2, &[5])]);
    let part = "list=followers/part-00000.parquet";
    std::fs::copy(other.join(part), run.join(part)).unwrap();
    let found = faults(folder.path(), &store).join("\n");
    assert!(found.contains("row group 0: its CRC-32 is not that of the manifest"), "{found}");

    // And if its line in the manifest was exchanged with it.
    let manifest = |run: &Path| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(run.join("manifest.json")).unwrap()).unwrap()
    };
    let mut forged = manifest(&run);
    forged["files"][0] = manifest(&other)["files"][0].take();
    std::fs::write(run.join("manifest.json"), forged.to_string()).unwrap();
    let found = faults(folder.path(), &store).join("\n");
    for expected in [
        "list=followers: 3 rows of 1, its crawl says 2",
        "list=followers: 0 rows of 2, its crawl says 1",
        "list=followers: rows of 9, which has no crawl",
    ] {
        assert!(found.contains(expected), "{expected} not in\n{found}");
    }
}

#[test]
fn verify_sees_files_that_no_manifest_vouches_for() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let run = util::publish(&store, 0, &[(1, &[1, 2, 3])]);
    let part = |number: u32| run.join(format!("list=followers/part-{number:05}.parquet"));
    std::fs::copy(part(0), part(1)).unwrap();
    assert_eq!(
        faults(folder.path(), &store),
        ["list=followers/part-00001.parquet: is not in the manifest"]
    );
}

#[test]
fn verify_compares_rows_and_pages_with_the_crawls() {
    let folder = scratch();
    let store = Store::create(folder.path()).unwrap();
    let mut run = store.begin(time(0), WriterOptions::default()).unwrap();
    for (account, first_position) in [(1, 0), (2, 7)] {
        run.rows(List::Followers, id(account), first_position, &ids(&[5, 6])).unwrap();
        run.crawl(snapshot::Crawl {
            source: "x_v1".to_owned(),
            pages: account - 1,
            ..crawl(account, List::Followers)
        });
    }
    run.publish().unwrap();
    assert_eq!(
        faults(folder.path(), &store),
        [
            "pages.parquet: no page of the followers list of 2",
            "list=followers: position 8 of 2, which has 2 rows",
        ]
    );
}

#[test]
fn a_store_that_may_not_be_written_to_says_so() {
    let folder = scratch();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Store::create(file.join("store")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("cannot create the store"), "{error}");
}
