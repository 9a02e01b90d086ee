//! What a journal says: one record a frame, JSON with the ids of a page behind it in binary.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use snapshot::{AccountId, Cut, List, MemberProfile, Outcome, Profile, RunId, State};

use crate::head::Meeting;
use crate::pace::Heard;

/// The version of the records. A journal of another one is not gone on with.
pub(crate) const VERSION: u32 = 1;

/// One thing that happened, durable before the next one is begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub(crate) enum Record {
    Began(Began),
    Session(Session),
    LookedUp(LookedUp),
    Checked(Checked),
    Started(Started),
    Page(Page),
    Members(Members),
    Ended(Ended),
    GaveUp(GaveUp),
    Paused(Paused),
}

/// The first record: which job this is, and when it began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Began {
    pub(crate) version: u32,
    /// What tells this job from others.
    pub(crate) key: String,
    /// How to go on with it, as a person types it.
    pub(crate) command: String,
    /// The run that comes of it begins at this time.
    pub(crate) at: Timestamp,
}

/// Somebody went on with the job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// By the network's clock.
    pub(crate) at: Timestamp,
    /// By this machine's clock.
    pub(crate) here: Timestamp,
    pub(crate) pid: u32,
    /// How many lists the job has, the finished ones included; known after the look-ups.
    pub(crate) lists: u64,
}

/// An answer to a look-up of accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LookedUp {
    /// Those asked for, as `@name` or id.
    pub(crate) asked: Vec<String>,
    pub(crate) found: Vec<Profile>,
    /// The accounts of which the network said why it does not show them.
    pub(crate) absent: Vec<(String, Refusal)>,
    pub(crate) requests: u32,
    pub(crate) cost_micro_usd: Option<i64>,
    pub(crate) heard: Vec<Heard>,
}

/// Members that vanished were looked up, to see what became of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Checked {
    /// By the network's clock.
    pub(crate) at: Timestamp,
    pub(crate) source: String,
    /// One for each of those asked for.
    pub(crate) fates: Vec<Fate>,
    pub(crate) requests: u32,
    pub(crate) cost_micro_usd: Option<i64>,
    pub(crate) heard: Vec<Heard>,
}

/// What the network said of one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fate {
    pub(crate) member: AccountId,
    #[serde(with = "outcome_name")]
    pub(crate) outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
}

/// What a list's cursors belong to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct ListKey {
    pub(crate) account: AccountId,
    #[serde(with = "list_name")]
    pub(crate) list: List,
}

/// A list was begun, perhaps anew; what was read of it before does not count any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Started {
    #[serde(flatten)]
    pub(crate) key: ListKey,
    pub(crate) at: Timestamp,
    pub(crate) source: String,
    pub(crate) page_size: u32,
    pub(crate) profiles: bool,
    /// The complete run that a head refresh is to meet; none for a complete reading.
    #[serde(with = "run_id")]
    pub(crate) known_run: Option<RunId>,
    /// Whether a head refresh whose order turns out to be wrong reads on to the end.
    pub(crate) reads_on: bool,
    pub(crate) reported: Option<u64>,
}

/// A page has arrived. Its ids stand behind the JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "`page` is what the dataset calls its number")]
pub(crate) struct Page {
    #[serde(flatten)]
    pub(crate) key: ListKey,
    pub(crate) page: u32,
    pub(crate) cursor: Option<String>,
    pub(crate) next: Option<String>,
    pub(crate) fetched_at: Timestamp,
    pub(crate) boundary: Option<Timestamp>,
    /// Requests it took, those that failed included.
    pub(crate) requests: u32,
    pub(crate) cost_micro_usd: Option<i64>,
    pub(crate) heard: Vec<Heard>,
    /// How a head refresh goes, this page included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) meeting: Option<Meeting>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) profiles: Vec<MemberProfile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) problems: Option<String>,
    #[serde(skip)]
    pub(crate) ids: Vec<AccountId>,
}

/// Profiles of members of the last page, looked up apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Members {
    #[serde(flatten)]
    pub(crate) key: ListKey,
    /// How many members of the page were asked for with this and earlier look-ups.
    pub(crate) upto: u32,
    pub(crate) profiles: Vec<MemberProfile>,
    pub(crate) requests: u32,
    pub(crate) cost_micro_usd: Option<i64>,
    pub(crate) heard: Vec<Heard>,
}

/// A list is done with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ended {
    #[serde(flatten)]
    pub(crate) key: ListKey,
    pub(crate) at: Timestamp,
    pub(crate) how: End,
    /// Requests since the last page.
    pub(crate) requests: u32,
    /// What was wrong, if something was.
    pub(crate) detail: Option<String>,
}

/// How a list ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum End {
    /// At its last page.
    Complete,
    /// At ids that were known.
    Head,
    /// In an error that will not go away.
    Broken,
    /// It may not be seen.
    Refused(Refusal),
}

/// A state other than `read`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Refusal {
    Protected,
    Suspended,
    Missing,
    NotAuthorized,
}

impl Refusal {
    pub(crate) fn of(state: State) -> Option<Self> {
        match state {
            State::Read(_) => None,
            State::Protected => Some(Self::Protected),
            State::Suspended => Some(Self::Suspended),
            State::Missing => Some(Self::Missing),
            State::NotAuthorized => Some(Self::NotAuthorized),
        }
    }

    pub(crate) fn state(self) -> State {
        match self {
            Self::Protected => State::Protected,
            Self::Suspended => State::Suspended,
            Self::Missing => State::Missing,
            Self::NotAuthorized => State::NotAuthorized,
        }
    }
}

/// A session was stopped before all was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Paused {
    pub(crate) at: Timestamp,
    pub(crate) why: Pause,
}

/// What stopped a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pause {
    Budget,
    Error,
    Stopped,
}

impl Pause {
    pub(crate) fn of(cut: Cut) -> Self {
        match cut {
            Cut::Budget => Self::Budget,
            Cut::Error => Self::Error,
            _ => Self::Stopped,
        }
    }

    pub(crate) fn cut(self) -> Cut {
        match self {
            Self::Budget => Cut::Budget,
            Self::Error => Cut::Error,
            Self::Stopped => Cut::Stopped,
        }
    }
}

/// A list was left as it stands: its request could not be answered, or something stopped
/// everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct GaveUp {
    #[serde(flatten)]
    pub(crate) key: ListKey,
    pub(crate) at: Timestamp,
    /// What the trouble was; none if the list itself was in no trouble.
    pub(crate) detail: Option<String>,
    pub(crate) requests: u32,
}

/// What is wrong with a payload.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("a record ends in its middle")]
    Short,
    #[error("a record cannot be read")]
    Json(#[from] serde_json::Error),
    #[error("a page has an id that is none")]
    Id,
}

impl Record {
    /// `length of the JSON: u32 LE, JSON, ids: i64 LE *`.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = vec![0; 4];
        serde_json::to_writer(&mut bytes, self)?;
        let json = u32::try_from(bytes.len() - 4).unwrap_or(u32::MAX);
        bytes[..4].copy_from_slice(&json.to_le_bytes());
        if let Self::Page(page) = self {
            bytes.reserve(page.ids.len() * 8);
            page.ids.iter().for_each(|id| bytes.extend_from_slice(&id.get().to_le_bytes()));
        }
        Ok(bytes)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let (head, rest) = bytes.split_first_chunk::<4>().ok_or(Malformed::Short)?;
        let json = usize::try_from(u32::from_le_bytes(*head)).unwrap_or(usize::MAX);
        let (json, ids) = rest.split_at_checked(json).ok_or(Malformed::Short)?;
        let mut record = serde_json::from_slice(json)?;
        if let Self::Page(page) = &mut record {
            let (ids, []) = ids.as_chunks::<8>() else { return Err(Malformed::Short) };
            let id = |bytes: &[u8; 8]| AccountId::new(i64::from_le_bytes(*bytes));
            page.ids = ids.iter().map(id).collect::<Option<_>>().ok_or(Malformed::Id)?;
        } else if !ids.is_empty() {
            return Err(Malformed::Short);
        }
        Ok(record)
    }
}

mod list_name {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error};
    use snapshot::List;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    pub(super) fn serialize<S: Serializer>(list: &List, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(list.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<List, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(from)?;
        name.parse().map_err(D::Error::custom)
    }
}

mod outcome_name {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error};
    use snapshot::Outcome;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    pub(super) fn serialize<S: Serializer>(outcome: &Outcome, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(outcome.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Outcome, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(from)?;
        name.parse().map_err(D::Error::custom)
    }
}

mod run_id {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error};
    use snapshot::RunId;

    #[expect(clippy::ref_option, reason = "serde asks for it")]
    pub(super) fn serialize<S: Serializer>(id: &Option<RunId>, to: S) -> Result<S::Ok, S::Error> {
        match id {
            Some(id) => to.collect_str(id),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<RunId>, D::Error> {
        let id = Option::<String>::deserialize(from)?;
        id.map(|id| id.parse().map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_every_bit_of_its_ids() {
        let key = ListKey { account: AccountId::MAX, list: List::Following };
        let page = Record::Page(Page {
            key,
            page: 3,
            cursor: None,
            next: Some("1591087837626119954".to_owned()),
            fetched_at: Timestamp::UNIX_EPOCH,
            boundary: None,
            requests: 2,
            cost_micro_usd: Some(20_000),
            heard: Vec::new(),
            meeting: None,
            profiles: Vec::new(),
            problems: None,
            ids: vec![AccountId::MAX, AccountId::MIN, AccountId::from(7)],
        });
        let bytes = page.encode().unwrap();
        assert_eq!(Record::decode(&bytes).unwrap(), page);
        for end in 0..bytes.len() {
            assert!(
                Record::decode(&bytes[..end]).is_err() || (bytes.len() - end).is_multiple_of(8)
            );
        }
    }

    #[test]
    fn an_end_keeps_its_reason() {
        for how in [End::Complete, End::Head, End::Broken, End::Refused(Refusal::NotAuthorized)] {
            let key = ListKey { account: AccountId::from(1), list: List::Followers };
            let at = Timestamp::UNIX_EPOCH;
            let ended = Record::Ended(Ended { key, at, how, requests: 1, detail: None });
            assert_eq!(Record::decode(&ended.encode().unwrap()).unwrap(), ended);
        }
    }
}
