//! What a store with many runs knows of its lists as one thing: who was there from when until
//! when, what any two moments differ by, how a list grew.
//!
//! The store keeps a table of *spells* ([`snapshot::Spell`]): stretches of crawls that saw a
//! member. It is brought up to date run by run ([`update`]), and then every question costs one
//! reading of the table, however many runs there are ([`between()`], [`events_each`], [`series()`]).
//!
//! What it claims rests on the rule of the private module `sight`: a spell ends only where a
//! crawl proves that the member is gone, and begins as a gain only where a crawl proves that it
//! was not there before. A crawl that read the whole list proves it for everybody. One that read
//! its newest part proves it for members of whom a cursor tells that they followed within that
//! part; of the others it says nothing, and they stay what they were.
//!
//! Whoever is not seen where nobody looked is therefore still counted. And whoever leaves and
//! returns between two crawls is seen in both: that is a change only where the order of the list
//! tells ([`Alignment`](crate::when::Alignment)), and then as `moved`.

mod between;
mod events;
mod evidence;
mod explain;
mod fold;
mod series;
mod spikes;
mod stays;
mod update;
mod walk;

#[cfg(test)]
mod tests;

pub use between::{Changed, Differences, between};
pub use events::{Event, EventKind, events_each};
pub(crate) use events::{gained, left};
pub use explain::{Explained, Explanation, Observed, Sight, explain};
pub use series::{Growth, Period, series};
pub use spikes::{Spike, spikes};
pub use stays::{ShortStay, retention, short_stays, stays_each};
pub use update::{Updated, update};
pub(crate) use walk::each_member;
