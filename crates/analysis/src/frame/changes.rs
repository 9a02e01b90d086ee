//! Diffs as frames, whole or piece by piece. Columns are documented in
//! `crates/analysis/SCHEMA.md`.

use std::collections::HashMap;

use snapshot::{AccountId, List, Values};

use super::answers::{counts, ids, optional, required};
use super::{Frame, Kind};
use crate::verdict::{Fates, Verdict};
use crate::when::{Arrival, Between, Moved};
use crate::{Change, Compared, Diff, DiffPart, Losses, RunDiff, Undecided};

/// One row per member that came, went, moved or is undecided, by member.
impl From<&Diff> for Frame {
    fn from(diff: &Diff) -> Self {
        Self::diffs(std::slice::from_ref(diff))
    }
}

/// The rows of all its accounts; the context names the runs.
impl From<&RunDiff> for Frame {
    fn from(runs: &RunDiff) -> Self {
        Self::diffs(&runs.diffs)
            .with_context("before_run", runs.before.to_string())
            .with_context("after_run", runs.after.to_string())
    }
}

/// A member that came, went, moved or is undecided.
struct Row {
    change: &'static str,
    member: AccountId,
    before: Option<u32>,
    after: Option<u32>,
    arrival: Option<Arrival>,
    between: Between,
}

impl Row {
    fn in_before(change: &'static str, c: &Change) -> Self {
        let Change { member, position, arrival, between } = *c;
        Self { change, member, before: position, after: None, arrival, between }
    }

    fn in_after(change: &'static str, c: &Change) -> Self {
        let Change { member, position, arrival, between } = *c;
        Self { change, member, before: None, after: position, arrival, between }
    }

    fn in_both(moved: &Moved) -> Self {
        let Moved { member, before, after, between } = *moved;
        let (before, after) = (Some(before), Some(after));
        Self { change: "moved", member, before, after, arrival: None, between }
    }

    /// By member, in whom the four are told apart.
    fn all(part: Changes<'_>) -> Vec<Self> {
        let undecided = |u: &Undecided| match u {
            Undecided::InBefore(c) => Self::in_before("unknown", c),
            Undecided::InAfter(c) => Self::in_after("unknown", c),
        };
        let gained = part.gained.iter().map(|c| Self::in_after("gained", c));
        let lost = part.lost.iter().map(|c| Self::in_before("lost", c));
        let moved = part.moved.iter().map(Self::in_both);
        let unknown = part.unknown.iter().map(undecided);
        let mut rows: Vec<_> = gained.chain(lost).chain(moved).chain(unknown).collect();
        // Four ascending stretches, which a stable sort merges.
        rows.sort_by_key(|row| row.member);
        rows
    }
}

/// What changed, of a whole diff or of a part.
#[derive(Clone, Copy)]
struct Changes<'a> {
    gained: &'a [Change],
    lost: &'a [Change],
    moved: &'a [Moved],
    unknown: &'a [Undecided],
}

impl<'a> From<&'a Diff> for Changes<'a> {
    fn from(diff: &'a Diff) -> Self {
        let Diff { gained, lost, moved, unknown, .. } = diff;
        Self { gained, lost, moved, unknown }
    }
}

impl<'a> From<&'a DiffPart> for Changes<'a> {
    fn from(part: &'a DiffPart) -> Self {
        let DiffPart { gained, lost, moved, unknown, .. } = part;
        Self { gained, lost, moved, unknown }
    }
}

impl Frame {
    /// One row per member that came, went, moved or is undecided, of any number of lists, by list and
    /// member.
    pub fn diffs(diffs: &[Diff]) -> Self {
        Self::diffs_with_fates(diffs, &[])
    }

    /// The same with what became of the lost, as far as [`losses`](crate::losses) knows; those
    /// of lists that are not among them count as not looked up.
    pub fn diffs_with_fates(diffs: &[Diff], losses: &[Losses]) -> Self {
        let mut all = Self::changes((AccountId::MIN, List::Followers), &[], |_| None);
        let known: HashMap<_, _> = losses.iter().map(|of| ((of.account, of.list), of)).collect();
        for diff in diffs {
            let key = (diff.of.account, diff.of.list);
            let known = known.get(&key).copied();
            let fate = |member| {
                let verdicts = &known?.verdicts;
                let found = verdicts.binary_search_by_key(&member, |verdict| verdict.member);
                verdicts.get(found.ok()?).copied()
            };
            let rows = Row::all(diff.into());
            all.data.append(Self::changes(key, &rows, fate).data);
        }
        all
    }

    /// What changed in one range of ids, as a piece of [`diffs_with_fates`](Self::diffs_with_fates).
    pub fn diff_part(of: &Compared, part: &DiffPart, fates: &Fates) -> Self {
        let rows = Row::all(part.into());
        let since = of.after.finished_at;
        Self::changes((of.account, of.list), &rows, |member| Some(fates.of(member, since)))
    }

    fn changes(
        (account, list): (AccountId, List),
        rows: &[Row],
        fate: impl Fn(AccountId) -> Option<Verdict>,
    ) -> Self {
        let verdict = |row: &Row| {
            let lost = Some(row).filter(|row| row.change == "lost");
            lost.and_then(|row| fate(row.member)).filter(|verdict| verdict.looked_up_at.is_some())
        };
        let verdicts: Vec<_> = rows.iter().map(verdict).collect();
        let word = |name: fn(&Verdict) -> &'static str| {
            Values::Word(verdicts.iter().map(|verdict| verdict.as_ref().map(name)).collect())
        };
        let position = |of: fn(&Row) -> Option<u32>| {
            Values::I64(rows.iter().map(|row| of(row).map(i64::from)).collect())
        };
        let changes = rows.iter().map(|row| Some(row.change)).collect();
        let arrivals = rows.iter().map(|row| row.arrival.map(Arrival::name)).collect();
        let arrivals = Values::Word(arrivals);
        let moment = |of: fn(Between) -> jiff::Timestamp| {
            let known = |row: &Row| (row.change != "unknown").then_some(row.between);
            Values::Time(rows.iter().map(|row| Some(of(known(row)?).as_microsecond())).collect())
        };
        Self::new(
            "diff",
            vec![
                (required("account_id", Kind::Id), ids(rows.iter().map(|_| account))),
                (required("list", Kind::Text), Values::Word(vec![Some(list.name()); rows.len()])),
                (required("member_id", Kind::Id), ids(rows.iter().map(|row| row.member))),
                (required("change", Kind::Text), Values::Word(changes)),
                (optional("position_before", Kind::Count), position(|row| row.before)),
                (optional("position_after", Kind::Count), position(|row| row.after)),
                (optional("fate", Kind::Text), word(|v| v.fate.name())),
                (optional("standing", Kind::Text), word(|v| v.standing.name())),
                (optional("arrival", Kind::Text), arrivals),
                (optional("earliest", Kind::Time), moment(|between| between.earliest)),
                (optional("latest", Kind::Time), moment(|between| between.latest)),
            ],
        )
    }

    /// One row per id that only one of two files has, by id: `gained` if it is the later one.
    pub fn id_changes(part: &DiffPart) -> Self {
        let rows = Row::all(part.into());
        let changes = rows.iter().map(|row| Some(row.change)).collect();
        Self::new(
            "id_changes",
            vec![
                (required("member_id", Kind::Id), ids(rows.iter().map(|row| row.member))),
                (required("change", Kind::Text), Values::Word(changes)),
            ],
        )
    }

    /// One row: what two files of ids have in common, and what not.
    pub fn id_counts(gained: u64, lost: u64, unchanged: u64) -> Self {
        let count = |name, n| (required(name, Kind::Count), counts([n]));
        let columns = vec![
            count("opening", lost + unchanged),
            count("gained", gained),
            count("lost", lost),
            count("unchanged", unchanged),
            count("closing", gained + unchanged),
        ];
        Self::new("id_counts", columns)
    }
}
