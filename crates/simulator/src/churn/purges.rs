//! Purges: the network hides many automated accounts at once.
//!
//! Who looks automated has nothing to do with whom it follows or since when, so each purge takes
//! from all lists and all follow dates alike; bought followers, who came together, go together.

use super::Engine;
use crate::taste;
use crate::user::{Ix, Standing};
use crate::world::World;

impl Engine {
    /// Suspends this share of the accounts that look automated, for good.
    pub(super) fn purge(&mut self, world: &mut World, share: f64) {
        for ix in (0..world.len()).map(Ix::new) {
            let is_due = is_bot_like(world, ix)
                && world.user_at(ix).standing == Standing::Active
                && !self.watched.contains(&ix);
            if is_due && self.side_dice.chance(share) {
                world.purge(ix);
            }
        }
    }
}

/// Whether the network takes the account for an automated one.
pub(crate) fn is_bot_like(world: &World, ix: Ix) -> bool {
    world.is_bought(ix) || taste::seems_automated(world.seed(), ix)
}
