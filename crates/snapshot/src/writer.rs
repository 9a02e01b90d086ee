//! Writes a run: staged out of sight, synced, then made visible by one rename.
//!
//! A crash at any point leaves either the whole run or none. Many runs that belong together
//! are all staged before the first is published, so that a full disk shows none of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::error::{At, Error};
use crate::fs::sync_folder;
use crate::manifest::{FileEntry, Manifest, Tool};
use crate::member_file::MemberWriter;
use crate::part_writer::PartWriter;
use crate::schema::Record;
use crate::sort::{Row, Sorter};
use crate::{
    AccountId, Crawl, FORMAT_VERSION, List, ListedMember, LookUp, MemberProfile, PageRecord,
    Profile, RunId, Staging,
};

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
    staging: Staging,
    /// The run's own folder in the staging place.
    folder: PathBuf,
    id: RunId,
    parameters: BTreeMap<String, String>,
    lists: HashSet<List>,
    sorter: Sorter,
    crawls: Vec<Crawl>,
    pages: Vec<PageRecord>,
    profiles: BTreeMap<AccountId, Profile>,
    /// None as long as there are no profiles of members.
    members: Option<MemberWriter>,
    look_ups: Vec<LookUp>,
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
        staging: Staging,
        folder: PathBuf,
        time: Timestamp,
        options: WriterOptions,
    ) -> Result<Self, Error> {
        let spill = folder.join("spill");
        std::fs::create_dir(&spill).at("create", &spill)?;
        let run = folder.join("run");
        std::fs::create_dir(&run).at("create", &run)?;
        Ok(Self {
            staging,
            sorter: Sorter::new(spill, options.sort_memory),
            folder,
            id: RunId::at(time),
            parameters: options.parameters,
            lists: HashSet::new(),
            crawls: Vec::new(),
            pages: Vec::new(),
            profiles: BTreeMap::new(),
            members: None,
            look_ups: Vec::new(),
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

    /// Adds the profile of a member of a list, as a row of its own: a member of several
    /// lists has several, and so has one that is added twice.
    ///
    /// It takes the memory of one row group, some megabytes, however many there are.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn member(
        &mut self,
        list: List,
        account: AccountId,
        member: &MemberProfile,
    ) -> Result<(), Error> {
        let members = match &mut self.members {
            Some(members) => members,
            none => none.insert(MemberWriter::create(&self.folder.join("run"))?),
        };
        members.push(ListedMember { account, list, member: member.clone() })
    }

    /// Adds the answer to a look-up. A run may hold these alone, without any crawl.
    pub fn look_up(&mut self, look_up: LookUp) {
        self.look_ups.push(look_up);
    }

    /// Writes everything and makes it visible.
    ///
    /// # Errors
    /// If a crawl is there twice, rows or profiles of members have no crawl, nothing was
    /// crawled and nobody looked up, or the disk refuses. Then nothing is visible, and
    /// nothing is left behind. One failure is an exception: if the disk refuses the very last
    /// step, which makes the new name durable, then the run is visible and whole, but a power
    /// cut may still take it; the message begins with `published`.
    pub fn publish(self) -> Result<Published, Error> {
        self.stage()?.publish()
    }

    /// Writes and syncs everything, out of sight still.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub fn stage(mut self) -> Result<StagedRun, Error> {
        self.crawls.sort_by_key(|c| (c.list, c.account));
        self.check_crawls()?;
        let folder = self.folder.join("run");
        let mut files = self.write_lists(&folder)?;
        self.pages.sort_by_key(|p| (p.list, p.account, p.page));
        let profiles: Vec<_> = std::mem::take(&mut self.profiles).into_values().collect();
        files.push(write_records(&folder, &self.crawls)?);
        files.push(write_records(&folder, &self.pages)?);
        files.push(write_records(&folder, &profiles)?);
        if let Some(members) = self.members.take() {
            files.push(members.finish(&folder)?);
        }
        if !self.look_ups.is_empty() {
            self.look_ups.sort_by_key(|l| (l.member, l.looked_up_at));
            files.push(write_records(&folder, &self.look_ups)?);
        }
        let manifest = self.manifest(files);
        manifest.write(&folder)?;
        sync_folder(&folder)?;
        Ok(StagedRun { staging: self.staging, folder, id: self.id, manifest, crawls: self.crawls })
    }

    fn check_crawls(&self) -> Result<(), Error> {
        if self.crawls.is_empty() && self.look_ups.is_empty() {
            return Err(Error::invalid("the run has no crawls"));
        }
        let same = |w: &&[Crawl]| (w[0].list, w[0].account) == (w[1].list, w[1].account);
        if let Some(twice) = self.crawls.windows(2).find(same) {
            let (list, account) = (twice[0].list, twice[0].account);
            return Err(Error::invalid(format!(
                "the {list} list of {account} is in the run twice"
            )));
        }
        let crawled = |of: &&(List, AccountId)| {
            self.crawls.binary_search_by_key(*of, |c| (c.list, c.account)).is_ok()
        };
        let mut lists = self.members.iter().flat_map(MemberWriter::lists);
        match lists.find(|of| !crawled(of)) {
            Some((list, account)) => Err(Error::invalid(format!(
                "profiles of members of the {list} list of {account} have no crawl"
            ))),
            None => Ok(()),
        }
    }

    /// Merges the rows into parts, drops repeated members, counts both.
    fn write_lists(&mut self, folder: &Path) -> Result<Vec<FileEntry>, Error> {
        // Asked for every row: a tree of two is found in faster than a hash is computed.
        let mut writers = BTreeMap::new();
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

    fn manifest(&self, files: Vec<FileEntry>) -> Manifest {
        let accounts: HashSet<_> = self.crawls.iter().map(|c| c.account).collect();
        let (started, finished) = window(&self.crawls, &self.look_ups);
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

/// A run that is written and synced, and that nobody sees yet.
///
/// Dropping it without [`publish`](Self::publish) leaves no trace.
pub struct StagedRun {
    staging: Staging,
    folder: PathBuf,
    id: RunId,
    manifest: Manifest,
    crawls: Vec<Crawl>,
}

impl StagedRun {
    /// Makes it visible, by one rename, under the first free id of its second.
    ///
    /// # Errors
    /// If the rename is refused; then it is not visible. If only the last sync fails, it is,
    /// and the message says that a power cut may still take it.
    pub fn publish(mut self) -> Result<Published, Error> {
        let store = self.staging.store().to_owned();
        loop {
            let target = store.join(self.id.folder());
            if !target.exists() {
                match std::fs::rename(&self.folder, &target) {
                    Ok(()) => {
                        sync_folder(&store).map_err(|e| not_durable(&target, e))?;
                        return Ok(Published { run: self.id, folder: target, crawls: self.crawls });
                    }
                    // Another writer was faster; its folder is not empty, so nothing was
                    // replaced.
                    Err(_) if target.exists() => {}
                    Err(e) => return Err(e).at("publish the run as", &target),
                }
            }
            self.rename_to_next()?;
        }
    }

    /// The manifest holds the id, so it is written again.
    fn rename_to_next(&mut self) -> Result<(), Error> {
        self.id = self.id.next();
        self.manifest.run = self.id.to_string();
        let old = self.folder.join(crate::manifest::FILE_NAME);
        std::fs::remove_file(&old).at("remove", &old)?;
        self.manifest.write(&self.folder)?;
        sync_folder(&self.folder)
    }
}

fn no_crawl(row: Row) -> Error {
    Error::invalid(format!("rows of the {} list of {} have no crawl", row.list, row.account))
}

fn not_durable(run: &Path, e: Error) -> Error {
    let what = format!("published {}, but a power cut may still take it", run.display());
    Error::new(e.kind(), what).because(e).hint("the run can be used; see to the disk")
}

/// When a run began and ended: its crawls, or, where there are none, its look-ups.
pub(crate) fn window(
    crawls: &[Crawl],
    look_ups: &[LookUp],
) -> (Option<Timestamp>, Option<Timestamp>) {
    let answered = || look_ups.iter().map(|l| l.looked_up_at);
    (
        crawls.iter().map(|c| c.started_at).min().or_else(|| answered().min()),
        crawls.iter().map(|c| c.finished_at).max().or_else(|| answered().max()),
    )
}

/// Rows in a row group of the small tables, which are not always small.
const GROUP_ROWS: usize = 1 << 16;

fn write_records<R: Record>(folder: &Path, records: &[R]) -> Result<FileEntry, Error> {
    let mut file = R::create(folder)?;
    // One without rows still has a row group, for readers that expect one.
    let (first, rest) = records.split_at(records.len().min(GROUP_ROWS));
    file.append(&R::table(first))?;
    for group in rest.chunks(GROUP_ROWS) {
        file.append(&R::table(group))?;
    }
    file.finish(folder)
}
