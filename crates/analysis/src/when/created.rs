//! When an account was opened, as its id tells.
//!
//! Ids of X grow with time. Since 2016 they are snowflakes, which contain the millisecond.
//! Older ones are sequential, and were given out between the neighbouring entries of a table of
//! accounts whose opening is public (`data/ids/calibration.csv`, which names its sources).
//!
//! Ids of other networks are not told apart here: who asks must know that they are X's.

use std::sync::LazyLock;

use jiff::Timestamp;
use snapshot::AccountId;

use super::Between;

/// Ids from here on are snowflakes; no sequential id comes near.
const FIRST_SNOWFLAKE: i64 = 1 << 50;

/// The millisecond from which snowflakes count, 4 November 2010.
const SNOWFLAKE_EPOCH_MS: i64 = 1_288_834_974_657;

/// Bits of a snowflake below the time: ten of the server, twelve of a sequence.
const SNOWFLAKE_LOW_BITS: u32 = 22;

/// Sequential ids and when they were given out, both ascending.
static CALIBRATION: LazyLock<Vec<(i64, Timestamp)>> = LazyLock::new(|| {
    let rows = include_str!("../../../../data/ids/calibration.csv").lines().skip(1);
    rows.map(|row| {
        let mut fields = row.split(',');
        let id = fields.next().and_then(|id| id.parse().ok());
        let time = fields.next().and_then(|time| time.parse().ok());
        id.zip(time).expect("the table is part of the program, and tested")
    })
    .collect()
});

/// Whether the id contains its creation time.
pub const fn is_snowflake(id: AccountId) -> bool {
    id.get() >= FIRST_SNOWFLAKE
}

/// Between which moments the account with this id was opened; `None` for ids that X has not
/// given out, as far as is known: above the last sequential one and below all snowflakes.
///
/// Exact to the millisecond for snowflakes. For sequential ids the two moments are those of the
/// neighbouring entries of the table, and hold as far as ids were given out in order.
/// O(log entries).
pub fn created(id: AccountId) -> Option<Between> {
    if is_snowflake(id) {
        let ms = (id.get() >> SNOWFLAKE_LOW_BITS) + SNOWFLAKE_EPOCH_MS;
        let at = Timestamp::from_millisecond(ms).ok()?;
        return Some(Between { earliest: at, latest: at });
    }
    let above = CALIBRATION.partition_point(|(known, _)| *known < id.get());
    let (upper, latest) = *CALIBRATION.get(above)?;
    let below = if upper == id.get() { above } else { above.saturating_sub(1) };
    Some(Between { earliest: CALIBRATION[below].1, latest })
}

/// The second before which the account was surely not opened, if its id tells.
pub(super) fn created_after(id: i64) -> Option<u32> {
    if id >= FIRST_SNOWFLAKE {
        let ms = (id >> SNOWFLAKE_LOW_BITS) + SNOWFLAKE_EPOCH_MS;
        return u32::try_from(ms / 1000).ok();
    }
    let between = created(AccountId::new(id)?)?;
    u32::try_from(between.earliest.as_second()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(raw: i64) -> AccountId {
        AccountId::new(raw).unwrap()
    }

    #[test]
    fn the_table_ascends_in_both_columns() {
        assert!(CALIBRATION.len() > 2);
        assert!(CALIBRATION.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1));
        assert!(CALIBRATION.iter().all(|(id, _)| *id < FIRST_SNOWFLAKE));
    }

    #[test]
    fn a_snowflake_tells_its_millisecond() {
        // From X's own announcement of the format: (id >> 22) + 1288834974657.
        let at = created(id(1_212_092_628_029_698_048)).unwrap();
        assert_eq!(at.earliest, at.latest);
        assert_eq!(at.earliest.as_millisecond(), 288_985_402_114 + 1_288_834_974_657);
    }

    #[test]
    fn a_sequential_id_lies_between_its_neighbours_in_the_table() {
        for pair in CALIBRATION.windows(2) {
            let [(low, from), (high, until)] = [pair[0], pair[1]];
            let middle = created(id(i64::midpoint(low, high)));
            let (earliest, latest) = (from, until);
            assert!(high - low < 2 || middle == Some(Between { earliest, latest }));
            assert_eq!(created(id(low)).unwrap().earliest, from);
        }
    }

    #[test]
    fn an_id_that_nobody_has_tells_nothing() {
        assert_eq!(created(id(FIRST_SNOWFLAKE - 1)), None);
        assert!(created(id(0)).is_some(), "before the first entry");
    }
}
