//! Walks one account's list a page at a time, so that many lists can be walked together.

use std::ops::Range;

use parquet::errors::ParquetError;
use parquet::file::reader::FileReader;

use super::{Group, ListReader, Part, cut, reading, rows_in};
use crate::error::{At, Error};
use crate::integers::{Integer, IntegerReader};
use crate::table::oops;

/// A place in one account's list.
pub struct Cursor<'a> {
    reader: &'a ListReader,
    of: i64,
    members: Range<i64>,
    /// Row groups that are not begun yet, the next one last.
    groups: Vec<Group>,
    begun: Option<Begun>,
    with_positions: bool,
    ids: Vec<i64>,
    positions: Vec<i32>,
}

/// What is left of a row group.
struct Begun {
    group: Group,
    members: Pages<i64>,
    positions: Option<Pages<i32>>,
    /// Rows of this account that are left.
    left: usize,
}

/// A column of which only some rows are wanted, one after another.
struct Pages<T> {
    reader: IntegerReader,
    /// Rows before the first one that is wanted.
    skip: usize,
    /// Rows that were decoded and not yet asked for.
    ready: Vec<T>,
}

impl<'a> Cursor<'a> {
    /// `groups` are those that may hold such members.
    pub(super) fn new(
        reader: &'a ListReader,
        of: i64,
        members: Range<i64>,
        mut groups: Vec<Group>,
    ) -> Self {
        groups.reverse();
        let (ids, positions) = (Vec::new(), Vec::new());
        Self { reader, of, members, groups, begun: None, with_positions: false, ids, positions }
    }

    /// The same with the members' positions.
    #[must_use]
    pub fn with_positions(self) -> Self {
        Self { with_positions: true, ..self }
    }

    /// The next members, at least one and at most a page of them; `None` at the end.
    ///
    /// # Errors
    /// If a row group cannot be read.
    pub fn page(&mut self) -> Result<Option<&[i64]>, Error> {
        while !self.advance()? {
            if self.begun.is_none() && self.groups.is_empty() {
                return Ok(None);
            }
        }
        Ok(Some(&self.ids))
    }

    /// The positions of the page that came last, if they were asked for.
    pub fn positions(&self) -> &[i32] {
        &self.positions
    }

    /// Reads a page, if there is one; says whether it holds members.
    fn advance(&mut self) -> Result<bool, Error> {
        self.ids.clear();
        self.positions.clear();
        let begun = if let Some(begun) = &mut self.begun {
            begun
        } else {
            let Some(group) = self.groups.pop() else { return Ok(false) };
            let part = &self.reader.parts[group.part];
            let begun = Begun::new(part, group, self.of, self.with_positions);
            self.begun.insert(begun.at(&reading(group), &part.path)?)
        };
        let (group, path) = (begun.group, &self.reader.parts[begun.group.part].path);
        let read = begun.next(&mut self.ids, &mut self.positions);
        read.at(&reading(group), path)?;
        let last = self.ids.last().copied().unwrap_or(i64::MAX);
        let keep = rows_in(&self.ids, &self.members);
        if keep.end < self.ids.len() || last >= group.last_member || begun.left == 0 {
            // What follows in this row group lies above the range, or is of others.
            self.begun = None;
        }
        cut(&mut self.ids, &keep);
        if self.with_positions {
            cut(&mut self.positions, &keep);
        }
        Ok(!self.ids.is_empty())
    }
}

impl Begun {
    fn new(part: &Part, group: Group, of: i64, positions: bool) -> Result<Self, ParquetError> {
        let (mut skip, mut left) = (0, group.rows);
        if group.first_account != group.last_account {
            let mut accounts: Vec<i64> = Vec::new();
            part.column(group, 0, &mut accounts)?;
            skip = accounts.partition_point(|a| *a < of);
            left = accounts.partition_point(|a| *a <= of).saturating_sub(skip);
        }
        let members = Pages::new(part, group, 1, skip)?;
        let positions = positions.then(|| Pages::new(part, group, 2, skip)).transpose()?;
        Ok(Self { group, members, positions, left })
    }

    /// The account's rows in the next page that has some; none if none are left.
    fn next(&mut self, ids: &mut Vec<i64>, positions: &mut Vec<i32>) -> Result<(), ParquetError> {
        if self.left == 0 {
            return Ok(());
        }
        self.members.page(self.left, ids)?;
        self.left -= ids.len();
        if let Some(column) = &mut self.positions {
            column.rows(ids.len(), positions)?;
        }
        Ok(())
    }
}

impl<T: Integer> Pages<T> {
    fn new(part: &Part, group: Group, column: usize, skip: usize) -> Result<Self, ParquetError> {
        let meta = part.file.metadata().row_group(group.index).column(column);
        let reader = IntegerReader::open(&part.source, meta, group.rows)?;
        Ok(Self { reader, skip, ready: Vec::new() })
    }

    /// Appends what the next page has, at most `most` rows and at least one.
    fn page(&mut self, most: usize, out: &mut Vec<T>) -> Result<(), ParquetError> {
        self.skip -= self.reader.skip(self.skip)?;
        while out.len() <= self.skip {
            if !self.reader.page(out)? {
                return Err(oops("it ends before its last row"));
            }
        }
        out.truncate(self.skip + most);
        out.drain(..self.skip);
        self.skip = 0;
        Ok(())
    }

    /// Appends exactly so many rows, whatever the pages are.
    fn rows(&mut self, rows: usize, out: &mut Vec<T>) -> Result<(), ParquetError> {
        while self.ready.len() < rows {
            let mut more = Vec::new();
            self.page(usize::MAX - self.skip, &mut more)?;
            if self.ready.is_empty() {
                self.ready = more;
            } else {
                self.ready.append(&mut more);
            }
        }
        if out.is_empty() && self.ready.len() == rows {
            std::mem::swap(out, &mut self.ready);
        } else {
            out.extend(self.ready.drain(..rows));
        }
        Ok(())
    }
}
