//! The one error of this crate.

use snapshot::ErrorKind;

/// Why a question has no answer.
///
/// The message names the thing; [`kind`](Self::kind) says who can act. An error of the
/// snapshot underneath shows through unchanged.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
#[non_exhaustive]
pub struct Error(#[from] Repr);

#[derive(Debug, thiserror::Error)]
enum Repr {
    #[error(transparent)]
    Snapshot(snapshot::Error),
    #[error("{message}")]
    Own {
        kind: ErrorKind,
        message: String,
        hint: Option<String>,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

impl Error {
    fn own(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Repr::Own { kind, message: message.into(), hint: None, source: None })
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::own(ErrorKind::NotFound, message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::own(ErrorKind::Invalid, message)
    }

    /// A run does not hold what its own records say.
    pub(crate) fn damaged(message: impl Into<String>) -> Self {
        Self::own(ErrorKind::Damaged, message)
            .with_hint("`followgraph verify` lists everything that is wrong with a store")
    }

    pub(crate) fn write(
        message: impl Into<String>,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::own(ErrorKind::Io, message).because(cause)
    }

    pub(crate) fn because(
        mut self,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        if let Repr::Own { source, .. } = &mut self.0 {
            *source = Some(cause.into());
        }
        self
    }

    pub(crate) fn with_hint(mut self, text: impl Into<String>) -> Self {
        if let Repr::Own { hint, .. } = &mut self.0 {
            *hint = Some(text.into());
        }
        self
    }

    /// Who can act on it.
    pub fn kind(&self) -> ErrorKind {
        match &self.0 {
            Repr::Snapshot(e) => e.kind(),
            Repr::Own { kind, .. } => *kind,
        }
    }

    /// The way out, when there is one the user can take.
    pub fn way_out(&self) -> Option<&str> {
        match &self.0 {
            Repr::Snapshot(e) => e.way_out(),
            Repr::Own { hint, .. } => hint.as_deref(),
        }
    }
}

impl From<snapshot::Error> for Error {
    fn from(e: snapshot::Error) -> Self {
        Self(Repr::Snapshot(e))
    }
}
