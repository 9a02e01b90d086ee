//! The files of a history: written out of sight and swapped in as a whole, read by row groups.
//!
//! A swap takes two renames, for a folder cannot be renamed over another one: the old history
//! goes aside, the new one takes its place. Whoever opens the store after a crash between the two
//! puts the old one back.

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;

use super::manifest::Manifest;
use super::{HISTORY_VERSION, HistoryCrawl, Spell};
use crate::error::{At, Error, ErrorKind};
use crate::fs::{checksum, sync_folder};
use crate::part_writer::ROW_GROUP_ROWS;
use crate::schema::{FORMAT_KEY, Record, list_folder};
use crate::table::{Table, TableReader, TableWriter};
use crate::{AccountId, FileEntry, List, RunId, Staging, Store, Tool};

const FOLDER: &str = "history";
const ASIDE: &str = ".history-old";
const LOCK: &str = ".history.lock";
const SPELLS: &str = "spells.parquet";

/// What a store has of a history.
pub enum Kept {
    /// None.
    Nothing,
    /// One that cannot be used: it is damaged, or of another version. The text says why.
    Unusable(String),
    /// One that is whole.
    Whole(History),
}

/// The history that a store keeps, opened. What is swapped in later does not change it.
pub struct History {
    runs: Vec<RunId>,
    crawls: Vec<HistoryCrawl>,
    files: Vec<(List, SpellFile)>,
    bytes: u64,
}

impl History {
    /// The runs that are in it, oldest first.
    pub fn runs(&self) -> &[RunId] {
        &self.runs
    }

    /// Every crawl of them, by list, account and number.
    pub fn crawls(&self) -> &[HistoryCrawl] {
        &self.crawls
    }

    /// The crawls of one list of one account, by number. O(log crawls).
    pub fn crawls_of(&self, account: AccountId, list: List) -> &[HistoryCrawl] {
        let key = |crawl: &HistoryCrawl| (crawl.list, crawl.account);
        let start = self.crawls.partition_point(|crawl| key(crawl) < (list, account));
        let end = self.crawls.partition_point(|crawl| key(crawl) <= (list, account));
        &self.crawls[start..end]
    }

    /// The accounts of which there are crawls of a list, ascending.
    pub fn accounts(&self, list: List) -> Vec<AccountId> {
        let of_list = self.crawls.iter().filter(|crawl| crawl.list == list);
        let mut accounts: Vec<_> = of_list.map(|crawl| crawl.account).collect();
        accounts.dedup();
        accounts
    }

    /// The spells of a list; `None` if no run asked for such a list.
    pub fn spells(&self, list: List) -> Option<&SpellFile> {
        self.files.iter().find(|(of, _)| *of == list).map(|(_, file)| file)
    }

    /// Bytes of its files together.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// The spells of one list of all accounts, by account, member and first sighting.
pub struct SpellFile {
    file: TableReader,
    /// The account and member of each row group's first row.
    starts: Vec<(i64, i64)>,
    rows: u64,
}

impl SpellFile {
    /// How many spells there are.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// How many row groups there are; each has at most 131,072 spells.
    pub fn groups(&self) -> usize {
        self.starts.len()
    }

    /// The spells of one row group.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn group(&self, index: usize) -> Result<Vec<Spell>, Error> {
        Spell::from_table(self.file.group(index)?, self.file.path())
    }

    /// The row groups that may hold spells of an account with members in a range; its end is
    /// outside, but for the last id of all.
    pub fn groups_of(&self, account: AccountId, members: &Range<i64>) -> Range<usize> {
        let account = account.get();
        let start = self.starts.partition_point(|start| *start <= (account, members.start));
        let is_before = |(of, first): &(i64, i64)| {
            (*of, *first) < (account, members.end) || (*of == account && members.end == i64::MAX)
        };
        // A member whose spells lie in two groups may begin in the one before.
        let mut first = start.saturating_sub(1);
        while first > 0 && self.starts[first] == (account, members.start) {
            first -= 1;
        }
        first..self.starts.partition_point(is_before).max(first)
    }

    /// The spells of an account with members in a range; its end is outside, but for the last id
    /// of all. Reads the row groups that hold them.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of(&self, account: AccountId, members: &Range<i64>) -> Result<Vec<Spell>, Error> {
        let mut found = Vec::new();
        for group in self.groups_of(account, members) {
            let is_meant = |spell: &Spell| {
                let member = spell.member.get();
                let within =
                    members.contains(&member) || (member == i64::MAX && members.end == i64::MAX);
                spell.account == account && within
            };
            found.extend(self.group(group)?.into_iter().filter(is_meant));
        }
        Ok(found)
    }

    /// The first members of the row groups that begin with a spell of this account.
    pub fn cuts(&self, account: AccountId) -> Vec<i64> {
        let of_account = self.starts.iter().filter(|(of, _)| *of == account.get());
        let mut cuts: Vec<_> = of_account.map(|(_, member)| *member).collect();
        cuts.dedup();
        cuts
    }
}

/// While it is held, nobody else changes the history of the store.
pub struct HistoryLock(#[expect(dead_code, reason = "the lock goes with the file")] File);

impl Store {
    /// Waits until nobody else changes the history.
    ///
    /// # Errors
    /// If the store cannot be written to.
    pub fn lock_history(&self) -> Result<HistoryLock, Error> {
        let path = self.folder().join(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.at("write to the store", &path)?;
        file.lock().at("lock", &path)?;
        Ok(HistoryLock(file))
    }

    /// The history that the store keeps. Reads every byte of it once, for the checksums, and
    /// keeps what it says of crawls.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn history(&self) -> Result<Kept, Error> {
        let folder = self.folder().join(FOLDER);
        let aside = self.folder().join(ASIDE);
        if !folder.exists() && aside.exists() {
            // A crash came between the two renames. Another process may do the same now.
            let _ = std::fs::rename(&aside, &folder);
        }
        if !folder.exists() {
            return Ok(Kept::Nothing);
        }
        match Manifest::read(&folder) {
            Err(why) => Ok(Kept::Unusable(why)),
            Ok(manifest) => match open(&folder, &manifest) {
                Ok(history) => Ok(Kept::Whole(history)),
                Err(e) if e.kind() == ErrorKind::Damaged => Ok(Kept::Unusable(e.to_string())),
                Err(e) => match std::error::Error::source(&e) {
                    // A file that is missing is damage, too.
                    Some(_) => Ok(Kept::Unusable(e.to_string())),
                    None => Err(e),
                },
            },
        }
    }
}

fn open(folder: &std::path::Path, manifest: &Manifest) -> Result<History, Error> {
    let mut history = History { runs: Vec::new(), crawls: Vec::new(), files: Vec::new(), bytes: 0 };
    for run in &manifest.runs {
        let id = run.parse().map_err(|e| Error::damaged(folder, "a run's id").because(e))?;
        history.runs.push(id);
    }
    let mut starts = manifest.starts.iter();
    for entry in &manifest.files {
        let path = folder.join(&entry.path);
        if checksum(&path)?.sha256 != entry.sha256 {
            return Err(Error::damaged(&path, "its SHA-256 is not that of the manifest"));
        }
        history.bytes += entry.bytes;
        let is_of = |list: &List| entry.path == format!("{}/{SPELLS}", list_folder(*list));
        if let Some(list) = List::ALL.into_iter().find(is_of) {
            let starts = starts.next().cloned().unwrap_or_default();
            let file = TableReader::open(&path)?;
            if file.groups() != starts.len() {
                return Err(Error::damaged(&path, "its row groups are not those of the manifest"));
            }
            history.files.push((list, SpellFile { file, starts, rows: entry.rows }));
        } else {
            let table = Table::read(&path)?;
            history.crawls.extend(HistoryCrawl::from_table(table, &path)?);
        }
    }
    Ok(history)
}

/// A history in the making. Dropping it without [`publish`](Self::publish) leaves no trace.
pub struct HistoryWriter {
    store: PathBuf,
    staging: Staging,
    folder: PathBuf,
    manifest: Manifest,
    file: Option<SpellWriter>,
}

struct SpellWriter {
    list: List,
    file: TableWriter,
    group: Vec<Spell>,
    starts: Vec<(i64, i64)>,
}

impl HistoryWriter {
    /// Begins the history of these runs, out of sight.
    ///
    /// # Errors
    /// If the store cannot be written to.
    pub fn begin(store: &Store, runs: &[RunId]) -> Result<Self, Error> {
        let staging = store.staging()?;
        let folder = staging.folder().join(FOLDER);
        std::fs::create_dir(&folder).at("create", &folder)?;
        let manifest = Manifest {
            format: HISTORY_VERSION,
            tool: Tool {
                name: "followgraph".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            runs: runs.iter().map(RunId::to_string).collect(),
            files: Vec::new(),
            starts: Vec::new(),
        };
        Ok(Self { store: store.folder().to_owned(), staging, folder, manifest, file: None })
    }

    /// Begins the spells of a list.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn begin_list(&mut self, list: List) -> Result<(), Error> {
        self.end_list()?;
        let folder = self.folder.join(list_folder(list));
        std::fs::create_dir(&folder).at("create", &folder)?;
        let version = HISTORY_VERSION.to_string();
        let metadata = [(FORMAT_KEY, version.as_str()), ("followgraph.list", list.name())];
        let file = TableWriter::create(&folder.join(SPELLS), &Spell::table(&[]), &metadata)?;
        self.file = Some(SpellWriter { list, file, group: Vec::new(), starts: Vec::new() });
        Ok(())
    }

    /// Takes the next spells of the list that was begun, by account, member and first sighting.
    ///
    /// # Errors
    /// If they cannot be written, or no list was begun.
    pub fn push(&mut self, spells: impl IntoIterator<Item = Spell>) -> Result<(), Error> {
        let file = self.file.as_mut().ok_or_else(|| Error::invalid("spells of no list"))?;
        for spell in spells {
            file.group.push(spell);
            if file.group.len() == ROW_GROUP_ROWS {
                file.flush()?;
            }
        }
        Ok(())
    }

    fn end_list(&mut self) -> Result<(), Error> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        file.flush()?;
        self.manifest.starts.push(file.starts);
        self.manifest.files.push(file.file.finish(&self.folder)?);
        sync_folder(&self.folder.join(list_folder(file.list)))
    }

    /// Puts it in the place of the one that the store has. To be called with the lock held.
    ///
    /// # Errors
    /// If something cannot be written; then the store has the history that it had.
    pub fn publish(mut self, _: &HistoryLock, crawls: &[HistoryCrawl]) -> Result<(), Error> {
        self.end_list()?;
        let file = HistoryCrawl::write(self.staging.folder(), &self.folder, crawls)?;
        self.manifest.files.push(file);
        self.manifest.write(&self.folder)?;
        sync_folder(&self.folder)?;
        let (target, aside) = (self.store.join(FOLDER), self.store.join(ASIDE));
        if target.exists() {
            if aside.exists() {
                std::fs::remove_dir_all(&aside).at("remove", &aside)?;
            }
            std::fs::rename(&target, &aside).at("put aside", &target)?;
        }
        if let Err(e) = std::fs::rename(&self.folder, &target) {
            let _ = std::fs::rename(&aside, &target);
            return Err(e).at("put the history at", &target);
        }
        sync_folder(&self.store)?;
        // Only tidiness: the next one to publish removes it.
        let _ = std::fs::remove_dir_all(&aside);
        Ok(())
    }
}

impl SpellWriter {
    fn flush(&mut self) -> Result<(), Error> {
        let Some(first) = self.group.first() else { return Ok(()) };
        self.starts.push((first.account.get(), first.member.get()));
        self.file.append(&Spell::table(&self.group))?;
        self.group.clear();
        Ok(())
    }
}

impl HistoryCrawl {
    fn write(
        base: &std::path::Path,
        folder: &std::path::Path,
        crawls: &[Self],
    ) -> Result<FileEntry, Error> {
        let mut file = Self::create(base)?;
        for some in crawls.chunks(ROW_GROUP_ROWS) {
            file.append(&Self::table(some))?;
        }
        file.finish(folder)
    }
}
