//! How a list grew: what came and went from one crawl, day or week to the next.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use snapshot::{AccountId, HistoryCrawl, List, RunId};

/// What a row of a series is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// One crawl.
    Run,
    /// The crawls that ended on one day, UTC.
    Day,
    /// The crawls that ended in one week from Monday to Sunday, UTC.
    Week,
}

impl Period {
    /// When the period began in which a crawl lies that ended at a moment.
    fn start(self, finished_at: Timestamp) -> Timestamp {
        let date = TimeZone::UTC.to_datetime(finished_at).date();
        let first = match self {
            Self::Run => return finished_at,
            Self::Day => date,
            Self::Week => {
                let back = i64::from(date.weekday().since(Weekday::Monday));
                date.checked_sub(back.days()).unwrap_or(date)
            }
        };
        TimeZone::UTC.to_timestamp(first.into()).unwrap_or(finished_at)
    }
}

/// How a list grew in one period.
///
/// Who counts as being in it, and what the counts add up to, stands at [`HistoryCrawl`]. Counts of
/// several crawls are sums: who came and went again within a period is in both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    /// Whose list.
    pub account: AccountId,
    /// Which list.
    pub list: List,
    /// When the period began; of one crawl, when that ended.
    pub period: Timestamp,
    /// How many crawls lie in it.
    pub crawls: u32,
    /// How many of them read the whole list.
    pub complete: u32,
    /// The run of the last of them.
    pub run: RunId,
    /// When the first of them began.
    pub started_at: Timestamp,
    /// When the last of them ended.
    pub finished_at: Timestamp,
    /// Members before the first of them.
    pub opening: u64,
    /// Members seen where no crawl had looked: neither gained nor there before, as far as is known.
    pub found: u64,
    /// New members.
    pub new: u64,
    /// Members of old that followed anew after an absence.
    pub refollowed: u64,
    /// Members that had been hidden.
    pub reappeared: u64,
    /// Members of old that are back, for whatever reason.
    pub returned: u64,
    /// Members that are gone.
    pub lost: u64,
    /// Members that left and followed anew between two crawls that saw them.
    pub moved: u64,
    /// Members after the last of them.
    pub closing: u64,
    /// Of these, members that the last of them did not see, as it did not look there.
    pub unseen: u64,
}

impl Growth {
    fn of(crawl: &HistoryCrawl, period: Timestamp) -> Self {
        Self {
            account: crawl.account,
            list: crawl.list,
            period,
            crawls: 1,
            complete: u32::from(crawl.state.is_complete()),
            run: crawl.run,
            started_at: crawl.started_at,
            finished_at: crawl.finished_at,
            opening: crawl.opening,
            found: crawl.found,
            new: crawl.new,
            refollowed: crawl.refollowed,
            reappeared: crawl.reappeared,
            returned: crawl.returned,
            lost: crawl.lost,
            moved: crawl.moved,
            closing: crawl.closing,
            unseen: crawl.unseen(),
        }
    }

    fn add(&mut self, next: &Self) {
        self.crawls += 1;
        self.complete += next.complete;
        self.run = next.run;
        self.finished_at = next.finished_at;
        self.found += next.found;
        self.new += next.new;
        self.refollowed += next.refollowed;
        self.reappeared += next.reappeared;
        self.returned += next.returned;
        self.lost += next.lost;
        self.moved += next.moved;
        self.closing = next.closing;
        self.unseen = next.unseen;
    }

    /// Members that came to be in the list.
    pub const fn gained(&self) -> u64 {
        self.new + self.refollowed + self.reappeared + self.returned
    }

    /// Gained less lost.
    pub const fn net(&self) -> i64 {
        self.gained().cast_signed() - self.lost.cast_signed()
    }

    /// What the list grew by, as a share of its members before: net / opening. `None` if there
    /// were none.
    pub fn growth(&self) -> Option<f64> {
        (self.opening > 0).then(|| self.net() as f64 / self.opening as f64)
    }

    /// What it lost, as a share of its members before: lost / opening. `None` if there were none.
    pub fn churn(&self) -> Option<f64> {
        (self.opening > 0).then(|| self.lost as f64 / self.opening as f64)
    }
}

/// How one list grew, period by period, from its crawls in the history; periods without crawls
/// have no row.
pub fn series(crawls: &[HistoryCrawl], by: Period) -> Vec<Growth> {
    let mut rows: Vec<Growth> = Vec::new();
    for crawl in crawls {
        let next = Growth::of(crawl, by.start(crawl.finished_at));
        match rows.last_mut() {
            Some(last) if by != Period::Run && last.period == next.period => last.add(&next),
            _ => rows.push(next),
        }
    }
    rows
}
