//! What a person sees while a batch or an import runs: a moving line on a terminal, else a
//! line at each turn of events. Standard error only.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use ingest::{Event, Progress};
use snapshot::{AccountId, Coverage, Crawl, State};

use crate::output::{self, counted, grouped};

/// Shows the work on standard error.
pub(crate) struct Shown {
    /// On a terminal only.
    bar: Option<ProgressBar>,
    quiet: bool,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    lists: usize,
    finished: usize,
    /// Rows of finished lists.
    rows: u64,
    /// Rows so far of each list in progress.
    reading: Vec<((AccountId, snapshot::List), u64)>,
    /// Millionths of a dollar.
    spent: i64,
    waiting: Option<String>,
    /// How many were looked up, and of how many, where that is all there is to do.
    looked_up: Option<(usize, usize)>,
}

impl Shown {
    pub(crate) fn new(quiet: bool) -> Self {
        let bar = (!quiet && output::is_lively()).then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { bar, quiet, counts: Mutex::default() }
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(output::printable(text)),
            None if self.quiet => {}
            None => output::remark(output::printable(text)),
        }
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut counts);
        if let Some(bar) = &self.bar {
            bar.set_message(counts.line());
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Counts {
    fn line(&self) -> String {
        let rows = self.rows + self.reading.iter().map(|(_, rows)| rows).sum::<u64>();
        let (finished, lists) = (self.finished, self.lists);
        let waiting = self.waiting.as_deref().unwrap_or_default();
        let spent = match self.spent {
            0 => String::new(),
            spent => format!(", {}", output::dollars(spent)),
        };
        if let Some((done, of)) = self.looked_up {
            let (done, of) = (grouped(done as u64), grouped(of as u64));
            return format!("{done} of {of} accounts looked up{spent}{waiting}");
        }
        format!("{finished} of {lists} lists read, {} ids{spent}{waiting}", grouped(rows))
    }
}

impl Progress for Shown {
    fn event(&self, event: &Event<'_>) {
        match *event {
            Event::Resolved { lists, .. } => self.count(|c| c.lists = lists),
            Event::Page { account, list, ids_so_far, spent, .. } => self.count(|c| {
                c.waiting = None;
                c.spent = spent;
                let of = (account, list);
                match c.reading.iter_mut().find(|(reading, _)| *reading == of) {
                    Some((_, rows)) => *rows = ids_so_far,
                    None => c.reading.push((of, ids_so_far)),
                }
            }),
            Event::Checked { done, of, spent } => self.count(|c| {
                c.waiting = None;
                c.spent = spent;
                c.looked_up = Some((done, of));
            }),
            Event::Waiting { endpoint, credential, until, now } => {
                let left = HumanDuration(until.duration_since(now).unsigned_abs());
                let clock = until.strftime("%H:%M:%S");
                if self.bar.is_none() {
                    let whose = credential.map_or(String::new(), |c| format!(" for {c}"));
                    self.say(&format!(
                        "rate window of {endpoint}{whose} used up, waiting until {clock} UTC ({left})"
                    ));
                }
                self.count(|c| c.waiting = Some(format!(" · window used up until {clock} UTC")));
            }
            Event::Retry { endpoint, attempt, delay, why } => {
                let (attempt, seconds) = (attempt + 1, delay.as_secs_f64());
                self.say(&format!("{endpoint}: {why}; attempt {attempt} in {seconds:.1} s"));
            }
            Event::CrawlFinished { crawl, username, .. } => {
                self.count(|c| {
                    c.finished += 1;
                    c.rows += crawl.ids;
                    c.reading.retain(|(of, _)| *of != (crawl.account, crawl.list));
                });
                if let Some(text) = remarkable(crawl, username) {
                    self.say(&text);
                }
            }
            Event::Resumed { finished, unfinished, ids, torn } => {
                let torn = match torn {
                    0 => String::new(),
                    torn => format!("; a crash had torn its last page ({torn} bytes dropped)"),
                };
                self.say(&format!(
                    "going on where it was left: {} done, {} in progress, {} kept{torn}",
                    counted(finished as u64, "list"),
                    unfinished,
                    counted(ids, "id"),
                ));
            }
            Event::StartedAnew { account, list, why } => {
                self.say(&format!("{list} of {account} is begun anew: {why}"));
            }
            Event::CredentialRetired { credential, detail } => {
                self.say(&format!("{credential} is not used any more: {detail}"));
            }
            Event::Importing { input, rows } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(format!("{input}: {} rows", grouped(rows)));
                }
            }
            _ => {}
        }
    }
}

/// A list that did not simply go well.
fn remarkable(crawl: &Crawl, username: Option<&str>) -> Option<String> {
    let name = username.map_or_else(|| crawl.account.to_string(), |name| format!("@{name}"));
    match crawl.state {
        State::Read(Coverage::Complete | Coverage::Head) => None,
        state => Some(format!("{} of {name}: {state}", crawl.list)),
    }
}
