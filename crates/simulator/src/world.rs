//! The state of the network at one moment, and the only places where it changes.
//!
//! Each edge is stored twice, in the list of either account, under the same key. Hiding an
//! account touches no list, only the counters of its neighbours, so a returning account
//! stands where it stood. Knows nothing of HTTP, and what happens by chance is decided in
//! `churn`.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::churn::Engine;
use crate::clock::timestamp;
use crate::config::WorldConfig;
use crate::cursor::{Position, TIE_BITS};
use crate::dice::mix;
use crate::event::{Event, EventKind};
use crate::rows::{Cut, Rows};
use crate::spells::Cause;
use crate::truth::Truth;
use crate::user::{Ix, Standing, User};
use crate::{history, id, names};

/// A seeded social network at one moment of its time.
///
/// Direction always reads "a follows b". Methods that name an account by id panic when the
/// world has no such account, since a test that does so is mistaken.
#[derive(Clone, Debug)]
pub struct World {
    seed: u64,
    start_ms: i64,
    now_ms: i64,
    accounts: Vec<Account>,
    by_id: HashMap<i64, Ix>,
    /// Keyed by the handle in lower case.
    by_name: HashMap<String, Ix>,
    watched: Vec<i64>,
    /// Accounts made for sale, in the order of their indices, each with the number of others
    /// before it.
    bought: Vec<(Ix, usize)>,
    events: Vec<Event>,
    /// The keys of the edges that ended, one for each [`EventKind::Unfollowed`], in their order.
    ended: Vec<i64>,
    /// The suspensions that were part of a purge, by their places among the events.
    purged: Vec<usize>,
    /// Why edges were made, by their keys, those that ended included; organic ones are left out.
    causes: HashMap<i64, Cause>,
    /// The highest edge key given out.
    last_key: i64,
    /// What happens by itself; nothing in a world that was built by hand.
    engine: Option<Engine>,
}

/// An account and its two lists.
#[derive(Clone, Debug)]
struct Account {
    user: User,
    followers: Rows,
    following: Rows,
    /// Followers and followed accounts that are not hidden.
    visible_followers: usize,
    visible_following: usize,
}

/// Which of the two lists of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum List {
    /// Who follows the account.
    Followers,
    /// Whom the account follows.
    Following,
}

/// Reading the world.
impl World {
    /// The moment this state belongs to.
    pub fn now(&self) -> Timestamp {
        timestamp(self.now_ms)
    }

    /// The famous accounts, most followed first at the beginning; hidden and bought followers do
    /// not count.
    pub fn watched(&self) -> &[i64] {
        &self.watched
    }

    /// The account with this id, hidden or not.
    pub fn user(&self, id: i64) -> Option<&User> {
        self.find(id).map(|ix| self.user_at(ix))
    }

    /// The account with this handle, hidden or not; case does not matter.
    pub fn user_by_name(&self, name: &str) -> Option<&User> {
        self.find_by_name(name).map(|ix| self.user_at(ix))
    }

    /// All accounts, hidden or not, in the order in which they were opened, except that
    /// bought ones of the history come after it.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.accounts.iter().map(|account| &account.user)
    }

    /// Number of edges, those of hidden accounts included.
    pub fn edges(&self) -> usize {
        self.accounts.iter().map(|account| account.following.len()).sum()
    }

    /// The lists as they really are.
    pub fn truth(&self) -> Truth<'_> {
        Truth::new(self)
    }

    /// All that happened since the beginning, in order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The moment this world began with its built history.
    pub(crate) fn start(&self) -> Timestamp {
        timestamp(self.start_ms)
    }

    /// Every unfollow since the beginning, in order, with the key of the edge that it ended.
    pub(crate) fn endings(&self) -> impl Iterator<Item = (&Event, i64)> {
        let ends = |event: &&Event| matches!(event.kind, EventKind::Unfollowed { .. });
        self.events.iter().filter(ends).zip(self.ended.iter().copied())
    }

    /// Why the edge with this key was made.
    pub(crate) fn cause(&self, key: i64) -> Cause {
        self.causes.get(&key).copied().unwrap_or(Cause::Organic)
    }

    /// The suspensions that were part of a purge, in order.
    pub(crate) fn purged(&self) -> impl Iterator<Item = &Event> {
        self.purged.iter().map(|&place| &self.events[place])
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Number of accounts that were not made for sale.
    pub(crate) fn people(&self) -> usize {
        self.len() - self.bought.len()
    }

    /// The `n`-th account that was not made for sale. O(log bought).
    pub(crate) fn person(&self, n: usize) -> Ix {
        Ix::new(n + self.bought.partition_point(|&(_, before)| before <= n))
    }

    /// Whether the account was made for sale. O(log bought).
    pub(crate) fn is_bought(&self, ix: Ix) -> bool {
        self.bought.binary_search_by_key(&ix, |&(bought, _)| bought).is_ok()
    }

    pub(crate) fn find(&self, id: i64) -> Option<Ix> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn find_by_name(&self, name: &str) -> Option<Ix> {
        self.by_name.get(&name.to_ascii_lowercase()).copied()
    }

    pub(crate) fn user_at(&self, ix: Ix) -> &User {
        &self.accounts[ix.at()].user
    }

    pub(crate) fn rows(&self, of: Ix, list: List) -> &Rows {
        match list {
            List::Followers => &self.accounts[of.at()].followers,
            List::Following => &self.accounts[of.at()].following,
        }
    }

    /// Members of the list that are not hidden; what profile counters show.
    pub(crate) fn visible_count(&self, of: Ix, list: List) -> usize {
        match list {
            List::Followers => self.accounts[of.at()].visible_followers,
            List::Following => self.accounts[of.at()].visible_following,
        }
    }

    /// One page: cut from the raw list first, rid of hidden members after, so it may be short.
    pub(crate) fn page(&self, of: Ix, list: List, at: Position, count: usize) -> Cut {
        let mut cut = self.rows(of, list).cut(at, count);
        cut.rows.retain(|row| self.user_at(row.member).is_visible());
        cut
    }

    /// Whether `a` follows `b`. O(length of the shorter list).
    pub(crate) fn edge(&self, a: Ix, b: Ix) -> Option<i64> {
        let (following, followers) = (self.rows(a, List::Following), self.rows(b, List::Followers));
        if following.len() <= followers.len() { following.find(b) } else { followers.find(a) }
    }
}

/// Building and moving the world.
impl World {
    /// A world with its history up to [`WorldConfig::start`].
    ///
    /// # Panics
    ///
    /// If there are fewer than two users, or more than 2^32.
    #[expect(clippy::needless_pass_by_value, reason = "a configuration is used up by its world")]
    pub fn new(config: WorldConfig) -> Self {
        history::build(&config)
    }

    /// A world without accounts, in which nothing happens by itself.
    pub fn empty(seed: u64, start: Timestamp) -> Self {
        Self {
            seed,
            start_ms: start.as_millisecond(),
            now_ms: start.as_millisecond(),
            accounts: Vec::new(),
            by_id: HashMap::new(),
            by_name: HashMap::new(),
            watched: Vec::new(),
            bought: Vec::new(),
            events: Vec::new(),
            ended: Vec::new(),
            purged: Vec::new(),
            causes: HashMap::new(),
            last_key: 0,
            engine: None,
        }
    }

    /// Opens an account now and returns its id; not recorded as an event.
    ///
    /// # Panics
    ///
    /// If the handle is taken.
    pub fn add_user(&mut self, username: &str) -> i64 {
        let id = self.free_id(self.now_ms);
        self.insert(id, username, names::display(self.seed, username), self.now_ms);
        id
    }

    /// Opens an account with a chosen id, at the time the id tells but not after now.
    ///
    /// # Panics
    ///
    /// If the id or the handle is taken.
    pub fn add_user_as(&mut self, id: i64, username: &str) {
        let created_ms = id::created_at(id).as_millisecond().min(self.now_ms);
        self.insert(id, username, names::display(self.seed, username), created_ms);
    }

    /// Adds an account to [`watched`](Self::watched).
    pub fn watch(&mut self, id: i64) {
        self.expect(id);
        self.watched.push(id);
    }

    /// Moves time to `t`, with all that happens by itself until then; the past is no target.
    ///
    /// One step does the same as many small ones.
    pub fn advance_to(&mut self, t: Timestamp) {
        let until_ms = t.as_millisecond();
        if let Some(mut engine) = self.engine.take() {
            engine.run(self, until_ms);
            self.engine = Some(engine);
        }
        self.now_ms = self.now_ms.max(until_ms);
    }

    pub(crate) fn insert(&mut self, id: i64, username: &str, name: String, created_ms: i64) -> Ix {
        let ix = Ix::new(self.len());
        let taken = self.by_name.insert(username.to_ascii_lowercase(), ix);
        assert!(taken.is_none(), "the handle {username} is taken");
        assert!(self.by_id.insert(id, ix).is_none(), "the id {id} is taken");
        self.accounts.push(Account {
            user: User {
                id,
                username: username.to_owned(),
                name,
                created_at: timestamp(created_ms),
                standing: Standing::Active,
                protected: false,
            },
            followers: Rows::default(),
            following: Rows::default(),
            visible_followers: 0,
            visible_following: 0,
        });
        ix
    }

    /// Makes an account the `rank`-th watched one, with a handle of its own where there is one.
    pub(crate) fn make_famous(&mut self, ix: Ix, rank: usize) {
        let user = &mut self.accounts[ix.at()].user;
        self.watched.push(user.id);
        if let Some(handle) = names::famous(rank) {
            self.by_name.remove(&user.username.to_ascii_lowercase());
            self.by_name.insert(handle.to_ascii_lowercase(), ix);
            handle.clone_into(&mut user.username);
            user.name = names::display_famous(handle);
        }
    }

    /// Puts the most followed of the watched accounts first, by the audience of each account.
    pub(crate) fn rank_watched(&mut self, audiences: &[usize]) {
        let mut watched = std::mem::take(&mut self.watched);
        watched.sort_by_key(|&id| (std::cmp::Reverse(audiences[self.expect(id).at()]), id));
        self.watched = watched;
    }

    pub(crate) fn set_engine(&mut self, engine: Engine) {
        self.engine = Some(engine);
    }

    pub(crate) fn set_now(&mut self, ms: i64) {
        self.now_ms = self.now_ms.max(ms);
    }

    /// Opens an account that was made for sale; not recorded as an event.
    pub(crate) fn insert_bought(&mut self, username: &str, created_ms: i64) -> Ix {
        let id = self.free_id(created_ms);
        self.bought.push((Ix::new(self.len()), self.people()));
        self.insert(id, username, names::display(self.seed, username), created_ms)
    }

    /// The id of an account opened at this millisecond.
    fn free_id(&self, created_ms: i64) -> i64 {
        let mut id = id::issue(created_ms, mix(self.seed, self.len() as u64), 0);
        while self.by_id.contains_key(&id) {
            id += 1;
        }
        id
    }

    /// The key of the next edge made at this millisecond; keys grow strictly.
    fn issue_key(&mut self, ms: i64) -> i64 {
        // Half of the tie-break is drawn, the other half is room to count up in a crowded
        // millisecond without leaving it.
        let tie_break = mix(self.seed, self.last_key.unsigned_abs()) >> (64 - TIE_BITS + 1);
        let drawn = (ms << TIE_BITS) | i64::try_from(tie_break).unwrap_or(0);
        self.last_key = drawn.max(self.last_key + 1);
        self.last_key
    }

    /// Adds an edge that does not exist yet, made at this millisecond; later than all others.
    pub(crate) fn link(&mut self, a: Ix, b: Ix, ms: i64, cause: Cause) {
        let key = self.issue_key(ms);
        let (a_visible, b_visible) = (self.user_at(a).is_visible(), self.user_at(b).is_visible());
        let follower = &mut self.accounts[a.at()];
        follower.following.push(key, b);
        follower.visible_following += usize::from(b_visible);
        let followed = &mut self.accounts[b.at()];
        followed.followers.push(key, a);
        followed.visible_followers += usize::from(a_visible);
        if cause != Cause::Organic {
            self.causes.insert(key, cause);
        }
    }
}

/// Changes at the current time. Each says whether anything changed, and records an event if so.
impl World {
    /// `a` begins to follow `b`; nobody follows themselves or twice.
    pub fn follow(&mut self, a: i64, b: i64) -> bool {
        let (a, b) = (self.expect(a), self.expect(b));
        self.follow_for(a, b, Cause::Organic)
    }

    /// `a` stops following `b`.
    pub fn unfollow(&mut self, a: i64, b: i64) -> bool {
        let (a, b) = (self.expect(a), self.expect(b));
        self.unfollow_at(a, b)
    }

    /// Hides an active account from lists and lookups; its edges stay.
    pub fn suspend(&mut self, id: i64) -> bool {
        let ix = self.expect(id);
        self.change_standing(ix, Standing::Active, Standing::Suspended)
    }

    /// Shows a suspended account again, where it stood.
    pub fn reinstate(&mut self, id: i64) -> bool {
        let ix = self.expect(id);
        self.change_standing(ix, Standing::Suspended, Standing::Active)
    }

    /// Lets the owner of an active account hide it; its edges stay.
    pub fn deactivate(&mut self, id: i64) -> bool {
        let ix = self.expect(id);
        self.change_standing(ix, Standing::Active, Standing::Deactivated)
    }

    /// Brings a deactivated account back, where it stood.
    pub fn reactivate(&mut self, id: i64) -> bool {
        let ix = self.expect(id);
        self.change_standing(ix, Standing::Deactivated, Standing::Active)
    }

    /// Makes the lists of an account private.
    pub fn protect(&mut self, id: i64) -> bool {
        let ix = self.expect(id);
        self.change_protection(ix, true)
    }

    /// Makes the lists of an account public.
    pub fn unprotect(&mut self, id: i64) -> bool {
        let ix = self.expect(id);
        self.change_protection(ix, false)
    }

    /// Gives an account another handle; a handle that someone else has changes nothing.
    pub fn rename(&mut self, id: i64, username: &str) -> bool {
        let ix = self.expect(id);
        self.rename_at(ix, username)
    }

    pub(crate) fn follow_for(&mut self, a: Ix, b: Ix, cause: Cause) -> bool {
        if a == b || self.edge(a, b).is_some() {
            return false;
        }
        self.link(a, b, self.now_ms, cause);
        let (a, b) = (self.user_at(a).id, self.user_at(b).id);
        self.record(EventKind::Followed { a, b })
    }

    pub(crate) fn unfollow_at(&mut self, a: Ix, b: Ix) -> bool {
        let Some(key) = self.edge(a, b) else { return false };
        let (a_visible, b_visible) = (self.user_at(a).is_visible(), self.user_at(b).is_visible());
        let follower = &mut self.accounts[a.at()];
        follower.following.remove(key);
        follower.visible_following -= usize::from(b_visible);
        let followed = &mut self.accounts[b.at()];
        followed.followers.remove(key);
        followed.visible_followers -= usize::from(a_visible);
        self.ended.push(key);
        let (a, b) = (self.user_at(a).id, self.user_at(b).id);
        self.record(EventKind::Unfollowed { a, b })
    }

    /// Says why an edge was made that seemed organic.
    pub(crate) fn set_cause(&mut self, key: i64, cause: Cause) {
        self.causes.insert(key, cause);
    }

    /// Suspends an active account as part of a purge.
    pub(crate) fn purge(&mut self, ix: Ix) {
        if self.change_standing(ix, Standing::Active, Standing::Suspended) {
            self.purged.push(self.events.len() - 1);
        }
    }

    pub(crate) fn change_standing(&mut self, ix: Ix, from: Standing, to: Standing) -> bool {
        if self.user_at(ix).standing != from {
            return false;
        }
        self.set_standing(ix, to);
        let id = self.user_at(ix).id;
        self.record(match (from, to) {
            (_, Standing::Suspended) => EventKind::Suspended { id },
            (_, Standing::Deactivated) => EventKind::Deactivated { id },
            (Standing::Deactivated, _) => EventKind::Reactivated { id },
            _ => EventKind::Reinstated { id },
        })
    }

    pub(crate) fn change_protection(&mut self, ix: Ix, protected: bool) -> bool {
        let user = &mut self.accounts[ix.at()].user;
        if std::mem::replace(&mut user.protected, protected) == protected {
            return false;
        }
        let id = user.id;
        self.record(if protected {
            EventKind::Protected { id }
        } else {
            EventKind::Unprotected { id }
        })
    }

    pub(crate) fn rename_at(&mut self, ix: Ix, username: &str) -> bool {
        let wanted = username.to_ascii_lowercase();
        if self.by_name.get(&wanted).is_some_and(|&owner| owner != ix) {
            return false;
        }
        let user = &mut self.accounts[ix.at()].user;
        let old = std::mem::replace(&mut user.username, username.to_owned());
        let id = user.id;
        self.by_name.remove(&old.to_ascii_lowercase());
        self.by_name.insert(wanted, ix);
        self.record(EventKind::Renamed { id })
    }

    /// A bought account is opened now.
    pub(crate) fn join_bought(&mut self, username: &str) -> Ix {
        let ix = self.insert_bought(username, self.now_ms);
        self.record(EventKind::Joined { id: self.user_at(ix).id });
        ix
    }

    pub(crate) fn join(&mut self, username: &str) -> Ix {
        let id = self.free_id(self.now_ms);
        let ix = self.insert(id, username, names::display(self.seed, username), self.now_ms);
        self.record(EventKind::Joined { id });
        ix
    }

    /// Sets the standing without an event, and corrects the counters of all neighbours.
    pub(crate) fn set_standing(&mut self, ix: Ix, standing: Standing) {
        let was_visible = self.user_at(ix).is_visible();
        self.accounts[ix.at()].user.standing = standing;
        let is_visible = self.user_at(ix).is_visible();
        if was_visible == is_visible {
            return;
        }
        let adjust = |count: &mut usize| if is_visible { *count += 1 } else { *count -= 1 };
        let members = |rows: &Rows| rows.newest_first().map(|row| row.member).collect::<Vec<_>>();
        for followed in members(&self.accounts[ix.at()].following) {
            adjust(&mut self.accounts[followed.at()].visible_followers);
        }
        for follower in members(&self.accounts[ix.at()].followers) {
            adjust(&mut self.accounts[follower.at()].visible_following);
        }
    }

    /// Sets the protection without an event.
    pub(crate) fn set_protected(&mut self, ix: Ix) {
        self.accounts[ix.at()].user.protected = true;
    }

    fn record(&mut self, kind: EventKind) -> bool {
        self.events.push(Event { at: timestamp(self.now_ms), kind });
        true
    }

    pub(crate) fn expect(&self, id: i64) -> Ix {
        self.find(id).unwrap_or_else(|| panic!("no account {id} in this world"))
    }
}
