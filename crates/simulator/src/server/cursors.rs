//! Which cursors were given out for which list.
//!
//! The server answers a cursor of another list as the real one does, with the rows its time
//! leads to and no complaint; a client that sends one is broken all the same, and only this
//! memory can tell.

use std::collections::{HashSet, VecDeque};

use crate::cursor::Position;
use crate::dice::mix;
use crate::world::List;

/// Cursors remembered, 24 bytes each; the oldest are forgotten first and count as foreign.
const REMEMBERED_MAX: usize = 1 << 20;

/// The page that was asked for and the cursors that its answer gave out.
#[derive(Debug)]
pub(super) struct PageFacts {
    pub(super) account: i64,
    pub(super) list: List,
    pub(super) asked: Position,
    pub(super) given: [Option<Position>; 2],
}

#[derive(Debug, Default)]
pub(super) struct Minted {
    hashes: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Minted {
    /// Whether the page was asked for with a cursor of another list; remembers those given.
    pub(super) fn note(&mut self, page: &PageFacts) -> bool {
        let foreign = match page.asked {
            // Both mean the same in every list: its beginning, its end.
            Position::Newest | Position::Before(0) => false,
            asked => !self.hashes.contains(&hash(page, asked)),
        };
        for position in page.given.iter().flatten() {
            let hash = hash(page, *position);
            if self.hashes.insert(hash) {
                self.order.push_back(hash);
            }
        }
        while self.order.len() > REMEMBERED_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.hashes.remove(&oldest);
            }
        }
        foreign
    }
}

fn hash(page: &PageFacts, position: Position) -> u64 {
    let list = match page.list {
        List::Followers => 1,
        List::Following => 2,
    };
    let bits = |number: i64| u64::from_ne_bytes(number.to_ne_bytes());
    mix(mix(bits(page.account), list), bits(position.to_number()))
}
