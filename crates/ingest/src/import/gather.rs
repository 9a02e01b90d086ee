//! Gathers what exports hold, and makes runs of it once all is read: only then is it known
//! when a list was taken and whether it is whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use jiff::Timestamp;
use snapshot::{
    AccountId, Coverage, Crawl, Cut, List, Order, Profile, StagedRun, Staging, State, WriterOptions,
};

use super::run::Shape;
use super::spool::{Spool, Spooled};
use super::{Format, Held};
use crate::Error;

/// What an input was taken for, and what that says of its lists.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Taken {
    /// The file, or standard input.
    pub file: String,
    /// What it was taken for.
    pub format: Format,
    /// How many lists are in it.
    pub lists: u64,
    /// How many of them are kept as partial: nobody is ever reported lost because of them.
    pub partial: u64,
    /// Why they are, unless the importer was told so.
    pub why: Option<&'static str>,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, format, lists, partial, .. } = self;
        let s = if *lists == 1 { "" } else { "s" };
        write!(f, "{file}: taken for {format}: {lists} list{s}")?;
        match (*lists, *partial) {
            (_, 0) => write!(f, ", complete")?,
            (lists, partial) if lists == partial => write!(f, ", partial")?,
            (_, some) => write!(f, ", {some} of them partial")?,
        }
        match self.why {
            Some(why) => write!(f, ": {why}"),
            None => Ok(()),
        }
    }
}

/// What is known of one list of one input.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// When the first and the last of it were read; `None` when the input does not say.
    pub(super) window: Option<(Timestamp, Timestamp)>,
    /// Why it may be incomplete.
    pub(super) partial: Option<&'static str>,
    pub(super) pages: u32,
    pub(super) order: Order,
    /// How many rows the list should have in all inputs together.
    pub(super) expected: Option<u64>,
    /// Which of the list's numbered files this is, and whether the next is known to exist.
    pub(super) parts: BTreeSet<u32>,
    pub(super) has_next: bool,
    rows: u64,
}

impl Facts {
    pub(super) fn new() -> Self {
        Self {
            window: None,
            partial: None,
            pages: 1,
            order: Order::Unknown,
            expected: None,
            parts: BTreeSet::new(),
            has_next: false,
            rows: 0,
        }
    }
}

/// One input and its lists.
struct Batch {
    file: String,
    format: Format,
    facts: BTreeMap<(AccountId, List), Facts>,
}

/// Everything that was read so far.
pub(super) struct Gathered {
    spool: Spool,
    batches: Vec<Batch>,
    pub(super) list: List,
}

impl Gathered {
    pub(super) fn new(folder: &Path, memory: usize) -> Result<Self, Error> {
        let spool = Spool::new(folder, memory)?;
        Ok(Self { spool, batches: Vec::new(), list: List::Followers })
    }

    pub(super) fn begin(&mut self, file: &str) {
        let (file, format) = (file.to_owned(), Format::Ids);
        self.batches.push(Batch { file, format, facts: BTreeMap::new() });
    }

    pub(super) fn is(&mut self, format: Format) {
        if let Some(batch) = self.batches.last_mut() {
            batch.format = format;
        }
    }

    /// Whether nobody's list was spoken of, not even as an empty one.
    pub(super) fn is_empty(&self) -> bool {
        self.batches.iter().all(|batch| batch.facts.is_empty())
    }

    /// The facts of a list of the input that is being read.
    pub(super) fn facts(&mut self, account: AccountId, list: List) -> Option<&mut Facts> {
        let batch = self.batches.last_mut()?;
        Some(batch.facts.entry((account, list)).or_insert_with(Facts::new))
    }

    /// All lists of the input that is being read.
    pub(super) fn all_facts(&mut self) -> impl Iterator<Item = &mut Facts> {
        self.batches.last_mut().into_iter().flat_map(|batch| batch.facts.values_mut())
    }

    /// Stands in for the time, which is not known yet: input and list.
    pub(super) fn key(&self) -> Timestamp {
        key(self.batches.len().saturating_sub(1), self.list)
    }

    pub(super) fn push(&mut self, account: AccountId, member: AccountId) -> Result<(), Error> {
        let (key, list) = (self.key(), self.list);
        if let Some(facts) = self.facts(account, list) {
            facts.rows += 1;
        }
        self.spool.push(key, account, member)
    }

    /// Writes a run for each time, oldest first. `time` is of the inputs that do not say.
    pub(super) fn stage(
        self,
        place: &Staging,
        shape: &Shape,
        told: Option<Timestamp>,
    ) -> Result<(Vec<StagedRun>, Vec<Taken>), Error> {
        let Self { spool, mut batches, .. } = self;
        let mut spooled = spool.finish()?;
        let now = told.unwrap_or_else(Timestamp::now);
        let mut runs: BTreeMap<i64, (Timestamp, Vec<usize>)> = BTreeMap::new();
        for (index, batch) in batches.iter_mut().enumerate() {
            for facts in batch.facts.values_mut() {
                // What the user says goes before what the file says.
                let told = told.map(|time| (time, time));
                facts.window = told.or(facts.window).or(Some((now, now)));
            }
            let first = batch.facts.values().filter_map(|f| f.window).map(|(from, _)| from).min();
            if let Some(first) = first {
                // The names of runs have seconds.
                let (time, members) = runs.entry(first.as_second()).or_insert((first, Vec::new()));
                *time = first.min(*time);
                members.push(index);
            }
        }
        let mut staged = Vec::new();
        for (time, members) in runs.into_values() {
            count(&mut batches, &members);
            staged.push(stage_one(place, shape, time, &members, &batches, &mut spooled)?);
        }
        Ok((staged, batches.iter().filter_map(|batch| batch.taken(shape.held)).collect()))
    }
}

impl Batch {
    fn taken(&self, held: Held) -> Option<Taken> {
        if self.format == Format::Ids {
            return None;
        }
        let lists = self.facts.len() as u64;
        let partial = self.facts.values().filter_map(|facts| facts.partial);
        let (partial, why) = match held {
            Held::Complete => (0, None),
            Held::Partial => (lists, None),
            Held::AsItSays => (partial.clone().count() as u64, partial.clone().next()),
        };
        Some(Taken { file: self.file.clone(), format: self.format, lists, partial, why })
    }
}

fn key(batch: usize, list: List) -> Timestamp {
    let number = batch * 2 + usize::from(list == List::Following);
    i64::try_from(number)
        .ok()
        .and_then(|number| Timestamp::from_microsecond(number).ok())
        .unwrap_or(Timestamp::MAX)
}

const MISCOUNTED: &str =
    "its manifest counts another number of members; import all files of the list together";
const LACKING: &str =
    "a numbered file of the list is missing; import all files of the list together";

/// Holds what the inputs of a run say there should be against what there is.
fn count(batches: &mut [Batch], members: &[usize]) {
    let mut found: BTreeMap<(AccountId, List), (u64, BTreeSet<u32>)> = BTreeMap::new();
    for index in members {
        for (which, facts) in &batches[*index].facts {
            let (rows, parts) = found.entry(*which).or_default();
            *rows += facts.rows;
            parts.extend(&facts.parts);
        }
    }
    for index in members {
        for (which, facts) in &mut batches[*index].facts {
            let Some((rows, parts)) = found.get(which) else { continue };
            let lacks = |part: u32| !parts.contains(&part);
            let next = facts.parts.last().filter(|_| facts.has_next).map(|part| part + 1);
            if facts.expected.is_some_and(|expected| expected != *rows) {
                facts.partial = Some(MISCOUNTED);
            } else if parts.last().is_some_and(|last| (0..*last).any(lacks))
                || next.is_some_and(lacks)
            {
                facts.partial = Some(LACKING);
            }
        }
    }
}

fn stage_one(
    place: &Staging,
    shape: &Shape,
    time: Timestamp,
    members: &[usize],
    batches: &[Batch],
    spooled: &mut Spooled,
) -> Result<StagedRun, Error> {
    let mut options = WriterOptions::default();
    options.sort_memory = shape.sort_memory;
    options.parameters.clone_from(&shape.parameters);
    let mut lists: BTreeMap<(AccountId, List), Facts> = BTreeMap::new();
    for index in members {
        let batch = &batches[*index];
        options.parameters.insert("format".to_owned(), batch.format.name().to_owned());
        for (which, facts) in &batch.facts {
            lists.entry(*which).and_modify(|sum| sum.add(facts)).or_insert_with(|| facts.clone());
        }
    }
    let mut writer =
        place.begin(time, options).map_err(|e| Error::store("cannot begin a run", e))?;
    let mut positions: BTreeMap<(AccountId, List), u32> = BTreeMap::new();
    for index in members {
        for list in List::ALL {
            spooled.rows(key(*index, list), |account, member| {
                let position = positions.entry((account, list)).or_default();
                writer
                    .rows(list, account, *position, &[member])
                    .map_err(|e| Error::store("cannot keep a row", e))?;
                *position += 1;
                Ok(())
            })?;
        }
    }
    for ((account, list), facts) in lists {
        let (started_at, finished_at) = facts.window.unwrap_or((time, time));
        writer.profile(Profile::unknown(account, started_at));
        let whole = match shape.held {
            Held::Complete => true,
            Held::Partial => false,
            Held::AsItSays => facts.partial.is_none(),
        };
        let after_page = if facts.rows > 0 { facts.pages } else { 0 };
        let state = State::Read(if whole {
            Coverage::Complete
        } else {
            Coverage::CutShort { after_page, why: Cut::Partial }
        });
        let order = if shape.order == Order::NewestFirst { shape.order } else { facts.order };
        let crawl = Crawl::new(account, list, "file", state, started_at);
        writer.crawl(Crawl { order, finished_at, ..crawl });
    }
    writer.stage().map_err(|e| Error::store("cannot write the run", e))
}

impl Facts {
    /// Adds what a later input of the same run says of the same list.
    fn add(&mut self, more: &Self) {
        if let (Some((from, to)), Some((more_from, more_to))) = (self.window, more.window) {
            self.window = Some((from.min(more_from), to.max(more_to)));
        }
        self.partial = self.partial.or(more.partial);
        self.pages += more.pages;
        self.rows += more.rows;
        if more.order == Order::Unknown {
            self.order = Order::Unknown;
        }
    }
}
