//! Answers as frames. Columns are documented in `crates/analysis/SCHEMA.md`.

use snapshot::{AccountId, List, Values};

use super::{Column, Frame, Kind};
use crate::graph::{Extreme, MutualEdges, Summary};
use crate::when::{DEPENDABLE, NoOrder};
use crate::{Diff, Losses, Mutuals, OneSided, Reciprocity, Side, Verdict};

/// One row per member of either list.
impl From<&Mutuals> for Frame {
    fn from(mutuals: &Mutuals) -> Self {
        Self::mutuals(std::slice::from_ref(mutuals))
    }
}

/// One row per pair, in the order in which they are found.
impl From<&MutualEdges> for Frame {
    fn from(pairs: &MutualEdges) -> Self {
        Self::new(
            "mutual_edges",
            vec![
                (required("a_id", Kind::Id), ids(pairs.a.iter().copied())),
                (required("b_id", Kind::Id), ids(pairs.b.iter().copied())),
            ],
        )
    }
}

/// One row.
impl From<&Summary> for Frame {
    fn from(summary: &Summary) -> Self {
        let count = |name, n: u64| (required(name, Kind::Count), counts([n]));
        let extreme = |id, degree, extreme: Option<Extreme>| {
            let account = extreme.map(|e| e.account.get());
            let edges = extreme.map(|e| signed(e.degree));
            [
                (optional(id, Kind::Id), Values::I64(vec![account])),
                (optional(degree, Kind::Count), Values::I64(vec![edges])),
            ]
        };
        let mut columns = vec![
            count("nodes", summary.nodes),
            count("edges", summary.edges),
            count("self_loops", summary.self_loops),
            count("mutual_pairs", summary.mutual_pairs),
            (optional("reciprocity", Kind::Ratio), Values::F64(vec![summary.reciprocity])),
        ];
        columns.extend(extreme("max_out_id", "max_out_degree", summary.max_out));
        columns.extend(extreme("max_in_id", "max_in_degree", summary.max_in));
        columns.extend([
            count("strong_components", summary.strong_components),
            count("largest_strong", summary.largest_strong),
            count("weak_components", summary.weak_components),
            count("largest_weak", summary.largest_weak),
            count("reciprocity_unknown", summary.unknown),
            (
                optional("reciprocity_of_known", Kind::Ratio),
                Values::F64(vec![summary.reciprocity_of_known]),
            ),
        ]);
        Self::new("graph_summary", columns)
    }
}

/// One row: who follows back over a whole run, the unknown told apart. The counterpart of
/// [`Frame::mutuals_summary`], which has a row per account.
impl From<&Reciprocity> for Frame {
    fn from(returned: &Reciprocity) -> Self {
        let count = |name, n: u64| (required(name, Kind::Count), counts([n]));
        let ratio = |name, r| (optional(name, Kind::Ratio), Values::F64(vec![r]));
        Self::new(
            "reciprocity",
            vec![
                count("edges", returned.edges),
                count("self_loops", returned.self_loops),
                count("reciprocal", returned.reciprocal),
                count("mutual_pairs", returned.mutual_pairs()),
                count("unknown", returned.unknown),
                ratio("ratio", returned.ratio()),
                ratio("ratio_of_known", returned.ratio_of_known()),
                ratio(
                    "ratio_self_loops_in_denominator",
                    returned.ratio_self_loops_in_denominator(),
                ),
                ratio("ratio_self_loops_reciprocal", returned.ratio_self_loops_reciprocal()),
            ],
        )
    }
}

impl Frame {
    /// One row per lost member, of any number of lists.
    pub fn losses(losses: &[Losses]) -> Self {
        let rows = || losses.iter().flat_map(|l| l.verdicts.iter().map(move |v| (l, v)));
        let at = |v: &Verdict| v.looked_up_at.map(jiff::Timestamp::as_microsecond);
        Self::new(
            "classify",
            vec![
                (required("account_id", Kind::Id), ids(rows().map(|(l, _)| l.account))),
                (required("list", Kind::Text), texts(rows().map(|(l, _)| l.list.name()))),
                (required("member_id", Kind::Id), ids(rows().map(|(_, v)| v.member))),
                (required("fate", Kind::Text), texts(rows().map(|(_, v)| v.fate.name()))),
                (required("standing", Kind::Text), texts(rows().map(|(_, v)| v.standing.name()))),
                (
                    optional("looked_up_at", Kind::Time),
                    Values::Time(rows().map(|(_, v)| at(v)).collect()),
                ),
            ],
        )
    }

    /// One row per list compared.
    pub fn diff_summary(diffs: &[Diff]) -> Self {
        let count = |f: fn(&Diff) -> u64| counts(diffs.iter().map(f));
        let state = |f: fn(&Diff) -> &Side| {
            Values::Text(diffs.iter().map(|d| Some(f(d).state.to_string())).collect())
        };
        let time = |f: fn(&Diff) -> jiff::Timestamp| {
            Values::Time(diffs.iter().map(|d| Some(f(d).as_microsecond())).collect())
        };
        let of_order = |f: fn(&Diff) -> Option<u64>| {
            Values::I64(diffs.iter().map(|d| f(d).map(signed)).collect())
        };
        let moved = |d: &Diff| d.of.order.ok().map(|()| d.moved.len() as u64);
        let order = |d: &Diff| d.of.order.map_or_else(NoOrder::name, |()| DEPENDABLE);
        Self::new(
            "diff_summary",
            vec![
                (required("account_id", Kind::Id), ids(diffs.iter().map(|d| d.of.account))),
                (required("list", Kind::Text), texts(diffs.iter().map(|d| d.of.list.name()))),
                (required("before_finished_at", Kind::Time), time(|d| d.of.before.finished_at)),
                (required("after_started_at", Kind::Time), time(|d| d.of.after.started_at)),
                (required("before_coverage", Kind::Text), state(|d| &d.of.before)),
                (required("after_coverage", Kind::Text), state(|d| &d.of.after)),
                (required("opening", Kind::Count), count(Diff::opening)),
                (required("gained", Kind::Count), count(|d| d.gained.len() as u64)),
                (required("lost", Kind::Count), count(|d| d.lost.len() as u64)),
                (required("unknown", Kind::Count), count(|d| d.unknown.len() as u64)),
                (required("unchanged", Kind::Count), count(|d| d.unchanged)),
                (required("closing", Kind::Count), count(Diff::closing)),
                (required("before_started_at", Kind::Time), time(|d| d.of.before.started_at)),
                (required("after_finished_at", Kind::Time), time(|d| d.of.after.finished_at)),
                (optional("returned", Kind::Count), of_order(Diff::returned)),
                (optional("moved", Kind::Count), of_order(moved)),
                (required("order", Kind::Text), texts(diffs.iter().map(order))),
            ],
        )
    }

    /// One row per member of either list, of any number of accounts.
    pub fn mutuals(mutuals: &[Mutuals]) -> Self {
        type Row = (AccountId, AccountId, &'static str, Option<bool>, Option<bool>);
        let (yes, no) = (Some(true), Some(false));
        let mut rows: Vec<Row> = Vec::new();
        for m in mutuals {
            let row = |relation, followers, following| {
                move |member: &AccountId| (m.account, *member, relation, followers, following)
            };
            let undecided = |one: &OneSided| match one.seen_in {
                List::Followers => row("unknown", yes, None)(&one.member),
                List::Following => row("unknown", None, yes)(&one.member),
            };
            rows.extend(m.mutual.iter().map(row("mutual", yes, yes)));
            rows.extend(m.only_followers.iter().map(row("only_follower", yes, no)));
            rows.extend(m.only_following.iter().map(row("only_following", no, yes)));
            rows.extend(m.unknown.iter().map(undecided));
        }
        let follows_account = Values::Bool(rows.iter().map(|r| r.3).collect());
        let followed_by_account = Values::Bool(rows.iter().map(|r| r.4).collect());
        Self::new(
            "mutuals",
            vec![
                (required("account_id", Kind::Id), ids(rows.iter().map(|r| r.0))),
                (required("member_id", Kind::Id), ids(rows.iter().map(|r| r.1))),
                (required("relation", Kind::Text), texts(rows.iter().map(|r| r.2))),
                (optional("follows_account", Kind::Flag), follows_account),
                (optional("followed_by_account", Kind::Flag), followed_by_account),
            ],
        )
    }

    /// One row per account.
    pub fn mutuals_summary(mutuals: &[Mutuals]) -> Self {
        let count = |f: fn(&Mutuals) -> usize| counts(mutuals.iter().map(|m| f(m) as u64));
        let size = |f: fn(&Mutuals) -> u64| counts(mutuals.iter().map(f));
        let state = |f: fn(&Mutuals) -> &Side| {
            Values::Text(mutuals.iter().map(|m| Some(f(m).state.to_string())).collect())
        };
        let rate = Values::F64(mutuals.iter().map(Mutuals::follow_back_rate).collect());
        Self::new(
            "mutuals_summary",
            vec![
                (required("account_id", Kind::Id), ids(mutuals.iter().map(|m| m.account))),
                (required("followers_coverage", Kind::Text), state(|m| &m.followers)),
                (required("following_coverage", Kind::Text), state(|m| &m.following)),
                (required("followers", Kind::Count), size(|m| m.followers.members)),
                (required("following", Kind::Count), size(|m| m.following.members)),
                (required("mutual", Kind::Count), count(|m| m.mutual.len())),
                (required("only_followers", Kind::Count), count(|m| m.only_followers.len())),
                (required("only_following", Kind::Count), count(|m| m.only_following.len())),
                (required("unknown", Kind::Count), count(|m| m.unknown.len())),
                (optional("follow_back_rate", Kind::Ratio), rate),
            ],
        )
    }
}

pub(super) fn required(name: &'static str, kind: Kind) -> Column {
    Column { name: name.into(), kind, nullable: false }
}

pub(super) fn optional(name: &'static str, kind: Kind) -> Column {
    Column { name: name.into(), kind, nullable: true }
}

pub(super) fn ids(ids: impl IntoIterator<Item = AccountId>) -> Values {
    Values::I64(ids.into_iter().map(|id| Some(id.get())).collect())
}

pub(super) fn counts(counts: impl IntoIterator<Item = u64>) -> Values {
    Values::I64(counts.into_iter().map(|n| Some(signed(n))).collect())
}

pub(super) fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Values {
    Values::Text(texts.into_iter().map(|text| Some(text.to_owned())).collect())
}

pub(super) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
