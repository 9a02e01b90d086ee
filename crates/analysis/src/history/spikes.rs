//! Steps at which a list lost far more than usual, and whether that looks like the network's own
//! doing or like the audience's.
//!
//! A network that removes accounts removes them from everybody's lists at once, and regardless of
//! when they followed; an audience that turns away does so in one list, and mostly those leave
//! who came lately or for one reason. So three things are told of a step, and none of them is
//! called a cause:
//!
//! - that it is a *spike*: the list lost at least ten members, and more than is usual by six
//!   robust standard deviations. Usual is the median of the losses per member and day of up to
//!   thirty steps before it, five at least; the deviation is 1.4826 times the median of the
//!   distances from it (Hampel, The Influence Curve and Its Role in Robust Estimation, JASA 69,
//!   1974), and no less than the square root of what is expected, which chance alone makes of
//!   independent losses;
//! - whether the lost were *spread* evenly over the list, whose order is that of follow times: a
//!   test of their positions against the uniform distribution (Kolmogorov, Smirnov; the
//!   approximation of its tail is of Stephens, Use of the Kolmogorov-Smirnov, Cramér-von Mises and
//!   related statistics without extensive tables, JRSS B 32, 1970);
//! - how many other lists of the same run have a spike, too.
//!
//! Only crawls that read the whole list count, before and after.

use std::collections::{BTreeMap, HashMap};

use snapshot::{AccountId, History, HistoryCrawl, List, RunId};

use super::walk::each_member;
use crate::Error;
use crate::when::DEPENDABLE;

/// The fewest members that make a spike.
const LEAST: u64 = 10;

/// The fewest and the most earlier steps that say what is usual.
const STEPS: std::ops::RangeInclusive<usize> = 5..=30;

/// Robust standard deviations above what is usual.
const DEVIATIONS: f64 = 6.0;

/// What 1.4826 times the median distance is for a normal distribution: its standard deviation.
const MAD_TO_SIGMA: f64 = 1.4826;

/// The chance below which lost members are not called evenly spread.
const UNEVEN: f64 = 0.01;

/// A step at which a list lost far more than usual.
#[derive(Clone, Debug, PartialEq)]
pub struct Spike {
    /// Whose list.
    pub account: AccountId,
    /// Which list.
    pub list: List,
    /// The number of the crawl that shows it.
    pub crawl: u32,
    /// Its run.
    pub run: RunId,
    /// How many were lost.
    pub lost: u64,
    /// How many would have been as usual.
    pub expected: f64,
    /// From how many on it is a spike.
    pub threshold: f64,
    /// The chance that members who were lost regardless of when they followed lie as unevenly as
    /// these or worse; `None` where the list's order says nothing.
    pub evenness: Option<f64>,
    /// Other lists of the same run of which enough is known to compare.
    pub others: u32,
    /// How many of those have a spike, too.
    pub others_with_spike: u32,
}

impl Spike {
    /// Whether it looks like something that the network did: the lost are spread evenly over
    /// follow times, and at least half of the other lists of the run have a spike. `None` where
    /// the order of the list says nothing, or there is no other list.
    pub fn looks_like_the_network(&self) -> Option<bool> {
        if self.others == 0 {
            return None;
        }
        let is_even = self.evenness? >= UNEVEN;
        Some(is_even && 2 * self.others_with_spike >= self.others)
    }
}

/// The steps of some accounts, or of all, at which they lost far more than usual, by account and
/// time.
///
/// Other lists are compared whether they are asked for or not. Where there are spikes, one reading
/// of the spells of their accounts.
///
/// # Errors
/// If the history cannot be read.
pub fn spikes(
    history: &History,
    list: List,
    accounts: Option<&[AccountId]>,
) -> Result<Vec<Spike>, Error> {
    let mut found = Vec::new();
    let mut runs: HashMap<RunId, (u32, u32)> = HashMap::new();
    for account in history.accounts(list) {
        for (crawl, spike) in judged(history.crawls_of(account, list)) {
            let (compared, with_spike) = runs.entry(crawl.run).or_default();
            *compared += 1;
            *with_spike += u32::from(spike.is_some());
            found.extend(spike);
        }
    }
    found.retain(|spike| accounts.is_none_or(|accounts| accounts.contains(&spike.account)));
    for spike in &mut found {
        let (compared, with_spike) = runs[&spike.run];
        (spike.others, spike.others_with_spike) = (compared - 1, with_spike - 1);
    }
    spread(history, list, &mut found)?;
    Ok(found)
}

/// Every step of which enough is known, and the spike if it is one.
fn judged(crawls: &[HistoryCrawl]) -> Vec<(&HistoryCrawl, Option<Spike>)> {
    let mut judged = Vec::new();
    let mut rates: Vec<f64> = Vec::new();
    let complete = crawls.iter().filter(|crawl| crawl.state.is_complete());
    let complete: Vec<_> = complete.collect();
    for pair in complete.windows(2) {
        let [before, after] = [pair[0], pair[1]];
        // What crawls between them have proved lost belongs to the same step.
        let between = &crawls[before.number as usize + 1..=after.number as usize];
        let lost: u64 = between.iter().map(|crawl| crawl.lost).sum();
        let time = after.finished_at.duration_since(before.finished_at).as_secs_f64() / 86_400.0;
        let exposure = before.closing as f64 * time.max(1.0 / 24.0);
        if exposure <= 0.0 {
            continue;
        }
        let known = &rates[rates.len().saturating_sub(*STEPS.end())..];
        if known.len() >= *STEPS.start() {
            let usual = median(known.to_vec());
            let distances = known.iter().map(|rate| (rate - usual).abs()).collect();
            let sigma = MAD_TO_SIGMA * median(distances) * exposure;
            let expected = usual * exposure;
            let threshold = expected + DEVIATIONS * sigma.max(expected.sqrt());
            let is_spike = lost >= LEAST && lost as f64 > threshold;
            let spike = Spike {
                account: after.account,
                list: after.list,
                crawl: after.number,
                run: after.run,
                lost,
                expected,
                threshold,
                evenness: None,
                others: 0,
                others_with_spike: 0,
            };
            judged.push((after, is_spike.then_some(spike)));
        }
        rates.push(lost as f64 / exposure);
    }
    judged
}

/// The middle of some numbers, or the mean of the two in the middle.
fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    let half = numbers.len() / 2;
    match numbers.get(half) {
        None => 0.0,
        Some(upper) if numbers.len() % 2 == 1 => *upper,
        Some(upper) => f64::midpoint(numbers[half - 1], *upper),
    }
}

/// Adds how evenly the lost were spread over their lists.
fn spread(history: &History, list: List, spikes: &mut [Spike]) -> Result<(), Error> {
    if spikes.is_empty() {
        return Ok(());
    }
    let mut places: BTreeMap<(AccountId, u32), Vec<f64>> =
        spikes.iter().map(|spike| ((spike.account, spike.crawl), Vec::new())).collect();
    let mut accounts: Vec<_> = spikes.iter().map(|spike| spike.account).collect();
    accounts.dedup();
    each_member(history, list, Some(&accounts), |spells| {
        for spell in spells {
            let Some(absent) = spell.absent_after else { continue };
            let Some(places) = places.get_mut(&(spell.account, absent)) else { continue };
            let last = &history.crawls_of(spell.account, list)[spell.last_seen as usize];
            if last.order == DEPENDABLE && last.state.is_complete() && last.ids > 0 {
                places.push((f64::from(spell.position) + 0.5) / last.ids as f64);
            }
        }
        Ok(())
    })?;
    for spike in spikes {
        let places = places.remove(&(spike.account, spike.crawl)).unwrap_or_default();
        // Nearly all of them, or what is left is another sample.
        let enough = places.len() as f64 >= 0.9 * spike.lost as f64;
        spike.evenness = enough.then(|| uniform(places));
    }
    Ok(())
}

/// The chance that as many numbers drawn evenly from 0 to 1 lie as unevenly as these or worse.
fn uniform(mut places: Vec<f64>) -> f64 {
    places.sort_unstable_by(f64::total_cmp);
    let n = places.len() as f64;
    let distance = |(index, place): (usize, &f64)| {
        let below = index as f64 / n;
        (place - below).max(below + 1.0 / n - place)
    };
    let most = places.iter().enumerate().map(distance).fold(0.0, f64::max);
    let root = n.sqrt();
    let lambda = (root + 0.12 + 0.11 / root) * most;
    if lambda < 0.2 {
        return 1.0;
    }
    let term = |j: i32| {
        let sign = if j % 2 == 1 { 2.0 } else { -2.0 };
        sign * (-2.0 * f64::from(j * j) * lambda * lambda).exp()
    };
    (1..=100).map(term).sum::<f64>().clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_of_the_test_is_that_of_the_tables() {
        // Smirnov's table: the statistic times the root of n exceeds 1.36 in one case of twenty,
        // 1.63 in one of a hundred.
        let tail = |lambda: f64| {
            let n = 10_000;
            // All numbers moved up so far that the greatest distance is what is wanted.
            let root = f64::from(n).sqrt();
            let distance = lambda / (root + 0.12 + 0.11 / root);
            let at = |i: i32| f64::from(i + 1) / f64::from(n) - 1.0 / f64::from(n) + distance;
            uniform((0..n).map(|i| at(i).min(1.0)).collect())
        };
        assert!((tail(1.358) - 0.05).abs() < 0.001, "{}", tail(1.358));
        assert!((tail(1.628) - 0.01).abs() < 0.001, "{}", tail(1.628));
        assert!(uniform((0..100).map(|i| (f64::from(i) + 0.5) / 100.0).collect()) > 0.999);
        assert!(uniform((0..100).map(|i| f64::from(i) / 400.0).collect()) < 1e-9);
    }

    #[test]
    fn the_middle_is_robust() {
        assert!((median(vec![3.0, 1.0, 900.0]) - 3.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 1.0, 900.0, 2.0]) - 3.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()) == 0.0);
    }
}
