//! When things happened, as far as lists, cursors and ids tell.
//!
//! Nothing here is an instant that was seen. A follow, a loss, the opening of an account lies
//! between two moments ([`Between`]); what narrows it is
//!
//! - the windows of the crawls that saw it and that did not,
//! - follow times that a source's cursors reveal at the ends of pages,
//! - the creation times that ids contain ([`created`]): nobody follows before being there,
//! - the list's order: follow times only fall from its newest member on ([`FollowTimes`]), and
//!   members keep their order from one crawl to the next ([`Alignment`]).
//!
//! B. Meeder, B. Karrer, A. Sayedi, R. Ravi, C. Borgs, J. Chayes: We know who you followed last
//! summer: inferring social link creation times in Twitter, WWW 2011.

use std::fmt;

use jiff::Timestamp;

mod align;
mod created;
mod each;
mod fingerprint;
mod follow_times;
mod growth;
mod increasing;
mod told;
mod years;

pub use align::{Alignment, Arrival, DEPENDABLE, Moved, NoOrder};
pub use created::{created, is_snowflake};
pub use each::{Followed, follow_times_each};
pub use fingerprint::{ALPHA, Ages, Block, BlockKind, Cell, Fingerprint, Grid, fingerprint};
pub use follow_times::FollowTimes;
pub use growth::{Grown, Growth, Period, growth};
pub use years::{Years, years};

/// A moment of which only the bounds are known; both may be the moment itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Between {
    /// Not before.
    pub earliest: Timestamp,
    /// Not after.
    pub latest: Timestamp,
}

impl Between {
    /// Whether the moment may be this one.
    pub fn contains(self, moment: Timestamp) -> bool {
        self.earliest <= moment && moment <= self.latest
    }

    /// What both say together; `None` if they contradict each other.
    #[must_use]
    pub fn and(self, other: Self) -> Option<Self> {
        let earliest = self.earliest.max(other.earliest);
        let latest = self.latest.min(other.latest);
        (earliest <= latest).then_some(Self { earliest, latest })
    }
}

impl fmt::Display for Between {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} .. {}", self.earliest, self.latest)
    }
}
