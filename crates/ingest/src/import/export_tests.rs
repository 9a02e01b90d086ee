//! What X's archive, twarc, minet and twitter-web-exporter write, and what becomes of it when
//! it is broken.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use snapshot::{Coverage, Cut, State};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::tests::Place;
use super::*;
use crate::Silent;

fn export(account: Option<i64>) -> ImportOptions {
    let account = account.and_then(AccountId::new).map(AccountColumn::Fixed);
    ImportOptions::new(Kind::Export { format: None, account, list: None })
}

fn sample(name: &str) -> Input {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/exports");
    Input::File(folder.join(name))
}

impl Place {
    fn samples(&self, names: &[&str], options: &ImportOptions) -> Imported {
        let inputs: Vec<_> = names.iter().map(|name| sample(name)).collect();
        import(&self.store, &inputs, options, &Silent).unwrap()
    }

    fn complaint_of(&self, name: &str, bytes: &[u8], options: &ImportOptions) -> String {
        let error = import(&self.store, &[self.file(name, bytes)], options, &Silent).unwrap_err();
        assert!(self.store.run_ids().unwrap().is_empty(), "something was published");
        let folder = format!("{}/", self.folder.path().display());
        let hint = error.way_out().map_or(String::new(), |hint| format!("; {hint}"));
        format!("{error}{hint}").replace(&folder, "")
    }
}

fn states(imported: &Imported) -> String {
    let crawls = imported.runs.iter().flat_map(|run| &run.crawls);
    let each = crawls.map(|c| format!("{} {} {} {}", c.account, c.list, c.state, c.order.name()));
    let mut each: Vec<_> = each.collect();
    each.sort();
    each.join(", ")
}

fn taken(imported: &Imported) -> String {
    let each = imported.taken.iter().map(|taken| {
        let file = Path::new(&taken.file).file_name().unwrap_or_default().to_string_lossy();
        taken.to_string().replace(&taken.file, &file)
    });
    each.collect::<Vec<_>>().join("\n")
}

const PARTIAL: State = State::Read(Coverage::CutShort { after_page: 1, why: Cut::Partial });
const FOLLOWERS: &str = "7:11@1 7:12@2 7:900000000000000001@0";
const WHOLE: &str = "7 followers complete unknown, 7 following complete unknown";

#[test]
fn an_archive_of_x_says_whose_it_is_and_of_when() {
    let all =
        [vec!["x-archive.zip"], vec!["x-archive/data/follower.js", "x-archive/data/following.js"]];
    for names in all {
        let place = Place::new();
        let imported = place.samples(&names, &export(None));
        assert_eq!(imported.runs.len(), 1);
        assert_eq!(imported.runs[0].run.to_string(), "2026-10-01T08-28-39Z");
        assert_eq!(place.rows(&imported, 0, List::Followers), FOLLOWERS);
        assert_eq!(place.rows(&imported, 0, List::Following), "7:12@0 7:13@1");
        assert_eq!(states(&imported), WHOLE);
        assert!(taken(&imported).contains("taken for X's data archive: "), "{imported:?}");
    }
}

#[test]
fn a_list_that_lacks_one_of_its_files_is_partial() {
    let (place, options) = (Place::new(), export(Some(7)));
    let second = LOOSE.replace("part0", "part1");
    let first = place.file("follower.js", LOOSE.as_bytes());
    let second = place.file("follower-part1.js", second.as_bytes());
    let state = |inputs: &[Input], day: i64| {
        let mut options = options.clone();
        options.time = Some(Timestamp::from_second(1_700_000_000 + day * 86_400).unwrap());
        let imported = import(&place.store, inputs, &options, &Silent).unwrap();
        imported.runs[0].crawls[0].state.is_complete()
    };
    assert!(!state(std::slice::from_ref(&first), 1));
    assert!(!state(std::slice::from_ref(&second), 2));
    assert!(state(&[first, second], 3));
}

const LOOSE: &str = r#"window.YTD.follower.part0 = [ {"follower": {"accountId": "11"}},
{"follower": {"accountId": 9223372036854775807, "userLink": "x"}} ]"#;

#[test]
fn a_loose_file_needs_to_be_told_what_it_does_not_say() {
    let place = Place::new();
    let what = "follower.js:1: a file of X's archive does not say it all by itself; put account.js and manifest.js of the archive beside it, or import the zip, or say ";
    let complaint =
        |options: &ImportOptions| place.complaint_of("follower.js", LOOSE.as_bytes(), options);
    let both = "whose list it is and when it was taken, with --account ID and --time TIME";
    assert_eq!(complaint(&export(None)), format!("{what}{both}"));
    assert_eq!(complaint(&export(Some(7))), format!("{what}when it was taken, with --time TIME"));
    let mut options = export(Some(7));
    options.time = Some("2026-01-01T00:00:00Z".parse().unwrap());
    let part = LOOSE.replace("part0", "part1").replace("11", "12");
    let inputs = [place.file("follower.js", LOOSE.as_bytes()), place.file("x.js", part.as_bytes())];
    let imported = import(&place.store, &inputs, &options, &Silent).unwrap();
    let rows = place.rows(&imported, 0, List::Followers);
    assert_eq!(rows, "7:11@0 7:12@2 7:9223372036854775807@1");
    assert_eq!(imported.runs[0].run.to_string(), "2026-01-01T00-00-00Z");
}

#[test]
fn an_archive_that_lacks_what_its_manifest_counts_is_partial() {
    let place = Place::new();
    let manifest = r#"window.__THAR_CONFIG = {"userInfo": {"accountId": "7"}, "archiveInfo":
        {"generationDate": "2026-01-01T00:00:00.000Z"}, "dataTypes": {"follower": {"files":
        [{"count": "2"}, {"count": "5"}]}}}"#;
    place.file("manifest.js", manifest.as_bytes());
    let file = place.file("follower.js", LOOSE.as_bytes());
    let imported = import(&place.store, &[file], &export(None), &Silent).unwrap();
    assert_eq!(imported.runs[0].crawls[0].state, PARTIAL);
    assert!(taken(&imported).contains("its manifest counts another number"), "{imported:?}");
    let wrong =
        import(&place.store, &[place.file("a", LOOSE.as_bytes())], &export(Some(8)), &Silent);
    assert!(wrong.unwrap_err().to_string().ends_with("a:1: the file is of 7, not of 8"));
}

#[test]
fn a_broken_archive_file_is_refused_at_its_element() {
    let options = ImportOptions { time: Some(Timestamp::UNIX_EPOCH), ..export(Some(7)) };
    let complaint = |text: &str| Place::new().complaint_of("f.js", text.as_bytes(), &options);
    let rounded = complaint(&LOOSE.replace("9223372036854775807", "1.5e18"));
    assert!(rounded.starts_with("f.js (element 2):2: `1.5e18` is a rounded number"), "{rounded}");
    let large = complaint(&LOOSE.replace("9223372036854775807", "99999999999999999999999"));
    assert!(large.contains("is a rounded number"), "{large}");
    let short = complaint(&LOOSE[..LOOSE.len() - 2]);
    assert!(short.starts_with("f.js:2: the file ends within element 3; "), "{short}");
    let other = complaint(&LOOSE.replace("{\"follower\"", "{\"following\""));
    assert!(other.starts_with("f.js:1: element 1 is not of the list"), "{other}");
    let tweets = complaint(&LOOSE.replace("follower.part0", "tweets.part0"));
    assert!(tweets.starts_with("f.js:1: this file of X's archive is not a list"), "{tweets}");
    let behind = complaint(&format!("{LOOSE}\n]"));
    assert!(behind.contains("f.js:3: element 3 is not as it should be"), "{behind}");
}

fn zip_of(files: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_broken_zip_says_what_is_wrong_with_it() {
    let options = ImportOptions { time: Some(Timestamp::UNIX_EPOCH), ..export(Some(7)) };
    let complaint = |bytes: &[u8]| Place::new().complaint_of("a.zip", bytes, &options);
    let good = zip_of(&[("data/follower.js", LOOSE.as_bytes())], CompressionMethod::Stored);
    let cut = complaint(&good[..good.len() / 2]);
    assert!(cut.starts_with("a.zip: the zip archive cannot be read; "), "{cut}");
    let empty = complaint(&zip_of(&[("data/tweets.js", b"")], CompressionMethod::Stored));
    assert!(empty.starts_with("a.zip: there is neither a follower.js nor"), "{empty}");
    let at = good.windows(4).position(|bytes| bytes == b"\"11\"").unwrap() + 1;
    let mut flipped = good.clone();
    flipped[at] = b'2';
    let flipped = complaint(&flipped);
    assert!(
        flipped.starts_with("a.zip:data/follower.js:2: the file's checksum is wrong"),
        "{flipped}"
    );
    let mut locked = good.clone();
    locked[6] |= 1;
    let central = good.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    locked[central + 8] |= 1;
    let locked = complaint(&locked);
    assert!(locked.starts_with("a.zip:data/follower.js: the file is encrypted; "), "{locked}");
    let mut bomb = b"window.YTD.follower.part0 = [{\"follower\":{\"accountId\":\"".to_vec();
    bomb.resize(40 << 20, b'1');
    let bomb = zip_of(&[("data/follower.js", &bomb)], CompressionMethod::Deflated);
    assert!(bomb.len() < 1 << 20);
    let bomb = complaint(&bomb);
    assert!(bomb.starts_with("a.zip:data/follower.js:1: the file cannot be read any"), "{bomb}");
}

#[test]
fn pages_of_twarc2_are_complete_when_the_last_names_no_next() {
    let place = Place::new();
    let imported = place.samples(&["twarc2-followers.jsonl"], &export(None));
    let expected = format!("{FOLLOWERS} 8:12@0 8:14@1");
    assert_eq!(place.rows(&imported, 0, List::Followers), expected);
    let expected = "7 followers complete newest_first, 8 followers partial newest_first";
    assert_eq!(states(&imported), expected);
    assert_eq!(imported.runs[0].run.to_string(), "2026-10-02T10-00-00Z");
    let crawl = imported.runs[0].crawls.iter().find(|c| c.account == AccountId::from(7)).unwrap();
    assert_eq!(crawl.finished_at.to_string(), "2026-10-02T10:00:05Z");
    let line = "twarc2-followers.jsonl: taken for output of twarc2: 2 lists, 1 of them partial: its last page names a next one";
    assert_eq!(taken(&imported), line);
}

fn page(list: &str, token: &str, next: &str, ids: &[i64]) -> String {
    let data = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect::<Vec<_>>().join(",");
    let token = if token.is_empty() { String::new() } else { format!("&pagination_token={token}") };
    let next = if next.is_empty() { String::new() } else { format!(r#","next_token":"{next}""#) };
    format!(
        r#"{{"data":[{data}],"meta":{{"result_count":1{next}}},"__twarc":{{"url":"https://api.twitter.com/2/users/{list}?max_results=9{token}","version":"2","retrieved_at":"2026-10-02T10:00:00+00:00"}}}}"#
    ) + "\n"
}

#[test]
fn pages_that_do_not_join_are_never_complete() {
    let check = |pages: &[String], expected: &str| {
        let place = Place::new();
        let imported = place.import(pages.concat().as_bytes(), &export(None)).unwrap();
        assert_eq!(states(&imported), expected);
    };
    let list = "7/following";
    let (first, last) = (page(list, "", "A", &[1]), page(list, "B", "", &[3]));
    let middle = page(list, "A", "B", &[2]);
    let complete = "7 following complete newest_first";
    check(&[first.clone(), middle.clone(), last.clone()], complete);
    let partial = "7 following partial unknown";
    check(&[first.clone(), last.clone()], partial);
    check(&[middle.clone(), last.clone()], partial);
    check(&[first.clone(), page(list, "", "", &[1])], partial);
    check(&[page(list, "", "", &[1]), page(list, "", "", &[1])], partial);
    check(&[last, middle, first], partial);
}

#[test]
fn flattened_users_and_lookups_are_partial_unless_told() {
    let place = Place::new();
    let imported = place.samples(&["twarc2-flat.jsonl"], &export(None));
    assert_eq!(states(&imported), "7 followers partial unknown");
    let place = Place::new();
    let mut options = export(Some(7));
    options.coverage = Held::Complete;
    let imported = place.samples(&["twarc-users.jsonl"], &options);
    assert_eq!(place.rows(&imported, 0, List::Followers), FOLLOWERS);
    assert_eq!(states(&imported), "7 followers complete unknown");
    let complaint = Place::new().complaint(b"{\"id_str\":\"5\"}\n", &export(None));
    let expected =
        "input:1: users of the API v1.1 do not say whose list it is; say it with --account ID";
    assert_eq!(complaint, expected);
    let complaint = Place::new().complaint(b"{\"id\":5}\n{\"id\":1.5e18}\n", &export(Some(7)));
    assert!(complaint.starts_with("input:2: `1.5e18` is a rounded number"), "{complaint}");
    let complaint = Place::new().complaint(b"{\"id\":5}\n{\"id\":", &export(Some(7)));
    assert!(complaint.starts_with("input:2: the line is neither a page"), "{complaint}");
    let tweets = page("7/tweets", "", "", &[1]);
    let complaint = Place::new().complaint(tweets.as_bytes(), &export(None));
    assert!(
        complaint.starts_with("input:1: the line is not of a list of followers"),
        "{complaint}"
    );
}

#[test]
fn a_table_of_minet_names_its_members() {
    let place = Place::new();
    let imported = place.samples(&["minet-followers.csv"], &export(None));
    let rows = place.rows(&imported, 0, List::Followers);
    assert_eq!(rows, "7:11@1 7:900000000000000001@0 8:12@0");
    assert_eq!(states(&imported), "7 followers partial unknown, 8 followers partial unknown");
    let place = Place::new();
    let imported = place.import(b"name,friend_id\nx,5\n", &export(Some(7))).unwrap();
    assert_eq!(place.rows(&imported, 0, List::Following), "7:5@0");
    let complaint = Place::new().complaint(b"name,lang,follower_id\nx,en,5\n", &export(None));
    assert!(complaint.starts_with("input:1: which column says whose list it is?; "), "{complaint}");
    let contradicted = b"user_id,follower_id\n5,1\n6,99\n";
    let complaint = Place::new().complaint(contradicted, &export(Some(5)));
    assert!(complaint.contains(":3: the column `user_id` names 6, and --account 5"), "{complaint}");
    let complaint = Place::new().complaint(b"name,follower_id\nx,5\n", &export(None));
    assert!(complaint.starts_with("input:2: `x` is not a numeric id"), "{complaint}");
}

#[test]
fn an_export_of_a_browser_is_partial_and_dated_by_its_name() {
    for name in ["twitter-Followers-1790000000000.json", "twitter-Followers-1790000000000.csv"] {
        let place = Place::new();
        let imported = place.samples(&[name], &export(Some(7)));
        assert_eq!(place.rows(&imported, 0, List::Followers), FOLLOWERS);
        assert_eq!(states(&imported), "7 followers partial unknown");
        assert_eq!(imported.runs[0].run.to_string(), "2026-09-21T14-13-20Z");
    }
    let complaint = Place::new().complaint(b"[{\"id\":\"5\"}]", &export(None));
    assert!(complaint.contains("does not say whose list it is; say it with --account"));
    let complaint = Place::new().complaint(b"[{\"id\":\"5\"},\n{\"x\":1}]", &export(Some(7)));
    assert_eq!(complaint, "input:2: element 2 has no `id`");
}

#[test]
fn plain_ids_are_known_too_and_need_an_account() {
    let place = Place::new();
    let imported = place.import(b"# of twarc\n5\n6\n", &export(Some(7))).unwrap();
    assert_eq!(place.rows(&imported, 0, List::Followers), "7:5@0 7:6@1");
    assert_eq!(states(&imported), "7 followers complete unknown");
    assert_eq!(imported.taken, []);
    assert_eq!(imported.runs.len(), 1);
    let error = place.import(b"5\n", &export(None)).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Usage, "whose list is it?"));
    let missing = Input::File(PathBuf::from("/nowhere/a.zip"));
    let error = import(&place.store, &[missing], &export(None), &Silent).unwrap_err();
    assert_eq!(error.to_string(), "cannot open /nowhere/a.zip");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn what_is_written_in_any_format_comes_back(
        ids in prop::collection::hash_set(0..=i64::MAX, 1..60),
    ) {
        let ids: Vec<i64> = ids.into_iter().collect();
        let join = |each: &dyn Fn(&i64) -> String, by: &str| {
            ids.iter().map(each).collect::<Vec<_>>().join(by)
        };
        let follower = |id: &i64| format!(r#"{{"follower":{{"accountId":"{id}"}}}}"#);
        let archive = format!("window.YTD.follower.part0 = [{}]", join(&follower, ",\n"));
        let zip = zip_of(&[("data/follower.js", archive.as_bytes())], CompressionMethod::Deflated);
        let mut pages = String::new();
        for (index, ids) in ids.chunks(7).enumerate() {
            let token = if index == 0 { String::new() } else { format!("T{index}") };
            let next = format!("T{}", index + 1);
            pages.push_str(&page("7/followers", &token, &next, ids));
        }
        let users = join(&|id| format!(r#"{{"id_str":"{id}","id":1.5}}"#), "\n");
        let numbers = join(&|id| format!(r#"{{"id":{id}}}"#), "\n");
        let mut minet = "user,follower_id\n".to_owned();
        for id in &ids {
            writeln!(minet, "7,{id}").unwrap();
        }
        let browser = format!("[{}]", join(&|id| format!(r#"{{"id":"{id}"}}"#), ","));
        let plain = join(&i64::to_string, "\n");
        let mut expected: Vec<_> = ids.iter().enumerate().map(|(p, id)| (*id, p)).collect();
        expected.sort_unstable();
        let expected: Vec<_> = expected.iter().map(|(id, p)| format!("7:{id}@{p}")).collect();
        let expected = expected.join(" ");
        let options = ImportOptions {
            time: Some(Timestamp::from_second(1_700_000_000).unwrap()),
            ..export(Some(7))
        };
        let texts = [archive, pages, users, numbers, minet, browser, plain];
        for bytes in texts.map(String::into_bytes).into_iter().chain([zip]) {
            let place = Place::new();
            let imported = place.import(&bytes, &options).unwrap();
            prop_assert_eq!(place.rows(&imported, 0, List::Followers), expected.clone());
        }
    }
}
