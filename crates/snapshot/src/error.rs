//! The one error of this crate: what failed, where, and what to do about it.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a store, a run or a file could not be read or written.
///
/// The message names the thing and the place; [`kind`](Self::kind) says who can act.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What sort of trouble an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system refused: missing file, no permission, full disk.
    Io,
    /// A file is not what the manifest or the format says it is.
    Damaged,
    /// The run was written by a newer version of the format.
    NewerFormat,
    /// No run, list or account answers to the given name.
    NotFound,
    /// The caller gave values that cannot be stored.
    Invalid,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, source: None }
    }

    pub(crate) fn damaged(path: &Path, what: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Damaged, format!("{} is damaged: {what}", path.display()))
            .hint("`followgraph verify` lists everything that is wrong with a store")
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    pub(crate) fn because(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Who can act on it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The way out, when there is one the user can take.
    pub fn way_out(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

/// Names the file and the deed in an I/O error.
pub(crate) trait At<T> {
    /// Wraps the error as `cannot {verb} {path}`.
    fn at(self, verb: &str, path: &Path) -> Result<T, Error>;
}

impl<T> At<T> for std::io::Result<T> {
    fn at(self, verb: &str, path: &Path) -> Result<T, Error> {
        self.map_err(|e| io_error(verb, path, e))
    }
}

impl<T> At<T> for Result<T, parquet::errors::ParquetError> {
    fn at(self, verb: &str, path: &Path) -> Result<T, Error> {
        self.map_err(|e| parquet_error(verb, path, e))
    }
}

fn io_error(verb: &str, path: &Path, e: std::io::Error) -> Error {
    use std::io::ErrorKind as Io;
    let hint = match e.kind() {
        Io::PermissionDenied | Io::ReadOnlyFilesystem => {
            Some("choose a folder you may write to with --store, or change its permissions")
        }
        Io::StorageFull | Io::QuotaExceeded => {
            Some("nothing was published; free some space and run the same command again")
        }
        _ => None,
    };
    let kind = if e.kind() == Io::UnexpectedEof { ErrorKind::Damaged } else { ErrorKind::Io };
    let mut error = Error::new(kind, format!("cannot {verb} {}", path.display())).because(e);
    error.hint = hint.map(str::to_owned);
    error
}

/// The Parquet library boxes I/O errors; this finds them again, so that a full disk is
/// reported as a full disk and not as a damaged file.
fn parquet_error(verb: &str, path: &Path, e: parquet::errors::ParquetError) -> Error {
    match e {
        parquet::errors::ParquetError::External(inner) => {
            match inner.downcast::<std::io::Error>() {
                Ok(io) => io_error(verb, path, *io),
                Err(other) => unreadable(verb, path, other),
            }
        }
        other => unreadable(verb, path, Box::new(other)),
    }
}

fn unreadable(verb: &str, path: &Path, e: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::new(ErrorKind::Damaged, format!("cannot {verb} {}", path.display())).because(e)
}

/// A path relative to the store, for messages and manifests.
pub(crate) fn relative(base: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(base).unwrap_or(path).to_path_buf()
}
