//! The one error of this crate: what failed, where, and what to do about it.

use std::fmt;
use std::path::Path;

use snapshot::RunId;

/// Why a batch, an import or a job file came to nothing.
///
/// The message names the thing and the place; [`kind`](Self::kind) says who can act.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    published: Vec<RunId>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What sort of trouble an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request itself is wrong: an account that cannot be, a job file, an address.
    Usage,
    /// A file that was to be imported does not hold what it should.
    Input,
    /// The network does not accept the credentials, or there are none.
    Credentials,
    /// Stopped before the end by a quota or by the user; a later run can do the rest.
    Incomplete,
    /// The network did not answer, or not with anything that makes sense.
    Network,
    /// The operating system refused: missing file, no permission.
    Io,
    /// The store could not be written; the source is a [`snapshot::Error`].
    Store,
    /// Another job is at work in the store.
    Locked,
    /// A journal cannot be gone on with.
    Damaged,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, published: Vec::new(), source: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// Trouble on a line of a file; lines count from 1.
    pub(crate) fn input(file: impl fmt::Display, line: u64, what: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Input, format!("{file}:{line}: {what}"))
    }

    pub(crate) fn io(verb: &str, path: &Path, source: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, format!("cannot {verb} {}", path.display())).because(source)
    }

    pub(crate) fn store(doing: impl Into<String>, source: snapshot::Error) -> Self {
        let hint = source.way_out().map(str::to_owned);
        Self { hint, ..Self::new(ErrorKind::Store, doing) }.because(source)
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

    pub(crate) fn after(mut self, published: Vec<RunId>) -> Self {
        self.published = published;
        self
    }

    /// There is no token, and no source answers without one.
    #[must_use]
    pub fn no_token() -> Self {
        let variable = crate::TOKEN_VARIABLE;
        Self::new(ErrorKind::Credentials, "there is no bearer token").hint(format!(
            "set {variable}, or name a file that only you can read with --token-file"
        ))
    }

    /// Who can act on it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The way out, when there is one the user can take.
    pub fn way_out(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The runs that had been published before it failed, oldest first. Empty for all
    /// errors but one: an import of many runs during which the store stopped to take them.
    pub fn published(&self) -> &[RunId] {
        &self.published
    }
}
