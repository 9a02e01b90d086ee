//! A list that is read on and on, in pieces of any size that nobody has to know beforehand.
//!
//! What was decoded beyond the end of a piece waits for the next one, so a list is decoded once
//! and no more than a page of it is in memory.

use snapshot::Cursor;

use crate::Error;
use crate::id_file::FileRows;
use crate::question::Slice;

/// One list on the way from its first member to its last.
pub(crate) struct Reading<'a> {
    source: Source<'a>,
    /// Rows that were decoded; of a list in memory, none.
    members: Vec<i64>,
    positions: Vec<i32>,
    /// Which of them, or of those in memory, are the present ones.
    from: usize,
    to: usize,
    passed: u64,
}

enum Source<'a> {
    Memory(Slice<'a>),
    Run(Box<Cursor<'a>>),
    File(Box<FileRows<'a>>),
}

impl<'a> Reading<'a> {
    pub(crate) fn of_memory(rows: Slice<'a>) -> Self {
        Self::new(Source::Memory(rows))
    }

    pub(crate) fn of_run(pages: Cursor<'a>) -> Self {
        Self::new(Source::Run(Box::new(pages)))
    }

    pub(crate) fn of_file(rows: FileRows<'a>) -> Self {
        Self::new(Source::File(Box::new(rows)))
    }

    fn new(source: Source<'a>) -> Self {
        let (members, positions) = (Vec::new(), Vec::new());
        Self { source, members, positions, from: 0, to: 0, passed: 0 }
    }

    fn ready(&self) -> &[i64] {
        match &self.source {
            Source::Memory(rows) => rows.members,
            _ => &self.members,
        }
    }

    /// The last row that is at hand behind the present ones. Reads a page if there is none;
    /// `None` at the end of the list.
    pub(crate) fn last_at_hand(&mut self) -> Result<Option<i64>, Error> {
        if self.to == self.ready().len() {
            match &mut self.source {
                Source::Memory(_) => return Ok(None),
                Source::Run(pages) => {
                    self.members.clear();
                    self.positions.clear();
                    if let Some(page) = pages.page()? {
                        self.members.extend_from_slice(page);
                        self.positions.extend_from_slice(pages.positions());
                    }
                }
                Source::File(rows) => {
                    self.members.clear();
                    // Of a page there may be nothing left but repeats.
                    while self.members.is_empty() {
                        let met = rows.next(&mut self.members)?;
                        self.passed += met - self.members.len() as u64;
                        if met == 0 {
                            break;
                        }
                    }
                }
            }
            (self.from, self.to) = (0, 0);
        }
        Ok(self.ready().last().copied())
    }

    /// Goes on to the rows at hand with ids up to `last`.
    pub(crate) fn read_to(&mut self, last: i64) {
        let more = self.ready()[self.to..].partition_point(|id| *id <= last);
        (self.from, self.to) = (self.to, self.to + more);
        self.passed += more as u64;
    }

    /// The present rows.
    pub(crate) fn rows(&self) -> Slice<'_> {
        let rows = self.from..self.to;
        match &self.source {
            Source::Memory(all) => Slice {
                members: &all.members[rows.clone()],
                positions: all.positions.get(rows).unwrap_or_default(),
            },
            _ => Slice {
                members: &self.members[rows.clone()],
                positions: self.positions.get(rows).unwrap_or_default(),
            },
        }
    }

    /// How many rows there have been so far, the present ones and repeats included.
    pub(crate) fn passed(&self) -> u64 {
        self.passed
    }
}
