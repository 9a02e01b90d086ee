//! Small stores for the tests.

use std::path::PathBuf;

use jiff::Timestamp;
use snapshot::{AccountId, Coverage, Crawl, List, Order, Profile, State, Store, WriterOptions};

pub(crate) fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

pub(crate) fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(crate) fn id(raw: u32) -> AccountId {
    AccountId::from(raw)
}

pub(crate) fn ids(raw: &[u32]) -> Vec<AccountId> {
    raw.iter().copied().map(id).collect()
}

/// A complete crawl of a file.
pub(crate) fn crawl(account: u32, list: List) -> Crawl {
    let state = State::Read(Coverage::Complete);
    Crawl {
        order: Order::NewestFirst,
        finished_at: time(1),
        ..Crawl::new(id(account), list, "file", state, time(0))
    }
}

/// Publishes followers lists; answers the run's folder.
pub(crate) fn publish(store: &Store, second: i64, lists: &[(u32, &[u32])]) -> PathBuf {
    let mut run = store.begin(time(second), WriterOptions::default()).unwrap();
    for (account, members) in lists {
        run.rows(List::Followers, id(*account), 0, &ids(members)).unwrap();
        run.crawl(crawl(*account, List::Followers));
        run.profile(Profile::unknown(id(*account), time(second)));
    }
    run.publish().unwrap().folder
}
