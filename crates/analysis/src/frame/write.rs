//! Frames as JSON and JSONL, and the parts of CSV that guard its reader.

use std::io::Write;

use jiff::Timestamp;

use super::{Frame, Kind, SCHEMA_VERSION, Value};
use crate::Error;

impl Frame {
    pub(super) fn write_json(&self, out: &mut dyn Write) -> Result<(), Error> {
        let mut body = || -> std::io::Result<()> {
            write!(out, "{{\"schema_version\":{SCHEMA_VERSION},\"kind\":")?;
            text(out, self.kind)?;
            for (key, value) in &self.context {
                write!(out, ",")?;
                text(out, key)?;
                write!(out, ":")?;
                text(out, value)?;
            }
            write!(out, ",\"rows\":[")?;
            for row in 0..self.rows() {
                out.write_all(if row == 0 { b"\n" } else { b",\n" })?;
                self.object(row, out)?;
            }
            out.write_all(b"\n]}\n")
        };
        body().map_err(|e| self.cannot_write("JSON", e))
    }

    pub(super) fn write_jsonl(&self, out: &mut dyn Write) -> Result<(), Error> {
        let mut body = || -> std::io::Result<()> {
            for row in 0..self.rows() {
                self.object(row, out)?;
                out.write_all(b"\n")?;
            }
            Ok(())
        };
        body().map_err(|e| self.cannot_write("JSONL", e))
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
