//! Columns of ids in Parquet files that other tools wrote.
//!
//! Any encoding, any order, any number of other columns. What is asked for must be integers
//! that can be ids, in every row.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parquet::basic::{LogicalType, Type as Physical};
use parquet::column::reader::ColumnReader;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::statistics::Statistics;

use crate::error::{At, Error};
use crate::integers::{Integer, IntegerReader, is_plain};
use crate::parts::CountedFile;
use crate::table::oops;

/// Some columns of ids in a Parquet file. Cheap to share between threads.
pub struct IdTable {
    path: PathBuf,
    file: SerializedFileReader<CountedFile>,
    source: CountedFile,
    /// Where each of the columns stands in the file.
    columns: Vec<IdColumn>,
}

struct IdColumn {
    name: String,
    index: usize,
    kind: Kind,
}

/// How a column holds ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Long,
    Int,
    UnsignedInt,
}

impl IdTable {
    /// Opens a file to read these of its columns. Reads the footer only.
    ///
    /// # Errors
    /// If it is not a Parquet file, or has no such column, or the column is not of integers.
    pub fn open(path: &Path, columns: &[&str]) -> Result<Self, Error> {
        let source = CountedFile::open(path, Arc::new(AtomicU64::new(0)))?;
        let file = SerializedFileReader::new(source.clone()).at("read", path)?;
        if file.metadata().row_groups().iter().any(|group| group.num_rows() < 0) {
            return Err(Error::damaged(path, "a row group has less than no rows"));
        }
        let find = |name: &&str| column(path, &file, name);
        let columns = columns.iter().map(find).collect::<Result<_, _>>()?;
        Ok(Self { path: path.to_owned(), file, source, columns })
    }

    /// The names of a file's columns, those in groups as `group.column`.
    ///
    /// # Errors
    /// If it is not a Parquet file.
    pub fn column_names(path: &Path) -> Result<Vec<String>, Error> {
        let source = CountedFile::open(path, Arc::new(AtomicU64::new(0)))?;
        Ok(names(&SerializedFileReader::new(source).at("read", path)?))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many row groups it has.
    pub fn row_groups(&self) -> usize {
        self.file.num_row_groups()
    }

    /// How many rows it has.
    pub fn total_rows(&self) -> u64 {
        (0..self.row_groups()).map(|group| self.rows(group) as u64).sum()
    }

    /// How many rows one of them has; 0 if there is no such row group.
    pub fn rows(&self, group: usize) -> usize {
        let groups = self.file.metadata().row_groups();
        groups.get(group).map_or(0, |g| usize::try_from(g.num_rows()).unwrap_or(0))
    }

    /// The smallest and the largest id in one column of a row group, if the file tells.
    pub fn bounds(&self, group: usize, column: usize) -> Option<(i64, i64)> {
        let index = self.columns[column].index;
        match self.file.metadata().row_groups().get(group)?.column(index).statistics()? {
            Statistics::Int64(s) => Some((*s.min_opt()?, *s.max_opt()?)),
            Statistics::Int32(s) if self.columns[column].kind == Kind::Int => {
                Some((i64::from(*s.min_opt()?), i64::from(*s.max_opt()?)))
            }
            _ => None,
        }
    }

    /// Appends the ids in one column of a row group, in the order of the file. `column` counts
    /// the columns that were asked for.
    ///
    /// # Errors
    /// If the row group cannot be read, or a row has no id, or what it has cannot be one.
    ///
    /// # Panics
    /// If there is no such row group or column.
    pub fn read(&self, group: usize, column: usize, out: &mut Vec<i64>) -> Result<(), Error> {
        let mut pages = self.pages(group, column)?;
        while pages.next(out)? {}
        Ok(())
    }

    /// The ids in one column of a row group, a page at a time.
    ///
    /// # Errors
    /// If the row group cannot be read.
    ///
    /// # Panics
    /// If there is no such row group or column.
    pub fn pages(&self, group: usize, column: usize) -> Result<IdPages<'_>, Error> {
        let IdColumn { index, kind, .. } = &self.columns[column];
        let meta = self.file.metadata().row_group(group).column(*index);
        let open = || -> Result<Reader, ParquetError> {
            if is_plain(meta) && *kind == Kind::Long {
                let reader = IntegerReader::open(&self.source, meta, self.rows(group))?;
                return Ok(Reader::Quick(Box::new(reader)));
            }
            let reader = self.file.get_row_group(group)?.get_column_reader(*index)?;
            Ok(Reader::Library(Box::new(reader)))
        };
        let reader = open().at(&self.reading(group, column), &self.path)?;
        Ok(IdPages { table: self, group, column, reader, left: self.rows(group) })
    }

    fn reading(&self, group: usize, column: usize) -> String {
        format!("read column `{}` in row group {group} of", self.columns[column].name)
    }

    fn check(&self, ids: &[i64], column: usize) -> Result<(), Error> {
        // Not `any`, which would stop at the first and so go one by one.
        if ids.iter().fold(0, |all, id| all | id) >= 0 {
            return Ok(());
        }
        let (name, path) = (&self.columns[column].name, self.path.display());
        Err(Error::invalid(format!("column `{name}` of {path} has numbers that are not ids"))
            .hint("an id is a whole number from 0 to 9223372036854775807"))
    }
}

/// What is left of a column in a row group.
pub struct IdPages<'a> {
    table: &'a IdTable,
    group: usize,
    column: usize,
    reader: Reader,
    /// Rows that were not met yet.
    left: usize,
}

enum Reader {
    Quick(Box<IntegerReader>),
    /// By the Parquet library, whatever the encoding.
    Library(Box<ColumnReader>),
}

/// Rows that the Parquet library decodes at a time.
const LIBRARY_ROWS: usize = 1 << 16;

impl IdPages<'_> {
    /// Appends the next page's ids; false if there is none.
    ///
    /// # Errors
    /// As [`IdTable::read`].
    pub fn next(&mut self, out: &mut Vec<i64>) -> Result<bool, Error> {
        if self.left == 0 {
            return Ok(false);
        }
        let start = out.len();
        let read = self.decode(out);
        read.at(&self.table.reading(self.group, self.column), &self.table.path)?;
        self.table.check(&out[start..], self.column).map(|()| true)
    }

    fn decode(&mut self, out: &mut Vec<i64>) -> Result<(), ParquetError> {
        let start = out.len();
        let some = self.left.min(LIBRARY_ROWS);
        match (&mut self.reader, self.table.columns[self.column].kind) {
            (Reader::Quick(reader), _) => {
                // A page may be empty.
                while out.len() == start {
                    if !reader.page(out)? {
                        return Err(oops("it ends before its last row"));
                    }
                }
            }
            (Reader::Library(reader), Kind::Long) => i64::decode(reader, some, out)?,
            (Reader::Library(reader), kind) => {
                let mut narrow: Vec<i32> = Vec::new();
                i32::decode(reader, some, &mut narrow)?;
                let unsigned = kind == Kind::UnsignedInt;
                out.extend(narrow.into_iter().map(|id| {
                    if unsigned { i64::from(id.cast_unsigned()) } else { i64::from(id) }
                }));
            }
        }
        let left = self.left.checked_sub(out.len() - start);
        self.left = left.ok_or_else(|| oops("its pages have more than its rows"))?;
        Ok(())
    }
}

fn names(file: &SerializedFileReader<CountedFile>) -> Vec<String> {
    let columns = file.metadata().file_metadata().schema_descr().columns();
    columns.iter().map(|column| column.path().string()).collect()
}

/// The column of a name, which must be one of whole numbers.
fn column(
    path: &Path,
    file: &SerializedFileReader<CountedFile>,
    name: &str,
) -> Result<IdColumn, Error> {
    let schema = file.metadata().file_metadata().schema_descr();
    let named = schema.columns().iter().position(|c| c.path().string() == name);
    let index = named.ok_or_else(|| {
        Error::not_found(format!("{} has no column `{name}`", path.display()))
            .hint(format!("its columns are {}", names(file).join(", ")))
    })?;
    let (column, shown) = (schema.column(index), path.display());
    let whole = matches!(column.logical_type_ref(), None | Some(LogicalType::Integer { .. }));
    let physical = column.physical_type();
    if !whole || !matches!(physical, Physical::INT64 | Physical::INT32) {
        let message = format!("column `{name}` of {shown} is not of whole numbers");
        return Err(Error::invalid(message).hint("write it as INT64: any other type damages ids"));
    }
    if column.max_rep_level() > 0 {
        let message = format!("column `{name}` of {shown} has lists in place of numbers");
        return Err(Error::invalid(message).hint("unnest it, so that each id has a row"));
    }
    let unsigned =
        matches!(column.logical_type_ref(), Some(LogicalType::Integer(of)) if !of.is_signed);
    let kind = match (physical, unsigned) {
        (Physical::INT64, _) => Kind::Long,
        (_, false) => Kind::Int,
        (_, true) => Kind::UnsignedInt,
    };
    Ok(IdColumn { name: name.to_owned(), index, kind })
}
