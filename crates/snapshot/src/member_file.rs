//! `profiles.parquet`: rows that are written as they come and read a row group at a time,
//! for there may be millions of them, of a kilobyte each.

use std::collections::BTreeSet;
use std::path::Path;

use crate::error::Error;
use crate::manifest::FileEntry;
use crate::schema::Record;
use crate::table::{TableReader, TableWriter};
use crate::{AccountId, List, ListedMember};

/// A row group is written when it has this many bytes or rows, whichever is first.
const GROUP_BYTES: usize = 4 << 20;
const GROUP_ROWS: usize = 1 << 14;

/// Writes the file; it holds one row group in memory.
pub(crate) struct MemberWriter {
    file: TableWriter,
    group: Vec<ListedMember>,
    bytes: usize,
    /// The lists that its rows were met in.
    lists: BTreeSet<(List, AccountId)>,
}

impl MemberWriter {
    pub(crate) fn create(run_folder: &Path) -> Result<Self, Error> {
        let file = ListedMember::create(run_folder)?;
        Ok(Self { file, group: Vec::new(), bytes: 0, lists: BTreeSet::new() })
    }

    pub(crate) fn push(&mut self, row: ListedMember) -> Result<(), Error> {
        self.lists.insert((row.list, row.account));
        self.bytes += row.member.weight();
        self.group.push(row);
        if self.bytes >= GROUP_BYTES || self.group.len() == GROUP_ROWS {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.file.append(&ListedMember::table(&self.group))?;
        self.group.clear();
        self.bytes = 0;
        Ok(())
    }

    pub(crate) fn lists(&self) -> &BTreeSet<(List, AccountId)> {
        &self.lists
    }

    pub(crate) fn finish(mut self, run_folder: &Path) -> Result<FileEntry, Error> {
        if !self.group.is_empty() {
            self.flush()?;
        }
        self.file.finish(run_folder)
    }
}

/// The members' profiles of a run, in batches of some thousands, in the order in which they
/// arrived. It ends after an error.
pub struct MemberProfiles {
    /// None if the run has none.
    file: Option<TableReader>,
    next: usize,
}

impl MemberProfiles {
    pub(crate) fn new(file: Option<TableReader>) -> Self {
        Self { file, next: 0 }
    }
}

impl Iterator for MemberProfiles {
    type Item = Result<Vec<ListedMember>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let file = self.file.as_ref().filter(|file| self.next < file.groups())?;
        let batch = file.group(self.next);
        let batch = batch.and_then(|table| ListedMember::from_table(table, file.path()));
        self.next += 1;
        if batch.is_err() {
            self.file = None;
        }
        Some(batch)
    }
}
