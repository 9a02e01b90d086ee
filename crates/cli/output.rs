//! The only module that prints. Data goes to standard output, all else to standard error.

use std::fmt::{Display, Write as _};
use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;

use analysis::{Format, Frame, FrameWriter};
use anyhow::{Context as _, Result};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use jiff::Timestamp;
use tempfile::Builder;

use crate::args::{Form, Output};
use crate::exit::Usage;

/// Prints an error with its causes, and the way out if there is one.
pub(crate) fn error(error: &anyhow::Error) {
    error_of(error.as_ref());
}

/// The same for an error of a library.
pub(crate) fn error_of(error: &(dyn std::error::Error + 'static)) {
    let chain = || std::iter::successors(Some(error), |e| e.source());
    let mut text = format!("error: {}", printable(&error.to_string()));
    for cause in chain().skip(1) {
        let _ = write!(text, "\n  because {}", printable(&cause.to_string()));
    }
    if let Some(hint) = chain().find_map(hint_of) {
        let _ = write!(text, "\n\nhint: {}", printable(hint));
    }
    // Nobody is left to tell if this fails.
    let _ = writeln!(io::stderr(), "{text}");
}

fn hint_of<'a>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a str> {
    cause
        .downcast_ref::<snapshot::Error>()
        .and_then(snapshot::Error::way_out)
        .or_else(|| cause.downcast_ref::<ingest::Error>().and_then(ingest::Error::way_out))
        .or_else(|| cause.downcast_ref::<analysis::Error>().and_then(analysis::Error::way_out))
        .or_else(|| cause.downcast_ref::<report::Error>().and_then(report::Error::way_out))
        .or_else(|| cause.downcast_ref::<Usage>().and_then(Usage::way_out))
}

/// Prints a remark to standard error.
pub(crate) fn remark(text: impl Display) {
    // A closed standard error is no reason to fail.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prints text to standard output.
pub(crate) fn print(text: impl Display) -> Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "{text}").and_then(|()| out.flush()).context("cannot write to standard output")
}

/// Whether standard error is a terminal, where things may move.
pub(crate) fn is_lively() -> bool {
    io::stderr().is_terminal()
}

/// Delivers an answer where and how it was asked for: drawn for people, or as a frame.
pub(crate) fn deliver(
    output: &Output,
    screen: impl FnOnce() -> Result<String>,
    frame: impl FnOnce() -> Result<Frame>,
) -> Result<()> {
    match output.format.of_file() {
        None => {
            let text = screen()?;
            send(&output.output, |out| Ok(out.write_all(text.as_bytes())?))
        }
        Some(format) => {
            check_place(format, &output.output)?;
            let frame = frame()?;
            send(&output.output, |out| Ok(frame.write(format, out)?))
        }
    }
}

/// Delivers an answer that is not for people piece by piece, with the columns of `like`.
pub(crate) fn deliver_pieces<T>(
    format: Format,
    output: &Path,
    like: &Frame,
    pieces: impl FnOnce(&mut FrameWriter<'_>) -> Result<T>,
) -> Result<T> {
    check_place(format, output)?;
    let mut answer = None;
    send(output, |out| {
        let mut writer = FrameWriter::new(out, format, like)?;
        answer = Some(pieces(&mut writer)?);
        Ok(writer.finish()?)
    })?;
    answer.context("nothing was written")
}

/// Delivers a document, as text.
pub(crate) fn document(output: &Path, text: &str) -> Result<()> {
    send(output, |out| Ok(out.write_all(text.as_bytes())?))
}

/// Delivers a page for a browser.
pub(crate) fn page(output: &Path, html: &str) -> Result<()> {
    if is_stdout(output) && io::stdout().is_terminal() {
        return Err(Usage::new("a page is not for terminals")
            .hint("name a file: --output report.html, or ask for Markdown: --format md")
            .into());
    }
    document(output, html)
}

fn check_place(format: Format, output: &Path) -> Result<()> {
    if format == Format::Parquet && is_stdout(output) && io::stdout().is_terminal() {
        return Err(Usage::new("Parquet is not for terminals")
            .hint("name a file: --output changes.parquet")
            .into());
    }
    Ok(())
}

/// Prints something that has parts: as one JSON document, or drawn for people.
pub(crate) fn show(
    form: Form,
    document: &impl serde::Serialize,
    screen: impl FnOnce() -> String,
) -> Result<()> {
    match form {
        Form::Table => print(screen()),
        Form::Json => {
            let text = serde_json::to_string_pretty(document).context("cannot write JSON")?;
            print(text + "\n")
        }
    }
}

/// Whether a result goes to standard output.
pub(crate) fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

/// Writes to standard output, or to a file that appears whole or not at all.
pub(crate) fn send(
    path: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>,
) -> Result<()> {
    if is_stdout(path) {
        return through(io::stdout(), write).context("cannot write to standard output");
    }
    let cannot = || format!("cannot write {}", path.display());
    // A device or a pipe is written to; only a regular file can be replaced.
    if path.metadata().is_ok_and(|about| !about.is_file() && !about.is_dir()) {
        let device = File::options().write(true).open(path).with_context(cannot)?;
        return through(device, write).with_context(cannot);
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = Builder::new();
    let file = ordinary(&mut builder).tempfile_in(folder).with_context(cannot)?;
    through(file.as_file(), write).with_context(cannot)?;
    file.as_file().sync_all().with_context(cannot)?;
    file.persist(path).map_err(|e| e.error).with_context(cannot)?;
    Ok(())
}

fn through(
    out: impl Write + Send,
    write: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>,
) -> Result<()> {
    let mut out = Pipe { out: io::BufWriter::new(out), broken: false };
    let written = write(&mut out).and_then(|()| Ok(out.flush()?));
    // Whatever a library made of it: that the reader has gone is no failure.
    if out.broken { Err(io::Error::from(io::ErrorKind::BrokenPipe).into()) } else { written }
}

/// Remembers that the reader has gone.
struct Pipe<W> {
    out: W,
    broken: bool,
}

impl<W: Write> Pipe<W> {
    fn heed<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        self.broken |= result.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::BrokenPipe);
        result
    }
}

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let written = self.out.write(buf);
        self.heed(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.heed(flushed)
    }
}

/// Temporary files are private; a result gets the mode that any new file has.
#[cfg(unix)]
fn ordinary<'a, 'b>(builder: &'a mut Builder<'b, 'b>) -> &'a mut Builder<'b, 'b> {
    use std::os::unix::fs::PermissionsExt as _;
    builder.permissions(std::fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn ordinary<'a, 'b>(builder: &'a mut Builder<'b, 'b>) -> &'a mut Builder<'b, 'b> {
    builder
}

/// How a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A table for people: headings with their alignment, rows of text.
pub(crate) fn table(
    headings: &[(&str, Align)],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let cell = |text: &str, align: Align| {
        Cell::new(printable(text)).set_alignment(match align {
            Align::Left => CellAlignment::Left,
            Align::Right => CellAlignment::Right,
        })
    };
    table.set_header(headings.iter().map(|(text, align)| cell(text, *align)));
    for row in rows {
        table.add_row(row.iter().zip(headings).map(|(text, (_, align))| cell(text, *align)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    format!("{}\n", lines.join("\n"))
}

/// A bar in eighths of a character, at most so many long; a number above 0 shows.
pub(crate) fn bar(number: u64, most: u64, length: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if number == 0 {
        return String::new();
    }
    let full = u128::from(number) * (8 * length) as u128 / u128::from(most.max(1));
    let eighths = usize::try_from(full).unwrap_or(8 * length).clamp(1, 8 * length);
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// Digits in groups of three.
pub(crate) fn grouped(n: u64) -> String {
    indicatif::HumanCount(n).to_string()
}

/// A number and what it counts: `1 list`, `1,204 lists`.
pub(crate) fn counted(n: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// Values as bars of eight heights from the least to the greatest, at most so many: of several
/// that share a bar, the last. A blank where a value is missing.
pub(crate) fn sparkline(values: &[Option<f64>], width: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let known = || values.iter().flatten().copied();
    let (least, most) = (known().fold(f64::MAX, f64::min), known().fold(f64::MIN, f64::max));
    let bars = values.len().min(width);
    let bar = |at: usize| {
        let Some(value) = values[(at + 1) * values.len() / bars - 1] else { return ' ' };
        let steps = if most > least { 8.0 * (value - least) / (most - least) } else { 3.0 };
        // The greatest value is in the last step.
        BARS[(1..8_u8).take_while(|step| f64::from(*step) <= steps).count()]
    };
    (0..bars).map(bar).collect()
}

/// An amount of money: `$12.34`, and as many digits as a part of a cent needs.
pub(crate) fn dollars(micro_usd: i64) -> String {
    let (whole, rest) =
        (micro_usd.unsigned_abs() / 1_000_000, micro_usd.unsigned_abs() % 1_000_000);
    let digits = format!("{rest:06}");
    let cents = digits.trim_end_matches('0');
    format!("{}${}.{cents:0<2}", if micro_usd < 0 { "-" } else { "" }, grouped(whole))
}

/// A moment to the minute, UTC: `2026-11-24 17:05`.
pub(crate) fn minute(time: Timestamp) -> String {
    time.strftime("%F %H:%M").to_string()
}

/// A share in percent with one digit; `-` where there is none.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |s| format!("{:.1} %", 100.0 * s))
}

/// A share in percent with three digits that count, however small it is; `-` where there is
/// none.
pub(crate) fn fine_percent(share: Option<f64>) -> String {
    share.map_or_else(
        || "-".to_owned(),
        |share| {
            let percent = 100.0 * share;
            let places = (1..12).find(|places| percent.abs() * 10_f64.powi(*places) >= 100.0);
            format!(
                "{percent:.*} %",
                places.map_or(1, |places| usize::try_from(places).unwrap_or(1))
            )
        },
    )
}

/// Text from elsewhere, safe for a terminal: control characters, which could move the
/// cursor or recolour the screen, and direction overrides become visible marks.
pub(crate) fn printable(text: &str) -> String {
    let is_override = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}');
    let show =
        |c: char| if (c.is_control() && c != '\n') || is_override(c) { '\u{FFFD}' } else { c };
    text.chars().map(show).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_elsewhere_cannot_move_the_cursor_or_turn_the_line() {
        assert_eq!(printable("a\u{1b}[2Jb\r\u{202e}c"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c");
        assert_eq!(printable("Zoë 🦊"), "Zoë 🦊");
    }

    #[test]
    fn small_shares_keep_their_digits() {
        let shown =
            [1.0, 0.218_779, 0.000_449, 0.000_000_123_4, 0.0].map(|s| fine_percent(Some(s)));
        assert_eq!(shown, ["100.0 %", "21.9 %", "0.0449 %", "0.0000123 %", "0.0 %"]);
        assert_eq!(fine_percent(None), "-");
    }

    #[test]
    fn columns_line_up_and_lines_end_where_the_text_ends() {
        let table = table(
            &[("account", Align::Left), ("ids", Align::Right)],
            [vec!["@a".into(), "1,204".into()], vec!["@longer".into(), "7".into()]],
        );
        assert_eq!(table, "account    ids\n@a       1,204\n@longer      7\n");
    }
}
