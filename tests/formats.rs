//! Files of every format that was ever written are still read.

use std::collections::BTreeSet;

use snapshot::{Columns, List, State, Store};

use crate::util::data;

const ALL: Columns = Columns { accounts: true, positions: true };

#[test]
fn format_1_is_read() {
    let store = Store::open(data("formats/v1/store")).unwrap();
    let runs = store.runs().unwrap();
    assert_eq!(runs.len(), 3);
    for run in &runs {
        assert_eq!(run.manifest().format, 1);
        assert_eq!(run.verify().faults, []);
    }
}

/// The rows that the sample was made from, by day: the first column.
fn rows_of(day: &str) -> BTreeSet<(i64, i64)> {
    let text = std::fs::read_to_string(data("formats/v1/lists.csv")).unwrap();
    let rows = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let rows = rows.filter(|row| row[0] == day);
    rows.map(|row| (row[1].parse().unwrap(), row[2].parse().unwrap())).collect()
}

#[test]
fn the_lists_of_format_1_are_those_it_was_made_from() {
    let store = Store::open(data("formats/v1/store")).unwrap();
    for day in ["2026-11-01", "2026-11-08"] {
        let run = store.find(day).unwrap();
        let rows = run.list(List::Followers).unwrap().all(ALL).load().unwrap();
        let rows = rows.accounts.into_iter().zip(rows.members).collect::<Vec<_>>();
        assert_eq!(rows.iter().copied().collect::<BTreeSet<_>>(), rows_of(day));
        assert_eq!(rows.len(), rows_of(day).len());
    }
}

#[test]
fn the_pages_states_and_profiles_of_format_1_are_read() {
    let run = Store::open(data("formats/v1/store")).unwrap().find("latest").unwrap();
    let pages = run.pages().unwrap();
    let crawls = run.crawls().unwrap();
    for crawl in &crawls {
        let mine = pages.iter().filter(|p| (p.account, p.list) == (crawl.account, crawl.list));
        assert_eq!(mine.clone().count(), crawl.pages as usize);
        assert_eq!(mine.map(|p| u64::from(p.ids)).sum::<u64>(), crawl.ids);
    }
    assert_eq!(pages.iter().filter(|p| p.boundary.is_some()).count(), pages.len() - 4);
    // Columns that came later: these files do not have them.
    assert!(crawls.iter().all(|c| c.known_run.is_none()));
    assert!(pages.iter().all(|p| p.problems.is_none()));
    let missing = crawls.iter().filter(|c| c.state == State::Missing);
    assert!(missing.clone().all(|c| c.account.get() == 999) && missing.count() == 2);
    let account = run.account("@KETTLEANDCRANE").unwrap();
    let profiles = run.profiles().unwrap();
    let profile = profiles.iter().find(|p| p.account == account).unwrap();
    assert_eq!(profile.followers_count, Some(196));
    assert!(profile.created_at.is_some());
}

#[test]
fn the_member_profiles_and_look_ups_of_format_1_are_read() {
    let store = Store::open(data("formats/v1/store-more")).unwrap();
    let runs = store.runs().unwrap();
    assert!(runs.iter().all(|run| run.verify().faults.is_empty()));
    let [with_lists, look_ups] = &runs[..] else { panic!("{} runs", runs.len()) };
    let members: Vec<_> = with_lists.member_profiles().unwrap().flat_map(Result::unwrap).collect();
    let crawl = &with_lists.crawls().unwrap()[0];
    assert_eq!((members.len() as u64, crawl.ids), (33, 33));
    assert!(members.iter().all(|listed| listed.account == crawl.account));
    let member = |id: i64| {
        let found = members.iter().find(|listed| listed.member.profile.account.get() == id);
        found.unwrap().member.clone()
    };
    let look_ups = look_ups.look_ups().unwrap();
    let shown: Vec<_> = look_ups.iter().map(|l| (l.member.get(), l.outcome.name())).collect();
    assert_eq!(shown, [(352_289_173, "visible"), (1_834_402_038, "visible")]);
    for look_up in look_ups {
        assert_eq!(member(look_up.member.get()).profile.username, look_up.username);
    }
    assert_eq!(store.find("latest").unwrap().id(), with_lists.id(), "a run without lists is none");
}
