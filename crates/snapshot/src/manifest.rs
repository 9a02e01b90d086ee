//! `manifest.json`: what a run consists of, and how to know that it is whole.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::LookUp;
use crate::error::{At, Error, ErrorKind, relative};
use crate::fs::{Checksum, HashedFile};
use crate::schema::Record;

/// The last file written of a run. Listing a store reads nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format; see [`FORMAT_VERSION`](crate::FORMAT_VERSION).
    pub format: u32,
    /// What wrote it.
    pub tool: Tool,
    /// The run's id, as in the name of its folder.
    pub run: String,
    /// When its first crawl began, or without crawls its first look-up was answered, by
    /// the network's clock.
    pub started_at: Timestamp,
    /// When its last crawl ended, or without crawls its last look-up was answered.
    pub finished_at: Timestamp,
    /// How many lists were asked for.
    pub crawls: u64,
    /// How many of them were read to their end.
    pub complete: u64,
    /// How many different accounts they belong to.
    pub accounts: u64,
    /// Rows of all lists together.
    pub rows: u64,
    /// How the run was made: the command's settings, without secrets.
    pub parameters: BTreeMap<String, String>,
    /// Every other file of the run.
    pub files: Vec<FileEntry>,
}

impl Manifest {
    /// Whether the run asked for any list. A run may hold look-ups alone.
    pub fn has_lists(&self) -> bool {
        self.crawls > 0
    }

    /// How many accounts were looked up, each as often as it was.
    pub fn look_ups(&self) -> u64 {
        self.entry(LookUp::FILE).map_or(0, |file| file.rows)
    }

    /// Bytes of all files together, as far as a number can hold them.
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }

    /// What it says of a file.
    pub(crate) fn entry(&self, path: &str) -> Option<&FileEntry> {
        self.files.iter().find(|f| f.path == path)
    }
}

/// The program that wrote a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// One file of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Relative to the run's folder, with `/`.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
    /// Rows in it.
    pub rows: u64,
    /// CRC-32 of the bytes of each row group, for lists: they tell where a file is damaged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub row_groups: Vec<u32>,
}

impl FileEntry {
    pub(crate) fn new(base: &Path, path: &Path, checksum: Checksum, rows: u64) -> Self {
        let path = relative(base, path).to_string_lossy().replace('\\', "/");
        let Checksum { bytes, sha256 } = checksum;
        Self { path, bytes, sha256, rows, row_groups: Vec::new() }
    }
}

/// The file's name in a run's folder.
pub(crate) const FILE_NAME: &str = "manifest.json";

/// Read first, so that a newer format is recognised before anything else can go wrong.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

impl Manifest {
    pub(crate) fn read(run_folder: &Path) -> Result<Self, Error> {
        let path = run_folder.join(FILE_NAME);
        if std::fs::symlink_metadata(&path).is_err_and(|e| e.kind() == io::ErrorKind::NotFound) {
            return Err(Error::damaged(run_folder, format!("it has no {FILE_NAME}")));
        }
        let mut text = Vec::new();
        crate::fs::open(&path)?.read_to_end(&mut text).at("read", &path)?;
        let broken = |e: serde_json::Error| Error::damaged(&path, "not a manifest").because(e);
        let Version { format } = serde_json::from_slice(&text).map_err(broken)?;
        if format == 0 {
            return Err(Error::damaged(&path, "there never was a format 0"));
        }
        if format > crate::FORMAT_VERSION {
            let message = format!(
                "{} has format {format}; this version of followgraph reads formats up to {}",
                run_folder.display(),
                crate::FORMAT_VERSION
            );
            return Err(Error::new(ErrorKind::NewerFormat, message)
                .hint("install the newer version of followgraph that wrote it"));
        }
        serde_json::from_slice(&text).map_err(broken)
    }

    pub(crate) fn write(&self, run_folder: &Path) -> Result<(), Error> {
        use std::io::Write as _;
        let path = run_folder.join(FILE_NAME);
        let mut file = HashedFile::create(&path)?;
        serde_json::to_writer_pretty(&mut file, self)
            .map_err(std::io::Error::from)
            .and_then(|()| file.write_all(b"\n"))
            .at("write", &path)?;
        file.finish(&path).map(drop)
    }
}
