//! The one error of this crate.

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
#[non_exhaustive]
pub struct Error(#[from] Repr);

#[derive(Debug, thiserror::Error)]
enum Repr {
    #[error(transparent)]
    Analysis(analysis::Error),
    #[error("{0}")]
    Invalid(String, Option<String>),
    #[error("cannot write the report")]
    Write(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    pub(crate) fn invalid(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self(Repr::Invalid(message.into(), Some(hint.into())))
    }

    pub(crate) fn write(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Repr::Write(Box::new(cause)))
    }

    /// Who can act on it.
    pub fn kind(&self) -> snapshot::ErrorKind {
        match &self.0 {
            Repr::Analysis(e) => e.kind(),
            Repr::Invalid(..) => snapshot::ErrorKind::Invalid,
            Repr::Write(_) => snapshot::ErrorKind::Io,
        }
    }

    /// The way out, when there is one the user can take.
    pub fn way_out(&self) -> Option<&str> {
        match &self.0 {
            Repr::Analysis(e) => e.way_out(),
            Repr::Invalid(_, hint) => hint.as_deref(),
            Repr::Write(_) => None,
        }
    }
}

impl From<analysis::Error> for Error {
    fn from(e: analysis::Error) -> Self {
        Self(Repr::Analysis(e))
    }
}

impl From<snapshot::Error> for Error {
    fn from(e: snapshot::Error) -> Self {
        Self(Repr::Analysis(e.into()))
    }
}
