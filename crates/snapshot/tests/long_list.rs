//! Measures how fast one long list is written, and in how much memory.
//!
//! ```sh
//! cargo test --release -p followgraph-snapshot --test long_list -- --ignored --nocapture
//! ```
//!
//! A test and not a bench, so that it needs nothing but the standard library, and holds what
//! it promises: the list that was written is whole. `FOLLOWGRAPH_ROWS` sets the length.

use std::time::Instant;

use jiff::Timestamp;
use snapshot::{AccountId, Columns, Coverage, Crawl, List, State, Store, WriterOptions};

/// Ids on a page of the list.
const PAGE: u32 = 5000;

/// The ids of a popular account's followers, newest follow first: of every age, in no order.
/// Two thirds are older than 64-bit ids, the others hold the millisecond of their making.
fn member(index: u32) -> AccountId {
    // The output of splitmix64 for the index.
    let mut z = (u64::from(index) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    let id =
        if z.is_multiple_of(3) { (((z >> 22) % (500 << 30)) << 22) | (z % 8192) } else { z >> 32 };
    AccountId::new(i64::try_from(id).unwrap()).unwrap()
}

/// The most memory this process had at a time, in MiB; 0 where the system does not tell.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|p| p.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}

#[test]
#[ignore = "a measurement; it takes seconds in release mode and minutes without"]
fn one_long_list() {
    let rows = std::env::var("FOLLOWGRAPH_ROWS").map_or(10_000_000, |n| n.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    let (account, now) = (AccountId::from(7), Timestamp::UNIX_EPOCH);
    let state = State::Read(Coverage::Complete);

    let began = Instant::now();
    let mut run = store.begin(now, WriterOptions::default()).unwrap();
    let mut page = Vec::new();
    for first in (0..rows).step_by(PAGE as usize) {
        page.clear();
        page.extend((first..rows.min(first + PAGE)).map(member));
        run.rows(List::Followers, account, first, &page).unwrap();
    }
    let taken = began.elapsed().as_secs_f64();
    run.crawl(Crawl::new(account, List::Followers, "file", state, now));
    let published = run.publish().unwrap();
    let whole = began.elapsed().as_secs_f64();
    let (peak, speed) = (peak_mib(), f64::from(rows) / whole / 1e6);

    let crawl = &published.crawls[0];
    assert_eq!(crawl.ids + crawl.duplicates, u64::from(rows));
    let run = store.find("latest").unwrap();
    let list = run.list(List::Followers).unwrap();
    let (mut last, mut sum) = (-1, 0_i128);
    for chunk in list.all(Columns { accounts: false, positions: true }) {
        let chunk = chunk.unwrap();
        for (id, position) in chunk.members.into_iter().zip(chunk.positions) {
            assert!(id > last);
            assert_eq!(member(u32::try_from(position).unwrap()).get(), id);
            (last, sum) = (id, sum + 1);
        }
    }
    assert_eq!(u64::try_from(sum).unwrap(), crawl.ids);
    println!(
        "{rows} rows: {:.2} s to take them, {:.2} s to publish; {speed:.2} M rows/s, \
         peak {peak} MiB, {:.2} bytes a row",
        taken,
        whole - taken,
        list.bytes() as f64 / f64::from(rows),
    );
}
