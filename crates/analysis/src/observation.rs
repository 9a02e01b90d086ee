//! One list of one account as a crawl saw it: its members together with what was covered.
//!
//! Questions take observations and never bare sets, because a set cannot say where nobody
//! looked. The rows stay where they are, in memory or in a run's Parquet files; an engine
//! decides when they are read.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use snapshot::{
    AccountId, Columns, Coverage, Crawl, List, ListReader, Order, PageRecord, RowsChunk, Run,
    RunId, State,
};

use crate::Error;
use crate::id_file::IdFile;
use crate::question::Slice;
use crate::reading::Reading;

/// All ids; the end of the id space is inclusive, as nothing lies above it.
pub(crate) const ALL_IDS: Range<i64> = 0..i64::MAX;

/// One list of one account as a crawl saw it. Cheap to clone.
#[derive(Clone)]
pub struct Observation {
    crawl: Crawl,
    /// The run it was taken from, if it was.
    run: Option<RunId>,
    pages: Arc<[PageRecord]>,
    rows: Rows,
}

#[derive(Clone)]
enum Rows {
    Memory(Arc<SortedRows>),
    Run(Arc<ListReader>),
    /// A Parquet file of another tool.
    File(Arc<IdFile>),
    /// The run holds no list of that kind, and the crawl saw nobody.
    None,
}

/// Rows of one list by ascending member, each member once.
#[derive(Clone, Debug, Default)]
pub(crate) struct SortedRows {
    pub(crate) members: Vec<i64>,
    pub(crate) positions: Vec<i32>,
}

impl Observation {
    /// An observation held in memory: what a crawl found, in the order the API returned it.
    ///
    /// A repeated id is kept once, at its first position. The crawl's `ids` and `duplicates`
    /// are counted here; what the record says of them is not looked at.
    /// O(n log n).
    ///
    /// # Errors
    /// If there are more than 2^31 − 1 ids, or there are some although the crawl's state
    /// says that the list was not read.
    pub fn from_ids(
        mut crawl: Crawl,
        ids: impl IntoIterator<Item = AccountId>,
    ) -> Result<Self, Error> {
        let (rows, returned) = SortedRows::collect(ids)
            .ok_or_else(|| Error::invalid(format!("{} has more than 2^31 ids", name(&crawl))))?;
        if returned > 0 && crawl.state.coverage().is_none() {
            let message = format!("{} has ids, but its state is `{}`", name(&crawl), crawl.state);
            return Err(Error::invalid(message));
        }
        crawl.ids = rows.members.len() as u64;
        crawl.duplicates = returned - crawl.ids;
        let rows = Rows::Memory(Arc::new(rows));
        Ok(Self { crawl, run: None, pages: Arc::default(), rows })
    }

    /// A list known to its end, newest member first, as [`from_ids`](Self::from_ids).
    ///
    /// # Errors
    /// If there are more than 2^31 − 1 ids.
    pub fn complete(
        account: AccountId,
        list: List,
        ids: impl IntoIterator<Item = AccountId>,
    ) -> Result<Self, Error> {
        let state = State::Read(Coverage::Complete);
        let crawl = Crawl::new(account, list, "memory", state, Timestamp::UNIX_EPOCH);
        let crawl = Crawl { order: Order::NewestFirst, ..crawl };
        Self::from_ids(crawl, ids)
    }

    /// One list of one account of a run. To ask for many, open the run once with
    /// [`RunObservations`].
    ///
    /// # Errors
    /// If the run did not ask for that list, or cannot be read.
    pub fn of(run: &Run, account: AccountId, list: List) -> Result<Self, Error> {
        RunObservations::open(run)?.of(account, list)
    }

    /// The same observation with the pages it came in, which tell follow times.
    #[must_use]
    pub fn with_pages(mut self, mut pages: Vec<PageRecord>) -> Self {
        pages.sort_by_key(|p| p.page);
        self.pages = pages.into();
        self
    }

    /// Whose list.
    pub fn account(&self) -> AccountId {
        self.crawl.account
    }

    /// Which list.
    pub fn list(&self) -> List {
        self.crawl.list
    }

    /// The crawl that saw it.
    pub fn crawl(&self) -> &Crawl {
        &self.crawl
    }

    /// The pages it came in, first page first; empty if the source has none.
    pub fn pages(&self) -> &[PageRecord] {
        &self.pages
    }

    /// How many members were seen.
    pub fn len(&self) -> u64 {
        self.crawl.ids
    }

    /// Whether no member was seen.
    pub fn is_empty(&self) -> bool {
        self.crawl.ids == 0
    }

    /// Whether the list was read to its end, so that whoever is absent was absent.
    pub fn is_complete(&self) -> bool {
        self.crawl.state.is_complete()
    }

    /// What of it an answer keeps.
    pub fn side(&self) -> Side {
        Side {
            state: self.crawl.state,
            order: self.crawl.order,
            started_at: self.crawl.started_at,
            finished_at: self.crawl.finished_at,
            members: self.crawl.ids,
        }
    }

    /// The rows with ids in `members`, to be read one after another.
    pub(crate) fn reading(&self, members: Range<i64>, positions: bool) -> Reading<'_> {
        match &self.rows {
            Rows::None => Reading::of_memory(Slice::default()),
            Rows::Memory(rows) => Reading::of_memory(rows.slice(&members)),
            Rows::Run(reader) => {
                let cursor = reader.cursor(self.crawl.account, members);
                Reading::of_run(if positions { cursor.with_positions() } else { cursor })
            }
            Rows::File(file) => Reading::of_file(file.rows(members)),
        }
    }

    /// What reads its rows from a run, if they are there.
    pub(crate) fn reader(&self) -> Option<&ListReader> {
        if let Rows::Run(reader) = &self.rows { Some(reader) } else { None }
    }

    /// Its rows by ascending member, if they are in memory.
    pub(crate) fn in_memory(&self) -> Option<&[i64]> {
        if let Rows::Memory(rows) = &self.rows { Some(&rows.members) } else { None }
    }

    /// The same observation with its rows in memory.
    pub(crate) fn loaded(&self, columns: Columns) -> Result<Self, Error> {
        let mut rows = SortedRows::default();
        match &self.rows {
            Rows::None | Rows::Memory(_) => return Ok(self.clone()),
            Rows::Run(reader) => {
                let read = reader.members(self.crawl.account, ALL_IDS, columns).load()?;
                (rows.members, rows.positions) = (read.members, read.positions);
            }
            Rows::File(file) => {
                let mut reading = file.rows(ALL_IDS);
                let mut met = 0;
                loop {
                    match reading.next(&mut rows.members)? {
                        0 => break,
                        some => met += some,
                    }
                }
                self.check(met)?;
                let ids = rows.members.len() as u64;
                let crawl = Crawl { ids, ..self.crawl.clone() };
                return Ok(Self { crawl, ..self.with_rows(rows) });
            }
        }
        Ok(self.with_rows(rows))
    }

    /// A list in a file of another tool, of which the caller says what it is.
    pub(crate) fn of_file(crawl: Crawl, file: IdFile) -> Self {
        let crawl = Crawl { ids: file.len(), ..crawl };
        Self { crawl, run: None, pages: Arc::default(), rows: Rows::File(Arc::new(file)) }
    }

    /// An observation of these members, which need not come sorted, in place of its own.
    pub(crate) fn of_members(&self, mut members: Vec<i64>) -> Self {
        members.sort_unstable();
        let crawl = Crawl { ids: members.len() as u64, ..self.crawl.clone() };
        Self { crawl, ..self.with_rows(SortedRows { members, positions: Vec::new() }) }
    }

    pub(crate) fn with_rows(&self, rows: SortedRows) -> Self {
        Self { rows: Rows::Memory(Arc::new(rows)), ..self.clone() }
    }

    /// Checks how many rows a question met in the whole list against what the crawl recorded.
    /// A list that lost rows on disk would otherwise make members look as if they had left.
    pub(crate) fn check(&self, rows: u64) -> Result<(), Error> {
        if rows == self.crawl.ids {
            return Ok(());
        }
        if let Rows::File(_) = self.rows {
            let said = self.crawl.ids;
            let message = format!("a file of {said} ids showed {rows}: its statistics are wrong");
            return Err(Error::invalid(message).with_hint("write it anew, or without statistics"));
        }
        let of = self.run.map_or_else(String::new, |run| format!("run {run} is damaged: "));
        let (list, recorded) = (name(&self.crawl), self.crawl.ids);
        Err(Error::damaged(format!("{of}{list} has {rows} rows, and its crawl saw {recorded}")))
    }

    /// Ids at which the list can be cut into pieces that cost about the same to fetch.
    pub(crate) fn cuts(&self) -> Vec<i64> {
        match &self.rows {
            Rows::None => Vec::new(),
            Rows::Memory(rows) => rows.members.iter().step_by(CUT_ROWS).copied().collect(),
            Rows::Run(reader) => reader.cuts(self.crawl.account),
            Rows::File(file) => file.cuts(),
        }
    }
}

/// Rows between two cuts of a list in memory: enough to outweigh the cost of a task, few
/// enough that four lists of them stay in a core's cache.
const CUT_ROWS: usize = 1 << 15;

impl fmt::Debug for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observation").field("crawl", &self.crawl).finish_non_exhaustive()
    }
}

fn name(crawl: &Crawl) -> String {
    format!("the {} list of {}", crawl.list, crawl.account)
}

impl SortedRows {
    /// Sorts ids that come in API order; also says how many there were, repeats included.
    fn collect(ids: impl IntoIterator<Item = AccountId>) -> Option<(Self, u64)> {
        let mut rows = Vec::new();
        for (position, id) in ids.into_iter().enumerate() {
            rows.push((id.get(), i32::try_from(position).ok()?));
        }
        let returned = rows.len() as u64;
        rows.sort_unstable();
        rows.dedup_by_key(|(member, _)| *member);
        let (members, positions) = rows.into_iter().unzip();
        Some((Self { members, positions }, returned))
    }

    fn slice(&self, members: &Range<i64>) -> Slice<'_> {
        let start = self.members.partition_point(|m| *m < members.start);
        let end = self.members.partition_point(|m| *m < members.end || members.end == i64::MAX);
        let positions = self.positions.get(start..end).unwrap_or_default();
        Slice { members: &self.members[start..end], positions }
    }
}

/// What an answer keeps of an observation it was computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// What came of the crawl, with its coverage.
    pub state: State,
    /// Whether positions say anything about time.
    pub order: Order,
    /// When the crawl began.
    pub started_at: Timestamp,
    /// When the crawl ended.
    pub finished_at: Timestamp,
    /// How many members it saw.
    pub members: u64,
}

/// Which accounts of a run a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accounts {
    /// Every account of the run.
    All,
    /// These, in any order.
    Only(Vec<AccountId>),
}

/// A run opened once, to take many observations from it.
///
/// Reads the crawls, the pages and the footers of the lists when opened, O(crawls + pages),
/// and no rows at all.
pub struct RunObservations {
    run: RunId,
    crawls: BTreeMap<(List, AccountId), Crawl>,
    pages: HashMap<(List, AccountId), Arc<[PageRecord]>>,
    readers: HashMap<List, Arc<ListReader>>,
}

impl RunObservations {
    /// Opens a run.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(run: &Run) -> Result<Self, Error> {
        let crawls = run.crawls()?.into_iter().map(|c| ((c.list, c.account), c)).collect();
        let mut readers = HashMap::new();
        for list in run.lists() {
            readers.insert(list, Arc::new(run.list(list)?));
        }
        Ok(Self { run: run.id(), crawls, pages: grouped(run.pages()?), readers })
    }

    /// The run's id.
    pub fn run(&self) -> RunId {
        self.run
    }

    /// One list of one account. A list that could not be read, because its owner is
    /// protected or gone, is an observation that saw nothing.
    ///
    /// # Errors
    /// If the run did not ask for that list, or has lost its rows.
    pub fn of(&self, account: AccountId, list: List) -> Result<Observation, Error> {
        let key = (list, account);
        let crawl = self.crawls.get(&key).ok_or_else(|| {
            Error::not_found(format!("run {} has no {list} list of account {account}", self.run))
                .with_hint("`followgraph runs --accounts` lists the accounts of a run")
        })?;
        // An empty list is read like any other: that it has no rows is what its crawl says.
        let rows = self.readers.get(&list).map_or(Rows::None, |r| Rows::Run(Arc::clone(r)));
        let pages = self.pages.get(&key).cloned().unwrap_or_default();
        let observation = Observation { crawl: crawl.clone(), run: Some(self.run), pages, rows };
        if let Rows::None = observation.rows {
            observation.check(0)?;
        }
        Ok(observation)
    }

    /// The accounts whose list the run asked for, ascending.
    pub fn accounts(&self, list: List) -> Vec<AccountId> {
        self.crawls(list).map(|c| c.account).collect()
    }

    /// The crawls of one list, by account.
    pub fn crawls(&self, list: List) -> impl Iterator<Item = &Crawl> {
        let range = (list, AccountId::MIN)..=(list, AccountId::MAX);
        self.crawls.range(range).map(|(_, crawl)| crawl)
    }

    /// Reads one list of all accounts, if the run has it.
    pub(crate) fn reader(&self, list: List) -> Option<&Arc<ListReader>> {
        self.readers.get(&list)
    }

    /// Checks how many rows of one list were met over all accounts.
    pub(crate) fn check(&self, list: List, rows: u64) -> Result<(), Error> {
        let recorded: u64 = self.crawls(list).map(|crawl| crawl.ids).sum();
        if rows == recorded {
            return Ok(());
        }
        let run = self.run;
        Err(Error::damaged(format!(
            "run {run} is damaged: its {list} lists have {rows} rows, and its crawls saw {recorded}"
        )))
    }

    /// One list of many accounts, to be taken in ascending order.
    ///
    /// Lists of a few rows lie together in row groups. Where reading each on its own would
    /// decode far more rows than there are, one sweep reads all of them instead.
    pub(crate) fn lists(&self, list: List, of: &[AccountId]) -> Lists<'_> {
        let sweep = self.reader(list).and_then(|reader| {
            let apart: u64 = of.iter().map(|account| reader.rows_at_most(*account)).sum();
            let worth_it = apart > 2 * reader.rows();
            worth_it.then(|| Sweep::new(reader))
        });
        Lists { run: self, list, sweep }
    }
}

/// One list of many accounts.
pub(crate) struct Lists<'a> {
    run: &'a RunObservations,
    list: List,
    sweep: Option<Sweep<'a>>,
}

impl Lists<'_> {
    /// The lists of some accounts, which must ascend from call to call.
    pub(crate) fn take(&mut self, accounts: &[AccountId]) -> Result<Vec<Observation>, Error> {
        accounts.iter().map(|account| self.next(*account)).collect()
    }

    fn next(&mut self, account: AccountId) -> Result<Observation, Error> {
        let observation = self.run.of(account, self.list)?;
        match &mut self.sweep {
            // A long list stays where it is; its engine reads it piece by piece.
            Some(sweep) if observation.len() <= SWEPT_ROWS => {
                let rows = sweep.rows_of(account)?;
                Ok(observation.with_rows(rows))
            }
            _ => Ok(observation),
        }
    }
}

/// The longest list that a sweep keeps in memory.
const SWEPT_ROWS: u64 = 1 << 17;

/// A walk over all rows of a list file, by account.
struct Sweep<'a> {
    rows: snapshot::Rows<'a>,
    chunk: RowsChunk,
    at: usize,
}

impl<'a> Sweep<'a> {
    fn new(reader: &'a ListReader) -> Self {
        let rows = reader.all(Columns { accounts: true, positions: true });
        Self { rows, chunk: RowsChunk::default(), at: 0 }
    }

    /// The rows of an account that comes after all accounts asked for before.
    fn rows_of(&mut self, account: AccountId) -> Result<SortedRows, Error> {
        let account = account.get();
        let mut found = SortedRows::default();
        loop {
            let left = &self.chunk.accounts[self.at..];
            let start = self.at + left.partition_point(|a| *a < account);
            let end = self.at + left.partition_point(|a| *a <= account);
            found.members.extend_from_slice(&self.chunk.members[start..end]);
            found.positions.extend_from_slice(&self.chunk.positions[start..end]);
            self.at = end;
            if end < self.chunk.accounts.len() {
                return Ok(found);
            }
            match self.rows.next() {
                Some(chunk) => (self.chunk, self.at) = (chunk?, 0),
                None => return Ok(found),
            }
        }
    }
}

impl fmt::Debug for RunObservations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunObservations").field("run", &self.run).finish_non_exhaustive()
    }
}

fn grouped(pages: Vec<PageRecord>) -> HashMap<(List, AccountId), Arc<[PageRecord]>> {
    let mut by_list: HashMap<_, Vec<_>> = HashMap::new();
    for page in pages {
        by_list.entry((page.list, page.account)).or_default().push(page);
    }
    for pages in by_list.values_mut() {
        pages.sort_by_key(|p| p.page);
    }
    by_list.into_iter().map(|(key, pages)| (key, pages.into())).collect()
}
