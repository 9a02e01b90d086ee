//! Reads lists: only the row groups that can hold what was asked for, only the columns
//! that are wanted.
//!
//! What a footer says is not believed where it could do harm: ranges of bytes must lie in
//! the file, row groups must be no larger than the format allows, so that a damaged file
//! costs an error and neither a panic nor the memory.

use std::fs::File;
use std::io::BufReader;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader};
use parquet::file::statistics::Statistics;
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor};

use crate::AccountId;
use crate::error::{At, Error};
use crate::integers::{Integer, column_span, read_column};
use crate::part_writer::ROW_GROUP_ROWS;
use crate::schema;

mod cursor;

pub use cursor::Cursor;

/// One list of a run, for all of its accounts. Cheap to share between threads.
pub struct ListReader {
    parts: Vec<Part>,
    /// Row groups of all parts, in order.
    groups: Vec<Group>,
    bytes: Arc<AtomicU64>,
}

struct Part {
    path: PathBuf,
    file: SerializedFileReader<CountedFile>,
    source: CountedFile,
}

#[derive(Clone, Copy)]
struct Group {
    part: usize,
    index: usize,
    rows: usize,
    first_account: i64,
    last_account: i64,
    first_member: i64,
    last_member: i64,
}

/// Which columns to decode besides `member_id`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// `account_id`, for scans over all accounts.
    pub accounts: bool,
    /// `position`.
    pub positions: bool,
}

/// Rows of a list, in the dataset's order. Columns that were not asked for are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowsChunk {
    /// Whose list each row belongs to.
    pub accounts: Vec<i64>,
    /// The members.
    pub members: Vec<i64>,
    /// Their index in the order the API returned.
    pub positions: Vec<i32>,
}

impl ListReader {
    pub(crate) fn open(paths: &[PathBuf]) -> Result<Self, Error> {
        let bytes = Arc::new(AtomicU64::new(0));
        let mut reader = Self { parts: Vec::new(), groups: Vec::new(), bytes };
        for path in paths {
            let source = CountedFile::open(path, Arc::clone(&reader.bytes))?;
            let file = SerializedFileReader::new(source.clone()).at("read", path)?;
            if !has_list_columns(file.metadata().file_metadata().schema_descr()) {
                return Err(Error::damaged(path, "its columns are not those of a list"));
            }
            for index in 0..file.num_row_groups() {
                let meta = file.metadata().row_group(index);
                let group = byte_span(meta, source.len)
                    .ok_or("lies outside of the file")
                    .and_then(|_| Group::new(reader.parts.len(), index, meta))
                    .map_err(|what| Error::damaged(path, format!("row group {index} {what}")))?;
                reader.groups.push(group);
            }
            reader.parts.push(Part { path: path.clone(), file, source });
        }
        Ok(reader)
    }

    /// Rows of all accounts together.
    pub fn rows(&self) -> u64 {
        self.groups.iter().map(|g| g.rows as u64).sum()
    }

    /// Bytes read so far, footers included.
    pub fn bytes_read(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Bytes of all parts together.
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|p| p.source.len).sum()
    }

    /// The members of one account with ids in `members`, ascending.
    ///
    /// Touches only the row groups whose statistics allow such a row. The end of the range
    /// is exclusive, except that `i64::MAX`, the largest id there can be, is included: to
    /// `i64::MAX` means to the end. A range that ends before it begins holds nothing.
    pub fn members(&self, of: AccountId, members: Range<i64>, columns: Columns) -> Rows<'_> {
        let of = of.get();
        let holds = |g: &Group| g.may_hold(of, &members);
        let groups = self.groups.iter().filter(|g| holds(g)).copied().collect();
        Rows { reader: self, groups, next: 0, only: Some((of, members)), columns }
    }

    /// All rows of all accounts, by account and member.
    pub fn all(&self, columns: Columns) -> Rows<'_> {
        Rows { reader: self, groups: self.groups.clone(), next: 0, only: None, columns }
    }

    /// The members of one account with ids in `members`, ascending, a page at a time: the same
    /// as [`members`](Self::members), for whoever walks many lists together and cannot hold a
    /// row group of each. The end of the range is as there.
    pub fn cursor(&self, of: AccountId, members: Range<i64>) -> Cursor<'_> {
        let holds = |g: &&Group| g.may_hold(of.get(), &members);
        let groups = self.groups.iter().filter(holds).copied().collect();
        Cursor::new(self, of.get(), members, groups)
    }

    /// The accounts that rows of a row group may belong to, from the first to the last.
    ///
    /// # Panics
    /// If there is no such row group.
    pub fn accounts_in(&self, row_group: usize) -> RangeInclusive<i64> {
        let group = &self.groups[row_group];
        group.first_account..=group.last_account
    }

    /// How many rows a row group has.
    ///
    /// # Panics
    /// If there is no such row group.
    pub fn rows_in(&self, row_group: usize) -> usize {
        self.groups[row_group].rows
    }

    /// Where each of `members` stands in one account's list; `None` for those that are not
    /// in it. The answers are in the order of the question, which may repeat itself.
    ///
    /// Same as looking each up in the whole list. Reads only the row groups whose
    /// statistics can hold one of them, one at a time: for a page of a list, whose members
    /// are of every age, these may be all of the list's row groups.
    ///
    /// # Errors
    /// If a row group cannot be read.
    pub fn positions_of(
        &self,
        account: AccountId,
        members: &[AccountId],
    ) -> Result<Vec<Option<u32>>, Error> {
        let columns = Columns { positions: true, ..Columns::default() };
        let all = 0..i64::MAX;
        let mut answers = vec![None; members.len()];
        let mut asked: Vec<_> = members.iter().map(|m| m.get()).zip(0..).collect();
        asked.sort_unstable();
        for group in self.groups.iter().filter(|g| g.may_hold(account.get(), &all)) {
            let from = asked.partition_point(|(m, _)| *m < group.first_member);
            let to = asked.partition_point(|(m, _)| *m <= group.last_member);
            let Some(asked) = asked.get(from..to).filter(|some| !some.is_empty()) else { continue };
            let mut chunk = self.read(*group, columns)?;
            chunk.narrow(account.get(), &all, columns);
            let mut passed = 0;
            for (member, index) in asked {
                passed += chunk.members[passed..].partition_point(|m| m < member);
                if chunk.members.get(passed) == Some(member) {
                    answers[*index] = u32::try_from(chunk.positions[passed]).ok();
                }
            }
        }
        Ok(answers)
    }

    /// Member ids at which one account's rows can be cut into pieces of about a row group.
    pub fn cuts(&self, of: AccountId) -> Vec<i64> {
        let of = of.get();
        let inside = self.groups.iter().filter(|g| g.first_account == of);
        inside.map(|g| g.first_member).collect()
    }

    /// How many rows the row groups that may hold an account have, an upper bound of its own.
    pub fn rows_at_most(&self, of: AccountId) -> u64 {
        let all = 0..i64::MAX;
        let groups = self.groups.iter().filter(|g| g.may_hold(of.get(), &all));
        groups.map(|g| g.rows as u64).sum()
    }

    fn read(&self, group: Group, columns: Columns) -> Result<RowsChunk, Error> {
        let part = &self.parts[group.part];
        let read = || -> Result<RowsChunk, ParquetError> {
            let mut chunk = RowsChunk::default();
            if columns.accounts || group.first_account != group.last_account {
                part.column(group, 0, &mut chunk.accounts)?;
            }
            part.column(group, 1, &mut chunk.members)?;
            if columns.positions {
                part.column(group, 2, &mut chunk.positions)?;
            }
            Ok(chunk)
        };
        read().at(&reading(group), &part.path)
    }

    /// How many row groups it has, in all parts together.
    pub fn row_groups(&self) -> usize {
        self.groups.len()
    }

    /// Appends the rows of one row group, counted over all parts: the accounts, and the
    /// members. Row groups can be read in any order, and by many threads at a time.
    ///
    /// # Errors
    /// If it cannot be read.
    ///
    /// # Panics
    /// If there is no such row group.
    pub fn row_group(
        &self,
        index: usize,
        accounts: &mut Vec<i64>,
        members: &mut Vec<i64>,
    ) -> Result<(), Error> {
        let group = self.groups[index];
        let part = &self.parts[group.part];
        let accounts = part.column(group, 0, accounts);
        let read = accounts.and_then(|()| part.column(group, 1, members));
        read.at(&format!("read row group {} of", group.index), &part.path)
    }

    /// The row groups whose bytes differ from these checksums.
    pub(crate) fn damaged_groups(&self, checksums: &[u32]) -> Vec<usize> {
        let differs = |group: &Group, checksum: u32| {
            let part = &self.parts[group.part];
            let meta = part.file.metadata().row_group(group.index);
            let bytes = byte_span(meta, part.source.len).and_then(|(from, to)| {
                part.source.get_bytes(from, usize::try_from(to - from).ok()?).ok()
            });
            bytes.is_none_or(|b| crc32fast::hash(&b) != checksum)
        };
        let groups = self.groups.iter().zip(checksums).enumerate();
        groups.filter(|(_, (group, sum))| differs(group, **sum)).map(|(index, _)| index).collect()
    }
}

impl Part {
    /// Appends one column of a row group.
    fn column<T: Integer>(
        &self,
        group: Group,
        column: usize,
        out: &mut Vec<T>,
    ) -> Result<(), ParquetError> {
        read_column(&self.file, &self.source, group.index, column, out)
    }
}

/// The rows of a scan, one chunk per row group.
pub struct Rows<'a> {
    reader: &'a ListReader,
    groups: Vec<Group>,
    next: usize,
    only: Option<(i64, Range<i64>)>,
    columns: Columns,
}

impl Iterator for Rows<'_> {
    type Item = Result<RowsChunk, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let group = *self.groups.get(self.next)?;
            self.next += 1;
            match self.reader.read(group, self.columns) {
                Ok(mut chunk) => {
                    if let Some((of, members)) = &self.only {
                        chunk.narrow(*of, members, self.columns);
                    }
                    if !chunk.members.is_empty() {
                        return Some(Ok(chunk));
                    }
                }
                Err(e) => return Some(Err(e)),
            }
        }
    }
}

fn reading(group: Group) -> String {
    format!("read row group {} of", group.index)
}

/// Where the ids in a range lie among ascending ones. The end of the id space is inclusive:
/// there is no id above it to exclude. Of a range that ends before it begins there is nothing.
fn rows_in(ids: &[i64], range: &Range<i64>) -> Range<usize> {
    let from = ids.partition_point(|id| *id < range.start);
    let to = ids.partition_point(|id| *id < range.end || range.end == i64::MAX);
    from..to.max(from)
}

impl Rows<'_> {
    /// Collects everything into one chunk.
    ///
    /// # Errors
    /// If a row group cannot be read.
    pub fn load(self) -> Result<RowsChunk, Error> {
        let mut all = RowsChunk::default();
        for chunk in self {
            let chunk = chunk?;
            all.accounts.extend(chunk.accounts);
            all.members.extend(chunk.members);
            all.positions.extend(chunk.positions);
        }
        Ok(all)
    }
}

impl RowsChunk {
    /// Keeps the rows of one account with ids in `members`; the chunk is sorted, or damaged,
    /// or the range reversed: then an end that comes before its start is moved to it.
    fn narrow(&mut self, of: i64, members: &Range<i64>, columns: Columns) {
        let mut keep = 0..self.members.len();
        if !self.accounts.is_empty() {
            keep.start = self.accounts.partition_point(|a| *a < of);
            keep.end = self.accounts.partition_point(|a| *a <= of).max(keep.start);
        }
        let inside = rows_in(&self.members[keep.clone()], members);
        let keep = keep.start + inside.start..keep.start + inside.end;
        cut(&mut self.members, &keep);
        if columns.positions {
            cut(&mut self.positions, &keep);
        }
        if columns.accounts {
            cut(&mut self.accounts, &keep);
        } else {
            self.accounts.clear();
        }
    }
}

pub(crate) fn cut<T>(values: &mut Vec<T>, keep: &Range<usize>) {
    values.truncate(keep.end);
    values.drain(..keep.start);
}

impl Group {
    fn new(part: usize, index: usize, meta: &RowGroupMetaData) -> Result<Self, &'static str> {
        let bounds = |column: usize| match meta.column(column).statistics()? {
            Statistics::Int64(s) => Some((*s.min_opt()?, *s.max_opt()?)),
            _ => None,
        };
        let (first_account, last_account) = bounds(0).ok_or("has no statistics")?;
        let (first_member, last_member) = bounds(1).ok_or("has no statistics")?;
        let rows = usize::try_from(meta.num_rows()).ok().filter(|rows| *rows <= ROW_GROUP_ROWS);
        let rows = rows.ok_or("has more rows than the format allows")?;
        Ok(Self { part, index, rows, first_account, last_account, first_member, last_member })
    }

    fn may_hold(&self, account: i64, members: &Range<i64>) -> bool {
        let holds_account = (self.first_account..=self.last_account).contains(&account);
        let below_end = self.first_member < members.end || members.end == i64::MAX;
        // Across accounts the smallest and largest member of the group still bound each one's.
        holds_account && below_end && self.last_member >= members.start
    }
}

/// The bytes that a row group's columns take in its file; they are written one after
/// another. None if they are not all inside of it.
pub(crate) fn byte_span(group: &RowGroupMetaData, file_len: u64) -> Option<(u64, u64)> {
    let spans = group.columns().iter().map(|column| column_span(column, file_len));
    let whole = |a: Option<(u64, u64)>, b: Option<(u64, u64)>| {
        let ((from, to), (start, end)) = (a?, b?);
        Some((from.min(start), to.max(end)))
    };
    spans.reduce(whole)?
}

fn has_list_columns(found: &SchemaDescriptor) -> bool {
    let expected = SchemaDescriptor::new(schema::list_rows());
    let same = |(a, b): (&ColumnDescPtr, &ColumnDescPtr)| {
        let levels = (a.max_def_level(), a.max_rep_level());
        a.name() == b.name() && a.physical_type() == b.physical_type() && levels == (0, 0)
    };
    found.num_columns() == expected.num_columns()
        && found.columns().iter().zip(expected.columns()).all(same)
}

/// A file that counts what is read of it.
#[derive(Clone)]
pub(crate) struct CountedFile {
    file: Arc<File>,
    len: u64,
    bytes: Arc<AtomicU64>,
}

impl CountedFile {
    pub(crate) fn open(path: &Path, bytes: Arc<AtomicU64>) -> Result<Self, Error> {
        let file = crate::fs::open(path)?;
        let len = file.metadata().at("read", path)?.len();
        Ok(Self { file: Arc::new(file), len, bytes })
    }
}

impl Length for CountedFile {
    fn len(&self) -> u64 {
        self.len
    }
}

/// Enough for the header of a page, which is all that is read through it.
const HEADER_BYTES: usize = 128;

impl ChunkReader for CountedFile {
    type T = BufReader<Tail>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::with_capacity(HEADER_BYTES, Tail { file: self.clone(), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<bytes::Bytes, ParquetError> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.len) {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        let mut buffer = vec![0; length];
        read_exact_at(&self.file, &mut buffer, start)?;
        self.bytes.fetch_add(length as u64, Ordering::Relaxed);
        Ok(buffer.into())
    }
}

/// The rest of a [`CountedFile`], read in order.
pub(crate) struct Tail {
    file: CountedFile,
    at: u64,
}

impl std::io::Read for Tail {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = usize::try_from(self.file.len.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        read_exact_at(&self.file.file, &mut buffer[..length], self.at)?;
        self.at += length as u64;
        self.file.bytes.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], at: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, at)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut at: u64) -> std::io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, at)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => {
                buffer = &mut buffer[n..];
                at += n as u64;
            }
        }
    }
    Ok(())
}
