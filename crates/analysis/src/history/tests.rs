//! Random worlds of crawls against a model that goes through every crawl for every member, and
//! shares nothing with what it checks but the definition of the rows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;
use snapshot::{
    AccountId, Began, Coverage, Crawl, Cut, Ended, History, HistoryCrawl, List, Order, PageRecord,
    Spell, State, Store, WriterOptions,
};

use super::update::{Portions, update_by};
use super::{between, events_each, update};
use crate::engine::Memory;
use crate::{Observation, diff};

const PAGE: usize = 2;

/// Nobody can tell from their ids when such members were made.
const MEMBERS: i64 = 9;

#[derive(Clone, Copy, Debug)]
enum Happens {
    Follow(i64),
    Unfollow(i64),
    Hide(i64),
    Show(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Complete,
    /// So many pages.
    Head(usize),
    Cut(usize),
    Protected,
    /// The run does not ask for the list.
    NotAsked,
}

/// What happens to one account before each crawl, and what the crawl is like.
type Steps = Vec<(Vec<Happens>, Kind)>;

fn steps() -> impl Strategy<Value = Steps> {
    let happens = (0..4_u8, 1..=MEMBERS).prop_map(|(what, member)| match what {
        0 | 1 => Happens::Follow(member),
        2 => Happens::Unfollow(member),
        _ if member % 2 == 0 => Happens::Hide(member),
        _ => Happens::Show(member - 1),
    });
    let kind = prop_oneof![
        4 => Just(Kind::Complete),
        2 => (1..4_usize).prop_map(Kind::Head),
        2 => (0..4_usize).prop_map(Kind::Cut),
        1 => Just(Kind::Protected),
        1 => Just(Kind::NotAsked),
    ];
    prop::collection::vec((prop::collection::vec(happens, 0..7), kind), 2..9)
}

/// One crawl as it was made.
#[derive(Clone, Debug)]
struct Made {
    kind: Kind,
    /// Newest first, as far as it read, with the follow time.
    seen: Vec<(i64, i64)>,
    since: Option<i64>,
    pages: usize,
    at: i64,
}

impl Made {
    fn is_read(&self) -> bool {
        matches!(self.kind, Kind::Complete | Kind::Head(_) | Kind::Cut(_))
    }

    fn has(&self, member: i64) -> bool {
        self.seen.iter().any(|(id, _)| *id == member)
    }

    /// The follow time that the cursor behind the member's page tells.
    fn boundary(&self, member: i64, ordered: bool) -> Option<i64> {
        let at = self.seen.iter().position(|(id, _)| *id == member)?;
        let last = (at / PAGE + 1) * PAGE - 1;
        let more = self.kind != Kind::Complete || last + 1 < self.seen.len();
        (ordered && more).then(|| self.seen[last.min(self.seen.len() - 1)].1)
    }

    /// Whether a member that it lacks, and that follows since `boundary` or later, was absent.
    fn proves(&self, boundary: Option<i64>) -> bool {
        self.kind == Kind::Complete
            || self.is_read() && self.since.zip(boundary).is_some_and(|(since, b)| b > since)
    }
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_600_000_000 + second).unwrap()
}

/// Plays the steps: what each crawl sees.
fn play(steps: &Steps) -> Vec<Made> {
    let (mut follows, mut hidden) = (BTreeMap::<i64, i64>::new(), BTreeSet::new());
    let mut made = Vec::new();
    for ((happens, kind), day) in steps.iter().zip(1..) {
        for (one, second) in happens.iter().zip(1..) {
            match *one {
                Happens::Follow(m) => drop(follows.entry(m).or_insert((day - 1) * 1000 + second)),
                Happens::Unfollow(m) => drop(follows.remove(&m)),
                Happens::Hide(m) => drop(hidden.insert(m)),
                Happens::Show(m) => drop(hidden.remove(&m)),
            }
        }
        let visible = follows.iter().filter(|(m, _)| !hidden.contains(*m)).map(|(m, t)| (*m, *t));
        let mut list: Vec<(i64, i64)> = visible.collect();
        list.sort_by_key(|(_, time)| -time);
        let pages = match *kind {
            Kind::Complete => list.len().div_ceil(PAGE).max(1),
            Kind::Head(pages) | Kind::Cut(pages) => pages.min(list.len() / PAGE),
            _ => 0,
        };
        // A crawl that comes to the end has read the whole list.
        let to_end = pages * PAGE >= list.len() && matches!(kind, Kind::Head(_) | Kind::Cut(_));
        let kind = if to_end { Kind::Complete } else { *kind };
        let kind = if kind == Kind::Head(0) { Kind::Cut(0) } else { kind };
        let pages = if to_end { list.len().div_ceil(PAGE).max(1) } else { pages };
        list.truncate(pages * PAGE);
        let since = list.last().filter(|_| kind != Kind::Complete).map(|(_, time)| *time);
        made.push(Made { kind, seen: list, since, pages, at: day * 1000 - 500 });
    }
    made
}

/// A folder that needs no disk, where there is one: thousands of runs are synced.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

/// Publishes what was crawled at one time, if anything was.
fn publish(store: &Store, lists: &[(u32, &Made)], ordered: bool) {
    let at = time(lists[0].1.at);
    let asked = lists.iter().filter(|(_, made)| made.kind != Kind::NotAsked);
    let mut run = store.begin(at, WriterOptions::default()).unwrap();
    let mut is_empty = true;
    for (account, made) in asked {
        let account = AccountId::from(*account);
        let state = match made.kind {
            Kind::Complete => State::Read(Coverage::Complete),
            Kind::Head(_) => State::Read(Coverage::Head),
            Kind::Cut(_) => {
                let after_page = u32::try_from(made.pages).unwrap();
                State::Read(Coverage::CutShort { after_page, why: Cut::Budget })
            }
            _ => State::Protected,
        };
        let mut crawl = Crawl::new(account, List::Followers, "test", state, at);
        crawl.order = if ordered { Order::NewestFirst } else { Order::Unknown };
        crawl.covered_since = made.since.filter(|_| ordered).map(time);
        crawl.pages = u32::try_from(made.pages).unwrap();
        run.crawl(crawl);
        for (number, some) in (0..).zip(made.seen.chunks(PAGE)) {
            let first = number * u32::try_from(PAGE).unwrap();
            let ids: Vec<_> = some.iter().map(|(id, _)| AccountId::new(*id).unwrap()).collect();
            run.rows(List::Followers, account, first, &ids).unwrap();
            let page = PageRecord::new(account, List::Followers, number, at);
            let boundary = made.boundary(some[0].0, ordered).map(time);
            let ids = u32::try_from(some.len()).unwrap();
            run.page(PageRecord { ids, first_position: first, boundary, ..page });
        }
        is_empty = false;
    }
    if !is_empty {
        run.publish().unwrap();
    }
}

/// A row of the model: first and last seen, absent before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    first: u32,
    last: u32,
    before: Option<u32>,
    after: Option<u32>,
    boundary: Option<i64>,
    moved: bool,
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap()
}

/// The spells of a member by going through all crawls; where it moved is taken from elsewhere.
fn model(made: &[&Made], member: i64, moved_at: &BTreeSet<u32>, ordered: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (k, crawl) in made.iter().enumerate().filter(|(_, crawl)| crawl.is_read()) {
        let now = number(k);
        let open = rows.last_mut().filter(|row| row.after.is_none() && !row.moved);
        if !crawl.has(member) {
            if let Some(row) = open.filter(|row| crawl.proves(row.boundary)) {
                row.after = Some(now);
            }
            continue;
        }
        let boundary = crawl.boundary(member, ordered);
        match open {
            Some(row) if !moved_at.contains(&now) => {
                row.last = now;
                row.boundary = row.boundary.max(boundary);
                continue;
            }
            Some(row) => row.moved = true,
            None => {}
        }
        let since = rows.last().map_or(0, |row| row.last as usize + 1);
        let proves = (since..k).rev().find(|j| {
            let earlier = made[*j];
            earlier.is_read() && !earlier.has(member) && earlier.proves(boundary)
        });
        let before = proves.map(number).max(rows.last().and_then(|row| row.after));
        rows.push(Row { first: now, last: now, before, after: None, boundary, moved: false });
    }
    rows
}

fn all_spells(history: &History) -> Vec<Spell> {
    let Some(file) = history.spells(List::Followers) else { return Vec::new() };
    (0..file.groups()).flat_map(|group| file.group(group).unwrap()).collect()
}

fn of(spells: &[Spell], account: u32, member: i64) -> Vec<Spell> {
    let is_meant = |s: &&Spell| s.account == AccountId::from(account) && s.member.get() == member;
    spells.iter().filter(is_meant).copied().collect()
}

/// Where the model has a member at a crawl: `Some(true)` in the list, `None` unknown.
fn stands(rows: &[Row], made: &[&Made], k: u32) -> Option<bool> {
    if rows.iter().any(|row| row.first <= k && k <= row.last) {
        return Some(true);
    }
    let prior = rows.iter().rfind(|row| row.last < k);
    // A follow that was followed anew tells nothing about later crawls.
    let old = prior.filter(|prior| !prior.moved);
    // A new follow that was not there yet tells nothing about an old one that may have been.
    let is_between = prior.is_none_or(|prior| prior.after.is_some_and(|after| after <= k));
    let next = rows.iter().find(|row| row.first > k).filter(|_| is_between);
    let bounds = [old, next].map(|row| row.and_then(|row| row.boundary));
    let crawl = made[k as usize];
    bounds.into_iter().any(|boundary| crawl.proves(boundary)).then_some(false)
}

struct Check<'a> {
    store: &'a Store,
    history: &'a History,
    account: u32,
    made: Vec<&'a Made>,
    ordered: bool,
}

impl Check<'_> {
    fn all(&self) {
        let spells = all_spells(self.history);
        let account = AccountId::from(self.account);
        let crawls = self.history.crawls_of(account, List::Followers);
        assert_eq!(crawls.len(), self.made.len());
        let mut models = Vec::new();
        for member in 1..=MEMBERS {
            let found = of(&spells, self.account, member);
            let moved: BTreeSet<u32> = found
                .windows(2)
                .filter(|pair| pair[0].ended == Ended::Moved)
                .map(|pair| pair[1].first_seen)
                .collect();
            assert!(self.ordered || moved.is_empty());
            let rows = model(&self.made, member, &moved, self.ordered);
            let shown = |s: &Spell| Row {
                first: s.first_seen,
                last: s.last_seen,
                before: s.absent_before,
                after: s.absent_after,
                boundary: s.boundary.map(|b| b.as_second() - 1_600_000_000),
                moved: s.ended == Ended::Moved,
            };
            assert_eq!(found.iter().map(shown).collect::<Vec<_>>(), rows, "of member {member}");
            for (index, spell) in found.iter().enumerate() {
                let is_first = index == 0 && spell.absent_before.is_none();
                assert_eq!(spell.began == Began::FirstLook, is_first, "{spell:?}");
                let last = self.made[spell.last_seen as usize];
                assert_eq!(last.seen[spell.position as usize].0, member);
            }
            models.push(rows);
        }
        self.pairs(&models);
        self.sums(crawls);
    }

    fn pairs(&self, models: &[Vec<Row>]) {
        let account = AccountId::from(self.account);
        for b in 0..self.made.len() {
            for a in 0..=b {
                let (a, b) = (number(a), number(b));
                let found = between(self.history, account, List::Followers, a, b).unwrap();
                let (mut gained, mut lost, mut unknown, mut both) = (vec![], vec![], vec![], 0);
                for (rows, member) in models.iter().zip(1..) {
                    match (stands(rows, &self.made, a), stands(rows, &self.made, b)) {
                        (Some(true), Some(true)) => both += 1,
                        (Some(false), Some(true)) => gained.push(member),
                        (Some(true), Some(false)) => lost.push(member),
                        (Some(true), None) | (None, Some(true)) => unknown.push(member),
                        _ => {}
                    }
                }
                let ids = |changed: &[super::Changed]| -> Vec<i64> {
                    changed.iter().map(|change| change.member.get()).collect()
                };
                assert_eq!(ids(&found.gained), gained, "gained from {a} to {b}");
                assert_eq!(ids(&found.lost), lost, "lost from {a} to {b}");
                let ids: Vec<_> = found.unknown.iter().map(|id| id.get()).collect();
                assert_eq!((ids, found.unchanged), (unknown, both), "from {a} to {b}");
                self.against_diff(&found);
            }
        }
    }

    /// Of complete crawls the same as the diff of the runs themselves, and as that of sets.
    fn against_diff(&self, found: &super::Differences) {
        if !found.before.state.is_complete() || !found.after.state.is_complete() {
            return;
        }
        let list = |crawl: &HistoryCrawl| {
            let run = self.store.run(crawl.run).unwrap();
            Observation::of(&run, crawl.account, crawl.list).unwrap()
        };
        let naive = diff(&list(&found.before), &list(&found.after), &Memory).unwrap();
        let ids =
            |changes: &[crate::Change]| -> Vec<_> { changes.iter().map(|c| c.member).collect() };
        let mine =
            |changed: &[super::Changed]| -> Vec<_> { changed.iter().map(|c| c.member).collect() };
        assert_eq!(ids(&naive.gained), mine(&found.gained));
        assert_eq!(ids(&naive.lost), mine(&found.lost));
        assert_eq!((naive.unchanged, found.unknown.len()), (found.unchanged, 0));
        for change in found.gained.iter().chain(&found.lost) {
            assert!(change.when.earliest <= change.when.latest);
            assert!(change.when.latest <= found.after.finished_at);
        }
    }

    fn sums(&self, crawls: &[HistoryCrawl]) {
        let (mut gained, mut lost) = (vec![0; crawls.len()], vec![0; crawls.len()]);
        let account = AccountId::from(self.account);
        events_each(self.history, List::Followers, Some(&[account]), |event| {
            let counts = if event.kind == super::EventKind::Lost { &mut lost } else { &mut gained };
            counts[event.shown_by as usize] += 1;
            assert!(event.when.earliest <= event.when.latest);
            Ok(())
        })
        .unwrap();
        let mut before = 0;
        for (crawl, made) in crawls.iter().zip(&self.made) {
            let at = crawl.number as usize;
            assert_eq!(
                (crawl.gained() + crawl.moved, crawl.lost + crawl.moved),
                (gained[at], lost[at])
            );
            assert_eq!(crawl.opening, before);
            assert_eq!(crawl.closing, before + crawl.found + crawl.gained() - crawl.lost);
            assert!(crawl.closing >= crawl.ids);
            assert!(!crawl.state.is_complete() || crawl.closing == made.seen.len() as u64);
            before = crawl.closing;
        }
    }
}

fn check(worlds: &[Steps; 2], ordered: bool, stops: u16, portions: Portions) {
    let folder = in_memory();
    let store = Store::create(folder.path()).unwrap();
    let played: Vec<Vec<Made>> = worlds.iter().map(play).collect();
    let days = played.iter().map(Vec::len).min().unwrap();
    for (day, (one, other)) in played[0].iter().zip(&played[1]).enumerate() {
        publish(&store, &[(7, one), (8, other)], ordered);
        if stops >> day & 1 == 1 {
            update_by(&store, portions).unwrap();
        }
    }
    let (history, _) = update_by(&store, portions).unwrap();
    for (account, made) in [7, 8].into_iter().zip(&played) {
        let made = made[..days].iter().filter(|made| made.kind != Kind::NotAsked).collect();
        Check { store: &store, history: &history, account, made, ordered }.all();
    }
    // From scratch, in one go.
    std::fs::remove_dir_all(folder.path().join("history")).unwrap();
    let (anew, done) = update(&store).unwrap();
    assert_eq!(done.added, store.runs().unwrap().len());
    assert_eq!(anew.crawls(), history.crawls());
    assert_eq!(all_spells(&anew), all_spells(&history));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn histories_are_what_going_through_all_crawls_finds(
        worlds in [steps(), steps()],
        ordered in any::<bool>(),
        stops in any::<u16>(),
        runs in 1..4_usize,
        rows in prop::sample::select(vec![0_u64, 5, 1 << 20]),
    ) {
        check(&worlds, ordered, stops, Portions { runs, rows });
    }
}

#[test]
fn long_lists_by_ranges_of_ids_are_as_at_once() {
    let folder = in_memory();
    let store = Store::create(folder.path()).unwrap();
    let account = AccountId::from(7);
    // Made at random in the years before the crawls, as their ids tell.
    let made = |number: i64| {
        let random = number.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let random = (random ^ random >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 37;
        let ms = 100_000_000_000 + random.cast_signed() * 1500;
        AccountId::new(ms << 22 | number).unwrap()
    };
    for day in 0..3_i64 {
        let mut run = store.begin(time(day * 1000), WriterOptions::default()).unwrap();
        let state = State::Read(Coverage::Complete);
        let crawl = Crawl::new(account, List::Followers, "test", state, time(day * 1000));
        run.crawl(Crawl { order: Order::NewestFirst, ..crawl });
        // Every day the newest come before the others, and every seventh leaves.
        let ids = (0..300_000 + day * 20_000).rev().filter(|id| day == 0 || id % 7 != day);
        let ids: Vec<_> = ids.map(made).collect();
        run.rows(List::Followers, account, 0, &ids).unwrap();
        run.publish().unwrap();
    }
    let (at_once, _) = update(&store).unwrap();
    let spells = all_spells(&at_once).len() as u64;
    assert!(at_once.bytes() < 11 * spells, "{} bytes for {spells} spells", at_once.bytes());
    let (once, crawls) = (all_spells(&at_once), at_once.crawls().to_vec());
    assert_eq!(crawls[1].order, "dependable");
    // Of 0..300,000 leave 42,857 on each day; 2,858 others were away on their first day, of whom
    // one stands next to the new ones of the second and cannot be told from them.
    assert_eq!((crawls[1].lost, crawls[1].new), (42_857, 20_000 - 2_858));
    assert_eq!((crawls[2].new, crawls[2].reappeared), (20_000 - 2_858 + 1, 42_857 + 2_858 - 1));
    for runs in [1, 3] {
        std::fs::remove_dir_all(folder.path().join("history")).unwrap();
        let (by_ranges, _) = update_by(&store, Portions { runs, rows: 1000 }).unwrap();
        assert_eq!(by_ranges.crawls(), crawls);
        assert!(all_spells(&by_ranges) == once, "spells differ");
    }
}
