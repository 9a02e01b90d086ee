//! What the ids of a list tell of when its members were made, by position.

use std::sync::atomic::{AtomicU32, Ordering};

use snapshot::AccountId;

use super::created::{created_about, created_table};
use super::is_snowflake;
use crate::engine::Engine;
use crate::{Error, Observation, Partition, Question, ask};

/// The fewest members that can be seen to be sorted by id.
const SORTED_FROM: u64 = 8;

/// The share of steps against the order, of ids that do or do not ascend with positions, below
/// which a list counts as sorted. In a list by follow time it is near one half.
const SORTED_SHARE: f64 = 0.01;

/// When the member at a position was made, to four seconds: the last two bits say how it is
/// known ([`SOURCE`]), as part of the id, or interpolated in one lane of the table of known ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told(u32);

/// The bits that say how a time is known: 0 if it is contained, 1 and 2 for the two lanes, 3 if it
/// is not.
const SOURCE: u32 = 3;

impl Told {
    /// No row of the list has this position: it repeated a member.
    const ABSENT: Self = Self(0);

    /// A member whose id tells nothing.
    const NOTHING: Self = Self(SOURCE);

    fn of(id: AccountId) -> Self {
        let told = created_about(id);
        told.map_or(Self::NOTHING, |(time, lane)| Self(time & !SOURCE | lane.map_or(0, |l| l + 1)))
    }

    /// Whether there is no member here.
    pub(super) fn is_absent(self) -> bool {
        self == Self::ABSENT
    }

    /// About when it was made, in seconds; 0 if that is not known.
    pub(super) fn about(self) -> u32 {
        self.0 & !SOURCE
    }

    /// The second before which it was surely not made; 0 if that is not known.
    pub(super) fn after(self) -> u32 {
        match self.0 & SOURCE {
            0 | SOURCE => self.about(),
            lane => created_table(self.about(), lane - 1),
        }
    }

    /// Takes the id for one of a network whose ids tell nothing.
    pub(super) fn forget(&mut self) {
        if !self.is_absent() {
            *self = Self::NOTHING;
        }
    }
}

/// What the ids of a list tell, by position, and what they are like. 4 bytes a member.
pub(super) fn by_position(
    list: &Observation,
    engine: &dyn Engine,
) -> Result<(Vec<Told>, Ids), Error> {
    let crawl = list.crawl();
    let positions = usize::try_from(crawl.ids + crawl.duplicates).unwrap_or(usize::MAX);
    let mut question = ByPosition { told: Vec::new() };
    question.told.resize_with(positions, || AtomicU32::new(Told::ABSENT.0));
    let ids = ask(&question, &[list], engine)?;
    lies_within(ids.outside, positions)?;
    Ok((question.told.into_iter().map(|told| Told(told.into_inner())).collect(), ids))
}

/// Puts what each id tells at its member's position.
struct ByPosition {
    /// [`Told`], each written at most once.
    told: Vec<AtomicU32>,
}

/// What a list's ids are like.
#[derive(Default)]
pub(super) struct Ids {
    pub(super) snowflakes: u64,
    pub(super) steps: Steps,
    /// A position that no row of the crawl can have.
    outside: Option<i32>,
}

/// How often the position of the next id is further down, or further up.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steps {
    down: u64,
    up: u64,
}

impl Steps {
    /// Those of the positions of ascending ids.
    pub(super) fn of(positions: &[i32]) -> Self {
        let down = positions.windows(2).filter(|pair| pair[0] < pair[1]).count();
        let all = positions.len().saturating_sub(1);
        Self { down: down as u64, up: (all - down) as u64 }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.down += other.down;
        self.up += other.up;
    }

    /// Whether positions are the order of ids, one way or the other.
    pub(super) fn are_sorted(self) -> bool {
        let steps = self.down + self.up;
        steps >= SORTED_FROM && (self.down.min(self.up) as f64) < SORTED_SHARE * steps as f64
    }
}

impl Question for ByPosition {
    type Partial = Ids;
    type Answer = Ids;

    fn needs_positions(&self) -> bool {
        true
    }

    fn start(&self) -> Ids {
        Ids::default()
    }

    fn on_partition(&self, part: &Partition<'_>) -> Result<Ids, Error> {
        let list = part.list(0);
        let mut ids = Ids::default();
        for (row, position) in list.positions.iter().enumerate() {
            let id = list.id(row);
            ids.snowflakes += u64::from(is_snowflake(id));
            match usize::try_from(*position).ok().and_then(|at| self.told.get(at)) {
                Some(place) => place.store(Told::of(id).0, Ordering::Relaxed),
                None => ids.outside = Some(*position),
            }
        }
        ids.steps = Steps::of(list.positions);
        Ok(ids)
    }

    fn merge(&self, answer: &mut Ids, part: Ids) {
        answer.snowflakes += part.snowflakes;
        answer.steps.add(part.steps);
        answer.outside = answer.outside.or(part.outside);
    }
}

/// Refuses a list with a position that no row of its crawl can have. That it has as many rows as
/// its crawl saw is to be seen first, for that says more of what is wrong.
pub(super) fn lies_within(outside: Option<i32>, positions: usize) -> Result<(), Error> {
    let Some(position) = outside else { return Ok(()) };
    let message = format!("a list of {positions} rows has a member at position {position}");
    Err(Error::damaged(message))
}
