//! Reports of small stores: their numbers are those of sets, their bytes are stable, and names
//! that others chose are names and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use analysis::Accounts;
use jiff::Timestamp;
use report::{Report, Request};
use serde_json::Value;
use snapshot::{
    AccountId, Coverage, Crawl, List, LookUp, Order, Outcome, Profile, State, Store, WriterOptions,
};

/// Lists by account, newest member first; followers only.
type Lists<'a> = &'a [(u32, &'a [u32])];

fn hour(hour: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + hour * 3600).unwrap()
}

fn ids(of: &[u32]) -> Vec<AccountId> {
    of.iter().map(|id| AccountId::from(*id)).collect()
}

/// Publishes a run of complete lists.
fn publish(
    store: &Store,
    at: i64,
    followers: Lists<'_>,
    following: Lists<'_>,
    names: &[(u32, &str)],
) {
    let mut run = store.begin(hour(at), WriterOptions::default()).unwrap();
    for (list, lists) in [(List::Followers, followers), (List::Following, following)] {
        for (account, members) in lists {
            let state = State::Read(Coverage::Complete);
            let crawl = Crawl::new((*account).into(), list, "x_v2", state, hour(at));
            let reported = Some(members.len() as u64 + 1);
            run.crawl(Crawl {
                order: Order::NewestFirst,
                finished_at: hour(at + 1),
                reported_count: reported,
                cost_micro_usd: Some(10_000 * i64::try_from(members.len()).unwrap()),
                ..crawl
            });
            run.rows(list, (*account).into(), 0, &ids(members)).unwrap();
        }
    }
    for (account, name) in names {
        let profile = Profile::unknown((*account).into(), hour(at));
        let name = Some((*name).to_owned());
        run.profile(Profile { username: name.clone(), name, ..profile });
    }
    run.publish().unwrap();
}

const BEFORE: Lists<'static> =
    &[(1, &[20, 19, 18, 17, 16, 15, 14, 13, 12, 11]), (2, &[16, 15, 14, 13, 3]), (3, &[2, 1, 16])];
const AFTER: Lists<'static> = &[
    (1, &[22, 21, 20, 19, 18, 17, 16, 14, 13, 12]),
    (2, &[11, 16, 15, 14, 13, 3]),
    (3, &[2, 1, 16]),
];
const FOLLOWING: Lists<'static> = &[(1, &[22, 20, 3, 50]), (2, &[3, 14]), (3, &[2])];

fn store(names: &[(u32, &str)]) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    publish(&store, 0, BEFORE, FOLLOWING, names);
    publish(&store, 168, AFTER, FOLLOWING, names);
    let mut look_ups = store.begin(hour(300), WriterOptions::default()).unwrap();
    for (at, outcome) in [(200, Outcome::Suspended), (230, Outcome::Suspended)] {
        let (member, source) = (11.into(), "x_v2".to_owned());
        look_ups.look_up(LookUp {
            member,
            looked_up_at: hour(at),
            source,
            outcome,
            username: None,
        });
    }
    look_ups.publish().unwrap();
    (folder, store)
}

fn report(store: &Store) -> Report {
    let runs: Vec<_> =
        store.runs().unwrap().into_iter().filter(|r| r.manifest().has_lists()).collect();
    let (before, after) = (runs.iter().rev().nth(1), runs.last().unwrap());
    let request = Request { before, after, accounts: Accounts::All, list: List::Followers };
    Report::of(store, &request).unwrap()
}

fn json(report: &Report) -> Value {
    serde_json::from_str(&report.json().unwrap()).unwrap()
}

fn set(lists: Lists<'_>, account: u32) -> BTreeSet<u32> {
    let (_, members) = lists.iter().find(|(of, _)| *of == account).unwrap();
    members.iter().copied().collect()
}

#[test]
fn numbers_are_those_of_sets() {
    let (_folder, store) = store(&[]);
    let json = json(&report(&store));
    let mut sums = BTreeMap::<&str, u64>::new();
    for account in json["changes"]["accounts"].as_array().unwrap() {
        let id = account["account"].as_str().unwrap().parse().unwrap();
        let (before, after) = (set(BEFORE, id), set(AFTER, id));
        let (gained, lost) = (after.difference(&before).count(), before.difference(&after).count());
        let counts = [
            ("opening", before.len()),
            ("gained", gained),
            ("lost", lost),
            ("closing", after.len()),
        ];
        for (key, expected) in counts {
            assert_eq!(account[key], expected, "{key} of {id}");
            *sums.entry(key).or_default() += expected as u64;
        }
        let net = i64::try_from(gained).unwrap() - i64::try_from(lost).unwrap();
        assert_eq!(account["net"], net);
        assert!(
            (account["growth"].as_f64().unwrap() - net as f64 / before.len() as f64).abs() < 1e-12
        );
        assert!(
            (account["churn"].as_f64().unwrap() - lost as f64 / before.len() as f64).abs() < 1e-12
        );
    }
    for (key, sum) in sums {
        assert_eq!(json["changes"]["total"][key], sum, "{key}");
    }
    let union: BTreeSet<u32> = AFTER.iter().flat_map(|(_, members)| *members).copied().collect();
    assert_eq!(json["overlap"]["union"], union.len());
    for pair in json["overlap"]["pairs"].as_array().unwrap() {
        let [a, b] = ["a", "b"].map(|key| set(AFTER, pair[key].as_str().unwrap().parse().unwrap()));
        let (shared, either) = (a.intersection(&b).count(), a.union(&b).count());
        assert_eq!(pair["shared"], shared);
        let jaccard = shared as f64 / either as f64;
        assert!((pair["jaccard"].as_f64().unwrap() - jaccard).abs() < 1e-12);
        let lift = (shared * union.len()) as f64 / (a.len() * b.len()) as f64;
        assert!((pair["lift"].as_f64().unwrap() - lift).abs() < 1e-12);
    }
    let cells: u64 = json["overlap"]["cells"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["members"].as_u64().unwrap())
        .sum();
    assert_eq!(cells, union.len() as u64, "cells partition the union");
    let fates = &json["losses"]["total"];
    assert_eq!((&fates["lost"], &fates["looked_up"]), (&2.into(), &1.into()));
    assert_eq!(fates["fates"]["suspended"]["final"], 1);
    assert_eq!(fates["fates"]["unknown"]["provisional"], 1);
    for key in ["gained", "lost"] {
        let spread = json["timeline"]["total"][key].as_array().unwrap();
        let spread: f64 = spread.iter().map(|n| n.as_f64().unwrap()).sum();
        let all = json["changes"]["total"][key].as_f64().unwrap();
        assert!((spread - all).abs() < 0.05, "{key}: {spread} of {all}");
    }
    // 1 follows 3 and is followed by nobody of them; 2 and 3 follow each other.
    assert_eq!((&json["network"]["mutual"], &json["network"]["one_way"]), (&1.into(), &1.into()));
    let flow = &json["flows"]["largest"][0];
    assert_eq!(
        (&flow["from"], &flow["to"], &flow["members"]),
        (&"1".into(), &"2".into(), &1.into())
    );
}

#[test]
fn every_number_of_the_page_is_where_it_says() {
    let (_folder, store) = store(&[]);
    let report = report(&store);
    let (json, html) = (json(&report), report.html().unwrap());
    let mut seen = 0;
    for part in html.split("data-json=\"").skip(1) {
        let (pointer, rest) = part.split_once('"').unwrap();
        let value = rest.strip_prefix(" data-value=\"").unwrap().split_once('"').unwrap().0;
        let expected = json.pointer(pointer).unwrap_or_else(|| panic!("there is no {pointer}"));
        assert_eq!(&serde_json::from_str::<Value>(value).unwrap(), expected, "{pointer}");
        seen += 1;
    }
    assert!(seen > 150, "{seen} numbers");
}

#[test]
fn the_same_store_makes_the_same_bytes() {
    let (_folder, store) = store(&[(1, "one"), (2, "two")]);
    let (one, other) = (report(&store), report(&store));
    assert_eq!(one.html().unwrap(), other.html().unwrap());
    assert_eq!(one.json().unwrap(), other.json().unwrap());
    assert_eq!(one.markdown().unwrap(), other.markdown().unwrap());
}

#[test]
fn a_page_refers_to_nothing_outside() {
    let (_folder, store) = store(&[(1, "one")]);
    let html = report(&store).html().unwrap();
    for word in
        ["http:", "https:", "//", "@import", "url(", " src=", "<link", "<img", "<iframe", "xlink"]
    {
        // Comments of the script begin with two slashes; nothing else has them.
        let found = html.lines().filter(|line| line.contains(word));
        let found: Vec<_> = found.filter(|line| !line.trim_start().starts_with("// ")).collect();
        assert_eq!(found, Vec::<&str>::new(), "{word}");
    }
}

#[test]
fn names_that_others_chose_are_names_and_nothing_else() {
    let hostile = [
        (1, "</style><script>alert(1)</script>"),
        (2, "\u{202e}\"><img src=x onerror=alert(2)>\u{1b}[31m"),
        (3, "[x](javascript:alert(3)) | ` **\n# 🦊"),
    ];
    let long = "x".repeat(100_000);
    let (_folder, store) = store(&[hostile[0], hostile[1], hostile[2], (9, &long)]);
    let report = report(&store);
    let html = report.html().unwrap();
    assert_eq!(html.matches("<script").count(), 1, "only the page's own script");
    for word in ["<img", "alert(1)</script>", "\u{202e}", "\u{1b}", "</style><script>alert"] {
        assert!(!html.contains(word), "{word:?}");
    }
    assert!(html.contains("&#60;/style&#62;&#60;script&#62;alert(1)"), "it is shown as it is");
    let markdown = report.markdown().unwrap();
    // A bracket with a backslash is a bracket, and ends no link.
    let text = markdown.text(Some("charts")).replace("\\]", "");
    for word in ["<script", "<img", "](javascript:", "\u{202e}", "\u{1b}", "\n# 🦊"] {
        assert!(!text.contains(word), "{word:?}");
    }
    for (name, chart) in &markdown.charts {
        assert!(!chart.contains("<script") && !chart.contains("<img"), "{name}");
        assert!(chart.starts_with("<svg ") && chart.trim_end().ends_with("</svg>"), "{name}");
    }
    let json = report.json().unwrap();
    assert!(!json.contains('\u{202e}') && json.len() < 100_000);
}

#[test]
fn markdown_has_its_charts_beside_it_or_none() {
    let (_folder, store) = store(&[]);
    let markdown = report(&store).markdown().unwrap();
    let text = markdown.text(Some("my charts"));
    for (name, _) in &markdown.charts {
        assert!(text.contains(&format!("](my%20charts/{name})")), "{name}");
    }
    assert!(markdown.charts.len() >= 4);
    assert!(!markdown.text(None).contains("!["));
}

#[test]
fn one_run_alone_tells_what_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    publish(&store, 0, AFTER, FOLLOWING, &[]);
    let report = report(&store);
    let json = json(&report);
    let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["about", "ages", "came", "mutuals", "network", "overlap", "schema_version"];
    assert_eq!(keys, expected);
    // By the end of the last year everybody has followed.
    let last = json["came"]["years"].as_array().unwrap().last().unwrap();
    assert_eq!(last["so_far"], last["at_least"]);
    assert_eq!(last["so_far"], last["at_most"]);
    assert!(report.html().unwrap().contains("As of 2027"));
}

/// Every path of a document, with `[]` for places of arrays.
fn paths(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) if !at.ends_with("parameters") => {
            for (key, value) in fields {
                paths(value, &format!("{at}.{key}"), found);
            }
        }
        Value::Array(all) => all.iter().for_each(|value| paths(value, &format!("{at}[]"), found)),
        _ => drop(found.insert(at.trim_start_matches('.').to_owned())),
    }
}

#[test]
fn every_field_of_the_document_is_described() {
    let (_folder, store) = store(&[(1, "one")]);
    let mut found = BTreeSet::new();
    paths(&json(&report(&store)), "", &mut found);
    let described: BTreeSet<String> = include_str!("../SCHEMA.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(path, _)| path.to_owned())
        .collect();
    // One field in the document may be one of several in the description: `*` stands for names.
    let is_described = |path: &String| {
        let general = [
            "changes.accounts[]",
            "changes.total",
            "losses.accounts[]",
            "losses.total",
            "timeline.accounts[]",
            "timeline.total",
            "about.before",
            "about.after",
            "about.accounts[].before",
            "about.accounts[].after",
        ];
        let rest =
            general.iter().find_map(|prefix| path.strip_prefix(prefix).map(|rest| (prefix, rest)));
        let of_kind = rest.map(|(prefix, rest)| {
            let kind = match prefix.split('.').next().unwrap() {
                "about" if prefix.contains("accounts") => "read",
                "about" => "run",
                section => section,
            };
            format!("({kind}){rest}")
        });
        described.contains(path) || of_kind.is_some_and(|path| described.contains(&path))
    };
    let missing: Vec<_> = found.iter().filter(|path| !is_described(path)).collect();
    assert_eq!(missing, Vec::<&String>::new());
}
