//! How fast, and in how much memory, are all pairs of many lists compared?
//!
//! ```sh
//! alias overlap='cargo bench -p followgraph-analysis --bench overlap --'
//! overlap make STORE 200 10000 2000000 20000000    # lists, from and to so many members, users
//! overlap import members.parquet STORE             # or the lists of a table
//! overlap ask STORE [PAIR_SUM]                     # all pairs
//! overlap top STORE | estimate STORE               # the hundred strongest
//! ```
//!
//! `make` draws the lengths of lists evenly on a logarithmic scale and their members from a
//! crowd whose popularity falls as rank^-0.75, all of it from a seed, and prints the sum of
//! `|A ∩ B|` over all pairs, counted by member. `import` takes a table with the columns
//! `account` (INT32) and `id` (INT64), grouped by account. A question is asked once, and prints
//! seconds, processor seconds and the peak of memory; `ask` checks the sum, if it is given one.
//! Each is a process of its own, because the peak of memory cannot be set back.

use std::path::Path;
use std::time::Instant;

use analysis::engine::Stream;
use analysis::{
    By, Cells, Observation, RunObservations, overlap, overlap_estimated, overlap_strongest,
};
use jiff::Timestamp;
use snapshot::{
    AccountId, Coverage, Crawl, List, Order, State, Store, Table, Values, WriterOptions,
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["import", table, store] => import(Path::new(table), Path::new(store)),
        ["make", store, lists, from, to, users] => make(
            Path::new(store),
            lists.parse().unwrap(),
            from.parse().unwrap()..to.parse().unwrap(),
            users.parse().unwrap(),
        ),
        ["top", store] => top(Path::new(store)),
        ["estimate", store] => estimate(Path::new(store)),
        ["ask", store] => ask(Path::new(store), None),
        ["ask", store, sum] => ask(Path::new(store), Some(sum.parse().unwrap())),
        _ => println!("make | import | ask | top | estimate; the head of the source tells how"),
    }
}

fn import(table: &Path, store: &Path) {
    let table = Table::read(table).unwrap();
    let column = |name: &str| &table.columns.iter().find(|c| c.name == name).unwrap().values;
    let (Values::I32(accounts), Values::I64(ids)) = (column("account"), column("id")) else {
        panic!("`account` is INT32 and `id` is INT64")
    };
    let store = Store::create(store).unwrap();
    let now = Timestamp::from_second(1_700_000_000).unwrap();
    let mut run = store.begin(now, WriterOptions::default()).unwrap();
    let mut from = 0;
    for rows in accounts.chunk_by(|a, b| a == b) {
        let account = AccountId::new(i64::from(rows[0].unwrap()) + 1).unwrap();
        let members = ids[from..from + rows.len()].iter().map(|id| AccountId::new(id.unwrap()));
        let members: Vec<AccountId> = members.map(Option::unwrap).collect();
        run.rows(List::Followers, account, 0, &members).unwrap();
        let state = State::Read(Coverage::Complete);
        let crawl = Crawl::new(account, List::Followers, "bench", state, now);
        run.crawl(Crawl { order: Order::NewestFirst, ..crawl });
        from += rows.len();
    }
    run.publish().unwrap();
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a draw lies between 0 and the number of users"
)]
fn make(store: &Path, lists: u32, members: std::ops::Range<f64>, users: u32) {
    let store = Store::create(store).unwrap();
    let now = Timestamp::from_second(1_700_000_000).unwrap();
    let mut run = store.begin(now, WriterOptions::default()).unwrap();
    let mut in_lists = vec![0_u32; users as usize];
    let mut dice = 0;
    let mut draw = || {
        dice += 1;
        (mixed(dice) >> 11) as f64 / (1_u64 << 53) as f64
    };
    for list in 1..=lists {
        let length = (members.start.ln() + (members.end / members.start).ln() * draw()).exp();
        let mut drawn: Vec<u32> = Vec::new();
        while drawn.len() < length as usize {
            let missing = length as usize - drawn.len();
            // The inverse of the share of draws among the x most popular, (x / users)^0.25.
            drawn.extend((0..missing).map(|_| (f64::from(users) * draw().powi(4)) as u32));
            drawn.sort_unstable();
            drawn.dedup();
        }
        for user in &drawn {
            in_lists[*user as usize] += 1;
        }
        let ids =
            drawn.iter().map(|user| AccountId::new((mixed(!u64::from(*user)) >> 1).cast_signed()));
        let ids: Vec<AccountId> = ids.map(Option::unwrap).collect();
        run.rows(List::Followers, list.into(), 0, &ids).unwrap();
        let state = State::Read(Coverage::Complete);
        let crawl = Crawl::new(list.into(), List::Followers, "bench", state, now);
        run.crawl(Crawl { order: Order::NewestFirst, ..crawl });
    }
    run.publish().unwrap();
    let pairs = in_lists.iter().map(|d| u64::from(*d) * u64::from(d.saturating_sub(1)) / 2);
    println!("{}", pairs.sum::<u64>());
}

/// A number that follows from another and looks like any other (Steele, Lea and Flood, Fast
/// Splittable Pseudorandom Number Generators, 2014).
fn mixed(number: u64) -> u64 {
    let z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// All lists of the latest run of a store.
fn lists(store: &Path) -> Vec<Observation> {
    let run = Store::open(store).unwrap().find("latest").unwrap();
    let run = RunObservations::open(&run).unwrap();
    let accounts = run.accounts(List::Followers);
    accounts.iter().map(|a| run.of(*a, List::Followers).unwrap()).collect()
}

fn top(store: &Path) {
    let start = Instant::now();
    let lists = lists(store);
    let answer = overlap_strongest(&lists, 100, By::Jaccard, &Stream).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{} lists: {seconds:.3} s, {:.2} s of processors, {} MiB; {}",
        lists.len(),
        cpu_seconds(),
        peak_mib(),
        answer.work
    );
}

/// Estimates the strongest pairs, and says how many of them hold the truth.
fn estimate(store: &Path) {
    let start = Instant::now();
    let lists = lists(store);
    let answer = overlap_estimated(&lists, 100, By::Jaccard, &Stream).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let (cpu, peak) = (cpu_seconds(), peak_mib());
    let holds = |pair: &&analysis::Estimate| {
        let two = [lists[pair.a].clone(), lists[pair.b].clone()];
        let truth = overlap(&two, Cells::Skip, &Stream).unwrap().intersection(0, 1);
        (pair.at_least..=pair.at_most).contains(&truth)
    };
    let held = answer.pairs.iter().filter(holds).count();
    println!(
        "{} lists: {seconds:.3} s, {cpu:.2} s of processors, {peak} MiB; {held} of {} overlaps lie \
         within their bounds",
        lists.len(),
        answer.pairs.len()
    );
}

fn ask(store: &Path, expected: Option<u64>) {
    let start = Instant::now();
    let lists = lists(store);
    let answer = overlap(&lists, Cells::Skip, &Stream).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let sum: u64 = answer.pairs().map(|(i, j)| answer.intersection(i, j)).sum();
    let rows: u64 = (0..answer.len()).map(|i| answer.size(i)).sum();
    println!(
        "{} lists, {rows} rows, {sum} in pairs: {seconds:.3} s, {:.2} s of processors, {} MiB; {}",
        answer.len(),
        cpu_seconds(),
        peak_mib(),
        answer.work
    );
    assert!(expected.is_none_or(|expected| expected == sum), "the pairs add up to {sum}");
}

/// Seconds of processors this process has used, as the kernel counts them.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    // User and system time, in ticks of a hundredth of a second.
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// The most memory this process has held.
fn peak_mib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
