//! What changed in a list between two crawls.
//!
//! Over sets it is `after − before` and `before − after`. Over crawls it is not, because a
//! member may be missing from a crawl that did not look far enough. Absence is evidence only
//! where the crawl looked (the private module `sight` has the rule), and the rest is reported
//! as undecided rather than guessed:
//!
//! - **gained**: in the later crawl, and absent where the earlier one looked: a follow that
//!   did not exist when the earlier crawl looked, and so began after the earlier crawl began;
//! - **lost**: in the earlier crawl, and absent where the later one looked: gone before the
//!   later crawl ended. Lost means gone from the list: unfollowed, suspended and deactivated
//!   look the same from here;
//! - **unknown**: in one of them, and outside what the other covered;
//! - **unchanged**: in both, which needs no coverage at all.
//!
//! A crawl takes time, and reads its newest page first. Who follows while the earlier crawl is
//! already past that page is in the list but not in the crawl, and counts as gained. So a change
//! lies between the beginning of the earlier crawl and the end of the later one.
//!
//! Where both crawls are in the order of follow times, [`Alignment`] says more: which of the
//! gained are new and which had been hidden and returned, who of both crawls left and followed
//! anew, and closer bounds of when. Where they are not, a diff is one of sets, and says why.
//!
//! O(before + after) time: one pass over both lists, and up to four more for the order.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rayon::prelude::*;
use snapshot::{AccountId, List, Run, RunId};

use crate::engine::Engine;
use crate::question::{Alone, Slice, each, meet_in_stretches};
use crate::sight::seen_by;
use crate::when::{Alignment, Arrival, Between, Moved, NoOrder};
use crate::{Accounts, Error, Observation, Partition, Question, RunObservations, Side, ask};

/// What changed in one list of one account. Every vector is ascending by member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    /// What was compared.
    pub of: Compared,
    /// Follows that began after the earlier crawl began, maybe while it ran, with their
    /// position in the later one.
    pub gained: Vec<Change>,
    /// Members who left before the later crawl ended, maybe while it ran, with their position
    /// in the earlier one.
    pub lost: Vec<Change>,
    /// Members of both crawls who left between them and followed anew, as far as order tells.
    pub moved: Vec<Moved>,
    /// Members of one crawl outside what the other covered.
    pub unknown: Vec<Undecided>,
    /// How many members are in both, those who moved included.
    pub unchanged: u64,
}

/// A member that came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// Who.
    pub member: AccountId,
    /// Its index in the order the API returned, in the crawl that has it; 0 = newest. None if
    /// the list came from a file that does not tell.
    pub position: Option<u32>,
    /// How it came to be there, if it was gained and the order of both crawls tells.
    pub arrival: Option<Arrival>,
    /// Between which moments it came, became visible again, or left; for a member that is
    /// undecided, the window of both crawls. Of files that tell no times, the Unix epoch.
    pub between: Between,
}

impl Change {
    /// A member of a file, which tells no more than ids.
    pub(crate) const fn of_file(member: AccountId) -> Self {
        let never = Timestamp::UNIX_EPOCH;
        let between = Between { earliest: never, latest: never };
        Self { member, position: None, arrival: None, between }
    }
}

/// A member of one crawl of which the other says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Undecided {
    /// In the earlier crawl; the later one did not look there.
    InBefore(Change),
    /// In the later crawl; the earlier one did not look there.
    InAfter(Change),
}

impl Undecided {
    /// Who, and where in the crawl that has it.
    pub const fn change(self) -> Change {
        match self {
            Self::InBefore(change) | Self::InAfter(change) => change,
        }
    }
}

impl Diff {
    /// Whether nobody came, nobody went, and nobody is undecided.
    pub fn is_empty(&self) -> bool {
        self.gained.is_empty() && self.lost.is_empty() && self.unknown.is_empty()
    }

    /// Whether somebody surely came or went.
    pub fn has_changes(&self) -> bool {
        !self.gained.is_empty() || !self.lost.is_empty()
    }

    /// Members of the earlier crawl.
    pub fn opening(&self) -> u64 {
        self.of.before.members
    }

    /// Members of the later crawl.
    pub fn closing(&self) -> u64 {
        self.of.after.members
    }

    /// How many of the gained had followed before, and had been hidden; `None` if the order
    /// of the crawls does not tell.
    pub fn returned(&self) -> Option<u64> {
        self.of.order.ok()?;
        let returned = self.gained.iter().filter(|c| c.arrival == Some(Arrival::Returned));
        Some(returned.count() as u64)
    }
}

/// The changes in one range of ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiffPart {
    /// As in [`Diff`].
    pub gained: Vec<Change>,
    /// As in [`Diff`].
    pub lost: Vec<Change>,
    /// As in [`Diff`].
    pub moved: Vec<Moved>,
    /// As in [`Diff`].
    pub unknown: Vec<Undecided>,
    /// As in [`Diff`].
    pub unchanged: u64,
}

impl DiffPart {
    /// Adds what changed in the next range of ids.
    fn extend(&mut self, next: Self) {
        self.gained.extend(next.gained);
        self.lost.extend(next.lost);
        self.moved.extend(next.moved);
        self.unknown.extend(next.unknown);
        self.unchanged += next.unchanged;
    }
}

/// Compares two crawls of one list.
///
/// Same as `after − before` and `before − after` over sets, where both crawls looked.
/// O(before + after) time; O(changes) memory besides the engine's, and about 20 bytes a member
/// where order is looked at.
///
/// # Errors
/// If the two are not of the same list of the same account, or one cannot be read or has other
/// than the rows its crawl saw.
pub fn diff(before: &Observation, after: &Observation, engine: &dyn Engine) -> Result<Diff, Error> {
    let question = Compare::new(before, after, engine)?;
    Ok(question.of.with(ask(&question, &[before, after], engine)?))
}

/// Compares two crawls of one list and hands over the changes range by range, in ascending
/// order of ids: for answers that do not fit in memory. That the lists were whole is known at
/// the end, as [`each`](crate::each) says.
///
/// # Errors
/// If the two are not of the same list of the same account, one cannot be read, or `take`
/// fails.
pub fn diff_each(
    before: &Observation,
    after: &Observation,
    engine: &dyn Engine,
    mut take: impl FnMut(&Compared, DiffPart) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    let question = Compare::new(before, after, engine)?;
    take(&question.of, DiffPart::default())?;
    each(&question, &[before, after], engine, |part| take(&question.of, part))
}

/// The question behind [`diff`], of the lists `[before, after]`.
struct Compare {
    of: Compared,
    order: Option<Alignment>,
    /// How many leading positions of `after` lie where `before` looked.
    seen_before: u64,
    /// How many leading positions of `before` lie where `after` looked.
    seen_after: u64,
}

impl Compare {
    fn new(before: &Observation, after: &Observation, engine: &dyn Engine) -> Result<Self, Error> {
        if (before.account(), before.list()) != (after.account(), after.list()) {
            return Err(Error::invalid(format!(
                "the {} list of {} and the {} list of {} are not two crawls of one list",
                before.list(),
                before.account(),
                after.list(),
                after.account()
            )));
        }
        let aligned = Alignment::of(before, after, engine)?;
        let (account, list) = (after.account(), after.list());
        let order = aligned.as_ref().map_or_else(|why| Err(*why), |_| Ok(()));
        Ok(Self {
            of: Compared { account, list, before: before.side(), after: after.side(), order },
            order: aligned.ok(),
            seen_before: seen_by(before, after),
            seen_after: seen_by(after, before),
        })
    }

    /// The window in which all changes lie.
    fn window(&self) -> Between {
        let (earliest, latest) = (self.of.before.started_at, self.of.after.finished_at);
        Between { earliest, latest }
    }

    fn gained(&self, change: Change) -> Change {
        let Some((order, position)) = self.order.as_ref().zip(change.position) else {
            return change;
        };
        let arrival = Some(order.arrival(position));
        Change { arrival, between: order.gained(position), ..change }
    }

    fn lost(&self, change: Change) -> Change {
        let Some((order, position)) = self.order.as_ref().zip(change.position) else {
            return change;
        };
        Change { between: order.lost(position), ..change }
    }

    /// Who of the members in a strip moved.
    fn moved(&self, members: &[i64]) -> &[Moved] {
        let (Some(order), Some(first), Some(last)) = (&self.order, members.first(), members.last())
        else {
            return &[];
        };
        let from = order.moved.partition_point(|moved| moved.member.get() < *first);
        let until = order.moved.partition_point(|moved| moved.member.get() <= *last);
        &order.moved[from..until]
    }
}

impl Question for Compare {
    type Partial = DiffPart;
    type Answer = DiffPart;

    fn needs_positions(&self) -> bool {
        true
    }

    fn start(&self) -> DiffPart {
        DiffPart::default()
    }

    fn on_partition(&self, part: &Partition<'_>) -> Result<DiffPart, Error> {
        let (before, after) = (part.list(0), part.list(1));
        let mut found = DiffPart::default();
        let DiffPart { gained, lost, moved, unknown, unchanged } = &mut found;
        let window = self.window();
        let alone = |met| match met {
            Alone::Left(row) => match change(before, row, window) {
                gone if lies_within(gone, self.seen_after) => lost.push(self.lost(gone)),
                unseen => unknown.push(Undecided::InBefore(unseen)),
            },
            Alone::Right(row) => match change(after, row, window) {
                new if lies_within(new, self.seen_before) => gained.push(self.gained(new)),
                unseen => unknown.push(Undecided::InAfter(unseen)),
            },
        };
        meet_in_stretches(before.members, after.members, |equal| *unchanged += equal, alone);
        moved.extend_from_slice(self.moved(after.members));
        // They wait for those before them, a few thousand strips at a time.
        gained.shrink_to_fit();
        lost.shrink_to_fit();
        unknown.shrink_to_fit();
        Ok(found)
    }

    fn merge(&self, answer: &mut DiffPart, part: DiffPart) {
        answer.extend(part);
    }
}

fn change(list: Slice<'_>, row: usize, window: Between) -> Change {
    let position = list.positions.get(row).map(|position| position.cast_unsigned());
    Change { member: list.id(row), position, arrival: None, between: window }
}

/// Whether it is among so many leading positions; one without a position is if all are.
fn lies_within(change: Change, leading: u64) -> bool {
    change.position.map_or(leading == u64::MAX, |position| u64::from(position) < leading)
}

/// Two crawls of one list that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Whose list.
    pub account: AccountId,
    /// Which list.
    pub list: List,
    /// The earlier crawl.
    pub before: Side,
    /// The later crawl.
    pub after: Side,
    /// Whether the order of both tells times, or why not.
    pub order: Result<(), NoOrder>,
}

impl Compared {
    fn with(self, part: DiffPart) -> Diff {
        let DiffPart { gained, lost, moved, unknown, unchanged } = part;
        Diff { of: self, gained, lost, moved, unknown, unchanged }
    }
}

/// What changed between two runs, in one list of every account asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDiff {
    /// Which list.
    pub list: List,
    /// The earlier run.
    pub before: RunId,
    /// The later run.
    pub after: RunId,
    /// One diff per account that both runs asked for, by account.
    pub diffs: Vec<Diff>,
    /// Accounts only the earlier run asked for. Nothing is known of their changes.
    pub only_before: Vec<AccountId>,
    /// Accounts only the later run asked for. Nothing is known of their changes.
    pub only_after: Vec<AccountId>,
}

/// Compares one list of many accounts between two runs, in parallel over accounts and
/// over each account's ids.
///
/// An account that only one run asked for is named as such; its members are neither gains
/// nor losses.
///
/// # Errors
/// If neither run asked for one of the accounts, or a run cannot be read.
pub fn diff_runs(
    before: &Run,
    after: &Run,
    list: List,
    accounts: &Accounts,
    engine: &dyn Engine,
) -> Result<RunDiff, Error> {
    let mut parts: Vec<(Compared, DiffPart)> = Vec::new();
    let apart = diff_runs_each(before, after, list, accounts, engine, |of, part| {
        match parts.last_mut() {
            Some((last, all)) if last.account == of.account => all.extend(part),
            _ => parts.push((*of, part)),
        }
        Ok(())
    })?;
    let diffs = parts.into_iter().map(|(of, part)| of.with(part)).collect();
    let (only_before, only_after) = (apart.only_before, apart.only_after);
    let (before, after) = (before.id(), after.id());
    Ok(RunDiff { list, before, after, diffs, only_before, only_after })
}

/// Accounts that two runs do not have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apart {
    /// Accounts only the earlier run asked for. Nothing is known of their changes.
    pub only_before: Vec<AccountId>,
    /// Accounts only the later run asked for. Nothing is known of their changes.
    pub only_after: Vec<AccountId>,
}

/// Compares two runs as [`diff_runs`], and hands over what changed piece by piece, by account
/// and in ascending order of ids: for answers that do not fit in memory. Every list that is
/// compared has at least one piece. Answers which accounts were not compared.
///
/// Short lists share row groups, and are read in one sweep over the run if that is less to
/// read than each on its own. That the lists were whole is known at the end, as
/// [`each`](crate::each) says.
///
/// # Errors
/// As [`diff_runs`], or if `take` fails.
pub fn diff_runs_each(
    before: &Run,
    after: &Run,
    list: List,
    accounts: &Accounts,
    engine: &dyn Engine,
    mut take: impl FnMut(&Compared, DiffPart) -> Result<(), Error> + Send,
) -> Result<Apart, Error> {
    let (earlier, later) = (RunObservations::open(before)?, RunObservations::open(after)?);
    let (in_before, in_after) = (chosen(&earlier, list, accounts), chosen(&later, list, accounts));
    if let Accounts::Only(asked) = accounts
        && let Some(neither) =
            asked.iter().find(|a| !in_before.contains(a) && !in_after.contains(a))
    {
        let (b, a) = (before.id(), after.id());
        let message = format!("neither run {b} nor run {a} has the {list} list of {neither}");
        return Err(Error::not_found(message)
            .with_hint("`followgraph runs --accounts` lists the accounts of a run"));
    }
    let both: Vec<_> = in_before.intersection(&in_after).copied().collect();
    let (mut lists_before, mut lists_after) =
        (earlier.lists(list, &both), later.lists(list, &both));
    for batch in both.chunks(BATCH) {
        let pairs: Vec<_> =
            lists_before.take(batch)?.into_iter().zip(lists_after.take(batch)?).collect();
        // Short lists side by side, long ones by themselves and piece by piece.
        for some in pairs.chunk_by(|a, b| is_short(a) && is_short(b)) {
            if let [(before, after)] = some {
                diff_each(before, after, engine, &mut take)?;
                continue;
            }
            let found = some.par_iter().with_max_len(1).map(|(b, a)| {
                let question = Compare::new(b, a, engine)?;
                Ok((question.of, ask(&question, &[b, a], engine)?))
            });
            for (of, part) in found.collect::<Result<Vec<_>, Error>>()? {
                take(&of, part)?;
            }
        }
    }
    Ok(Apart {
        only_before: in_before.difference(&in_after).copied().collect(),
        only_after: in_after.difference(&in_before).copied().collect(),
    })
}

/// Accounts whose lists are in memory at a time.
const BATCH: usize = 256;

/// Rows of a list up to which what changed in it may be kept whole.
const SHORT_ROWS: u64 = 1 << 17;

fn is_short((before, after): &(Observation, Observation)) -> bool {
    before.len() <= SHORT_ROWS && after.len() <= SHORT_ROWS
}

fn chosen(run: &RunObservations, list: List, accounts: &Accounts) -> BTreeSet<AccountId> {
    let mut in_run: BTreeSet<_> = run.accounts(list).into_iter().collect();
    if let Accounts::Only(asked) = accounts {
        let asked: BTreeSet<_> = asked.iter().collect();
        in_run.retain(|account| asked.contains(account));
    }
    in_run
}
