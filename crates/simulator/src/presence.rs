//! Who was in a list for the whole of a stretch of time, for some of it, or never.
//!
//! A crawl takes time and the world moves meanwhile, so no single state is what it should
//! have found. This is: whoever was there throughout must be in it, whoever never was must
//! not, and the rest may be either. Worked out from the events, backwards from the present,
//! and so without a look at any row that a server cut. O(list + events).

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::event::EventKind;
use crate::world::{List, World};

/// Whether an account was visible in a list during a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Presence {
    /// At every moment of it.
    Always,
    /// At no moment of it.
    Never,
    /// At some moments and not at others.
    Sometimes,
}

/// One candidate while time runs backwards.
#[derive(Clone, Copy, Debug)]
struct Trace {
    edge: bool,
    visible: bool,
    /// What the moments looked at so far add up to.
    so_far: Option<Presence>,
}

impl Trace {
    fn observe(&mut self) {
        let now = if self.edge && self.visible { Presence::Always } else { Presence::Never };
        self.so_far = match self.so_far {
            Some(before) if before != now => Some(Presence::Sometimes),
            _ => Some(now),
        };
    }
}

/// Asking what was there when.
impl World {
    /// Whether `member` stood in the list of `account` from `from` to `to`, both included.
    ///
    /// Hidden accounts do not stand in lists. What changed in the very millisecond of a bound
    /// counts as before and as after, since a page cut then could have been either.
    pub fn presence(
        &self,
        account: i64,
        list: List,
        member: i64,
        from: Timestamp,
        to: Timestamp,
    ) -> Presence {
        self.presences(account, list, from, to).get(&member).copied().unwrap_or(Presence::Never)
    }

    /// The same for everyone who ever stood in the list since the beginning of the world.
    ///
    /// # Panics
    ///
    /// If the world has no such account.
    pub fn presences(
        &self,
        account: i64,
        list: List,
        from: Timestamp,
        to: Timestamp,
    ) -> BTreeMap<i64, Presence> {
        let mut traces = self.candidates(account, list);
        let mut later = self.events().iter().rev().peekable();
        while let Some(event) = later.next_if(|event| event.at > to) {
            undo(&mut traces, account, list, event.kind);
        }
        traces.values_mut().for_each(Trace::observe);
        for event in later.take_while(|event| event.at >= from) {
            if let Some(trace) = undo(&mut traces, account, list, event.kind) {
                trace.observe();
            }
        }
        let told = |trace: Trace| trace.so_far.unwrap_or(Presence::Never);
        traces.into_iter().map(|(id, trace)| (id, told(trace))).collect()
    }

    /// Everyone an answer could name, as they stand now.
    fn candidates(&self, account: i64, list: List) -> BTreeMap<i64, Trace> {
        let trace = |id, edge| {
            let visible = self.user(id).is_some_and(crate::User::is_visible);
            Trace { edge, visible, so_far: None }
        };
        let truth = self.truth();
        let now = match list {
            List::Followers => truth.followers_all(account),
            List::Following => truth.following_all(account),
        };
        let events = self.events().iter();
        let before = events.filter_map(|event| member_of(account, list, event.kind));
        let mut traces: BTreeMap<i64, Trace> =
            before.map(|(id, _)| (id, trace(id, false))).collect();
        traces.extend(now.into_iter().map(|(id, _)| (id, trace(id, true))));
        traces
    }
}

/// Takes an event back; the trace it was about, if it was about one.
fn undo(
    traces: &mut BTreeMap<i64, Trace>,
    account: i64,
    list: List,
    kind: EventKind,
) -> Option<&mut Trace> {
    if let Some((member, began)) = member_of(account, list, kind) {
        let trace = traces.get_mut(&member)?;
        trace.edge = !began;
        return Some(trace);
    }
    let (id, was_visible) = match kind {
        EventKind::Suspended { id } | EventKind::Deactivated { id } => (id, true),
        EventKind::Reinstated { id } | EventKind::Reactivated { id } => (id, false),
        _ => return None,
    };
    let trace = traces.get_mut(&id)?;
    trace.visible = was_visible;
    Some(trace)
}

/// The member a follow or unfollow brought into this list (`true`) or took out of it.
fn member_of(account: i64, list: List, kind: EventKind) -> Option<(i64, bool)> {
    let (a, b, began) = match kind {
        EventKind::Followed { a, b } => (a, b, true),
        EventKind::Unfollowed { a, b } => (a, b, false),
        _ => return None,
    };
    match list {
        List::Followers if b == account => Some((a, began)),
        List::Following if a == account => Some((b, began)),
        _ => None,
    }
}
