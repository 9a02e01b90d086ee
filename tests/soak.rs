//! Snapshots that are killed, starved and lied to, over many seeds: each must end in a run
//! that equals the truth, without a page that was kept ever being asked for again, and
//! without a secret anywhere.
//!
//! What has been kept is read from the journal by a reader of our own, which shares no code
//! with the program; what was asked for stands in the simulator's log. A failure names its
//! seed; `FOLLOWGRAPH_SOAK_SEED=17 cargo test --test tests soak` runs it alone.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use simulator::{
    Churn, DateZone, Fault, FaultMix, Limits, Presence, Quota, RequestRecord, ServerConfig, World,
    WorldConfig,
};
use snapshot::{List, State, Store};

use crate::util::{Network, assert_nowhere, finish, published, scratch, stored};

const SEEDS: u64 = 200;
/// Sessions after which a snapshot must be done, when nobody kills it any more.
const SESSIONS_MAX: usize = 60;

/// So much that somebody comes, leaves, is hidden or is back between most pages.
const BUSY: Churn = Churn {
    follow: 150.0,
    unfollow: 120.0,
    refollow: 0.5,
    suspend: 20.0,
    reinstate: 0.5,
    deactivate: 10.0,
    reactivate: 0.5,
    protect: 0.0,
    unprotect: 0.0,
    join: 0.0,
    rename: 5.0,
    burst: 0.0,
    burst_size: 0.0,
    ..Churn::NONE
};

/// A page of a list, by what was sent for it: account, list, cursor.
type Asked = (i64, List, Option<String>);

#[test]
fn whatever_happens_the_run_equals_the_truth_and_nothing_is_bought_twice() {
    let one: Option<u64> = std::env::var("FOLLOWGRAPH_SOAK_SEED").ok().map(|s| s.parse().unwrap());
    let seeds = one.map_or(0..SEEDS, |seed| seed..seed + 1);
    let next = AtomicU64::new(seeds.start);
    let failures = std::sync::Mutex::new(String::new());
    let sums = std::sync::Mutex::new(Sums::default());
    // They mostly wait, for windows and for repetitions.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    match std::panic::catch_unwind(|| soak(seed)) {
                        Ok(done) => sums.lock().unwrap().add(&done),
                        Err(panic) => {
                            let why = panic.downcast_ref::<String>().cloned();
                            let why = why.unwrap_or_else(|| "a panic without words".to_owned());
                            writeln!(failures.lock().unwrap(), "seed {seed}: {why}\n").unwrap();
                        }
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{failures}");
    let sums = sums.into_inner().unwrap();
    println!("{sums:?}");
    if one.is_none() {
        assert!(
            sums.kills > 2 * SEEDS && sums.resumed_lists > 5 * SEEDS && sums.moved > SEEDS,
            "too little happened: {sums:?}"
        );
    }
}

/// What happened in all, to know that something did.
#[derive(Debug, Default)]
struct Sums {
    sessions: u64,
    kills: u64,
    faults: u64,
    resumed_lists: u64,
    pages: u64,
    /// Members that came or went while their list was read.
    moved: u64,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.kills += other.kills;
        self.faults += other.faults;
        self.resumed_lists += other.resumed_lists;
        self.pages += other.pages;
        self.moved += other.moved;
    }
}

/// How the network of a seed behaves, and how it is read.
struct Case {
    dice: ChaCha8Rng,
    source: &'static str,
    page_size: u32,
    moves: bool,
}

impl Case {
    fn new(seed: u64) -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let source = if dice.random_bool(0.5) { "x_v2" } else { "x_v1" };
        let page_size = dice.random_range(3..40);
        Self { moves: dice.random_bool(0.5), dice, source, page_size }
    }

    fn world(&mut self) -> World {
        World::new(WorldConfig {
            seed: self.dice.random(),
            users: 500,
            watched: 3,
            largest_audience: 350,
            smallest_audience: 60,
            churn: if self.moves { BUSY } else { Churn::default() },
            ..WorldConfig::default()
        })
    }

    fn config(&mut self) -> ServerConfig {
        let mut mix = FaultMix::rough(self.dice.random());
        mix.rate_limited_bare = 0.0;
        let narrow = self.dice.random_bool(0.3);
        let mut limits = Limits::default();
        if narrow {
            (limits.v1_ids, limits.v2_lists) = (Quota::both(25), Quota::both(25));
        } else {
            (limits.v1_ids, limits.v2_lists) = (Quota::both(100_000), Quota::both(100_000));
        }
        (limits.v1_lookup, limits.v2_lookups) = (Quota::both(10_000), Quota::both(10_000));
        ServerConfig {
            mix: Some(mix),
            limits,
            window: Duration::from_secs(2),
            // A moving world moves between any two pages.
            page_step: if self.moves { Duration::from_millis(700) } else { Duration::ZERO },
            delay: Duration::from_millis(self.dice.random_range(0..8)),
            skew: SignedDuration::from_secs(self.dice.random_range(-5000..5000)),
            date_zone: if self.dice.random_bool(0.5) { DateZone::Utc } else { DateZone::Gmt },
            ..ServerConfig::default()
        }
    }
}

fn soak(seed: u64) -> Sums {
    let mut case = Case::new(seed);
    let (world, config) = (case.world(), case.config());
    let server = Network::start(world, config);
    let folder = scratch();
    Soak { case, server: &server, store: folder.path().join("store") }.run()
}

struct Soak<'a> {
    case: Case,
    server: &'a Network,
    store: PathBuf,
}

impl Soak<'_> {
    fn run(mut self) -> Sums {
        let mut sums = Sums::default();
        let mut kept: HashSet<Asked> = HashSet::new();
        let mut seen = 0;
        // Kinds of list whose windows nobody can know, because a killed session may have had
        // a request under way.
        let mut unknown: HashSet<List> = HashSet::new();
        for session in 0..SESSIONS_MAX {
            let gentle = session > 15;
            self.maybe_inject(gentle);
            let child = self.start(session);
            let (code, output) =
                if gentle { finish(child) } else { self.disturb(child, &mut sums) };
            sums.sessions += 1;
            let token = self.server.bearer();
            assert!(!output.contains(token), "the token is in the output");
            assert_nowhere(token, &self.store);
            // What a killed one had under way may take a moment to be logged.
            if code.is_none() {
                std::thread::sleep(Duration::from_millis(220));
            }
            // Nothing that was kept before this session was asked for in it.
            let log = self.server.requests();
            for record in &log[seen..] {
                assert!(!record.foreign_cursor, "a foreign cursor: {record:?}");
                if record.status == 429 && record.fault.is_none() {
                    let known = asked(record).is_none_or(|(_, list, _)| !unknown.remove(&list));
                    assert!(!known, "a request that had to be refused: {record:?}");
                }
                let Some(asked) = asked(record) else { continue };
                assert!(!kept.contains(&asked), "asked for again: {asked:?}\n{output}");
                // Within a session a page that arrived is kept.
                if record.completed && record.served.is_some() {
                    unknown.remove(&asked.1);
                    kept.insert(asked);
                }
            }
            seen = log.len();
            if code.is_none() {
                unknown.extend(List::ALL);
            }
            if published(&self.store).is_empty() {
                kept = journaled(&self.store);
                let lists: HashSet<_> =
                    kept.iter().map(|(account, list, _)| (account, list)).collect();
                sums.resumed_lists += lists.len() as u64;
                continue;
            }
            // A signal may come when all is done.
            let done = matches!(code, None | Some(0 | 130 | 143));
            assert!(done, "published with {code:?}:\n{output}");
            self.check(&log, &mut sums);
            return sums;
        }
        panic!("not done after {SESSIONS_MAX} sessions");
    }

    /// Money and tokens run out now and then.
    fn maybe_inject(&mut self, gentle: bool) {
        let dice = &mut self.case.dice;
        if gentle || !dice.random_bool(0.15) {
            return;
        }
        let faults = [
            Fault::CreditsDepleted,
            Fault::SpendCapReached,
            Fault::UsageCapped,
            Fault::TokenExpired,
        ];
        let fault = faults[dice.random_range(0..faults.len())];
        self.server.inject("/", fault, 1);
    }

    fn start(&mut self, session: usize) -> Child {
        let mut command = self.server.client(&self.store);
        command.env("FOLLOWGRAPH_BEARER_TOKEN", self.server.bearer());
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        command.args(["snapshot", "--list", "followers", "--list", "following"]);
        command.args(["--source", self.case.source, "--retry-delay", "10ms"]);
        command.args(["--page-size", &self.case.page_size.to_string()]);
        if session < 12 && self.case.dice.random_bool(0.2) {
            let most: u32 = self.case.dice.random_range(1..15);
            command.args(["--max-requests", &most.to_string()]);
        }
        let watched = self.server.with_world(|world| world.watched().to_vec());
        command.args(watched.iter().map(i64::to_string));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Lets it work for a while and then kills it, or asks it to stop, or lets it be.
    fn disturb(&mut self, mut child: Child, sums: &mut Sums) -> (Option<i32>, String) {
        let dice = &mut self.case.dice;
        let (patience, fate) = (dice.random_range(20..300), dice.random_range(0..10));
        let until = Instant::now() + Duration::from_millis(patience);
        while Instant::now() < until && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        if child.try_wait().unwrap().is_none() {
            match fate {
                0..8 => {
                    sums.kills += 1;
                    child.kill().unwrap();
                }
                8 => signal(&child, "-INT"),
                _ => signal(&child, "-TERM"),
            }
        }
        finish(child)
    }

    /// The run against the truth, and the ledger against the bill.
    fn check(&self, log: &[RequestRecord], sums: &mut Sums) {
        let store = Store::open(&self.store).unwrap();
        let run = store.find("latest").unwrap();
        assert_eq!(run.verify().faults, []);
        assert_eq!(published(&self.store).len(), 1, "one run and no more");
        let crawls = run.crawls().unwrap();
        assert_eq!(crawls.len(), 6);
        let mut asked_at: HashMap<(i64, List), Vec<&RequestRecord>> = HashMap::new();
        for record in log {
            sums.faults += u64::from(record.fault.is_some());
            if let Some((account, list, _)) = asked(record).filter(|_| record.completed) {
                asked_at.entry((account, list)).or_default().push(record);
            }
        }
        let mut cost = 0;
        for crawl in &crawls {
            assert_eq!(crawl.state, State::Read(snapshot::Coverage::Complete), "{crawl:?}");
            let stored = stored(&run, crawl.account, crawl.list);
            let records = &asked_at[&(crawl.account.get(), crawl.list)];
            sums.moved += self.check_list(crawl.account.get(), crawl.list, &stored, records);
            sums.pages += u64::from(crawl.pages);
            cost += crawl.cost_micro_usd.unwrap_or(0);
        }
        if self.case.source == "x_v2" {
            let rows: u64 = crawls.iter().map(|c| c.ids + c.duplicates).sum();
            assert_eq!(cost, 10_000 * i64::try_from(rows).unwrap(), "every row has its price");
            let bills = self.server.billing();
            let billed: usize = bills.values().map(|bill| bill.billed_users).sum();
            // What was sold and not kept was lost on its way, or under way at a kill.
            let lost = log.iter().filter(|r| r.served.is_some() && !r.completed).count();
            let wasted = 6 * sums.kills + lost as u64 + 3 * sums.sessions;
            let most = rows + u64::from(self.case.page_size) * wasted;
            assert!(billed as u64 <= most + 6 * sums.sessions, "{billed} billed, {rows} kept");
            assert!(rows <= billed as u64, "{rows} rows were kept and {billed} billed");
        }
    }

    fn check_list(
        &self,
        account: i64,
        list: List,
        stored: &[i64],
        records: &[&RequestRecord],
    ) -> u64 {
        self.server.with_world(|world| {
            if !self.case.moves {
                let truth = match list {
                    List::Followers => world.truth().followers(account),
                    List::Following => world.truth().following(account),
                };
                let truth: Vec<_> = truth.into_iter().map(|(member, _)| member).collect();
                assert_eq!(stored, truth, "{list} of {account}");
                return 0;
            }
            let of = match list {
                List::Followers => simulator::List::Followers,
                List::Following => simulator::List::Following,
            };
            let times = || records.iter().map(|record| record.world_at);
            let (from, to) = (times().min().unwrap(), times().max().unwrap());
            let presences: BTreeMap<i64, Presence> = world.presences(account, of, from, to);
            let stored: HashSet<i64> = stored.iter().copied().collect();
            let mut moved = 0;
            for (member, presence) in presences {
                match presence {
                    Presence::Always => assert!(stored.contains(&member), "{member} is missing"),
                    Presence::Never => assert!(!stored.contains(&member), "{member} is invented"),
                    Presence::Sometimes => moved += 1,
                }
            }
            moved
        })
    }
}

fn signal(child: &Child, which: &str) {
    let _ = Command::new("kill").args([which, &child.id().to_string()]).status();
}

/// Which page a request asked for, if it asked for one.
fn asked(record: &RequestRecord) -> Option<Asked> {
    let (path, query) = record.path_and_query.split_once('?')?;
    let value = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next()
    };
    let segments: Vec<_> = path.trim_start_matches('/').split('/').collect();
    match segments[..] {
        ["2", "users", account, list] => {
            Some((account.parse().ok()?, list.parse().ok()?, value("pagination_token")))
        }
        ["1.1", list, "ids.json"] => {
            let cursor = value("cursor").filter(|cursor| cursor != "-1");
            Some((value("user_id")?.parse().ok()?, list.parse().ok()?, cursor))
        }
        _ => None,
    }
}

/// The pages that a journal keeps, read by a reader of our own: eight bytes, then frames of
/// mark, length and checksum, four bytes each, and a payload that begins with the length of
/// its JSON.
fn journaled(store: &Path) -> HashSet<Asked> {
    let mut kept = HashSet::new();
    let Ok(entries) = std::fs::read_dir(store.join(".journal")) else { return kept };
    for entry in entries {
        let Ok(bytes) = std::fs::read(entry.unwrap().path().join("journal")) else { continue };
        let word = |at: usize| {
            let word = bytes.get(at..at + 4)?;
            Some(u32::from_le_bytes(word.try_into().unwrap()) as usize)
        };
        let mut at = 8;
        while let (Some(length), Some(json)) = (word(at + 4), word(at + 12)) {
            let Some(payload) = bytes.get(at + 12..at + 12 + length) else { break };
            let record: Value = serde_json::from_slice(&payload[4..4 + json]).unwrap();
            if record["record"] == "page" {
                let text = |key: &str| record[key].as_str().map(str::to_owned);
                let account = text("account").unwrap().parse().unwrap();
                kept.insert((account, text("list").unwrap().parse().unwrap(), text("cursor")));
            }
            at += 12 + length;
        }
    }
    kept
}
