//! A survival curve, and what is asked of it.

use super::lifetimes::{AtRisk, Lifetimes};
use super::support::{Cell, Support};
use super::{Settings, bootstrap, npmle, product_limit};

/// A survival is taken to have reached a half if it is this close, for sums round.
const ROUNDING: f64 = 1e-9;

/// Hours of a day.
const DAY: f64 = 24.0;

/// The share of followers who stay longer than so many days.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// How many lifetimes it rests on.
    pub members: u64,
    /// How it was estimated.
    pub method: Method,
    /// From the first age at which enough were under observation, of those who reach which all
    /// shares are ([`Settings::from_days`], [`Settings::at_risk_min`]), to the first fall before
    /// which there are too few.
    /// Empty without lifetimes.
    pub steps: Vec<Step>,
}

/// How a curve was estimated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// All lifetimes are known to the bin: the product limit of Kaplan and Meier, its band by
    /// Greenwood's variance and the transformation ln(−ln S).
    ProductLimit,
    /// Some are known to intervals only: Turnbull's estimate, its band the percentiles of a
    /// bootstrap.
    Turnbull {
        /// How many rounds it took.
        rounds: u32,
        /// The logarithm of the likelihood.
        log_likelihood: f64,
        /// How far the conditions of the maximum are from holding, per lifetime; 0 at the
        /// maximum, and at most 10⁻⁸ unless the rounds ran out.
        slack: f64,
    },
}

impl Method {
    /// The name used in frames.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProductLimit => "product_limit",
            Self::Turnbull { .. } => "turnbull",
        }
    }
}

/// A stretch in which survival stays as it is. From its end to the next step survival falls to
/// the next one's, and where between is undetermined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The age in days that it is reached at.
    pub days: f64,
    /// The age in days after which it may fall; None if it is 0.
    pub days_until: Option<f64>,
    /// The share that lives longer than `days`, and than `days_until`.
    pub survival: f64,
    /// The lower bound of its pointwise 95 % band.
    pub lower: f64,
    /// The upper one.
    pub upper: f64,
    /// How many may end in the next fall, as far as anybody knows: under observation by then, and
    /// neither known to have ended before nor lost from sight.
    pub at_risk: u64,
}

/// A share between two bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// At least. It is less than `highest` inside a fall, where survival is undetermined, and 0
    /// beyond what was seen.
    pub lowest: f64,
    /// At most.
    pub highest: f64,
    /// The lower bound of the 95 % band, of the lowest.
    pub lower: f64,
    /// The upper bound, of the highest.
    pub upper: f64,
}

/// The age by which half have left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Median {
    /// It is above so many days.
    pub above: f64,
    /// It is at most so many; None if fewer than half left as long as anybody looked.
    pub at_most: Option<f64>,
    /// The lower end of its 95 % confidence interval: where the lower band crosses a half
    /// (Brookmeyer and Crowley 1982).
    pub lower: f64,
    /// The upper end, where the upper band does; None if it does not.
    pub upper: Option<f64>,
}

impl Curve {
    pub(super) fn new(lifetimes: &Lifetimes, settings: &Settings) -> Self {
        let exact = lifetimes.are_exact();
        let support = Support::new(lifetimes);
        let at_risk = AtRisk::new(lifetimes);
        let start = at_risk.first(settings.begins_at(), settings.at_risk_min);
        let from = support.cells.partition_point(|cell| cell.low < start);
        let product_limit_of = |from| product_limit::product_limit(lifetimes, &support, from);
        let (method, bands) = if exact || support.cells.is_empty() {
            let found = product_limit_of(from.min(support.cells.len()));
            (Method::ProductLimit, (found.survival, found.lower, found.upper))
        } else {
            let fit = npmle::fit(&support.rows, npmle::even(&support), npmle::EXACT);
            let npmle::Fit { rounds, log_likelihood, slack, .. } = fit;
            let bootstrap = (settings.replicates, settings.seed);
            let (lower, upper) = bootstrap::percentiles(&support, &fit.hazards, from, bootstrap);
            let method = Method::Turnbull { rounds, log_likelihood, slack };
            (method, (fit.survival_from(from), lower, upper))
        };
        let steps = steps(&support.cells, from, start, &bands);
        let days = |bins: u32| f64::from(bins) * f64::from(settings.bin_hours) / DAY;
        let step = |(low, high, [survival, lower, upper]): Flat| Step {
            days: days(low),
            days_until: high.map(days),
            survival,
            lower,
            upper,
            at_risk: high.map_or(0, |age| at_risk.at(age)),
        };
        let mut steps: Vec<Step> = steps.into_iter().map(step).collect();
        steps.truncate(told(&steps, &at_risk, settings.at_risk_min));
        Self { members: lifetimes.members(), method, steps }
    }

    /// The share that stays longer than so many days. None below the age at which the
    /// curve begins.
    pub fn at(&self, days: f64) -> Option<Share> {
        let next = self.steps.partition_point(|step| step.days <= days);
        let step = self.steps[..next].last()?;
        let (lowest, lower) = match step.days_until {
            Some(until) if until < days => {
                self.steps.get(next).map_or((0.0, 0.0), |next| (next.survival, next.lower))
            }
            _ => (step.survival, step.lower),
        };
        Some(Share { lowest, highest: step.survival, lower, upper: step.upper })
    }

    /// The age by which half have left. None without lifetimes.
    pub fn median(&self) -> Option<Median> {
        let last = self.steps.last()?;
        let seen_until = last.days_until.unwrap_or(last.days);
        // The fall in which a share comes down to a half.
        let fall = |of: fn(&Step) -> f64| {
            let after = self.steps.iter().position(|step| of(step) <= 0.5 + ROUNDING);
            let before = after.and_then(|after| self.steps[..after].last());
            let above = before.map_or(after.map_or(seen_until, |_| 0.0), |step| {
                step.days_until.unwrap_or(step.days)
            });
            (above, after.map(|after| self.steps[after].days))
        };
        let (above, at_most) = fall(|step| step.survival);
        let lower = fall(|step| step.lower).0;
        let upper = fall(|step| step.upper).1;
        Some(Median { above, at_most, lower, upper })
    }
}

/// How many steps say something. How far a curve falls where a few may end says nothing, and less is
/// known of what follows: where most are out of sight, endings that may lie there or before count
/// as there. So it ends where fewer may end than a third of `at_risk_min`, or than a twentieth of
/// the most who might have earlier.
fn told(steps: &[Step], at_risk: &AtRisk, at_risk_min: u64) -> usize {
    let enough = at_risk.enough(at_risk_min.div_ceil(3));
    let mut most = 0;
    let last = steps.iter().position(|step| {
        most = most.max(step.at_risk);
        step.at_risk < enough || at_risk_min > 1 && step.at_risk < most / 20
    });
    match last {
        None => steps.len(),
        // If too few may end from the start on, there is no curve.
        Some(0) if at_risk_min > 1 => 0,
        Some(last) => last + 1,
    }
}

/// From, until, and survival with its band.
type Flat = (u32, Option<u32>, [f64; 3]);

/// What is between cells from `from` on, and after the last.
fn steps(
    cells: &[Cell],
    from: usize,
    start: u32,
    (survival, lower, upper): &(Vec<f64>, Vec<f64>, Vec<f64>),
) -> Vec<Flat> {
    let before = cells[..from].last();
    let start = before.map_or(Some(start), |cell| Some(cell.high?.max(start)));
    let Some(start) = start else { return Vec::new() };
    if from == cells.len() {
        return Vec::new();
    }
    let lows = cells[from..].iter().map(|cell| Some(cell.low)).chain([None]);
    let highs = std::iter::once(Some(start)).chain(cells[from..].iter().map(|cell| cell.high));
    let shares = survival.iter().zip(lower).zip(upper);
    let shares = shares.map(|((survival, lower), upper)| [*survival, *lower, *upper]);
    let flats = highs.zip(lows).zip(shares);
    flats.filter_map(|((from, until), shares)| Some((from?, until, shares))).collect()
}
