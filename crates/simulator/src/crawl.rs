//! A list as a crawl reads it, page by page while the world moves, without HTTP.
//!
//! Gives what a server with the same
//! [`page_step`](crate::ServerConfig::page_step) serves, for tests that need hundreds of crawls
//! and no requests. Does not ask whether the account may be seen.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::later;
use crate::cursor::Position;
use crate::world::{List, World};

/// One page of a list, and when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListPage {
    /// The world's time at which the page was cut.
    pub read_at: Timestamp,
    /// The members, newest first. Rows of hidden accounts count as rows but do not show, so there
    /// may be fewer than asked for, or none.
    pub ids: Vec<i64>,
    /// The number behind the cursor of the next older page, none on the last one.
    ///
    /// It is the key of the oldest row cut, shown or hidden: shifted right by 20 bits, the time
    /// in Unix milliseconds at which that row's edge was made.
    pub next: Option<i64>,
}

/// Reading lists in pages.
impl World {
    /// The page of the list at the position, as it stands now.
    ///
    /// A crawl that stops early goes on with [`Position::from_number`] of the last page's
    /// [`next`](ListPage::next).
    ///
    /// # Panics
    ///
    /// If the world has no such account, or a page is to have no rows.
    pub fn list_page(&self, account: i64, list: List, at: Position, page_size: usize) -> ListPage {
        assert!(page_size > 0, "a page has at least one row");
        let cut = self.page(self.expect(account), list, at, page_size);
        ListPage {
            read_at: self.now(),
            ids: cut.rows.iter().map(|row| self.user_at(row.member).id).collect(),
            next: cut.next.map(Position::to_number),
        }
    }

    /// Reads the whole list, newest page first, and lets `step` pass after every page, the last
    /// included, with all that happens by itself until then.
    ///
    /// The API serves at most 5000 rows (v1.1) or 1000 (v2) a page; here a page may be of any
    /// size. O(list + what happens).
    ///
    /// # Panics
    ///
    /// As [`list_page`](Self::list_page).
    pub fn crawl(
        &mut self,
        account: i64,
        list: List,
        page_size: usize,
        step: Duration,
    ) -> Vec<ListPage> {
        let mut pages = Vec::new();
        let mut at = Some(Position::Newest);
        while let Some(position) = at {
            let page = self.list_page(account, list, position, page_size);
            at = page.next.map(Position::from_number);
            pages.push(page);
            self.advance_to(later(self.now(), step));
        }
        pages
    }
}
