//! What is really so: the lists with their follow times, and a dump of them for other tools.

use jiff::Timestamp;
use serde::Serialize;

use crate::churn::is_bot_like;
use crate::cursor::edge_time;
use crate::event::{Event, EventKind, as_string};
use crate::spells::Cause;
use crate::user::Ix;
use crate::world::{List, World};

/// The lists of a world as they really are; each pair is a member's id and its follow time.
///
/// All methods panic when the world has no such account.
#[derive(Clone, Copy, Debug)]
pub struct Truth<'a> {
    world: &'a World,
}

impl<'a> Truth<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        Self { world }
    }

    /// Who follows the account, hidden accounts left out, newest first.
    pub fn followers(self, id: i64) -> Vec<(i64, Timestamp)> {
        self.list(id, List::Followers, Show::Visible)
    }

    /// Who follows the account, hidden accounts included, newest first.
    pub fn followers_all(self, id: i64) -> Vec<(i64, Timestamp)> {
        self.list(id, List::Followers, Show::All)
    }

    /// Whom the account follows, hidden accounts left out, newest first.
    pub fn following(self, id: i64) -> Vec<(i64, Timestamp)> {
        self.list(id, List::Following, Show::Visible)
    }

    /// Whom the account follows, hidden accounts included, newest first.
    pub fn following_all(self, id: i64) -> Vec<(i64, Timestamp)> {
        self.list(id, List::Following, Show::All)
    }

    /// Whether `a` follows `b`, hidden or not.
    pub fn follows(self, a: i64, b: i64) -> bool {
        self.world.edge(self.find(a), self.find(b)).is_some()
    }

    /// Who was ever bought as a follower of the account and delivered, in the order of delivery,
    /// whether or not it still follows.
    pub fn bought(self, id: i64) -> Vec<i64> {
        self.arrivals(id, Cause::Bought).into_iter().map(|(member, _)| member).collect()
    }

    /// Who ever followed the account only to be followed back, in the order of following, once
    /// for every time.
    pub fn farmed(self, id: i64) -> Vec<i64> {
        self.arrivals(id, Cause::Farmed).into_iter().map(|(member, _)| member).collect()
    }

    /// Who was hidden by a purge, and when, in order.
    pub fn purged(self) -> Vec<(i64, Timestamp)> {
        let purged = self.world.purged().filter_map(|event| match event.kind {
            EventKind::Suspended { id } => Some((id, event.at)),
            _ => None,
        });
        purged.collect()
    }

    /// Whether the account looks automated, so that a [purge](crate::Purge) can reach it.
    pub fn is_bot_like(self, id: i64) -> bool {
        is_bot_like(self.world, self.find(id))
    }

    /// Who was ever made a follower of the account by this cause, and when, oldest first, as far as
    /// [`spells`](Self::spells) reach.
    pub fn arrivals(self, id: i64, cause: Cause) -> Vec<(i64, Timestamp)> {
        let spells = self.spells(id, List::Followers).into_iter().rev();
        spells
            .filter(|spell| spell.cause == cause)
            .map(|spell| (spell.member, spell.followed_at))
            .collect()
    }

    /// All that happened since the beginning, in order.
    pub fn events(self) -> &'a [Event] {
        self.world.events()
    }

    pub(crate) fn world(self) -> &'a World {
        self.world
    }

    fn list(self, id: i64, list: List, show: Show) -> Vec<(i64, Timestamp)> {
        let rows = self.world.rows(self.find(id), list).newest_first();
        rows.map(|row| (self.world.user_at(row.member), edge_time(row.key)))
            .filter(|(user, _)| show == Show::All || user.is_visible())
            .map(|(user, at)| (user.id, at))
            .collect()
    }

    pub(crate) fn find(self, id: i64) -> Ix {
        self.world.find(id).unwrap_or_else(|| panic!("no account {id} in this world"))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Show {
    Visible,
    All,
}

/// The truth in a form other tools can read: ids as strings, times as RFC 3339.
#[derive(Clone, Debug, Serialize)]
pub struct TruthDump {
    /// The moment it belongs to.
    pub now: Timestamp,
    /// The accounts asked for.
    pub accounts: Vec<AccountDump>,
    /// All that happened since the beginning, in order.
    pub events: Vec<Event>,
    /// Whom purges suspended, in order, beside the events of it; left out if there were none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub purged: Vec<MomentDump>,
}

/// One account with its lists, hidden members included and marked.
#[derive(Clone, Debug, Serialize)]
pub struct AccountDump {
    /// The account.
    #[serde(serialize_with = "as_string")]
    pub id: i64,
    /// Its handle.
    pub username: String,
    /// Who follows it, newest first.
    pub followers: Vec<RowDump>,
    /// Whom it follows, newest first.
    pub following: Vec<RowDump>,
    /// Who was ever bought as its follower, in the order of delivery; left out if nobody was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bought: Vec<MomentDump>,
    /// Who ever followed it only to be followed back; left out if nobody did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub farmed: Vec<MomentDump>,
}

/// An account and a moment.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct MomentDump {
    /// The account.
    #[serde(serialize_with = "as_string")]
    pub id: i64,
    /// When it followed, or was hidden.
    pub at: Timestamp,
}

/// One row of a list.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct RowDump {
    /// The member.
    #[serde(serialize_with = "as_string")]
    pub id: i64,
    /// When the edge was made.
    pub at: Timestamp,
    /// Whether the API leaves the member out at the moment.
    pub hidden: bool,
}

/// Dumps the lists of these accounts and all events; accounts unknown to the world are skipped.
pub fn truth_json(world: &World, ids: &[i64]) -> TruthDump {
    let dump = |list, ix| {
        let rows = world.rows(ix, list).newest_first();
        rows.map(|row| (world.user_at(row.member), edge_time(row.key)))
            .map(|(user, at)| RowDump { id: user.id, at, hidden: !user.is_visible() })
            .collect()
    };
    let truth = world.truth();
    let moments = |all: Vec<(i64, Timestamp)>| {
        all.into_iter().map(|(id, at)| MomentDump { id, at }).collect::<Vec<_>>()
    };
    let arrivals = |ix, cause| moments(truth.arrivals(world.user_at(ix).id, cause));
    let accounts = ids.iter().filter_map(|&id| world.find(id)).map(|ix| AccountDump {
        id: world.user_at(ix).id,
        username: world.user_at(ix).username.clone(),
        followers: dump(List::Followers, ix),
        following: dump(List::Following, ix),
        bought: arrivals(ix, Cause::Bought),
        farmed: arrivals(ix, Cause::Farmed),
    });
    TruthDump {
        now: world.now(),
        accounts: accounts.collect(),
        events: world.events().to_vec(),
        purged: moments(truth.purged()),
    }
}
