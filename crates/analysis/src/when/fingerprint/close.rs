//! Accounts made within a short time that follow one after another.
//!
//! A window of the list is compared with the eight windows of its size on either side, each side
//! by itself, and as it differs less: what begins and does not end is no block. In it,
//! the shortest times within which an eighth, a quarter, a half and seven eighths of its
//! accounts were made are looked at; if creation times were exchangeable between window and
//! neighbourhood, the number of accounts within a stretch of time would be hypergeometric.
//! There are at most (all accounts of both)²/2 such stretches, and every one of them is counted
//! as a comparison of its own, so that choosing the shortest is paid for.
//!
//! New accounts follow soon after they were made, and so, in any list, stand together with
//! others made at about the same time. That is explained by their age. A block is therefore
//! told only if the *ages* at which its members followed are as unusual as their creation
//! times, by the same comparison.
//!
//! As networks grow older, so do the ages at which accounts follow, slowly. So a block must be
//! narrow, too: within its window, accounts are made more densely in it than in the five times
//! as long times just before and just after, as far as there are such. If they were spread
//! evenly over all three, the number in it would be binomial. And it must have been made before
//! the window's follows began, for the most part: who is made meanwhile is new as others are.
//!
//! Windows are all pieces of 16, 32, 64, … up to a quarter of the list; their order is made by
//! merging halves, so that all take O(n log n).

use std::ops::Range;

use rayon::prelude::*;

use super::chance::{ln_binomial, ln_hypergeometric};
use super::{ALPHA, BlockKind, Found, Rows, Who};

/// The smallest window.
const SMALLEST: usize = 16;

/// Windows on either side that make its neighbourhood.
const SIDE: usize = 8;

/// Times as long as a block's, before and after it, in which fewer accounts were made.
const BESIDE: u32 = 5;

/// The fewest accounts that are told of.
const FEWEST: usize = 8;

/// The least times as many as around, in the list and in time, that are told of.
const LIFT: f64 = 4.0;

/// The fewest accounts by which a time is made longer.
const FEWEST_MORE: usize = 3;

/// How often a time is made longer by half of it, at most.
const REACH: usize = 8;

/// A window in which accounts were made close together.
struct Hit {
    window: Range<usize>,
    created: (u32, u32),
    ln_chance: f64,
}

pub(super) fn blocks(rows: &Rows) -> Vec<Found> {
    let sizes = || {
        std::iter::successors(Some(SMALLEST), |size| Some(size * 2))
            .take_while(|size| *size <= rows.len() / 4)
    };
    let windows: usize = sizes().map(|size| rows.len() / size).sum();
    let (mut created, mut age) = (rows.created.clone(), rows.age.clone());
    let oldest = created.iter().copied().min().unwrap_or(0);
    let mut hits = Vec::new();
    for size in sizes() {
        // Each piece consists of two that are in order, which a stable sort merges.
        created.par_chunks_mut(size).for_each(<[u32]>::sort);
        age.par_chunks_mut(size).for_each(<[u32]>::sort);
        let level = Level { rows, size, created: &created, age: &age, windows, oldest };
        let found = (0..rows.len() / size).into_par_iter().filter_map(|window| level.hit(window));
        hits.extend(found.collect::<Vec<_>>());
    }
    hits.sort_by(|a, b| a.ln_chance.total_cmp(&b.ln_chance));
    let mut found: Vec<(Range<usize>, (u32, u32))> = Vec::new();
    let mut blocks = Vec::new();
    for hit in hits {
        let meets = |(range, created): &(Range<usize>, (u32, u32))| {
            range.start < hit.window.end
                && hit.window.start < range.end
                && created.0 <= hit.created.1
                && hit.created.0 <= created.1
        };
        if found.iter().any(meets) {
            continue;
        }
        let Some((range, created, lift)) = whole(rows, &hit) else { continue };
        found.push((range.clone(), created));
        blocks.push(Found {
            kind: BlockKind::CreatedClose,
            positions: rows.positions[range.start]..rows.positions[range.end - 1] + 1,
            who: Who::Created(created.0..created.1 + 1),
            lift,
            ln_chance: hit.ln_chance,
        });
    }
    blocks
}

/// All windows of one size.
struct Level<'a> {
    rows: &'a Rows,
    size: usize,
    /// In order within each window.
    created: &'a [u32],
    age: &'a [u32],
    /// Windows of all sizes.
    windows: usize,
    /// When the first account of the list was made.
    oldest: u32,
}

impl Level<'_> {
    fn hit(&self, window: usize) -> Option<Hit> {
        let size = self.size;
        let of = |window: usize| window * size..(window + 1) * size;
        let whole = self.rows.len() / size;
        let sides = [window.saturating_sub(SIDE)..window, window + 1..whole.min(window + SIDE + 1)];
        let tests = (self.windows as f64).ln() + 2.0 * ((SIDE + 1) as f64 * size as f64).ln();
        // What chance makes of so many in the window and so many around it; none if too few.
        let judge = |inside: usize, sorted: &[u32], (low, high): (u32, u32)| {
            let mut worst = f64::NEG_INFINITY;
            for side in sides.iter().filter(|side| !side.is_empty()) {
                let others = side.len() * size;
                let outside: usize =
                    side.clone().map(|other| within(&sorted[of(other)], low, high)).sum();
                if lift(inside, size, outside, others) < LIFT {
                    return None;
                }
                let (marked, all) = ((inside + outside) as u64, (size + others) as u64);
                worst = worst.max(ln_hypergeometric(inside as u64, size as u64, marked, all));
            }
            Some(worst + tests).filter(|chance| *chance < ALPHA.ln())
        };
        let sorted = &self.created[of(window)];
        let mut best: Option<Hit> = None;
        for inside in [size / 8, size / 4, size / 2, size - size / 8] {
            if inside < FEWEST {
                continue;
            }
            let created = shortest(sorted, inside);
            let inside = within(sorted, created.0, created.1);
            let Some(by_date) = judge(inside, self.created, created) else { continue };
            let Some(by_width) = self.narrow(sorted, created, inside) else { continue };
            let by_width = by_width + tests;
            // Made while those of the window followed: new as they came.
            let came = i64::from(created.0) + i64::from(created.1) > 2 * self.began(&of(window));
            if by_width >= ALPHA.ln() || came {
                continue;
            }
            let ages = self.ages(of(window), created);
            let same_age = within(&self.age[of(window)], ages.0, ages.1);
            let Some(by_age) = judge(same_age, self.age, ages) else { continue };
            let ln_chance = by_date.max(by_age).max(by_width);
            if best.as_ref().is_none_or(|best| ln_chance < best.ln_chance) {
                best = Some(Hit { window: of(window), created, ln_chance });
            }
        }
        best
    }

    /// What chance makes of so many accounts made within some time and so few just before and
    /// after; none if those are not few.
    fn narrow(&self, sorted: &[u32], created: (u32, u32), inside: usize) -> Option<f64> {
        let width = created.1 - created.0 + 1;
        let beside = width.saturating_mul(BESIDE);
        // Nobody was made before the network, nor later than following.
        let low = created.0.saturating_sub(beside).max(self.oldest);
        let high = created.1.saturating_add(beside).min(sorted[sorted.len() - 1]);
        let around = u64::from(high - low) + 1 - u64::from(width);
        if around < u64::from(width) * u64::from(BESIDE - 1) {
            return None;
        }
        let all = within(sorted, low, high);
        let density = (all - inside + 1) as f64 / around as f64;
        let share = f64::from(width) / (around + u64::from(width)) as f64;
        let is_dense = inside as f64 / f64::from(width) >= LIFT * density;
        is_dense.then(|| ln_binomial(inside as u64, all as u64, share))
    }

    /// About when the oldest of a window followed, in seconds.
    fn began(&self, window: &Range<usize>) -> i64 {
        let oldest = window.end - 1;
        i64::from(self.rows.created[oldest]) + i64::from(self.rows.age[oldest])
    }

    /// The ages at which the accounts of a window followed that were made within some time.
    fn ages(&self, window: Range<usize>, created: (u32, u32)) -> (u32, u32) {
        let of = self.rows.created[window.clone()].iter().zip(&self.rows.age[window]);
        let ages = of.filter(|(c, _)| (created.0..=created.1).contains(*c)).map(|(_, age)| *age);
        ages.fold((u32::MAX, 0), |(low, high), age| (low.min(age), high.max(age)))
    }
}

/// The shortest time that holds so many of some sorted ones.
fn shortest(sorted: &[u32], count: usize) -> (u32, u32) {
    let spans = sorted.windows(count).map(|span| (span[0], span[count - 1]));
    spans.min_by_key(|(low, high)| high - low).unwrap_or((0, 0))
}

/// How many of some sorted ones lie between two, both included.
fn within(sorted: &[u32], low: u32, high: u32) -> usize {
    let from = sorted.partition_point(|value| *value < low);
    let until = sorted.partition_point(|value| *value <= high);
    until.saturating_sub(from)
}

/// How many times as large a share is inside as outside, where one more is added.
fn lift(inside: usize, all_inside: usize, outside: usize, all_outside: usize) -> f64 {
    (inside as f64 / all_inside as f64) / ((outside + 1) as f64 / (all_outside + 1) as f64)
}

/// The whole stretch that a window is a part of: where it begins and ends, when its accounts
/// were made, and how many times as many they are as around it.
fn whole(rows: &Rows, hit: &Hit) -> Option<(Range<usize>, (u32, u32), f64)> {
    let created = widened(&rows.created[hit.window.clone()], hit.created);
    let range = extent(rows, &hit.window, created);
    let is_in = |at: &usize| (created.0..=created.1).contains(&rows.created[*at]);
    let (first, last) = (range.clone().find(is_in)?, range.clone().rfind(is_in)?);
    let range = first..last + 1;
    let own = || range.clone().filter(is_in);
    let members = own().count();
    let (low, high) = own().fold((u32::MAX, 0), |(low, high), at| {
        (low.min(rows.created[at]), high.max(rows.created[at]))
    });
    let around = around(rows, &range);
    let outside = around.iter().cloned().flatten().filter(is_in).count();
    let others = around.iter().map(ExactSizeIterator::len).sum();
    let lift = lift(members, range.len(), outside, others);
    (members >= FEWEST && lift >= LIFT).then_some((range, (low, high), lift))
}

/// As many on either side of a range as four of it.
fn around(rows: &Rows, range: &Range<usize>) -> [Range<usize>; 2] {
    let reach = SIDE * range.len();
    let until = rows.len().min(range.end.saturating_add(reach));
    [range.start.saturating_sub(reach)..range.start, range.end..until]
}

/// The stretch around a window in which accounts made within some time are most: the one of
/// the largest sum of log-likelihood ratios, by J. Kadane's algorithm, looked for further away
/// as long as it touches the end of what was looked at.
fn extent(rows: &Rows, window: &Range<usize>, created: (u32, u32)) -> Range<usize> {
    let is_in = |at: &usize| (created.0..=created.1).contains(&rows.created[*at]);
    let around = around(rows, window);
    let outside = around.iter().cloned().flatten().filter(is_in).count();
    let others: usize = around.iter().map(ExactSizeIterator::len).sum();
    let usual = (outside + 1) as f64 / (others + 2) as f64;
    let inside = window.clone().filter(is_in).count() as f64 / window.len() as f64;
    let here = inside.clamp((2.0 * usual).min(0.95), 0.95);
    let (usual, here) = (usual.min(0.5 * here), here);
    let (one, none) = ((here / usual).ln(), ((1.0 - here) / (1.0 - usual)).ln());
    let mut reach = window.len();
    loop {
        let looked = window.start.saturating_sub(reach)..rows.len().min(window.end + reach);
        let (mut best, mut most) = (window.clone(), 0.0);
        let (mut start, mut sum) = (looked.start, 0.0);
        for at in looked.clone() {
            if sum <= 0.0 {
                (start, sum) = (at, 0.0);
            }
            sum += if is_in(&at) { one } else { none };
            if sum > most {
                (best, most) = (start..at + 1, sum);
            }
        }
        let touches = (best.start == looked.start && looked.start > 0)
            || (best.end == looked.end && looked.end < rows.len());
        if !touches {
            return best;
        }
        reach *= 2;
    }
}

/// The whole time in which accounts of a window were made so densely, of which a part is known:
/// longer by half of it, before and after, as long as they are a quarter as dense there.
fn widened(window: &[u32], core: (u32, u32)) -> (u32, u32) {
    let among = |low: u32, high: u32| window.iter().filter(|c| (low..high).contains(*c)).count();
    let density = |count: usize, width: u32| count as f64 / f64::from(width.max(1));
    let usual = density(among(core.0, core.1 + 1), core.1 - core.0 + 1);
    let is_more = |low: u32, high: u32| {
        let some = among(low, high);
        some >= FEWEST_MORE && density(some, high - low) >= usual / LIFT
    };
    let (mut low, mut high) = core;
    for _ in 0..REACH {
        let half = ((high - low) / 2).max(1);
        let (lower, higher) = (low.saturating_sub(half), high.saturating_add(half));
        let before = is_more(lower, low);
        let after = is_more(high + 1, higher);
        if !before && !after {
            break;
        }
        low = if before { lower } else { low };
        high = if after { higher } else { high };
    }
    // What is left at the ends, in a time too short to tell, belongs to it.
    let half = ((high - low) / 8).max(1);
    (low.saturating_sub(half), high.saturating_add(half))
}
