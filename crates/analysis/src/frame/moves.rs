//! What moved between accounts, and between followers and followed, as frames. Columns are
//! documented in `crates/analysis/SCHEMA.md`.

use jiff::Timestamp;
use snapshot::{AccountId, Values};

use super::answers::{counts, ids, optional, required, texts};
use super::{Frame, Kind};
use crate::when::Between;
use crate::{Flow, MutualChange, MutualChanges, Party};

impl Frame {
    /// One row per pair that became mutual or ceased to be, by account, change and member.
    pub fn mutual_changes(of: &[MutualChanges]) -> Self {
        type Row<'a> = (AccountId, &'static str, &'a MutualChange);
        let rows = of.iter().flat_map(|of| {
            let row = |name| move |change| (of.followers.account, name, change);
            let gained = of.gained.iter().map(row("gained"));
            gained.chain(of.broken.iter().map(row("broken")))
        });
        let rows: Vec<Row<'_>> = rows.collect();
        let time = |between: fn(&MutualChange) -> Option<Between>,
                    end: fn(Between) -> Timestamp| {
            let time = |row: &Row<'_>| Some(end(between(row.2)?).as_microsecond());
            Values::Time(rows.iter().map(time).collect())
        };
        let column = |name| optional(name, Kind::Time);
        let (first, last) = (|b: Between| b.earliest, |b: Between| b.latest);
        Self::new(
            "mutual_changes",
            vec![
                (required("account_id", Kind::Id), ids(rows.iter().map(|row| row.0))),
                (required("member_id", Kind::Id), ids(rows.iter().map(|row| row.2.member))),
                (required("change", Kind::Text), texts(rows.iter().map(|row| row.1))),
                (required("by", Kind::Text), texts(rows.iter().map(|row| row.2.by.name()))),
                (column("follower_earliest"), time(|change| change.follower, first)),
                (column("follower_latest"), time(|change| change.follower, last)),
                (column("following_earliest"), time(|change| change.following, first)),
                (column("following_latest"), time(|change| change.following, last)),
            ],
        )
    }

    /// One row per account.
    pub fn mutual_changes_summary(of: &[MutualChanges]) -> Self {
        let count = |name, f: fn(&MutualChanges) -> u64| {
            (required(name, Kind::Count), counts(of.iter().map(f)))
        };
        let by = |name, changes: fn(&MutualChanges) -> &[MutualChange], party| {
            let one = |of| changes(of).iter().filter(|change| change.by == party).count() as u64;
            (required(name, Kind::Count), counts(of.iter().map(one)))
        };
        let gained = |name, party| by(name, |of| &of.gained, party);
        let broken = |name, party| by(name, |of| &of.broken, party);
        Self::new(
            "mutual_changes_summary",
            vec![
                (
                    required("account_id", Kind::Id),
                    ids(of.iter().map(|changes| changes.followers.account)),
                ),
                count("opening", |of| of.opening),
                count("gained", |of| of.gained.len() as u64),
                gained("gained_by_member", Party::Member),
                gained("gained_by_account", Party::Account),
                gained("gained_returned", Party::Returned),
                count("broken", |of| of.broken.len() as u64),
                broken("broken_by_member", Party::Member),
                broken("broken_by_account", Party::Account),
                count("closing", |of| of.closing),
            ],
        )
    }

    /// One row per two accounts between which members flowed.
    pub fn flows(flows: &[Flow]) -> Self {
        let share = |of: fn(&Flow) -> u64| {
            let share = |flow: &Flow| crate::ratio::ratio(flow.members.len() as u64, of(flow));
            Values::F64(flows.iter().map(share).collect())
        };
        let members = flows.iter().map(|flow| flow.members.len() as u64);
        Self::new(
            "flows",
            vec![
                (required("from_id", Kind::Id), ids(flows.iter().map(|flow| flow.from))),
                (required("to_id", Kind::Id), ids(flows.iter().map(|flow| flow.to))),
                (required("members", Kind::Count), counts(members)),
                (required("lost", Kind::Count), counts(flows.iter().map(|flow| flow.lost))),
                (required("gained", Kind::Count), counts(flows.iter().map(|flow| flow.gained))),
                (required("share_of_lost", Kind::Ratio), share(|flow| flow.lost)),
                (required("share_of_gained", Kind::Ratio), share(|flow| flow.gained)),
            ],
        )
    }

    /// One row per member and flow.
    pub fn flow_members(flows: &[Flow]) -> Self {
        let rows = || flows.iter().flat_map(|flow| flow.members.iter().map(move |m| (flow, *m)));
        Self::new(
            "flow_members",
            vec![
                (required("from_id", Kind::Id), ids(rows().map(|(flow, _)| flow.from))),
                (required("to_id", Kind::Id), ids(rows().map(|(flow, _)| flow.to))),
                (required("member_id", Kind::Id), ids(rows().map(|(_, member)| member))),
            ],
        )
    }
}
