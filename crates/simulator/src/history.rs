//! Builds the past of a world: accounts, watched audiences with heavy tails and overlaps,
//! follow-backs, and sparse ordinary edges, each made after both its accounts were opened.
//!
//! Bought followers of that time come last, so that they change nothing in the rest.
//!
//! Only the outcome is kept: the edges that still stand at the beginning, not the unfollows
//! that came before. O(edges · log edges).

use crate::churn::Engine;
use crate::clock::DAY_MS;
use crate::config::WorldConfig;
use crate::dice::{Dice, count, mix, whole};
use crate::purchase::{Delivery, Orders};
use crate::spells::Cause;
use crate::taste::{self, TOPICS};
use crate::user::{Ix, Standing};
use crate::world::World;
use crate::{id, names};

/// Share of accounts opened since ids became snowflakes, all of which exceed 2^53.
const MODERN_SHARE: f64 = 0.36;

/// Watched accounts are among this oldest share of accounts.
const WATCHED_AMONG: f64 = 0.6;

/// How many accounts a watched account follows, at least and at most.
const WATCHED_FOLLOWS: (f64, f64) = (20.0, 5000.0);

/// Share of a watched account's following list that follows it back, at most.
const FOLLOW_BACK_MAX: f64 = 0.5;

/// Most accounts an ordinary account follows, besides watched ones.
const ORDINARY_FOLLOWS_MAX: f64 = 400.0;

/// Builds the world that the configuration describes.
pub(crate) fn build(config: &WorldConfig) -> World {
    assert!(config.users >= 2, "a network needs at least two accounts");
    let mut history = History::new(config);
    history.open_accounts();
    history.choose_watched();
    history.gather_audiences();
    history.follow_as_watched();
    history.follow_as_ordinary();
    history.finish()
}

/// An edge before its key is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Draft {
    ms: i64,
    a: Ix,
    b: Ix,
}

struct History<'a> {
    config: &'a WorldConfig,
    world: World,
    dice: Dice,
    start_ms: i64,
    /// Accounts by topic.
    circles: Vec<Vec<Ix>>,
    /// Accounts that follow nearly every watched account.
    collectors: Vec<Ix>,
    /// Watched accounts, most followed first, with the members gathered for each.
    watched: Vec<(Ix, Vec<Draft>)>,
    edges: Vec<Draft>,
    /// For each account, the last audience it was put into; tells duplicates in O(1).
    seen: Vec<usize>,
}

impl<'a> History<'a> {
    fn new(config: &'a WorldConfig) -> Self {
        Self {
            config,
            world: World::empty(config.seed, config.start),
            dice: Dice::new(config.seed),
            start_ms: config.start.as_millisecond(),
            circles: vec![Vec::new(); TOPICS],
            collectors: Vec::new(),
            watched: Vec::new(),
            edges: Vec::new(),
            seen: vec![usize::MAX; config.users],
        }
    }

    /// Opens all accounts in order of time, so that ids grow with indices.
    fn open_accounts(&mut self) {
        let mut opened: Vec<i64> = (0..self.config.users).map(|_| self.opening_time()).collect();
        opened.sort_unstable();
        // The first accounts of the network, whose ids have two digits.
        for (minutes, time) in (0..3).zip(&mut opened) {
            *time = id::FIRST_ACCOUNT_MS + minutes * 60_000;
        }
        let mut last_id = 0;
        for created_ms in opened {
            let salt = self.dice.below(1024) as u64;
            last_id = id::issue(created_ms, salt, last_id);
            let username = free_username(&self.world, &mut self.dice);
            self.open(last_id, &username, created_ms);
        }
    }

    fn open(&mut self, id: i64, username: &str, created_ms: i64) {
        let name = names::display(self.config.seed, username);
        let ix = self.world.insert(id, username, name, created_ms);
        self.circles[taste::topic(self.config.seed, ix)].push(ix);
        if taste::collects(self.config.seed, ix) {
            self.collectors.push(ix);
        }
    }

    fn opening_time(&mut self) -> i64 {
        let last = self.start_ms - DAY_MS;
        let (first, last) = if last > id::SNOWFLAKES_FROM_MS && self.dice.chance(MODERN_SHARE) {
            (id::SNOWFLAKES_FROM_MS, last)
        } else {
            (id::FIRST_ACCOUNT_MS, last.min(id::SNOWFLAKES_FROM_MS))
        };
        // A square root: the network grew as it aged.
        first + whole((last - first) as f64 * self.dice.unit().sqrt())
    }

    /// Picks the famous accounts, names them, and lets some of the others be hidden or private.
    fn choose_watched(&mut self) {
        let pool = count(self.config.users as f64 * WATCHED_AMONG).max(1);
        let wanted = self.config.watched.min(pool / 2);
        while self.watched.len() < wanted {
            let ix = Ix::new(self.dice.below(pool));
            if self.seen[ix.at()] == usize::MAX {
                self.seen[ix.at()] = 0;
                self.world.make_famous(ix, self.watched.len());
                self.watched.push((ix, Vec::new()));
            }
        }
        for ix in (0..self.config.users).map(Ix::new) {
            if self.seen[ix.at()] == usize::MAX {
                self.draw_standing(ix);
            }
        }
        self.seen.fill(usize::MAX);
    }

    fn draw_standing(&mut self, ix: Ix) {
        let draw = self.dice.unit();
        if draw < self.config.suspended_share {
            self.world.set_standing(ix, Standing::Suspended);
        } else if draw < self.config.suspended_share + self.config.deactivated_share {
            self.world.set_standing(ix, Standing::Deactivated);
        }
        if self.dice.chance(self.config.protected_share) {
            self.world.set_protected(ix);
        }
    }

    /// Draws the followers of every watched account; sizes fall by a constant ratio.
    fn gather_audiences(&mut self) {
        for rank in 0..self.watched.len() {
            let size = self.audience_size(rank);
            let of = self.watched[rank].0;
            let members = self.gather(rank, of, size);
            let audience = members.into_iter().map(|a| self.draft(a, of)).collect::<Vec<_>>();
            self.edges.extend(&audience);
            self.watched[rank].1 = audience;
        }
    }

    fn audience_size(&self, rank: usize) -> usize {
        let most = self.config.largest_audience.min(self.config.users * 4 / 5).max(1);
        let least = self.config.smallest_audience.clamp(1, most);
        let steps = self.watched.len().saturating_sub(1).max(1);
        let ratio = (least as f64 / most as f64).powf(rank as f64 / steps as f64);
        count(most as f64 * ratio)
    }

    /// `size` distinct members: collectors, accounts of the same topic, anyone.
    fn gather(&mut self, rank: usize, of: Ix, size: usize) -> Vec<Ix> {
        let topic = taste::topic(self.config.seed, of);
        let mut members = Vec::with_capacity(size);
        self.seen[of.at()] = rank;
        for at in 0..self.collectors.len() {
            if members.len() < size / 3 && self.dice.chance(0.9) {
                let collector = self.collectors[at];
                self.admit(rank, collector, &mut members);
            }
        }
        // A topic may have fewer accounts than are wanted: give up on chance after a while.
        for _ in 0..size * 8 {
            if members.len() >= size {
                break;
            }
            let candidate = self.keener_of_two(topic);
            self.admit(rank, candidate, &mut members);
        }
        let rest = (0..self.config.users).map(Ix::new);
        for candidate in rest {
            if members.len() >= size {
                break;
            }
            self.admit(rank, candidate, &mut members);
        }
        members
    }

    fn admit(&mut self, rank: usize, candidate: Ix, members: &mut Vec<Ix>) {
        if self.seen[candidate.at()] != rank {
            self.seen[candidate.at()] = rank;
            members.push(candidate);
        }
    }

    /// Of two accounts, the one that follows more readily: some members are everywhere.
    fn keener_of_two(&mut self, topic: usize) -> Ix {
        let (one, other) = (self.someone(topic), self.someone(topic));
        let appetite = |ix| taste::appetite(self.config.seed, ix);
        if appetite(one) >= appetite(other) { one } else { other }
    }

    /// Someone drawn to the topic, or anyone.
    fn someone(&mut self, topic: usize) -> Ix {
        let circle = &self.circles[topic];
        match self.dice.pick(circle) {
            Some(&ix) if self.dice.chance(0.6) => ix,
            _ => Ix::new(self.dice.below(self.config.users)),
        }
    }

    /// Lets watched accounts follow each other, some of their followers, and others.
    fn follow_as_watched(&mut self) {
        for rank in 0..self.watched.len() {
            let of = self.watched[rank].0;
            let most = WATCHED_FOLLOWS.1.min(self.config.users as f64 / 4.0);
            let target = count(self.dice.log_uniform(WATCHED_FOLLOWS.0.min(most), most));
            let begin = self.edges.len();
            self.follow_peers(of);
            self.follow_back(rank, target);
            let missing = target.saturating_sub(self.edges.len() - begin);
            let topic = taste::topic(self.config.seed, of);
            for _ in 0..missing {
                let other = self.someone(topic);
                self.propose(of, other);
            }
        }
    }

    fn follow_peers(&mut self, of: Ix) {
        let topic = |ix| taste::topic(self.config.seed, ix);
        let own = topic(of);
        let peers: Vec<(Ix, bool)> =
            self.watched.iter().map(|&(peer, _)| (peer, topic(peer) == own)).collect();
        for (peer, same_topic) in peers {
            if self.dice.chance(if same_topic { 0.6 } else { 0.3 }) {
                self.propose(of, peer);
            }
        }
    }

    fn follow_back(&mut self, rank: usize, target: usize) {
        let (of, audience) = (self.watched[rank].0, std::mem::take(&mut self.watched[rank].1));
        let wanted = count(target as f64 * FOLLOW_BACK_MAX * self.dice.unit());
        for _ in 0..wanted.min(audience.len() / 2) {
            let Some(&Draft { ms, a, .. }) = self.dice.pick(&audience) else { break };
            let back_ms = ms + 1 + whole(self.dice.wait(10.0 * DAY_MS as f64));
            if back_ms < self.start_ms {
                self.edges.push(Draft { ms: back_ms, a: of, b: a });
            }
        }
        self.watched[rank].1 = audience;
    }

    fn follow_as_ordinary(&mut self) {
        for a in (0..self.config.users).map(Ix::new) {
            let follows = self.dice.wait(self.config.ordinary_follows).min(ORDINARY_FOLLOWS_MAX);
            let topic = taste::topic(self.config.seed, a);
            for _ in 0..count(follows) {
                let b = self.someone(topic);
                self.propose(a, b);
            }
        }
    }

    fn propose(&mut self, a: Ix, b: Ix) {
        if a != b {
            let draft = self.draft(a, b);
            self.edges.push(draft);
        }
    }

    /// Dates an edge: soon after the younger account was opened, or any time since.
    fn draft(&mut self, a: Ix, b: Ix) -> Draft {
        let opened = |ix| self.world.user_at(ix).created_at.as_millisecond();
        let first = opened(a).max(opened(b)) + 1000;
        let span = (self.start_ms - 1 - first).max(0) as f64;
        let wait = if self.dice.chance(0.35) {
            self.dice.wait(3.0 * DAY_MS as f64).min(span)
        } else {
            span * self.dice.unit().powf(0.8)
        };
        Draft { ms: first + whole(wait), a, b }
    }

    /// Drops repeated edges, writes the rest in order of time, and starts the engine.
    fn finish(mut self) -> World {
        self.edges.sort_unstable_by_key(|edge| (edge.a, edge.b, edge.ms));
        self.edges.dedup_by_key(|edge| (edge.a, edge.b));
        self.rank_watched();
        let (orders, stock) = self.receive_bought();
        self.edges.sort_unstable();
        for edge in &self.edges {
            let is_bought = self.world.is_bought(edge.a);
            let cause = if is_bought { Cause::Bought } else { Cause::Organic };
            self.world.link(edge.a, edge.b, edge.ms, cause);
        }
        let engine = Engine::new(&self.world, self.config, self.circles, orders, stock);
        self.world.set_engine(engine);
        self.world
    }

    /// Ranks watched accounts by their visible followers.
    fn rank_watched(&mut self) {
        let mut audiences = vec![0; self.config.users];
        for edge in self.edges.iter().filter(|edge| self.world.user_at(edge.a).is_visible()) {
            audiences[edge.b.at()] += 1;
        }
        self.world.rank_watched(&audiences);
    }

    /// Opens bought accounts and takes deliveries, as far as they lie in the past; the orders,
    /// and the accounts opened so far by their number.
    fn receive_bought(&mut self) -> (Orders, Vec<Option<Ix>>) {
        let orders = Orders::draw(&self.world, self.config);
        let mut dice = Dice::new(mix(self.config.seed, 3));
        let mut open = |world: &mut World, &opened_ms: &i64| {
            let username = free_username(world, &mut dice);
            world.insert_bought(&username, opened_ms)
        };
        let is_past = |&opened_ms: &i64| opened_ms < self.start_ms;
        let stock: Vec<Option<Ix>> = orders
            .opened_ms
            .iter()
            .map(|ms| is_past(ms).then(|| open(&mut self.world, ms)))
            .collect();
        for &Delivery { due_ms, account, buyer } in &orders.deliveries {
            if let Some(a) = stock[account].filter(|_| due_ms < self.start_ms) {
                self.edges.push(Draft { ms: due_ms, a, b: buyer });
            }
        }
        (orders, stock)
    }
}

/// A handle that nobody has yet.
pub(crate) fn free_username(world: &World, dice: &mut Dice) -> String {
    loop {
        let username = names::username(dice);
        if world.find_by_name(&username).is_none() {
            return username;
        }
    }
}
