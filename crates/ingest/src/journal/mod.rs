//! The journal: every page is on disk before the next one is asked for.
//!
//! A job has a folder below `.journal` in its store, from its first look-up until its run is
//! published. Going on with it reads the journal from the beginning, so it needs nothing
//! else to have survived. What it must never do is buy a page again that stands in it.
//!
//! ```text
//! STORE/.journal/lock                     whoever runs a job here
//! STORE/.journal/windows.json             rate windows, as they were last heard of
//! STORE/.journal/2026-11-24T08-00-00Z-1f0c/journal
//! ```

mod frames;
pub(crate) mod fuzzing;
mod lock;
pub(crate) mod record;
mod state;

use std::cell::RefCell;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use snapshot::{RunId, Store};

use self::frames::{Extent, Frames, Unreadable};
pub use self::lock::Owner;
pub(crate) use self::lock::StoreLock;
use self::record::{Began, Malformed, Record, VERSION};
pub(crate) use self::state::{ListState, State};
use crate::{Error, ErrorKind};

const FOLDER: &str = ".journal";
const FILE: &str = "journal";
/// How the names of folders begin that are being made, or removed.
const MAKING: &str = "making-";
const GONE: &str = "gone-";

/// The parameter of a run that names the journal it came of.
pub(crate) const RUN_PARAMETER: &str = "journal";

/// The place in a store where journals are.
#[derive(Clone, Debug)]
pub(crate) struct Journals {
    folder: PathBuf,
}

impl Journals {
    pub(crate) fn of(store: &Store) -> Self {
        Self { folder: store.folder().join(FOLDER) }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the folder if it is not there, and takes the store's lock.
    pub(crate) fn lock(&self, command: &str) -> Result<StoreLock, Error> {
        std::fs::create_dir_all(&self.folder)
            .map_err(|e| Error::io("write to the store", &self.folder, e))?;
        let lock = StoreLock::take(&self.folder, command)?;
        self.sweep();
        Ok(lock)
    }

    /// Clears away what a crash left half made or half removed. Failures are not told: they
    /// only leave it for the next one.
    fn sweep(&self) {
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(MAKING) || name.starts_with(GONE) {
                let _ = std::fs::remove_dir_all(entry.path());
            } else if name.starts_with(".tmp") {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        // One without a first record holds nothing.
        for name in self.names().unwrap_or_default() {
            if let Ok(None) = self.began(&name) {
                let _ = self.remove(&name);
            }
        }
    }

    /// Who has the store's lock, if anybody does.
    pub(crate) fn owner(&self) -> Option<Owner> {
        StoreLock::owner(&self.folder)
    }

    /// The folders of unfinished jobs, oldest first.
    pub(crate) fn names(&self) -> Result<Vec<String>, Error> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(Error::io("list", &self.folder, e)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| Error::io("list", &self.folder, e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let in_passing = name.starts_with(MAKING) || name.starts_with(GONE);
            if !in_passing && entry.path().join(FILE).is_file() {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// How a job began; none if its journal is too short to say.
    pub(crate) fn began(&self, name: &str) -> Result<Option<Began>, Error> {
        let path = self.folder.join(name).join(FILE);
        let mut began = None;
        let read = frames::read(&path, |payload| match Record::decode(payload) {
            Ok(Record::Began(first)) => {
                began = Some(first);
                Err(Replayed::Enough)
            }
            Ok(_) => Err(Replayed::Headless),
            Err(malformed) => Err(Replayed::Malformed(malformed)),
        });
        match read {
            Ok(_) | Err(Replayed::Enough) => Ok(began),
            Err(error) => Err(error.explained(&path)),
        }
    }

    /// Reads where a job stands, without touching anything.
    pub(crate) fn state(&self, name: &str) -> Result<Option<State>, Error> {
        let path = self.folder.join(name).join(FILE);
        Ok(replay(&path)?.0)
    }

    /// Begins a job. Its folder appears with its first record, or not at all.
    pub(crate) fn begin(&self, key: &str, command: &str, at: Timestamp) -> Result<Journal, Error> {
        let began =
            Began { version: VERSION, key: key.to_owned(), command: command.to_owned(), at };
        // Never the name of an earlier journal, whose run may be there.
        let chance = RandomState::new().hash_one((std::process::id(), Timestamp::now())) >> 32;
        let name = format!("{}-{chance:08x}", RunId::at(at));
        let making = self.folder.join(format!("{MAKING}{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&making);
        std::fs::create_dir(&making).map_err(|e| Error::io("create", &making, e))?;
        let made = making.join(FILE);
        let fail = |e| Error::io("write", &made, e);
        let mut frames = Frames::create(&made).map_err(fail)?;
        let payload = Record::Began(began.clone()).encode().map_err(|e| fail(e.into()))?;
        frames.append(&payload).map_err(fail)?;
        drop(frames);
        let folder = self.free_name(&name);
        std::fs::rename(&making, &folder).map_err(|e| Error::io("create", &folder, e))?;
        sync_folder(&folder)?;
        sync_folder(&self.folder)?;
        if let Some(store) = self.folder.parent() {
            sync_folder(store)?;
        }
        let path = folder.join(FILE);
        let end = std::fs::metadata(&path).map_err(|e| Error::io("read", &path, e))?.len();
        let frames = Frames::resume(&path, end).map_err(|e| Error::io("open", &path, e))?;
        Ok(Journal::new(folder, frames, State::new(began)))
    }

    /// A job that began in the same second as another has a name of its own.
    fn free_name(&self, name: &str) -> PathBuf {
        let others = (2..).map(|number| format!("{name}-{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(others);
        let free = names.find(|name| !self.folder.join(name).exists());
        self.folder.join(free.unwrap_or_default())
    }

    /// Goes on with a job. Says how many bytes a crash had left behind its last record.
    pub(crate) fn resume(&self, name: &str) -> Result<(Journal, u64), Error> {
        let folder = self.folder.join(name);
        let path = folder.join(FILE);
        let (state, extent) = replay(&path)?;
        let state = state.ok_or_else(|| damaged(&path, "it has no beginning"))?;
        let frames = Frames::resume(&path, extent.end).map_err(|e| Error::io("open", &path, e))?;
        Ok((Journal::new(folder, frames, state), extent.torn))
    }

    /// Removes a job's journal.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Error> {
        remove(&self.folder.join(name))
    }
}

/// What tells one job from another: a digest of whatever does.
pub(crate) fn job_key(parts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.as_ref());
        digest.update([0]);
    }
    let digest = digest.finalize();
    let short = u64::from_be_bytes(std::array::from_fn(|i| digest[i]));
    format!("{short:016x}")
}

/// The journal of a job that is being run. Clones are the same journal.
#[derive(Clone, Debug)]
pub(crate) struct Journal(Arc<Open>);

#[derive(Debug)]
struct Open {
    folder: PathBuf,
    frames: Mutex<Frames>,
    state: Mutex<State>,
    /// Bytes that requests under way may still bring.
    promised: AtomicU64,
}

/// Room on the disk for what a request may bring.
#[derive(Debug)]
pub(crate) struct Room {
    open: Arc<Open>,
    bytes: u64,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.open.promised.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Journal {
    fn new(folder: PathBuf, frames: Frames, state: State) -> Self {
        let (frames, state) = (Mutex::new(frames), Mutex::new(state));
        Self(Arc::new(Open { folder, frames, state, promised: AtomicU64::new(0) }))
    }

    /// Its name, which the run that comes of it keeps.
    pub(crate) fn name(&self) -> String {
        let name = self.0.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Looks at where the job stands.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.0.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes sure that what the next request may bring will find room on the disk, so that
    /// nothing is bought that cannot be kept. The room is for as long as it is held.
    pub(crate) async fn reserve(&self, bytes: u64) -> Result<Room, Error> {
        let room = Room { open: Arc::clone(&self.0), bytes };
        room.open.promised.fetch_add(bytes, Ordering::Relaxed);
        blocking(move || {
            let promised = room.open.promised.load(Ordering::Relaxed);
            let mut frames = room.open.frames.lock().unwrap_or_else(PoisonError::into_inner);
            let reserved = frames.reserve(promised);
            reserved.map_err(|e| unwritable(frames.path(), e))?;
            drop(frames);
            Ok(room)
        })
        .await
    }

    /// Writes a record; it is durable when this returns.
    pub(crate) async fn append(&self, record: Record) -> Result<(), Error> {
        let open = Arc::clone(&self.0);
        blocking(move || {
            let mut frames = open.frames.lock().unwrap_or_else(PoisonError::into_inner);
            let payload = record.encode().map_err(|e| unwritable(frames.path(), e.into()))?;
            frames.append(&payload).map_err(|e| unwritable(frames.path(), e))?;
            open.state.lock().unwrap_or_else(PoisonError::into_inner).apply(&record);
            Ok(())
        })
        .await
    }

    /// Hands every record behind the first to `each`, in order. Nothing is kept of them here:
    /// where they lead to is known.
    pub(crate) fn records(
        &self,
        each: impl FnMut(Record) -> Result<(), Error>,
    ) -> Result<(), Error> {
        records(&self.0.folder.join(FILE), |_| (), each).map(drop)
    }

    /// Removes it: its run is published, or nothing was bought.
    pub(crate) fn remove(self) -> Result<(), Error> {
        remove(&self.0.folder)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// Where a journal leads to. None of a file so short that it has no beginning.
fn replay(path: &Path) -> Result<(Option<State>, Extent), Error> {
    let state = RefCell::new(None);
    let extent = records(
        path,
        |began| *state.borrow_mut() = Some(State::new(began)),
        |record| {
            state.borrow_mut().iter_mut().for_each(|state| state.apply(&record));
            Ok(())
        },
    )?;
    Ok((state.into_inner(), extent))
}

/// Reads a journal from its beginning.
fn records(
    path: &Path,
    begin: impl FnOnce(Began),
    mut each: impl FnMut(Record) -> Result<(), Error>,
) -> Result<Extent, Error> {
    let mut begin = Some(begin);
    let extent = frames::read(path, |payload| {
        let record = Record::decode(payload).map_err(Replayed::Malformed)?;
        match (begin.take(), record) {
            (Some(begin), Record::Began(began)) if began.version == VERSION => begin(began),
            (Some(_), Record::Began(began)) => return Err(Replayed::Version(began.version)),
            (Some(_), _) => return Err(Replayed::Headless),
            (None, record) => each(record).map_err(Replayed::Own)?,
        }
        Ok(())
    });
    extent.map_err(|error| error.explained(path))
}

/// Why a journal cannot be read through.
enum Replayed {
    File(Unreadable),
    Malformed(Malformed),
    Version(u32),
    Headless,
    Own(Error),
    /// What was looked for has been found.
    Enough,
}

impl From<Unreadable> for Replayed {
    fn from(error: Unreadable) -> Self {
        Self::File(error)
    }
}

impl Replayed {
    fn explained(self, path: &Path) -> Error {
        match self {
            Self::Own(error) => error,
            Self::Enough => damaged(path, "it was read half-way"),
            Self::File(Unreadable::Io(e)) => Error::io("read the journal", path, e),
            Self::File(error) => damaged(path, &error.to_string()),
            Self::Malformed(error) => damaged(path, "a record makes no sense").because(error),
            Self::Headless => damaged(path, "its first record is not a beginning"),
            Self::Version(version) => {
                let what = format!(
                    "the journal {} has version {version}; this followgraph knows version {VERSION}",
                    path.display()
                );
                Error::new(ErrorKind::Damaged, what)
                    .hint("finish the job with the followgraph that began it, or begin it anew with --restart")
            }
        }
    }
}

fn damaged(path: &Path, what: &str) -> Error {
    let what = format!("the journal {} is damaged: {what}", path.display());
    Error::new(ErrorKind::Damaged, what)
        .hint("restore it from a backup, or begin the job anew with --restart")
}

fn unwritable(path: &Path, e: std::io::Error) -> Error {
    let full = e.kind() == std::io::ErrorKind::StorageFull;
    let error = Error::io("write the journal", path, e);
    let hint = if full {
        "make room on the disk and run the same command again; it goes on at the next page"
    } else {
        "see to the disk and run the same command again; it goes on at the next page"
    };
    error.hint(hint)
}

/// Under another name first, so that a half-removed journal is never taken for a job.
fn remove(folder: &Path) -> Result<(), Error> {
    let mut gone = folder.to_owned();
    gone.set_file_name(format!("{GONE}{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&gone);
    std::fs::rename(folder, &gone).map_err(|e| Error::io("remove", folder, e))?;
    std::fs::remove_dir_all(&gone).map_err(|e| Error::io("remove", &gone, e))
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    if cfg!(windows) {
        return Ok(());
    }
    let file = std::fs::File::open(folder).map_err(|e| Error::io("open", folder, e))?;
    file.sync_all().map_err(|e| Error::io("sync", folder, e))
}
