//! Checks a run against its manifest and against itself.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{At, Error, relative};
use crate::fs::checksum;
use crate::manifest::FILE_NAME;
use crate::parts::Columns;
use crate::schema::{Record, list_folder};
use crate::writer::window;
use crate::{
    Coverage, Crawl, FileEntry, List, ListReader, ListedMember, LookUp, PageRecord, Profile, Run,
    State,
};

/// One thing that is wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// The file, relative to the run's folder.
    pub file: PathBuf,
    /// The row group in it, for faults in lists.
    pub row_group: Option<usize>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(group) = self.row_group {
            write!(f, ", row group {group}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// What a verification looked at, and what it found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// Files whose checksum was computed.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Rows that were decoded.
    pub rows: u64,
    /// Everything that is wrong.
    pub faults: Vec<Fault>,
}

impl Run {
    /// Checks everything: that the files are those of the manifest and no others, their
    /// checksums, order, repeated rows, positions, counts, pages, coverage. What the
    /// manifest says of the tool and its parameters is the one thing that nothing repeats,
    /// and so the one thing in which a change goes unseen.
    ///
    /// Reads every byte of the lists three times: for the file's checksum, for those of its
    /// row groups, for the rows. Takes the memory of the small tables (crawls, pages,
    /// accounts, look-ups), of one row group, and of one counter for each account of a list; the
    /// lists' length does not matter. A file with a wrong checksum is not decoded: what it
    /// says means nothing, and the decoder trusts it too much.
    pub fn verify(&self) -> Verification {
        let mut check =
            Check { run: self, found: Verification::default(), changed: HashSet::new() };
        check.checksums();
        check.strangers();
        let crawls: Option<Vec<Crawl>> = check.table();
        let look_ups = check.look_ups();
        if let Some(crawls) = &crawls {
            check.totals(crawls, look_ups.as_deref().unwrap_or_default());
            check.pages(crawls);
        }
        check.lists(crawls.as_deref());
        check.profiles();
        check.members(crawls.as_deref());
        check.found
    }
}

struct Check<'a> {
    run: &'a Run,
    found: Verification,
    /// Files that are not as they were written.
    changed: HashSet<&'a str>,
}

impl Check<'_> {
    fn fault(
        &mut self,
        file: impl Into<PathBuf>,
        row_group: Option<usize>,
        what: impl Into<String>,
    ) {
        self.found.faults.push(Fault { file: file.into(), row_group, what: what.into() });
    }

    fn checksums(&mut self) {
        for entry in &self.run.manifest().files {
            self.changed.insert(&entry.path);
            match checksum(&self.run.folder().join(&entry.path)) {
                Err(e) => self.fault(&entry.path, None, chain(&e)),
                Ok(now) => {
                    self.found.files += 1;
                    self.found.bytes += now.bytes;
                    if now.bytes != entry.bytes {
                        let what =
                            format!("{} bytes, the manifest says {}", now.bytes, entry.bytes);
                        self.fault(&entry.path, None, what);
                    } else if now.sha256 != entry.sha256 {
                        let what = format!("its SHA-256 is {}, not {}", now.sha256, entry.sha256);
                        self.fault(&entry.path, None, what);
                    } else {
                        self.changed.remove(entry.path.as_str());
                    }
                }
            }
        }
    }

    /// Files that no manifest vouches for. A reader that goes by the names in the folder
    /// would take a stray part for rows of the run.
    fn strangers(&mut self) {
        let mut known = HashSet::from([FILE_NAME]);
        for entry in &self.run.manifest().files {
            if !known.insert(entry.path.as_str()) {
                self.fault(&entry.path, None, "is in the manifest twice");
            }
        }
        let mut found = BTreeSet::new();
        if let Err(e) = walk(self.run.folder(), &mut found) {
            self.fault("", None, chain(&e));
        }
        for path in found {
            let path = relative(self.run.folder(), &path);
            let name = path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
            if !known.contains(name.as_str()) {
                self.fault(path, None, "is not in the manifest");
            }
        }
    }

    /// Reads a table and compares its rows with what the manifest says.
    fn table<R: Record>(&mut self) -> Option<Vec<R>> {
        if self.changed.contains(R::FILE) {
            return None;
        }
        let records = match self.run.records::<R>() {
            Ok(records) => records,
            Err(e) => {
                self.fault(R::FILE, None, chain(&e));
                return None;
            }
        };
        self.rows_of(R::FILE, records.len() as u64);
        Some(records)
    }

    /// Compares the rows of a file with what the manifest says.
    fn rows_of(&mut self, file: &str, rows: u64) {
        let stated =
            self.run.manifest().entry(file).map(|e| e.rows).filter(|stated| *stated != rows);
        if let Some(stated) = stated {
            self.fault(file, None, format!("{rows} rows, the manifest says {stated}"));
        }
    }

    fn totals(&mut self, crawls: &[Crawl], look_ups: &[LookUp]) {
        let manifest = self.run.manifest();
        let rows = crawls.iter().fold(0_u64, |sum, c| sum.saturating_add(c.ids));
        let complete = crawls.iter().filter(|c| c.state.is_complete()).count();
        let accounts: HashSet<_> = crawls.iter().map(|c| c.account).collect();
        for (what, counted, stated) in [
            ("crawls", crawls.len() as u64, manifest.crawls),
            ("complete crawls", complete as u64, manifest.complete),
            ("accounts", accounts.len() as u64, manifest.accounts),
            ("rows", rows, manifest.rows),
        ] {
            if counted != stated {
                self.fault(FILE_NAME, None, format!("{stated} {what}, counted {counted}"));
            }
        }
        let (started, finished) = window(crawls, look_ups);
        let whose = if crawls.is_empty() { "look-ups" } else { "crawls" };
        for (what, told, stated) in [
            ("started", started, manifest.started_at),
            ("finished", finished, manifest.finished_at),
        ] {
            // The columns hold microseconds.
            let told = told.filter(|t| t.as_microsecond() != stated.as_microsecond());
            if let Some(time) = told {
                self.fault(FILE_NAME, None, format!("{what} at {stated}, its {whose} at {time}"));
            }
        }
        for pair in crawls.windows(2) {
            if (pair[0].list, pair[0].account) >= (pair[1].list, pair[1].account) {
                self.fault(Crawl::FILE, None, format!("{} is out of order", pair[1].account));
            }
        }
        for crawl in crawls {
            if crawl.state.coverage().is_none() && crawl.ids > 0 {
                let what = format!("{} is {} and yet has ids", crawl.account, crawl.state);
                self.fault(Crawl::FILE, None, what);
            }
        }
    }

    /// The pages of a crawl follow one another without a gap, hold its rows, and end where
    /// its coverage says. Files have no pages.
    fn pages(&mut self, crawls: &[Crawl]) {
        let Some(pages) = self.table::<PageRecord>() else { return };
        let mut rest = pages.as_slice();
        for crawl in crawls {
            let mine =
                rest.iter().take_while(|p| (p.list, p.account) == (crawl.list, crawl.account));
            let (mine, after) = rest.split_at(mine.count());
            rest = after;
            if mine.is_empty() {
                if crawl.pages > 0 && crawl.source != "file" {
                    let what = format!("no page of the {} list of {}", crawl.list, crawl.account);
                    self.fault(PageRecord::FILE, None, what);
                }
                continue;
            }
            if let Some(what) = wrong_pages(crawl, mine) {
                let what = format!("the {} list of {}: {what}", crawl.list, crawl.account);
                self.fault(PageRecord::FILE, None, what);
            }
        }
        if let Some(page) = rest.first() {
            let what = format!("a page of {}, which has no crawl", page.account);
            self.fault(PageRecord::FILE, None, what);
        }
    }

    fn profiles(&mut self) {
        let Some(profiles) = self.table::<Profile>() else { return };
        if let Some(pair) = profiles.windows(2).find(|w| w[0].account >= w[1].account) {
            self.fault(Profile::FILE, None, format!("{} is out of order", pair[1].account));
        }
    }

    /// A run may have none.
    fn look_ups(&mut self) -> Option<Vec<LookUp>> {
        self.run.manifest().entry(LookUp::FILE)?;
        let look_ups = self.table::<LookUp>()?;
        let key = |l: &LookUp| (l.member, l.looked_up_at);
        if let Some(pair) = look_ups.windows(2).find(|w| key(&w[0]) > key(&w[1])) {
            self.fault(LookUp::FILE, None, format!("{} is out of order", pair[1].member));
        }
        Some(look_ups)
    }

    /// Profiles of members belong to lists of the run. A run may have none.
    fn members(&mut self, crawls: Option<&[Crawl]>) {
        let file = ListedMember::FILE;
        if self.changed.contains(file) {
            return;
        }
        let batches = match self.run.member_profiles() {
            Ok(batches) => batches,
            Err(e) => return self.fault(file, None, chain(&e)),
        };
        let crawled = crawls.map(|all| all.iter().map(|c| (c.list, c.account)));
        let crawled = crawled.map(HashSet::<_>::from_iter);
        let (mut rows, mut without) = (0, BTreeSet::new());
        for batch in batches {
            let batch = match batch {
                Ok(batch) => batch,
                Err(e) => return self.fault(file, None, chain(&e)),
            };
            rows += batch.len() as u64;
            let lists = batch.iter().map(|m| (m.list, m.account));
            without.extend(lists.filter(|of| crawled.as_ref().is_some_and(|c| !c.contains(of))));
        }
        self.found.rows += rows;
        self.rows_of(file, rows);
        for (list, account) in without {
            let what = format!("members of the {list} list of {account}, which has no crawl");
            self.fault(file, None, what);
        }
    }

    fn lists(&mut self, crawls: Option<&[Crawl]>) {
        let parts = self.run.lists();
        for list in List::ALL {
            let walk = self.list(list);
            self.found.rows += walk.rows;
            let Some(crawls) = crawls else { continue };
            let of_list: Vec<_> = crawls.iter().filter(|c| c.list == list).collect();
            match (parts.contains(&list), of_list.is_empty()) {
                (true, true) => self.fault(list_folder(list), None, "no crawl asked for it"),
                (false, false) => self.fault(list_folder(list), None, "has no part"),
                // Rows that could not be read are not missing from each of their accounts.
                _ if walk.has_gaps => {}
                _ => self.accounts(list, walk.accounts, &of_list),
            }
        }
    }

    /// Compares the rows of each account with its crawl.
    fn accounts(&mut self, list: List, mut accounts: HashMap<i64, Seen>, crawls: &[&Crawl]) {
        let folder = list_folder(list);
        for crawl in crawls {
            let seen = accounts.remove(&crawl.account.get()).unwrap_or_default();
            if let Some(what) = seen.differs(crawl) {
                self.fault(&folder, None, what);
            }
        }
        let mut without: Vec<_> = accounts.into_keys().collect();
        without.sort_unstable();
        for account in without {
            self.fault(&folder, None, format!("rows of {account}, which has no crawl"));
        }
    }

    /// Walks over the rows of all parts of a list.
    fn list(&mut self, list: List) -> Walk {
        let mut walk = Walk::default();
        let prefix = format!("{}/", list_folder(list));
        for entry in self.run.manifest().files.iter().filter(|f| f.path.starts_with(&prefix)) {
            let path = self.run.folder().join(&entry.path);
            let is_changed = self.changed.contains(entry.path.as_str());
            match ListReader::open(std::slice::from_ref(&path)) {
                Ok(part) => {
                    self.part(entry, &part);
                    if is_changed {
                        walk.gap();
                    } else {
                        walk.part(&part, Path::new(&entry.path), &mut self.found.faults);
                    }
                }
                Err(e) => {
                    walk.gap();
                    // Of a changed file it has been said already.
                    if !is_changed {
                        self.fault(&entry.path, None, chain(&e));
                    }
                }
            }
        }
        walk
    }

    /// What the manifest says of a part's rows and row groups.
    fn part(&mut self, entry: &FileEntry, part: &ListReader) {
        if part.rows() != entry.rows {
            let what = format!("{} rows, the manifest says {}", part.rows(), entry.rows);
            self.fault(&entry.path, None, what);
        }
        if part.row_groups() != entry.row_groups.len() {
            let (groups, stated) = (part.row_groups(), entry.row_groups.len());
            let what = format!("{groups} row groups, the manifest has checksums of {stated}");
            return self.fault(&entry.path, None, what);
        }
        for group in part.damaged_groups(&entry.row_groups) {
            self.fault(&entry.path, Some(group), "its CRC-32 is not that of the manifest");
        }
    }
}

/// Every file below a folder; links are not followed.
fn walk(folder: &Path, found: &mut BTreeSet<PathBuf>) -> Result<(), Error> {
    for entry in std::fs::read_dir(folder).at("list", folder)? {
        let entry = entry.at("list", folder)?;
        let path = entry.path();
        if entry.file_type().at("read", &path)?.is_dir() {
            walk(&path, found)?;
        } else {
            found.insert(path);
        }
    }
    Ok(())
}

fn wrong_pages(crawl: &Crawl, pages: &[PageRecord]) -> Option<String> {
    if pages.len() != crawl.pages as usize {
        return Some(format!("{} pages, its crawl says {}", pages.len(), crawl.pages));
    }
    let mut position = 0_u64;
    for (number, page) in (0..).zip(pages) {
        if page.page != number || u64::from(page.first_position) != position {
            return Some(format!("page {} begins at {}", page.page, page.first_position));
        }
        position += u64::from(page.ids);
    }
    if position != crawl.ids + crawl.duplicates {
        return Some(format!(
            "{position} rows in pages, {} in the crawl",
            crawl.ids + crawl.duplicates
        ));
    }
    let ended = pages.last().is_some_and(|p| p.next_cursor.is_none());
    match crawl.state {
        State::Read(Coverage::Complete) if !ended => {
            Some("is said to be complete, but its last page has a next one".into())
        }
        State::Read(Coverage::CutShort { after_page, .. })
            if after_page as usize != pages.len() =>
        {
            Some(format!("is said to be cut short after page {after_page}"))
        }
        _ => None,
    }
}

/// A walk over all rows of a list, part after part.
#[derive(Default)]
struct Walk {
    rows: u64,
    accounts: HashMap<i64, Seen>,
    /// The row before, unless it could not be read.
    last: Option<(i64, i64)>,
    has_gaps: bool,
}

/// What was seen of one account.
#[derive(Clone, Copy, Default)]
struct Seen {
    rows: u64,
    last_position: i32,
    position_sum: i128,
}

impl Walk {
    fn gap(&mut self) {
        self.last = None;
        self.has_gaps = true;
    }

    fn part(&mut self, part: &ListReader, file: &Path, faults: &mut Vec<Fault>) {
        for (group, chunk) in part.all(Columns { accounts: true, positions: true }).enumerate() {
            let mut fault = |what: String| {
                faults.push(Fault { file: file.to_owned(), row_group: Some(group), what });
            };
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(e) => {
                    fault(chain(&e));
                    self.gap();
                    continue;
                }
            };
            self.rows += chunk.members.len() as u64;
            let rows = chunk.accounts.iter().zip(&chunk.members).zip(&chunk.positions);
            let mut first = None;
            for ((account, member), position) in rows {
                let what = self.row(*account, *member, *position);
                first =
                    first.or_else(|| what.map(|what| format!("row ({account}, {member}) {what}")));
            }
            // One message a row group: a shuffled file would have millions.
            if let Some(what) = first {
                fault(what);
            }
        }
    }

    /// Takes the next row; answers what is wrong with it.
    fn row(&mut self, account: i64, member: i64, position: i32) -> Option<&'static str> {
        let seen = self.accounts.entry(account).or_default();
        seen.rows += 1;
        seen.last_position = seen.last_position.max(position);
        seen.position_sum += i128::from(position);
        let key = (account, member);
        match self.last.replace(key) {
            Some(before) if before == key => Some("is there twice"),
            Some(before) if before > key => Some("is out of order"),
            _ if account < 0 || member < 0 || position < 0 => Some("is negative"),
            _ => None,
        }
    }
}

impl Seen {
    /// How it differs from what the account's crawl says.
    fn differs(self, crawl: &Crawl) -> Option<String> {
        let (rows, account) = (self.rows, crawl.account);
        if rows != crawl.ids {
            return Some(format!("{rows} rows of {account}, its crawl says {}", crawl.ids));
        }
        let positions = crawl.ids + crawl.duplicates;
        if rows > 0 && u64::try_from(self.last_position).is_ok_and(|last| last >= positions) {
            let last = self.last_position;
            return Some(format!("position {last} of {account}, which has {positions} rows"));
        }
        // Without repeated members every position is there once. The sum finds one that is
        // changed, and needs no memory; it would not find two that are exchanged.
        let sum = i128::from(rows) * (i128::from(rows) - 1) / 2;
        (crawl.duplicates == 0 && self.position_sum != sum)
            .then(|| format!("the positions of {account} are not 0 to {}", rows.saturating_sub(1)))
    }
}

fn chain(e: &Error) -> String {
    let mut text = e.to_string();
    let mut source = std::error::Error::source(e);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
