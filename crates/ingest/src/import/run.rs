//! One run in the making, out of rows that say whose list they belong to.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use snapshot::{
    AccountId, Coverage, Crawl, Cut, List, Order, Profile, RunWriter, StagedRun, Staging, State,
    WriterOptions,
};

use super::{Held, ImportOptions, Kind};
use crate::Error;

/// What all runs of an import have in common.
pub(super) struct Shape {
    list: List,
    pub(super) held: Held,
    pub(super) order: Order,
    pub(super) sort_memory: usize,
    pub(super) parameters: BTreeMap<String, String>,
}

impl Shape {
    pub(super) fn new(options: &ImportOptions) -> Self {
        let list = match options.kind {
            Kind::Ids { list, .. } | Kind::Table { list, .. } => list,
            Kind::Edges => List::Following,
            Kind::Export { list, .. } => list.unwrap_or(List::Followers),
        };
        let mut parameters = options.parameters.clone();
        let mut keep = |key: &str, value: String| {
            parameters.entry(key.to_owned()).or_insert(value);
        };
        if !matches!(options.kind, Kind::Export { list: None, .. }) {
            keep("list", list.to_string());
        }
        keep("order", options.order.name().to_owned());
        if let Some(delimiter) = options.delimiter {
            keep("delimiter", char::from(delimiter).escape_default().to_string());
        }
        Self {
            list,
            held: options.coverage,
            order: options.order,
            sort_memory: options.sort_memory,
            parameters,
        }
    }

    /// A file is one page, if it has anything at all.
    fn state(&self, rows: u32) -> State {
        State::Read(match self.held {
            Held::AsItSays | Held::Complete => Coverage::Complete,
            Held::Partial => {
                Coverage::CutShort { after_page: u32::from(rows > 0), why: Cut::Partial }
            }
        })
    }
}

/// Counts positions and writes rows.
pub(super) struct RunBuilder<'a> {
    shape: &'a Shape,
    time: Timestamp,
    writer: RunWriter,
    /// Rows of each account so far.
    rows: HashMap<AccountId, u32>,
}

impl<'a> RunBuilder<'a> {
    pub(super) fn begin(place: &Staging, shape: &'a Shape, time: Timestamp) -> Result<Self, Error> {
        let mut options = WriterOptions::default();
        options.sort_memory = shape.sort_memory;
        options.parameters.clone_from(&shape.parameters);
        let writer =
            place.begin(time, options).map_err(|e| Error::store("cannot begin a run", e))?;
        Ok(Self { shape, time, writer, rows: HashMap::new() })
    }

    /// The run speaks of this account even if no row does.
    pub(super) fn account(&mut self, account: AccountId) {
        self.rows.entry(account).or_default();
    }

    pub(super) fn push(&mut self, account: AccountId, member: AccountId) -> Result<(), Error> {
        let position = self.rows.entry(account).or_default();
        self.writer
            .rows(self.shape.list, account, *position, &[member])
            .map_err(|e| Error::store("cannot keep a row", e))?;
        *position += 1;
        Ok(())
    }

    /// Writes everything, out of sight still.
    pub(super) fn stage(mut self) -> Result<StagedRun, Error> {
        for (account, rows) in self.rows {
            self.writer.profile(Profile::unknown(account, self.time));
            let state = self.shape.state(rows);
            let crawl = Crawl::new(account, self.shape.list, "file", state, self.time);
            self.writer.crawl(Crawl { order: self.shape.order, ..crawl });
        }
        self.writer.stage().map_err(|e| Error::store("cannot write the run", e))
    }
}
