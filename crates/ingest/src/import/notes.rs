//! What is odd about an input and no reason to refuse it.

use std::collections::HashSet;
use std::fmt;

use jiff::Timestamp;
use snapshot::AccountId;

/// Something odd, and where it was met first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// The file where it was met first, or standard input.
    pub file: String,
    /// The line where it was met first, or in a JSON array the element; `None` for a duplicate that came so late that lines
    /// were no longer kept.
    pub line: Option<u64>,
    /// What it is.
    pub what: NoteKind,
    /// How many rows it concerns, in all inputs.
    pub count: u64,
}

/// What can be odd about an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoteKind {
    /// Rows repeat a member of the same list; each was kept once, at its first place.
    Duplicates,
    /// Lists contain the account they belong to. They were kept as they are.
    ListsItself,
    /// Edges have more than two columns; the others were not looked at.
    ExtraColumns,
}

impl fmt::Display for NoteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Duplicates => "repeated rows, kept once",
            Self::ListsItself => "accounts in their own list, kept",
            Self::ExtraColumns => "rows with more than two columns, the others passed over",
        })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {} ({})", self.what, self.count)
    }
}

/// How many rows are remembered to find the first that repeats one: they take about 50 MB.
const REMEMBERED: usize = 1_800_000;

/// Watches the rows go by.
#[derive(Debug, Default)]
pub(super) struct Watch {
    input: String,
    notes: Vec<Note>,
    /// Rows seen, until one comes twice.
    seen: HashSet<(i64, AccountId, AccountId)>,
    duplicate: Option<(String, u64)>,
}

impl Watch {
    pub(super) fn begin(&mut self, input: &str) {
        input.clone_into(&mut self.input);
    }

    pub(super) fn row(
        &mut self,
        time: Timestamp,
        account: AccountId,
        member: AccountId,
        line: u64,
    ) {
        if account == member {
            self.note(NoteKind::ListsItself, line);
        }
        if self.duplicate.is_some() || self.seen.len() >= REMEMBERED {
            return;
        }
        if !self.seen.insert((time.as_microsecond(), account, member)) {
            self.duplicate = Some((self.input.clone(), line));
            self.seen = HashSet::new();
        }
    }

    pub(super) fn note(&mut self, what: NoteKind, line: u64) {
        if let Some(known) = self.notes.iter_mut().find(|note| note.what == what) {
            known.count += 1;
        } else {
            let file = self.input.clone();
            self.notes.push(Note { file, line: Some(line), what, count: 1 });
        }
    }

    /// All notes; the writer has counted the duplicates.
    pub(super) fn notes(self, duplicates: u64) -> Vec<Note> {
        let mut notes = self.notes;
        if duplicates > 0 {
            let (file, line) = self.duplicate.map_or((self.input, None), |(f, l)| (f, Some(l)));
            notes.push(Note { file, line, what: NoteKind::Duplicates, count: duplicates });
        }
        notes
    }
}
