//! Sorts more rows than fit in memory: sorted runs on disk, merged on the way out.
//!
//! The memory it takes is the buffer, plus one small read buffer for each spilled run.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;

use crate::List;
use crate::error::{At, Error};

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
    spilled: Vec<PathBuf>,
}

impl Sorter {
    /// Spills into `folder`, which must exist, whenever the buffer has `memory` bytes.
    pub(crate) fn new(folder: PathBuf, memory: usize) -> Self {
        let capacity = (memory / size_of::<Row>()).max(1024);
        Self { folder, buffer: Vec::new(), capacity, spilled: Vec::new() }
    }

    pub(crate) fn push(&mut self, row: Row) -> Result<(), Error> {
        if self.buffer.len() == self.capacity {
            self.spill()?;
        }
        self.buffer.push(row);
        Ok(())
    }

    fn spill(&mut self) -> Result<(), Error> {
        self.buffer.sort_unstable();
        let path = self.folder.join(format!("spill-{:05}", self.spilled.len()));
        let write = |file: File| -> io::Result<()> {
            let mut out = BufWriter::with_capacity(1 << 16, file);
            for row in &self.buffer {
                out.write_all(&row.to_bytes())?;
            }
            out.into_inner().map(drop).map_err(io::IntoInnerError::into_error)
        };
        File::create_new(&path).and_then(write).at("write", &path)?;
        self.buffer.clear();
        self.spilled.push(path);
        Ok(())
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
        self.merge(&mut each)?;
        for path in &self.spilled {
            std::fs::remove_file(path).at("remove", path)?;
        }
        Ok(())
    }

    fn merge(&self, each: &mut impl FnMut(Row) -> Result<(), Error>) -> Result<(), Error> {
        let mut runs = Vec::new();
        for path in &self.spilled {
            let file = File::open(path).at("open", path)?;
            runs.push(Source::Disk(BufReader::with_capacity(1 << 15, file), path.clone()));
        }
        runs.push(Source::Memory(self.buffer.iter()));
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
        Ok(())
    }
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
}
