//! Job files: a batch that is worth writing down.
//!
#![doc = concat!("```toml\n", include_str!("example.toml"), "```")]
//!
//! What a group leaves out is as it stands at the top. A job file says what to do and never
//! holds a credential, only where one is. Nothing here reads standard input: the caller does,
//! if the job [wants it](Job::wants_stdin).

mod duration;
mod reader;

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use snapshot::List;

pub use self::reader::PricesTable;
use self::reader::{Explained as _, JobFile, Reader, first_line, line_of};
use crate::{AccountRef, Budget, Error, Mode, Prices, SourceKind, Target};

/// A job file that has been read, with the files it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Job {
    /// What the job is known by, wherever its file is; none for the file's own place.
    pub name: Option<String>,
    /// Where the run goes.
    pub store: Option<PathBuf>,
    /// Which source to ask.
    pub source: Option<SourceKind>,
    /// Where the source answers.
    pub base_url: Option<String>,
    /// The file that holds the token.
    pub token_file: Option<PathBuf>,
    /// The file that holds several credentials.
    pub credentials: Option<PathBuf>,
    /// How many lists of a kind to read at once.
    pub concurrency: Option<usize>,
    /// Rows to ask for in a page.
    pub page_size: Option<u32>,
    /// Whether to keep the members' profiles.
    pub profiles: Option<bool>,
    /// What a session may spend.
    pub budget: Budget,
    /// What the network charges, if the job says so.
    pub prices: Option<Prices>,
    /// Whose lists, and which, and how often.
    pub groups: Vec<Group>,
}

/// Accounts of a job that are read alike.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// What tells it from the others, wherever it stands in the file: its name, or else a
    /// digest of what is written in it. Has no spaces.
    pub identity: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// How often it is due; none for always.
    pub every: Option<SignedDuration>,
    /// Whose lists, and which.
    pub targets: Vec<Target>,
    /// Lists and mode of the accounts that are to come from standard input.
    stdin: Option<(Vec<List>, Mode)>,
}

impl Group {
    /// A group by this name, which must have no spaces.
    pub fn new(name: &str, every: Option<SignedDuration>, targets: Vec<Target>) -> Self {
        Self { identity: name.to_owned(), name: Some(name.to_owned()), every, targets, stdin: None }
    }
}

impl Job {
    /// Reads a job file and the files of accounts it names.
    ///
    /// # Errors
    /// If one of them cannot be read, or is not right; the message names file and line.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text =
            std::fs::read_to_string(path).map_err(|e| Error::io("read the job file", path, e))?;
        Self::parse(&text, path)
    }

    /// The same for text that is at hand; `path` is for messages and relative paths.
    ///
    /// # Errors
    /// If something in it is not right; the message names file and line.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let file: JobFile = toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(1, |span| line_of(text, &span));
            Error::usage(format!("{}:{line}: {}", path.display(), first_line(e.message())))
        })?;
        Reader { text, path }.job(file)
    }

    /// Whose lists, and which, of all groups.
    pub fn targets(&self) -> Vec<Target> {
        self.groups.iter().flat_map(|group| &group.targets).cloned().collect()
    }

    /// Whether accounts are to come from standard input that have not come yet.
    pub fn wants_stdin(&self) -> bool {
        self.groups.iter().any(|group| group.stdin.is_some())
    }

    /// Adds the accounts that came from standard input to the groups that want them.
    ///
    /// # Errors
    /// If a line is no account; the message names it.
    pub fn with_stdin(mut self, text: &str) -> Result<Self, Error> {
        let accounts = read_accounts(text, "standard input")?;
        for group in &mut self.groups {
            let Some((lists, mode)) = group.stdin.take() else { continue };
            let target = |account: &AccountRef| Target {
                account: account.clone(),
                lists: lists.clone(),
                mode,
            };
            group.targets.extend(accounts.iter().map(target));
        }
        Ok(self)
    }
}

/// Reads a list of accounts: one a line, blank lines and `#` comments passed over, wherever on
/// a line they begin. `place` is what messages call the list, before the number of the line.
///
/// ```
/// let accounts = ingest::read_accounts("@alice # a friend\n12\n", "accounts.txt")?;
/// assert_eq!(accounts.len(), 2);
/// # Ok::<(), ingest::Error>(())
/// ```
///
/// # Errors
/// If a line holds something else; the message names place and line.
pub fn read_accounts(text: &str, place: &str) -> Result<Vec<AccountRef>, Error> {
    let mut found = Vec::new();
    for (line, text) in (1_u64..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let text = text.split('#').next().unwrap_or_default().trim();
        if !text.is_empty() {
            found.push(text.parse().map_err(|e: Error| {
                let (what, hint) = e.explained();
                let error = Error::usage(format!("{place}:{line}: {what}"));
                hint.into_iter().fold(error, Error::hint)
            })?);
        }
    }
    Ok(found)
}

/// Reads a duration as people write it: `90s`, `15 min`, `1d 12h`, `2 weeks`.
///
/// # Errors
/// If it is none, is not longer than nothing, or has months or years, which have no length.
pub fn parse_duration(text: &str) -> Result<SignedDuration, Error> {
    duration::parse(text).map_err(|what| Error::usage(what).hint(duration::HINT))
}

#[cfg(test)]
mod tests;
