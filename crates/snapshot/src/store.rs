//! A folder of runs: listing it, choosing from it, beginning a new run in it.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::error::{At, Error, ErrorKind};
use crate::fs::sync_folder;
use crate::staging::Staging;
use crate::writer::{RunWriter, WriterOptions};
use crate::{Run, RunId};

/// The name of a folder in a store that begins with `run=`, and its run or what is wrong.
pub type Entry = (String, Result<Run, Error>);

/// A folder of runs. Opening it touches nothing.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// Opens a store that is there.
    ///
    /// # Errors
    /// If there is no such folder.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = folder.into();
        if folder.is_dir() {
            return Ok(Self { folder });
        }
        Err(Error::not_found(format!("there is no store at {}", folder.display()))
            .hint("name another folder with --store, or make one: `followgraph demo`, `snapshot` or `import`"))
    }

    /// Opens a store, making the folder if it is not there.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn create(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = folder.into();
        let missing: Vec<_> = folder.ancestors().take_while(|f| !f.exists()).collect();
        std::fs::create_dir_all(&folder).at("create the store", &folder)?;
        // A run is no more durable than the names that lead to it.
        for parent in missing.into_iter().filter_map(Path::parent) {
            sync_folder(if parent == Path::new("") { Path::new(".") } else { parent })?;
        }
        Ok(Self { folder })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every published run, oldest first. Reads one manifest each.
    ///
    /// # Errors
    /// If a run is damaged or of a newer format; the message names it.
    /// [`entries`](Self::entries) answers the others all the same.
    pub fn runs(&self) -> Result<Vec<Run>, Error> {
        self.run_ids()?.into_iter().map(|id| self.run(id)).collect()
    }

    /// The ids of every published run, oldest first. Reads the folder only.
    ///
    /// # Errors
    /// If the folder cannot be read, or holds a `run=` folder that is not named by an id.
    /// [`entries`](Self::entries) answers the others all the same.
    pub fn run_ids(&self) -> Result<Vec<RunId>, Error> {
        let Names { ids, strays } = self.names()?;
        strays.into_iter().next().map_or(Ok(ids), |(_, error)| Err(error))
    }

    /// Everything that is named like a run, with the name of its folder: the runs, oldest
    /// first, each opened or why it could not be; then the names that are no run's.
    ///
    /// # Errors
    /// If the store's folder cannot be read.
    pub fn entries(&self) -> Result<Vec<Entry>, Error> {
        let Names { ids, strays } = self.names()?;
        let runs =
            ids.into_iter().map(|id| (id.folder(), Run::open(id, self.folder.join(id.folder()))));
        Ok(runs.chain(strays.into_iter().map(|(name, error)| (name, Err(error)))).collect())
    }

    /// Sorts the names in the folder into those of runs and those that only look so.
    fn names(&self) -> Result<Names, Error> {
        let (mut ids, mut strays) = (Vec::new(), Vec::new());
        for entry in std::fs::read_dir(&self.folder).at("list", &self.folder)? {
            let entry = entry.at("list", &self.folder)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            match RunId::from_folder(&name) {
                None => {}
                Some(Ok(id)) => ids.push(id),
                Some(Err(e)) => strays.push((name, misnamed(&entry.path()).because(e))),
            }
        }
        ids.sort_unstable();
        strays.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(Names { ids, strays })
    }

    /// Opens one run.
    ///
    /// # Errors
    /// If there is no such run, or it is damaged or of a newer format.
    pub fn run(&self, id: RunId) -> Result<Run, Error> {
        let folder = self.folder.join(id.folder());
        if !folder.is_dir() {
            return Err(self.no_run(&id.to_string()));
        }
        Run::open(id, folder)
    }

    /// The newest run with lists that is older than this one. None if there is none.
    ///
    /// # Errors
    /// If the folder cannot be read, or the run is damaged or of a newer format.
    pub fn preceding(&self, run: &Run) -> Result<Option<Run>, Error> {
        let mut ids = self.names()?.ids;
        ids.retain(|id| *id < run.id());
        self.with_lists(&ids, 1)
    }

    /// The newest of these runs that has lists; the `nth` newest, counted from 1.
    fn with_lists(&self, ids: &[RunId], nth: usize) -> Result<Option<Run>, Error> {
        let mut passed = 0;
        for id in ids.iter().rev() {
            let run = self.run(*id);
            // A damaged run is not stepped over: it may be the one that is meant.
            if run.as_ref().is_ok_and(|run| !run.manifest().has_lists()) {
                continue;
            }
            passed += 1;
            if passed == nth {
                return run.map(Some);
            }
        }
        Ok(None)
    }

    /// Opens the run that a person means: `latest`, `previous`, an id, the beginning of an
    /// id, or a date (the last run of that day, UTC). A folder that is not named by an id
    /// answers to none of them, and does not keep the others from answering.
    ///
    /// `latest`, `previous` and a date step over runs that hold look-ups alone; such a run
    /// answers to its id, and [`runs`](Self::runs) lists it with the others.
    ///
    /// # Errors
    /// If no run answers to it, or several do.
    pub fn find(&self, name: &str) -> Result<Run, Error> {
        let ids = self.names()?.ids;
        match name {
            "latest" => self.with_lists(&ids, 1)?.ok_or_else(|| self.too_few("no run", &ids, 1)),
            "previous" => {
                self.with_lists(&ids, 2)?.ok_or_else(|| self.too_few("only one run", &ids, 2))
            }
            _ => self.find_named(name, &ids),
        }
    }

    fn find_named(&self, name: &str, ids: &[RunId]) -> Result<Run, Error> {
        let name = name.strip_prefix("run=").unwrap_or(name);
        if let Ok(id) = name.parse::<RunId>() {
            return if ids.contains(&id) { self.run(id) } else { Err(self.no_run(name)) };
        }
        // The parser takes `2026-11-23T07-20` for a date with an offset, we for half an id.
        let day = name.parse::<Date>().ok().filter(|day| day.to_string() == name);
        let is_of_day =
            |id: &&RunId| day.is_some_and(|d| TimeZone::UTC.to_datetime(id.time()).date() == d);
        let of_day: Vec<_> = ids.iter().filter(is_of_day).copied().collect();
        if let Some(last) = of_day.last() {
            return self.with_lists(&of_day, 1)?.map_or_else(|| self.run(*last), Ok);
        }
        let mut matching =
            ids.iter().filter(|id| !name.is_empty() && id.to_string().starts_with(name));
        match (matching.next(), matching.next()) {
            (Some(id), None) => self.run(*id),
            (None, _) => Err(self.no_run(name)),
            (Some(a), Some(b)) => {
                Err(Error::invalid(format!("`{name}` may mean run {a} or run {b}"))
                    .hint("write more of the id"))
            }
        }
    }

    fn no_run(&self, name: &str) -> Error {
        Error::not_found(format!("the store {} has no run `{name}`", self.folder.display()))
            .hint("`followgraph runs` lists the runs; `latest`, `previous`, a date or the beginning of an id will do")
    }

    fn too_few(&self, what: &str, ids: &[RunId], needed: usize) -> Error {
        let of_lists = if ids.len() < needed { "" } else { " with lists" };
        Error::not_found(format!("the store {} has {what}{of_lists}", self.folder.display()))
            .hint("`followgraph snapshot` or `followgraph import` adds one")
    }

    /// Begins a run that started at `time`, whose second becomes its id. Nothing of it is visible until it is published.
    ///
    /// # Errors
    /// If the store cannot be written to.
    pub fn begin(&self, time: Timestamp, options: WriterOptions) -> Result<RunWriter, Error> {
        self.staging()?.begin(time, options)
    }

    /// A place to write runs in that belong together.
    ///
    /// # Errors
    /// If the store cannot be written to.
    pub fn staging(&self) -> Result<Staging, Error> {
        Staging::new(self)
    }
}

/// The names in a store that begin with `run=`.
struct Names {
    /// Ascending.
    ids: Vec<RunId>,
    /// The others, and what to say of them.
    strays: Vec<(String, Error)>,
}

fn misnamed(path: &Path) -> Error {
    let what = format!("{} is not named like a run", path.display());
    Error::new(ErrorKind::Damaged, what)
        .hint("give it a name that does not begin with `run=`, or move it out of the store")
}
