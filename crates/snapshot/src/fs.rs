//! Files that are hashed while they are written, and folders that appear whole.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{At, Error};

/// What a finished file is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checksum {
    pub(crate) bytes: u64,
    /// Lower-case hexadecimal, as `sha256sum` prints it.
    pub(crate) sha256: String,
}

/// A new file that hashes what passes through it.
pub(crate) struct HashedFile {
    file: BufWriter<File>,
    hash: Sha256,
    section: crc32fast::Hasher,
    bytes: u64,
}

impl HashedFile {
    pub(crate) fn create(path: &Path) -> Result<Self, Error> {
        let file = File::create_new(path).at("create", path)?;
        let file = BufWriter::with_capacity(1 << 16, file);
        Ok(Self { file, hash: Sha256::new(), section: crc32fast::Hasher::new(), bytes: 0 })
    }

    /// The CRC-32 of what was written since the last call.
    pub(crate) fn end_section(&mut self) -> u32 {
        std::mem::take(&mut self.section).finalize()
    }

    /// Flushes it to the disk itself.
    pub(crate) fn finish(self, path: &Path) -> Result<Checksum, Error> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error);
        file.and_then(|f| f.sync_all()).at("write", path)?;
        Ok(Checksum { bytes: self.bytes, sha256: hex(&self.hash.finalize()) })
    }
}

impl Write for HashedFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buf)?;
        self.hash.update(&buf[..written]);
        self.section.update(&buf[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Opens a file to read it. Anything else of that name is damage: a pipe would let its
/// reader wait for ever.
pub(crate) fn open(path: &Path) -> Result<File, Error> {
    if std::fs::metadata(path).at("open", path)?.is_file() {
        return File::open(path).at("open", path);
    }
    Err(Error::damaged(path, "it is not a file"))
}

/// Hashes a file that is there already.
pub(crate) fn checksum(path: &Path) -> Result<Checksum, Error> {
    let mut file = open(path)?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).at("read", path)? {
            0 => return Ok(Checksum { bytes, sha256: hex(&hash.finalize()) }),
            n => {
                hash.update(&buffer[..n]);
                bytes += n as u64;
            }
        }
    }
}

/// Makes the names in a folder durable; the files in it must be synced already.
#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|f| f.sync_all()).at("sync", path)
}

/// Elsewhere folders cannot be opened as files, and the system sees to their names.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on unix")]
pub(crate) fn sync_folder(_: &Path) -> Result<(), Error> {
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
