//! What is really so: the lists with their follow times, and a dump of them for other tools.

use jiff::Timestamp;
use serde::Serialize;

use crate::cursor::edge_time;
use crate::event::{Event, as_string};
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

    /// All that happened since the beginning, in order.
    pub fn events(self) -> &'a [Event] {
        self.world.events()
    }

    fn list(self, id: i64, list: List, show: Show) -> Vec<(i64, Timestamp)> {
        let rows = self.world.rows(self.find(id), list).newest_first();
        rows.map(|row| (self.world.user_at(row.member), edge_time(row.key)))
            .filter(|(user, _)| show == Show::All || user.is_visible())
            .map(|(user, at)| (user.id, at))
            .collect()
    }

    fn find(self, id: i64) -> Ix {
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
    let accounts = ids.iter().filter_map(|&id| world.find(id)).map(|ix| AccountDump {
        id: world.user_at(ix).id,
        username: world.user_at(ix).username.clone(),
        followers: dump(List::Followers, ix),
        following: dump(List::Following, ix),
    });
    TruthDump { now: world.now(), accounts: accounts.collect(), events: world.events().to_vec() }
}
