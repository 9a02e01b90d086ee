//! When members followed, as frames. Columns are documented in `crates/analysis/SCHEMA.md`.

use jiff::Timestamp;
use snapshot::{AccountId, List, Values};

use super::answers::{counts, ids, optional, required, texts};
use super::{Frame, Kind};
use crate::when::{Ages, Between, Block, Cell, Fingerprint, FollowTimes, Followed, Grown, Growth};

impl Frame {
    /// One row per period, of any number of lists.
    pub fn growth(lists: &[Growth]) -> Self {
        let rows = || lists.iter().flat_map(|of| of.rows.iter().map(move |row| (of, row)));
        let count = |f: fn(&Grown) -> u64| counts(rows().map(|(_, row)| f(row)));
        let time = |f: fn(&Grown) -> Timestamp| times(rows().map(|(_, row)| Some(f(row))));
        let contradicting: u64 = lists.iter().map(|of| of.contradicting).sum();
        Self::new(
            "growth",
            vec![
                (required("account_id", Kind::Id), ids(rows().map(|(of, _)| of.account))),
                (required("list", Kind::Text), texts(rows().map(|(of, _)| of.list.name()))),
                (required("period", Kind::Text), texts(rows().map(|(of, _)| of.period.name()))),
                (required("from", Kind::Time), time(|row| row.from)),
                (required("until", Kind::Time), time(|row| row.until)),
                (required("followed", Kind::Count), count(|row| row.followed)),
                (required("so_far", Kind::Count), count(|row| row.so_far)),
                (required("so_far_at_least", Kind::Count), count(|row| row.at_least)),
                (required("so_far_at_most", Kind::Count), count(|row| row.at_most)),
            ],
        )
        .with_context("method", FollowTimes::METHOD)
        .with_context("contradicting", contradicting.to_string())
    }

    /// One row per member of one list, by member.
    pub fn follow_times(account: AccountId, list: List, members: &[Followed]) -> Self {
        let time = |f: fn(&Followed) -> Timestamp| times(members.iter().map(|m| Some(f(m))));
        let created = |f: fn(&Followed) -> Option<Timestamp>| times(members.iter().map(f));
        let positions = members.iter().map(|m| u64::from(m.position));
        Self::new(
            "follow_times",
            vec![
                (required("account_id", Kind::Id), ids(members.iter().map(|_| account))),
                (
                    required("list", Kind::Text),
                    Values::Word(vec![Some(list.name()); members.len()]),
                ),
                (required("member_id", Kind::Id), ids(members.iter().map(|m| m.member))),
                (required("position", Kind::Count), counts(positions)),
                (required("followed_after", Kind::Time), time(|m| m.between.earliest)),
                (required("followed_before", Kind::Time), time(|m| m.between.latest)),
                (required("estimate", Kind::Time), time(|m| m.estimate)),
                (optional("created_after", Kind::Time), created(|m| Some(m.created?.earliest))),
                (optional("created_before", Kind::Time), created(|m| Some(m.created?.latest))),
            ],
        )
        .with_context("method", FollowTimes::METHOD)
    }

    /// One row per block of any number of lists, the newest first.
    pub fn fingerprints(lists: &[Fingerprint]) -> Self {
        let blocks = |of: &'_ Fingerprint| (1..=of.blocks.len() as u64).collect::<Vec<_>>();
        let numbers = lists.iter().flat_map(blocks);
        let rows = || lists.iter().flat_map(|of| of.blocks.iter().map(move |block| (of, block)));
        let count = |f: fn(&Block) -> u64| counts(rows().map(|(_, block)| f(block)));
        let ratio = |f: fn(&Block) -> f64| Values::F64(rows().map(|(_, b)| Some(f(b))).collect());
        let time = |f: fn(&Block) -> Option<Timestamp>| times(rows().map(|(_, block)| f(block)));
        let created =
            |f: fn(Between) -> Timestamp| times(rows().map(|(_, block)| block.created.map(f)));
        Self::new(
            "fingerprint",
            vec![
                (required("account_id", Kind::Id), ids(rows().map(|(of, _)| of.account))),
                (required("list", Kind::Text), texts(rows().map(|(of, _)| of.list.name()))),
                (required("block", Kind::Count), counts(numbers)),
                (required("kind", Kind::Text), texts(rows().map(|(_, b)| b.kind.name()))),
                (required("position_from", Kind::Count), count(|b| b.positions.start.into())),
                (required("position_until", Kind::Count), count(|b| b.positions.end.into())),
                (required("members", Kind::Count), count(|b| b.members)),
                (optional("created_from", Kind::Time), created(|of| of.earliest)),
                (optional("created_until", Kind::Time), created(|of| of.latest)),
                (required("followed_after", Kind::Time), time(|b| Some(b.followed.earliest))),
                (required("followed_before", Kind::Time), time(|b| Some(b.followed.latest))),
                (required("estimate_from", Kind::Time), time(|b| Some(b.estimated.earliest))),
                (required("estimate_until", Kind::Time), time(|b| Some(b.estimated.latest))),
                (required("lift", Kind::Ratio), ratio(|b| b.lift)),
                (required("log10_chance", Kind::Ratio), ratio(|b| b.log10_chance)),
            ],
        )
    }

    /// One row per member of each block of one list, by member and then by block.
    pub fn fingerprint_members(of: &Fingerprint, members: &[Followed]) -> Self {
        let in_blocks = |member| {
            let blocks = (1_u64..).zip(&of.blocks);
            blocks.filter(move |(_, block)| of.is_in(block, position(member)))
        };
        let rows: Vec<(&Followed, u64, &Block)> = members
            .iter()
            .flat_map(|member| {
                in_blocks(member).map(move |(number, block)| (member, number, block))
            })
            .collect();
        Self::in_blocks((of.account, of.list), &rows)
    }

    /// The columns of [`fingerprint_members`](Self::fingerprint_members), without rows.
    pub fn no_fingerprint_members() -> Self {
        Self::in_blocks((AccountId::MIN, List::Followers), &[])
    }

    fn in_blocks((account, list): (AccountId, List), rows: &[(&Followed, u64, &Block)]) -> Self {
        let created = |f: fn(Between) -> Timestamp| {
            times(rows.iter().map(|(member, ..)| member.created.map(f)))
        };
        let positions = rows.iter().map(|(member, ..)| u64::from(member.position));
        let kinds = rows.iter().map(|(.., block)| Some(block.kind.name())).collect();
        Self::new(
            "fingerprint_members",
            vec![
                (required("account_id", Kind::Id), ids(rows.iter().map(|_| account))),
                (required("list", Kind::Text), Values::Word(vec![Some(list.name()); rows.len()])),
                (required("member_id", Kind::Id), ids(rows.iter().map(|(m, ..)| m.member))),
                (required("position", Kind::Count), counts(positions)),
                (required("block", Kind::Count), counts(rows.iter().map(|(_, number, _)| *number))),
                (required("kind", Kind::Text), Values::Word(kinds)),
                (optional("created_after", Kind::Time), created(|of| of.earliest)),
                (optional("created_before", Kind::Time), created(|of| of.latest)),
            ],
        )
    }

    /// One row per cell of the plots of any number of lists that has members.
    pub fn fingerprint_grids(lists: &[Fingerprint]) -> Self {
        let cells = lists.iter().flat_map(|of| of.grid.cells().map(move |cell| (of, cell)));
        let rows: Vec<(&Fingerprint, Cell)> = cells.collect();
        let count = |f: fn(&Cell) -> u64| counts(rows.iter().map(|(_, cell)| f(cell)));
        let time = |f: fn(&Cell) -> Timestamp| times(rows.iter().map(|(_, cell)| Some(f(cell))));
        Self::new(
            "fingerprint_grid",
            vec![
                (required("account_id", Kind::Id), ids(rows.iter().map(|(of, _)| of.account))),
                (required("list", Kind::Text), texts(rows.iter().map(|(of, _)| of.list.name()))),
                (required("position_from", Kind::Count), count(|c| c.positions.start.into())),
                (required("position_until", Kind::Count), count(|c| c.positions.end.into())),
                (required("created_from", Kind::Time), time(|cell| cell.from)),
                (required("created_until", Kind::Time), time(|cell| cell.until)),
                (required("members", Kind::Count), count(|cell| cell.members)),
            ],
        )
    }

    /// One row per year of age that accounts of any number of lists have.
    pub fn account_ages(lists: &[Fingerprint]) -> Self {
        let ages = |of: &'_ Fingerprint| {
            let Ages(years) = &of.ages;
            let row = |(age, members): (u64, &u64)| (of.account, of.list, age, *members);
            (0..).zip(years).map(row).collect::<Vec<_>>()
        };
        let rows: Vec<_> = lists.iter().flat_map(ages).collect();
        Self::new(
            "account_ages",
            vec![
                (required("account_id", Kind::Id), ids(rows.iter().map(|row| row.0))),
                (required("list", Kind::Text), texts(rows.iter().map(|row| row.1.name()))),
                (required("age_years", Kind::Count), counts(rows.iter().map(|row| row.2))),
                (required("members", Kind::Count), counts(rows.iter().map(|row| row.3))),
            ],
        )
    }
}

fn position(of: &Followed) -> u32 {
    of.position
}

pub(super) fn times(times: impl IntoIterator<Item = Option<Timestamp>>) -> Values {
    Values::Time(times.into_iter().map(|time| Some(time?.as_microsecond())).collect())
}
