//! How many requests a list takes, and when the last of them can be sent. Pure arithmetic.

use jiff::{SignedDuration, Timestamp};

use crate::pace::{Family, Heard};

/// Pages that so many rows fill; an empty list takes one to say so.
pub(super) fn pages(rows: u64, page_size: u32) -> u64 {
    rows.div_ceil(u64::from(page_size.max(1))).max(1)
}

/// One credential's windows at one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    /// At least that of a quarter of an hour.
    pub(super) windows: Vec<Span>,
    /// Nobody has been told the limit; it is the documented one.
    pub(super) assumed: bool,
}

/// A window as it goes on: what is left of it now, when it ends, and what each later one has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) limit: u64,
    pub(super) left: u64,
    /// Seconds until it ends.
    pub(super) ends: u64,
    /// Seconds that each has.
    pub(super) length: u64,
}

impl Bucket {
    /// A bucket of which this was heard. A window that was never heard of, or that has ended,
    /// begins with the first request.
    pub(super) fn of(heard: &[&Heard], documented: u32, now: Timestamp) -> Self {
        let mut newest: Vec<Heard> = Vec::new();
        for heard in heard {
            match newest.iter_mut().find(|other| other.family == heard.family) {
                None => newest.push((*heard).clone()),
                Some(other) if other.reset > heard.reset => {}
                Some(other) => {
                    // Of one window the smaller number is the later; a refusal tells no limit.
                    let limit = heard.limit.or(other.limit);
                    let same = other.reset == heard.reset;
                    let least = if same { other.remaining } else { u32::MAX };
                    *other =
                        Heard { limit, remaining: heard.remaining.min(least), ..(*heard).clone() };
                }
            }
        }
        let quarter = newest.iter().find(|heard| heard.family == Family::QuarterHour);
        let assumed = quarter.is_none_or(|heard| heard.limit.is_none());
        let mut windows = vec![Span::of(Family::QuarterHour, quarter, documented, now)];
        for heard in newest.iter().filter(|heard| heard.family != Family::QuarterHour) {
            // A day's window without a limit says only when it ends.
            windows.push(Span::of(heard.family, Some(heard), u32::MAX, now));
        }
        Self { windows, assumed }
    }

    /// Requests that can be sent within so many seconds from now.
    fn units(&self, secs: u64) -> u64 {
        self.windows.iter().map(|window| window.units(secs)).min().unwrap_or(0)
    }

    /// Quarters of an hour that so many requests take.
    fn windows(&self, requests: u64) -> u64 {
        let Some(first) = self.windows.first() else { return 0 };
        let now = u64::from(requests > 0 && first.left > 0);
        now + requests.saturating_sub(first.left).div_ceil(first.limit)
    }
}

impl Span {
    fn of(family: Family, heard: Option<&Heard>, documented: u32, now: Timestamp) -> Self {
        let length = match family {
            Family::QuarterHour => 15 * 60,
            Family::AppDay | Family::UserDay => 24 * 60 * 60,
        };
        let limit = heard.and_then(|heard| heard.limit).unwrap_or(documented);
        let limit = u64::from(limit.max(1));
        match heard.filter(|heard| heard.reset > now) {
            None => Self { limit, left: limit, ends: length, length },
            Some(heard) => {
                let ends = heard.reset.duration_since(now).as_secs().unsigned_abs() + 1;
                Self { limit, left: u64::from(heard.remaining), ends, length }
            }
        }
    }

    fn units(&self, secs: u64) -> u64 {
        let later = secs.checked_sub(self.ends).map_or(0, |secs| secs / self.length + 1);
        self.left.saturating_add(later.saturating_mul(self.limit))
    }
}

/// Windows that so many requests take, and after how long the last of them can be sent. What
/// the network needs to answer is not reckoned with; none if it takes longer than there is
/// time, or there is no bucket.
pub(super) fn forecast(requests: u64, buckets: &[Bucket]) -> Option<(u64, SignedDuration)> {
    let units = |secs| buckets.iter().fold(0_u64, |sum, b| sum.saturating_add(b.units(secs)));
    let (mut low, mut high) = (0, SECS_MAX);
    if units(high) < requests {
        return None;
    }
    // Time only adds units, so the first second that has enough can be closed in on.
    while low < high {
        let middle = low + (high - low) / 2;
        if units(middle) < requests { low = middle + 1 } else { high = middle }
    }
    let (mut left, mut windows) = (requests, 0);
    for bucket in buckets {
        let share = bucket.units(low).min(left);
        windows += bucket.windows(share);
        left -= share;
    }
    Some((windows, SignedDuration::from_secs(i64::try_from(low).ok()?)))
}

/// A thousand years; what takes longer has no end worth telling.
const SECS_MAX: u64 = 1000 * 366 * 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn heard(family: Family, limit: Option<u32>, remaining: u32, reset: i64) -> Heard {
        let (credential, endpoint) = ("0".to_owned(), "e".to_owned());
        let reset = now() + SignedDuration::from_secs(reset);
        Heard { credential, endpoint, family, limit, remaining, reset }
    }

    fn fresh(limit: u32) -> Bucket {
        Bucket::of(&[], limit, now())
    }

    fn minutes(requests: u64, buckets: &[Bucket]) -> (u64, i64) {
        let (windows, wait) = forecast(requests, buckets).unwrap();
        (windows, wait.as_mins())
    }

    #[test]
    fn a_million_followers_take_four_windows_of_v2_and_fourteen_of_v1() {
        assert_eq!(pages(1_000_000, 1000), 1000);
        assert_eq!(minutes(1000, &[fresh(300)]), (4, 45));
        assert_eq!(pages(1_000_000, 5000), 200);
        assert_eq!(minutes(200, &[fresh(15)]), (14, 3 * 60 + 15));
    }

    #[test]
    fn the_edges_of_a_page_and_of_a_window() {
        assert_eq!([0, 1, 1000, 1001].map(|rows| pages(rows, 1000)), [1, 1, 1, 2]);
        assert_eq!(
            [0, 1, 15, 16].map(|n| minutes(n, &[fresh(15)])),
            [(0, 0), (1, 0), (1, 0), (2, 15)]
        );
    }

    #[test]
    fn what_is_left_of_a_window_is_used_and_its_end_waited_for() {
        let bucket =
            |left| Bucket::of(&[&heard(Family::QuarterHour, Some(15), left, 299)], 300, now());
        assert_eq!(minutes(10, &[bucket(10)]), (1, 0));
        assert_eq!(minutes(11, &[bucket(10)]), (2, 5));
        assert_eq!(minutes(15, &[bucket(0)]), (1, 5));
        assert_eq!(minutes(31, &[bucket(0)]), (3, 35));
        assert!(!bucket(0).assumed && fresh(15).assumed);
    }

    #[test]
    fn several_credentials_add_up() {
        assert_eq!(minutes(1000, &[fresh(300), fresh(300)]), (4, 15));
        let used_up = Bucket::of(&[&heard(Family::QuarterHour, Some(300), 0, 599)], 300, now());
        assert_eq!(minutes(600, &[fresh(300), used_up]), (2, 10));
        assert_eq!(forecast(1, &[]), None);
    }

    #[test]
    fn a_day_holds_up_what_its_quarters_would_let_go() {
        let day = heard(Family::AppDay, Some(100), 10, 3599);
        let bucket = Bucket::of(&[&day], 15, now());
        assert_eq!(minutes(10, std::slice::from_ref(&bucket)).1, 0);
        assert_eq!(minutes(11, &[bucket]).1, 60);
    }

    #[test]
    fn a_window_that_has_ended_tells_its_limit_only() {
        let over = heard(Family::QuarterHour, Some(20), 0, -5);
        assert_eq!(minutes(20, &[Bucket::of(&[&over], 15, now())]), (1, 0));
        let refused = heard(Family::QuarterHour, None, 0, 59);
        let bucket = Bucket::of(&[&refused], 15, now());
        assert!(bucket.assumed);
        assert_eq!(minutes(15, &[bucket]), (1, 1));
    }

    #[test]
    fn no_number_is_too_large() {
        assert_eq!(forecast(u64::MAX, &[fresh(15)]), None);
        assert_eq!(pages(u64::MAX, 1), u64::MAX);
    }
}
