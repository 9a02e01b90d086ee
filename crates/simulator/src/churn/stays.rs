//! How long a follow of a watched account lasts, where that is decided edge by edge: at a
//! constant rate, or by somebody who only wanted to be followed back.
//!
//! Works from the events, so that follows made by hand are treated alike. An edge is known by its
//! key: a plan for one that ended in the meantime, and may have been made anew, is void.

use super::{Action, Engine, REFOLLOW_DAYS};
use crate::clock::DAY_MS;
use crate::dice::whole;
use crate::event::EventKind;
use crate::spells::Cause;
use crate::user::Ix;
use crate::world::{List, World};

/// How soon a farming follower leaves, in days: any time between these is as likely as any other.
const FARM_DAYS: (f64, f64) = (0.5, 5.0);

/// One follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stay {
    a: Ix,
    b: Ix,
    key: i64,
}

impl Engine {
    /// Plans the ends of the follows that stand at the beginning. How long each has stood does
    /// not matter to an exponential lifetime.
    pub(super) fn plan_first_ends(&mut self, world: &World, start_ms: i64) {
        if self.churn.leave <= 0.0 {
            return;
        }
        for b in self.watched.clone() {
            for row in world.rows(b, List::Followers).newest_first() {
                if !world.is_bought(row.member) {
                    self.plan_leave(start_ms, Stay { a: row.member, b, key: row.key });
                }
            }
        }
    }

    /// Plans the ends of the follows made since the last call.
    pub(super) fn note_follows(&mut self, world: &mut World) {
        let is_idle = self.churn.leave <= 0.0 && self.churn.farm <= 0.0;
        while let Some(event) = world.events().get(self.noted).filter(|_| !is_idle) {
            self.noted += 1;
            let at_ms = event.at.as_millisecond();
            if let EventKind::Followed { a, b } = event.kind {
                let (a, b) = (world.expect(a), world.expect(b));
                if self.watched.contains(&b) && !world.is_bought(a) {
                    self.note_follow(world, at_ms, a, b);
                }
            }
        }
    }

    fn note_follow(&mut self, world: &mut World, at_ms: i64, a: Ix, b: Ix) {
        let Some(key) = world.edge(a, b) else { return };
        let stay = Stay { a, b, key };
        let may_farm = world.cause(key) == Cause::Organic && !self.watched.contains(&a);
        if may_farm && self.side_dice.chance(self.churn.farm) {
            world.set_cause(key, Cause::Farmed);
            let (least, most) = FARM_DAYS;
            let days = least + (most - least) * self.side_dice.unit();
            self.agenda.plan(at_ms + whole(days * DAY_MS as f64), Action::LeaveUnfollowed(stay));
        } else {
            self.plan_leave(at_ms, stay);
        }
    }

    fn plan_leave(&mut self, now_ms: i64, stay: Stay) {
        if self.churn.leave > 0.0 {
            let due_ms = self.after_aside(now_ms, 1.0 / self.churn.leave);
            self.agenda.plan(due_ms, Action::Leave(stay));
        }
    }

    /// Ends a follow. A hidden account cannot act: it gets a new time, which is the same as a
    /// rate that pauses while it is hidden, because exponential waits have no memory.
    pub(super) fn leave(&mut self, world: &mut World, now_ms: i64, stay: Stay) {
        let Stay { a, b, key } = stay;
        if world.edge(a, b) != Some(key) {
            return;
        }
        if !world.user_at(a).is_visible() {
            self.plan_leave(now_ms, stay);
            return;
        }
        world.unfollow_at(a, b);
        if self.side_dice.chance(self.churn.refollow) {
            let due_ms = self.after_aside(now_ms, REFOLLOW_DAYS);
            self.agenda.plan(due_ms, Action::Refollow(a, b));
        }
    }

    /// Ends a follow that was made to be returned, unless it was; one that was is from now on
    /// like any other. A hidden account comes back to it the next day.
    pub(super) fn leave_unfollowed(&mut self, world: &mut World, now_ms: i64, stay: Stay) {
        let Stay { a, b, key } = stay;
        if world.edge(a, b) != Some(key) {
            return;
        }
        if world.edge(b, a).is_some() {
            self.plan_leave(now_ms, stay);
        } else if world.user_at(a).is_visible() {
            world.unfollow_at(a, b);
        } else {
            self.agenda.plan(now_ms + DAY_MS, Action::LeaveUnfollowed(stay));
        }
    }

    /// A time after now, by an exponential wait that no other chance depends on.
    fn after_aside(&mut self, now_ms: i64, mean_days: f64) -> i64 {
        let wait_ms = whole(self.side_dice.wait(mean_days * DAY_MS as f64)).max(1);
        now_ms.saturating_add(wait_ms)
    }
}
