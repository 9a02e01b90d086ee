//! Columns of ids in Parquet files that other tools wrote.
//!
//! Any encoding, any order, any number of other columns. What is asked for must be integers
//! that can be ids, in every row.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parquet::basic::{LogicalType, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::statistics::Statistics;

use crate::error::{At, Error};
use crate::integers::{Integer, read_column};
use crate::parts::CountedFile;

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
    physical: Physical,
}

impl IdTable {
    /// Opens a file to read these of its columns. Reads the footer only.
    ///
    /// # Errors
    /// If it is not a Parquet file, or has no such column, or the column is not of integers.
    pub fn open(path: &Path, columns: &[&str]) -> Result<Self, Error> {
        let source = CountedFile::open(path, Arc::new(AtomicU64::new(0)))?;
        let file = SerializedFileReader::new(source.clone()).at("read", path)?;
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
            Statistics::Int32(s) => Some((i64::from(*s.min_opt()?), i64::from(*s.max_opt()?))),
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
        let start = out.len();
        let column = &self.columns[column];
        let name = &column.name;
        let read = match column.physical {
            Physical::INT64 => self.values(group, column, out),
            _ => {
                let mut narrow: Vec<i32> = Vec::new();
                let read = self.values(group, column, &mut narrow);
                out.extend(narrow.into_iter().map(i64::from));
                read
            }
        };
        read.at(&format!("read column `{name}` in row group {group} of"), &self.path)?;
        if out[start..].iter().any(|id| *id < 0) {
            let path = self.path.display();
            let message = format!("column `{name}` of {path} has numbers that are not ids");
            return Err(Error::invalid(message)
                .hint("an id is a whole number from 0 to 9223372036854775807"));
        }
        Ok(())
    }

    fn values<T: Integer>(
        &self,
        group: usize,
        column: &IdColumn,
        out: &mut Vec<T>,
    ) -> Result<(), ParquetError> {
        read_column(&self.file, &self.source, group, column.index, out)
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
    Ok(IdColumn { name: name.to_owned(), index, physical })
}
