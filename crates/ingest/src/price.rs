//! What the network charges: a dated table, because prices change.

use std::collections::HashSet;

use jiff::civil::{Date, date};
use snapshot::AccountId;

use crate::SourceKind;

/// Millionths of a US dollar in a dollar.
pub(crate) const MICRO_USD: f64 = 1_000_000.0;

/// Prices of the X API v2, per returned user. v1.1 has none: its contracts are flat.
///
/// X says that it charges a user once a day however often it is returned; that is not
/// reckoned with, so what is counted here is the most that can be charged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Prices {
    /// When the table was right.
    pub as_of: Date,
    /// For each returned user, in millionths of a US dollar.
    pub user_micro_usd: i64,
    /// The same for lists of the app owner's own accounts.
    pub own_user_micro_usd: i64,
    /// The app owner's own accounts.
    pub own_accounts: HashSet<AccountId>,
}

impl Default for Prices {
    /// X's price list of 20 April 2026, with no account that is one's own.
    fn default() -> Self {
        Self {
            as_of: date(2026, 4, 20),
            user_micro_usd: 10_000,
            own_user_micro_usd: 1_000,
            own_accounts: HashSet::new(),
        }
    }
}

impl Prices {
    /// What so many users of an account's list cost; none if the source has no price.
    pub fn list(&self, kind: SourceKind, account: AccountId, users: u64) -> Option<i64> {
        let own = self.own_accounts.contains(&account);
        let each = if own { self.own_user_micro_usd } else { self.user_micro_usd };
        times(kind, each, users)
    }

    /// What looking up so many users costs; none if the source has no price.
    pub fn look_up(&self, kind: SourceKind, users: u64) -> Option<i64> {
        times(kind, self.user_micro_usd, users)
    }
}

fn times(kind: SourceKind, each: i64, users: u64) -> Option<i64> {
    match kind {
        SourceKind::XV1 => None,
        SourceKind::XV2 => Some(each.saturating_mul(i64::try_from(users).unwrap_or(i64::MAX))),
    }
}

/// Whole millionths from dollars as people write them; none if it is no amount of money.
pub fn micro_usd(dollars: f64) -> Option<i64> {
    let micro = (dollars * MICRO_USD).round();
    // Beyond 2^53 a float has no cents left.
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (0.0..9.0e15).contains(&micro).then_some(micro as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_followers_cost_ten_thousand_dollars() {
        let (prices, one) = (Prices::default(), AccountId::from(1));
        let dollars = prices.list(SourceKind::XV2, one, 1_000_000).unwrap() / 1_000_000;
        assert_eq!(dollars, 10_000);
        assert_eq!(prices.list(SourceKind::XV1, one, 1_000_000), None);
        let own = Prices { own_accounts: [one].into(), ..Prices::default() };
        assert_eq!(own.list(SourceKind::XV2, one, 1_000_000), Some(1_000_000_000));
        assert_eq!(own.look_up(SourceKind::XV2, 3), Some(30_000));
    }

    #[test]
    fn dollars_become_whole_millionths() {
        assert_eq!(micro_usd(0.001), Some(1000));
        assert_eq!(micro_usd(12.34), Some(12_340_000));
        assert_eq!(micro_usd(0.0), Some(0));
        for bad in [-1.0, f64::NAN, f64::INFINITY, 1e10] {
            assert_eq!(micro_usd(bad), None, "{bad}");
        }
    }
}
