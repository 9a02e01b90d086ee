//! Tables in memory and their Parquet files: crawls, pages, accounts, profiles, results.
//!
//! The lists themselves do not pass through here; see [`parts`](crate::ListReader).

use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, Length, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type, TypePtr};

use crate::error::{At, Error};
use crate::fs::{Checksum, HashedFile};
use crate::manifest::FileEntry;
use crate::part_writer::ROW_GROUP_ROWS;
use crate::parts::{CountedFile, byte_span};

/// A table with named, typed, nullable columns of equal length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The columns, in file order.
    pub columns: Vec<Column>,
}

/// One column of a [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its values, one per row.
    pub values: Values,
    /// Whether a value may be missing.
    pub nullable: bool,
}

/// The values of a column; `None` is a missing value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// 32-bit integers.
    I32(Vec<Option<i32>>),
    /// 64-bit integers.
    I64(Vec<Option<i64>>),
    /// Double-precision numbers.
    F64(Vec<Option<f64>>),
    /// Truth values.
    Bool(Vec<Option<bool>>),
    /// Text, UTF-8.
    Text(Vec<Option<String>>),
    /// Text of which there are a few, known beforehand. To be written; read back, it is
    /// [`Text`](Self::Text).
    Word(Vec<Option<&'static str>>),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Time(Vec<Option<i64>>),
}

impl Values {
    /// How many rows it has.
    pub fn len(&self) -> usize {
        match self {
            Self::I32(v) => v.len(),
            Self::I64(v) | Self::Time(v) => v.len(),
            Self::F64(v) => v.len(),
            Self::Bool(v) => v.len(),
            Self::Text(v) => v.len(),
            Self::Word(v) => v.len(),
        }
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A column of the same type in which every value is missing.
    fn nulls(&self, rows: usize) -> Self {
        match self {
            Self::I32(_) => Self::I32(vec![None; rows]),
            Self::I64(_) => Self::I64(vec![None; rows]),
            Self::F64(_) => Self::F64(vec![None; rows]),
            Self::Bool(_) => Self::Bool(vec![None; rows]),
            Self::Text(_) | Self::Word(_) => Self::Text(vec![None; rows]),
            Self::Time(_) => Self::Time(vec![None; rows]),
        }
    }

    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::I32(_) => "INT32",
            Self::I64(_) => "INT64",
            Self::F64(_) => "DOUBLE",
            Self::Bool(_) => "BOOLEAN",
            Self::Text(_) | Self::Word(_) => "STRING",
            Self::Time(_) => "TIMESTAMP",
        }
    }
}

impl Table {
    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |c| c.values.len())
    }

    /// Adds a column in which every row has a value.
    #[must_use]
    pub fn required(mut self, name: &str, values: Values) -> Self {
        self.columns.push(Column { name: name.to_owned(), values, nullable: false });
        self
    }

    /// Adds a column in which values may be missing.
    #[must_use]
    pub fn optional(mut self, name: &str, values: Values) -> Self {
        self.columns.push(Column { name: name.to_owned(), values, nullable: true });
        self
    }

    /// Writes it as one Parquet file with zstd pages, synced to disk.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path, metadata: &[(&str, &str)]) -> Result<(), Error> {
        self.write_hashed(path, metadata).map(drop)
    }

    fn write_hashed(&self, path: &Path, metadata: &[(&str, &str)]) -> Result<Checksum, Error> {
        let mut writer = TableWriter::create(path, self, metadata)?;
        writer.append(self)?;
        writer.checksum()
    }

    fn schema(&self) -> Result<TypePtr, ParquetError> {
        let fields = self.columns.iter().map(Column::field).collect::<Result<Vec<_>, _>>()?;
        Type::group_type_builder("schema").with_fields(fields).build().map(Arc::new)
    }

    /// Reads a whole Parquet file that [`write`](Self::write), or a program with the same
    /// types, has written. The tables of a run are read after their checksum; of other
    /// files be sure that they are whole, for the Parquet library panics on some damage.
    ///
    /// # Errors
    /// If the file is missing or is not such a table.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let reader = TableReader::open(path)?;
        reader.read(0..reader.groups())
    }

    /// Adds, without values, the columns of `expected` that may be missing and are: a file
    /// of an older version lacks the columns that came after it.
    pub(crate) fn add_missing(&mut self, expected: &Self) {
        let rows = self.rows();
        for column in expected.columns.iter().filter(|c| c.nullable) {
            if self.columns.iter().all(|c| c.name != column.name) {
                let values = column.values.nulls(rows);
                self.columns.push(Column { values, ..column.clone() });
            }
        }
    }

    fn values(&self, path: &Path, name: &str) -> Result<&Values, Error> {
        let column = self.columns.iter().find(|c| c.name == name);
        column.map(|c| &c.values).ok_or_else(|| Error::damaged(path, format!("no column `{name}`")))
    }
}

/// A table's file that is written some rows at a time, each time a row group.
pub(crate) struct TableWriter {
    path: PathBuf,
    stream: TableStream<HashedFile>,
    rows: u64,
}

impl TableWriter {
    /// A new file for tables with the columns of `like`.
    pub(crate) fn create(
        path: &Path,
        like: &Table,
        metadata: &[(&str, &str)],
    ) -> Result<Self, Error> {
        let stream = TableStream::begin(HashedFile::create(path)?, like, metadata);
        Ok(Self { path: path.to_owned(), stream: stream.at("write", path)?, rows: 0 })
    }

    pub(crate) fn append(&mut self, table: &Table) -> Result<(), Error> {
        self.rows += table.rows() as u64;
        self.stream.encode(table, 0..table.rows()).at("write", &self.path)
    }

    fn checksum(self) -> Result<Checksum, Error> {
        self.stream.file.into_inner().at("write", &self.path)?.finish(&self.path)
    }

    /// Syncs it to disk; answers what the manifest says of it.
    pub(crate) fn finish(self, run_folder: &Path) -> Result<FileEntry, Error> {
        let (path, rows) = (self.path.clone(), self.rows);
        Ok(FileEntry::new(run_folder, &path, self.checksum()?, rows))
    }
}

/// Parquet that is written to anything, some rows at a time, so that a table need never be
/// in memory as a whole.
pub struct TableStream<W: Write + Send> {
    file: SerializedFileWriter<W>,
}

impl<W: Write + Send> TableStream<W> {
    /// Begins a file of tables with the columns of `like`; its rows are not written.
    ///
    /// # Errors
    /// If `out` refuses.
    pub fn new(out: W, like: &Table, metadata: &[(&str, &str)]) -> Result<Self, Error> {
        Self::begin(out, like, metadata).at("write", Path::new("the table"))
    }

    /// Writes the rows of a table as a row group, or as several if there are more than 131,072.
    ///
    /// # Errors
    /// If the columns are others than at the beginning, or the writer refuses.
    pub fn append(&mut self, table: &Table) -> Result<(), Error> {
        let rows = table.rows();
        for start in (0..rows).step_by(ROW_GROUP_ROWS) {
            let some = start..rows.min(start + ROW_GROUP_ROWS);
            self.encode(table, some).at("write", Path::new("the table"))?;
        }
        Ok(())
    }

    /// Writes what readers look for at the end of the file, and gives the writer back.
    ///
    /// # Errors
    /// If the writer refuses.
    pub fn finish(self) -> Result<W, Error> {
        self.file.into_inner().at("write", Path::new("the table"))
    }

    fn begin(out: W, like: &Table, metadata: &[(&str, &str)]) -> Result<Self, ParquetError> {
        let mut properties = properties(metadata);
        for column in &like.columns {
            if let Values::I32(_) | Values::I64(_) | Values::Time(_) = column.values {
                let path = ColumnPath::from(column.name.as_str());
                properties = properties
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path, DELTA);
            }
        }
        let properties = Arc::new(properties.build());
        Ok(Self { file: SerializedFileWriter::new(out, like.schema()?, properties)? })
    }

    fn encode(&mut self, table: &Table, rows: Range<usize>) -> Result<(), ParquetError> {
        let mut group = self.file.next_row_group()?;
        for column in &table.columns {
            let mut out = group.next_column()?.ok_or_else(|| oops("a column is missing"))?;
            column.write(rows.clone(), out.untyped())?;
            out.close()?;
        }
        group.close().map(drop)
    }
}

/// A table's file that is read some row groups at a time.
pub(crate) struct TableReader {
    path: PathBuf,
    file: SerializedFileReader<CountedFile>,
}

impl TableReader {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let file = CountedFile::open(path, Arc::default())?;
        let len = file.len();
        let file = SerializedFileReader::new(file).at("read", path)?;
        let schema = file.metadata().file_metadata().schema_descr_ptr();
        // The library trusts the footer in both; neither happens in a file that is whole.
        let whole = |group| byte_span(group, len).is_some();
        if !file.metadata().row_groups().iter().all(whole) {
            return Err(Error::damaged(path, "a row group lies outside of it"));
        }
        if schema.columns().iter().any(|c| c.max_rep_level() > 0 || c.max_def_level() > 1) {
            return Err(Error::damaged(path, "a column is nested"));
        }
        Ok(Self { path: path.to_owned(), file })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many row groups it has.
    pub(crate) fn groups(&self) -> usize {
        self.file.num_row_groups()
    }

    /// The rows of one row group.
    pub(crate) fn group(&self, index: usize) -> Result<Table, Error> {
        self.read(index..index + 1)
    }

    fn read(&self, groups: Range<usize>) -> Result<Table, Error> {
        let (file, path) = (&self.file, &self.path);
        let schema = file.metadata().file_metadata().schema_descr();
        let mut columns = Vec::new();
        for index in 0..schema.num_columns() {
            let field = schema.column(index);
            let nullable = field.self_type().is_optional();
            let mut values = empty_values(field.self_type())
                .ok_or_else(|| Error::damaged(path, format!("column {}", field.name())))?;
            for group in groups.clone() {
                let rows = usize::try_from(file.metadata().row_group(group).num_rows())
                    .map_err(|_| Error::damaged(path, "its row count"))?;
                let column = file.get_row_group(group).and_then(|g| g.get_column_reader(index));
                column.and_then(|c| read_column(c, rows, &mut values)).at("read", path)?;
            }
            columns.push(Column { name: field.name().to_owned(), values, nullable });
        }
        Ok(Table { columns })
    }
}

/// Typed access to the columns of a table that was read from `path`.
pub(crate) struct Typed<'a> {
    pub(crate) table: &'a Table,
    pub(crate) path: &'a Path,
}

macro_rules! typed {
    ($($method:ident: $variant:ident => $type:ty;)*) => {$(
        pub(crate) fn $method(&self, name: &str) -> Result<&'a [Option<$type>], Error> {
            match self.table.values(self.path, name)? {
                Values::$variant(v) => Ok(v),
                other => Err(Error::damaged(
                    self.path,
                    format!("column `{name}` is {}", other.type_name()),
                )),
            }
        }
    )*};
}

impl<'a> Typed<'a> {
    typed! {
        int: I32 => i32;
        long: I64 => i64;
        truth: Bool => bool;
        text: Text => String;
        time: Time => i64;
    }
}

/// The properties that every file of the dataset shares.
pub(crate) fn properties(
    metadata: &[(&str, &str)],
) -> parquet::file::properties::WriterPropertiesBuilder {
    let pairs = metadata
        .iter()
        .map(|(k, v)| parquet::file::metadata::KeyValue::new((*k).to_owned(), (*v).to_owned()))
        .collect();
    WriterProperties::builder()
        .set_created_by(format!("followgraph {}", env!("CARGO_PKG_VERSION")))
        .set_compression(Compression::ZSTD(parquet::basic::ZstdLevel::default()))
        .set_key_value_metadata(Some(pairs))
}

pub(crate) fn oops(what: &str) -> ParquetError {
    ParquetError::General(what.to_owned())
}

pub(crate) fn timestamp_type() -> LogicalType {
    LogicalType::timestamp(true, TimeUnit::MICROS)
}

impl Column {
    fn field(&self) -> Result<TypePtr, ParquetError> {
        let (physical, logical) = match &self.values {
            Values::I32(_) => (Physical::INT32, None),
            Values::I64(_) => (Physical::INT64, None),
            Values::F64(_) => (Physical::DOUBLE, None),
            Values::Bool(_) => (Physical::BOOLEAN, None),
            Values::Text(_) | Values::Word(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Values::Time(_) => (Physical::INT64, Some(timestamp_type())),
        };
        let repetition = if self.nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        let builder = Type::primitive_type_builder(&self.name, physical);
        let field = builder.with_repetition(repetition).with_logical_type(logical).build()?;
        Ok(Arc::new(field))
    }

    fn write(&self, rows: Range<usize>, out: &mut ColumnWriter<'_>) -> Result<(), ParquetError> {
        macro_rules! put {
            ($out:expr, $values:expr, $convert:expr) => {{
                let values = $values.get(rows).ok_or_else(|| oops("columns differ in length"))?;
                let present: Vec<_> = values.iter().flatten().map($convert).collect();
                if !self.nullable && present.len() != values.len() {
                    return Err(oops(&format!("column `{}` lacks a value", self.name)));
                }
                let levels: Option<Vec<i16>> =
                    self.nullable.then(|| values.iter().map(|v| i16::from(v.is_some())).collect());
                $out.write_batch(&present, levels.as_deref(), None)?;
            }};
        }
        match (out, &self.values) {
            (ColumnWriter::Int32ColumnWriter(w), Values::I32(v)) => put!(w, v, |x| *x),
            (ColumnWriter::Int64ColumnWriter(w), Values::I64(v) | Values::Time(v)) => {
                put!(w, v, |x| *x);
            }
            (ColumnWriter::DoubleColumnWriter(w), Values::F64(v)) => put!(w, v, |x| *x),
            (ColumnWriter::BoolColumnWriter(w), Values::Bool(v)) => put!(w, v, |x| *x),
            (ColumnWriter::ByteArrayColumnWriter(w), Values::Text(v)) => {
                put!(w, v, |x| ByteArray::from(x.as_str()));
            }
            (ColumnWriter::ByteArrayColumnWriter(w), Values::Word(v)) => {
                put!(w, v, |x| ByteArray::from(Bytes::from_static(x.as_bytes())));
            }
            _ => return Err(oops("the column's type and its values differ")),
        }
        Ok(())
    }
}

fn empty_values(field: &Type) -> Option<Values> {
    let logical = field.get_basic_info().logical_type_ref();
    Some(match (field.get_physical_type(), logical) {
        (Physical::INT32, None) => Values::I32(Vec::new()),
        (Physical::INT64, None) => Values::I64(Vec::new()),
        (Physical::DOUBLE, None) => Values::F64(Vec::new()),
        (Physical::BOOLEAN, None) => Values::Bool(Vec::new()),
        (Physical::BYTE_ARRAY, Some(LogicalType::String)) => Values::Text(Vec::new()),
        (Physical::INT64, Some(logical)) if *logical == timestamp_type() => {
            Values::Time(Vec::new())
        }
        _ => return None,
    })
}

fn read_column(reader: ColumnReader, rows: usize, out: &mut Values) -> Result<(), ParquetError> {
    match (reader, out) {
        (ColumnReader::Int32ColumnReader(r), Values::I32(v)) => extend(r, rows, v, Ok),
        (ColumnReader::Int64ColumnReader(r), Values::I64(v) | Values::Time(v)) => {
            extend(r, rows, v, Ok)
        }
        (ColumnReader::DoubleColumnReader(r), Values::F64(v)) => extend(r, rows, v, Ok),
        (ColumnReader::BoolColumnReader(r), Values::Bool(v)) => extend(r, rows, v, Ok),
        (ColumnReader::ByteArrayColumnReader(r), Values::Text(v)) => {
            extend(r, rows, v, |bytes| Ok(bytes.as_utf8()?.to_owned()))
        }
        _ => Err(oops("the column's type changed between row groups")),
    }
}

/// Rows of a column that are decoded at a time.
const BATCH_ROWS: usize = 1 << 16;

fn extend<T: DataType, U>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
    out: &mut Vec<Option<U>>,
    convert: impl Fn(T::T) -> Result<U, ParquetError>,
) -> Result<(), ParquetError> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let mut left = rows;
    while left > 0 {
        // Some at a time: what the library reserves is then bounded by what it has found.
        let some = left.min(BATCH_ROWS);
        let (read, ..) = reader.read_records(some, Some(&mut levels), None, &mut values)?;
        if read == 0 {
            return Err(oops("it ends before its last row"));
        }
        left -= read;
    }
    let mut values = values.into_iter();
    if levels.is_empty() {
        for value in values {
            out.push(Some(convert(value)?));
        }
        return Ok(());
    }
    for level in levels {
        let value = if level > 0 { values.next().map(&convert).transpose()? } else { None };
        out.push(value);
    }
    Ok(())
}

/// Delta encoding is the dataset's choice for sorted integers.
pub(crate) const DELTA: Encoding = Encoding::DELTA_BINARY_PACKED;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_optional_column_that_is_not_there_reads_as_null() {
        let text = |value: Option<&str>| Values::Text(vec![value.map(str::to_owned); 2]);
        let old = Table::default().required("id", Values::I64(vec![Some(1), Some(2)]));
        let now = |text| old.clone().optional("later", text);
        let expected = Table::default()
            .required("id", Values::I64(Vec::new()))
            .required("needed", Values::Bool(Vec::new()))
            .optional("later", Values::Text(Vec::new()));
        let mut read = old.clone();
        read.add_missing(&expected);
        assert_eq!(read, now(text(None)), "and one that may not be missing is not made up");
        let mut read = now(text(Some("there")));
        read.add_missing(&expected);
        assert_eq!(read, now(text(Some("there"))));
    }
}
