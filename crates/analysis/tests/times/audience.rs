//! One audience of a simulated world, with the truth, and as crawls of it look.

use analysis::Observation;
use analysis::engine::Memory;
use analysis::when::{Fingerprint, FollowTimes, fingerprint};
use jiff::{SignedDuration, Timestamp};
use simulator::{Churn, World, WorldConfig};
use snapshot::{AccountId, Coverage, Crawl, List, Order, PageRecord, State};

pub(crate) const DAY_MS: i64 = 86_400_000;

/// The followers of one account, newest first, with their follow times.
#[derive(Clone)]
pub(crate) struct Audience {
    pub(crate) account: i64,
    pub(crate) at: Timestamp,
    pub(crate) rows: Vec<(i64, Timestamp)>,
}

/// How a crawl saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// As a file, without pages.
    Import,
    /// In pages, each with a cursor that tells when the last of it followed.
    Pages(usize),
}

impl Audience {
    /// The most followed account of a world of its own: about so many followers, grown over
    /// the whole history of the network, and then for two months with churn and bursts.
    pub(crate) fn new(seed: u64, followers: usize) -> Self {
        let mut world = World::new(WorldConfig {
            seed,
            users: followers * 5 / 4 + 50,
            watched: 1,
            largest_audience: followers,
            ordinary_follows: 0.0,
            churn: Churn { burst: 0.03, ..Churn::default() },
            ..WorldConfig::default()
        });
        world.advance_to(world.now() + SignedDuration::from_hours(24 * 60));
        let account = world.watched()[0];
        Self { account, at: world.now(), rows: world.truth().followers(account) }
    }

    pub(crate) fn observed(&self, seen: Seen) -> Observation {
        let id = |raw: i64| AccountId::new(raw).unwrap();
        let account = id(self.account);
        let state = State::Read(Coverage::Complete);
        let source = if seen == Seen::Import { "file" } else { "x_v2" };
        let crawl = Crawl::new(account, List::Followers, source, state, self.at);
        let crawl = Crawl { order: Order::NewestFirst, ..crawl };
        let list = Observation::from_ids(crawl, self.rows.iter().map(|(member, _)| id(*member)));
        let Seen::Pages(size) = seen else { return list.unwrap() };
        let number = |n: usize| u32::try_from(n).unwrap();
        let pages = self.rows.chunks(size).enumerate().map(|(page, rows)| {
            let is_last = (page + 1) * size >= self.rows.len();
            PageRecord {
                ids: number(rows.len()),
                first_position: number(page * size),
                boundary: (!is_last).then(|| rows[rows.len() - 1].1),
                ..PageRecord::new(account, List::Followers, number(page), self.at)
            }
        });
        list.unwrap().with_pages(pages.collect())
    }

    pub(crate) fn times(&self, seen: Seen) -> FollowTimes {
        FollowTimes::of(&self.observed(seen), &Memory).unwrap().expect("it is in order")
    }

    pub(crate) fn fingerprint(&self, seen: Seen) -> Fingerprint {
        fingerprint(&self.observed(seen), &Memory).unwrap().expect("it is in order")
    }

    /// Adds followers that were not there; each follow is at a time of its own.
    pub(crate) fn add(&mut self, more: Vec<(i64, Timestamp)>) {
        self.rows.extend(more);
        // Equal times keep an order of their own.
        self.rows.sort_by_key(|(id, at)| (std::cmp::Reverse(*at), *id));
    }
}

/// Numbers that look random and are the same each time (`SplitMix64`).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to below a number.
    pub(crate) fn below(&mut self, limit: i64) -> i64 {
        i64::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

/// The id of an account made at a millisecond, as X's snowflakes are made up.
pub(crate) fn id_made_at(ms: i64, random: &mut Random) -> i64 {
    ((ms - 1_288_834_974_657) << 22) | random.below(1 << 22)
}
