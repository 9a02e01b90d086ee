//! The columns of a frame: the only place that speaks polars.
//!
//! Sorting and grouping are polars', and so are the writers of CSV and Parquet.

use std::io::Write;

use polars_core::prelude::{
    AnyValue, Column, DataFrame, Int64Chunked, IntoColumn, NewChunkedArray, PlSmallStr,
    SortMultipleOptions, TimeUnit, TimeZone,
};
use polars_io::prelude::{
    CsvWriter, KeyValueMetadata, ParquetCompression, ParquetWriter, QuoteStyle, SerWriter,
    StatisticsOptions,
};
use snapshot::Values;

use super::write::{defused, moment};
use super::{Frame, Kind, SCHEMA_VERSION, Value};
use crate::Error;

/// A polars data frame.
#[derive(Clone, Debug)]
pub(super) struct Data(DataFrame);

impl Data {
    /// Columns of one length.
    pub(super) fn new<'a>(columns: impl Iterator<Item = (&'a str, Values)>) -> Self {
        let columns = columns.map(|(name, values)| column(name, values)).collect();
        let frame = DataFrame::new_infer_height(columns);
        Self(frame.expect("the columns of an answer have one length and different names"))
    }

    pub(super) fn rows(&self) -> usize {
        self.0.height()
    }

    pub(super) fn value(&self, row: usize, column: usize) -> Value<'_> {
        // A column of one row is kept as a scalar, whose values cannot be borrowed.
        match self.0.columns()[column].as_materialized_series().get(row) {
            Ok(AnyValue::Int64(n) | AnyValue::Datetime(n, ..)) => Value::Int(n),
            Ok(AnyValue::Float64(n)) => Value::Float(n),
            Ok(AnyValue::Boolean(b)) => Value::Bool(b),
            Ok(AnyValue::String(text)) => Value::Text(text),
            Ok(AnyValue::Null) => Value::Null,
            other => panic!("no frame has such a value: {other:?}"),
        }
    }

    /// The values of one column, out of polars.
    pub(super) fn values(&self, column: usize, kind: Kind) -> Values {
        let values = (0..self.rows()).map(|row| self.value(row, column));
        let whole = |value| if let Value::Int(n) = value { Some(n) } else { None };
        match kind {
            Kind::Id | Kind::Count => Values::I64(values.map(whole).collect()),
            Kind::Time => Values::Time(values.map(whole).collect()),
            Kind::Ratio => Values::F64(
                values.map(|v| if let Value::Float(n) = v { Some(n) } else { None }).collect(),
            ),
            Kind::Flag => Values::Bool(
                values.map(|v| if let Value::Bool(b) = v { Some(b) } else { None }).collect(),
            ),
            Kind::Text => Values::Text(
                values
                    .map(|v| if let Value::Text(t) = v { Some(t.to_owned()) } else { None })
                    .collect(),
            ),
        }
    }

    pub(super) fn head(&self, rows: usize) -> Self {
        Self(self.0.head(Some(rows)))
    }

    pub(super) fn sorted(&self, by: &[&str], descending: &[bool]) -> Result<Self, Error> {
        let options = SortMultipleOptions::new()
            .with_order_descending_multi(descending.iter().copied())
            .with_nulls_last(true)
            .with_maintain_order(true);
        self.0.sort(by.iter().copied(), options).map(Self).map_err(refused)
    }

    /// The distinct combinations of some columns by value, how many rows each has, in a column
    /// named `count`, and the sums of the columns `sums` over them.
    #[expect(
        deprecated,
        reason = "polars would have the sum asked of its lazy crate, a query planner for one call"
    )]
    pub(super) fn summed(&self, by: &[&str], count: &str, sums: &[&str]) -> Result<Self, Error> {
        let groups = self.0.group_by_stable(by.iter().copied()).map_err(refused)?;
        let rows = groups.get_groups().iter().map(|group| i64::try_from(group.len()).ok());
        let rows = column(count, Values::I64(rows.collect()));
        // The keys come first, then the sums, under names of their own.
        let mut summed = groups.select(sums.iter().copied()).sum().map_err(refused)?;
        summed.set_column_names(&[by, sums].concat()).map_err(refused)?;
        summed.insert_column(by.len(), rows).map_err(refused)?;
        Self(summed).sorted(by, &vec![false; by.len()])
    }
}

fn column(name: &str, values: Values) -> Column {
    let name = PlSmallStr::from(name);
    match values {
        Values::I64(v) => Column::new(name, v),
        Values::F64(v) => Column::new(name, v),
        Values::Bool(v) => Column::new(name, v),
        Values::Text(v) => Column::new(name, v),
        Values::Time(v) => {
            // Not by `cast`, which forgets the time zone in a build without all of them.
            let micros = Int64Chunked::from_iter_options(name, v.into_iter());
            micros.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column()
        }
        other => panic!("no answer has a column of {other:?}"),
    }
}

fn refused(cause: polars_core::error::PolarsError) -> Error {
    Error::invalid("the frame cannot be rearranged").because(cause)
}

/// Rows that are text at a time while CSV is written.
const CSV_ROWS: usize = 1 << 16;

impl Frame {
    pub(super) fn write_csv(&self, out: &mut dyn Write) -> Result<(), Error> {
        let names: Vec<_> = self.columns.iter().map(|c| c.name.as_ref()).collect();
        writeln!(out, "{}", names.join(",")).map_err(|e| self.cannot_write("CSV", e))?;
        for start in (0..self.rows().max(1)).step_by(CSV_ROWS) {
            let part = self.data.0.slice(i64::try_from(start).unwrap_or(i64::MAX), CSV_ROWS);
            let mut text = self.with_data(Data(part)).as_text();
            CsvWriter::new(&mut *out)
                .include_header(false)
                .with_quote_style(QuoteStyle::NonNumeric)
                .finish(&mut text)
                .map_err(|e| self.cannot_write("CSV", e))?;
        }
        out.flush().map_err(|e| self.cannot_write("CSV", e))
    }

    /// With text in place of everything that must be quoted.
    fn as_text(&self) -> DataFrame {
        let mut columns = Vec::new();
        for (index, spec) in self.columns.iter().enumerate() {
            let text = |of: &dyn Fn(Value<'_>) -> Option<String>| {
                let texts = (0..self.rows()).map(|row| of(self.data.value(row, index)));
                column(&spec.name, Values::Text(texts.collect()))
            };
            columns.push(match spec.kind {
                Kind::Id => {
                    text(&|v| if let Value::Int(n) = v { Some(n.to_string()) } else { None })
                }
                Kind::Time => text(&|v| if let Value::Int(n) = v { Some(moment(n)) } else { None }),
                Kind::Text => {
                    text(&|v| if let Value::Text(t) = v { Some(defused(t)) } else { None })
                }
                Kind::Count | Kind::Ratio | Kind::Flag => self.data.0.columns()[index].clone(),
            });
        }
        DataFrame::new_infer_height(columns).expect("the columns are those of a frame")
    }

    pub(super) fn write_parquet(&self, out: &mut dyn Write) -> Result<(), Error> {
        let facts = [
            ("kind", self.kind.to_owned()),
            ("schema_version", SCHEMA_VERSION.to_string()),
            ("tool", concat!("followgraph ", env!("CARGO_PKG_VERSION")).to_owned()),
        ];
        let facts = facts.into_iter().chain(self.context.iter().cloned());
        let facts = facts.map(|(key, value)| (format!("followgraph.{key}"), value)).collect();
        ParquetWriter::new(&mut *out)
            .with_compression(ParquetCompression::Zstd(None))
            .with_statistics(StatisticsOptions::full())
            .with_row_group_size(Some(1 << 17))
            .with_key_value_metadata(Some(KeyValueMetadata::from_static(facts)))
            .finish(&mut self.data.0.clone())
            .map_err(|e| self.cannot_write("Parquet", e))?;
        out.flush().map_err(|e| self.cannot_write("Parquet", e))
    }
}
