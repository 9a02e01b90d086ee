//! Followers whose lifetimes are known, as crawls see them: bands cover the true survival as often
//! as they claim to, and a curve that takes no notice of late entry is wrong.

use analysis::retention::{Curve, Ended, Retention, Settings, Stay};
use analysis::when::Between;
use jiff::Timestamp;
use snapshot::List;

/// The ages in days that curves are looked at.
const AGES: [f64; 4] = [5.0, 10.0, 20.0, 40.0];

/// Looked at from day 0 until this one. Follows begin up to 60 days before.
const DAYS: u32 = 120;

/// Lifetimes of a Weibull distribution, `S(t) = exp(−(t / scale)^shape)`; the hazard is constant if
/// the shape is 1.
#[derive(Clone, Copy)]
struct Weibull {
    shape: f64,
    scale: f64,
}

impl Weibull {
    fn survival(self, days: f64) -> f64 {
        (-(days / self.scale).powf(self.shape)).exp()
    }

    fn drawn(self, chance: &mut Chance) -> f64 {
        self.scale * (-(1.0 - chance.share()).ln()).powf(1.0 / self.shape)
    }
}

/// PCG XSH RR 64/32 (O'Neill 2014).
struct Chance(u64);

impl Chance {
    fn share(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = u32::try_from((((self.0 >> 18) ^ self.0) >> 27) & 0xffff_ffff).unwrap();
        f64::from(mixed.rotate_right(u32::try_from(self.0 >> 59).unwrap())) / 4_294_967_296.0
    }

    fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.share()
    }
}

/// A moment so many days after the first crawl.
fn day(days: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "some millions of seconds")]
    let seconds = (days * 86_400.0).floor() as i64;
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

/// Seen without a gap, from day 0 on: beginnings and ends are known to the moment.
fn watched(hazard: Weibull, number: u32, seed: u64) -> Vec<Stay> {
    let mut chance = Chance(seed);
    let mut one = || {
        let began = chance.between(-60.0, f64::from(DAYS));
        let ended = began + hazard.drawn(&mut chance);
        let is_seen = ended > 0.0;
        let last = day(f64::from(DAYS));
        let ended = if day(ended) < last {
            Ended::Between { after: day(ended), until: day(ended) }
        } else {
            Ended::NotBy(last)
        };
        let within = Between { earliest: day(began), latest: day(began) };
        is_seen.then_some(Stay { began: within, seen_from: day(began.max(0.0)), ended })
    };
    (0..number).filter_map(|_| one()).collect()
}

/// Crawled once a day within two hours, with one crawl of six left out. Follows begun before the
/// first crawl are known to the day.
fn crawled(hazard: Weibull, number: u32, seed: u64) -> Vec<Stay> {
    let mut chance = Chance(seed);
    let mut crawls = Vec::new();
    for date in 0..=DAYS {
        let hour = chance.between(0.0, 2.0 / 24.0);
        if date == 0 || chance.share() > 1.0 / 6.0 {
            crawls.push(f64::from(date) + hour);
        }
    }
    let mut one = || {
        let began = chance.between(-60.0, f64::from(DAYS));
        let ended = began + hazard.drawn(&mut chance);
        let first = crawls.partition_point(|crawl| *crawl < began);
        let missed = crawls.partition_point(|crawl| *crawl < ended);
        if missed <= first {
            return None;
        }
        let seen_from = crawls[first];
        let within = if first > 0 {
            (crawls[first - 1], seen_from)
        } else {
            (began.floor(), (began.floor() + 1.0).min(seen_from))
        };
        let within = Between { earliest: day(within.0), latest: day(within.1) };
        let after = day(crawls[missed - 1]);
        let ended = match crawls.get(missed) {
            Some(until) => Ended::Between { after, until: day(*until) },
            None => Ended::NotBy(after),
        };
        Some(Stay { began: within, seen_from: day(seen_from), ended })
    };
    (0..number).filter_map(|_| one()).collect()
}

fn curve(stays: &[Stay], settings: Settings) -> Curve {
    let mut all = Retention::new(7.into(), List::Followers, settings).unwrap();
    for stay in stays {
        all.add(stay).unwrap();
    }
    all.curves().cohorts.swap_remove(0).curve
}

/// The same as if each had been looked at ever since it began.
fn untruncated(stays: &[Stay]) -> Vec<Stay> {
    stays.iter().map(|stay| Stay { seen_from: stay.began.latest, ..*stay }).collect()
}

/// At one age, over many seeds.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// How often the truth was in the band.
    covered: f64,
    /// By how much the estimate was too high.
    bias: f64,
    /// How wide the band was.
    width: f64,
}

/// What is seen at each age over seeds from 1 on.
fn over(seeds: u64, hazard: Weibull, mut curve: impl FnMut(u64) -> Curve) -> [Seen; AGES.len()] {
    let mut all = [Seen::default(); AGES.len()];
    for seed in 1..=seeds {
        let curve = curve(seed);
        let start = hazard.survival(curve.steps[0].days);
        for (seen, age) in all.iter_mut().zip(AGES) {
            let truth = hazard.survival(age) / start;
            let share = curve.at(age).unwrap();
            let is_covered = share.lower <= truth && truth <= share.upper;
            seen.covered += f64::from(u8::from(is_covered)) / seeds as f64;
            seen.bias += (f64::midpoint(share.lowest, share.highest) - truth) / seeds as f64;
            seen.width += (share.upper - share.lower) / seeds as f64;
        }
    }
    println!("shape {}: {all:.4?}", hazard.shape);
    all
}

/// The bands' rate, less three standard deviations of what so many seeds show.
fn rate(seeds: u64) -> f64 {
    0.95 - 3.0 * f64::sqrt(0.95 * 0.05 / seeds as f64)
}

const CONSTANT: Weibull = Weibull { shape: 1.0, scale: 20.0 };
const FALLING: Weibull = Weibull { shape: 0.7, scale: 20.0 };
const LONG: Weibull = Weibull { shape: 1.0, scale: 60.0 };
const RISING: Weibull = Weibull { shape: 1.5, scale: 25.0 };

#[test]
fn bands_of_exact_lifetimes_cover_the_truth() {
    let settings = Settings { bin_hours: 1, ..Settings::default() };
    for hazard in [CONSTANT, FALLING, RISING] {
        let found = over(300, hazard, |seed| curve(&watched(hazard, 300, seed), settings));
        for seen in found {
            assert!(seen.covered > rate(300) && seen.bias.abs() < 0.006, "{seen:?}");
            assert!(seen.width < 0.2, "{seen:?}");
        }
    }
}

#[test]
fn bands_of_crawled_lifetimes_cover_the_truth() {
    let settings = Settings { replicates: 200, ..Settings::default() };
    for hazard in [CONSTANT, FALLING] {
        let found = over(120, hazard, |seed| curve(&crawled(hazard, 400, seed), settings));
        for seen in found {
            assert!(seen.covered > rate(120) && seen.bias.abs() < 0.015, "{seen:?}");
            assert!(seen.width < 0.2, "{seen:?}");
        }
    }
}

/// A third of those who are seen began before the first crawl.
#[test]
fn a_curve_that_takes_no_notice_of_late_entry_is_wrong() {
    let wrong = |found: [Seen; AGES.len()]| {
        assert!(found[2..].iter().all(|seen| seen.covered < 0.4 && seen.bias > 0.04), "{found:?}");
    };
    let exact = Settings { bin_hours: 1, ..Settings::default() };
    wrong(over(100, LONG, |seed| curve(&untruncated(&watched(LONG, 600, seed)), exact)));
    let settings = Settings { replicates: 100, ..Settings::default() };
    wrong(over(20, LONG, |seed| curve(&untruncated(&crawled(LONG, 600, seed)), settings)));
}
