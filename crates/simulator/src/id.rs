//! Account ids of the two generations: sequential until 2015, snowflakes since.
//!
//! Both grow with the creation time. A snowflake contains it; for sequential ids there is
//! only a table of known ids and the times their accounts were opened,
//! `data/ids/calibration.csv`. Between its rows the line is straight. Of the two lanes in which
//! later sequential ids ascend by themselves only the first is given out here.

use std::sync::LazyLock;

use jiff::Timestamp;

use crate::clock::timestamp;

/// The millisecond from which snowflakes count.
const SNOWFLAKE_EPOCH_MS: i64 = 1_288_834_974_657;

/// Bits of a snowflake below the time: ten of worker, twelve of sequence.
const SNOWFLAKE_LOW_BITS: u32 = 22;

/// Ids from here on are snowflakes; no sequential id comes near.
const FIRST_SNOWFLAKE: i64 = 1 << 50;

/// When the first account was opened, 21 March 2006.
pub(crate) const FIRST_ACCOUNT_MS: i64 = 1_142_974_214_000;

/// When account ids became snowflakes here: 1 January 2016.
pub(crate) const SNOWFLAKES_FROM_MS: i64 = 1_451_606_400_000;

/// From here on sequential ids come three by three, in two lanes.
const FIRST_OF_LANES: i64 = 700_000_000;

/// Known sequential ids of the first lane; both columns grow strictly.
static CALIBRATION: LazyLock<Vec<Point>> =
    LazyLock::new(|| read(include_str!("../../../data/ids/calibration.csv")));

/// A known id, and when its account was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Point {
    id: i64,
    ms: i64,
}

/// Whether the id carries its creation time.
pub fn is_snowflake(id: i64) -> bool {
    id >= FIRST_SNOWFLAKE
}

/// When the account with this id was opened: exact for snowflakes, as near as the table of
/// known ids comes for older ones.
pub fn created_at(id: i64) -> Timestamp {
    timestamp(if is_snowflake(id) {
        (id >> SNOWFLAKE_LOW_BITS) + SNOWFLAKE_EPOCH_MS
    } else {
        let latest = CALIBRATION.last().map_or(SNOWFLAKES_FROM_MS, |last| last.ms);
        interpolate(id, |point| (point.id, point.ms)).min(latest.max(SNOWFLAKES_FROM_MS))
    })
}

/// The id for an account opened at this millisecond, given all lower ids up to `last`.
///
/// `salt` fills the low bits of a snowflake.
pub(crate) fn issue(created_ms: i64, salt: u64, last: i64) -> i64 {
    let natural = if created_ms < SNOWFLAKES_FROM_MS {
        interpolate(created_ms, |point| (point.ms, point.id))
    } else {
        let worker = i64::from(u16::try_from(salt % 1024).unwrap_or(0)) << 12;
        ((created_ms - SNOWFLAKE_EPOCH_MS) << SNOWFLAKE_LOW_BITS) | worker
    };
    in_first_lane(natural.max(last + 1))
}

/// The id itself, or the next one that is in the first lane.
fn in_first_lane(id: i64) -> i64 {
    let is_beside = (FIRST_OF_LANES..FIRST_SNOWFLAKE).contains(&id) && id / 3 % 2 == 1;
    if is_beside { (id / 3 + 1) * 3 } else { id }
}

/// Piecewise linear through the calibration table, read in either direction. Nothing comes
/// before its first row; the line through the last two goes on.
fn interpolate(x: i64, axes: impl Fn(&Point) -> (i64, i64)) -> i64 {
    let right = CALIBRATION.partition_point(|point| axes(point).0 <= x);
    let right = right.clamp(1, CALIBRATION.len() - 1);
    let (x0, y0) = axes(&CALIBRATION[right - 1]);
    let (x1, y1) = axes(&CALIBRATION[right]);
    let rise = i128::from(y1 - y0) * i128::from(x.max(x0) - x0) / i128::from(x1 - x0);
    y0.saturating_add(i64::try_from(rise).unwrap_or(i64::MAX))
}

/// The rows of `id,created_at,lane` that are not of the second lane, whatever columns follow.
///
/// # Panics
///
/// If the table is not one: it is part of the program.
fn read(table: &str) -> Vec<Point> {
    let row = |line: &str| {
        let mut cells = line.split(',');
        let id = cells.next()?.trim().parse().ok()?;
        let at: Timestamp = cells.next()?.trim().parse().ok()?;
        Some(Point { id, ms: at.as_millisecond() })
    };
    let is_second = |line: &str| line.split(',').nth(2) == Some("1");
    let lines = table.lines().skip(1).filter(|line| !line.trim().is_empty() && !is_second(line));
    let points: Vec<Point> = lines
        .map(|line| row(line).unwrap_or_else(|| panic!("{line:?} is not an id and a time")))
        .collect();
    let grows = |pair: &[Point]| pair[0].id < pair[1].id && pair[0].ms < pair[1].ms;
    assert!(points.len() >= 2 && points.windows(2).all(grows), "ids grow with time");
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_with_the_creation_time() {
        let times = (0..240).map(|month| FIRST_ACCOUNT_MS + month * 30 * 86_400_000);
        let ids: Vec<i64> = times.clone().map(|ms| issue(ms, 7, 0)).collect();
        assert!(ids.is_sorted());
        let modern = times.clone().map(|ms| ms >= SNOWFLAKES_FROM_MS);
        assert!(modern.eq(ids.iter().map(|&id| is_snowflake(id))));
    }

    #[test]
    fn a_snowflake_tells_when_the_account_was_opened() {
        let ms = 1_600_000_000_123;
        assert_eq!(created_at(issue(ms, 99, 0)).as_millisecond(), ms);
    }

    #[test]
    fn a_sequential_id_tells_it_roughly() {
        let ms = 1_300_000_000_000;
        let told = created_at(issue(ms, 0, 0)).as_millisecond();
        assert!((told - ms).abs() < 1_000, "{told}");
    }

    #[test]
    fn every_known_id_and_time_lead_to_each_other() {
        for &Point { id, ms } in CALIBRATION.iter().filter(|point| point.ms < SNOWFLAKES_FROM_MS) {
            assert_eq!(issue(ms, 0, 0), id);
            assert_eq!(created_at(id).as_millisecond(), ms);
        }
    }

    #[test]
    fn between_two_known_ids_the_line_is_straight() {
        for pair in CALIBRATION.windows(2) {
            let middle = created_at(pair[0].id.midpoint(pair[1].id)).as_millisecond();
            // Half an id is the rounding of the middle.
            let per_id = (pair[1].ms - pair[0].ms) / (pair[1].id - pair[0].id) + 1;
            assert!((middle - pair[0].ms.midpoint(pair[1].ms)).abs() <= per_id, "{pair:?}");
        }
    }

    #[test]
    fn ids_beyond_the_known_ones_are_no_younger_than_the_last_sequential_one_can_be() {
        let (first, last) = (CALIBRATION[0], CALIBRATION[CALIBRATION.len() - 1]);
        assert_eq!(created_at(first.id - 1).as_millisecond(), first.ms);
        let told = created_at(FIRST_SNOWFLAKE - 1).as_millisecond();
        assert_eq!(told, last.ms.max(SNOWFLAKES_FROM_MS));
    }

    #[test]
    fn a_table_is_read_whatever_stands_beside_its_first_two_columns() {
        let points = read(
            "id,created_at,source\n12,2006-03-21T20:50:14Z,docs\n\n90,2007-01-01T00:00:00Z,\n",
        );
        let ids: Vec<i64> = points.iter().map(|point| point.id).collect();
        assert_eq!((ids, points[0].ms), (vec![12, 90], FIRST_ACCOUNT_MS));
    }

    #[test]
    #[should_panic(expected = "ids grow with time")]
    fn a_table_whose_times_do_not_grow_is_refused() {
        read("id,created_at\n12,2007-01-01T00:00:00Z\n90,2006-01-01T00:00:00Z\n");
    }

    #[test]
    fn ids_are_never_given_out_twice() {
        let first = issue(1_600_000_000_123, 5, 0);
        assert_eq!(issue(1_600_000_000_123, 5, first), first + 1);
    }
}
