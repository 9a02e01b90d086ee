//! Tables: CSV or TSV with a header, of which two or three columns matter.

use std::cell::Cell;
use std::io::{self, BufRead, Cursor, Read};
use std::rc::Rc;

use csv::{ByteRecord, Reader, ReaderBuilder};
use jiff::Timestamp;
use snapshot::AccountId;

use super::input::Input;
use super::{AccountColumn, Intake, times};
use crate::Error;

/// The columns that matter.
pub(super) struct Columns<'a> {
    pub(super) account: &'a AccountColumn,
    pub(super) member: &'a str,
    pub(super) time: Option<&'a str>,
    /// A column that must not name another account than this one, where it holds ids.
    pub(super) agrees: Option<(&'a str, AccountId)>,
}

/// Takes every row of a table.
pub(super) fn read(
    input: &Input,
    columns: &Columns<'_>,
    delimiter: Option<u8>,
    intake: &mut Intake<'_>,
) -> Result<(), Error> {
    take(input, input.open()?, columns, delimiter, intake)
}

/// Takes the rows of what was opened already.
pub(super) fn take(
    input: &Input,
    mut text: Box<dyn BufRead>,
    columns: &Columns<'_>,
    delimiter: Option<u8>,
    intake: &mut Intake<'_>,
) -> Result<(), Error> {
    let mut header = Vec::new();
    text.by_ref()
        .take(RECORD_BYTES_MAX)
        .read_until(b'\n', &mut header)
        .map_err(|e| input.broken(1, e))?;
    let delimiter = delimiter.unwrap_or_else(|| guess_delimiter(&header));
    let read = Rc::new(Cell::new(0));
    let quotes = Rc::new(Cell::new(0));
    let inner = Cursor::new(header).chain(text);
    let leash = Leash { inner, read: Rc::clone(&read), quotes: Rc::clone(&quotes) };
    let mut table = ReaderBuilder::new().delimiter(delimiter).from_reader(leash);
    let mut fields = Fields::find(input, columns, &mut table)?;
    let named = |name: &str, header: &ByteRecord| header.iter().position(|h| h == name.as_bytes());
    let agrees = match (columns.agrees, table.byte_headers()) {
        (Some((name, account)), Ok(header)) => named(name, header).map(|at| (at, name, account)),
        _ => None,
    };
    let mut record = ByteRecord::new();
    let mut first_over_lines = None;
    loop {
        read.set(0);
        if !table.read_byte_record(&mut record).map_err(|e| broken(input, &table, e))? {
            // Quotes come in pairs. If one is left over and a row goes on over lines, then
            // rows were swallowed, and the list would look complete without them.
            return match first_over_lines {
                Some(line) if quotes.get() % 2 == 1 => Err(not_closed(input, line)),
                _ => Ok(()),
            };
        }
        let line = record.position().map_or(0, csv::Position::line);
        if first_over_lines.is_none() && record.as_slice().contains(&b'\n') {
            first_over_lines = Some(line);
        }
        if let Some((at, name, account)) = agrees {
            let said = record.get(at).and_then(|text| std::str::from_utf8(text).ok());
            let said = said.and_then(|text| text.trim().parse::<AccountId>().ok());
            if let Some(other) = said.filter(|said| *said != account) {
                let what = format!("the column `{name}` names {other}, and --account {account}");
                return Err(Error::input(input, line, what)
                    .hint("leave --account out: the table says whose lists these are"));
            }
        }
        let row = fields.row(&Record { input, fields: &record, line })?;
        intake.take(row.time, row.account, row.member, line)?;
    }
}

/// A quote that is never closed makes the rest of the file one record; this is where it ends.
const RECORD_BYTES_MAX: u64 = 16 << 20;

/// Lets only so much be read for one record.
struct Leash<R> {
    inner: R,
    read: Rc<Cell<u64>>,
    /// Quotation marks so far.
    quotes: Rc<Cell<usize>>,
}

impl<R: Read> Read for Leash<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read.get() > RECORD_BYTES_MAX {
            return Err(io::Error::other("a row of more than 16 MiB: is a quote not closed?"));
        }
        let read = self.inner.read(buffer)?;
        self.read.set(self.read.get() + read as u64);
        let quotes = buffer[..read].iter().map(|byte| usize::from(*byte == b'"'));
        self.quotes.set(self.quotes.get() + quotes.sum::<usize>());
        Ok(read)
    }
}

fn not_closed(input: &Input, line: u64) -> Error {
    Error::input(input, line, "a quotation mark is not closed, so rows after it are not seen")
        .hint("close it, or write it twice where it is part of the text; nothing was published")
}

pub(super) fn guess_delimiter(header: &[u8]) -> u8 {
    let header = String::from_utf8_lossy(header);
    let count = |delimiter: u8| header.matches(char::from(delimiter)).count();
    // The last of the most frequent; commas when there is none of them.
    [b';', b'\t', b','].into_iter().max_by_key(|d| count(*d)).unwrap_or(b',')
}

fn broken<R: Read>(input: &Input, table: &Reader<R>, error: csv::Error) -> Error {
    let line = table.position().line();
    match error.into_kind() {
        csv::ErrorKind::Io(e) => input.broken(line, e),
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.map_or(line, |pos| pos.line());
            let what = format!("the row has {len} columns, the header has {expected_len}");
            Error::input(input, line, what)
        }
        _ => Error::input(input, line, "the row cannot be read"),
    }
}

/// Where the columns stand.
struct Fields<'a> {
    account: Account<'a>,
    member: Field<'a>,
    time: Option<Field<'a>>,
    /// The last time that was read: in tables they come in long stretches.
    last_time: Option<(Vec<u8>, Timestamp)>,
}

enum Account<'a> {
    Fixed(AccountId),
    Field(Field<'a>),
}

#[derive(Clone, Copy)]
struct Field<'a> {
    name: &'a str,
    index: usize,
}

struct Record<'a> {
    input: &'a Input,
    fields: &'a ByteRecord,
    line: u64,
}

struct Row {
    time: Option<Timestamp>,
    account: AccountId,
    member: AccountId,
}

impl<'a> Fields<'a> {
    fn find<R: Read>(
        input: &Input,
        columns: &Columns<'a>,
        table: &mut Reader<R>,
    ) -> Result<Self, Error> {
        let header = match table.byte_headers() {
            Ok(header) => header.clone(),
            Err(e) => return Err(broken(input, table, e)),
        };
        let names: Vec<_> = header.iter().map(|name| String::from_utf8_lossy(name)).collect();
        let find = |name: &'a str| -> Result<Field<'a>, Error> {
            let mut found = (0..names.len()).filter(|index| names[*index].trim() == name);
            match (found.next(), found.next()) {
                (Some(index), None) => Ok(Field { name, index }),
                (Some(_), Some(_)) => {
                    let what = format!("there are several columns `{name}`");
                    Err(Error::input(input, 1, what))
                }
                (None, _) => {
                    let what = format!("there is no column `{name}`");
                    let hint = format!("the columns are: {}", names.join(", "));
                    Err(Error::input(input, 1, what).hint(hint))
                }
            }
        };
        Ok(Self {
            account: match columns.account {
                AccountColumn::Fixed(account) => Account::Fixed(*account),
                AccountColumn::Column(name) => Account::Field(find(name)?),
            },
            member: find(columns.member)?,
            time: columns.time.map(find).transpose()?,
            last_time: None,
        })
    }

    fn row(&mut self, record: &Record<'_>) -> Result<Row, Error> {
        let account = match self.account {
            Account::Fixed(account) => account,
            Account::Field(field) => record.id(field)?,
        };
        let member = record.id(self.member)?;
        let time = self.time.map(|field| self.time_of(record, field)).transpose()?;
        Ok(Row { time, account, member })
    }

    fn time_of(&mut self, record: &Record<'_>, field: Field<'_>) -> Result<Timestamp, Error> {
        let bytes = record.bytes(field);
        if let Some((last, time)) = &self.last_time
            && last == bytes
        {
            return Ok(*time);
        }
        let text = record.text(field)?;
        let time = times::parse(text).map_err(|hint| {
            let text: String = text.chars().take(40).collect();
            let what = format!("`{text}` in column `{}` is no time", field.name);
            Error::input(record.input, record.line, what).hint(hint)
        })?;
        self.last_time = Some((bytes.to_vec(), time));
        Ok(time)
    }
}

impl Record<'_> {
    fn bytes(&self, field: Field<'_>) -> &[u8] {
        // The reader has checked that every record is as long as the header.
        self.fields.get(field.index).unwrap_or_default()
    }

    fn text(&self, field: Field<'_>) -> Result<&str, Error> {
        let text = std::str::from_utf8(self.bytes(field)).map_err(|e| {
            let what = format!("column `{}` is not UTF-8", field.name);
            Error::input(self.input, self.line, what).because(e)
        })?;
        Ok(text.trim())
    }

    fn id(&self, field: Field<'_>) -> Result<AccountId, Error> {
        self.input.id(self.line, self.text(field)?)
    }
}
