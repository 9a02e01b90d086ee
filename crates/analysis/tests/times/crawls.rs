//! Lists of a simulated network as crawls see them, and what truly happened.

use std::collections::HashMap;
use std::time::Duration;

use analysis::Observation;
use jiff::{SignedDuration, Timestamp};
use simulator::{List as SimList, ListPage, Spell, World, WorldConfig};
use snapshot::{AccountId, Coverage, Crawl, Cut, List, Order, PageRecord, State};

/// What is read of a list.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) page_size: usize,
    /// Pages after which it stops; all if `None`.
    pub(crate) pages_max: Option<usize>,
    /// What passes from page to page.
    pub(crate) step: Duration,
    /// Whether what cursors and pages tell is kept, as it is not of a file that is imported.
    pub(crate) keeps_pages: bool,
}

impl Reading {
    pub(crate) const WHOLE: Self =
        Self { page_size: 100, pages_max: None, step: Duration::from_mins(5), keeps_pages: true };
}

/// A small network in which much happens.
pub(crate) fn lively(seed: u64) -> World {
    let mut config = WorldConfig { seed, users: 3_000, watched: 3, ..WorldConfig::default() };
    config.largest_audience = 1_200;
    config.smallest_audience = 200;
    config.suspended_share = 0.03;
    config.churn.suspend = 0.002;
    config.churn.reinstate = 0.3;
    config.churn.deactivate = 0.001;
    config.churn.refollow = 0.3;
    World::new(config)
}

/// Lets time pass.
pub(crate) fn wait(world: &mut World, days: i64) {
    world.advance_to(world.now() + SignedDuration::from_hours(24 * days));
}

pub(crate) fn id(raw: i64) -> AccountId {
    AccountId::new(raw).unwrap()
}

/// Reads the followers of an account.
pub(crate) fn crawl(world: &mut World, account: i64, how: Reading) -> Observation {
    crawl_of(world, account, List::Followers, how)
}

/// Reads one list of an account.
pub(crate) fn crawl_of(world: &mut World, account: i64, list: List, how: Reading) -> Observation {
    let pages = world.crawl(account, same(list), how.page_size, how.step);
    let kept = how.pages_max.unwrap_or(pages.len()).min(pages.len());
    let seen = observation(account, list, &pages[..kept], kept < pages.len());
    if how.keeps_pages { seen } else { seen.with_pages(Vec::new()) }
}

/// What a crawl of these pages is.
fn observation(account: i64, list: List, pages: &[ListPage], is_cut: bool) -> Observation {
    let account = id(account);
    let boundary = |page: &ListPage| Some(Timestamp::from_millisecond(page.next? >> 20).unwrap());
    let last = pages.last().unwrap();
    let coverage = if is_cut {
        Coverage::CutShort { after_page: u32::try_from(pages.len()).unwrap(), why: Cut::Budget }
    } else {
        Coverage::Complete
    };
    let state = State::Read(coverage);
    let mut crawl = Crawl::new(account, list, "x_v2", state, pages[0].read_at);
    crawl.order = Order::NewestFirst;
    crawl.finished_at = last.read_at;
    crawl.covered_since = boundary(last).filter(|_| is_cut);
    let mut records = Vec::new();
    let mut position = 0;
    for (number, page) in (0..).zip(pages) {
        let mut record = PageRecord::new(account, list, number, page.read_at);
        record.ids = u32::try_from(page.ids.len()).unwrap();
        record.first_position = position;
        record.boundary = boundary(page);
        position += record.ids;
        records.push(record);
    }
    let ids = pages.iter().flat_map(|page| page.ids.iter().map(|raw| id(*raw)));
    Observation::from_ids(crawl, ids).unwrap().with_pages(records)
}

fn same(list: List) -> SimList {
    match list {
        List::Followers => SimList::Followers,
        List::Following => SimList::Following,
    }
}

/// The stays of every member of a list, latest first.
pub(crate) fn stays(world: &World, account: i64, list: List) -> HashMap<AccountId, Vec<Spell>> {
    let mut stays: HashMap<_, Vec<Spell>> = HashMap::new();
    for spell in world.truth().spells(account, same(list)) {
        stays.entry(id(spell.member)).or_default().push(spell);
    }
    stays
}

/// When the page with a position was read; the end of a list that keeps no pages, which must
/// have been read at once.
pub(crate) fn read_at(list: &Observation, position: u32) -> Timestamp {
    let pages = list.pages();
    let after = pages.partition_point(|page| page.first_position <= position);
    pages.get(after.wrapping_sub(1)).map_or(list.crawl().finished_at, |page| page.fetched_at)
}

/// The stay that a crawl saw.
pub(crate) fn seen(stays: &[Spell], at: Timestamp) -> &Spell {
    stays.iter().find(|spell| spell.shows(at)).expect("a crawl sees who is there")
}
