//! The sections of a report, one file each: data, where they come from, and how they are told.

mod about;
mod ages;
mod came;
mod changes;
mod flows;
mod losses;
mod mutuals;
mod network;
mod overlap;
mod timeline;

pub(crate) use about::About;
pub(crate) use ages::Ages;
pub(crate) use came::Came;
pub(crate) use changes::Changes;
pub(crate) use flows::Flows;
pub(crate) use losses::Fates;
pub(crate) use mutuals::MutualFollows;
pub(crate) use network::Network;
pub(crate) use overlap::Audiences;
pub(crate) use timeline::Timeline;

/// Accounts up to which each has a chart of its own.
const CHARTED: usize = 24;

/// `part / whole`; nothing where there is nothing to take a share of.
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
