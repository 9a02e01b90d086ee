//! How long followers stay: survival curves, of all and of those who came in one month.
//!
//! A crawl sees neither a beginning nor an end, only that a member was there or not. So a
//! lifetime is known to an interval ([interval-censored](Lifetime)), many have not ended yet
//! (right-censored), and who left before anybody looked is not known of (left-truncated). An
//! average of the lifetimes that were seen to end, or a curve that takes no notice of
//! late entry, is wrong by far; what is done here instead:
//!
//! - [`Stay`]s become [`Lifetimes`], counted in bins;
//! - if all are known to the bin, the product limit with delayed entry (Kaplan and Meier 1958);
//!   else the nonparametric maximum likelihood estimate of B. Turnbull: The empirical
//!   distribution function with arbitrarily grouped, censored and truncated data, 1976, on
//!   the innermost intervals as H. Frydman (1994) corrects them, by EM and iterative convex
//!   minorants;
//! - where survival is not determined by what was seen, the [`Curve`] tells bounds.
//!
//! Both ends of a stay being vague, the data are doubly interval-censored. V. De Gruttola and
//! S. Lagakos: Analysis of doubly-censored survival data, 1989, estimate beginnings and
//! lifetimes together. Here they are reduced to one interval, from the shortest to the longest
//! that the lifetime can have been. That errs on the side of caution, in that the
//! true lifetime is always inside, and is no likelihood of the data any more: lifetimes
//! near the middle of such an interval are likelier to have made it than those at its ends, and the
//! estimate takes all for alike. The error is of the second order in the time between
//! crawls: without a trace where the density is straight over the intervals, and of the size of
//! an interval where it is bent, so do not read curves closer than crawls were. Likewise for the
//! age at which a stay comes under observation, which is as vague as its beginning
//! ([`Settings::began_within_days`] bounds it).
//!
//! What the bands leave out: that error, which does not shrink with the number of stays (of daily
//! crawls with gaps and lifetimes of twenty days on average, survival comes out up to 0.007 too
//! high); and they take followers for independent of each other, and the ages
//! at which they are looked at for independent of their lifetimes. Followers bought or suspended in
//! one go are neither. The bootstrap is right where many stays share their intervals,
//! as with regular crawls; it is not proven where every interval is another (the estimate
//! then converges with the third root of the number only).
//!
//! Knows neither stores nor crawls: it takes stays that others made.

mod binomial;
mod bootstrap;
mod cohorts;
mod curve;
mod lifetimes;
mod npmle;
mod product_limit;
mod stay;
mod support;

#[cfg(test)]
mod tests;

pub use cohorts::{Cohort, Month, Retention, RetentionCurves};
pub use curve::{Curve, Median, Method, Share, Step};
pub use lifetimes::{Lifetime, Lifetimes};
pub use stay::{Ended, Stay};

use crate::Error;

/// The ages in days at which survival is usually told.
pub const DAYS: [u32; 4] = [7, 30, 90, 365];

/// How lifetimes are counted and curves drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How wide bins are: 12 hours, in which daily crawls leave the middle of a day its place.
    /// No curve tells more than bins do; the fewer there are, the fewer different
    /// lifetimes.
    pub bin_hours: u32,
    /// Stays whose beginning is known less closely are left out, and counted: 31 days. It is
    /// unknown at which age they were first seen, and the curve would lean on a guess.
    /// Leaving out by the beginning alone favors neither short nor long lifetimes.
    pub began_within_days: u32,
    /// Curves are of those who stay this long, and begin there: 0. All shares are divided by
    /// survival at that age, so an age of the size of the gaps between crawls, at which it is not
    /// known closely, spoils all of them.
    pub from_days: u32,
    /// Curves begin at the first age at which so many are under observation, and end where
    /// there are less than a third of that, or a twentieth of the most before: 30, or half of the
    /// most there ever are if that is less. With 1 they are told to their ends. With delayed entry the first ages may rest on one
    /// or two, seen by crawls that were close together by chance, and the whole curve would fall
    /// with them, further than bands tell.
    pub at_risk_min: u64,
    /// Replicates of the bootstrap: 400. Without any, bands are from 0 to 1.
    pub replicates: u32,
    /// What they are drawn by. The same one gives the same bands, on any number of threads.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bin_hours: 12,
            began_within_days: 31,
            from_days: 0,
            at_risk_min: 30,
            replicates: 400,
            seed: 1,
        }
    }
}

impl Settings {
    fn check(&self) -> Result<(), Error> {
        if (1..=24).contains(&self.bin_hours) && 24 % self.bin_hours == 0 {
            return Ok(());
        }
        let message = format!("lifetimes cannot be counted in bins of {} hours", self.bin_hours);
        Err(Error::invalid(message).with_hint("1, 2, 3, 4, 6, 8, 12 and 24 divide a day"))
    }

    fn begins_at(&self) -> u32 {
        self.from_days.saturating_mul(24 / self.bin_hours)
    }
}

impl Lifetimes {
    /// Their survival curve.
    ///
    /// O(d log d) for the d different ones, and then O(d) for each of some tens or hundreds of
    /// rounds, of the estimate and of every replicate. A hundred bytes for each different
    /// one, and those of the bootstrap: 8 × innermost intervals × replicates.
    ///
    /// # Errors
    /// If the bins of the settings do not divide a day.
    pub fn curve(&self, settings: &Settings) -> Result<Curve, Error> {
        settings.check()?;
        Ok(Curve::new(self, settings))
    }
}
