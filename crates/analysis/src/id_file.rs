//! Lists of ids in Parquet files that other tools wrote, sorted or not.
//!
//! A file whose ids ascend is read as it lies. Any other is [scattered](crate::scatter) over
//! ranges of ids first, together with those it is to be compared with.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use snapshot::{AccountId, Coverage, Crawl, IdPages, IdTable, List, State};

use crate::engine::Engine;
use crate::scatter::{self, Scatter, SortBuffers};
use crate::{DiffPart, Error, Observation, diff_each, in_step};

/// Columns that hold the ids, where nothing else is said.
const USUAL: [&str; 2] = ["member_id", "id"];

/// Rows up to which it is quicker to sort than to find out whether that is needed.
const FEW_ROWS: u64 = 1 << 20;

/// Row groups of which the first page is looked at.
const LOOKED_AT: usize = 16;

/// Hands over who is in one of two Parquet files of ids only, in ascending order: `gained` is in
/// `after` alone, `lost` in `before` alone. [`DiffPart::unchanged`] means nothing here; ask
/// [`diff_each`](crate::diff_each) of [`id_files`] for it.
///
/// Same as comparing [`id_files`], which says what files may be. Two that are in the same order
/// but for what changed, as two readings of one list are, need not be sorted for it.
///
/// # Errors
/// As [`id_files`], or if `take` fails.
pub fn diff_id_files(
    [before, after]: [&Path; 2],
    column: Option<&str>,
    engine: &dyn Engine,
    mut take: impl FnMut(DiffPart) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    let (tables, sorted) = open(&[before, after], column)?;
    if !sorted && in_step::compare(&tables[0], &tables[1], &mut take)? {
        return Ok(());
    }
    let lists = lists(tables, sorted)?;
    diff_each(&lists[0], &lists[1], engine, |_, part| take(part))
}

/// Lists of ids in Parquet files, to be compared with one another. A file is taken for a whole
/// list, of which each id counts once; whose list it is, and when it was read, it does not tell,
/// so accounts and times of the observations mean nothing.
///
/// `column` is the one that holds the ids; without it, `member_id`, or else `id`, or else the
/// only column there is. Files may have any order. Those whose ids ascend strictly, row group
/// by row group, are read as they lie; if any of them is not so, all are read once here and put
/// in order piece by piece, in memory or, beyond a half of [`memory`](crate::memory), in a
/// temporary file.
///
/// # Errors
/// If a file cannot be read, has no such column, or holds what cannot be an id.
pub fn id_files(paths: &[&Path], column: Option<&str>) -> Result<Vec<Observation>, Error> {
    let (tables, sorted) = open(paths, column)?;
    lists(tables, sorted)
}

/// Opens files, and says whether all of them look sorted.
fn open(paths: &[&Path], column: Option<&str>) -> Result<(Vec<IdTable>, bool), Error> {
    let (mut tables, mut sorted) = (Vec::new(), true);
    for path in paths {
        let column = match column {
            Some(column) => column.to_owned(),
            None => usual_column(path)?,
        };
        tables.push(IdTable::open(path, &[&column])?);
    }
    for table in &tables {
        sorted = sorted && seems_sorted(table)?;
    }
    Ok((tables, sorted))
}

fn lists(tables: Vec<IdTable>, sorted: bool) -> Result<Vec<Observation>, Error> {
    let files: Vec<_> = if sorted {
        let of =
            |table: IdTable| IdFile { rows: table.total_rows(), order: Order::Ascending(table) };
        tables.into_iter().map(of).collect()
    } else {
        let scatter = Arc::new(scatter::scatter(&tables)?);
        let of = |list| Order::Scattered(Arc::clone(&scatter), list);
        tables
            .iter()
            .zip(0..)
            .map(|(t, list)| IdFile { rows: t.total_rows(), order: of(list) })
            .collect()
    };
    let state = State::Read(Coverage::Complete);
    let crawl =
        || Crawl::new(AccountId::MIN, List::Followers, "file", state, Timestamp::UNIX_EPOCH);
    Ok(files.into_iter().map(|file| Observation::of_file(crawl(), file)).collect())
}

fn usual_column(path: &Path) -> Result<String, Error> {
    let names = IdTable::column_names(path)?;
    let usual = USUAL.into_iter().find(|usual| names.iter().any(|name| name == usual));
    match (usual, names.as_slice()) {
        (Some(usual), _) => Ok(usual.to_owned()),
        (None, [only]) => Ok(only.clone()),
        (None, _) => {
            let shown = path.display();
            Err(Error::not_found(format!("{shown} has no column `member_id` or `id`"))
                .with_hint(format!("name the column that holds the ids: {}", names.join(", "))))
        }
    }
}

/// Whether it looks as if the ids ascend. That they do is found out when they are read.
fn seems_sorted(table: &IdTable) -> Result<bool, Error> {
    let groups: Vec<_> = (0..table.row_groups()).filter(|group| table.rows(*group) > 0).collect();
    let bounds: Option<Vec<_>> = groups.iter().map(|group| table.bounds(*group, 0)).collect();
    let apart = bounds.is_some_and(|b| b.windows(2).all(|pair| pair[0].1 <= pair[1].0));
    if !apart || table.total_rows() <= FEW_ROWS {
        return Ok(false);
    }
    for group in groups.iter().step_by(groups.len().div_ceil(LOOKED_AT)) {
        let mut ids = Vec::new();
        table.pages(*group, 0)?.next(&mut ids)?;
        if order_of(&ids) == Ordered::Not {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether no id is smaller than the one before, and whether they are all different.
fn order_of(ids: &[i64]) -> Ordered {
    if ascend(ids) {
        return Ordered::Strictly;
    }
    if ids.is_sorted() { Ordered::WithRepeats } else { Ordered::Not }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ordered {
    Strictly,
    WithRepeats,
    Not,
}

/// Whether each id is larger than the one before.
fn ascend(ids: &[i64]) -> bool {
    // By the sign of differences, which cannot overflow as no id is negative: not `all`, which
    // would stop at the first and so go one by one, and not `<`, for which many a processor has
    // no instruction on several numbers at once.
    ids.len() < 2 || ids.windows(2).fold(-1, |signs, pair| signs & (pair[0] - pair[1])) < 0
}

/// A file of ids.
pub(crate) struct IdFile {
    rows: u64,
    order: Order,
}

enum Order {
    Ascending(IdTable),
    /// Together with others; which of them it is.
    Scattered(Arc<Scatter>, usize),
}

impl IdFile {
    /// How many rows it has; of one that is not sorted, repeated ids included.
    pub(crate) fn len(&self) -> u64 {
        self.rows
    }

    /// Ids at which it can be cut into pieces of about the same size.
    pub(crate) fn cuts(&self) -> Vec<i64> {
        match &self.order {
            Order::Ascending(table) => {
                (0..table.row_groups()).filter_map(|g| Some(table.bounds(g, 0)?.0)).collect()
            }
            Order::Scattered(scatter, _) => scatter.cuts().to_vec(),
        }
    }

    /// The ids in a range, whose end is inclusive if it is that of the id space.
    pub(crate) fn rows(&self, ids: Range<i64>) -> FileRows<'_> {
        match &self.order {
            Order::Ascending(table) => {
                let holds = |group: &usize| {
                    let bounds = table.bounds(*group, 0);
                    bounds.is_none_or(|(first, last)| first <= ids.end && last >= ids.start)
                };
                let groups = (0..table.row_groups()).rev().filter(holds).collect();
                FileRows::Ascending { table, groups, pages: None, ids, last: None }
            }
            Order::Scattered(scatter, list) => {
                let (buckets, buffers) = (scatter.buckets(&ids), SortBuffers::default());
                FileRows::Scattered { scatter, list: *list, buckets, ids, buffers }
            }
        }
    }
}

/// The ids of a file in a range, ascending, each once.
pub(crate) enum FileRows<'a> {
    Ascending {
        table: &'a IdTable,
        /// Row groups that are not begun yet, the next one last.
        groups: Vec<usize>,
        pages: Option<IdPages<'a>>,
        ids: Range<i64>,
        /// The last id that was met.
        last: Option<i64>,
    },
    Scattered {
        scatter: &'a Scatter,
        list: usize,
        buckets: Range<usize>,
        ids: Range<i64>,
        buffers: SortBuffers,
    },
}

impl FileRows<'_> {
    /// Appends the next ids, each once, and says how many rows they had, repeats included; 0 at
    /// the end.
    pub(crate) fn next(&mut self, out: &mut Vec<i64>) -> Result<u64, Error> {
        let start = out.len();
        loop {
            let repeats;
            match self {
                Self::Ascending { table, groups, pages, ids, last } => {
                    let Some(open) = pages else {
                        let Some(group) = groups.pop() else { return Ok(0) };
                        *pages = Some(table.pages(group, 0)?);
                        continue;
                    };
                    if !open.next(out)? {
                        *pages = None;
                        continue;
                    }
                    let read = &out[start..];
                    let follows = last.zip(read.first()).is_none_or(|(last, next)| last <= *next);
                    let order = order_of(read);
                    if !follows || order == Ordered::Not {
                        return Err(unsorted(table.path()));
                    }
                    let end = read.last().copied();
                    keep(out, start, ids);
                    let kept = out.len();
                    if order == Ordered::WithRepeats {
                        let mut page = out.split_off(start);
                        page.dedup();
                        out.append(&mut page);
                    }
                    if out.get(start).copied() == *last && last.is_some() {
                        out.remove(start);
                    }
                    repeats = kept - out.len();
                    *last = end;
                    if end.is_some_and(|end| end >= ids.end) {
                        (*pages, *groups) = (None, Vec::new());
                    }
                }
                Self::Scattered { scatter, list, buckets, ids, buffers } => {
                    let Some(bucket) = buckets.next() else { return Ok(0) };
                    repeats = scatter.read((*list, bucket), buffers, out)?;
                    keep(out, start, ids);
                }
            }
            let rows = out.len() - start + repeats;
            if rows > 0 {
                return Ok(rows as u64);
            }
        }
    }
}

/// Cuts what was appended to the ids of a range.
fn keep(out: &mut Vec<i64>, start: usize, ids: &Range<i64>) {
    let below = |id: &i64| *id < ids.end || ids.end == i64::MAX;
    let end = start + out[start..].partition_point(below);
    out.truncate(end);
    let skip = out[start..].partition_point(|id| *id < ids.start);
    out.drain(start..start + skip);
}

fn unsorted(path: &Path) -> Error {
    let message =
        format!("the ids of {} do not ascend, although its row groups do", path.display());
    Error::invalid(message)
        .with_hint("sort the file, or write it without statistics, so that it is put in order here")
}
