//! Makes runs out of files: id lists, tables with named columns, edge lists, and what X's
//! data archive, twarc, minet and twitter-web-exporter write.
//!
//! Exports are told apart by their content. Each comes with the time that it carries and with
//! the coverage that it deserves: one that cannot say that it is whole is partial, unless the
//! user knows better.
//!
//! The whole input is read and checked before anything is published. It is read once, as a
//! stream, so that standard input will do. The runs of a table with many times are all
//! written and synced before the first is published: when the disk fills up, none is.
//!
//! # Memory
//!
//! Exports take the way through that file, too. Their JSON is read element by element, each of
//! at most 16 MiB, also out of a zip, so that neither a long list nor a zip bomb fills memory.
//! Rows of one run of anything else go straight to the writer, which sorts in `sort_memory` and spills the
//! rest. Rows of a table with a time column are gathered by time in a nameless temporary
//! file inside the store (16 bytes a row), through another buffer of `sort_memory`; finding
//! them again takes 24 bytes for each time that a bufferful of rows (a million, unless told
//! otherwise) mentions. Besides that: about 250 bytes for each account of a run, and 50 MB to
//! tell the line of the first duplicate. A record of a table may have 16 MiB, a line of any
//! other file 64 KiB.

mod archive;
mod edges;
mod gather;
mod ids;
mod input;
mod json;
mod notes;
mod recognise;
mod run;
mod spool;
mod table;
mod times;
mod twarc;

use std::collections::BTreeMap;

use jiff::Timestamp;
use snapshot::{
    AccountId, List, Order, Published, RunId, StagedRun, Staging, Store, WriterOptions,
};

use crate::{Error, ErrorKind, Event, Progress};
use gather::{Facts, Gathered};
use notes::Watch;
use recognise::Asked;
use run::{RunBuilder, Shape};
use spool::{Spool, Spooled};

pub use gather::Taken;
pub use input::Input;
pub use notes::{Note, NoteKind};
pub use recognise::Format;
pub use times::parse as time;

/// What the input is and how to take it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ImportOptions {
    /// What the input is.
    pub kind: Kind,
    /// What separates the columns of a table, `None` to look at the header: tab, semicolon or
    /// comma; or the two ends of an edge, `None` for white space.
    pub delimiter: Option<u8>,
    /// When it was observed, for inputs that do not say; `None` for now.
    pub time: Option<Timestamp>,
    /// Whether the lists are whole.
    pub coverage: Held,
    /// Whether the order of rows says anything.
    pub order: Order,
    /// Whether an input without a single row is an empty list, and not a mishap.
    pub allow_empty: bool,
    /// Bytes of rows to sort in memory before spilling to disk.
    pub sort_memory: usize,
    /// Kept in the manifest, beside the list, the order and the delimiter.
    pub parameters: BTreeMap<String, String>,
}

impl ImportOptions {
    /// Lists as whole as they say, in an order that means nothing, observed now, not empty.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            delimiter: None,
            time: None,
            coverage: Held::AsItSays,
            order: Order::Unknown,
            allow_empty: false,
            sort_memory: WriterOptions::default().sort_memory,
            parameters: BTreeMap::new(),
        }
    }
}

/// What an input is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One id a line: one list of one account. Blank lines and `#` comments are passed over.
    Ids {
        /// Whose list.
        account: AccountId,
        /// Which list.
        list: List,
    },
    /// CSV or TSV with a header.
    Table {
        /// Whose list a row belongs to.
        account: AccountColumn,
        /// The column of members.
        member: String,
        /// The column of times; each time becomes a run.
        time: Option<String>,
        /// Which list.
        list: List,
    },
    /// Whatever has made it, told by its content.
    Export {
        /// What it is, if its content need not tell.
        format: Option<Format>,
        /// Whose list, for formats that do not say.
        account: Option<AccountColumn>,
        /// Which list, for formats that do not say; followers if neither does.
        list: Option<List>,
    },
    /// One edge a line, `u v` for "u follows v", as SNAP and KONECT publish them. Becomes
    /// the `following` lists of all the u.
    Edges,
}

/// Whose list a row of a table belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountColumn {
    /// This column says.
    Column(String),
    /// All rows are of one account.
    Fixed(AccountId),
}

/// How much of each list an input holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// What the format says: all, unless it is one that cannot say so.
    AsItSays,
    /// All of it.
    Complete,
    /// Some of it: absence from it means nothing.
    Partial,
}

/// What an import has made.
#[derive(Debug)]
#[non_exhaustive]
pub struct Imported {
    /// The runs, oldest first.
    pub runs: Vec<Published>,
    /// What was odd about the input.
    pub notes: Vec<Note>,
    /// What each export was taken for.
    pub taken: Vec<Taken>,
}

/// Reads the inputs, one after the other, and publishes what is in them.
///
/// # Errors
/// If an input cannot be read or holds anything that cannot be right: then nothing is
/// published, and the message names file and line. If the disk is full: nothing is. If a
/// rename is refused between two of many runs: [`Error::published`] says which are there.
pub fn import(
    store: &Store,
    inputs: &[Input],
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<Imported, Error> {
    check(inputs, options)?;
    let shape = Shape::new(options);
    let mut intake = Intake::new(store, &shape, options, progress)?;
    for input in inputs {
        intake.begin(input);
        match &options.kind {
            Kind::Ids { account, .. } => ids::read(input, *account, &mut intake)?,
            Kind::Table { account, member, time, .. } => {
                let columns =
                    table::Columns { account, member, time: time.as_deref(), agrees: None };
                table::read(input, &columns, options.delimiter, &mut intake)?;
            }
            Kind::Export { format, account, list } => {
                let asked = Asked {
                    format: *format,
                    account: account.as_ref(),
                    list: *list,
                    time: options.time,
                    delimiter: options.delimiter,
                };
                recognise::read(input, &asked, &mut intake)?;
            }
            Kind::Edges => edges::read(input, options.delimiter, &mut intake)?,
        }
        intake.report();
    }
    let fixed = match options.kind {
        Kind::Ids { account, .. } | Kind::Table { account: AccountColumn::Fixed(account), .. } => {
            Some(account)
        }
        _ => None,
    };
    intake.finish(fixed, options.time)
}

fn check(inputs: &[Input], options: &ImportOptions) -> Result<(), Error> {
    if inputs.is_empty() {
        return Err(Error::usage("there is nothing to import"));
    }
    if inputs.iter().filter(|input| **input == Input::Stdin).count() > 1 {
        return Err(Error::usage("standard input can be read once only"));
    }
    if matches!(&options.kind, Kind::Table { time: Some(_), .. }) && options.time.is_some() {
        return Err(Error::usage(
            "the time comes either from a column or from an option, not both",
        ));
    }
    Ok(())
}

/// Takes rows as they are read, and keeps them where they belong.
struct Intake<'a> {
    place: Staging,
    shape: &'a Shape,
    progress: &'a dyn Progress,
    allow_empty: bool,
    destination: Destination<'a>,
    watch: Watch,
    input: String,
    rows: u64,
    rows_of_input: u64,
}

enum Destination<'a> {
    One(Box<RunBuilder<'a>>),
    ByTime(Spool),
    Gathered(Box<Gathered>),
}

/// Rows between two reports of progress.
const REPORT_ROWS: u64 = 1 << 16;

impl<'a> Intake<'a> {
    fn new(
        store: &Store,
        shape: &'a Shape,
        options: &ImportOptions,
        progress: &'a dyn Progress,
    ) -> Result<Self, Error> {
        let place = store.staging().map_err(|e| Error::store("cannot begin an import", e))?;
        let destination = if let Kind::Table { time: Some(_), .. } = &options.kind {
            Destination::ByTime(Spool::new(store.folder(), options.sort_memory)?)
        } else if let Kind::Export { .. } = &options.kind {
            let gathered = Gathered::new(store.folder(), options.sort_memory)?;
            Destination::Gathered(Box::new(gathered))
        } else {
            let time = options.time.unwrap_or_else(Timestamp::now);
            Destination::One(Box::new(RunBuilder::begin(&place, shape, time)?))
        };
        Ok(Self {
            place,
            shape,
            progress,
            allow_empty: options.allow_empty,
            destination,
            watch: Watch::default(),
            input: String::new(),
            rows: 0,
            rows_of_input: 0,
        })
    }

    fn begin(&mut self, input: &Input) {
        self.input = input.to_string();
        self.rows_of_input = 0;
        self.watch.begin(&self.input);
        if let Destination::Gathered(gathered) = &mut self.destination {
            gathered.begin(&self.input);
        }
    }

    /// Goes on with a file inside the input.
    fn within(&mut self, name: &str) {
        self.watch.begin(name);
    }

    /// Says what the input is.
    fn is(&mut self, format: Format) {
        if let Destination::Gathered(gathered) = &mut self.destination {
            gathered.is(format);
        }
    }

    /// Says which list the next rows are of.
    fn aim(&mut self, list: List) {
        if let Destination::Gathered(gathered) = &mut self.destination {
            gathered.list = list;
        }
    }

    /// Makes a list of the input known, or what is known of it.
    fn facts(&mut self, account: AccountId, list: List, learn: impl FnOnce(&mut Facts)) {
        if let Destination::Gathered(gathered) = &mut self.destination
            && let Some(facts) = gathered.facts(account, list)
        {
            learn(facts);
        }
    }

    /// No list of the input is known to be whole.
    fn doubt(&mut self, why: &'static str) {
        if let Destination::Gathered(gathered) = &mut self.destination {
            gathered.all_facts().for_each(|facts| facts.partial = Some(why));
        }
    }

    /// Takes one row. `time` is there if and only if the table has a column of times.
    fn take(
        &mut self,
        time: Option<Timestamp>,
        account: AccountId,
        member: AccountId,
        line: u64,
    ) -> Result<(), Error> {
        let moment = match &self.destination {
            Destination::Gathered(gathered) => gathered.key(),
            _ => time.unwrap_or_default(),
        };
        self.watch.row(moment, account, member, line);
        self.rows += 1;
        self.rows_of_input += 1;
        if self.rows_of_input.is_multiple_of(REPORT_ROWS) {
            self.report();
        }
        match &mut self.destination {
            Destination::One(run) => run.push(account, member),
            Destination::ByTime(spool) => spool.push(moment, account, member),
            Destination::Gathered(gathered) => gathered.push(account, member),
        }
    }

    fn note(&mut self, what: NoteKind, line: u64) {
        self.watch.note(what, line);
    }

    fn report(&self) {
        let event = Event::Importing { input: &self.input, rows: self.rows_of_input };
        self.progress.event(&event);
    }

    /// Ends the input and publishes. `fixed` is the account that the input is all about.
    /// `time` is of the exports that do not say.
    fn finish(self, fixed: Option<AccountId>, time: Option<Timestamp>) -> Result<Imported, Error> {
        let empty = self.rows == 0;
        if empty && !self.allow_empty {
            let error = Error::new(ErrorKind::Input, format!("{} holds no ids", self.input));
            return Err(error.hint("an empty list is more often a failed export than a list; if it is one, say so with --allow-empty"));
        }
        let known = match (&self.destination, fixed) {
            (Destination::One(_), Some(_)) => true,
            (Destination::Gathered(gathered), _) => !gathered.is_empty(),
            _ => !empty,
        };
        if !known {
            return Err(nothing_there(&self.input));
        }
        let mut taken = Vec::new();
        let runs = match self.destination {
            Destination::One(mut run) => {
                if let Some(account) = fixed {
                    run.account(account);
                }
                vec![run.stage()?]
            }
            Destination::ByTime(spool) => stage_each(&self.place, self.shape, spool.finish()?)?,
            Destination::Gathered(gathered) => {
                let (runs, each) = gathered.stage(&self.place, self.shape, time)?;
                taken = each;
                runs
            }
        };
        let runs = publish(runs, self.progress)?;
        let duplicates = runs.iter().flat_map(|run| &run.crawls).map(|c| c.duplicates).sum();
        Ok(Imported { runs, notes: self.watch.notes(duplicates), taken })
    }
}

/// Not even an empty list: without a row nobody knows whose, or of when.
fn nothing_there(input: &str) -> Error {
    Error::new(ErrorKind::Input, format!("{input} has no rows, so it says nothing of any account"))
}

/// Writes a run for each time, oldest first.
fn stage_each(
    place: &Staging,
    shape: &Shape,
    mut spooled: Spooled,
) -> Result<Vec<StagedRun>, Error> {
    let mut runs = Vec::new();
    for time in spooled.times() {
        let mut run = RunBuilder::begin(place, shape, time)?;
        spooled.rows(time, |account, member| run.push(account, member))?;
        runs.push(run.stage()?);
    }
    Ok(runs)
}

/// Makes the runs visible, oldest first. They are on the disk already; all that can go wrong
/// is a rename, and then the error says which are published.
fn publish(staged: Vec<StagedRun>, progress: &dyn Progress) -> Result<Vec<Published>, Error> {
    let of = staged.len();
    let mut runs: Vec<Published> = Vec::with_capacity(of);
    for run in staged {
        match run.publish() {
            Ok(published) => {
                progress.event(&Event::Published { run: published.run });
                runs.push(published);
            }
            Err(e) => return Err(half_way(Error::store("cannot publish a run", e), of, &runs)),
        }
    }
    Ok(runs)
}

/// Says which of the runs are there when one of them fails.
fn half_way(cause: Error, of: usize, runs: &[Published]) -> Error {
    let ids: Vec<RunId> = runs.iter().map(|run| run.run).collect();
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return cause };
    let there = match ids.len() {
        1 => format!("1 of {of} runs is published: {first}"),
        some => format!("{some} of {of} runs are published: {first} to {last}"),
    };
    Error::new(cause.kind(), there)
        .hint(format!("the published runs are whole; import the rows of later times than {last}"))
        .because(cause)
        .after(ids)
}

#[cfg(test)]
mod export_tests;
#[cfg(test)]
mod tests;
