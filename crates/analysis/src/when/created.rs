//! When an account was opened, as its id tells.
//!
//! Ids of X grow with time. Since February 2016 they are snowflakes, which contain the
//! millisecond. Older ones are sequential, and were given out between the neighbouring entries of
//! a table of ids whose time is public (`data/ids/calibration.csv`, which names its sources).
//!
//! From July 2012 on the sequential ids were given out three by three in two lanes, each of which
//! ascends by itself: of ids `n` from 700 million on, those with an even `n / 3` and those with an
//! odd one, which begin in October 2013. Of 3,940 ids with public times 0.3 % are out of order
//! within their lane, by at most 1.85 hours; without lanes a quarter of those since 2013 would be,
//! by up to 68 days. That there are two lanes is concluded from these data; nobody has said so.
//!
//! Ids of other networks are not told apart here: who asks must know that they are X's.

use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use snapshot::AccountId;

use super::Between;

/// Ids from here on are snowflakes; the smallest known is seven times as large.
const FIRST_SNOWFLAKE: i64 = 100_000_000_000_000_000;

/// The millisecond from which snowflakes count, 4 November 2010.
const SNOWFLAKE_EPOCH_MS: i64 = 1_288_834_974_657;

/// Bits of a snowflake below the time: ten of the server, twelve of a sequence.
const SNOWFLAKE_LOW_BITS: u32 = 22;

/// How long after its id was made an account's own `created_at` may be: at most 1,043 seconds of
/// 826 accounts, where it differs.
const OPENED_WITHIN: SignedDuration = SignedDuration::from_mins(20);

/// From where on sequential ids come in two lanes.
const FIRST_OF_LANES: i64 = 700_000_000;

/// Sequential ids are below it.
const LAST_SEQUENTIAL: i64 = 5_000_000_000;

/// How far sequential ids may be out of order; 6,653 seconds is the most that was seen.
const DISORDER: SignedDuration = SignedDuration::from_hours(2);

/// Sequential ids of one lane and when they were given out, ascending.
type Lane = Vec<(i64, Timestamp)>;

/// Both lanes; ids before there were two are in both.
static LANES: LazyLock<[Lane; 2]> = LazyLock::new(|| {
    // No later than the last sequential id, with a day to spare.
    let end = (LAST_SEQUENTIAL, Timestamp::constant(1_455_840_000, 0));
    let mut lanes = [Lane::new(), Lane::new()];
    for row in include_str!("../../../../data/ids/calibration.csv").lines().skip(1) {
        let mut fields = row.split(',');
        let id: Option<i64> = fields.next().and_then(|id| id.parse().ok());
        let time = fields.next().and_then(|time| time.parse().ok());
        let id = id.zip(time).expect("the table is part of the program, and tested");
        lanes[lane(id.0)].push(id);
    }
    for lane in &mut lanes {
        lane.push(end);
    }
    lanes
});

/// Which lane a sequential id is in.
const fn lane(id: i64) -> usize {
    if id >= FIRST_OF_LANES && id / 3 % 2 == 1 { 1 } else { 0 }
}

/// Whether the id contains its creation time.
pub const fn is_snowflake(id: AccountId) -> bool {
    id.get() >= FIRST_SNOWFLAKE
}

/// Between which moments the account with this id was opened; `None` for ids that X has not
/// given out, as far as is known.
///
/// A snowflake's account was opened within 20 minutes of the millisecond it contains. One with a
/// sequential id between the times of the neighbouring entries of the table, give or take two
/// hours; entries are a month apart, more in 2006. O(log entries).
pub fn created(id: AccountId) -> Option<Between> {
    if let Some(made) = made(id) {
        return Some(Between { earliest: made, latest: made + OPENED_WITHIN });
    }
    let lane = &LANES[lane(id.get())];
    let above = lane.partition_point(|(known, _)| *known < id.get());
    let (upper, latest) = *lane.get(above)?;
    let below = if upper == id.get() { Some(above) } else { above.checked_sub(1) };
    let earliest = match below {
        Some(below) => lane[below].1,
        // The first ids of all.
        None if id.get() < FIRST_OF_LANES => latest,
        None => return None,
    };
    Some(Between { earliest: earliest - DISORDER, latest: latest + DISORDER })
}

/// When a snowflake was made.
fn made(id: AccountId) -> Option<Timestamp> {
    if is_snowflake(id) { Timestamp::from_millisecond(made_ms(id)).ok() } else { None }
}

/// The millisecond in a snowflake.
const fn made_ms(id: AccountId) -> i64 {
    (id.get() >> SNOWFLAKE_LOW_BITS) + SNOWFLAKE_EPOCH_MS
}

/// The second before which the account was surely not opened, if its id tells.
pub(super) fn created_after(id: AccountId) -> Option<u32> {
    if is_snowflake(id) {
        return u32::try_from(made_ms(id) / 1000).ok();
    }
    u32::try_from(created(id)?.earliest.as_second()).ok()
}

/// About the second at which the account was opened, if its id tells, and the lane of a sequential
/// id: as if, between neighbouring entries of the table, ids had been given out evenly.
pub(super) fn created_about(id: AccountId) -> Option<(u32, Option<u32>)> {
    if is_snowflake(id) {
        return Some((created_after(id)?, None));
    }
    let number = lane(id.get());
    let lane = &LANES[number];
    let above = lane.partition_point(|(known, _)| *known < id.get());
    let (high, latest) = *lane.get(above)?;
    let below = above.checked_sub(1).or((id.get() < FIRST_OF_LANES).then_some(0))?;
    let (low, earliest) = lane[below];
    let (from, span) = (earliest.as_second(), latest.as_second() - earliest.as_second());
    let share = (i128::from(id.get() - low).max(0), i128::from((high - low).max(1)));
    let into = i64::try_from(i128::from(span) * share.0 / share.1).unwrap_or(0);
    Some((u32::try_from(from + into).ok()?, u32::try_from(number).ok()))
}

/// The last entry of a lane of the table that is no later than a second, less the disorder: the
/// bound for a sequential id of that lane which was given out about then.
pub(super) fn created_table(second: u32, lane: u32) -> u32 {
    let lane = &LANES[lane as usize];
    let later = lane.partition_point(|(_, time)| time.as_second() <= i64::from(second));
    let (_, time) = lane[later.saturating_sub(1)];
    u32::try_from((time - DISORDER).as_second()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(raw: i64) -> AccountId {
        AccountId::new(raw).unwrap()
    }

    #[test]
    fn the_table_ascends_in_both_lanes() {
        for lane in &*LANES {
            assert!(lane.len() > 30);
            assert!(lane.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1));
        }
    }

    #[test]
    fn the_table_says_of_each_row_which_lane_it_is_in() {
        for row in include_str!("../../../../data/ids/calibration.csv").lines().skip(1) {
            let fields: Vec<_> = row.split(',').collect();
            let found = lane(fields[0].parse().unwrap());
            assert!(fields[2] == "both" && found == 0 || fields[2] == found.to_string(), "{row}");
        }
    }

    #[test]
    fn a_snowflake_tells_its_millisecond() {
        let at = created(id(1_212_092_628_029_698_048)).unwrap().earliest;
        assert_eq!(at.as_millisecond(), 288_985_402_114 + 1_288_834_974_657);
    }

    #[test]
    fn public_ids_lie_where_they_say() {
        let table = include_str!("../../../../data/ids/public.csv");
        let (mut all, mut lanes, mut outside) = (0, 0, Vec::new());
        for row in table.lines().skip(1) {
            let (raw, time) = row.split_once(',').unwrap();
            let raw = raw.parse().unwrap();
            // Times are of whole seconds.
            let time: Timestamp = time.parse().unwrap();
            let second = Between { earliest: time, latest: time + SignedDuration::from_secs(1) };
            all += 1;
            lanes += lane(raw) * usize::from(raw < LAST_SEQUENTIAL);
            let between = created(id(raw)).unwrap();
            if between.and(second).is_none() {
                outside.push(row);
            }
        }
        assert!(all > 500 && lanes > 20, "{all} ids, {lanes} in the second lane");
        assert_eq!(outside, Vec::<&str>::new());
    }

    #[test]
    fn an_id_that_nobody_has_tells_nothing() {
        for raw in [LAST_SEQUENTIAL + 1, FIRST_SNOWFLAKE - 1, FIRST_OF_LANES - 1 + 6] {
            assert_eq!(created(id(raw)), None, "{raw}");
        }
        assert!(created(id(0)).is_some(), "before the first entry");
    }
}
