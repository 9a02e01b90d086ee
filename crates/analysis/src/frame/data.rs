//! The columns of a frame, and the only place that speaks polars.
//!
//! Values are plain vectors; polars sorts and groups them, and writes CSV.

use std::io::Write;

use polars_core::prelude::{
    AnyValue, Column as Series, DataFrame, Int64Chunked, IntoColumn, NewChunkedArray, PlSmallStr,
    SortMultipleOptions, TimeUnit, TimeZone,
};
use polars_io::prelude::{CsvWriter, QuoteStyle, SerWriter};
use snapshot::Values;

use super::write::{defused, moment};
use super::{Frame, Kind, Value};
use crate::Error;

/// Columns of one length.
#[derive(Clone, Debug)]
pub(super) struct Data(Vec<Values>);

impl Data {
    pub(super) fn new(columns: Vec<Values>) -> Self {
        let rows = columns.first().map_or(0, Values::len);
        let even = columns.iter().all(|column| column.len() == rows);
        assert!(even, "the columns of an answer have one length");
        Self(columns)
    }

    pub(super) fn rows(&self) -> usize {
        self.0.first().map_or(0, Values::len)
    }

    pub(super) fn columns(&self) -> &[Values] {
        &self.0
    }

    pub(super) fn into_columns(self) -> Vec<Values> {
        self.0
    }

    pub(super) fn value(&self, row: usize, column: usize) -> Value<'_> {
        let found = match &self.0[column] {
            Values::I64(v) | Values::Time(v) => v[row].map(Value::Int),
            Values::F64(v) => v[row].map(Value::Float),
            Values::Bool(v) => v[row].map(Value::Bool),
            Values::Text(v) => v[row].as_deref().map(Value::Text),
            Values::Word(v) => v[row].map(Value::Text),
            other => panic!("no answer has a column of {other:?}"),
        };
        found.unwrap_or(Value::Null)
    }

    pub(super) fn head(&self, rows: usize) -> Self {
        self.slice(0, rows)
    }

    fn slice(&self, start: usize, rows: usize) -> Self {
        let rows = start.min(self.rows())..start.saturating_add(rows).min(self.rows());
        let cut = |column: &Values| match column {
            Values::I64(v) => Values::I64(v[rows.clone()].to_vec()),
            Values::Time(v) => Values::Time(v[rows.clone()].to_vec()),
            Values::F64(v) => Values::F64(v[rows.clone()].to_vec()),
            Values::Bool(v) => Values::Bool(v[rows.clone()].to_vec()),
            Values::Text(v) => Values::Text(v[rows.clone()].to_vec()),
            Values::Word(v) => Values::Word(v[rows.clone()].to_vec()),
            other => panic!("no answer has a column of {other:?}"),
        };
        Self(self.0.iter().map(cut).collect())
    }

    /// Adds the rows of another one with the same columns.
    pub(super) fn append(&mut self, other: Self) {
        for pair in self.0.iter_mut().zip(other.0) {
            match pair {
                (Values::I64(a), Values::I64(b)) | (Values::Time(a), Values::Time(b)) => {
                    a.extend(b);
                }
                (Values::F64(a), Values::F64(b)) => a.extend(b),
                (Values::Bool(a), Values::Bool(b)) => a.extend(b),
                (Values::Text(a), Values::Text(b)) => a.extend(b),
                (Values::Word(a), Values::Word(b)) => a.extend(b),
                (a, b) => panic!("a column of {a:?} cannot go on with {b:?}"),
            }
        }
    }

    pub(super) fn sorted(&self, by: &[usize], descending: &[bool]) -> Result<Self, Error> {
        let options = SortMultipleOptions::new()
            .with_order_descending_multi(descending.iter().copied())
            .with_nulls_last(true)
            .with_maintain_order(true);
        let names = by.iter().map(|column| name(*column));
        let sorted = self.in_polars().sort(names, options).map_err(refused)?;
        let columns = sorted.columns().iter().zip(&self.0);
        Ok(Self(columns.map(|(series, like)| values(series, like)).collect()))
    }

    /// The distinct combinations of some columns by value, how many rows each has, and the
    /// sums of other columns over them.
    #[expect(
        deprecated,
        reason = "polars would have the sum asked of its lazy crate, a query planner for one call"
    )]
    pub(super) fn summed(&self, by: &[usize], sums: &[usize]) -> Result<Self, Error> {
        let frame = self.in_polars();
        let groups = frame.group_by_stable(by.iter().map(|c| name(*c))).map_err(refused)?;
        let rows = groups.get_groups().iter().map(|group| i64::try_from(group.len()).ok());
        let rows = Values::I64(rows.collect());
        let summed = groups.select(sums.iter().map(|c| name(*c))).sum().map_err(refused)?;
        let plain = |(series, like): (&Series, &usize)| values(series, &self.0[*like]);
        let mut columns: Vec<_> =
            summed.columns().iter().zip(by.iter().chain(sums)).map(plain).collect();
        columns.insert(by.len(), rows);
        let keys: Vec<_> = (0..by.len()).collect();
        Self(columns).sorted(&keys, &vec![false; by.len()])
    }

    fn in_polars(&self) -> DataFrame {
        let columns = (0..).zip(&self.0).map(|(index, values)| series(index, values));
        DataFrame::new_infer_height(columns.collect()).expect("columns of one length")
    }
}

/// What polars knows a column by.
fn name(column: usize) -> PlSmallStr {
    PlSmallStr::from_string(column.to_string())
}

fn series(column: usize, values: &Values) -> Series {
    let name = name(column);
    match values {
        Values::I64(v) => Series::new(name, v),
        Values::F64(v) => Series::new(name, v),
        Values::Bool(v) => Series::new(name, v),
        Values::Text(v) => Series::new(name, v),
        Values::Word(v) => Series::new(name, v),
        Values::Time(v) => {
            // Not by `cast`, which forgets the time zone in a build without all of them.
            let micros = Int64Chunked::from_iter_options(name, v.iter().copied());
            micros.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column()
        }
        other => panic!("no answer has a column of {other:?}"),
    }
}

/// The values of a column, out of polars, which had them from one like `like`.
fn values(series: &Series, like: &Values) -> Values {
    // A column of one row is kept as a scalar, whose values cannot be borrowed.
    let series = series.as_materialized_series();
    let whole = |value| match value {
        AnyValue::Int64(n) | AnyValue::Datetime(n, ..) => Some(n),
        _ => None,
    };
    let text = |value: AnyValue<'_>| value.get_str().map(str::to_owned);
    match like {
        Values::I64(_) => Values::I64(series.iter().map(whole).collect()),
        Values::Time(_) => Values::Time(series.iter().map(whole).collect()),
        Values::F64(_) => {
            let real = |v| if let AnyValue::Float64(n) = v { Some(n) } else { None };
            Values::F64(series.iter().map(real).collect())
        }
        Values::Bool(_) => {
            let flag = |v| if let AnyValue::Boolean(b) = v { Some(b) } else { None };
            Values::Bool(series.iter().map(flag).collect())
        }
        _ => Values::Text(series.iter().map(text).collect()),
    }
}

fn refused(cause: polars_core::error::PolarsError) -> Error {
    Error::invalid("the frame cannot be rearranged").because(cause)
}

/// Rows that are text at a time while CSV is written.
const CSV_ROWS: usize = 1 << 16;

impl Frame {
    /// Writes the rows, without a header.
    pub(super) fn csv_rows(&self, mut out: &mut dyn Write) -> Result<(), Error> {
        for start in (0..self.rows()).step_by(CSV_ROWS) {
            let mut text = self.with_data(self.data.slice(start, CSV_ROWS)).as_text();
            CsvWriter::new(&mut out)
                .include_header(false)
                .with_quote_style(QuoteStyle::NonNumeric)
                .finish(&mut text)
                .map_err(|e| self.cannot_write("CSV", e))?;
        }
        Ok(())
    }

    /// With text in place of everything that must be quoted.
    fn as_text(&self) -> DataFrame {
        let mut columns = Vec::new();
        for (index, spec) in self.columns.iter().enumerate() {
            let text = |of: &dyn Fn(Value<'_>) -> Option<String>| {
                let texts = (0..self.rows()).map(|row| of(self.data.value(row, index)));
                series(index, &Values::Text(texts.collect()))
            };
            columns.push(match spec.kind {
                Kind::Id => {
                    text(&|v| if let Value::Int(n) = v { Some(n.to_string()) } else { None })
                }
                Kind::Time => text(&|v| if let Value::Int(n) = v { Some(moment(n)) } else { None }),
                Kind::Text => {
                    text(&|v| if let Value::Text(t) = v { Some(defused(t)) } else { None })
                }
                Kind::Count | Kind::Ratio | Kind::Flag => series(index, &self.data.0[index]),
            });
        }
        DataFrame::new_infer_height(columns).expect("the columns are those of a frame")
    }
}
