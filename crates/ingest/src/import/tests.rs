//! Imports of small files, and what becomes of bad ones.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use proptest::prelude::*;
use snapshot::{Columns, Coverage, Cut, State};

use super::*;
use crate::Silent;

pub(super) struct Place {
    pub(super) folder: tempfile::TempDir,
    pub(super) store: Store,
}

impl Place {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path().join("store")).unwrap();
        Self { folder, store }
    }

    pub(super) fn file(&self, name: &str, bytes: &[u8]) -> Input {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Input::File(path)
    }

    pub(super) fn import(&self, bytes: &[u8], options: &ImportOptions) -> Result<Imported, Error> {
        import(&self.store, &[self.file("input", bytes)], options, &Silent)
    }

    /// The rows of a run as `account:member@position`, in the order of the dataset.
    pub(super) fn rows(&self, imported: &Imported, run: usize, list: List) -> String {
        let run = self.store.run(imported.runs[run].run).unwrap();
        let columns = Columns { accounts: true, positions: true };
        let rows = run.list(list).unwrap().all(columns).load().unwrap();
        let each = rows.accounts.iter().zip(&rows.members).zip(&rows.positions);
        each.map(|((a, m), p)| format!("{a}:{m}@{p}")).collect::<Vec<_>>().join(" ")
    }

    /// The message without the folder, and the hint.
    pub(super) fn complaint(&self, bytes: &[u8], options: &ImportOptions) -> String {
        let error = self.import(bytes, options).unwrap_err();
        assert!(self.store.run_ids().unwrap().is_empty(), "something was published");
        let folder = format!("{}/", self.folder.path().display());
        let hint = error.way_out().map_or(String::new(), |hint| format!("; {hint}"));
        format!("{error}{hint}").replace(&folder, "")
    }
}

fn ids() -> ImportOptions {
    ImportOptions::new(Kind::Ids { account: AccountId::from(42), list: List::Followers })
}

fn table(account: Option<&str>, time: Option<&str>) -> ImportOptions {
    let account = match account {
        Some(name) => AccountColumn::Column(name.to_owned()),
        None => AccountColumn::Fixed(AccountId::from(42)),
    };
    let (member, time) = ("member".to_owned(), time.map(str::to_owned));
    ImportOptions::new(Kind::Table { account, member, time, list: List::Followers })
}

fn edges() -> ImportOptions {
    ImportOptions::new(Kind::Edges)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

fn zstd_long(text: &[u8]) -> Vec<u8> {
    let mut packed = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    packed.long_distance_matching(true).unwrap();
    packed.window_log(27).unwrap();
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

#[test]
fn an_id_list_becomes_one_complete_list() {
    let place = Place::new();
    let text = "\u{feff}# exported today\r\n9223372036854775807\r\n\r\n 12 # the first\r\n7";
    let imported = place.import(text.as_bytes(), &ids()).unwrap();
    let rows = place.rows(&imported, 0, List::Followers);
    assert_eq!(rows, "42:7@2 42:12@1 42:9223372036854775807@0");
    let crawl = &imported.runs[0].crawls[0];
    assert_eq!((crawl.source.as_str(), crawl.state), ("file", State::Read(Coverage::Complete)));
    assert_eq!((crawl.order, crawl.ids), (Order::Unknown, 3));
    assert_eq!(imported.notes, []);
    let run = place.store.run(imported.runs[0].run).unwrap();
    assert_eq!(run.profiles().unwrap()[0].account, AccountId::from(42));
}

#[test]
fn what_the_importer_is_told_stands_in_the_crawl() {
    let place = Place::new();
    let mut options = ids();
    options.coverage = Held::Partial;
    options.order = Order::NewestFirst;
    options.time = Some("2020-02-02T02:02:02Z".parse().unwrap());
    let imported = place.import(b"1\n2\n", &options).unwrap();
    let crawl = &imported.runs[0].crawls[0];
    let partial = Coverage::CutShort { after_page: 1, why: Cut::Partial };
    assert_eq!((crawl.state, crawl.order), (State::Read(partial), Order::NewestFirst));
    assert_eq!(imported.runs[0].run.to_string(), "2020-02-02T02-02-02Z");
    let run = place.store.run(imported.runs[0].run).unwrap();
    let expected = [("list", "followers"), ("order", "newest_first")];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(run.manifest().parameters, BTreeMap::from(expected));
}

#[test]
fn packed_input_is_known_by_its_first_bytes() {
    let (text, place) = (b"1\n2\n".as_slice(), Place::new());
    let members = [gzip(b"1\n"), gzip(b"2\n")].concat();
    for packed in [text.to_vec(), gzip(text), members, zstd_long(text)] {
        let imported = place.import(&packed, &ids()).unwrap();
        assert_eq!(place.rows(&imported, 0, List::Followers), "42:1@0 42:2@1");
    }
}

#[test]
fn several_files_are_one_list() {
    let place = Place::new();
    let inputs = [place.file("a", b"1\n2\n"), place.file("b", b"3\n1\n")];
    let imported = import(&place.store, &inputs, &ids(), &Silent).unwrap();
    assert_eq!(place.rows(&imported, 0, List::Followers), "42:1@0 42:2@1 42:3@2");
    assert!(imported.notes[0].to_string().ends_with("/b:2: repeated rows, kept once (1)"));
}

#[test]
fn every_time_of_a_table_becomes_a_run() {
    let place = Place::new();
    let text = "when;member;other\n2021-01-02;5;x\n2021-01-01;9;x\n2021-01-02;3;\"x;\n\"\n1609459200;5;x\n";
    let imported = place.import(text.as_bytes(), &table(None, Some("when"))).unwrap();
    let runs: Vec<_> = imported.runs.iter().map(|run| run.run.to_string()).collect();
    assert_eq!(runs, ["2021-01-01T00-00-00Z", "2021-01-02T00-00-00Z"]);
    assert_eq!(place.rows(&imported, 0, List::Followers), "42:5@1 42:9@0");
    assert_eq!(place.rows(&imported, 1, List::Followers), "42:3@1 42:5@0");
}

#[test]
fn a_table_may_say_whose_list_each_row_is_of() {
    let place = Place::new();
    let text = b"\xef\xbb\xbfaccount\tmember\n1\t5\n2\t\"5\"\n1\t 6 \n";
    let imported = place.import(text, &table(Some("account"), None)).unwrap();
    assert_eq!(place.rows(&imported, 0, List::Followers), "1:5@0 1:6@1 2:5@0");
}

#[test]
fn edges_become_following_lists() {
    let place = Place::new();
    let text = "% asym\n# From To\n1 2\n\n1\t3\r\n2 2 1 1700000000\n1 2 \n";
    let imported = place.import(text.as_bytes(), &edges()).unwrap();
    assert_eq!(place.rows(&imported, 0, List::Following), "1:2@0 1:3@1 2:2@0");
    let notes: Vec<_> =
        imported.notes.iter().map(|note| (note.what, note.line, note.count)).collect();
    let expected = [
        (NoteKind::ExtraColumns, Some(6), 1),
        (NoteKind::ListsItself, Some(6), 1),
        (NoteKind::Duplicates, Some(7), 1),
    ];
    assert_eq!(notes, expected);
}

#[test]
fn edges_may_be_partial_and_parted_by_any_sign() {
    let place = Place::new();
    let mut options = edges();
    options.coverage = Held::Partial;
    options.delimiter = Some(b',');
    let imported = place.import(b"1, 2\n1,3\n", &options).unwrap();
    assert_eq!(place.rows(&imported, 0, List::Following), "1:2@0 1:3@1");
    assert!(!imported.runs[0].crawls[0].state.is_complete());
    let complaint = Place::new().complaint(b"1,,2\n", &options);
    assert_eq!(complaint, "input:1: the id is empty");
}

#[test]
fn gzip_may_have_several_members_and_zeros_but_no_garbage_behind_it() {
    let mut packed = gzip(b"1\n2\n");
    packed.extend(gzip(b"3\n"));
    packed.extend([0; 700]);
    let place = Place::new();
    let imported = place.import(&packed, &ids()).unwrap();
    assert_eq!(imported.runs[0].crawls[0].ids, 3);
    for garbage in [b"x".as_slice(), b"hello, this is a note behind the data"] {
        let mut packed = gzip(b"1\n2\n");
        packed.extend(garbage);
        let complaint = Place::new().complaint(&packed, &ids());
        let expected = "input:3: something that is not gzip follows the packed data; ";
        assert!(complaint.starts_with(expected), "{complaint}");
    }
}

#[test]
fn an_empty_list_must_be_meant() {
    let place = Place::new();
    let hint = "an empty list is more often a failed export than a list; if it is one, say so with --allow-empty";
    let complaint = place.complaint(b"# nobody\n", &ids());
    assert_eq!(complaint, format!("input holds no ids; {hint}"));
    let mut options = edges();
    options.allow_empty = true;
    let nothing = "input has no rows, so it says nothing of any account";
    assert_eq!(place.complaint(b"", &options), nothing);
    let mut options = table(None, Some("t"));
    options.allow_empty = true;
    assert_eq!(place.complaint(b"member,t\n", &options), nothing);
    let mut options = ids();
    options.allow_empty = true;
    let imported = place.import(b"", &options).unwrap();
    assert_eq!(imported.runs[0].crawls[0].ids, 0);
}

#[test]
fn a_bad_id_is_shown_with_its_line_and_nothing_is_published() {
    let place = Place::new();
    let check = |id: &str, expected: &str| {
        let by_line = place.complaint(format!("1\n{id}\n").as_bytes(), &ids());
        assert_eq!(by_line, format!("input:2: {expected}"));
        let text = format!("t,member\n2021-01-01,1\n2021-01-02,{id}\n");
        let by_row = place.complaint(text.as_bytes(), &table(None, Some("t")));
        assert_eq!(by_row, format!("input:3: {expected}"));
        let by_edge = place.complaint(format!("1 2\n1 {id}\n").as_bytes(), &edges());
        assert_eq!(by_edge, format!("input:2: {expected}"));
    };
    check(
        "9223372036854775808",
        "`9223372036854775808` is above 9223372036854775807 (2^63 - 1), the largest id there can be",
    );
    check("-5", "`-5` is negative; ids are whole numbers from 0 to 9223372036854775807");
    check(
        "1.43E+18",
        "`1.43E+18` is a rounded number, not an id: a spreadsheet or a float has cut its last digits off; go back to the source and export the ids as text",
    );
    check(
        "alice",
        "`alice` is not a numeric id; only numeric ids can be imported so far; map names to numbers first",
    );
}

#[test]
fn a_truncated_file_is_refused_where_it_ends() {
    let place = Place::new();
    let lines = (0..50_000).map(|i| (i * 7_919_u64 % 1_000_003).to_string());
    let text = lines.collect::<Vec<_>>().join("\n");
    for packed in [gzip(text.as_bytes()), zstd_long(text.as_bytes())] {
        let complaint = place.complaint(&packed[..packed.len() / 2], &ids());
        let (start, rest) = complaint.split_once(": ").unwrap();
        let line: u64 = start.strip_prefix("input:").unwrap().parse().unwrap();
        assert!((1..50_000).contains(&line), "{complaint}");
        assert!(rest.starts_with("the packed data ends in the middle; "), "{complaint}");
    }
    let rows = format!("member\n{text}");
    let packed = gzip(rows.as_bytes());
    let complaint = place.complaint(&packed[..packed.len() - 4], &table(None, None));
    assert!(complaint.contains("the packed data ends in the middle"), "{complaint}");
}

#[test]
fn a_table_that_is_not_as_it_was_said_to_be_is_refused() {
    let place = Place::new();
    let complaint = place.complaint(b"id,login\n1,a\n", &table(None, None));
    assert_eq!(complaint, "input:1: there is no column `member`; the columns are: id, login");
    let complaint = place.complaint(b"member,member\n1,2\n", &table(None, None));
    assert_eq!(complaint, "input:1: there are several columns `member`");
    let complaint = place.complaint(b"member,b\n1,2\n3\n", &table(None, None));
    assert_eq!(complaint, "input:3: the row has 1 columns, the header has 2");
    let complaint = place.complaint(b"member,t\n1,soon\n", &table(None, Some("t")));
    assert!(complaint.starts_with("input:2: `soon` in column `t` is no time; "), "{complaint}");
    let complaint = place.complaint(b"member,t\n1,60\n", &table(None, Some("t")));
    assert!(complaint.starts_with("input:2: `60` in column `t` is no time; Unix seconds have"));
    let mut endless = b"member,b\n1,\"".to_vec();
    endless.resize(40 << 20, b'x');
    let complaint = place.complaint(&endless, &table(None, None));
    assert!(complaint.starts_with("input:2: the file cannot be read any further"), "{complaint}");
}

#[test]
fn an_edge_needs_two_ids_and_a_line_an_end() {
    let place = Place::new();
    let complaint = place.complaint(b"1 2\n3\n", &edges());
    assert!(complaint.starts_with("input:2: an edge needs two ids, and there is one; "));
    let complaint = place.complaint(&vec![b'1'; 1 << 17], &edges());
    assert_eq!(complaint, "input:1: the line does not end; is this a text file?");
    let complaint = place.complaint(b"1 2\n\xff\xfe\n", &edges());
    assert_eq!(complaint, "input:2: the line is not UTF-8");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let place = Place::new();
    let input = Input::File(PathBuf::from("/nowhere/list.txt"));
    let error = import(&place.store, &[input], &ids(), &Silent).unwrap_err();
    assert_eq!(error.to_string(), "cannot open /nowhere/list.txt");
    let twice = [Input::Stdin, Input::Stdin];
    let error = import(&place.store, &twice, &ids(), &Silent).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn a_store_that_fails_half_way_says_which_runs_are_there() {
    let run = |second| RunId::at(Timestamp::from_second(second).unwrap());
    let runs: Vec<Published> = {
        let place = Place::new();
        let text = b"member,t\n1,1600000000\n2,1600000060\n";
        place.import(text, &table(None, Some("t"))).unwrap().runs
    };
    let cause = Error::new(ErrorKind::Store, "the disk is full").hint("nothing was published");
    let error = half_way(cause, 3, &runs);
    assert_eq!(error.published(), [run(1_600_000_000), run(1_600_000_060)]);
    assert_eq!(
        error.to_string(),
        "2 of 3 runs are published: 2020-09-13T12-26-40Z to 2020-09-13T12-27-40Z"
    );
    assert!(error.way_out().unwrap().contains("later times than 2020-09-13T12-27-40Z"));
    let cause = Error::new(ErrorKind::Store, "the disk is full").hint("nothing was published");
    let error = half_way(cause, 3, &[]);
    assert_eq!(error.way_out(), Some("nothing was published"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_table_survives_the_round_trip(
        rows in prop::collection::vec((0..4_i64, 0..3_u32, 0..40_i64), 1..120),
    ) {
        let place = Place::new();
        let mut text = "t,account,member\n".to_owned();
        let mut expected: BTreeMap<i64, BTreeMap<(u32, i64), usize>> = BTreeMap::new();
        let mut positions: BTreeMap<(i64, u32), usize> = BTreeMap::new();
        for (time, account, member) in &rows {
            let id = i64::MAX - member;
            writeln!(text, "{},{account},{id}", 1_600_000_000 + time * 3600).unwrap();
            let position = positions.entry((*time, *account)).or_default();
            expected.entry(*time).or_default().entry((*account, id)).or_insert(*position);
            *position += 1;
        }
        let imported = place.import(text.as_bytes(), &table(Some("account"), Some("t"))).unwrap();
        prop_assert_eq!(imported.runs.len(), expected.len());
        let kept: usize = expected.values().map(BTreeMap::len).sum();
        for (index, lists) in expected.into_values().enumerate() {
            let rows = lists.into_iter().map(|((a, m), p)| format!("{a}:{m}@{p}"));
            let expected = rows.collect::<Vec<_>>().join(" ");
            prop_assert_eq!(place.rows(&imported, index, List::Followers), expected);
        }
        let duplicates: u64 =
            imported.runs.iter().flat_map(|run| &run.crawls).map(|crawl| crawl.duplicates).sum();
        prop_assert_eq!(duplicates, (rows.len() - kept) as u64);
    }
}
