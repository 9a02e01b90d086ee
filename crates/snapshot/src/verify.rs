//! Checks a run against its manifest and against itself.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

use crate::error::{Error, relative};
use crate::fs::checksum;
use crate::parts::Columns;
use crate::{Coverage, Crawl, FileEntry, List, ListReader, Run, State};

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
    /// Checks everything: checksums, order, repeated rows, counts, coverage. Reads every
    /// byte of the run once for the checksums and once for the rows, in constant memory.
    pub fn verify(&self) -> Verification {
        let mut check = Check { run: self, found: Verification::default() };
        check.checksums();
        match self.crawls() {
            Ok(crawls) => {
                check.totals(&crawls);
                check.pages(&crawls);
                for list in self.lists() {
                    check.list(list, &crawls);
                }
            }
            Err(e) => check.fault("crawls.parquet", None, chain(&e)),
        }
        if let Err(e) = self.profiles() {
            check.fault("accounts.parquet", None, chain(&e));
        }
        check.found
    }
}

struct Check<'a> {
    run: &'a Run,
    found: Verification,
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
                        self.row_groups(entry);
                    }
                }
            }
        }
    }

    /// Which row groups of a damaged part are to blame; none if it is the footer.
    fn row_groups(&mut self, entry: &FileEntry) {
        let path = self.run.folder().join(&entry.path);
        let Ok(part) = ListReader::open(std::slice::from_ref(&path)) else { return };
        for group in part.damaged_groups(&path, &entry.row_groups) {
            self.fault(&entry.path, Some(group), "its bytes have changed");
        }
    }

    fn totals(&mut self, crawls: &[Crawl]) {
        let manifest = self.run.manifest();
        let rows: u64 = crawls.iter().map(|c| c.ids).sum();
        let complete = crawls.iter().filter(|c| c.state.is_complete()).count() as u64;
        for (what, counted, stated) in [
            ("crawls", crawls.len() as u64, manifest.crawls),
            ("complete crawls", complete, manifest.complete),
            ("rows", rows, manifest.rows),
        ] {
            if counted != stated {
                self.fault("manifest.json", None, format!("{stated} {what}, counted {counted}"));
            }
        }
        for pair in crawls.windows(2) {
            if (pair[0].list, pair[0].account) >= (pair[1].list, pair[1].account) {
                self.fault("crawls.parquet", None, format!("{} is out of order", pair[1].account));
            }
        }
        for crawl in crawls {
            if crawl.state.coverage().is_none() && crawl.ids > 0 {
                let what = format!("{} is {} and yet has ids", crawl.account, crawl.state);
                self.fault("crawls.parquet", None, what);
            }
        }
    }

    /// The pages of a crawl follow one another without a gap, hold its rows, and end where
    /// its coverage says.
    fn pages(&mut self, crawls: &[Crawl]) {
        let pages = match self.run.pages() {
            Ok(pages) => pages,
            Err(e) => return self.fault("pages.parquet", None, chain(&e)),
        };
        let mut rest = pages.as_slice();
        for crawl in crawls {
            let mine =
                rest.iter().take_while(|p| (p.list, p.account) == (crawl.list, crawl.account));
            let (mine, after) = rest.split_at(mine.count());
            rest = after;
            if mine.is_empty() {
                if crawl.pages > 0 && !pages.is_empty() {
                    let what = format!("no page of the {} list of {}", crawl.list, crawl.account);
                    self.fault("pages.parquet", None, what);
                }
                continue;
            }
            if let Some(what) = wrong_pages(crawl, mine) {
                let what = format!("the {} list of {}: {what}", crawl.list, crawl.account);
                self.fault("pages.parquet", None, what);
            }
        }
        if let Some(page) = rest.first() {
            self.fault(
                "pages.parquet",
                None,
                format!("a page of {}, which has no crawl", page.account),
            );
        }
    }

    fn list(&mut self, list: List, crawls: &[Crawl]) {
        let file = PathBuf::from(format!("list={list}"));
        let reader = match self.run.list(list) {
            Ok(reader) => reader,
            Err(e) => return self.fault(file, None, chain(&e)),
        };
        let (rows, faults) = check_rows(&reader, self.run, &mut self.found.faults);
        self.found.rows += rows;
        let expected = crawls.iter().filter(|c| c.list == list);
        let mut counted = faults;
        for crawl in expected {
            let rows = counted.remove(&crawl.account.get()).unwrap_or(0);
            if rows != crawl.ids {
                let what =
                    format!("{} rows of {}, its crawl says {}", rows, crawl.account, crawl.ids);
                self.fault(&file, None, what);
            }
        }
        let mut strays: Vec<_> = counted.into_keys().collect();
        strays.sort_unstable();
        for account in strays {
            self.fault(&file, None, format!("rows of {account}, which has no crawl"));
        }
    }
}

fn wrong_pages(crawl: &Crawl, pages: &[crate::PageRecord]) -> Option<String> {
    let mut position = 0;
    for (number, page) in (0..).zip(pages) {
        if page.page != number || page.first_position != position {
            return Some(format!("page {} begins at {}", page.page, page.first_position));
        }
        position += page.ids;
    }
    if u64::from(position) != crawl.ids + crawl.duplicates {
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

/// Walks all rows; answers how many there are, and how many of each account.
fn check_rows(reader: &ListReader, run: &Run, faults: &mut Vec<Fault>) -> (u64, HashMap<i64, u64>) {
    let mut counts = HashMap::new();
    let (mut rows, mut last) = (0, None);
    let columns = Columns { accounts: true, positions: true };
    for (number, chunk) in reader.all(columns).enumerate() {
        let (path, group) = reader.place(number);
        let file = relative(run.folder(), path);
        let mut fault = |what: String| {
            faults.push(Fault { file: file.clone(), row_group: Some(group), what });
        };
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(e) => {
                fault(chain(&e));
                last = None;
                continue;
            }
        };
        rows += chunk.members.len() as u64;
        let mut first = None;
        for ((account, member), position) in
            chunk.accounts.iter().zip(&chunk.members).zip(&chunk.positions)
        {
            *counts.entry(*account).or_insert(0) += 1;
            let key = (*account, *member);
            let what = match last {
                Some(before) if before == key => Some("is there twice"),
                Some(before) if before > key => Some("is out of order"),
                _ if *account < 0 || *member < 0 || *position < 0 => Some("is negative"),
                _ => None,
            };
            first = first.or_else(|| what.map(|what| format!("row ({account}, {member}) {what}")));
            last = Some(key);
        }
        // One message a row group: a shuffled file would have millions.
        if let Some(what) = first {
            fault(what);
        }
    }
    (rows, counts)
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
