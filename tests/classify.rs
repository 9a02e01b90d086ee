//! What became of lost members, told by the program and by the network's own truth.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use simulator::{Fault, Limits, Quota, Server, ServerConfig, Standing, World, WorldConfig};

use crate::util::{Done, on, published, run, scratch, succeed};

const HOUR: Duration = Duration::from_hours(1);

/// A network that has lost followers between two snapshots.
struct Place {
    runtime: tokio::runtime::Runtime,
    server: Option<Server>,
    _folder: tempfile::TempDir,
    store: PathBuf,
    source: &'static str,
    account: i64,
    other: i64,
    /// Who has gone, as the network knows.
    lost: HashSet<i64>,
}

/// The rows of a result: member, fate, standing.
type Rows = BTreeMap<i64, (String, String)>;

impl Place {
    /// So many of the followers unfollow, are suspended, deactivate, and hide and unfollow.
    fn after_losing(counts: [usize; 4], source: &'static str, config: ServerConfig) -> Self {
        let world = World::new(WorldConfig {
            seed: 5,
            users: 2_000,
            watched: 3,
            largest_audience: 900,
            ..WorldConfig::default()
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let server = runtime.block_on(Server::start(world, config)).unwrap();
        let (account, other) = server.with_world(|world| (world.watched()[0], world.watched()[2]));
        let folder = scratch();
        let store = folder.path().join("store");
        let lost = HashSet::new();
        let mut place = Self {
            runtime,
            server: Some(server),
            _folder: folder,
            store,
            source,
            account,
            other,
            lost,
        };
        place.snapshot(account);
        let before = place.followers();
        let mut leaving = before.iter().copied();
        place.server().with_world(|world| {
            let [unfollow, suspend, deactivate, hide] = counts;
            leaving.by_ref().take(unfollow).for_each(|id| assert!(world.unfollow(id, account)));
            leaving.by_ref().take(suspend).for_each(|id| assert!(world.suspend(id)));
            leaving.by_ref().take(deactivate).for_each(|id| assert!(world.deactivate(id)));
            for id in leaving.by_ref().take(hide) {
                world.protect(id);
                assert!(world.unfollow(id, account));
            }
        });
        place.server().advance(7 * 24 * HOUR);
        place.snapshot(account);
        let after: HashSet<_> = place.followers().into_iter().collect();
        place.lost = before.into_iter().filter(|id| !after.contains(id)).collect();
        assert!(place.lost.len() >= counts.iter().sum());
        place
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// Who is in the list, newest first.
    fn followers(&self) -> Vec<i64> {
        let followers = |world: &mut World| world.truth().followers(self.account);
        self.server().with_world(followers).into_iter().map(|(id, _)| id).collect()
    }

    fn client(&self) -> Command {
        let mut command = on(&self.store);
        command.env("FOLLOWGRAPH_BASE_URL", self.server().base_url());
        command.env("FOLLOWGRAPH_BEARER_TOKEN", self.server().bearer());
        command.env("FOLLOWGRAPH_SOURCE", self.source);
        command
    }

    fn snapshot(&self, account: i64) {
        succeed(self.client().args(["snapshot", &account.to_string()]));
    }

    fn classify(&self, args: &[&str]) -> (Done, Rows) {
        let mut command = self.client();
        let done = run(command.args(["classify", "--format", "csv"]).args(args));
        let rows = rows(&done.stdout);
        (done, rows)
    }

    /// A day passes, and somebody hears of it: another list is read. Says how the runs that
    /// were compared are named after that.
    fn a_day_later(&self) -> Vec<String> {
        let runs = published(&self.store);
        let with_lists = |name: &&String| self.store.join(name).join("list=followers").exists();
        let names: Vec<_> = runs.iter().filter(with_lists).take(2).collect();
        let name = |index: usize| names[index].trim_start_matches("run=").to_owned();
        let named = ["--before".to_owned(), name(0), "--after".to_owned(), name(1)];
        self.server().advance(25 * HOUR);
        self.snapshot(self.other);
        named.to_vec()
    }

    /// What the network knows of somebody, now.
    fn fate(&self, id: i64) -> &'static str {
        self.server().with_world(|world| {
            let user = world.user(id).unwrap();
            match (user.standing, user.protected) {
                (Standing::Active, false) => "unfollowed",
                (Standing::Active, true) => "protected",
                _ if self.source == "x_v1" => "unknown",
                (Standing::Suspended, _) => "suspended",
                (Standing::Deactivated, _) => "deactivated",
            }
        })
    }

    fn truth(&self) -> HashMap<i64, &'static str> {
        self.lost.iter().map(|id| (*id, self.fate(*id))).collect()
    }

    /// Every verdict is of this standing and says what the network knows.
    #[track_caller]
    fn assert_true(&self, rows: &Rows, standing: &str) {
        let expected: Rows = self
            .truth()
            .into_iter()
            .map(|(id, fate)| (id, (fate.to_owned(), standing.to_owned())))
            .collect();
        assert_eq!(*rows, expected);
    }

    /// Whom each look-up since a moment asked for.
    fn looked_up(&self, since: usize) -> Vec<Vec<i64>> {
        let ids = |path: &str| {
            let (path, query) = path.split_once('?')?;
            let name = match path {
                "/2/users" => "ids=",
                "/1.1/users/lookup.json" => "user_id=",
                _ => return None,
            };
            let value = query.split('&').find_map(|pair| pair.strip_prefix(name))?;
            Some(value.replace("%2C", ",").split(',').map(|id| id.parse().unwrap()).collect())
        };
        let requests = self.server().requests();
        requests[since..].iter().filter_map(|record| ids(&record.path_and_query)).collect()
    }

    fn sent(&self) -> usize {
        self.server().requests().len()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let server = self.server.take().unwrap();
        self.runtime.block_on(server.shutdown());
    }
}

fn rows(csv: &str) -> Rows {
    let mut lines = csv.lines();
    if let Some(header) = lines.next() {
        assert_eq!(header, "account_id,list,member_id,fate,standing,looked_up_at");
    }
    let row = |line: &str| {
        let cells: Vec<_> = line.split(',').map(|cell| cell.trim_matches('"')).collect();
        (cells[2].parse().unwrap(), (cells[3].to_owned(), cells[4].to_owned()))
    };
    lines.map(row).collect()
}

#[track_caller]
fn assert_exit(done: &Done, code: i32) {
    assert_eq!(done.code, Some(code), "{}\n{}", done.stdout, done.stderr);
}

#[test]
fn fates_are_the_truth_first_provisional_and_a_day_later_final() {
    let place = Place::after_losing([30, 20, 10, 5], "x_v2", ServerConfig::default());
    let begin = place.sent();
    let (first, found) = place.classify(&[]);
    assert_exit(&first, 0);
    place.assert_true(&found, "provisional");
    let fates: HashSet<_> = found.values().map(|(fate, _)| fate.as_str()).collect();
    assert_eq!(fates, ["unfollowed", "suspended", "deactivated", "protected"].into());
    let asked: Vec<_> = place.looked_up(begin).concat();
    assert_eq!(asked.len(), place.lost.len());
    let shown = found.values().filter(|(fate, _)| fate == "unfollowed" || fate == "protected");
    let cents = shown.count();
    let cost = format!("${}.{:02}", cents / 100, cents % 100);
    let looked_up = first.stderr.lines().find(|line| line.starts_with("looked up: ")).unwrap();
    assert!(looked_up.ends_with(&cost), "{looked_up}");
    let all = place.lost.len();
    let said = format!("provisional: {all} of {all}; run the same command again after 2026-11-");
    assert!(first.stderr.contains(&said), "{}", first.stderr);

    // Nothing is due, so nothing is asked.
    let sent = place.sent();
    let (again, same) = place.classify(&[]);
    assert_exit(&again, 0);
    assert_eq!((place.sent(), &same), (sent, &found));

    let back = *found.iter().find(|(_, (fate, _))| fate == "suspended").unwrap().0;
    place.server().with_world(|world| assert!(world.reinstate(back)));
    let before = place.truth();
    let runs = place.a_day_later();
    let runs: Vec<_> = runs.iter().map(String::as_str).collect();
    let (last, found_last) = place.classify(&runs);
    assert_exit(&last, 0);
    let after = place.truth();
    for (id, (fate, standing)) in &found_last {
        if *id != back {
            assert_eq!(fate, after[id], "{id}");
        }
        let same = found[id].0 == *fate;
        assert_eq!(standing, if same { "final" } else { "provisional" }, "{id}");
    }
    // It is back, and never meant to leave: that it was suspended explains the loss.
    assert_eq!(found_last[&back], ("unknown".to_owned(), "provisional".to_owned()));
    assert_eq!(before[&back], "unfollowed", "what a single look-up would have said");

    // Only the one that has changed is due another day later.
    let open: HashSet<_> =
        found_last.iter().filter(|(_, v)| v.1 == "provisional").map(|(id, _)| *id).collect();
    place.a_day_later();
    let sent = place.sent();
    let (_, settled) = place.classify(&runs);
    let asked: HashSet<_> = place.looked_up(sent).concat().into_iter().collect();
    assert_eq!(asked, open);
    assert_eq!(settled[&back].1, "final");
    succeed(on(&place.store).arg("verify"));

    // A diff of the same runs shows what is known.
    let mut diff = on(&place.store);
    let shown = succeed(diff.args(["diff", "--format", "jsonl"]).args(&runs));
    for line in shown.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let id: i64 = row["member_id"].as_str().unwrap().parse().unwrap();
        let expected = (row["change"] == "lost").then(|| settled[&id].clone());
        let cell = |name: &str| row[name].as_str().map(str::to_owned);
        assert_eq!(cell("fate").zip(cell("standing")), expected, "{line}");
    }
    let screen = succeed(on(&place.store).arg("diff").args(&runs));
    let lost = &screen[screen.find("lost (followers").unwrap()..];
    assert!(lost.lines().nth(1).unwrap().split("  ").count() >= 3, "{lost}");
}

#[test]
fn a_terminal_shows_a_summary_and_each_member() {
    let place = Place::after_losing([3, 2, 1, 1], "x_v2", ServerConfig::default());
    let done = run(place.client().arg("classify"));
    assert_exit(&done, 0);
    let screen = &done.stdout;
    assert!(screen.starts_with("followers lost from run "), "{screen}");
    for fate in ["unfollowed", "suspended", "deactivated", "protected"] {
        let truth = place.truth();
        let count = truth.values().filter(|known| **known == fate).count();
        let row = screen.lines().find(|line| line.starts_with(fate)).unwrap();
        let numbers: Vec<_> = row.split_whitespace().skip(1).collect();
        assert_eq!(numbers, [count.to_string(), "0".to_owned(), count.to_string()], "{screen}");
    }
    let members = screen.lines().filter(|line| line.starts_with('@')).count();
    assert_eq!(members, place.lost.len().min(40), "{screen}");
}

#[test]
fn without_the_network_what_is_known_is_told() {
    let place = Place::after_losing([3, 2, 1, 1], "x_v2", ServerConfig::default());
    let sent = place.sent();
    let (done, found) = place.classify(&["--offline"]);
    assert_exit(&done, 0);
    assert!(found.values().all(|(fate, standing)| fate == "unknown" && standing == "provisional"));
    let said = format!("to be looked up, without --offline: {} lost members", place.lost.len());
    assert!(done.stderr.contains(&said), "{}", done.stderr);
    assert_eq!(place.sent(), sent);
    let (_, asked) = place.classify(&[]);
    let (_, found) = place.classify(&["--offline"]);
    assert_eq!(found, asked);
    let sent = place.sent();
    let done = run(place.client().args(["classify", "--list", "following"]));
    assert_exit(&done, 0);
    assert!(done.stdout.contains("nothing was compared"), "{}", done.stdout);
    assert_eq!(place.sent(), sent);
}

#[test]
fn v1_does_not_say_why_somebody_is_gone_and_neither_do_we() {
    let place = Place::after_losing([20, 20, 10, 5], "x_v1", ServerConfig::default());
    let (done, found) = place.classify(&[]);
    assert_exit(&done, 0);
    assert!(!done.stderr.contains('$'), "v1.1 has no price: {}", done.stderr);
    place.assert_true(&found, "provisional");
    let runs = place.a_day_later();
    let runs: Vec<_> = runs.iter().map(String::as_str).collect();
    let (_, settled) = place.classify(&runs);
    assert!(settled.values().filter(|(_, standing)| standing == "final").count() > 50);
}

#[test]
fn a_budget_stops_and_goes_on_without_buying_anybody_twice() {
    let place = Place::after_losing([150, 100, 80, 20], "x_v2", ServerConfig::default());
    let begin = place.sent();
    let mut sessions = 0;
    let found = loop {
        let budget =
            if sessions % 2 == 0 { ["--max-requests", "1"] } else { ["--max-cost-usd", "1.00"] };
        let (done, found) = place.classify(&budget);
        sessions += 1;
        let known = found.values().filter(|(fate, _)| fate != "unknown").count();
        if done.code == Some(0) {
            break found;
        }
        assert_exit(&done, 3);
        assert!(done.stderr.contains("stopped within the budget"), "{}", done.stderr);
        assert!(known >= 100, "what was bought is shown: {known}");
        assert!(sessions < 10, "it never ends");
    };
    assert!(sessions >= 3);
    place.assert_true(&found, "provisional");
    let asked = place.looked_up(begin).concat();
    let once: HashSet<_> = asked.iter().copied().collect();
    assert_eq!((asked.len(), once), (place.lost.len(), place.lost.clone()));
}

#[test]
fn a_used_up_window_loses_nothing_and_is_remembered() {
    let limits = Limits { v2_lookups: Quota::both(3), ..Limits::default() };
    let config = ServerConfig { limits, window: Duration::from_secs(8), ..ServerConfig::default() };
    let place = Place::after_losing([150, 100, 80, 20], "x_v2", config);
    let begin = place.sent();
    let (done, _) = place.classify(&["--max-time", "1s"]);
    assert_exit(&done, 3);
    assert!(done.stderr.contains("the rate window ends at"), "{}", done.stderr);
    let asked = place.looked_up(begin).len();
    assert!((2..4).contains(&asked), "{asked}");
    let (done, _) = place.classify(&["--max-time", "1s"]);
    assert_exit(&done, 3);
    assert_eq!(place.looked_up(begin).len(), asked, "the window is known to be used up");
    let (done, found) = place.classify(&[]);
    assert_exit(&done, 0);
    place.assert_true(&found, "provisional");
    let asked = place.looked_up(begin).concat();
    let once: HashSet<_> = asked.iter().copied().collect();
    assert_eq!((asked.len(), once), (place.lost.len(), place.lost.clone()));
}

#[test]
fn a_refused_token_keeps_what_was_bought_and_a_good_one_goes_on() {
    let place = Place::after_losing([150, 100, 80, 20], "x_v2", ServerConfig::default());
    let begin = place.sent();
    assert_exit(&place.classify(&["--max-requests", "1"]).0, 3);
    place.server().inject("/2/users", Fault::TokenExpired, 1);
    let (done, found) = place.classify(&[]);
    assert_exit(&done, 4);
    assert_eq!(found.values().filter(|(fate, _)| fate != "unknown").count(), 100);
    let (done, found) = place.classify(&[]);
    assert_exit(&done, 0);
    place.assert_true(&found, "provisional");
    let asked: HashMap<i64, usize> =
        place.looked_up(begin).concat().into_iter().fold(HashMap::new(), |mut counts, id| {
            *counts.entry(id).or_default() += 1;
            counts
        });
    // The hundred that met the refusal were asked for twice, and bought once.
    assert_eq!(asked.values().filter(|count| **count > 1).count(), 100);
}

#[test]
fn what_was_bought_before_a_kill_is_not_bought_again() {
    let config = ServerConfig { delay: Duration::from_millis(150), ..ServerConfig::default() };
    let place = Place::after_losing([200, 150, 100, 20], "x_v2", config);
    let begin = place.sent();
    let runs = published(&place.store);
    let mut command = place.client();
    command.args(["classify"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let patience = Instant::now();
    while checked(&place.store) < 2 {
        assert!(patience.elapsed() < Duration::from_secs(30), "nothing is kept");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(published(&place.store), runs, "a kill publishes nothing");
    let kept = checked(&place.store);
    // What was under way is answered and logged, and nobody hears of it.
    std::thread::sleep(Duration::from_millis(400));
    let before = place.looked_up(begin);
    assert!(before.len() <= kept + 1);
    let status = succeed(on(&place.store).arg("status"));
    assert!(status.contains(&format!("{kept}00 lost members looked up")), "{status}");
    assert!(status.contains("followgraph classify --store"), "{status}");
    let middle = place.sent();
    let (done, found) = place.classify(&[]);
    assert_exit(&done, 0);
    place.assert_true(&found, "provisional");
    let kept: HashSet<_> = before[..kept].concat().into_iter().collect();
    let after: HashSet<_> = place.looked_up(middle).concat().into_iter().collect();
    assert!(kept.is_disjoint(&after), "bought twice");
    assert_eq!(kept.len() + after.len(), place.lost.len());
    let said = format!("{} had been answered in a session that was cut off", kept.len());
    assert!(done.stderr.contains(&said), "{}", done.stderr);
    assert_eq!(published(&place.store).len(), runs.len() + 1, "one run holds both sessions");
}

/// Answers that the journals of a store keep.
fn checked(store: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(store.join(".journal")) else { return 0 };
    let journals = entries.map(|entry| std::fs::read(entry.unwrap().path().join("journal")));
    let word = b"\"record\":\"checked\"";
    let count = |bytes: Vec<u8>| bytes.windows(word.len()).filter(|w| w == word).count();
    journals.flatten().map(count).sum()
}
