//! The members of a list with their follow times, piece by piece.

use jiff::Timestamp;
use snapshot::AccountId;

use super::told::lies_within;
use super::{Between, FollowTimes, created};
use crate::engine::Engine;
use crate::{Error, Observation, Partition, Question, each};

/// When one member of a list followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Followed {
    /// Who.
    pub member: AccountId,
    /// The index in the order of the crawl, 0 = newest.
    pub position: u32,
    /// Between which moments it followed.
    pub between: Between,
    /// About when.
    pub estimate: Timestamp,
    /// Between which moments its account was made, if its id tells.
    pub created: Option<Between>,
}

/// Hands over when each member of a list followed, by ascending member, without keeping it.
///
/// O(members · log rises) time, in parallel; memory is that of the follow times and of the
/// pieces in flight. `only` tells which positions are wanted.
///
/// # Errors
/// If the list cannot be read, or `take` fails.
pub fn follow_times_each(
    list: &Observation,
    times: &FollowTimes,
    engine: &dyn Engine,
    only: impl Fn(u32) -> bool + Sync,
    mut take: impl FnMut(Vec<Followed>) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    let question = Members { times, only };
    each(&question, &[list], engine, |piece| if piece.is_empty() { Ok(()) } else { take(piece) })
}

struct Members<'a, F> {
    times: &'a FollowTimes,
    only: F,
}

impl<F: Fn(u32) -> bool + Sync> Question for Members<'_, F> {
    type Partial = Vec<Followed>;
    type Answer = ();

    fn needs_positions(&self) -> bool {
        true
    }

    fn start(&self) {}

    fn on_partition(&self, part: &Partition<'_>) -> Result<Vec<Followed>, Error> {
        let list = part.list(0);
        let rows = list.positions.iter().enumerate();
        let rows = rows.map(|(row, position)| (row, position.cast_unsigned()));
        let wanted = rows.filter(|(_, position)| (self.only)(*position));
        let followed = wanted.map(|(row, position)| {
            let positions = self.times.positions();
            let outside = (position as usize >= positions).then(|| position.cast_signed());
            lies_within(outside, positions)?;
            let member = list.id(row);
            Ok(Followed {
                member,
                position,
                between: self.times.between(position),
                estimate: self.times.estimate(position),
                created: created(member).filter(|_| self.times.ids_tell()),
            })
        });
        followed.collect()
    }

    fn merge(&self, (): &mut (), _: Vec<Followed>) {}
}
