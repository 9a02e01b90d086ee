//! Observations from text, in memory or written to a run and read back.
//!
//! A list is its ids in the order the API returned them, newest first. Marks in it:
//!
//! | mark | meaning |
//! |---|---|
//! | `\|50` | a page ends; its members followed at second 50 or later |
//! | `\|` | a page ends, at an unknown time |
//! | `...` | the crawl was cut short here |
//! | `...50` | the same, and everybody who followed after second 50 is in it |
//! | `^50` | the crawl stopped on purpose at known ids; as `...50` |
//! | `~` | the order means nothing |
//! | `protected` | the list could not be read |

use std::cell::RefCell;

use analysis::engine::{Engine, Memory, Stream};
use analysis::{Observation, RunObservations};
use jiff::Timestamp;
use snapshot::{
    AccountId, Coverage, Crawl, Cut, List, Order, PageRecord, State, Store, WriterOptions,
};

/// The account whose lists the tests compare.
pub(crate) const ACCOUNT: u32 = 7;

/// An engine, and where it finds lists.
pub(crate) struct On {
    pub(crate) engine: &'static dyn Engine,
    /// Holds the runs of an engine that reads them.
    store: Option<tempfile::TempDir>,
    /// Keeps runs apart in time.
    runs: RefCell<i64>,
}

impl On {
    pub(crate) fn memory() -> Self {
        Self { engine: &Memory, store: None, runs: RefCell::default() }
    }

    pub(crate) fn stream() -> Self {
        let store = tempfile::tempdir().unwrap();
        Self { engine: &Stream, store: Some(store), runs: RefCell::default() }
    }

    /// The followers of the test's account, from text.
    pub(crate) fn followers(&self, text: &str) -> Observation {
        self.list(ACCOUNT, List::Followers, text)
    }

    pub(crate) fn list(&self, account: u32, list: List, text: &str) -> Observation {
        self.keep(parse(account.into(), list, text))
    }

    pub(crate) fn ids(&self, account: u32, ids: impl IntoIterator<Item = i64>) -> Observation {
        let ids = ids.into_iter().map(|id| AccountId::new(id).unwrap()).collect();
        let crawl = crawl(account.into(), List::Followers);
        self.keep(Told { crawl, ids, pages: Vec::new() })
    }

    fn keep(&self, told: Told) -> Observation {
        let Some(store) = &self.store else {
            return Observation::from_ids(told.crawl, told.ids).unwrap().with_pages(told.pages);
        };
        *self.runs.borrow_mut() += 1;
        let time = Timestamp::from_second(*self.runs.borrow()).unwrap();
        let store = Store::create(store.path()).unwrap();
        let mut run = store.begin(time, WriterOptions::default()).unwrap();
        let (account, list) = (told.crawl.account, told.crawl.list);
        run.rows(list, account, 0, &told.ids).unwrap();
        run.crawl(told.crawl);
        told.pages.into_iter().for_each(|page| run.page(page));
        let run = store.run(run.publish().unwrap().run).unwrap();
        RunObservations::open(&run).unwrap().of(account, list).unwrap()
    }
}

struct Told {
    crawl: Crawl,
    ids: Vec<AccountId>,
    pages: Vec<PageRecord>,
}

fn crawl(account: AccountId, list: List) -> Crawl {
    let state = State::Read(Coverage::Complete);
    let crawl = Crawl::new(account, list, "test", state, second(100));
    Crawl { order: Order::NewestFirst, finished_at: second(101), ..crawl }
}

fn second(text: i64) -> Timestamp {
    Timestamp::from_second(text).unwrap()
}

fn parse(account: AccountId, list: List, text: &str) -> Told {
    let mut told = Told { crawl: crawl(account, list), ids: Vec::new(), pages: Vec::new() };
    let mut first = 0;
    let when = |text: &str| text.parse().ok().map(second);
    for word in text.split_whitespace() {
        if let Some(boundary) = word.strip_prefix('|') {
            told.end_page(first, when(boundary));
            first = told.ids.len();
        } else if let Some(since) = word.strip_prefix("...") {
            told.crawl.state = State::Read(Coverage::CutShort { after_page: 1, why: Cut::Budget });
            told.crawl.covered_since = when(since);
        } else if let Some(since) = word.strip_prefix('^') {
            told.crawl.state = State::Read(Coverage::Head);
            told.crawl.covered_since = when(since);
        } else if word == "~" {
            told.crawl.order = Order::Unknown;
        } else if word == "protected" {
            told.crawl.state = State::Protected;
        } else {
            told.ids.push(word.parse().unwrap());
        }
    }
    if !told.pages.is_empty() {
        told.end_page(first, None);
    }
    told
}

impl Told {
    fn end_page(&mut self, first: usize, boundary: Option<Timestamp>) {
        let Crawl { account, list, started_at, .. } = self.crawl;
        let page = u32::try_from(self.pages.len()).unwrap();
        self.pages.push(PageRecord {
            ids: u32::try_from(self.ids.len() - first).unwrap(),
            first_position: u32::try_from(first).unwrap(),
            boundary,
            ..PageRecord::new(account, list, page, started_at)
        });
    }
}
