//! Who was in a list from when to when: every stay, with the times it was hidden.
//!
//! A spell is one unbroken follow. Who leaves and comes back has two. Worked out from the
//! events and the keys of the edges that ended, not from states that were looked at, so a
//! spell shorter than any two looks is told too. Follows that ended before the world's
//! beginning are not kept and so are not told. O(list + events).

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::cursor::edge_time;
use crate::event::EventKind;
use crate::truth::Truth;
use crate::world::{List, World};

/// One unbroken stay of a member in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spell {
    /// The member.
    pub member: i64,
    /// When the follow was made, to the millisecond; before the world's beginning for what
    /// its history built.
    pub followed_at: Timestamp,
    /// When it ended; none if it still stands.
    pub left_at: Option<Timestamp>,
    /// When the member was hidden, within the spell, oldest first.
    pub hidden: Vec<Hidden>,
    /// Why the follow was made.
    pub cause: Cause,
}

/// A time in which an account was hidden, by the network or by its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hidden {
    /// Since when: the world's beginning, or the follow if that is later, for who was hidden
    /// then.
    pub from: Timestamp,
    /// Until when; none if the account is hidden and the follow stands.
    pub until: Option<Timestamp>,
}

/// Why a follow was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// One account took an interest in another.
    Organic,
    /// Many did at once: an organic burst, see [`Churn::burst`](crate::Churn::burst).
    Burst,
    /// It was paid for, see [`Purchase`](crate::Purchase).
    Bought,
    /// It was made to be returned, see [`Churn::farm`](crate::Churn::farm).
    Farmed,
}

impl Spell {
    /// Whether the edge stood at this moment, hidden or not. What was made at it stood, what
    /// ended at it did not.
    pub fn stands(&self, at: Timestamp) -> bool {
        self.followed_at <= at && self.left_at.is_none_or(|left| at < left)
    }

    /// Whether lists showed the member at this moment.
    pub fn shows(&self, at: Timestamp) -> bool {
        self.stands(at) && !self.hidden.iter().any(|hidden| hidden.covers(at))
    }
}

impl Hidden {
    fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }

    /// The part of it within a spell; none if there is no such part.
    fn within(self, followed_at: Timestamp, left_at: Option<Timestamp>) -> Option<Self> {
        let from = self.from.max(followed_at);
        let until = match (self.until, left_at) {
            (Some(until), Some(left)) => Some(until.min(left)),
            (until, left) => until.or(left),
        };
        until.is_none_or(|until| from < until).then_some(Self { from, until })
    }
}

impl Truth<'_> {
    /// Every stay in the list that has not ended before the world's beginning, latest follow
    /// first, as in the list itself.
    ///
    /// Those that [show](Spell::shows) at a moment are the list as it was then. Follow times and
    /// ends are exact; how lifetimes are distributed is told at
    /// [`Churn::unfollow`](crate::Churn::unfollow) and [`Churn::leave`](crate::Churn::leave).
    pub fn spells(self, id: i64, list: List) -> Vec<Spell> {
        let world = self.world();
        let ended = world.endings().filter_map(|(event, key)| match (event.kind, list) {
            (EventKind::Unfollowed { a, b }, List::Followers) if b == id => {
                Some((key, a, Some(event.at)))
            }
            (EventKind::Unfollowed { a, b }, List::Following) if a == id => {
                Some((key, b, Some(event.at)))
            }
            _ => None,
        });
        let rows = world.rows(self.find(id), list).newest_first();
        let standing = rows.map(|row| (row.key, world.user_at(row.member).id, None));
        let mut stays: Vec<(i64, i64, Option<Timestamp>)> = ended.chain(standing).collect();
        stays.sort_unstable_by_key(|&(key, ..)| std::cmp::Reverse(key));
        let hidings = hidings(world);
        let spell = |(key, member, left_at)| {
            let followed_at = edge_time(key);
            let hidden = hidings.get(&member).into_iter().flatten();
            let hidden = hidden.filter_map(|hidden| hidden.within(followed_at, left_at)).collect();
            Spell { member, followed_at, left_at, hidden, cause: world.cause(key) }
        };
        stays.into_iter().map(spell).collect()
    }
}

/// When each account was hidden since the world's beginning, oldest first; those that never were
/// are left out.
fn hidings(world: &World) -> HashMap<i64, Vec<Hidden>> {
    let mut all: HashMap<i64, Vec<Hidden>> = HashMap::new();
    for event in world.events() {
        match event.kind {
            EventKind::Suspended { id } | EventKind::Deactivated { id } => {
                all.entry(id).or_default().push(Hidden { from: event.at, until: None });
            }
            EventKind::Reinstated { id } | EventKind::Reactivated { id } => {
                let until = Some(event.at);
                let own = all.entry(id).or_default();
                match own.last_mut() {
                    Some(open) => open.until = until,
                    None => own.push(Hidden { from: world.start(), until }),
                }
            }
            _ => {}
        }
    }
    // Whoever no event speaks of is as at the beginning.
    for user in world.users().filter(|user| !user.is_visible()) {
        all.entry(user.id).or_insert_with(|| vec![Hidden { from: world.start(), until: None }]);
    }
    all
}
