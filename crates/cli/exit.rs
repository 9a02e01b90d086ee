//! What the process says to its caller: one enum of exit codes.

use std::io;
use std::process::ExitCode;

use snapshot::ErrorKind;

/// The exit codes; the numbers are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All was done.
    Done,
    /// Something else went wrong.
    Failed,
    /// The command line, or a job file, is not right. Clap exits with the same number.
    Usage,
    /// Something is missing that a later run can add.
    Incomplete,
    /// The network does not accept the credentials, or there are none.
    Credentials,
    /// The store is locked, damaged, or of a newer format.
    Store,
    /// `diff --exit-code` found changes.
    Changed,
    /// Stopped by a signal, after putting everything in order.
    Signal(u8),
}

impl Exit {
    const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
            Self::Credentials => 4,
            Self::Store => 5,
            Self::Changed => 10,
            Self::Signal(number) => 128 + number,
        }
    }

    /// The code that an error deserves.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        error.chain().find_map(Self::of_cause).unwrap_or(Self::Failed)
    }

    fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let kind = cause.downcast_ref().map(snapshot::Error::kind);
        let kind = kind.or_else(|| cause.downcast_ref().map(analysis::Error::kind));
        if let Some(kind) = kind.or_else(|| cause.downcast_ref().map(report::Error::kind)) {
            return match kind {
                ErrorKind::Damaged | ErrorKind::NewerFormat => Some(Self::Store),
                ErrorKind::NotFound | ErrorKind::Invalid => Some(Self::Usage),
                _ => None,
            };
        }
        if let Some(e) = cause.downcast_ref::<ingest::Error>() {
            return match e.kind() {
                ingest::ErrorKind::Credentials => Some(Self::Credentials),
                ingest::ErrorKind::Usage => Some(Self::Usage),
                ingest::ErrorKind::Incomplete => Some(Self::Incomplete),
                ingest::ErrorKind::Locked | ingest::ErrorKind::Damaged => Some(Self::Store),
                _ => None,
            };
        }
        if cause.downcast_ref::<Usage>().is_some() {
            return Some(Self::Usage);
        }
        // The reader of our output has gone, as `head` does. That is no failure.
        let io = cause.downcast_ref::<io::Error>()?;
        (io.kind() == io::ErrorKind::BrokenPipe).then_some(Self::Done)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// The user asked for something that cannot be; the text says what can.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Usage {
    message: String,
    hint: Option<String>,
}

impl Usage {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The way out.
    pub(crate) fn way_out(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}
