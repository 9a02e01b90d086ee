//! The tabular end: any answer as a frame to sort, group, cut, show and write.
//!
//! A frame is named columns with a documented schema (`crates/analysis/SCHEMA.md`; a test holds
//! the two together). polars sorts, groups and writes them, and does not show: its types change
//! with every release, and a frame's columns must not.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io::Write;

use snapshot::{AccountId, Values};

use crate::Error;

mod answers;
mod changes;
mod data;
mod export;
mod graph;
mod history;
mod moves;
mod overlaps;
mod retention;
mod store;
mod times;
mod write;

use data::Data;

pub use write::FrameWriter;

/// The version of the schema that every written frame names.
pub const SCHEMA_VERSION: u32 = 1;

/// An answer as a table.
#[derive(Clone, Debug)]
pub struct Frame {
    kind: &'static str,
    context: Vec<(&'static str, String)>,
    columns: Vec<Column>,
    data: Data,
}

/// One column of a [`Frame`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: Cow<'static, str>,
    /// What its values are.
    pub kind: Kind,
    /// Whether a value may be missing.
    pub nullable: bool,
}

/// What the values of a column are, and so how each format writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// An account's id: INT64 in Parquet, and a quoted string in CSV and JSON, because
    /// JavaScript and spreadsheets would round it.
    Id,
    /// A whole number: INT64, a number.
    Count,
    /// A share between 0 and 1, the ratio of two, or an age in days: DOUBLE, a number.
    Ratio,
    /// BOOLEAN, `true` or `false`.
    Flag,
    /// STRING, quoted.
    Text,
    /// A moment: TIMESTAMP in microseconds UTC, and RFC 3339 text in CSV and JSON.
    Time,
}

impl Kind {
    /// The type in Parquet, as the schema page names it.
    pub const fn parquet_type(self) -> &'static str {
        match self {
            Self::Id | Self::Count => "INT64",
            Self::Ratio => "DOUBLE",
            Self::Flag => "BOOLEAN",
            Self::Text => "STRING",
            Self::Time => "TIMESTAMP",
        }
    }

    /// Whether a table on a terminal sets it to the right.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Id | Self::Count | Self::Ratio)
    }
}

/// How a frame is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// RFC 4180 with a header; a missing value is an empty field. Text that a spreadsheet
    /// would run as a formula is defused with a leading `'`.
    Csv,
    /// One object: `{"schema_version":1,"kind":…,"rows":[{…},…]}`.
    Json,
    /// One object per row and line.
    Jsonl,
    /// One file, zstd pages, `followgraph.kind` and `followgraph.schema_version` in its
    /// metadata.
    Parquet,
}

/// A value of a frame, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(&'a str),
}

impl Frame {
    fn new(kind: &'static str, columns: Vec<(Column, Values)>) -> Self {
        let (columns, values): (Vec<Column>, Vec<Values>) = columns.into_iter().unzip();
        Self { kind, context: Vec::new(), columns, data: Data::new(values) }
    }

    /// Adds a fact about all rows, which JSON and Parquet carry beside them.
    #[must_use]
    pub fn with_context(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.context.push((key, value.into()));
        self
    }

    /// What the rows are; a heading of the schema page.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.data.rows()
    }

    /// The first rows, at most `rows` of them.
    #[must_use]
    pub fn head(&self, rows: usize) -> Self {
        self.with_data(self.data.head(rows))
    }

    /// The rows sorted by some columns, each with its direction; equal rows keep their
    /// order, and missing values come last.
    ///
    /// # Errors
    /// If there is no such column.
    pub fn sorted(&self, by: &[(&str, Direction)]) -> Result<Self, Error> {
        let columns = by.iter().map(|(column, _)| self.index(column));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let descending: Vec<_> = by.iter().map(|(_, d)| *d == Direction::Descending).collect();
        Ok(self.with_data(self.data.sorted(&columns, &descending)?))
    }

    /// The same rows with usernames: after each column of ids, here `x_id`, a nullable
    /// column of text `x_username`.
    #[must_use]
    pub fn with_names(&self, names: &HashMap<AccountId, String>) -> Self {
        let mut columns = Vec::new();
        for (column, values) in self.columns.iter().zip(self.data.columns()) {
            let values = values.clone();
            if column.kind == Kind::Id
                && let Values::I64(ids) = &values
            {
                let name = |id: &Option<i64>| names.get(&AccountId::new((*id)?)?).cloned();
                let known = Values::Text(ids.iter().map(name).collect());
                let stem = column.name.strip_suffix("_id").unwrap_or(&column.name);
                let name = format!("{stem}_username").into();
                columns.push((column.clone(), values));
                columns.push((Column { name, kind: Kind::Text, nullable: true }, known));
            } else {
                columns.push((column.clone(), values));
            }
        }
        Self { context: self.context.clone(), ..Self::new(self.kind, columns) }
    }

    /// One cell as a person reads it: ratios with four decimals, times to the second, and
    /// nothing for a missing value.
    ///
    /// # Panics
    /// If there is no such row or column.
    pub fn cell(&self, row: usize, column: usize) -> String {
        match (self.data.value(row, column), self.columns[column].kind) {
            (Value::Null, _) => String::new(),
            (Value::Int(micros), Kind::Time) => write::moment(micros),
            (Value::Int(number), _) => number.to_string(),
            (Value::Float(ratio), _) => format!("{ratio:.4}"),
            (Value::Bool(flag), _) => flag.to_string(),
            (Value::Text(text), _) => text.to_owned(),
        }
    }

    /// Writes the whole frame.
    ///
    /// # Errors
    /// If `out` refuses.
    pub fn write(&self, format: Format, out: &mut (dyn Write + Send)) -> Result<(), Error> {
        let mut writer = FrameWriter::new(out, format, self)?;
        writer.append(self.clone())?;
        writer.finish()
    }

    fn with_data(&self, data: Data) -> Self {
        Self { kind: self.kind, context: self.context.clone(), columns: self.columns.clone(), data }
    }

    fn index(&self, name: &str) -> Result<usize, Error> {
        self.columns.iter().position(|c| c.name == name).ok_or_else(|| {
            let names: Vec<_> = self.columns.iter().map(|c| c.name.as_ref()).collect();
            Error::not_found(format!("a {} frame has no column `{name}`", self.kind))
                .with_hint(format!("its columns are {}", names.join(", ")))
        })
    }
}

/// All rows under a header, in columns two spaces apart, numbers to the right.
impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = |row| (0..self.columns.len()).map(move |column| self.cell(row, column));
        let header = self.columns.iter().map(|column| column.name.to_string()).collect();
        let mut lines: Vec<Vec<String>> = vec![header];
        lines.extend((0..self.rows()).map(|row| cells(row).collect()));
        let width =
            |column: usize| lines.iter().map(|l| l[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        for line in &lines {
            let padded = line.iter().zip(&self.columns).zip(&widths).map(|((cell, column), w)| {
                if column.kind.is_number() { format!("{cell:>w$}") } else { format!("{cell:<w$}") }
            });
            writeln!(f, "{}", padded.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// Which way a column is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}
