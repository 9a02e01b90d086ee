//! Gathers rows by time, whatever order they come in, without keeping them in memory.
//!
//! A bufferful of rows is sorted by time and appended to a file, where each time of it is
//! one segment. Reading a time back visits its segments in the order they were written, so
//! that rows keep the order of the input.
//!
//! The buffer is made at its full size, and sorted in place: a growing one needs half as much
//! again while it is moved, and so does a stable sort.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use snapshot::AccountId;

use crate::Error;

/// Rows on their way to the disk.
pub(super) struct Spool {
    /// Has no name: it is gone when the process is, however that comes about.
    file: File,
    folder: PathBuf,
    buffer: Vec<Row>,
    capacity: usize,
    segments: Vec<Segment>,
    written: u64,
}

#[derive(Clone, Copy)]
struct Row {
    time: i64,
    account: i64,
    member: i64,
    /// Keeps rows of one time in the order they came.
    order: usize,
}

const ROW_BYTES: u64 = 16;

#[derive(Clone, Copy)]
struct Segment {
    time: i64,
    /// In rows, like `rows`.
    start: u64,
    rows: u64,
}

/// What to do when the disk refuses.
const ROOM: &str = "nothing was published; make room, or see to the disk, and import again";

impl Spool {
    pub(super) fn new(folder: &Path, memory: usize) -> Result<Self, Error> {
        let file = tempfile::tempfile_in(folder)
            .map_err(|e| Error::io("make a temporary file in", folder, e).hint(ROOM))?;
        let capacity = (memory / size_of::<Row>()).max(1024);
        let folder = folder.to_owned();
        Ok(Self { file, folder, buffer: Vec::new(), capacity, segments: Vec::new(), written: 0 })
    }

    pub(super) fn push(
        &mut self,
        time: Timestamp,
        account: AccountId,
        member: AccountId,
    ) -> Result<(), Error> {
        if self.buffer.len() == self.capacity {
            self.flush()?;
        }
        self.buffer.reserve_exact(self.capacity - self.buffer.len());
        let (time, order) = (time.as_microsecond(), self.buffer.len());
        self.buffer.push(Row { time, account: account.get(), member: member.get(), order });
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.buffer.sort_unstable_by_key(|row| (row.time, row.order));
        self.append()
            .map_err(|e| Error::io("write a temporary file in", &self.folder, e).hint(ROOM))?;
        for rows in self.buffer.chunk_by(|a, b| a.time == b.time) {
            let (time, count) = (rows[0].time, rows.len() as u64);
            match self.segments.last_mut() {
                // Input that is in order already makes one segment a time.
                Some(last) if last.time == time => last.rows += count,
                _ => self.segments.push(Segment { time, start: self.written, rows: count }),
            }
            self.written += count;
        }
        self.buffer.clear();
        Ok(())
    }

    fn append(&self) -> io::Result<()> {
        let mut out = BufWriter::with_capacity(1 << 16, &self.file);
        for row in &self.buffer {
            out.write_all(&row.account.to_le_bytes())?;
            out.write_all(&row.member.to_le_bytes())?;
        }
        out.flush()
    }

    /// Ends the input.
    pub(super) fn finish(mut self) -> Result<Spooled, Error> {
        self.flush()?;
        // Stable: the segments of a time stay in the order they were written.
        self.segments.sort_by_key(|segment| segment.time);
        Ok(Spooled { file: self.file, folder: self.folder, segments: self.segments })
    }
}

/// Rows on the disk, found by time.
pub(super) struct Spooled {
    file: File,
    folder: PathBuf,
    segments: Vec<Segment>,
}

impl Spooled {
    /// Every time there is, oldest first.
    pub(super) fn times(&self) -> Vec<Timestamp> {
        let mut times: Vec<i64> = self.segments.iter().map(|segment| segment.time).collect();
        times.dedup();
        // They were timestamps before.
        times.into_iter().filter_map(|time| Timestamp::from_microsecond(time).ok()).collect()
    }

    /// Hands the rows of a time to `each`, in the order of the input.
    pub(super) fn rows(
        &mut self,
        time: Timestamp,
        mut each: impl FnMut(AccountId, AccountId) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let time = time.as_microsecond();
        let from = self.segments.partition_point(|segment| segment.time < time);
        let segments = self.segments[from..].iter().take_while(|segment| segment.time == time);
        for segment in segments.copied() {
            self.read(segment, &mut each)?;
        }
        Ok(())
    }

    fn read(
        &self,
        segment: Segment,
        each: &mut impl FnMut(AccountId, AccountId) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let failed = |e| Error::io("read a temporary file in", &self.folder, e);
        let mut file = &self.file;
        file.seek(SeekFrom::Start(segment.start * ROW_BYTES)).map_err(failed)?;
        let mut rows = BufReader::with_capacity(1 << 16, file.take(segment.rows * ROW_BYTES));
        for _ in 0..segment.rows {
            let mut id = || -> Result<AccountId, Error> {
                let mut bytes = [0; 8];
                rows.read_exact(&mut bytes).map_err(failed)?;
                let damaged = || failed(io::ErrorKind::InvalidData.into());
                AccountId::new(i64::from_le_bytes(bytes)).ok_or_else(damaged)
            };
            let (account, member) = (id()?, id()?);
            each(account, member)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_buffer_takes_no_more_than_it_may() {
        let (folder, memory) = (tempfile::tempdir().unwrap(), 1 << 16);
        let mut spool = Spool::new(folder.path(), memory).unwrap();
        for second in 0..5000_i64 {
            let time = Timestamp::from_second(second).unwrap();
            spool.push(time, AccountId::MIN, AccountId::MAX).unwrap();
            assert!(spool.buffer.capacity() * size_of::<Row>() <= memory);
        }
        assert_eq!(spool.finish().unwrap().times().len(), 5000);
    }

    proptest! {
        #[test]
        fn rows_come_back_by_time_in_the_order_they_came(
            rows in prop::collection::vec((0..9_i64, 0..5_u32, any::<u32>()), 0..4000),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut spool = Spool::new(folder.path(), 0).unwrap();
            let mut expected: BTreeMap<i64, Vec<_>> = BTreeMap::new();
            for (second, account, member) in rows {
                let (account, member) = (AccountId::from(account), AccountId::from(member));
                spool.push(Timestamp::from_second(second).unwrap(), account, member).unwrap();
                expected.entry(second).or_default().push((account, member));
            }
            let mut spooled = spool.finish().unwrap();
            let times = spooled.times();
            prop_assert_eq!(times.len(), expected.len());
            for (time, (second, expected)) in times.into_iter().zip(expected) {
                prop_assert_eq!(time.as_second(), second);
                let mut rows = Vec::new();
                spooled.rows(time, |a, m| { rows.push((a, m)); Ok(()) }).unwrap();
                prop_assert_eq!(rows, expected);
            }
        }
    }
}
