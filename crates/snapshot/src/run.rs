//! One published run: its id, its tables, its lists.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::Timestamp;

use crate::error::{Error, ErrorKind};
use crate::fs::checksum;
use crate::manifest::{FileEntry, Manifest};
use crate::schema::{Record, list_folder};
use crate::table::{Table, TableReader};
use crate::{
    AccountId, Crawl, List, ListReader, ListedMember, LookUp, MemberProfiles, PageRecord, Profile,
};

/// The id of a run: the second its writer was begun with, and a number if the second was
/// taken. Batches begin it with the first crawl's start, as the source tells the time.
///
/// Written without colons so that it can name a folder on every file system:
/// `2026-11-23T07-28-00Z`, `2026-11-23T07-28-00Z-2`. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId {
    second: i64,
    number: u32,
}

impl RunId {
    /// The first id of a moment.
    pub fn at(time: Timestamp) -> Self {
        Self { second: time.as_second(), number: 1 }
    }

    /// The next id of the same second.
    #[must_use]
    pub const fn next(self) -> Self {
        Self { number: self.number + 1, ..self }
    }

    /// The second its writer was begun with.
    pub fn time(self) -> Timestamp {
        Timestamp::from_second(self.second).unwrap_or_default()
    }

    /// The name of its folder.
    pub fn folder(self) -> String {
        format!("run={self}")
    }

    pub(crate) fn from_folder(name: &str) -> Option<Result<Self, Error>> {
        name.strip_prefix("run=").map(str::parse)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.time().to_string().replace(':', "-");
        if self.number > 1 {
            text = format!("{text}-{}", self.number);
        }
        f.pad(&text)
    }
}

impl FromStr for RunId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parse = || {
            let (stem, rest) = text.split_once('Z')?;
            let (date, time) = stem.split_once('T')?;
            let second = format!("{date}T{}Z", time.replace('-', ":")).parse::<Timestamp>().ok()?;
            let number = if rest.is_empty() { 1 } else { rest.strip_prefix('-')?.parse().ok()? };
            let id = Self { second: second.as_second(), number };
            (id.to_string() == text).then_some(id)
        };
        parse().ok_or_else(|| Error::invalid(format!("`{text}` is not a run id")))
    }
}

/// One published run. Opening it reads the manifest only.
#[derive(Clone, Debug)]
pub struct Run {
    id: RunId,
    folder: PathBuf,
    manifest: Manifest,
}

impl Run {
    pub(crate) fn open(id: RunId, folder: PathBuf) -> Result<Self, Error> {
        let manifest = Manifest::read(&folder)?;
        if manifest.run != id.to_string() {
            return Err(Error::damaged(
                &folder,
                format!("its manifest is of run {}", manifest.run),
            ));
        }
        Ok(Self { id, folder, manifest })
    }

    /// Its id.
    pub fn id(&self) -> RunId {
        self.id
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it consists of.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Every crawl of the run, by list and account.
    ///
    /// # Errors
    /// If the table cannot be read, or is not the one that was written.
    pub fn crawls(&self) -> Result<Vec<Crawl>, Error> {
        self.records()
    }

    /// Every page the run's crawls read; empty for sources without pages.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub fn pages(&self) -> Result<Vec<PageRecord>, Error> {
        self.records()
    }

    /// The accounts of the run, by id.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub fn profiles(&self) -> Result<Vec<Profile>, Error> {
        self.records()
    }

    /// The profiles of the lists' members, in batches; none if the run kept none.
    ///
    /// Reads the file twice, first for its checksum, and holds one batch in memory.
    ///
    /// # Errors
    /// If the file cannot be opened, or is not the one that was written.
    pub fn member_profiles(&self) -> Result<MemberProfiles, Error> {
        let file = self.manifest.entry(ListedMember::FILE).map(|entry| self.whole(entry));
        let file = file.transpose()?.map(|path| TableReader::open(&path)).transpose()?;
        Ok(MemberProfiles::new(file))
    }

    /// Every look-up of the run, by member and time; none if nobody was looked up.
    ///
    /// # Errors
    /// If the table cannot be read, or is not the one that was written.
    pub fn look_ups(&self) -> Result<Vec<LookUp>, Error> {
        match self.manifest.entry(LookUp::FILE) {
            Some(_) => self.records(),
            None => Ok(Vec::new()),
        }
    }

    /// The look-ups of some members, by member and time. It takes the memory of its answer
    /// and of some ten thousand rows, however many others were looked up.
    ///
    /// # Errors
    /// As [`look_ups`](Self::look_ups).
    pub fn look_ups_of(&self, members: &[AccountId]) -> Result<Vec<LookUp>, Error> {
        let members: HashSet<_> = members.iter().collect();
        let mut found = Vec::new();
        let Some(entry) = self.manifest.entry(LookUp::FILE) else { return Ok(found) };
        let file = TableReader::open(&self.whole(entry)?)?;
        for group in 0..file.groups() {
            let rows = LookUp::from_table(file.group(group)?, file.path())?;
            found.extend(rows.into_iter().filter(|l| members.contains(&l.member)));
        }
        Ok(found)
    }

    pub(crate) fn records<R: Record>(&self) -> Result<Vec<R>, Error> {
        let path = self.folder.join(R::FILE);
        let entry = self.manifest.entry(R::FILE);
        let entry = entry.ok_or_else(|| Error::damaged(&path, "it is not in the manifest"))?;
        R::from_table(Table::read(&self.whole(entry)?)?, &path)
    }

    /// The path of a file that is as it was written. Tables are not read without this:
    /// conclusions hang on them, and the Parquet library panics on some damaged texts.
    fn whole(&self, entry: &FileEntry) -> Result<PathBuf, Error> {
        let path = self.folder.join(&entry.path);
        if checksum(&path)?.sha256 == entry.sha256 {
            return Ok(path);
        }
        Err(Error::damaged(&path, "its SHA-256 is not that of the manifest"))
    }

    /// The account that goes by a name, compared without case, or by its id.
    ///
    /// # Errors
    /// If the run knows nobody of that name.
    pub fn account(&self, name: &str) -> Result<AccountId, Error> {
        let bare = name.strip_prefix('@').unwrap_or(name);
        if bare == name
            && let Ok(id) = name.parse()
        {
            return Ok(id);
        }
        let known = self.profiles()?;
        let same = |p: &&Profile| p.username.as_ref().is_some_and(|u| u.eq_ignore_ascii_case(bare));
        known.iter().find(same).map(|p| p.account).ok_or_else(|| {
            Error::not_found(format!("run {} has no account @{bare}", self.id))
                .hint("`followgraph runs --accounts` lists the accounts of a run")
        })
    }

    /// Opens one of its lists, for any of its accounts; reads the files' footers only.
    ///
    /// # Errors
    /// If the run did not ask for that list, or a part cannot be opened.
    pub fn list(&self, list: List) -> Result<ListReader, Error> {
        let prefix = format!("{}/", list_folder(list));
        let parts = self.manifest.files.iter().filter(|f| f.path.starts_with(&prefix));
        let paths: Vec<_> = parts.map(|f| self.folder.join(&f.path)).collect();
        if paths.is_empty() {
            let message = format!("run {} holds no `{list}` lists", self.id);
            return Err(Error::new(ErrorKind::NotFound, message));
        }
        ListReader::open(&paths)
    }

    /// Which of the two lists the run asked for.
    pub fn lists(&self) -> Vec<List> {
        let has = |list: &List| {
            let prefix = format!("{}/", list_folder(*list));
            self.manifest.files.iter().any(|f| f.path.starts_with(&prefix))
        };
        List::ALL.into_iter().filter(has).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_the_name_of_a_folder_and_sort_by_time() {
        let time: Timestamp = "2026-11-23T07:28:00.7Z".parse().unwrap();
        let (first, second) = (RunId::at(time), RunId::at(time).next());
        assert_eq!(first.to_string(), "2026-11-23T07-28-00Z");
        assert_eq!(second.to_string(), "2026-11-23T07-28-00Z-2");
        assert_eq!(first.to_string().parse::<RunId>().unwrap(), first);
        assert_eq!(second.to_string().parse::<RunId>().unwrap(), second);
        assert!(first < second);
        for bad in ["2026-11-23", "2026-11-23T07-28-00Z-1", "2026-11-23T07-28-00Z-02", "latest"] {
            assert!(bad.parse::<RunId>().is_err(), "{bad}");
        }
    }
}
