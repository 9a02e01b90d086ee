//! The columns of every file of a run: names, types, units, meaning.
//!
//! The page for people is `crates/snapshot/SCHEMA.md`; a test holds the two together.

mod history;
mod look_ups;
mod members;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use parquet::basic::{Repetition, Type as Physical};
use parquet::schema::types::{Type, TypePtr};

use crate::error::Error;
use crate::table::{Table, TableWriter, Typed, Values};
use crate::{AccountId, Crawl, FORMAT_VERSION, List, Order, PageRecord, Profile, State};

/// The key in each Parquet file's metadata that holds the format version.
pub const FORMAT_KEY: &str = "followgraph.format";
/// Whose list a row belongs to.
pub const ACCOUNT_ID: &str = "account_id";
/// An id found in that list.
pub const MEMBER_ID: &str = "member_id";
/// Its index in the order the API returned, 0 = newest.
pub const POSITION: &str = "position";

/// The row type of the lists.
pub(crate) fn list_rows() -> TypePtr {
    let column = |name, physical| {
        let builder = Type::primitive_type_builder(name, physical);
        builder.with_repetition(Repetition::REQUIRED).build().map(Arc::new)
    };
    let fields =
        [(ACCOUNT_ID, Physical::INT64), (MEMBER_ID, Physical::INT64), (POSITION, Physical::INT32)];
    let fields = fields.into_iter().map(|(name, physical)| column(name, physical));
    fields
        .collect::<Result<Vec<_>, _>>()
        .and_then(|fields| Type::group_type_builder("schema").with_fields(fields).build())
        .map(Arc::new)
        .expect("the schema is a constant")
}

/// A record kind that is kept as one table per run.
pub(crate) trait Record: Sized {
    /// The file's name in the run's folder.
    const FILE: &'static str;
    fn table(records: &[Self]) -> Table;
    fn records(columns: &Typed<'_>) -> Result<Vec<Self>, Error>;

    /// Begins such a table in a run's folder.
    fn create(folder: &Path) -> Result<TableWriter, Error> {
        let metadata = [(FORMAT_KEY, &*FORMAT_VERSION.to_string())];
        TableWriter::create(&folder.join(Self::FILE), &Self::table(&[]), &metadata)
    }

    /// Reads what [`table`](Self::table) made, or made in an older version: a column that
    /// may be missing and is reads as null.
    fn from_table(mut table: Table, path: &Path) -> Result<Vec<Self>, Error> {
        table.add_missing(&Self::table(&[]));
        Self::records(&Typed { table: &table, path })
    }
}

impl Record for Crawl {
    const FILE: &'static str = "crawls.parquet";

    fn table(crawls: &[Self]) -> Table {
        let after = |c: &Self| match c.state {
            State::Read(crate::Coverage::CutShort { after_page, .. }) => Some(small(after_page)),
            _ => None,
        };
        let why = |c: &Self| match c.state {
            State::Read(crate::Coverage::CutShort { why, .. }) => Some(why.name().to_owned()),
            _ => None,
        };
        let text = |f: fn(&Self) -> &str| texts(crawls, |c| Some(f(c).to_owned()));
        Table::default()
            .required(ACCOUNT_ID, longs(crawls, |c| Some(c.account.get())))
            .required("list", text(|c| c.list.name()))
            .required("source", text(|c| &c.source))
            .required("state", text(|c| c.state.name()))
            .required("coverage", text(|c| c.state.coverage_name()))
            .optional("cut_after_page", ints(crawls, after))
            .optional("cut_reason", texts(crawls, why))
            .optional("covered_since", times(crawls, |c| c.covered_since))
            .required("order", text(|c| c.order.name()))
            .required("started_at", times(crawls, |c| Some(c.started_at)))
            .required("finished_at", times(crawls, |c| Some(c.finished_at)))
            .required("ids", longs(crawls, |c| Some(signed(c.ids))))
            .required("duplicates", longs(crawls, |c| Some(signed(c.duplicates))))
            .required("pages", ints(crawls, |c| Some(small(c.pages))))
            .required("requests", ints(crawls, |c| Some(small(c.requests))))
            .optional("cost_micro_usd", longs(crawls, |c| c.cost_micro_usd))
            .optional("reported_count", longs(crawls, |c| c.reported_count.map(signed)))
            .optional("known_run", texts(crawls, |c| c.known_run.map(|run| run.to_string())))
    }

    fn records(columns: &Typed<'_>) -> Result<Vec<Self>, Error> {
        let c = CrawlColumns {
            list: columns.text("list")?,
            state: columns.text("state")?,
            coverage: columns.text("coverage")?,
            after: columns.int("cut_after_page")?,
            why: columns.text("cut_reason")?,
            order: columns.text("order")?,
        };
        let account = columns.long(ACCOUNT_ID)?;
        let source = columns.text("source")?;
        let since = columns.time("covered_since")?;
        let (started, finished) = (columns.time("started_at")?, columns.time("finished_at")?);
        let (ids, duplicates) = (columns.long("ids")?, columns.long("duplicates")?);
        let (pages, requests) = (columns.int("pages")?, columns.int("requests")?);
        let cost = columns.long("cost_micro_usd")?;
        let (reported, known) = (columns.long("reported_count")?, columns.text("known_run")?);
        let row = |i: usize| {
            Some(Self {
                account: AccountId::new(account[i]?)?,
                list: c.list[i].as_deref()?.parse().ok()?,
                source: source[i].clone()?,
                state: c.state(i)?,
                order: Order::from_name(c.order[i].as_deref()?)?,
                started_at: time(started[i]?)?,
                finished_at: time(finished[i]?)?,
                ids: u64::try_from(ids[i]?).ok()?,
                duplicates: u64::try_from(duplicates[i]?).ok()?,
                pages: u32::try_from(pages[i]?).ok()?,
                requests: u32::try_from(requests[i]?).ok()?,
                cost_micro_usd: cost[i],
                reported_count: optional(reported[i], |n| u64::try_from(n).ok())?,
                covered_since: optional(since[i], time)?,
                known_run: optional(known[i].as_deref(), |run| run.parse().ok())?,
            })
        };
        rows(columns.path, account.len(), row)
    }
}

struct CrawlColumns<'a> {
    list: &'a [Option<String>],
    state: &'a [Option<String>],
    coverage: &'a [Option<String>],
    after: &'a [Option<i32>],
    why: &'a [Option<String>],
    order: &'a [Option<String>],
}

impl CrawlColumns<'_> {
    fn state(&self, i: usize) -> Option<State> {
        let after = u32::try_from(self.after[i].unwrap_or(0)).ok()?;
        let (state, coverage) = (self.state[i].as_deref()?, self.coverage[i].as_deref()?);
        State::from_columns(state, coverage, after, self.why[i].as_deref())
    }
}

impl Record for PageRecord {
    const FILE: &'static str = "pages.parquet";

    fn table(pages: &[Self]) -> Table {
        Table::default()
            .required(ACCOUNT_ID, longs(pages, |p| Some(p.account.get())))
            .required("list", texts(pages, |p| Some(p.list.name().to_owned())))
            .required("page", ints(pages, |p| Some(small(p.page))))
            .optional("cursor", texts(pages, |p| p.cursor.clone()))
            .optional("next_cursor", texts(pages, |p| p.next_cursor.clone()))
            .required("fetched_at", times(pages, |p| Some(p.fetched_at)))
            .required("ids", ints(pages, |p| Some(small(p.ids))))
            .required("first_position", ints(pages, |p| Some(small(p.first_position))))
            .optional("boundary", times(pages, |p| p.boundary))
            .optional("problems", texts(pages, |p| p.problems.clone()))
    }

    fn records(columns: &Typed<'_>) -> Result<Vec<Self>, Error> {
        let (account, list) = (columns.long(ACCOUNT_ID)?, columns.text("list")?);
        let (cursor, next) = (columns.text("cursor")?, columns.text("next_cursor")?);
        let (page, ids) = (columns.int("page")?, columns.int("ids")?);
        let (fetched, boundary) = (columns.time("fetched_at")?, columns.time("boundary")?);
        let (first, problems) = (columns.int("first_position")?, columns.text("problems")?);
        let row = |i: usize| {
            Some(Self {
                account: AccountId::new(account[i]?)?,
                list: list[i].as_deref()?.parse().ok()?,
                page: u32::try_from(page[i]?).ok()?,
                cursor: cursor[i].clone(),
                next_cursor: next[i].clone(),
                fetched_at: time(fetched[i]?)?,
                ids: u32::try_from(ids[i]?).ok()?,
                first_position: u32::try_from(first[i]?).ok()?,
                boundary: optional(boundary[i], time)?,
                problems: problems[i].clone(),
            })
        };
        rows(columns.path, account.len(), row)
    }
}

impl Record for Profile {
    const FILE: &'static str = "accounts.parquet";

    fn table(profiles: &[Self]) -> Table {
        let count = |f: fn(&Self) -> Option<u64>| longs(profiles, |p| f(p).map(signed));
        Table::default()
            .required(ACCOUNT_ID, longs(profiles, |p| Some(p.account.get())))
            .optional("username", texts(profiles, |p| p.username.clone()))
            .optional("name", texts(profiles, |p| p.name.clone()))
            .optional("created_at", times(profiles, |p| p.created_at))
            .optional("protected", truths(profiles, |p| p.protected))
            .optional("followers_count", count(|p| p.followers_count))
            .optional("following_count", count(|p| p.following_count))
            .optional("tweet_count", count(|p| p.tweet_count))
            .optional("listed_count", count(|p| p.listed_count))
            .required("observed_at", times(profiles, |p| Some(p.observed_at)))
    }

    fn records(columns: &Typed<'_>) -> Result<Vec<Self>, Error> {
        let account = columns.long(ACCOUNT_ID)?;
        let (username, name) = (columns.text("username")?, columns.text("name")?);
        let (created, observed) = (columns.time("created_at")?, columns.time("observed_at")?);
        let protected = columns.truth("protected")?;
        let (followers, following) =
            (columns.long("followers_count")?, columns.long("following_count")?);
        let (tweets, listed) = (columns.long("tweet_count")?, columns.long("listed_count")?);
        let count = |n| optional(n, |n| u64::try_from(n).ok());
        let row = |i: usize| {
            Some(Self {
                account: AccountId::new(account[i]?)?,
                username: username[i].clone(),
                name: name[i].clone(),
                created_at: optional(created[i], time)?,
                protected: protected[i],
                followers_count: count(followers[i])?,
                following_count: count(following[i])?,
                tweet_count: count(tweets[i])?,
                listed_count: count(listed[i])?,
                observed_at: time(observed[i]?)?,
            })
        };
        rows(columns.path, account.len(), row)
    }
}

/// Reads `count` rows with `row`, which answers `None` for a row that means nothing.
fn rows<T>(path: &Path, count: usize, row: impl Fn(usize) -> Option<T>) -> Result<Vec<T>, Error> {
    let row = |i| row(i).ok_or_else(|| Error::damaged(path, format!("row {i} makes no sense")));
    (0..count).map(row).collect()
}

/// Converts a value that may be missing; `None` if it is there and does not convert.
#[expect(clippy::option_option, reason = "missing and wrong are two things")]
fn optional<T, U>(value: Option<T>, convert: impl Fn(T) -> Option<U>) -> Option<Option<U>> {
    value.map_or(Some(None), |v| convert(v).map(Some))
}

fn truths<T>(records: &[T], f: impl Fn(&T) -> Option<bool>) -> Values {
    Values::Bool(records.iter().map(f).collect())
}

fn longs<T>(records: &[T], f: impl Fn(&T) -> Option<i64>) -> Values {
    Values::I64(records.iter().map(f).collect())
}

fn ints<T>(records: &[T], f: impl Fn(&T) -> Option<i32>) -> Values {
    Values::I32(records.iter().map(f).collect())
}

fn texts<T>(records: &[T], f: impl Fn(&T) -> Option<String>) -> Values {
    Values::Text(records.iter().map(f).collect())
}

fn times<T>(records: &[T], f: impl Fn(&T) -> Option<Timestamp>) -> Values {
    Values::Time(records.iter().map(|r| f(r).map(Timestamp::as_microsecond)).collect())
}

fn time(micros: i64) -> Option<Timestamp> {
    Timestamp::from_microsecond(micros).ok()
}

fn small(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The names of the lists a run may have, as folders.
pub(crate) fn list_folder(list: List) -> String {
    format!("list={list}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, FileEntry, HistoryCrawl, ListedMember, LookUp, Manifest, Spell};

    const PAGE: &str = include_str!("../../SCHEMA.md");

    fn described(column: &Column) -> String {
        let kind = column.values.type_name();
        let null = if column.nullable { "yes" } else { "no" };
        format!("| `{}` | {kind} | {null} |", column.name)
    }

    #[test]
    fn the_schema_page_names_every_column_with_type_and_nullability() {
        let tables = [
            (Crawl::FILE, Crawl::table(&[])),
            (PageRecord::FILE, PageRecord::table(&[])),
            (Profile::FILE, Profile::table(&[])),
            (ListedMember::FILE, ListedMember::table(&[])),
            (LookUp::FILE, LookUp::table(&[])),
            (Spell::FILE, Spell::table(&[])),
            (HistoryCrawl::FILE, HistoryCrawl::table(&[])),
        ];
        for (file, table) in tables {
            let section = PAGE.split("\n## ").find(|s| s.starts_with(&format!("`{file}`")));
            let section = section.unwrap_or_else(|| panic!("no section on {file}"));
            let documented = section.lines().filter(|l| l.starts_with("| `"));
            assert_eq!(documented.count(), table.columns.len(), "{file}");
            for column in &table.columns {
                let line = described(column);
                assert!(section.contains(&line), "{file} lacks {line}");
            }
        }
        for column in list_rows().get_fields() {
            let line = format!("| `{}` | {} | no |", column.name(), column.get_physical_type());
            assert!(PAGE.contains(&line), "the page lacks {line}");
        }
    }

    #[test]
    fn the_schema_page_names_every_key_of_the_manifest() {
        let file = FileEntry {
            path: String::new(),
            bytes: 0,
            sha256: String::new(),
            rows: 0,
            row_groups: vec![0],
        };
        let manifest = Manifest {
            format: 1,
            tool: crate::Tool { name: String::new(), version: String::new() },
            run: String::new(),
            started_at: Timestamp::UNIX_EPOCH,
            finished_at: Timestamp::UNIX_EPOCH,
            crawls: 0,
            complete: 0,
            accounts: 0,
            rows: 0,
            parameters: std::collections::BTreeMap::new(),
            files: vec![file],
        };
        let serde_json::Value::Object(keys) = serde_json::to_value(manifest).unwrap() else {
            panic!("the manifest is an object");
        };
        for key in keys.keys() {
            assert!(PAGE.contains(&format!("| `{key}` |")), "the page lacks {key}");
        }
    }
}
