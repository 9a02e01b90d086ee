//! Frames in every format, whole or piece by piece.

use std::io::Write;

use jiff::Timestamp;
use snapshot::{Column as TableColumn, Table, TableStream, Values};

use super::data::Data;
use super::{Format, Frame, Kind, SCHEMA_VERSION, Value};
use crate::Error;

/// Rows of a Parquet row group: enough to compress well, few enough to be no burden.
const GROUP_ROWS: usize = 1 << 16;

/// Writes frames with the same columns one after another as if they were one, so that an
/// answer need never be in memory as a whole.
pub struct FrameWriter<'a> {
    /// The frame that it began with, without rows.
    like: Frame,
    form: Form<'a>,
}

enum Form<'a> {
    Csv(Out<'a>),
    /// Whether a row has been written.
    Json(Out<'a>, bool),
    Jsonl(Out<'a>),
    /// Rows wait until there are enough for a row group.
    Parquet(Box<TableStream<Out<'a>>>, Data),
}

type Out<'a> = &'a mut (dyn Write + Send);

impl<'a> FrameWriter<'a> {
    /// Begins to write frames with the kind, the columns and the context of `like`; its rows
    /// are not written.
    ///
    /// # Errors
    /// If `out` refuses.
    pub fn new(out: Out<'a>, format: Format, like: &Frame) -> Result<Self, Error> {
        let like = like.head(0);
        let form = match format {
            Format::Csv => {
                let names: Vec<_> = like.columns.iter().map(|c| c.name.as_ref()).collect();
                writeln!(out, "{}", names.join(",")).map_err(|e| like.cannot_write("CSV", e))?;
                Form::Csv(out)
            }
            Format::Json => {
                like.json_head(out).map_err(|e| like.cannot_write("JSON", e))?;
                Form::Json(out, false)
            }
            Format::Jsonl => Form::Jsonl(out),
            Format::Parquet => {
                let facts = like.facts();
                let facts: Vec<_> = facts.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
                let table = like.table(like.data.clone());
                let stream = TableStream::new(out, &table, &facts);
                let stream = stream.map_err(|e| like.cannot_write("Parquet", e))?;
                Form::Parquet(Box::new(stream), like.data.clone())
            }
        };
        Ok(Self { like, form })
    }

    /// Writes the rows of a frame, which must have the columns of the first one.
    ///
    /// # Errors
    /// If the writer refuses.
    pub fn append(&mut self, frame: Frame) -> Result<(), Error> {
        match &mut self.form {
            Form::Csv(out) => frame.csv_rows(*out),
            Form::Json(out, begun) => {
                frame.json_rows(*out, begun).map_err(|e| frame.cannot_write("JSON", e))
            }
            Form::Jsonl(out) => frame.jsonl_rows(*out).map_err(|e| frame.cannot_write("JSONL", e)),
            Form::Parquet(stream, waiting) => {
                waiting.append(frame.data);
                if waiting.rows() < GROUP_ROWS {
                    return Ok(());
                }
                let full = std::mem::replace(waiting, self.like.data.clone());
                let written = stream.append(&self.like.table(full));
                written.map_err(|e| self.like.cannot_write("Parquet", e))
            }
        }
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// If the writer refuses.
    pub fn finish(self) -> Result<(), Error> {
        let like = self.like;
        let (format, flushed) = match self.form {
            Form::Csv(out) => ("CSV", out.flush()),
            Form::Json(out, _) => ("JSON", out.write_all(b"\n]}\n").and_then(|()| out.flush())),
            Form::Jsonl(out) => ("JSONL", out.flush()),
            Form::Parquet(mut stream, waiting) => {
                let written = stream.append(&like.table(waiting)).and_then(|()| stream.finish());
                let out = written.map_err(|e| like.cannot_write("Parquet", e))?;
                ("Parquet", out.flush())
            }
        };
        flushed.map_err(|e| like.cannot_write(format, e))
    }
}

impl Frame {
    /// What Parquet carries beside the rows.
    fn facts(&self) -> Vec<(String, String)> {
        let facts = [
            ("kind", self.kind.to_owned()),
            ("schema_version", SCHEMA_VERSION.to_string()),
            ("tool", concat!("followgraph ", env!("CARGO_PKG_VERSION")).to_owned()),
        ];
        let facts = facts.into_iter().chain(self.context.iter().cloned());
        facts.map(|(key, value)| (format!("followgraph.{key}"), value)).collect()
    }

    fn table(&self, data: Data) -> Table {
        let column = |(column, values): (&super::Column, Values)| TableColumn {
            name: column.name.to_string(),
            values,
            nullable: column.nullable,
        };
        Table { columns: self.columns.iter().zip(data.into_columns()).map(column).collect() }
    }

    fn json_head(&self, out: &mut dyn Write) -> std::io::Result<()> {
        write!(out, "{{\"schema_version\":{SCHEMA_VERSION},\"kind\":")?;
        text(out, self.kind)?;
        for (key, value) in &self.context {
            write!(out, ",")?;
            text(out, key)?;
            write!(out, ":")?;
            text(out, value)?;
        }
        write!(out, ",\"rows\":[")
    }

    fn json_rows(&self, out: &mut dyn Write, begun: &mut bool) -> std::io::Result<()> {
        for row in 0..self.rows() {
            out.write_all(if *begun { b",\n" } else { b"\n" })?;
            *begun = true;
            self.object(row, out)?;
        }
        Ok(())
    }

    fn jsonl_rows(&self, out: &mut dyn Write) -> std::io::Result<()> {
        for row in 0..self.rows() {
            self.object(row, out)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn object(&self, row: usize, out: &mut dyn Write) -> std::io::Result<()> {
        let mut before = "{";
        for (index, column) in self.columns.iter().enumerate() {
            write!(out, "{before}")?;
            before = ",";
            text(out, &column.name)?;
            write!(out, ":")?;
            match (self.data.value(row, index), column.kind) {
                (Value::Null, _) => write!(out, "null"),
                (Value::Int(id), Kind::Id) => write!(out, "\"{id}\""),
                (Value::Int(micros), Kind::Time) => write!(out, "\"{}\"", moment(micros)),
                (Value::Int(number), _) => write!(out, "{number}"),
                (Value::Float(ratio), _) => {
                    serde_json::to_writer(&mut *out, &ratio).map_err(Into::into)
                }
                (Value::Bool(flag), _) => write!(out, "{flag}"),
                (Value::Text(words), _) => text(out, words),
            }?;
        }
        write!(out, "}}")
    }

    pub(super) fn cannot_write(
        &self,
        format: &str,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        Error::write(format!("cannot write the {} frame as {format}", self.kind), cause)
    }
}

fn text(out: &mut dyn Write, text: &str) -> std::io::Result<()> {
    serde_json::to_writer(out, text).map_err(Into::into)
}

/// A time in RFC 3339, to the second unless it is finer.
pub(super) fn moment(micros: i64) -> String {
    Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |t| t.to_string())
}

/// Text that no spreadsheet takes for a formula: a sign that would begin one gets a `'`
/// before it.
pub(super) fn defused(text: &str) -> String {
    let quote = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("{quote}{text}")
}
