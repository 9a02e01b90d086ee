//! What happens by itself as time passes: a queue of timed actions, worked off in order.
//!
//! Chance is drawn only when an action is performed or planned, never per call, so moving
//! time in one step or in many gives the same events. O(events · log queue). Knows nothing
//! of requests.

mod purges;
mod stays;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use self::stays::Stay;
use crate::clock::DAY_MS;
use crate::config::{Churn, Purge, WorldConfig};
use crate::dice::{Dice, count, mix, whole};
use crate::history::free_username;
use crate::purchase::{Delivery, Orders};
use crate::spells::Cause;
use crate::taste;
use crate::user::{Ix, Standing};
use crate::world::{List, World};

pub(crate) use self::purges::is_bot_like;

/// How often to look for a suitable pair of accounts before letting an event pass.
const TRIES: usize = 12;

/// Share of follows and unfollows that concern a watched audience, a watched account's own
/// following list; the rest is between ordinary accounts.
const AUDIENCE_SHARE: f64 = 0.85;
const WATCHED_SHARE: f64 = 0.08;

/// Mean times between something and its undoing, in days.
const REFOLLOW_DAYS: f64 = 21.0;
const REINSTATE_DAYS: f64 = 10.0;
const REACTIVATE_DAYS: f64 = 12.0;
const UNPROTECT_DAYS: f64 = 30.0;

/// Mean times of a burst and of a newcomer's first follows, in days.
const BURST_DAYS: f64 = 0.1;
const FIRST_FOLLOWS_DAYS: f64 = 0.2;

/// Something planned; the first nine plan their own next time when performed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Action {
    Follow,
    Unfollow,
    Suspend,
    Deactivate,
    Protect,
    Join,
    Rename,
    Burst,
    Purge,
    FollowWatched(Ix),
    GainFollower(Ix),
    Refollow(Ix, Ix),
    Reinstate(Ix),
    Reactivate(Ix),
    Unprotect(Ix),
    PlannedPurge(usize),
    OpenBought(usize),
    Deliver(usize),
    Leave(Stay),
    LeaveUnfollowed(Stay),
}

const RECURRING: [Action; 9] = [
    Action::Follow,
    Action::Unfollow,
    Action::Suspend,
    Action::Deactivate,
    Action::Protect,
    Action::Join,
    Action::Rename,
    Action::Burst,
    Action::Purge,
];

/// Actions by the time at which they are due, ties in the order of planning.
#[derive(Clone, Debug, Default)]
struct Agenda {
    queue: BinaryHeap<Reverse<(i64, u64, Action)>>,
    planned: u64,
}

impl Agenda {
    fn plan(&mut self, due_ms: i64, action: Action) {
        self.queue.push(Reverse((due_ms, self.planned, action)));
        self.planned += 1;
    }

    fn next_until(&mut self, until_ms: i64) -> Option<(i64, Action)> {
        let &Reverse((due_ms, _, action)) = self.queue.peek()?;
        if due_ms > until_ms {
            return None;
        }
        self.queue.pop();
        Some((due_ms, action))
    }
}

/// The chance that drives a world.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    churn: Churn,
    dice: Dice,
    agenda: Agenda,
    /// Accounts by topic.
    circles: Vec<Vec<Ix>>,
    watched: Vec<Ix>,
    /// Running sums of the watched accounts' audiences at the beginning.
    popularity: Vec<f64>,
    accounts: f64,
    orders: Orders,
    /// Bought accounts by their number in the orders, once they are open.
    stock: Vec<Option<Ix>>,
    purges: Vec<Purge>,
    /// Events looked at so far for follows whose end is to be planned.
    noted: usize,
    /// For purchases, purges and single stays, so that the rest goes on as without them.
    side_dice: Dice,
}

impl Engine {
    /// The engine of a world at its beginning; `stock` are the bought accounts that are open.
    pub(crate) fn new(
        world: &World,
        config: &WorldConfig,
        circles: Vec<Vec<Ix>>,
        orders: Orders,
        stock: Vec<Option<Ix>>,
    ) -> Self {
        let watched: Vec<Ix> = world.watched().iter().filter_map(|&id| world.find(id)).collect();
        let sizes = watched.iter().map(|&ix| organic_audience(world, ix) as f64);
        let running = sizes.scan(0.0, |sum, size| {
            *sum += size;
            Some(*sum)
        });
        let mut engine = Self {
            churn: config.churn,
            dice: Dice::new(mix(config.seed, 1)),
            agenda: Agenda::default(),
            circles,
            popularity: running.collect(),
            watched,
            accounts: world.people() as f64,
            orders,
            stock,
            purges: config.purges.clone(),
            noted: 0,
            side_dice: Dice::new(mix(config.seed, 4)),
        };
        let start_ms = world.now().as_millisecond();
        for action in RECURRING {
            engine.plan_next(start_ms, action);
        }
        for ix in (0..world.len()).map(Ix::new) {
            engine.plan_return(start_ms, ix, world.user_at(ix).standing);
        }
        engine.plan_purchases(start_ms);
        for (n, purge) in config.purges.iter().enumerate().filter(|(_, p)| p.at > world.now()) {
            engine.agenda.plan(purge.at.as_millisecond(), Action::PlannedPurge(n));
        }
        engine.plan_first_ends(world, start_ms);
        engine
    }

    /// Performs all that is due until then, and leaves the world at the last of it.
    pub(crate) fn run(&mut self, world: &mut World, until_ms: i64) {
        self.note_follows(world);
        while let Some((now_ms, action)) = self.agenda.next_until(until_ms) {
            world.set_now(now_ms);
            self.perform(world, now_ms, action);
            self.note_follows(world);
            self.plan_next(now_ms, action);
        }
    }

    fn perform(&mut self, world: &mut World, now_ms: i64, action: Action) {
        match action {
            Action::Follow => self.follow(world),
            Action::Unfollow => self.unfollow(world, now_ms),
            Action::Suspend => self.hide(world, now_ms, Standing::Suspended),
            Action::Deactivate => self.hide(world, now_ms, Standing::Deactivated),
            Action::Protect => self.protect(world, now_ms),
            Action::Join => self.join(world, now_ms),
            Action::Rename => self.rename(world),
            Action::Burst => self.burst(world, now_ms),
            Action::FollowWatched(a) => {
                if let Some(b) = self.someone_watched() {
                    follow(world, a, b, Cause::Organic);
                }
            }
            Action::GainFollower(b) => self.gain_follower(world, b, Cause::Burst),
            Action::Refollow(a, b) => {
                follow(world, a, b, Cause::Organic);
            }
            Action::Reinstate(ix) => {
                world.change_standing(ix, Standing::Suspended, Standing::Active);
            }
            Action::Reactivate(ix) => {
                world.change_standing(ix, Standing::Deactivated, Standing::Active);
            }
            Action::Unprotect(ix) => {
                world.change_protection(ix, false);
            }
            Action::Purge => self.purge(world, self.churn.purge_share),
            Action::PlannedPurge(n) => self.purge(world, self.purges[n].share),
            Action::Leave(stay) => self.leave(world, now_ms, stay),
            Action::LeaveUnfollowed(stay) => self.leave_unfollowed(world, now_ms, stay),
            Action::OpenBought(account) => {
                let username = free_username(world, &mut self.side_dice);
                self.stock[account] = Some(world.join_bought(&username));
            }
            Action::Deliver(n) => {
                let Delivery { account, buyer, .. } = self.orders.deliveries[n];
                if let Some(a) = self.stock[account] {
                    follow(world, a, buyer, Cause::Bought);
                }
            }
        }
    }

    /// Plans what of the orders is still to come.
    fn plan_purchases(&mut self, start_ms: i64) {
        for (account, &opened_ms) in self.orders.opened_ms.iter().enumerate() {
            if opened_ms >= start_ms {
                self.agenda.plan(opened_ms, Action::OpenBought(account));
            }
        }
        for (n, delivery) in self.orders.deliveries.iter().enumerate() {
            if delivery.due_ms >= start_ms {
                self.agenda.plan(delivery.due_ms, Action::Deliver(n));
            }
        }
    }

    /// Plans the next time of a recurring action.
    fn plan_next(&mut self, now_ms: i64, action: Action) {
        let per_day = self.per_day(action);
        if per_day > 0.0 {
            self.plan_after(now_ms, 1.0 / per_day, action);
        }
    }

    /// How often a recurring action happens; 0 for those that do not recur.
    fn per_day(&self, action: Action) -> f64 {
        let audience = self.popularity.last().copied().unwrap_or(0.0);
        match action {
            Action::Follow => self.churn.follow * audience / AUDIENCE_SHARE,
            Action::Unfollow => self.churn.unfollow * audience / AUDIENCE_SHARE,
            Action::Suspend => self.churn.suspend * self.accounts,
            Action::Deactivate => self.churn.deactivate * self.accounts,
            Action::Protect => self.churn.protect * self.accounts,
            Action::Join => self.churn.join * self.accounts,
            Action::Rename => self.churn.rename * self.accounts,
            Action::Burst => self.churn.burst * self.watched.len() as f64,
            Action::Purge => self.churn.purge,
            _ => 0.0,
        }
    }

    fn plan_after(&mut self, now_ms: i64, mean_days: f64, action: Action) {
        let wait_ms = whole(self.dice.wait(mean_days * DAY_MS as f64)).max(1);
        self.agenda.plan(now_ms.saturating_add(wait_ms), action);
    }

    /// Plans the return of a hidden account, if it is one of those that return.
    fn plan_return(&mut self, now_ms: i64, ix: Ix, standing: Standing) {
        let (share, days, action) = match standing {
            Standing::Active => return,
            Standing::Suspended => (self.churn.reinstate, REINSTATE_DAYS, Action::Reinstate(ix)),
            Standing::Deactivated => {
                (self.churn.reactivate, REACTIVATE_DAYS, Action::Reactivate(ix))
            }
        };
        if self.dice.chance(share) {
            self.plan_after(now_ms, days, action);
        }
    }

    fn follow(&mut self, world: &mut World) {
        let kind = self.dice.unit();
        if kind < AUDIENCE_SHARE {
            if let Some(b) = self.someone_watched() {
                self.gain_follower(world, b, Cause::Organic);
            }
            return;
        }
        for _ in 0..TRIES {
            let Some(a) = self.follower(world, kind) else { return };
            let b = self.followed(world, a);
            if follow(world, a, b, Cause::Organic) {
                return;
            }
        }
    }

    /// Who acts in a follow or unfollow outside the watched audiences.
    fn follower(&mut self, world: &World, kind: f64) -> Option<Ix> {
        if kind < AUDIENCE_SHARE + WATCHED_SHARE {
            self.dice.pick(&self.watched).copied()
        } else {
            Some(self.anyone(world))
        }
    }

    /// Whom an account follows next: half of the time someone who follows it.
    fn followed(&mut self, world: &World, a: Ix) -> Ix {
        let back = world.rows(a, List::Followers).draw(|len| self.dice.below(len));
        match back {
            Some(row) if self.dice.chance(0.5) => row.member,
            _ => self.someone(world, a),
        }
    }

    fn gain_follower(&mut self, world: &mut World, b: Ix, cause: Cause) {
        for _ in 0..TRIES {
            let a = self.someone(world, b);
            if follow(world, a, b, cause) {
                return;
            }
        }
    }

    fn unfollow(&mut self, world: &mut World, now_ms: i64) {
        let kind = self.dice.unit();
        for _ in 0..TRIES {
            let Some((a, b)) = self.some_edge(world, kind) else { continue };
            if world.is_bought(a) {
                continue;
            }
            if world.user_at(a).is_visible() && world.unfollow_at(a, b) {
                if self.dice.chance(self.churn.refollow) {
                    self.plan_after(now_ms, REFOLLOW_DAYS, Action::Refollow(a, b));
                }
                return;
            }
        }
    }

    fn some_edge(&mut self, world: &World, kind: f64) -> Option<(Ix, Ix)> {
        if kind < AUDIENCE_SHARE {
            let b = self.someone_watched()?;
            let row = world.rows(b, List::Followers).draw(|len| self.dice.below(len))?;
            Some((row.member, b))
        } else {
            let a = self.follower(world, kind)?;
            let row = world.rows(a, List::Following).draw(|len| self.dice.below(len))?;
            Some((a, row.member))
        }
    }

    fn hide(&mut self, world: &mut World, now_ms: i64, standing: Standing) {
        let ix = self.someone_ordinary(world);
        if world.change_standing(ix, Standing::Active, standing) {
            self.plan_return(now_ms, ix, standing);
        }
    }

    fn protect(&mut self, world: &mut World, now_ms: i64) {
        let ix = self.someone_ordinary(world);
        if world.change_protection(ix, true) && self.dice.chance(self.churn.unprotect) {
            self.plan_after(now_ms, UNPROTECT_DAYS, Action::Unprotect(ix));
        }
    }

    fn join(&mut self, world: &mut World, now_ms: i64) {
        let username = free_username(world, &mut self.dice);
        let ix = world.join(&username);
        self.circles[taste::topic(world.seed(), ix)].push(ix);
        for _ in 0..=self.dice.below(4) {
            self.plan_after(now_ms, FIRST_FOLLOWS_DAYS, Action::FollowWatched(ix));
        }
    }

    fn rename(&mut self, world: &mut World) {
        let ix = self.someone_ordinary(world);
        let username = free_username(world, &mut self.dice);
        world.rename_at(ix, &username);
    }

    fn burst(&mut self, world: &World, now_ms: i64) {
        let Some(b) = self.dice.pick(&self.watched).copied() else { return };
        let audience = world.rows(b, List::Followers).len() as f64;
        for _ in 0..count(audience * self.churn.burst_size) {
            self.plan_after(now_ms, BURST_DAYS, Action::GainFollower(b));
        }
    }

    /// A watched account, large audiences more often.
    fn someone_watched(&mut self) -> Option<Ix> {
        let draw = self.dice.unit() * self.popularity.last()?;
        let at = self.popularity.partition_point(|&sum| sum <= draw);
        self.watched.get(at).copied()
    }

    /// Someone who shares a topic with the account, or anyone.
    fn someone(&mut self, world: &World, like: Ix) -> Ix {
        let circle = &self.circles[taste::topic(world.seed(), like)];
        match self.dice.pick(circle) {
            Some(&ix) if self.dice.chance(0.6) => ix,
            _ => self.anyone(world),
        }
    }

    /// Anyone but bought accounts.
    fn anyone(&mut self, world: &World) -> Ix {
        world.person(self.dice.below(world.people()))
    }

    /// Someone who is not watched, if that can be had.
    fn someone_ordinary(&mut self, world: &World) -> Ix {
        let mut ix = self.anyone(world);
        for _ in 0..TRIES {
            if !self.watched.contains(&ix) {
                break;
            }
            ix = self.anyone(world);
        }
        ix
    }
}

/// Followers of an account, hidden ones included, that were not bought.
fn organic_audience(world: &World, ix: Ix) -> usize {
    let rows = world.rows(ix, List::Followers);
    rows.newest_first().filter(|row| !world.is_bought(row.member)).count()
}

/// Lets `a` follow `b` if both are visible and it does not already.
fn follow(world: &mut World, a: Ix, b: Ix, cause: Cause) -> bool {
    let both_visible = world.user_at(a).is_visible() && world.user_at(b).is_visible();
    both_visible && world.follow_for(a, b, cause)
}
