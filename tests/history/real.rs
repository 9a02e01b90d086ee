//! A real series, every pair of its days.

use std::collections::{BTreeMap, BTreeSet};

use analysis::history::{Differences, EventKind, Growth, Period, between, events_each, series};
use snapshot::{List, Store};

use super::{account, spells, updated};
use crate::util::{data, on, scratch, succeed};

/// The members by day, read straight from the file.
fn days() -> Vec<BTreeSet<i64>> {
    let file = std::fs::read(data("github-followers/snapshots.csv.zst")).unwrap();
    let text = String::from_utf8(zstd::decode_all(&file[..]).unwrap()).unwrap();
    let mut days: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let (time, member) = line.split_once(',').unwrap();
        let time: jiff::Timestamp = time.parse().unwrap();
        days.entry(time.to_string()).or_default().insert(member.parse().unwrap());
    }
    days.into_values().collect()
}

fn members(changed: &[analysis::history::Changed]) -> BTreeSet<i64> {
    changed.iter().map(|change| change.member.get()).collect()
}

#[test]
fn any_two_of_the_421_days_differ_as_their_sets_do() {
    let folder = scratch();
    let file = data("github-followers/snapshots.csv.zst");
    let columns = ["--member-column", "follower_id", "--time-column", "snapshot_time"];
    succeed(on(folder.path()).arg("import").arg(file).args(["--account", "42"]).args(columns));
    let store = Store::open(folder.path()).unwrap();
    let (history, done) = updated(&store);
    assert_eq!((done.added, done.rebuilt), (421, None));

    let days = days();
    assert_eq!(days.len(), 421);
    let (all, history_of) = (&days, &history);
    std::thread::scope(|scope| {
        for part in 0..2 {
            scope.spawn(move || {
                for after in (part..421).step_by(2) {
                    for before in 0..after {
                        let [a, b] = [&all[before], &all[after]];
                        let [before, after] = [before, after].map(|n| u32::try_from(n).unwrap());
                        let found = between(history_of, account(), List::Followers, before, after);
                        let Differences { gained, lost, unknown, unchanged, .. } = found.unwrap();
                        assert_eq!(members(&gained), b - a, "gained from {before} to {after}");
                        assert_eq!(members(&lost), a - b, "lost from {before} to {after}");
                        assert_eq!((unknown.len(), unchanged), (0, (a & b).len() as u64));
                    }
                }
            });
        }
    });

    // Totals, against counting step by step.
    let (mut gained, mut lost, mut returned, mut seen) = (0, 0, 0, days[0].clone());
    for pair in days.windows(2) {
        let new = &pair[1] - &pair[0];
        gained += new.len() as u64;
        returned += (&new & &seen).len() as u64;
        lost += (&pair[0] - &pair[1]).len() as u64;
        seen.extend(&pair[1]);
    }
    let rows = series(history.crawls_of(account(), List::Followers), Period::Run);
    let sum = |of: fn(&Growth) -> u64| rows.iter().map(of).sum::<u64>();
    assert_eq!((sum(Growth::gained), sum(|r| r.lost)), (gained, lost));
    assert_eq!((gained, lost), (444, 46), "as the data's page says");
    assert_eq!(sum(|r| r.refollowed + r.reappeared + r.returned), returned);
    assert_eq!(
        rows.iter().map(|r| r.closing).collect::<Vec<_>>(),
        days.iter().map(|d| d.len() as u64).collect::<Vec<_>>()
    );
    for by in [Period::Day, Period::Week] {
        let longer = series(history.crawls_of(account(), List::Followers), by);
        assert_eq!(longer.iter().map(Growth::gained).sum::<u64>(), gained);
        assert!(
            longer.windows(2).all(|w| w[0].closing == w[1].opening && w[0].period < w[1].period)
        );
        assert_eq!(longer.last().unwrap().closing, 443);
    }

    // Every change happened between the two days that show it.
    let (mut events, mut ends) = (0, 0);
    events_each(&history, List::Followers, None, |event| {
        let shown = &history.crawls_of(account(), List::Followers)[event.shown_by as usize];
        let before = &history.crawls_of(account(), List::Followers)[event.shown_by as usize - 1];
        assert!(event.when.earliest == before.started_at && event.when.latest == shown.finished_at);
        ends += u64::from(event.kind == EventKind::Lost);
        events += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!((events, ends), (gained + lost, lost));

    // What it takes.
    let rows: usize = days.iter().map(BTreeSet::len).sum();
    let runs: u64 = store.runs().unwrap().iter().map(|run| run.manifest().bytes()).sum();
    let count = spells(&history, List::Followers).len();
    println!(
        "{rows} rows of 421 runs take {runs} bytes, their history of {count} spells {} bytes: {:.3} bytes a row",
        history.bytes(),
        history.bytes() as f64 / rows as f64
    );
    assert!(history.bytes() * 20 < runs, "it is small beside the runs");
    assert_eq!(count as u64, gained + days[0].len() as u64);
}
