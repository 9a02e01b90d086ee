//! Sorts more rows than fit in memory: sorted runs on disk, merged on the way out.
//!
//! The memory it takes is the buffer, reserved once and never grown, plus 32 kB for each
//! spilled run that is being merged. No more than [`FILES_MAX`] are open at a time: when
//! there are more, they are merged to longer ones first.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;

use crate::List;
use crate::error::{At, Error, ErrorKind};

/// One row of a list. The derived order is the dataset's: list, account, member; equal
/// members by position, so that the first of them is the one to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) list: List,
    pub(crate) account: i64,
    pub(crate) member: i64,
    pub(crate) position: i32,
}

const ROW_BYTES: usize = 1 + 8 + 8 + 4;

/// Spilled runs that are merged at a time.
const FILES_MAX: usize = 64;

impl Row {
    pub(crate) fn is_same_member(self, other: Self) -> bool {
        (self.list, self.account, self.member) == (other.list, other.account, other.member)
    }

    fn to_bytes(self) -> [u8; ROW_BYTES] {
        let mut bytes = [0; ROW_BYTES];
        bytes[0] = u8::from(self.list == List::Following);
        bytes[1..9].copy_from_slice(&self.account.to_le_bytes());
        bytes[9..17].copy_from_slice(&self.member.to_le_bytes());
        bytes[17..].copy_from_slice(&self.position.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: [u8; ROW_BYTES]) -> Self {
        let long = |at: usize| i64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        Self {
            list: if bytes[0] == 0 { List::Followers } else { List::Following },
            account: long(1),
            member: long(9),
            position: i32::from_le_bytes(std::array::from_fn(|i| bytes[17 + i])),
        }
    }
}

/// Takes rows in any order and gives them back in order.
pub(crate) struct Sorter {
    folder: PathBuf,
    buffer: Vec<Row>,
    capacity: usize,
    spilled: VecDeque<PathBuf>,
    /// How many files were made, for their names.
    files: u32,
}

impl Sorter {
    /// Spills into `folder`, which must exist, whenever the buffer has `memory` bytes, or
    /// 1024 rows if that is more.
    pub(crate) fn new(folder: PathBuf, memory: usize) -> Self {
        let capacity = (memory / size_of::<Row>()).max(1024);
        Self { folder, buffer: Vec::new(), capacity, spilled: VecDeque::new(), files: 0 }
    }

    pub(crate) fn push(&mut self, row: Row) -> Result<(), Error> {
        if self.buffer.len() == self.capacity {
            self.spill()?;
        }
        if self.buffer.capacity() == 0 {
            // At once: a vector that grows holds its old rows and its new ones for a moment.
            // The system gives pages only as they are written to.
            self.buffer
                .try_reserve_exact(self.capacity)
                .map_err(|e| too_large(self.capacity, e))?;
        }
        self.buffer.push(row);
        Ok(())
    }

    fn spill(&mut self) -> Result<(), Error> {
        self.buffer.sort_unstable();
        let mut out = self.create()?;
        self.buffer.iter().try_for_each(|row| out.write(*row))?;
        self.buffer.clear();
        self.spilled.push_back(out.finish()?);
        Ok(())
    }

    fn create(&mut self) -> Result<Spill, Error> {
        let path = self.folder.join(format!("spill-{:05}", self.files));
        self.files += 1;
        let file = File::create_new(&path).at("write", &path)?;
        Ok(Spill { file: BufWriter::with_capacity(1 << 16, file), path })
    }

    /// Ends the input and hands every row to `each`, in order.
    pub(crate) fn drain(
        mut self,
        mut each: impl FnMut(Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.buffer.sort_unstable();
        if self.spilled.is_empty() {
            return self.buffer.into_iter().try_for_each(each);
        }
        while self.spilled.len() > FILES_MAX {
            let some: Vec<_> = self.spilled.drain(..FILES_MAX).collect();
            let mut out = self.create()?;
            merge(&some, &[], &mut |row| out.write(row))?;
            self.spilled.push_back(out.finish()?);
        }
        merge(self.spilled.make_contiguous(), &self.buffer, &mut each)
    }
}

/// A sorted run being written to disk.
struct Spill {
    file: BufWriter<File>,
    path: PathBuf,
}

impl Spill {
    fn write(&mut self, row: Row) -> Result<(), Error> {
        self.file.write_all(&row.to_bytes()).at("write", &self.path)
    }

    fn finish(self) -> Result<PathBuf, Error> {
        let closed = self.file.into_inner().map_err(io::IntoInnerError::into_error);
        closed.at("write", &self.path)?;
        Ok(self.path)
    }
}

fn too_large(rows: usize, e: std::collections::TryReserveError) -> Error {
    let what = format!("there is no memory to sort {rows} rows in");
    Error::new(ErrorKind::Invalid, what).because(e).hint("let it sort in less memory")
}

/// Hands the rows of sorted files and of sorted memory to `each`, in order, and removes
/// the files.
fn merge(
    files: &[PathBuf],
    memory: &[Row],
    each: &mut impl FnMut(Row) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut runs = Vec::with_capacity(files.len() + 1);
    for path in files {
        let file = File::open(path).at("open", path)?;
        runs.push(Source::Disk(BufReader::with_capacity(1 << 15, file), path.clone()));
    }
    runs.push(Source::Memory(memory.iter()));
    let mut heads = BinaryHeap::with_capacity(runs.len());
    for (index, run) in runs.iter_mut().enumerate() {
        heads.extend(run.next()?.map(|row| Reverse((row, index))));
    }
    while let Some(mut head) = heads.peek_mut() {
        let Reverse((row, index)) = *head;
        each(row)?;
        match runs[index].next()? {
            Some(next) => *head = Reverse((next, index)),
            None => drop(std::collections::binary_heap::PeekMut::pop(head)),
        }
    }
    drop(runs);
    for path in files {
        std::fs::remove_file(path).at("remove", path)?;
    }
    Ok(())
}

enum Source<'a> {
    Disk(BufReader<File>, PathBuf),
    Memory(std::slice::Iter<'a, Row>),
}

impl Source<'_> {
    fn next(&mut self) -> Result<Option<Row>, Error> {
        match self {
            Self::Memory(rows) => Ok(rows.next().copied()),
            Self::Disk(file, path) => {
                let mut bytes = [0; ROW_BYTES];
                match file.read_exact(&mut bytes) {
                    Ok(()) => Ok(Some(Row::from_bytes(bytes))),
                    Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
                    Err(e) => Err(e).at("read", path),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row() -> impl Strategy<Value = Row> {
        (any::<bool>(), 0..5_i64, any::<i64>(), 0..9_i32).prop_map(
            |(b, account, member, position)| {
                let list = if b { List::Following } else { List::Followers };
                Row { list, account, member, position }
            },
        )
    }

    proptest! {
        #[test]
        fn spilling_changes_nothing(rows in prop::collection::vec(row(), 0..5000)) {
            let folder = tempfile::tempdir().unwrap();
            let mut sorter = Sorter::new(folder.path().to_owned(), 1);
            for row in &rows {
                sorter.push(*row).unwrap();
            }
            let mut sorted = Vec::new();
            sorter.drain(|row| { sorted.push(row); Ok(()) }).unwrap();
            let mut expected = rows;
            expected.sort();
            prop_assert_eq!(sorted, expected);
            prop_assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn more_files_than_may_be_open_are_merged_in_passes() {
        let folder = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::new(folder.path().to_owned(), 1);
        let rows = 1024 * (2 * FILES_MAX as u64 + 3) + 5;
        for i in 0..rows {
            // A permutation: the multiplier has no factor in common with the count.
            let member = i64::try_from(i * 1_000_003 % rows).unwrap();
            sorter.push(Row { list: List::Followers, account: 1, member, position: 0 }).unwrap();
            assert_eq!(sorter.buffer.capacity(), 1024);
        }
        assert_eq!(sorter.spilled.len(), 2 * FILES_MAX + 3);
        let mut next = 0;
        let each = |row: Row| {
            assert_eq!(row.member, next);
            next += 1;
            Ok(())
        };
        sorter.drain(each).unwrap();
        assert_eq!(u64::try_from(next).unwrap(), rows);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
