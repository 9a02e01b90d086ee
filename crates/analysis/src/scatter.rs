//! Puts lists of ids in order that are in none, in bounded memory.
//!
//! The ids of all lists are scattered over the same buckets, ranges of about 65,536 ids each,
//! and a bucket is sorted when it is asked for: it then fits in a core's cache, and no list is
//! ever sorted as a whole. This is the partitioning step of a sample sort (Frazer and `McKellar`,
//! 1970), with buckets found by a table instead of a search: the table has a cell for each
//! leading digit of an id and the twelve binary digits behind it, so that ids of all sizes are
//! told apart equally well. Ids that have these in common share a bucket, however many they are:
//! accounts made within the same 18 hours, today.
//!
//! Every chunk of a million ids is scattered by itself and stays one piece, in memory or in a
//! temporary file; a bucket is gathered from all of them. Three passes over 8 bytes an id: the
//! file is decoded, the chunk scattered, the bucket gathered and sorted.

use std::fs::File;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use snapshot::IdTable;

use crate::{Error, limits, radix};

/// Ids that are scattered together.
const CHUNK_IDS: usize = 1 << 20;

/// Ids in a bucket, all lists taken together.
const BUCKET_IDS: u64 = 1 << 16;

/// More would be too many segments of a chunk.
const BUCKETS_MAX: u64 = 1 << 14;

/// Pages that are looked at beforehand.
const SAMPLED_PAGES: usize = 32;

/// Of a sampled page, every so many ids.
const SAMPLED_EVERY: usize = 16;

/// Binary digits of an id behind its leading one that tell its cell.
const DIGITS: u32 = 12;

/// Lists whose ids were scattered over the same buckets.
pub(crate) struct Scatter {
    /// The smallest id of each bucket.
    starts: Vec<i64>,
    /// The chunks of each list.
    lists: Vec<Vec<Chunk>>,
    spill: Option<Spill>,
}

/// Ids by bucket.
struct Chunk {
    /// Where each bucket ends.
    ends: Vec<u32>,
    ids: Place,
}

enum Place {
    Memory(Vec<i64>),
    /// At which byte of the temporary file.
    Disk(u64),
}

/// A file that vanishes with its last user.
struct Spill {
    file: File,
    end: AtomicU64,
}

/// Reads the first column of each table and scatters its ids.
pub(crate) fn scatter(tables: &[IdTable]) -> Result<Scatter, Error> {
    let rows: u64 = tables.iter().map(IdTable::total_rows).sum();
    let spill =
        if rows.saturating_mul(8) > limits::memory() / 2 { Some(Spill::new()?) } else { None };
    let cells = Cells::new(&sample(tables)?, rows);
    let lists = tables.iter().map(|table| {
        let tasks = tasks(table);
        let chunks = tasks.into_par_iter().with_max_len(1);
        let chunks = chunks.map_init(Buffers::default, |buffers, groups| {
            chunks_of(table, groups, &cells, spill.as_ref(), buffers)
        });
        Ok(chunks.collect::<Result<Vec<_>, Error>>()?.into_iter().flatten().collect())
    });
    let lists = lists.collect::<Result<_, Error>>()?;
    Ok(Scatter { starts: cells.starts, lists, spill })
}

impl Scatter {
    /// The smallest id that each bucket can hold.
    pub(crate) fn cuts(&self) -> &[i64] {
        &self.starts
    }

    /// The buckets that may hold ids of a range.
    pub(crate) fn buckets(&self, ids: &Range<i64>) -> Range<usize> {
        let first = self.starts.partition_point(|start| *start <= ids.start);
        let end = self.starts.partition_point(|start| *start < ids.end || ids.end == i64::MAX);
        first.saturating_sub(1)..end
    }

    /// Appends the ids of one list in one bucket, ascending, each once; says how many repeats it
    /// had besides.
    ///
    /// `buffers` are anybody's, and save allocations when they are passed again.
    pub(crate) fn read(
        &self,
        (list, bucket): (usize, usize),
        buffers: &mut SortBuffers,
        out: &mut Vec<i64>,
    ) -> Result<usize, Error> {
        let SortBuffers { keys, scratch, bytes } = buffers;
        keys.clear();
        for chunk in &self.lists[list] {
            let start = if bucket == 0 { 0 } else { chunk.ends[bucket - 1] as usize };
            let rows = start..chunk.ends[bucket] as usize;
            match (&chunk.ids, &self.spill) {
                (Place::Memory(all), _) => {
                    keys.extend(all[rows].iter().map(|id| id.cast_unsigned()));
                }
                (Place::Disk(at), Some(spill)) => spill.read(*at, rows, bytes, keys)?,
                (Place::Disk(_), None) => unreachable!("what is on the disk has a file"),
            }
        }
        radix::sort_spread(keys, scratch);
        let all = keys.len();
        keys.dedup();
        out.extend(keys.iter().map(|key| key.cast_signed()));
        Ok(all - keys.len())
    }
}

/// What a reader of buckets needs for one after another.
#[derive(Default)]
pub(crate) struct SortBuffers {
    keys: Vec<u64>,
    scratch: Vec<u64>,
    bytes: Vec<u8>,
}

/// Which bucket an id belongs to.
struct Cells {
    bucket_of: Vec<u16>,
    starts: Vec<i64>,
}

impl Cells {
    /// Buckets that hold about as many ids as each other, by a sample of them.
    fn new(sample: &[i64], rows: u64) -> Self {
        let mut counts = vec![0_u64; cell(i64::MAX) + 1];
        for id in sample {
            counts[cell(*id)] += 1;
        }
        let buckets = (rows / BUCKET_IDS).clamp(1, BUCKETS_MAX);
        let enough = (sample.len() as u64).div_ceil(buckets).max(1);
        let (mut bucket_of, mut starts) = (Vec::with_capacity(counts.len()), vec![0]);
        let mut met = 0;
        for (cell, count) in counts.into_iter().enumerate() {
            if met > 0 && met + count / 2 > enough {
                starts.push(first_of(cell));
                met = 0;
            }
            met += count;
            bucket_of.push(u16::try_from(starts.len() - 1).unwrap_or(u16::MAX));
        }
        Self { bucket_of, starts }
    }

    fn bucket(&self, id: i64) -> u16 {
        self.bucket_of[cell(id)]
    }
}

/// A number that grows with the id: its length in binary digits, and the [`DIGITS`] behind the
/// leading one. Small ids are their own cell.
#[expect(clippy::cast_possible_truncation, reason = "there are less than 2^18 cells")]
fn cell(id: i64) -> usize {
    let id = id.cast_unsigned();
    let length = u64::BITS - id.leading_zeros();
    let dropped = length.saturating_sub(DIGITS + 1);
    ((u64::from(dropped) << DIGITS) + (id >> dropped)) as usize
}

/// The smallest id of a cell.
fn first_of(cell: usize) -> i64 {
    let dropped = (cell >> DIGITS).saturating_sub(1);
    (((cell - (dropped << DIGITS)) as u64) << dropped).cast_signed()
}

/// Some ids of all lists, spread over them.
fn sample(tables: &[IdTable]) -> Result<Vec<i64>, Error> {
    let mut pages = Vec::new();
    for table in tables {
        let groups: Vec<_> = (0..table.row_groups()).collect();
        let some = groups.len().div_ceil(SAMPLED_PAGES).max(1);
        pages.extend(groups.into_iter().step_by(some).map(|group| (table, group)));
    }
    let sampled = pages.par_iter().map(|(table, group)| {
        let mut ids = Vec::new();
        table.pages(*group, 0)?.next(&mut ids)?;
        Ok(ids.into_iter().step_by(SAMPLED_EVERY).collect::<Vec<_>>())
    });
    Ok(sampled.collect::<Result<Vec<_>, Error>>()?.concat())
}

/// Row groups that are read one after another, with the rows of a chunk or more.
fn tasks(table: &IdTable) -> Vec<Range<usize>> {
    let (mut tasks, mut start, mut rows) = (Vec::new(), 0, 0);
    for group in 0..table.row_groups() {
        rows += table.rows(group);
        if rows >= CHUNK_IDS || group + 1 == table.row_groups() {
            tasks.push(start..group + 1);
            (start, rows) = (group + 1, 0);
        }
    }
    tasks
}

/// What a thread needs for one chunk after another; fresh memory costs more than the work.
#[derive(Default)]
struct Buffers {
    ids: Vec<i64>,
    buckets: Vec<u16>,
    scattered: Vec<i64>,
    bytes: Vec<u8>,
}

fn chunks_of(
    table: &IdTable,
    groups: Range<usize>,
    cells: &Cells,
    spill: Option<&Spill>,
    buffers: &mut Buffers,
) -> Result<Vec<Chunk>, Error> {
    let mut chunks = Vec::new();
    buffers.ids.clear();
    for group in groups {
        let mut pages = table.pages(group, 0)?;
        while pages.next(&mut buffers.ids)? {
            if buffers.ids.len() >= CHUNK_IDS {
                chunks.push(Chunk::new(buffers, cells, spill)?);
                buffers.ids.clear();
            }
        }
    }
    if !buffers.ids.is_empty() {
        chunks.push(Chunk::new(buffers, cells, spill)?);
    }
    Ok(chunks)
}

impl Chunk {
    /// A counting sort by bucket.
    fn new(buffers: &mut Buffers, cells: &Cells, spill: Option<&Spill>) -> Result<Self, Error> {
        let Buffers { ids, buckets, scattered, bytes } = buffers;
        buckets.clear();
        buckets.extend(ids.iter().map(|id| cells.bucket(*id)));
        let mut ends = vec![0_u32; cells.starts.len()];
        for bucket in &*buckets {
            ends[usize::from(*bucket)] += 1;
        }
        let mut next = 0;
        for end in &mut ends {
            next += std::mem::replace(end, next);
        }
        // Now they are where buckets begin, and each id moves one of them on to its end.
        scattered.resize(ids.len(), 0);
        for (id, bucket) in ids.iter().zip(&*buckets) {
            let at = &mut ends[usize::from(*bucket)];
            scattered[*at as usize] = *id;
            *at += 1;
        }
        let ids = match spill {
            Some(spill) => Place::Disk(spill.write(scattered, bytes)?),
            None => Place::Memory(scattered.clone()),
        };
        Ok(Self { ends, ids })
    }
}

impl Spill {
    fn new() -> Result<Self, Error> {
        let file = tempfile::tempfile().map_err(Self::refused)?;
        Ok(Self { file, end: AtomicU64::new(0) })
    }

    /// Writes ids behind all others; says where.
    fn write(&self, ids: &[i64], bytes: &mut Vec<u8>) -> Result<u64, Error> {
        bytes.clear();
        for id in ids {
            bytes.extend_from_slice(&id.to_le_bytes());
        }
        let at = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        write_all_at(&self.file, bytes, at).map_err(Self::refused)?;
        Ok(at)
    }

    fn read(
        &self,
        at: u64,
        rows: Range<usize>,
        bytes: &mut Vec<u8>,
        out: &mut Vec<u64>,
    ) -> Result<(), Error> {
        bytes.resize(8 * rows.len(), 0);
        read_exact_at(&self.file, bytes, at + 8 * rows.start as u64).map_err(Self::refused)?;
        out.extend(bytes.as_chunks::<8>().0.iter().map(|eight| u64::from_le_bytes(*eight)));
        Ok(())
    }

    fn refused(cause: std::io::Error) -> Error {
        let folder = std::env::temp_dir();
        let message = format!("cannot keep ids in a temporary file in {}", folder.display());
        Error::write(message, cause)
            .with_hint("allow more memory with --memory, or name a roomier folder in TMPDIR")
    }
}

#[cfg(unix)]
use std::os::unix::fs::FileExt;

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], at: u64) -> std::io::Result<()> {
    file.write_all_at(bytes, at)
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], at: u64) -> std::io::Result<()> {
    file.read_exact_at(bytes, at)
}

#[cfg(windows)]
fn write_all_at(file: &File, mut bytes: &[u8], mut at: u64) -> std::io::Result<()> {
    use std::os::windows::fs::FileExt as _;
    while !bytes.is_empty() {
        let written = file.seek_write(bytes, at)?;
        bytes = &bytes[written..];
        at += written as u64;
    }
    Ok(())
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut bytes: &mut [u8], mut at: u64) -> std::io::Result<()> {
    use std::os::windows::fs::FileExt as _;
    while !bytes.is_empty() {
        match file.seek_read(bytes, at)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => {
                bytes = &mut bytes[n..];
                at += n as u64;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cells_grow_with_ids_and_begin_where_they_say(a in 0..i64::MAX, shift in 0..63_u32, b in 0..i64::MAX) {
            let (a, b) = (a >> shift, b >> (shift / 2));
            prop_assert_eq!(cell(a) <= cell(b), a <= b || cell(a) == cell(b));
            let first = first_of(cell(a));
            prop_assert!(first <= a && cell(first) == cell(a));
            prop_assert!(first == 0 || cell(first - 1) == cell(a) - 1);
        }
    }
}
