//! A page of a list, for both APIs: cut from the world, and made odd if it is to be odd.

use super::call::Call;
use super::cursors::PageFacts;
use super::faults::Fault;
use crate::cursor::{Position, TIE_BITS};
use crate::rows::Cut;
use crate::user::Ix;
use crate::world::{List, World};

/// The page at the position, with the oddity that the call is to meet.
pub(super) fn cut(
    world: &World,
    call: &Call,
    of: Ix,
    list: List,
    at: Position,
    count: usize,
) -> Cut {
    let count = match call.oddity {
        Some(Fault::ShortPage { rows }) => count.min(rows.max(1)),
        _ => count,
    };
    let page = world.page(of, list, at, count);
    match call.oddity {
        Some(Fault::EmptyPage) => emptied(world, of, list, at).unwrap_or(page),
        Some(Fault::DuplicateAtBoundary) => one_row_early(at, page),
        Some(Fault::CursorRepeats) => Cut { next: Some(at), ..page },
        _ => page,
    }
}

/// What is to be remembered of a page.
pub(super) fn facts(world: &World, of: Ix, list: List, asked: Position, page: &Cut) -> PageFacts {
    let account = world.user_at(of).id;
    PageFacts { account, list, asked, given: [page.next, page.previous] }
}

/// A page without rows whose cursor leads to those that should have been on it.
///
/// Half-way between the cursor that was sent and the first row: cursors fall strictly, as real
/// ones do, and there is room for several such pages in a row.
fn emptied(world: &World, of: Ix, list: List, at: Position) -> Option<Cut> {
    let first = world.rows(of, list).cut(at, 1).rows.first()?.key;
    let above = match at {
        Position::Newest => first + (1 << TIE_BITS),
        Position::Before(key) => key,
        Position::From(_) => return None,
    };
    let between = first + (above - first) / 2;
    let next = Some(Position::Before(between)).filter(|_| between > first);
    next.map(|_| Cut { rows: Vec::new(), next, previous: None })
}

/// The same page, whose next one begins with its last row.
fn one_row_early(at: Position, page: Cut) -> Cut {
    let Some(last) = page.rows.last().filter(|_| page.next.is_some()) else { return page };
    let next = Position::Before(last.key + 1);
    // A page of one row would lead to itself.
    if next == at || page.rows.len() < 2 { page } else { Cut { next: Some(next), ..page } }
}
