//! A simulated network whose truth is known: what the history states holds.
//!
//! Small worlds in which people follow, leave, come back, are hidden and shown again, also while
//! a crawl runs, are crawled page by page for some weeks; some crawls read the newest pages only.
//! The truth is worked out from the world's events.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use analysis::history::{Event, EventKind, events_each};
use jiff::Timestamp;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use simulator::{Churn, World, WorldConfig};
use snapshot::{
    AccountId, Began, Coverage, Crawl, Cut, HistoryCrawl, List, Order, PageRecord, State, Store,
    WriterOptions,
};

use super::{spells, updated};

const SEEDS: u64 = 104;
const CRAWLS: usize = 16;
const PAGE: usize = 20;

fn world(seed: u64) -> World {
    let churn = Churn {
        follow: 0.02,
        unfollow: 0.02,
        refollow: 0.4,
        suspend: 0.004,
        reinstate: 0.6,
        deactivate: 0.003,
        reactivate: 0.6,
        ..Churn::default()
    };
    World::new(WorldConfig {
        seed,
        users: 600,
        watched: 2,
        largest_audience: 160,
        smallest_audience: 80,
        churn,
        ..WorldConfig::default()
    })
}

/// A folder that needs no disk, where there is one: thousands of runs are synced.
pub(super) fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| crate::util::scratch())
}

/// What a crawl saw: members and when they followed, newest first.
pub(super) struct Seen {
    pub(super) rows: Vec<(i64, Timestamp)>,
}

/// Reads at most so many pages, with a pause before each.
pub(super) fn crawl(
    world: &mut World,
    account: i64,
    most: usize,
    dice: &mut ChaCha8Rng,
    pause_secs_max: u64,
) -> (Crawl, Vec<PageRecord>, Seen) {
    let started_at = world.now();
    let id = AccountId::new(account).unwrap();
    let mut rows: Vec<(i64, Timestamp)> = Vec::new();
    let mut pages = Vec::new();
    let mut is_complete = false;
    let mut cursor: Option<Timestamp> = None;
    while pages.len() < most {
        let asked = world.now() + Duration::from_secs(dice.random_range(1..pause_secs_max));
        world.advance_to(asked);
        let list = world.truth().followers(account);
        let left = list.into_iter().filter(|(_, at)| cursor.is_none_or(|cursor| *at < cursor));
        let mut left: Vec<_> = left.collect();
        // A cursor stands between two follow times: rows that share one come together.
        let mut end = PAGE.min(left.len());
        while end > 0 && end < left.len() && left[end].1 == left[end - 1].1 {
            end += 1;
        }
        is_complete = end == left.len();
        left.truncate(end);
        let first = u32::try_from(rows.len()).unwrap();
        let number = u32::try_from(pages.len()).unwrap();
        cursor = left.last().map(|(_, at)| *at);
        pages.push(PageRecord {
            ids: u32::try_from(left.len()).unwrap(),
            first_position: first,
            boundary: cursor.filter(|_| !is_complete),
            ..PageRecord::new(id, List::Followers, number, world.now())
        });
        rows.extend(left);
        if is_complete {
            break;
        }
    }
    let state = if is_complete {
        State::Read(Coverage::Complete)
    } else {
        let after_page = u32::try_from(pages.len()).unwrap();
        State::Read(Coverage::CutShort { after_page, why: Cut::Budget })
    };
    let mut told = Crawl::new(id, List::Followers, "x_v2", state, started_at);
    told.order = Order::NewestFirst;
    told.finished_at = world.now();
    told.covered_since = cursor.filter(|_| !is_complete);
    told.pages = u32::try_from(pages.len()).unwrap();
    (told, pages, Seen { rows })
}

/// When somebody came to be in a list, or ceased to be.
#[derive(Clone, Copy, Debug)]
struct Change {
    at: Timestamp,
    is_there: bool,
    /// By a follow or an unfollow, rather than by being hidden or shown.
    by_follow: bool,
}

/// The changes of every member of a list, from the world's events.
fn changes(
    world: &World,
    account: i64,
    began: &BTreeMap<i64, (bool, bool)>,
) -> BTreeMap<i64, Vec<Change>> {
    use simulator::EventKind as Kind;
    let mut now = began.clone();
    let mut found: BTreeMap<i64, Vec<Change>> = BTreeMap::new();
    for event in world.events() {
        let (member, follows, visible) = match event.kind {
            Kind::Followed { a, b } if b == account => (a, Some(true), None),
            Kind::Unfollowed { a, b } if b == account => (a, Some(false), None),
            Kind::Suspended { id } | Kind::Deactivated { id } => (id, None, Some(false)),
            Kind::Reinstated { id } | Kind::Reactivated { id } => (id, None, Some(true)),
            _ => continue,
        };
        let state = now.entry(member).or_insert((false, true));
        let before = state.0 && state.1;
        state.0 = follows.unwrap_or(state.0);
        state.1 = visible.unwrap_or(state.1);
        let after = state.0 && state.1;
        if before != after {
            let by_follow = follows.is_some();
            found.entry(member).or_default().push(Change {
                at: event.at,
                is_there: after,
                by_follow,
            });
        }
    }
    found
}

/// What sets alone would say.
#[derive(Clone, Copy, Debug, Default)]
struct Naive {
    gained: u64,
    /// Had been in the list before, by a follow of old or by another.
    gained_not_new: u64,
    gained_never_came: u64,
    lost: u64,
    lost_never_left: u64,
}

impl Naive {
    fn add(&mut self, other: Self) {
        self.gained += other.gained;
        self.gained_not_new += other.gained_not_new;
        self.gained_never_came += other.gained_never_came;
        self.lost += other.lost;
        self.lost_never_left += other.lost_never_left;
    }
}

/// What became of all that was stated.
#[derive(Debug, Default)]
struct Tally {
    events: u64,
    outside: u64,
    kinds: BTreeMap<(&'static str, &'static str), u64>,
    bounds: u64,
    bounds_wrong: u64,
    /// What sets say of all crawls one after the other, and of those alone that read the whole list.
    all: Naive,
    complete: Naive,
    width_hours: f64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.events += other.events;
        self.outside += other.outside;
        self.bounds += other.bounds;
        self.bounds_wrong += other.bounds_wrong;
        self.all.add(other.all);
        self.complete.add(other.complete);
        self.width_hours += other.width_hours;
        for (kind, count) in other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
    }
}

fn seed(seed: u64) -> Tally {
    let folder = in_memory();
    let store = Store::create(folder.path()).unwrap();
    let mut world = world(seed);
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let watched = world.watched().to_vec();
    let began: Vec<BTreeMap<i64, (bool, bool)>> = watched
        .iter()
        .map(|account| {
            let visible = |id: &i64| world.user(*id).is_some_and(simulator::User::is_visible);
            let follows = world.truth().followers_all(*account).into_iter().map(|(id, _)| id);
            let hidden = world
                .users()
                .filter(|user| !user.is_visible())
                .map(|user| (user.id, (false, false)));
            let mut all: BTreeMap<_, _> = hidden.collect();
            all.extend(follows.map(|id| (id, (true, visible(&id)))));
            all
        })
        .collect();
    let mut seen: Vec<Vec<Seen>> = watched.iter().map(|_| Vec::new()).collect();
    for number in 0..CRAWLS {
        let mut run = store.begin(world.now(), WriterOptions::default()).unwrap();
        for (account, seen) in watched.iter().zip(&mut seen) {
            let most =
                if number > 0 && dice.random_bool(0.3) { dice.random_range(1..4) } else { 99 };
            let (crawl, pages, found) = crawl(&mut world, *account, most, &mut dice, 5400);
            let ids: Vec<_> =
                found.rows.iter().map(|(id, _)| AccountId::new(*id).unwrap()).collect();
            run.rows(List::Followers, crawl.account, 0, &ids).unwrap();
            for page in pages {
                run.page(page);
            }
            run.crawl(crawl);
            seen.push(found);
        }
        run.publish().unwrap();
        let next = world.now() + Duration::from_secs(dice.random_range(18..30) * 3600);
        world.advance_to(next);
        if number % 5 == 3 {
            updated(&store);
        }
    }
    let (history, _) = updated(&store);
    let mut tally = Tally::default();
    for ((account, began), seen) in watched.iter().zip(&began).zip(&seen) {
        let truth = changes(&world, *account, began);
        judge_events(&history, *account, &truth, &mut tally);
        let crawls = history.crawls_of(AccountId::new(*account).unwrap(), List::Followers);
        let complete: Vec<_> = crawls.iter().filter(|crawl| crawl.state.is_complete()).collect();
        tally.all.add(judge_naive(&crawls.iter().collect::<Vec<_>>(), seen, &truth));
        tally.complete.add(judge_naive(&complete, seen, &truth));
        let of_account = spells(&history, List::Followers);
        for spell in of_account.iter().filter(|spell| spell.account.get() == *account) {
            let rows = &seen[spell.first_seen as usize].rows;
            let (_, at) = rows.iter().find(|(id, _)| *id == spell.member.get()).unwrap();
            let (after, before) = (spell.followed_after.unwrap(), spell.followed_before.unwrap());
            tally.bounds += 1;
            tally.bounds_wrong += u64::from(after > *at || before < *at);
        }
    }
    tally
}

fn judge_events(
    history: &snapshot::History,
    account: i64,
    truth: &BTreeMap<i64, Vec<Change>>,
    tally: &mut Tally,
) {
    let none = Vec::new();
    let account = AccountId::new(account).unwrap();
    events_each(history, List::Followers, Some(&[account]), |event: Event| {
        let of_member = truth.get(&event.member.get()).unwrap_or(&none);
        let is_gain = event.kind != EventKind::Lost;
        let within =
            |change: &&Change| change.is_there == is_gain && event.when.contains(change.at);
        let true_ones: Vec<_> = of_member.iter().filter(within).collect();
        tally.events += 1;
        tally.outside += u64::from(true_ones.is_empty());
        tally.width_hours +=
            event.when.latest.duration_since(event.when.earliest).as_secs_f64() / 3600.0;
        let cause = match true_ones.last() {
            None => "nothing",
            Some(change) if change.by_follow => "followed",
            Some(_) => "shown",
        };
        if let EventKind::Gained(began) = event.kind {
            *tally.kinds.entry((began.name(), cause)).or_default() += 1;
        }
        Ok(())
    })
    .unwrap();
}

/// What sets alone would say of these crawls, one after the other.
fn judge_naive(
    crawls: &[&HistoryCrawl],
    seen: &[Seen],
    truth: &BTreeMap<i64, Vec<Change>>,
) -> Naive {
    let mut naive = Naive::default();
    let ids = |crawl: &HistoryCrawl| -> BTreeSet<i64> {
        seen[crawl.number as usize].rows.iter().map(|(id, _)| *id).collect()
    };
    let mut ever = ids(crawls[0]);
    for pair in crawls.windows(2) {
        let (from, until) = (pair[0].started_at, pair[1].finished_at);
        let (a, b) = (ids(pair[0]), ids(pair[1]));
        let happened = |id: &i64, is_there: bool| {
            let all = truth.get(id).into_iter().flatten();
            let within = |change: &&Change| from <= change.at && change.at <= until;
            let mut found = all.filter(|change| change.is_there == is_there).filter(within);
            found.next_back().map(|change| change.by_follow)
        };
        for id in &b - &a {
            naive.gained += 1;
            match happened(&id, true) {
                None => naive.gained_never_came += 1,
                Some(by_follow) => {
                    naive.gained_not_new += u64::from(!by_follow || ever.contains(&id));
                }
            }
        }
        for id in &a - &b {
            naive.lost += 1;
            naive.lost_never_left += u64::from(happened(&id, false).is_none());
        }
        ever.extend(b);
    }
    naive
}

#[test]
fn what_is_stated_of_simulated_lists_holds() {
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..2)
            .map(|part| scope.spawn(move || (part..SEEDS).step_by(2).map(seed).collect::<Vec<_>>()))
            .collect();
        for part in parts {
            part.join().unwrap().into_iter().for_each(|one| tally.add(one));
        }
    });
    println!("{tally:#?}");
    println!("mean width of an interval: {:.1} hours", tally.width_hours / tally.events as f64);
    assert!(tally.events > 10_000, "{} events prove little", tally.events);
    let outside = tally.outside as f64 / tally.events as f64;
    assert!(outside <= 0.001, "{outside} of the intervals miss the truth");
    let of =
        |began: Began, cause| tally.kinds.get(&(began.name(), cause)).copied().unwrap_or(0) as f64;
    let all = |began| of(began, "followed") + of(began, "shown") + of(began, "nothing");
    for (began, cause) in
        [(Began::New, "followed"), (Began::Refollowed, "followed"), (Began::Reappeared, "shown")]
    {
        assert!(of(began, cause) >= 0.99 * all(began), "{began:?}: {:?}", tally.kinds);
    }
    assert!(tally.bounds_wrong as f64 <= 0.001 * tally.bounds as f64, "{tally:?}");
}
