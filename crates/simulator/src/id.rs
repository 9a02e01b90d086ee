//! Account ids of the two generations: sequential until 2015, snowflakes since.
//!
//! Both grow with the creation time. A snowflake contains it; for sequential ids there is
//! only a calibration table, rounded from publicly known ids.

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

/// Unix milliseconds and the sequential id given out around then.
const CALIBRATION: [(i64, i64); 11] = [
    (FIRST_ACCOUNT_MS, 12),
    (1_167_609_600_000, 690_000),
    (1_199_145_600_000, 11_900_000),
    (1_230_768_000_000, 18_500_000),
    (1_262_304_000_000, 101_000_000),
    (1_293_840_000_000, 232_000_000),
    (1_325_376_000_000, 452_000_000),
    (1_356_998_400_000, 1_058_000_000),
    (1_388_534_400_000, 2_270_000_000),
    (1_420_070_400_000, 2_958_000_000),
    (SNOWFLAKES_FROM_MS, 4_700_000_000),
];

/// Whether the id carries its creation time.
pub fn is_snowflake(id: i64) -> bool {
    id >= FIRST_SNOWFLAKE
}

/// When the account with this id was opened: exact for snowflakes, within days for older ids.
pub fn created_at(id: i64) -> Timestamp {
    timestamp(if is_snowflake(id) {
        (id >> SNOWFLAKE_LOW_BITS) + SNOWFLAKE_EPOCH_MS
    } else {
        interpolate(id, |&(ms, id)| (id, ms))
    })
}

/// The id for an account opened at this millisecond, given all lower ids up to `last`.
///
/// `salt` fills the low bits of a snowflake.
pub(crate) fn issue(created_ms: i64, salt: u64, last: i64) -> i64 {
    let natural = if created_ms < SNOWFLAKES_FROM_MS {
        interpolate(created_ms, |&point| point)
    } else {
        let worker = i64::from(u16::try_from(salt % 1024).unwrap_or(0)) << 12;
        ((created_ms - SNOWFLAKE_EPOCH_MS) << SNOWFLAKE_LOW_BITS) | worker
    };
    natural.max(last + 1)
}

/// Piecewise linear through the calibration table, read in either direction.
fn interpolate(x: i64, axes: impl Fn(&(i64, i64)) -> (i64, i64)) -> i64 {
    let right = CALIBRATION.partition_point(|point| axes(point).0 <= x);
    let right = right.clamp(1, CALIBRATION.len() - 1);
    let (x0, y0) = axes(&CALIBRATION[right - 1]);
    let (x1, y1) = axes(&CALIBRATION[right]);
    let x = x.clamp(x0, x1);
    let rise = i128::from(y1 - y0) * i128::from(x - x0) / i128::from(x1 - x0);
    y0 + i64::try_from(rise).expect("between two table entries")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_with_the_creation_time() {
        let times = (0..240).map(|month| FIRST_ACCOUNT_MS + month * 30 * 86_400_000);
        let ids: Vec<i64> = times.map(|ms| issue(ms, 7, 0)).collect();
        assert!(ids.is_sorted());
        assert_eq!(ids[0], 12);
        assert!(ids.iter().all(|&id| id < 5_000_000_000 || is_snowflake(id)));
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
    fn ids_are_never_given_out_twice() {
        let first = issue(1_600_000_000_123, 5, 0);
        assert_eq!(issue(1_600_000_000_123, 5, first), first + 1);
    }
}
