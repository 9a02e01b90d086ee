//! A folder of runs: listing it, choosing from it, beginning a new run in it.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::error::{At, Error};
use crate::writer::{RunWriter, WriterOptions};
use crate::{Run, RunId};

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
            .hint("name another folder with --store, or make one: `followgraph demo` or `followgraph import`"))
    }

    /// Opens a store, making the folder if it is not there.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn create(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder).at("create the store", &folder)?;
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
    pub fn runs(&self) -> Result<Vec<Run>, Error> {
        self.run_ids()?.into_iter().map(|id| self.run(id)).collect()
    }

    /// The ids of every published run, oldest first. Reads the folder only.
    ///
    /// # Errors
    /// If the folder cannot be read, or holds a `run=` folder that is not named by an id.
    pub fn run_ids(&self) -> Result<Vec<RunId>, Error> {
        let mut ids = Vec::new();
        for entry in std::fs::read_dir(&self.folder).at("list", &self.folder)? {
            let entry = entry.at("list", &self.folder)?;
            if let Some(id) = entry.file_name().to_str().and_then(RunId::from_folder) {
                ids.push(id.map_err(|e| Error::damaged(&entry.path(), "its name").because(e))?);
            }
        }
        ids.sort_unstable();
        Ok(ids)
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

    /// Opens the run that a person means: `latest`, `previous`, an id, the beginning of an
    /// id, or a date (the last run of that day, UTC).
    ///
    /// # Errors
    /// If no run answers to it, or several do.
    pub fn find(&self, name: &str) -> Result<Run, Error> {
        let ids = self.run_ids()?;
        let nth = |back: usize| ids.len().checked_sub(back).and_then(|i| ids.get(i)).copied();
        let id = match name {
            "latest" => nth(1).ok_or_else(|| self.too_few("no run"))?,
            "previous" => nth(2).ok_or_else(|| self.too_few("only one run"))?,
            _ => self.find_named(name, &ids)?,
        };
        self.run(id)
    }

    fn find_named(&self, name: &str, ids: &[RunId]) -> Result<RunId, Error> {
        let name = name.strip_prefix("run=").unwrap_or(name);
        if let Ok(id) = name.parse::<RunId>() {
            return ids.contains(&id).then_some(id).ok_or_else(|| self.no_run(name));
        }
        let day = name.parse::<Date>().ok();
        let of_day =
            |id: &&RunId| day.is_some_and(|d| TimeZone::UTC.to_datetime(id.time()).date() == d);
        if let Some(id) = ids.iter().rev().find(of_day) {
            return Ok(*id);
        }
        let mut matching =
            ids.iter().filter(|id| !name.is_empty() && id.to_string().starts_with(name));
        match (matching.next(), matching.next()) {
            (Some(id), None) => Ok(*id),
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

    fn too_few(&self, what: &str) -> Error {
        Error::not_found(format!("the store {} has {what}", self.folder.display()))
            .hint("`followgraph snapshot` or `followgraph import` adds one")
    }

    /// Begins a run that started at `time`. Nothing of it is visible until it is published.
    ///
    /// # Errors
    /// If the store cannot be written to.
    pub fn begin(&self, time: Timestamp, options: WriterOptions) -> Result<RunWriter, Error> {
        RunWriter::new(self, time, options)
    }
}
