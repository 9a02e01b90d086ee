//! Walks one account's list a page at a time, so that many lists can be walked together.

use std::ops::Range;

use parquet::errors::ParquetError;
use parquet::file::reader::FileReader;

use super::{Group, ListReader, Part, reading, rows_in};
use crate::error::{At, Error};
use crate::integers::IntegerReader;
use crate::table::oops;

/// A place in one account's list.
pub struct Cursor<'a> {
    reader: &'a ListReader,
    of: i64,
    members: Range<i64>,
    /// Row groups that are not begun yet, the next one last.
    groups: Vec<Group>,
    pages: Option<Pages>,
    ids: Vec<i64>,
}

/// What is left of a row group.
struct Pages {
    reader: IntegerReader,
    group: Group,
    /// Rows of other accounts before the next page's first row of this one.
    skip: usize,
    /// Rows of this account that are left.
    left: usize,
}

impl<'a> Cursor<'a> {
    /// `groups` are those that may hold such members, the next one last.
    pub(super) fn new(
        reader: &'a ListReader,
        of: i64,
        members: Range<i64>,
        groups: Vec<Group>,
    ) -> Self {
        Self { reader, of, members, groups, pages: None, ids: Vec::new() }
    }

    /// The next members, at least one and at most a page of them; `None` at the end.
    ///
    /// # Errors
    /// If a row group cannot be read.
    pub fn page(&mut self) -> Result<Option<&[i64]>, Error> {
        loop {
            let Some(pages) = &mut self.pages else {
                let Some(group) = self.groups.pop() else { return Ok(None) };
                let part = &self.reader.parts[group.part];
                let begun = Pages::begin(part, group, self.of);
                self.pages = Some(begun.at(&reading(group), &part.path)?);
                continue;
            };
            let (group, path) = (pages.group, &self.reader.parts[pages.group.part].path);
            self.ids.clear();
            if !pages.next(&mut self.ids).at(&reading(group), path)? {
                self.pages = None;
                continue;
            }
            let last = self.ids.last().copied().unwrap_or(i64::MAX);
            let keep = rows_in(&self.ids, &self.members);
            if keep.end < self.ids.len() || last >= group.last_member {
                // What follows in this row group lies above the range, or is of others.
                pages.left = 0;
            }
            if !keep.is_empty() {
                return Ok(Some(&self.ids[keep]));
            }
        }
    }
}

impl Pages {
    fn begin(part: &Part, group: Group, of: i64) -> Result<Self, ParquetError> {
        let (mut skip, mut left) = (0, group.rows);
        if group.first_account != group.last_account {
            let mut accounts: Vec<i64> = Vec::new();
            part.column(group, 0, &mut accounts)?;
            skip = accounts.partition_point(|a| *a < of);
            left = accounts.partition_point(|a| *a <= of).saturating_sub(skip);
        }
        let meta = part.file.metadata().row_group(group.index).column(1);
        let reader = IntegerReader::open(&part.source, meta, group.rows)?;
        Ok(Self { reader, group, skip, left })
    }

    /// The account's rows in the next page that has some; false if there are none.
    fn next(&mut self, ids: &mut Vec<i64>) -> Result<bool, ParquetError> {
        if self.left == 0 {
            return Ok(false);
        }
        self.skip -= self.reader.skip(self.skip)?;
        while ids.len() <= self.skip {
            if !self.reader.page(ids)? {
                return Err(oops("it ends before its last row"));
            }
        }
        ids.truncate(self.skip + self.left);
        ids.drain(..self.skip);
        self.skip = 0;
        self.left -= ids.len();
        Ok(true)
    }
}
