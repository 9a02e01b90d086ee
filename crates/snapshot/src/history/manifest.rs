//! `history/manifest.json`: what the history was made of, and how to know that it is whole.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::HISTORY_VERSION;
use crate::error::{At, Error};
use crate::fs::HashedFile;
use crate::{FileEntry, Tool};

pub(super) const FILE_NAME: &str = "manifest.json";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The version of the files; see [`HISTORY_VERSION`].
    pub(super) format: u32,
    /// What wrote them.
    pub(super) tool: Tool,
    /// The runs that are in it, oldest first.
    pub(super) runs: Vec<String>,
    /// Every other file; `path` is relative to the history's folder.
    pub(super) files: Vec<FileEntry>,
    /// For each file of spells, the account and member of each row group's first row.
    pub(super) starts: Vec<Vec<(i64, i64)>>,
}

/// Read first, so that another version is recognised before anything else can go wrong.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

impl Manifest {
    /// The manifest, or why it is of no use.
    pub(super) fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join(FILE_NAME);
        let mut text = Vec::new();
        let read = |mut file: File| file.read_to_end(&mut text).at("read", &path);
        crate::fs::open(&path).and_then(read).map_err(|e| e.to_string())?;
        let damaged = |_| "its manifest is damaged".to_owned();
        let Version { format } = serde_json::from_slice(&text).map_err(damaged)?;
        if format == HISTORY_VERSION {
            return serde_json::from_slice(&text).map_err(damaged);
        }
        Err(format!("it has format {format}, and this version reads {HISTORY_VERSION}"))
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(FILE_NAME);
        let mut file = HashedFile::create(&path)?;
        serde_json::to_writer(&mut file, self)
            .map_err(std::io::Error::from)
            .and_then(|()| file.write_all(b"\n"))
            .at("write", &path)?;
        file.finish(&path).map(drop)
    }
}
