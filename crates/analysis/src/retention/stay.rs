//! One stay of a follower, as crawls saw it, and the lifetime that can be told from it.

use jiff::Timestamp;

use super::lifetimes::Lifetime;
use crate::Error;
use crate::when::Between;

/// How a stay ended, as far as anybody saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// The follower was there at `after` and no longer at `until`.
    Between {
        /// When it was seen last.
        after: Timestamp,
        /// When it was first missed.
        until: Timestamp,
    },
    /// It was still there when it was looked for last: right-censored.
    NotBy(Timestamp),
}

/// One follow from its beginning to its end; who comes back begins another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stay {
    /// When the follow began.
    pub began: Between,
    /// The first crawl that saw it. Had it ended before, nobody would know of it: its lifetime
    /// is left-truncated.
    pub seen_from: Timestamp,
    /// How it ended.
    pub ended: Ended,
}

/// What a stay tells of lifetimes.
pub(super) enum Told {
    /// Its lifetime, in bins.
    Lifetime(Lifetime),
    /// Nothing: it may have ended before the age from which it counts.
    TooShort,
}

impl Stay {
    /// The lifetime in bins of `bin_hours`.
    ///
    /// The follow began in `[b1, b2]` and ended in `(e1, e2]`, so that it lasted more than
    /// `e1 − b2` and at most `e2 − b1`, rounded outwards to whole bins.
    ///
    /// It was under observation from the age at which it was first seen, which is between
    /// `seen_from − b2` and `seen_from − b1`; the middle is taken. At the younger end it would
    /// count as at risk before anybody could have seen it end, and survival would come out too
    /// high; at the older end stays that did not last so long would count as if they had, and
    /// it would come out too low. Either error is of the first order in the length of `[b1, b2]`;
    /// that of the middle is of the second, if follows begin evenly within it. The middle is
    /// rounded to the nearest bin, or up if the beginning is known to the moment: later entry
    /// discards what was seen and distorts nothing.
    ///
    /// # Errors
    /// If the moments are out of order.
    pub(super) fn told(&self, bin_hours: u32) -> Result<Told, Error> {
        let bin = i64::from(bin_hours) * 3_600_000_000;
        let (after, until) = self.check()?;
        let [b1, b2, seen] = [self.began.earliest, self.began.latest, self.seen_from];
        let [b1, b2, seen, after] = [b1, b2, seen, after].map(Timestamp::as_microsecond);
        let entry = if b1 == b2 {
            up(seen - b1, bin)
        } else {
            // Twice the middle age and half a bin more, over twice the bin.
            (2 * seen - b1 - b2 + bin) / (2 * bin)
        };
        let right = until.map(|until| up(until.as_microsecond() - b1, bin));
        let left = (after - b2) / bin;
        // Known to the moment, and a whole number of bins: it ended in the last of them.
        let left = right.map_or(left, |right| left.min(right - 1)).max(0);
        let told = Lifetime::new(bins(entry), bins(left), right.map(bins));
        Ok(told.map_or(Told::TooShort, Told::Lifetime))
    }

    /// When it was seen last, and when it was missed.
    fn check(&self) -> Result<(Timestamp, Option<Timestamp>), Error> {
        let (after, until) = match self.ended {
            Ended::Between { after, until } => (after, Some(until)),
            Ended::NotBy(at) => (at, None),
        };
        let moments = [self.began.earliest, self.began.latest, self.seen_from, after];
        if moments.is_sorted() && until.is_none_or(|until| until >= after) {
            return Ok((after, until));
        }
        let message = format!("no stay that was first seen at {} can be so", self.seen_from);
        Err(Error::invalid(message).with_hint(
            "it begins before it is seen first, and is seen first before it is seen last",
        ))
    }
}

/// Whole bins, rounded up.
fn up(micros: i64, bin: i64) -> i64 {
    micros / bin + i64::from(micros % bin > 0)
}

fn bins(n: i64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(hours * 3600).unwrap()
    }

    /// In days: entry, left, right.
    fn check(began: [i64; 2], seen: i64, after: i64, until: Option<i64>, expected: &str) {
        let ended = until.map_or(Ended::NotBy(at(after)), |until| Ended::Between {
            after: at(after),
            until: at(until),
        });
        let began = Between { earliest: at(began[0]), latest: at(began[1]) };
        let stay = Stay { began, seen_from: at(seen), ended };
        let told = match stay.told(24) {
            Ok(Told::Lifetime(lifetime)) => lifetime.to_string(),
            Ok(Told::TooShort) => "too short".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(told, expected, "{stay:?}");
    }

    #[test]
    fn a_lifetime_is_as_wide_as_both_its_ends_are_vague() {
        // Began on day 0 to 2, seen on 2, last seen on 10, missed on 11.
        check([0, 48], 48, 240, Some(264), "1: (8, 11]");
        check([0, 48], 48, 240, None, "1: (8, ∞)");
    }

    #[test]
    fn rounding_to_bins_only_widens() {
        check([1, 47], 47, 241, Some(263), "1: (8, 11]");
        check([0, 0], 1, 25, Some(49), "1: (1, 3]");
    }

    #[test]
    fn what_is_known_to_the_moment_is_known_to_its_bin() {
        check([0, 0], 0, 240, Some(240), "0: (9, 10]");
        check([0, 0], 0, 239, Some(239), "0: (9, 10]");
        check([0, 0], 0, 241, Some(241), "0: (10, 11]");
    }

    #[test]
    fn who_may_be_gone_by_the_age_of_entry_counts_from_there() {
        check([0, 48], 48, 48, Some(72), "1: (1, 3]");
        check([0, 240], 240, 240, Some(264), "5: (5, 11]");
        check([0, 0], 7, 12, Some(13), "too short");
    }

    #[test]
    fn moments_out_of_order_are_refused() {
        let refused = "no stay that was first seen at 1970-01-02T00:00:00Z can be so";
        check([0, 25], 24, 48, None, refused);
        check([12, 0], 24, 48, None, refused);
        check([0, 0], 24, 23, None, refused);
        check([0, 0], 24, 48, Some(47), refused);
    }
}
