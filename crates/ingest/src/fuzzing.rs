//! What must hold of every reader, whatever it is given: one function for each.
//!
//! They are called by the fuzz targets in `fuzz/`, and by the test that replays the corpus in
//! `data/fuzz/`. A function that returns is content; a panic is a finding.

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;
use snapshot::Store;

use crate::clock::parse_date;
use crate::credential::file;
use crate::import::{AccountColumn, Format, ImportOptions, Input, Kind};
use crate::source::parsers::{self, PageBody};
use crate::source::{Generation, Trouble, classify as classified};
use crate::{Cursor, Detail, Error, ErrorKind, Job, ServerClock, Silent, SourceKind};

/// A reader's check.
pub type Check = fn(&[u8]);

/// Every check, by the name of its target and of its folder in the corpus.
pub const TARGETS: [(&str, Check); 10] = [
    ("v1_page", v1_page),
    ("v2_page", v2_page),
    ("lookup", lookup),
    ("classify", classify),
    ("http_date", http_date),
    ("cursor", cursor),
    ("journal", journal),
    ("job", job),
    ("credentials", credentials),
    ("import", import),
];

/// 2026-11-24T00:00:00Z
const NOW: Timestamp = Timestamp::constant(1_795_478_400, 0);

/// Reads a page of v1.1.
pub fn v1_page(body: &[u8]) {
    let Ok(page) = parsers::page(SourceKind::XV1, body, false, NOW) else { return };
    has_what_it_shows(&page, body, |body| body.get("ids"), |id| Some(id));
    if let Some(next) = &page.next {
        let number: i64 = next.as_str().parse().expect("a cursor of v1.1 is a number");
        assert!(next.as_str() != "0" && (number != 0 || next.as_str() != "0"));
    }
}

/// Reads a page of v2, with profiles and without.
pub fn v2_page(body: &[u8]) {
    let [brief, full] =
        [false, true].map(|profiles| parsers::page(SourceKind::XV2, body, profiles, NOW));
    if let (Ok(brief), Ok(full)) = (&brief, &full) {
        assert_eq!((&brief.ids, &brief.next), (&full.ids, &full.next));
        assert_eq!(brief.problems, full.problems);
    }
    for page in brief.iter().chain(&full) {
        has_what_it_shows(page, body, |body| body.get("data"), |user| user.get("id"));
        assert!(page.next.as_ref().is_none_or(|next| !next.as_str().is_empty()));
    }
    if let Ok(full) = full {
        let accounts = full.profiles.iter().map(|member| member.profile.account);
        assert!(accounts.eq(full.ids));
    }
}

/// Compares what was read with what another parser finds. Where that one finds no object,
/// since it is stricter with what does not matter here, there is nothing to compare with.
fn has_what_it_shows(
    page: &PageBody,
    body: &[u8],
    rows: fn(&Value) -> Option<&Value>,
    id: fn(&Value) -> Option<&Value>,
) {
    assert!(page.ids.iter().all(|id| id.get() >= 0));
    let Ok(body @ Value::Object(_)) = serde_json::from_slice(body) else { return };
    let shown = rows(&body).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    assert_eq!(page.ids.len(), shown.len(), "an id is lost, or made up");
    for (read, shown) in page.ids.iter().zip(shown) {
        let shown = match id(shown) {
            Some(Value::String(text)) => text.parse().ok(),
            Some(Value::Number(number)) => number.as_i64(),
            // A user that is written as an array.
            _ => continue,
        };
        assert_eq!(Some(read.get()), shown, "an id has changed");
    }
}

/// Reads a look-up of both generations.
pub fn lookup(body: &[u8]) {
    for kind in SourceKind::ALL {
        let [brief, full] =
            [Detail::Brief, Detail::Full].map(|detail| parsers::lookup(kind, body, detail, NOW));
        let (Ok(brief), Ok(full)) = (&brief, &full) else {
            assert!(brief.is_err() && full.is_err());
            continue;
        };
        let profiles = brief.found.iter().map(|member| &member.profile);
        assert!(profiles.eq(full.found.iter().map(|member| &member.profile)));
        assert!(full.found.iter().all(|member| member.profile.account.get() >= 0));
    }
}

/// Sorts an answer, whose first two bytes are its status.
pub fn classify(answer: &[u8]) {
    let Some((status, body)) = answer.split_first_chunk::<2>() else { return };
    let status = 100 + u16::from_be_bytes(*status) % 500;
    for generation in [Generation::V1, Generation::V2] {
        let Some(error) = classified(generation, status, &[], body) else {
            assert!((200..300).contains(&status), "HTTP {status} passes for an answer");
            continue;
        };
        match error.trouble {
            Trouble::Target(_) => {
                assert!(status < 500 && status != 429, "a server in trouble tells of accounts");
            }
            trouble => assert!(status < 500 || trouble == Trouble::Transient, "{trouble:?}"),
        }
        assert!(status != 402 || error.trouble == Trouble::Quota);
        assert!(error.detail.contains(&status.to_string()));
    }
}

/// Reads an HTTP date, and lives by it.
pub fn http_date(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Some(date) = parse_date(text) else { return };
    let clock = ServerClock::new();
    clock.observe(text);
    let now = clock.now();
    let believed = now.duration_since(date).abs() < jiff::SignedDuration::from_mins(1);
    assert!(believed || now.duration_since(Timestamp::now()).as_hours() == 0);
    let _ = Cursor::new("1591087837626119954").boundary(now);
}

/// Decodes a cursor.
pub fn cursor(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let cursor = Cursor::new(text);
    assert_eq!(cursor.as_str(), text, "a cursor is sent back as it came");
    let (place, boundary) = (cursor.place(NOW), cursor.boundary(NOW));
    assert_eq!(place.is_some(), boundary.is_some());
    if let (Some(place), Some(boundary)) = (place, boundary) {
        let earliest = Timestamp::constant(1_141_171_200, 0);
        assert!(boundary >= earliest && boundary.duration_since(NOW).as_hours() <= 24);
        let again = Cursor::new(place.to_string());
        assert_eq!(again.place(NOW), Some(place), "a token and its number are one place");
    }
}

/// Reads a journal: its frames, its records, and what they come to.
pub fn journal(file: &[u8]) {
    crate::journal::fuzzing::check(file);
}

/// What must stand in no message. It cannot be taken for a key.
const SECRET: &str = "SESAME%2Fsesame%3D";

/// Reads a job file. It may name files; none of those that are read without an end.
pub fn job(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    if text.contains("dev") || text.contains("proc") || text.contains('\\') {
        return;
    }
    let path = Path::new("/nowhere/job.toml");
    if let Ok(job) = Job::parse(text, path) {
        let lists = job.groups.iter().flat_map(|group| &group.targets);
        assert!(lists.into_iter().all(|target| !target.lists.is_empty()) || text.contains("[]"));
        let _ = job.with_stdin("@alice # a friend\n12\n");
    }
    let misplaced = [
        format!("bearer_token = \"{SECRET}\"\n{text}"),
        format!("base_url = \"https://me:{SECRET}@example.com\"\n{text}"),
    ];
    for text in misplaced {
        let error = Job::parse(&text, path).expect_err("a job holds no credential");
        assert!(!shown(&error).contains(SECRET), "{}", shown(&error));
    }
}

/// Reads a credentials file.
pub fn credentials(text: &[u8]) {
    match file::parse(text.to_vec(), Path::new("/nowhere/credentials.toml")) {
        Ok(found) => {
            let shown = format!("{found:?}");
            let named = found.iter().any(|credential| credential.id().name.contains(SECRET));
            assert!(named || !shown.contains(SECRET), "{shown}");
        }
        // A file of tokens that is not there is named.
        Err(error) if error.kind() == ErrorKind::Io => {}
        Err(error) => assert!(!shown(&error).contains(SECRET), "{}", shown(&error)),
    }
}

/// All that an error can be made to say.
fn shown(error: &Error) -> String {
    format!("{error} {error:?} {:?}", error.way_out())
}

/// Imports a file for what it looks like, and for everything that it is not. Its first byte
/// chooses its name.
pub fn import(file: &[u8]) {
    const NAMES: [&str; 4] =
        ["input", "follower.js", "following-part1.js", "twitter-Following-1790000000000.json"];
    let Some((name, text)) = file.split_first() else { return };
    let folder = tempfile::tempdir().expect("a folder for the file");
    let path = folder.path().join(NAMES[usize::from(*name) % NAMES.len()]);
    std::fs::write(&path, text).expect("the file can be written");
    let formats = std::iter::once(None).chain(Format::ALL.map(Some));
    let exports = formats.map(|format| Kind::Export {
        format,
        account: Some(AccountColumn::Fixed(42.into())),
        list: None,
    });
    for (number, kind) in exports.chain([Kind::Edges]).enumerate() {
        let store = folder.path().join(format!("store-{number}"));
        let store = Store::create(store).expect("a store for the run");
        let options = ImportOptions { time: Some(NOW), ..ImportOptions::new(kind) };
        let imported = crate::import(&store, &[Input::File(path.clone())], &options, &Silent);
        let runs = store.run_ids().expect("the store can be listed").len();
        match imported {
            Ok(imported) => assert_eq!(imported.runs.len(), runs),
            Err(error) => assert_eq!(runs, 0, "{error} and yet a run"),
        }
    }
}
