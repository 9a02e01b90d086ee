//! Writes a run: staged out of sight, synced, then made visible by one rename.
//!
//! A crash at any point leaves either the whole run or none. What a crash leaves behind in
//! `.staging` is removed by the next writer, which can tell by a file lock that its owner
//! is gone.
//!
//! Two rules keep writers off each other's folders: nobody removes a folder without holding
//! the lock of the file that is in it *now*, and the lock is held until the folder is gone.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;

use crate::error::{At, Error};
use crate::fs::sync_folder;
use crate::manifest::{FileEntry, Manifest, Tool};
use crate::part_writer::PartWriter;
use crate::schema::{self, Record};
use crate::sort::{Row, Sorter};
use crate::{AccountId, Crawl, FORMAT_VERSION, List, PageRecord, Profile, RunId, Store};

const STAGING: &str = ".staging";
const OWNER: &str = "owner.lock";

/// How a run is written.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WriterOptions {
    /// Bytes of rows to sort in memory before spilling to disk, at least 24 kB. The writer
    /// needs this much, and about 20 MB more to merge what was spilled and to encode the
    /// part at hand, whatever the lists' length. It is asked for at once, with the first row.
    pub sort_memory: usize,
    /// Kept in the manifest: how the run was made, without secrets.
    pub parameters: BTreeMap<String, String>,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self { sort_memory: 32 << 20, parameters: BTreeMap::new() }
    }
}

/// A run in the making.
///
/// Dropping it without [`publish`](Self::publish) leaves no trace.
pub struct RunWriter {
    store: PathBuf,
    staging: PathBuf,
    /// Held while this writer lives; the lock tells others that the folder has an owner.
    owner: Option<File>,
    id: RunId,
    parameters: BTreeMap<String, String>,
    lists: HashSet<List>,
    sorter: Sorter,
    crawls: Vec<Crawl>,
    pages: Vec<PageRecord>,
    profiles: BTreeMap<AccountId, Profile>,
}

/// What was published.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Published {
    /// The run's id.
    pub run: RunId,
    /// Its folder.
    pub folder: PathBuf,
    /// Its crawls, with the counts of ids and duplicates filled in.
    pub crawls: Vec<Crawl>,
}

impl RunWriter {
    pub(crate) fn new(
        store: &Store,
        time: Timestamp,
        options: WriterOptions,
    ) -> Result<Self, Error> {
        let all = store.folder().join(STAGING);
        std::fs::create_dir_all(&all).at("write to the store", &all)?;
        sweep(&all)?;
        let (staging, owner) = claim(&all)?;
        let spill = staging.join("spill");
        std::fs::create_dir(&spill).at("create", &spill)?;
        let run = staging.join("run");
        std::fs::create_dir(&run).at("create", &run)?;
        Ok(Self {
            store: store.folder().to_owned(),
            sorter: Sorter::new(spill, options.sort_memory),
            staging,
            owner: Some(owner),
            id: RunId::at(time),
            parameters: options.parameters,
            lists: HashSet::new(),
            crawls: Vec::new(),
            pages: Vec::new(),
            profiles: BTreeMap::new(),
        })
    }

    /// Adds consecutive rows of one account's list, in the order the source returned them.
    /// Different lists may be mixed.
    ///
    /// # Errors
    /// If the disk is full or the list is longer than 2^31 − 1 rows.
    pub fn rows(
        &mut self,
        list: List,
        account: AccountId,
        first_position: u32,
        members: &[AccountId],
    ) -> Result<(), Error> {
        for (position, member) in (u64::from(first_position)..).zip(members) {
            let position = i32::try_from(position).map_err(|_| {
                Error::invalid(format!("the {list} list of {account} is longer than 2^31 rows"))
            })?;
            let (account, member) = (account.get(), member.get());
            self.sorter.push(Row { list, account, member, position })?;
        }
        Ok(())
    }

    /// Adds the record of a page.
    pub fn page(&mut self, page: PageRecord) {
        self.pages.push(page);
    }

    /// Adds what came of a crawl. Its `ids` and `duplicates` are counted from the rows;
    /// what the record says of them is not looked at.
    pub fn crawl(&mut self, crawl: Crawl) {
        self.lists.insert(crawl.list);
        self.crawls.push(crawl);
    }

    /// Adds an account's profile; a later one of the same account replaces it.
    pub fn profile(&mut self, profile: Profile) {
        self.profiles.insert(profile.account, profile);
    }

    /// Writes everything and makes it visible.
    ///
    /// # Errors
    /// If a crawl is there twice, rows have no crawl, nothing was crawled, or the disk
    /// refuses. Then nothing is visible, and nothing is left behind. One failure is an
    /// exception: if the disk refuses the very last step, which makes the new name durable,
    /// then the run is visible and whole, but a power cut may still take it; the message
    /// begins with `published`.
    pub fn publish(mut self) -> Result<Published, Error> {
        self.crawls.sort_by_key(|c| (c.list, c.account));
        self.check_crawls()?;
        let folder = self.staging.join("run");
        let mut files = self.write_lists(&folder)?;
        self.pages.sort_by_key(|p| (p.list, p.account, p.page));
        let profiles: Vec<_> = std::mem::take(&mut self.profiles).into_values().collect();
        files.push(write_records(&folder, &self.crawls)?);
        files.push(write_records(&folder, &self.pages)?);
        files.push(write_records(&folder, &profiles)?);
        let folder = self.reveal(&folder, &files)?;
        Ok(Published { run: self.id, folder, crawls: std::mem::take(&mut self.crawls) })
    }

    fn check_crawls(&self) -> Result<(), Error> {
        if self.crawls.is_empty() {
            return Err(Error::invalid("the run has no crawls"));
        }
        let same = |w: &&[Crawl]| (w[0].list, w[0].account) == (w[1].list, w[1].account);
        match self.crawls.windows(2).find(same) {
            Some(twice) => Err(Error::invalid(format!(
                "the {} list of {} is in the run twice",
                twice[0].list, twice[0].account
            ))),
            None => Ok(()),
        }
    }

    /// Merges the rows into parts, drops repeated members, counts both.
    fn write_lists(&mut self, folder: &Path) -> Result<Vec<FileEntry>, Error> {
        let mut writers = HashMap::new();
        for list in &self.lists {
            writers.insert(*list, PartWriter::new(folder, *list)?);
        }
        let mut counts: HashMap<(List, i64), (u64, u64)> = HashMap::new();
        let mut last: Option<Row> = None;
        let memory = std::mem::replace(&mut self.sorter, Sorter::new(PathBuf::new(), 0));
        let mut current = (0, 0);
        memory.drain(|row| {
            let of = (row.list, row.account);
            match last.replace(row) {
                Some(before) if before.is_same_member(row) => {
                    current.1 += 1;
                    return Ok(());
                }
                Some(before) if (before.list, before.account) != of => {
                    counts.insert((before.list, before.account), std::mem::take(&mut current));
                }
                _ => {}
            }
            current.0 += 1;
            match writers.get_mut(&row.list) {
                Some(writer) => writer.push(row),
                None => Err(no_crawl(row)),
            }
        })?;
        if let Some(row) = last {
            counts.insert((row.list, row.account), current);
        }
        for crawl in &mut self.crawls {
            let counted = counts.remove(&(crawl.list, crawl.account.get()));
            (crawl.ids, crawl.duplicates) = counted.unwrap_or_default();
        }
        if let Some((list, account)) = counts.keys().next() {
            return Err(no_crawl(Row { list: *list, account: *account, member: 0, position: 0 }));
        }
        let mut files = Vec::new();
        for list in List::ALL {
            if let Some(writer) = writers.remove(&list) {
                files.extend(writer.finish()?);
            }
        }
        Ok(files)
    }

    /// Writes the manifest and renames the run into place, under the first free id.
    fn reveal(&mut self, staged: &Path, files: &[FileEntry]) -> Result<PathBuf, Error> {
        loop {
            let target = self.store.join(self.id.folder());
            if target.exists() {
                self.id = self.id.next();
                continue;
            }
            self.manifest(files.to_vec()).write(staged)?;
            sync_folder(staged)?;
            match std::fs::rename(staged, &target) {
                Ok(()) => {
                    sync_folder(&self.store).map_err(|e| not_durable(&target, e))?;
                    return Ok(target);
                }
                // Another writer was faster; its folder is not empty, so nothing was replaced.
                Err(_) if target.exists() => {
                    let manifest = staged.join(crate::manifest::FILE_NAME);
                    std::fs::remove_file(&manifest).at("remove", &manifest)?;
                    self.id = self.id.next();
                }
                Err(e) => return Err(e).at("publish the run as", &target),
            }
        }
    }

    fn manifest(&self, files: Vec<FileEntry>) -> Manifest {
        let accounts: HashSet<_> = self.crawls.iter().map(|c| c.account).collect();
        let started = self.crawls.iter().map(|c| c.started_at).min();
        let finished = self.crawls.iter().map(|c| c.finished_at).max();
        Manifest {
            format: FORMAT_VERSION,
            tool: Tool { name: "followgraph".into(), version: env!("CARGO_PKG_VERSION").into() },
            run: self.id.to_string(),
            started_at: started.unwrap_or_else(|| self.id.time()),
            finished_at: finished.unwrap_or_else(|| self.id.time()),
            crawls: self.crawls.len() as u64,
            complete: self.crawls.iter().filter(|c| c.state.is_complete()).count() as u64,
            accounts: accounts.len() as u64,
            rows: self.crawls.iter().map(|c| c.ids).sum(),
            parameters: self.parameters.clone(),
            files,
        }
    }
}

impl Drop for RunWriter {
    fn drop(&mut self) {
        // Only tidiness: if it fails, the next writer sweeps. The lock goes last.
        let _ = std::fs::remove_dir_all(&self.staging);
        drop(self.owner.take());
    }
}

fn no_crawl(row: Row) -> Error {
    Error::invalid(format!("rows of the {} list of {} have no crawl", row.list, row.account))
}

fn not_durable(run: &Path, e: Error) -> Error {
    let what = format!("published {}, but a power cut may still take it", run.display());
    Error::new(e.kind(), what).because(e).hint("the run can be used; see to the disk")
}

fn write_records<R: Record>(folder: &Path, records: &[R]) -> Result<FileEntry, Error> {
    let path = folder.join(R::FILE);
    let version = FORMAT_VERSION.to_string();
    let checksum = R::table(records).write_hashed(&path, &[(schema::FORMAT_KEY, &version)])?;
    Ok(FileEntry::new(folder, &path, checksum, records.len() as u64))
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
    if let Ok(owner) = File::open(&path) {
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
