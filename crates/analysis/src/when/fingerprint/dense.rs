//! Follows that are much denser in time than those before and after.
//!
//! Nobody's follow time is known, but members who were new when they followed date the list
//! (the rises of [`FollowTimes`]). They come as time passes: where many follow at once, there
//! are many follows from one of them to the next. A window of 1, 2, 4, … such stretches is
//! compared with the four windows on either side, and at least 32 stretches, as they are
//! denser: if new members were spread evenly among all, their number in the window would be
//! hypergeometric. At an end of the list there is one side only.
//!
//! Few new members may also be a matter of who comes. So the window, and one stretch more on
//! either side, must be as dense in the time between its dates, too.

use std::ops::Range;

use super::chance::ln_hypergeometric;
use super::{ALPHA, BlockKind, Found, Who};
use crate::when::FollowTimes;

/// Windows on either side that it is compared with.
const SIDE: usize = 4;

/// The fewest stretches that make a side.
const SMALLEST_SIDE: usize = 32;

/// The fewest follows that are told of.
const FEWEST: u64 = 16;

/// The least times as dense as around that is told of.
const LIFT: f64 = 4.0;

/// Follows between two dated ones.
struct Stretches {
    /// Where each begins, the newest first, and at last where all end.
    starts: Vec<u32>,
    /// Seconds at each start.
    times: Vec<u32>,
    /// Members at each start and further down.
    members: Vec<u64>,
}

/// A window that is denser than its sides.
struct Hit {
    window: Range<usize>,
    /// Follows in a stretch, around.
    usual: f64,
    ln_chance: f64,
}

pub(super) fn blocks(times: &FollowTimes) -> Vec<Found> {
    let all = Stretches::of(times);
    let sizes = || {
        std::iter::successors(Some(1), |size| Some(size * 2))
            .take_while(|size| *size <= all.len() / 4)
    };
    let windows = |size: usize| {
        let starts = (0..=all.len() - size).step_by(size.div_ceil(2));
        starts.map(move |start| start..start + size)
    };
    let tests = (sizes().map(|size| windows(size).count()).sum::<usize>() as f64).ln();
    let mut hits: Vec<Hit> = sizes()
        .flat_map(windows)
        .filter_map(|window| all.judge(window))
        .map(|hit| Hit { ln_chance: hit.ln_chance + tests, ..hit })
        .filter(|hit| hit.ln_chance < ALPHA.ln())
        .collect();
    hits.sort_by(|a, b| a.ln_chance.total_cmp(&b.ln_chance));
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut blocks = Vec::new();
    for hit in hits {
        let meets = |one: &Range<usize>, other: &Range<usize>| {
            one.start < other.end && other.start < one.end
        };
        if found.iter().any(|one| meets(one, &hit.window)) {
            continue;
        }
        let part = all.densest(&hit);
        let Some(lift) = all.lift(&part).filter(|lift| *lift >= LIFT) else { continue };
        if all.members_of(&part) < FEWEST || found.iter().any(|one| meets(one, &part)) {
            continue;
        }
        blocks.push(Found {
            kind: BlockKind::FollowedDense,
            positions: all.starts[part.start]..all.starts[part.end],
            who: Who::All,
            lift,
            ln_chance: hit.ln_chance,
        });
        found.push(part);
    }
    blocks
}

impl Stretches {
    fn of(times: &FollowTimes) -> Self {
        // A rise is the newest of its stretch's follows: who stands above it followed later. Who
        // stands above all of them followed before the list was read.
        let newest = (times.positions() > 0).then(|| times.between(0).latest.as_second());
        let newest = newest.and_then(|time| u32::try_from(time).ok()).map(|time| (0, time));
        let rises = times.rises().iter().map(|rise| (rise.position, rise.time));
        let (starts, times_at): (Vec<u32>, Vec<u32>) = newest.into_iter().chain(rises).unzip();
        let members = starts.iter().map(|start| times.members_from(*start as usize)).collect();
        Self { starts, times: times_at, members }
    }

    fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    fn members_of(&self, range: &Range<usize>) -> u64 {
        self.members[range.start] - self.members[range.end]
    }

    /// Follows in a second.
    fn rate(&self, range: &Range<usize>) -> f64 {
        let seconds = self.times[range.start].saturating_sub(self.times[range.end]);
        self.members_of(range) as f64 / f64::from(seconds.max(1))
    }

    /// The newer and the older side of a window, where the list has them.
    fn sides(&self, window: &Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let reach = (SIDE * window.len()).max(SMALLEST_SIDE);
        let newer = window.start.saturating_sub(reach)..window.start;
        let older = window.end..self.len().min(window.end + reach);
        [newer, older].into_iter().filter(|side| side.len() >= SMALLEST_SIDE)
    }

    fn judge(&self, window: Range<usize>) -> Option<Hit> {
        let (size, members) = (window.len() as u64, self.members_of(&window));
        if members < FEWEST {
            return None;
        }
        let judged = self.sides(&window).map(|side| {
            let (stretches, around) = (side.len() as u64, self.members_of(&side));
            let all = members + around;
            let others = all.saturating_sub(size + stretches);
            let surprise = ln_hypergeometric(members - size.min(members), members, others, all);
            let usual = around as f64 / stretches as f64;
            Hit { window: window.clone(), usual, ln_chance: surprise }
        });
        let weakest = judged.max_by(|a, b| a.ln_chance.total_cmp(&b.ln_chance))?;
        (members as f64 >= LIFT * weakest.usual * size as f64).then_some(weakest)
    }

    /// The part of a window, and of its next neighbours, in which follows are many from one
    /// new member to the next: the one of the largest sum of log-likelihood ratios of geometric
    /// distributions, by J. Kadane's algorithm.
    fn densest(&self, hit: &Hit) -> Range<usize> {
        let size = hit.window.len();
        let here = self.members_of(&hit.window) as f64 / size as f64;
        let (new, usual) = (1.0 / here.max(2.0), 1.0 / hit.usual.max(1.0 + 1e-9));
        let (dated, other) = ((new / usual).ln(), ((1.0 - new) / (1.0 - usual)).ln());
        let looked = hit.window.start.saturating_sub(size)..self.len().min(hit.window.end + size);
        let mut best = hit.window.clone();
        let (mut most, mut start, mut sum) = (0.0, looked.start, 0.0);
        for at in looked {
            if sum <= 0.0 {
                (start, sum) = (at, 0.0);
            }
            let members = self.members_of(&(at..at + 1));
            sum += dated + members.saturating_sub(1) as f64 * other;
            if sum > most {
                (best, most) = (start..at + 1, sum);
            }
        }
        best
    }

    /// How many times as dense in time a part is as the denser of its sides. A single date may
    /// be off, so one stretch more on either side is a part of the time.
    fn lift(&self, part: &Range<usize>) -> Option<f64> {
        let wide = part.start.saturating_sub(1)..self.len().min(part.end + 1);
        let usual = self.sides(&wide).map(|side| self.rate(&side)).reduce(f64::max)?;
        Some(self.rate(&wide) / usual)
    }
}
