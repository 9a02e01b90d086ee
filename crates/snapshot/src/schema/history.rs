//! The columns of the history: spells, and the crawls they are counted in.

use super::{
    ACCOUNT_ID, MEMBER_ID, POSITION, Record, ints, longs, optional, rows, signed, small, texts,
    time, times,
};
use crate::error::Error;
use crate::history::{Began, Ended, HistoryCrawl, Spell};
use crate::table::{Table, Typed, Values};
use crate::{AccountId, Coverage, State};

fn words<T>(records: &[T], f: impl Fn(&T) -> &'static str) -> Values {
    Values::Word(records.iter().map(|r| Some(f(r))).collect())
}

impl Record for Spell {
    const FILE: &'static str = "history/list=*/spells.parquet";

    fn table(spells: &[Self]) -> Table {
        let number = |f: fn(&Self) -> u32| ints(spells, move |s| Some(small(f(s))));
        Table::default()
            .required(ACCOUNT_ID, longs(spells, |s| Some(s.account.get())))
            .required(MEMBER_ID, longs(spells, |s| Some(s.member.get())))
            .required("first_seen", number(|s| s.first_seen))
            .required("last_seen", number(|s| s.last_seen))
            .optional("absent_before", ints(spells, |s| s.absent_before.map(small)))
            .optional("absent_after", ints(spells, |s| s.absent_after.map(small)))
            .required("began", words(spells, |s| s.began.name()))
            .required("ended", words(spells, |s| s.ended.name()))
            .required(POSITION, number(|s| s.position))
            .optional("followed_after", times(spells, |s| s.followed_after))
            .optional("followed_before", times(spells, |s| s.followed_before))
            .optional("boundary", times(spells, |s| s.boundary))
    }

    fn records(columns: &Typed<'_>) -> Result<Vec<Self>, Error> {
        let (account, member) = (columns.long(ACCOUNT_ID)?, columns.long(MEMBER_ID)?);
        let (first, last) = (columns.int("first_seen")?, columns.int("last_seen")?);
        let (before, after) = (columns.int("absent_before")?, columns.int("absent_after")?);
        let (began, ended) = (columns.text("began")?, columns.text("ended")?);
        let position = columns.int(POSITION)?;
        let followed_after = columns.time("followed_after")?;
        let followed_before = columns.time("followed_before")?;
        let boundary = columns.time("boundary")?;
        let row = |i: usize| {
            Some(Self {
                account: AccountId::new(account[i]?)?,
                member: AccountId::new(member[i]?)?,
                first_seen: u32::try_from(first[i]?).ok()?,
                last_seen: u32::try_from(last[i]?).ok()?,
                absent_before: optional(before[i], |n| u32::try_from(n).ok())?,
                absent_after: optional(after[i], |n| u32::try_from(n).ok())?,
                began: Began::from_name(began[i].as_deref()?)?,
                ended: Ended::from_name(ended[i].as_deref()?)?,
                position: u32::try_from(position[i]?).ok()?,
                followed_after: optional(followed_after[i], time)?,
                followed_before: optional(followed_before[i], time)?,
                boundary: optional(boundary[i], time)?,
            })
        };
        rows(columns.path, account.len(), row)
    }
}

impl Record for HistoryCrawl {
    const FILE: &'static str = "history/crawls.parquet";

    fn table(crawls: &[Self]) -> Table {
        let cut = |c: &Self| match c.state {
            State::Read(Coverage::CutShort { after_page, why }) => Some((after_page, why)),
            _ => None,
        };
        let count = |f: fn(&Self) -> u64| longs(crawls, move |c| Some(signed(f(c))));
        let number = |f: fn(&Self) -> Option<u32>| ints(crawls, move |c| f(c).map(small));
        Table::default()
            .required(ACCOUNT_ID, longs(crawls, |c| Some(c.account.get())))
            .required("list", words(crawls, |c| c.list.name()))
            .required("number", number(|c| Some(c.number)))
            .required("run", texts(crawls, |c| Some(c.run.to_string())))
            .required("state", words(crawls, |c| c.state.name()))
            .required("coverage", words(crawls, |c| c.state.coverage_name()))
            .optional("cut_after_page", ints(crawls, |c| cut(c).map(|(page, _)| small(page))))
            .optional("cut_reason", texts(crawls, |c| cut(c).map(|(_, why)| why.name().to_owned())))
            .optional("covered_since", times(crawls, |c| c.covered_since))
            .required("started_at", times(crawls, |c| Some(c.started_at)))
            .required("finished_at", times(crawls, |c| Some(c.finished_at)))
            .required("ids", count(|c| c.ids))
            .required("order", texts(crawls, |c| Some(c.order.clone())))
            .optional("compared_with", number(|c| c.compared_with))
            .optional("head", number(|c| c.head))
            .required("opening", count(|c| c.opening))
            .required("found", count(|c| c.found))
            .required("new", count(|c| c.new))
            .required("refollowed", count(|c| c.refollowed))
            .required("reappeared", count(|c| c.reappeared))
            .required("returned", count(|c| c.returned))
            .required("lost", count(|c| c.lost))
            .required("moved", count(|c| c.moved))
            .required("closing", count(|c| c.closing))
    }

    fn records(columns: &Typed<'_>) -> Result<Vec<Self>, Error> {
        let (account, list) = (columns.long(ACCOUNT_ID)?, columns.text("list")?);
        let (number, run) = (columns.int("number")?, columns.text("run")?);
        let (state, coverage) = (columns.text("state")?, columns.text("coverage")?);
        let (cut, why) = (columns.int("cut_after_page")?, columns.text("cut_reason")?);
        let since = columns.time("covered_since")?;
        let (started, finished) = (columns.time("started_at")?, columns.time("finished_at")?);
        let (order, head) = (columns.text("order")?, columns.int("head")?);
        let compared = columns.int("compared_with")?;
        let names = [
            "ids",
            "opening",
            "found",
            "new",
            "refollowed",
            "reappeared",
            "returned",
            "lost",
            "moved",
            "closing",
        ];
        let counts = names.map(|name| columns.long(name));
        let count = |name: &str, i: usize| {
            let at = names.iter().position(|n| *n == name)?;
            u64::try_from(counts[at].as_ref().ok()?[i]?).ok()
        };
        let row = |i: usize| {
            let after = u32::try_from(cut[i].unwrap_or(0)).ok()?;
            let (state, coverage) = (state[i].as_deref()?, coverage[i].as_deref()?);
            Some(Self {
                account: AccountId::new(account[i]?)?,
                list: list[i].as_deref()?.parse().ok()?,
                number: u32::try_from(number[i]?).ok()?,
                run: run[i].as_deref()?.parse().ok()?,
                state: State::from_columns(state, coverage, after, why[i].as_deref())?,
                covered_since: optional(since[i], time)?,
                started_at: time(started[i]?)?,
                finished_at: time(finished[i]?)?,
                ids: count("ids", i)?,
                order: order[i].clone()?,
                compared_with: optional(compared[i], |n| u32::try_from(n).ok())?,
                head: optional(head[i], |n| u32::try_from(n).ok())?,
                opening: count("opening", i)?,
                found: count("found", i)?,
                new: count("new", i)?,
                refollowed: count("refollowed", i)?,
                reappeared: count("reappeared", i)?,
                returned: count("returned", i)?,
                lost: count("lost", i)?,
                moved: count("moved", i)?,
                closing: count("closing", i)?,
            })
        };
        rows(columns.path, account.len(), row)
    }
}
