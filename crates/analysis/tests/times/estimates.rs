//! How far bounds and estimates of follow times are from the truth.

use jiff::Timestamp;

use crate::audience::{Audience, Seen};
use crate::page;

/// Errors of every member of many audiences, in days, by estimator.
#[derive(Default)]
struct Errors {
    members: u64,
    covered: u64,
    bound: Vec<f64>,
    rank: Vec<f64>,
    table: Vec<f64>,
    ours: Vec<f64>,
}

impl Errors {
    fn add(&mut self, audience: &Audience, seen: Seen, since: f64) {
        let times = audience.times(seen);
        let truths: Vec<Timestamp> = audience.rows.iter().map(|(_, at)| *at).collect();
        let all = u32::try_from(truths.len()).unwrap();
        let between: Vec<_> = (0..all).map(|position| times.between(position)).collect();
        let low: Vec<f64> = between.iter().map(|b| days(b.earliest)).collect();
        let high: Vec<f64> = between.iter().map(|b| days(b.latest)).collect();
        let by_rank = by_rank(&low, &high, days(audience.at));
        let by_table = between_rises(&low, &high);
        for (p, estimate) in times.estimates().enumerate() {
            let truth = days(truths[p]);
            if truth < since {
                continue;
            }
            self.members += 1;
            self.covered += u64::from(between[p].contains(truths[p]));
            self.bound.push((truth - low[p]).abs());
            self.rank.push((truth - by_rank[p]).abs());
            self.table.push((truth - by_table[p]).abs());
            self.ours.push((truth - days(estimate)).abs());
        }
    }

    fn row(mut self, followers: usize, seeds: u64, seen: Seen) -> String {
        let cursors = match seen {
            Seen::Import => "none".to_owned(),
            Seen::Pages(size) => format!("every {size}"),
        };
        let covered = 100.0 * self.covered as f64 / self.members as f64;
        let covered = format!("{covered:.2} %");
        let mut cells = vec![followers.to_string(), seeds.to_string(), cursors, covered];
        for errors in [&mut self.bound, &mut self.rank, &mut self.table, &mut self.ours] {
            errors.sort_by(f64::total_cmp);
            cells.push(figure(errors[errors.len() / 2]));
            cells.push(figure(errors[errors.len() * 9 / 10]));
        }
        format!("| {} |", cells.join(" | "))
    }
}

fn days(time: Timestamp) -> f64 {
    time.as_millisecond() as f64 / 86_400_000.0
}

/// Three digits that count.
fn figure(days: f64) -> String {
    let places = if days >= 100.0 {
        0
    } else if days >= 10.0 {
        1
    } else if days >= 1.0 {
        2
    } else {
        3
    };
    format!("{days:.places$}")
}

/// Between the ends of each page, or of the list, by position alone.
fn by_rank(low: &[f64], high: &[f64], now: f64) -> Vec<f64> {
    let mut times = vec![0.0; low.len()];
    let mut start = 0;
    while start < low.len() {
        let end =
            start + high[start..].iter().take_while(|h| h.total_cmp(&high[start]).is_eq()).count();
        // The end of a page is the latest time of the next; the list's, its account's opening.
        let older = high.get(end).copied().unwrap_or(low[low.len() - 1]);
        let newer = high[start].min(now);
        for (at, time) in times[start..end].iter_mut().enumerate() {
            *time = newer - (newer - older) * (at + 1) as f64 / (end - start) as f64;
        }
        start = end;
    }
    times
}

/// Between rises of the bound, evenly.
fn between_rises(low: &[f64], high: &[f64]) -> Vec<f64> {
    let mut times = vec![0.0; low.len()];
    let (mut start, mut newer) = (0, high.first().copied().unwrap_or(0.0));
    while start < low.len() {
        let older = low[start];
        let length = low[start..].iter().take_while(|l| l.total_cmp(&older).is_eq()).count();
        for at in start..start + length {
            let share = (start + length - 1 - at) as f64 / length as f64;
            times[at] = (older + (newer - older) * share).clamp(low[at], high[at]);
        }
        (start, newer) = (start + length, older);
    }
    times
}

/// When ids became snowflakes, in days: from then on, no table is asked.
const SNOWFLAKES_SINCE: f64 = 16_801.0;

fn check(sizes: &[(usize, u64)]) {
    let (mut all, mut recent) = (Vec::new(), Vec::new());
    for (followers, seeds) in sizes {
        let audience = |seed| Audience::new(seed, *followers);
        let audiences: Vec<Audience> = (0..*seeds).map(audience).collect();
        for seen in [Seen::Import, Seen::Pages(5000), Seen::Pages(1000)] {
            if let Seen::Pages(size) = seen
                && size > *followers
            {
                continue;
            }
            for (rows, since) in [(&mut all, 0.0), (&mut recent, SNOWFLAKES_SINCE)] {
                let mut errors = Errors::default();
                for audience in &audiences {
                    errors.add(audience, seen, since);
                }
                rows.push(errors.row(*followers, *seeds, seen));
            }
        }
    }
    page::check("Errors of follow times", &all);
    page::check("Errors since 2016", &recent);
}

#[test]
fn the_figures_of_follow_times_are_those_of_the_page() {
    check(&[(100, 200), (1_000, 100), (10_000, 100), (100_000, 10)]);
}

#[test]
fn bounds_and_estimates_fall_and_hold_the_truth() {
    for seed in 0..100 {
        let audience = Audience::new(seed, 700);
        for seen in [Seen::Import, Seen::Pages(500), Seen::Pages(90)] {
            let times = audience.times(seen);
            assert_eq!(times.contradicting(), 0);
            let estimates: Vec<Timestamp> = times.estimates().collect();
            assert!(estimates.is_sorted_by(|newer, older| newer >= older));
            let mut last = times.between(0);
            for (position, (_, truth)) in (0..).zip(&audience.rows) {
                let between = times.between(position);
                assert!(between.contains(*truth), "seed {seed}, {seen:?}, {position}");
                assert!(between.contains(estimates[position as usize]));
                assert!(between.earliest <= last.earliest && between.latest <= last.latest);
                last = between;
            }
        }
    }
}
