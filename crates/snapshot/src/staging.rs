//! Where runs are written before they are seen: a folder of one owner, below `.staging`.
//!
//! What a crash leaves behind is removed by the next writer, which can tell by a file lock
//! that its owner is gone. Two rules keep writers off each other's folders: nobody removes a
//! folder without holding the lock of the file that is in it *now*, and the lock is held
//! until the folder is gone.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;

use crate::error::{At, Error};
use crate::{RunWriter, Store, WriterOptions};

const STAGING: &str = ".staging";
const OWNER: &str = "owner.lock";

/// A place in a store to write runs in, out of sight. Clones are the same place; with the
/// last of them, and the last run begun in it, it is cleared away.
///
/// Runs that belong together are begun in one place: however many there are, they take one
/// open file.
#[derive(Clone)]
pub struct Staging(Arc<Claim>);

/// The folder, and the lock that tells others that it has an owner.
struct Claim {
    store: PathBuf,
    folder: PathBuf,
    begun: AtomicU32,
    owner: Option<File>,
}

impl Staging {
    pub(crate) fn new(store: &Store) -> Result<Self, Error> {
        let all = store.folder().join(STAGING);
        std::fs::create_dir_all(&all).at("write to the store", &all)?;
        sweep(&all)?;
        let (folder, owner) = claim(&all)?;
        let store = store.folder().to_owned();
        Ok(Self(Arc::new(Claim { store, folder, begun: AtomicU32::new(0), owner: Some(owner) })))
    }

    /// Begins a run that started at `time`. Nothing of it is visible until it is published.
    ///
    /// # Errors
    /// If the store cannot be written to.
    pub fn begin(&self, time: Timestamp, options: WriterOptions) -> Result<RunWriter, Error> {
        let number = self.0.begun.fetch_add(1, Ordering::Relaxed);
        let folder = self.0.folder.join(number.to_string());
        std::fs::create_dir(&folder).at("create", &folder)?;
        RunWriter::new(self.clone(), folder, time, options)
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// The store that runs of this place are published in.
    pub(crate) fn store(&self) -> &Path {
        &self.0.store
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Only tidiness: if it fails, the next writer sweeps. The lock goes last.
        let _ = std::fs::remove_dir_all(&self.folder);
        drop(self.owner.take());
    }
}

/// Numbers are not used twice, so that two writers of one process never share a name.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Makes a folder of our own and locks it.
fn claim(all: &Path) -> Result<(PathBuf, File), Error> {
    use std::io::ErrorKind as Io;
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = all.join(format!("{}-{number}", std::process::id()));
        match std::fs::create_dir(&folder) {
            Ok(()) => {}
            // A process that is gone had our number, or one in another container has it.
            Err(e) if e.kind() == Io::AlreadyExists => continue,
            Err(e) => return Err(e).at("create", &folder),
        }
        let path = folder.join(OWNER);
        let owner = match File::create_new(&path) {
            Ok(owner) => owner,
            // We slept for so long that another writer took the folder for a dead one's.
            Err(e) if e.kind() == Io::NotFound => continue,
            Err(e) => return Err(e).at("create", &path),
        };
        if let Some(owner) = lock(owner, &path)? {
            return Ok((folder, owner));
        }
    }
}

/// Locks the new file of a claim. None if a sweeper was faster: then this waited until the
/// folder was gone.
fn lock(owner: File, path: &Path) -> Result<Option<File>, Error> {
    owner.lock().at("lock", path)?;
    Ok(is_still(&owner, path).then_some(owner))
}

/// Removes what writers that are gone have left behind.
fn sweep(all: &Path) -> Result<(), Error> {
    for entry in std::fs::read_dir(all).at("list", all)? {
        remove_if_abandoned(&entry.at("list", all)?.path());
    }
    Ok(())
}

/// Removes a folder whose lock nobody holds. One without a lock file is being made right
/// now, or was left by a crash in that instant; the latter is told by its age.
///
/// Failures are not told: another writer may sweep at the same time, and a later one will.
fn remove_if_abandoned(folder: &Path) {
    let path = folder.join(OWNER);
    if let Ok(owner) = crate::fs::open(&path) {
        if owner.try_lock().is_ok() && is_still(&owner, &path) {
            let _ = std::fs::remove_dir_all(folder);
        }
        // Not before the folder is gone.
        drop(owner);
        return;
    }
    let made = std::fs::metadata(folder).and_then(|m| m.modified()).ok();
    if made.and_then(|t| t.elapsed().ok()).is_some_and(|age| age.as_secs() > 60) {
        let _ = std::fs::remove_dir_all(folder);
    }
}

/// Whether the name still leads to the open file.
#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same =
        |(a, b): (std::fs::Metadata, std::fs::Metadata)| (a.dev(), a.ino()) == (b.dev(), b.ino());
    file.metadata().and_then(|a| Ok((a, std::fs::metadata(path)?))).is_ok_and(same)
}

/// Whether the name still leads to a file.
#[cfg(not(unix))]
fn is_still(_: &File, path: &Path) -> bool {
    File::open(path).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_claimed_stays_until_its_owner_removes_it() {
        let all = tempfile::tempdir().unwrap();
        let all = all.path();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..400 {
                        sweep(all).unwrap();
                        let (folder, owner) = claim(all).unwrap();
                        std::thread::yield_now();
                        std::fs::create_dir(folder.join("run")).unwrap();
                        std::fs::remove_dir_all(&folder).unwrap();
                        drop(owner);
                    }
                });
            }
        });
        assert_eq!(std::fs::read_dir(all).unwrap().count(), 0);
    }

    #[test]
    fn a_claim_is_given_up_where_a_sweeper_was_faster() {
        let all = tempfile::tempdir().unwrap();
        let folder = all.path().join("1-0");
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join(OWNER);
        let owner = File::create_new(&path).unwrap();
        let sweeper = File::open(&path).unwrap();
        sweeper.try_lock().unwrap();
        std::thread::scope(|scope| {
            let claim = scope.spawn(|| lock(owner, &path).unwrap());
            std::fs::remove_dir_all(&folder).unwrap();
            drop(sweeper);
            assert!(claim.join().unwrap().is_none());
        });
    }

    #[test]
    fn what_a_dead_writer_left_is_swept() {
        let all = tempfile::tempdir().unwrap();
        let (dead, owner) = claim(all.path()).unwrap();
        std::fs::write(dead.join("spill"), "rows").unwrap();
        sweep(all.path()).unwrap();
        assert!(dead.exists(), "it is alive");
        drop(owner);
        sweep(all.path()).unwrap();
        assert!(!dead.exists());
    }
}
