//! The fingerprint of an audience: positions in a list against the creation times of members.
//!
//! An audience that grew by itself mixes accounts of all ages with some that were new when
//! they followed. Stretches that are otherwise stand out, as N. Confessore et al. made visible
//! (The Follower Factory, New York Times, 27 January 2018): many accounts made within a short
//! time, accounts in the order of their making, follows much denser in time than around.
//!
//! What is told is a fact of arithmetic, by name: [`BlockKind::CreatedClose`],
//! [`BlockKind::CreatedInOrder`], [`BlockKind::FollowedDense`]. What it is due to is not known: a network
//! that arrives in a new country, a television show and a purchase may look alike. Nobody is
//! called anything.
//!
//! Each kind compares a stretch with its own neighbourhood in the list, not with an idea of how
//! accounts are distributed, and is told only where chance makes it less often than once in a
//! thousand lists ([`ALPHA`]), all comparisons counted together (Bonferroni). False alarms and
//! misses were measured: `crates/analysis/TIME.md`.

use std::ops::Range;

use jiff::Timestamp;
use rayon::prelude::*;
use snapshot::{AccountId, List};

use super::told::Told;
use super::{Between, FollowTimes, NoOrder};
use crate::engine::Engine;
use crate::{Error, Observation, Side};

mod chance;
mod close;
mod dense;
mod ordered;
mod plot;

pub use plot::{Ages, Cell, Grid};

/// How often one kind of block is told of a list in which there is only chance.
pub const ALPHA: f64 = 0.001;

/// What is unusual about a stretch of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum BlockKind {
    /// Many accounts made within a short time, more than around it, by date and by age.
    CreatedClose,
    /// Accounts in the order in which they were made, or the opposite one.
    CreatedInOrder,
    /// Follows denser in time than before and after.
    FollowedDense,
}

impl BlockKind {
    /// The name used in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CreatedClose => "created_close",
            Self::CreatedInOrder => "created_in_order",
            Self::FollowedDense => "followed_dense",
        }
    }
}

/// A stretch of a list that is unlike its neighbourhood.
#[derive(Clone, Debug)]
pub struct Block {
    /// What is unusual.
    pub kind: BlockKind,
    /// From the newest to the oldest of its members; others may stand among them.
    pub positions: Range<u32>,
    /// How many members it has.
    pub members: u64,
    /// Between which moments they were made, about; `None` if their ids do not tell.
    pub created: Option<Between>,
    /// Between which moments they followed.
    pub followed: Between,
    /// Between which moments they followed by estimate.
    pub estimated: Between,
    /// How many times as many as around: accounts of that time among members, or follows in the
    /// same time; for an order, how many times as long as chance makes it.
    pub lift: f64,
    /// The decimal logarithm of how many such blocks chance would make in the whole list.
    pub log10_chance: f64,
    who: Who,
}

/// Which of the members within a block's positions are its own.
#[derive(Clone, Debug)]
enum Who {
    All,
    /// Those made within these seconds.
    Created(Range<u32>),
    /// Those at these positions, ascending.
    At(Vec<u32>),
}

/// The fingerprint of one list.
#[derive(Clone, Debug)]
pub struct Fingerprint {
    /// Whose list.
    pub account: AccountId,
    /// Which list.
    pub list: List,
    /// The crawl that saw it.
    pub side: Side,
    /// Members whose ids tell when they were made; the others are in nothing but the list.
    pub dated: u64,
    /// Members by position and creation time.
    pub grid: Grid,
    /// Members by the age of their accounts when the list was read.
    pub ages: Ages,
    /// What stands out, the newest first.
    pub blocks: Vec<Block>,
    times: FollowTimes,
    told: Vec<Told>,
}

/// Takes the fingerprint of a list; or says why its order does not tell.
///
/// O(members · log members) time, in parallel, and about 30 bytes a member.
///
/// # Errors
/// If the list cannot be read.
pub fn fingerprint(
    list: &Observation,
    engine: &dyn Engine,
) -> Result<Result<Fingerprint, NoOrder>, Error> {
    let (times, told) = match FollowTimes::with_ids(list, engine)? {
        Ok((times, _)) if !times.ids_tell() => return Ok(Err(NoOrder::NoTimes)),
        Ok(read) => read,
        Err(why) => return Ok(Err(why)),
    };
    let rows = Rows::of(&told, &times);
    let mut blocks = close::blocks(&rows);
    blocks.extend(ordered::blocks(&rows));
    blocks.extend(dense::blocks(&times));
    let mut blocks: Vec<Block> =
        blocks.into_iter().map(|found| found.block(&times, &told)).collect();
    blocks.sort_by_key(|block| (block.positions.start, block.positions.end, block.kind));
    Ok(Ok(Fingerprint {
        account: list.account(),
        list: list.list(),
        side: list.side(),
        dated: rows.positions.len() as u64,
        grid: Grid::of(&rows, list.crawl().finished_at),
        ages: Ages::of(&rows, list.crawl().finished_at),
        blocks,
        times,
        told,
    }))
}

impl Fingerprint {
    /// The follow times that blocks were found with.
    pub fn times(&self) -> &FollowTimes {
        &self.times
    }

    /// Whether the member at a position is one of a block.
    pub fn is_in(&self, block: &Block, position: u32) -> bool {
        block.positions.contains(&position)
            && self.told.get(position as usize).is_some_and(|told| block.who.has(position, *told))
    }
}

impl Who {
    fn has(&self, position: u32, told: Told) -> bool {
        match self {
            Self::All => !told.is_absent(),
            Self::Created(within) => within.contains(&told.about()),
            Self::At(positions) => positions.binary_search(&position).is_ok(),
        }
    }
}

/// The members whose creation is known, newest follow first; 12 bytes each.
struct Rows {
    positions: Vec<u32>,
    /// Seconds.
    created: Vec<u32>,
    /// The age of the account at its follow, by estimate, in seconds.
    age: Vec<u32>,
}

impl Rows {
    fn of(told: &[Told], times: &FollowTimes) -> Self {
        let known = (0..).zip(told).filter(|(_, told)| told.about() > 0);
        let (positions, created): (Vec<u32>, Vec<u32>) =
            known.map(|(position, told)| (position, told.about())).unzip();
        let age = positions.par_iter().zip(&created).map(|(position, created)| {
            let followed = times.estimate(*position).as_second();
            u32::try_from(followed - i64::from(*created)).unwrap_or(0)
        });
        let age = age.collect();
        Self { positions, created, age }
    }

    fn len(&self) -> usize {
        self.positions.len()
    }
}

/// A block as it was found.
struct Found {
    kind: BlockKind,
    positions: Range<u32>,
    who: Who,
    lift: f64,
    ln_chance: f64,
}

impl Found {
    fn block(self, times: &FollowTimes, told: &[Told]) -> Block {
        let mut positions = self.positions.clone();
        let mut own = positions.clone().filter(|at| self.who.has(*at, told[*at as usize]));
        let (mut members, mut first, mut last) = (0, u32::MAX, 0);
        let mut created: Option<(u32, u32)> = None;
        for at in own.by_ref() {
            members += 1;
            first = first.min(at);
            last = at;
            let about = told[at as usize].about();
            if about > 0 {
                let (low, high) = created.unwrap_or((about, about));
                created = Some((low.min(about), high.max(about)));
            }
        }
        if members > 0 {
            positions = first..last + 1;
        }
        let (newest, oldest) = (positions.start, positions.end - 1);
        let moment = |second: u32| Timestamp::from_second(second.into()).unwrap_or_default();
        let created =
            created.map(|(low, high)| Between { earliest: moment(low), latest: moment(high) });
        Block {
            kind: self.kind,
            members,
            created,
            followed: Between {
                earliest: times.between(oldest).earliest,
                latest: times.between(newest).latest,
            },
            estimated: Between { earliest: times.estimate(oldest), latest: times.estimate(newest) },
            lift: self.lift,
            log10_chance: self.ln_chance / std::f64::consts::LN_10,
            positions,
            who: self.who,
        }
    }
}
