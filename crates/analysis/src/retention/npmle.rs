//! The nonparametric maximum likelihood estimate of left-truncated, interval-censored
//! lifetimes.
//!
//! In cumulative hazards `H` at the ends of cells, a lifetime that ended in cells `l..r` and was
//! seen from `e` on contributes `−(H_l − H_e) + ln(1 − exp(−(H_r − H_l)))`, which is concave.
//! So a point at which the conditions of Karush, Kuhn and Tucker hold is the maximum over all
//! distributions, delayed entry or not, and how far they are from holding is told
//! ([`Fit::slack`]).
//!
//! Each round is one step of Turnbull's (1976) self-consistency, an EM algorithm that never
//! lowers the likelihood, and one of the iterative convex minorant algorithm (Groeneboom and
//! Wellner 1992) with Jongbloed's (1998) line search, as Wellner and Zhan (1997) combine them:
//! the first alone takes thousands of rounds where weight has to vanish, the second alone is slow to
//! move weight between neighbors.

use super::support::{Row, Support};

/// The likelihood is flat beyond: survival falls by `exp(−30)` within one cell.
const HAZARD_MAX: f64 = 30.0;

/// How often a step is halved in search of a better point.
const HALVINGS: u32 = 8;

/// When an estimate is good enough.
#[derive(Clone, Copy, Debug)]
pub(super) struct Until {
    /// The slack at which it is done.
    pub(super) slack: f64,
    /// The most rounds.
    pub(super) rounds: u32,
}

/// What one estimate takes.
pub(super) const EXACT: Until = Until { slack: 1e-8, rounds: 20_000 };

/// An estimate: hazards of cells, of which the last is certain.
#[derive(Clone, Debug)]
pub(super) struct Fit {
    /// −ln(1 − the chance to end in the cell of who reaches it), all cells but the last.
    pub(super) hazards: Vec<f64>,
    /// The logarithm of the likelihood.
    pub(super) log_likelihood: f64,
    /// What is missing at the maximum, per lifetime: over all cells, the largest of the
    /// slope of the log-likelihood in the hazard where it is positive, and of the hazard times the
    /// slope where it is not. 0 at the maximum.
    pub(super) slack: f64,
    /// How many it took.
    pub(super) rounds: u32,
}

impl Fit {
    /// Survival of who reaches the low end of cell `from`: there, at the low ends of the cells after
    /// it, and at the high end of the last.
    pub(super) fn survival_from(&self, from: usize) -> Vec<f64> {
        let sums = self.hazards.iter().skip(from).scan(0.0, |sum, hazard| {
            *sum += hazard;
            Some((-*sum).exp())
        });
        std::iter::once(1.0).chain(sums).chain([0.0]).collect()
    }
}

/// Hazards to start from: equal weight in all cells.
pub(super) fn even(support: &Support) -> Vec<f64> {
    let cells = support.cells.len();
    (1..cells).map(|left| ((left + 1) as f64 / left as f64).ln()).rev().collect()
}

/// The estimate for the rows of a support. O(rows + cells) for each round, of which it takes
/// tens, rarely some hundreds.
pub(super) fn fit(rows: &[Row], start: Vec<f64>, until: Until) -> Fit {
    let mut at = Point::new(rows, start);
    let mut rounds = 0;
    while at.slack() > until.slack && rounds < until.rounds {
        at = Point::new(rows, at.self_consistent());
        if let Some(better) = at.convex_minorant(rows) {
            at = better;
        }
        rounds += 1;
    }
    Fit { slack: at.slack(), hazards: at.hazards, log_likelihood: at.log_likelihood, rounds }
}

/// Hazards, and what the likelihood and its slopes are there.
///
/// With `x = H_r − H_l` of a row and `v = 1 / (exp(x) − 1)`, the slope of its contribution is
/// `w` in `H_e`, `−w (1 + v)` in `H_l` and `w v` in `H_r`; the curvature is `−w v (1 + v)` in
/// either of the last two.
struct Point {
    hazards: Vec<f64>,
    log_likelihood: f64,
    /// By boundary, of which the i-th is the low end of the i-th cell: Σ w (1 + v) by `l`.
    starts: Vec<f64>,
    /// Σ w v by `r`.
    ends: Vec<f64>,
    /// Σ w by `e`.
    entries: Vec<f64>,
    /// Minus the curvature, and as much more as there are rows whose contribution has none.
    curvature: Vec<f64>,
    weight: f64,
}

impl Point {
    fn new(rows: &[Row], hazards: Vec<f64>) -> Self {
        let cells = hazards.len() + 1;
        let sums = std::iter::once(0.0).chain(hazards.iter().scan(0.0, |sum, hazard| {
            *sum += hazard;
            Some(*sum)
        }));
        let sums: Vec<f64> = sums.collect();
        let mut at = Self {
            hazards,
            log_likelihood: 0.0,
            starts: vec![0.0; cells + 1],
            ends: vec![0.0; cells + 1],
            entries: vec![0.0; cells + 1],
            curvature: vec![0.0; cells + 1],
            weight: 0.0,
        };
        for row in rows {
            let w = row.weight;
            at.weight += w;
            at.entries[row.entry] += w;
            at.log_likelihood -= w * (sums[row.left] - sums[row.entry]);
            // Whose end may be in the last cell has ended by its end for sure.
            let v = if row.right < cells {
                let x = sums[row.right] - sums[row.left];
                at.log_likelihood += w * (-(-x).exp_m1()).ln();
                1.0 / x.exp_m1()
            } else {
                0.0
            };
            at.starts[row.left] += w * (1.0 + v);
            at.ends[row.right] += w * v;
            at.curvature[row.left] += w * v * (1.0 + v) + w;
            at.curvature[row.right] += w * v * (1.0 + v);
            at.curvature[row.entry] += w;
        }
        at
    }

    /// The slope of the log-likelihood in the hazard of each cell but the last.
    fn slopes(&self) -> impl Iterator<Item = f64> {
        // All slopes in H sum to 0, so those above a cell are minus those up to it.
        let by_boundary = self.starts.iter().zip(&self.ends).zip(&self.entries);
        let by_boundary = by_boundary.map(|((starts, ends), entries)| starts - ends - entries);
        by_boundary.take(self.hazards.len()).scan(0.0, |sum, slope| {
            *sum += slope;
            Some(*sum)
        })
    }

    fn slack(&self) -> f64 {
        let of = |(slope, hazard): (f64, &f64)| {
            if slope > 0.0 && *hazard >= HAZARD_MAX { 0.0 } else { slope.max(-slope * hazard) }
        };
        self.slopes().zip(&self.hazards).map(of).fold(0.0, f64::max) / self.weight
    }

    /// The hazards of the product limit over what is expected of each lifetime here: in each cell
    /// the expected ends over the expected number at risk.
    fn self_consistent(&self) -> Vec<f64> {
        // Expected ends over the chance to end, of who reaches the cell.
        let mut ends = 0.0;
        let cells = self.slopes().zip(&self.hazards).enumerate();
        let hazards = cells.map(|(cell, (slope, hazard))| {
            ends = (ends + self.starts[cell] - self.ends[cell]).max(0.0);
            let chance = -(-hazard).exp_m1();
            let at_risk = ends - slope;
            let better = if at_risk > 0.0 { chance * ends / at_risk } else { chance };
            ends *= 1.0 - chance;
            (-(-better.min(1.0)).ln_1p()).clamp(0.0, HAZARD_MAX)
        });
        hazards.collect()
    }

    /// The best ascending `H` of the log-likelihood with its curvature here and no terms mixed,
    /// or a point on the way there that is better than this one.
    fn convex_minorant(&self, rows: &[Row]) -> Option<Self> {
        let mut here = 0.0;
        let inner = 1..=self.hazards.len();
        let targets = inner.map(|i| {
            here += self.hazards[i - 1];
            let slope = self.entries[i] + self.ends[i] - self.starts[i];
            let curvature = self.curvature[i].max(f64::MIN_POSITIVE);
            (here + slope / curvature, curvature)
        });
        let mut last = 0.0;
        let targets: Vec<f64> = ascending(targets)
            .into_iter()
            .map(|target| {
                let target = target.max(0.0);
                let hazard = (target - last).clamp(0.0, HAZARD_MAX);
                last = target;
                hazard
            })
            .collect();
        let mut step = 1.0;
        for _ in 0..HALVINGS {
            let way = self.hazards.iter().zip(&targets);
            let way = way.map(|(from, to)| (1.0 - step) * from + step * to).collect();
            let point = Self::new(rows, way);
            if point.log_likelihood > self.log_likelihood {
                return Some(point);
            }
            step /= 2.0;
        }
        None
    }
}

/// The ascending numbers with the least weighted squares of distances to those given: pools of
/// adjacent violators (Ayer et al. 1955).
fn ascending(numbers: impl Iterator<Item = (f64, f64)>) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (number, weight) in numbers {
        let mut pool = (number, weight, 1);
        while let Some((mean, w, size)) = pools.pop_if(|(mean, ..)| *mean >= pool.0) {
            let sum = w + pool.1;
            pool = ((mean * w + pool.0 * pool.1) / sum, sum, size + pool.2);
        }
        pools.push(pool);
    }
    pools.into_iter().flat_map(|(mean, _, size)| std::iter::repeat_n(mean, size)).collect()
}
