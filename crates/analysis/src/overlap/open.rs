//! A list that is read up to one id after another, however many rows lie between two of them.

use std::borrow::Cow;

use crate::observation::ALL_IDS;
use crate::reading::Reading;
use crate::{Error, Observation};

/// One list on the way from its first member to its last.
pub(super) struct OpenList<'a> {
    rows: Rows<'a>,
    passed: u64,
}

enum Rows<'a> {
    /// Rows in memory, and which of them are the present ones.
    Memory { members: Cow<'a, [i64]>, from: usize, to: usize },
    /// Rows that are read, and the present ones.
    Read { reading: Box<Reading<'a>>, present: Vec<i64> },
}

impl<'a> OpenList<'a> {
    pub(super) fn new(list: &'a Observation) -> Self {
        let rows = match list.in_memory() {
            Some(members) => Rows::Memory { members: members.into(), from: 0, to: 0 },
            None => {
                Rows::Read { reading: Box::new(list.reading(ALL_IDS, false)), present: Vec::new() }
            }
        };
        Self { rows, passed: 0 }
    }

    /// A list without rows, until it is told to go on with some.
    pub(super) fn empty() -> Self {
        let members = Cow::Borrowed(&[][..]);
        Self { rows: Rows::Memory { members, from: 0, to: 0 }, passed: 0 }
    }

    /// Goes on with these rows, which follow those that were there until now.
    pub(super) fn go_on_with(&mut self, members: Vec<i64>) {
        self.rows = Rows::Memory { members: members.into(), from: 0, to: 0 };
    }

    /// Whether nothing has to be read.
    pub(super) fn is_in_memory(&self) -> bool {
        matches!(self.rows, Rows::Memory { .. })
    }

    /// Goes on to the rows with ids below `end`, or to the end of the list if that is the end
    /// of the id space. Ends have to ascend from call to call.
    pub(super) fn read_to(&mut self, end: i64) -> Result<(), Error> {
        match &mut self.rows {
            Rows::Memory { members, from, to } => {
                let below = |id: &i64| *id < end || end == ALL_IDS.end;
                *from = *to;
                *to += members[*from..].partition_point(below);
            }
            Rows::Read { reading, present } => {
                let last = if end == ALL_IDS.end { end } else { end - 1 };
                present.clear();
                while let Some(at_hand) = reading.last_at_hand()? {
                    reading.read_to(last);
                    present.extend_from_slice(reading.rows().members);
                    if at_hand > last {
                        break;
                    }
                }
            }
        }
        self.passed += self.rows().len() as u64;
        Ok(())
    }

    /// The rows between the last two ends.
    pub(super) fn rows(&self) -> &[i64] {
        match &self.rows {
            Rows::Memory { members, from, to } => &members[*from..*to],
            Rows::Read { present, .. } => present,
        }
    }

    /// How many rows there were up to the last end.
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }
}
