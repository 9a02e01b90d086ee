//! Opens an input and reads it line by line, unpacking it on the way.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::PathBuf;

use flate2::bufread::GzDecoder;
use snapshot::{AccountId, IdError};

use crate::{Error, ErrorKind};

/// Where to read from. Whether it is packed with gzip or Zstandard is told by its first
/// bytes, not by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.pad("standard input"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Windows of up to 2^27 bytes: what `zstd --long` makes, and `zstd -d` accepts unasked.
const WINDOW_LOG_MAX: u32 = 27;
pub(super) const BUFFER: usize = 1 << 16;

impl Input {
    /// The unpacked text.
    pub(super) fn open(&self) -> Result<Box<dyn BufRead>, Error> {
        let raw: Box<dyn Read> = match self {
            Self::Stdin => Box::new(io::stdin().lock()),
            Self::File(path) => Box::new(File::open(path).map_err(|e| Error::io("open", path, e))?),
        };
        unpack(raw).map_err(|e| self.unreadable(e))
    }

    fn unreadable(&self, error: io::Error) -> Error {
        Error::new(ErrorKind::Io, format!("cannot read {self}")).because(error)
    }

    /// A failure to read on, at a line.
    pub(super) fn broken(&self, line: u64, error: io::Error) -> Error {
        broken(self, line, error)
    }

    /// An id that is none.
    pub(super) fn bad_id(&self, line: u64, error: &IdError) -> Error {
        bad_id(self, line, error)
    }

    pub(super) fn id(&self, line: u64, text: &str) -> Result<AccountId, Error> {
        text.parse().map_err(|e| self.bad_id(line, &e))
    }
}

/// A failure to read on, at a line of a file, or of a file inside an archive.
pub(super) fn broken(name: impl fmt::Display, line: u64, error: io::Error) -> Error {
    if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Trailing>) {
        return Error::input(name, line, "something that is not gzip follows the packed data")
            .hint("unpack it with `gzip -dc`, see that it is whole, and import that; nothing was published");
    }
    if error.to_string() == "Invalid checksum" {
        return Error::input(name, line, "the file's checksum is wrong")
            .because(error)
            .hint("the archive is damaged: fetch it again; nothing was published");
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            Error::input(name, line, "the packed data ends in the middle")
                .because(error)
                .hint("the file is not whole: fetch it again; nothing was published")
        }
        _ => Error::input(name, line, "the file cannot be read any further").because(error),
    }
}

/// An id that is none, at a line of a file, or of a file inside an archive.
pub(super) fn bad_id(name: impl fmt::Display, line: u64, error: &IdError) -> Error {
    let wrong = Error::input(name, line, error);
    match error {
        IdError::NotNumeric(_) => {
            wrong.hint("only numeric ids can be imported so far; map names to numbers first")
        }
        IdError::Rounded(_) => wrong.hint("go back to the source and export the ids as text"),
        _ => wrong,
    }
}

fn unpack(mut raw: Box<dyn Read>) -> io::Result<Box<dyn BufRead>> {
    let mut head = Vec::new();
    raw.by_ref().take(4).read_to_end(&mut head)?;
    let is_gzip = head.starts_with(&GZIP);
    let is_zstd = head.starts_with(&ZSTD);
    let whole = BufReader::with_capacity(BUFFER, Cursor::new(head).chain(raw));
    if is_gzip {
        let unpacked = Members { member: Some(GzDecoder::new(whole)) };
        return Ok(Box::new(BufReader::with_capacity(BUFFER, unpacked)));
    }
    if is_zstd {
        let mut unpacked = zstd::stream::read::Decoder::with_buffer(whole)?;
        unpacked.window_log_max(WINDOW_LOG_MAX)?;
        return Ok(Box::new(BufReader::with_capacity(BUFFER, unpacked)));
    }
    Ok(Box::new(whole))
}

/// What follows the end of gzip data and is no more of it.
#[derive(Debug, thiserror::Error)]
#[error("the packed data has ended before")]
struct Trailing;

/// Gzip data of one member or several, as `cat a.gz b.gz` makes it. Zeros at the end, which
/// tapes leave there, are passed over.
struct Members<R> {
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(ended) = self.member.take() else { break };
            let mut rest = ended.into_inner();
            loop {
                let ahead = rest.fill_buf()?;
                let zeros = ahead.iter().take_while(|byte| **byte == 0).count();
                match ahead.get(zeros) {
                    Some(byte) if *byte == GZIP[0] => break,
                    Some(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, Trailing)),
                    None if ahead.is_empty() => return Ok(0),
                    None => {}
                }
                rest.consume(zeros);
            }
            let zeros = rest.fill_buf()?.iter().take_while(|byte| **byte == 0).count();
            rest.consume(zeros);
            self.member = Some(GzDecoder::new(rest));
        }
        Ok(0)
    }
}

/// The lines of an input, without the white space around them.
pub(super) struct Lines<'a> {
    input: &'a Input,
    bytes_max: u64,
    reader: Box<dyn BufRead>,
    buffer: Vec<u8>,
    number: u64,
}

/// The longest line of a file that has one id or one edge a line.
pub(super) const LINE_BYTES_MAX: u64 = 1 << 16;

impl<'a> Lines<'a> {
    pub(super) fn of(input: &'a Input) -> Result<Self, Error> {
        Ok(Self::over(input, input.open()?, LINE_BYTES_MAX))
    }

    /// The lines of what was opened already, each of fewer bytes than `bytes_max`.
    pub(super) fn over(input: &'a Input, reader: Box<dyn BufRead>, bytes_max: u64) -> Self {
        Self { input, bytes_max, reader, buffer: Vec::new(), number: 0 }
    }

    /// The next line and its number, from 1.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &str)>, Error> {
        self.buffer.clear();
        self.number += 1;
        let (input, number) = (self.input, self.number);
        let mut bounded = self.reader.by_ref().take(self.bytes_max);
        let read =
            bounded.read_until(b'\n', &mut self.buffer).map_err(|e| input.broken(number, e))?;
        if read == 0 {
            return Ok(None);
        }
        if read as u64 == self.bytes_max {
            return Err(Error::input(input, number, "the line does not end; is this a text file?"));
        }
        let text = std::str::from_utf8(&self.buffer)
            .map_err(|e| Error::input(input, number, "the line is not UTF-8").because(e))?;
        let text = if number == 1 { text.trim_start_matches('\u{feff}') } else { text };
        Ok(Some((number, text.trim())))
    }
}
