//! What a batch may spend, kept to before the request and not after it.
//!
//! A page is paid for by what comes back, which is known too late. So the most that it can
//! cost is set aside first, and what was not used is given back; a request that would not fit
//! waits for what others give back, and is not sent if nothing is left.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// Limits of one call of [`run`](crate::run): none is exceeded, whatever happens.
///
/// An answer that was lost on its way counts as charged, since nobody can know. A redirect or
/// the renewal of a token is no request here. They are for one session. What a job that was gone on with has cost in all stands in its
/// journal, and in its run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Budget {
    /// Money, in millionths of a US dollar.
    pub cost_micro_usd_max: Option<i64>,
    /// Requests, those that fail included.
    pub requests_max: Option<u64>,
    /// Time, waiting included.
    pub time_max: Option<Duration>,
}

/// The limit that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    Money,
    Requests,
}

/// Keeps the accounts of a session.
#[derive(Debug)]
pub(crate) struct Purse {
    limits: Budget,
    accounts: Mutex<Accounts>,
    changed: Notify,
}

#[derive(Clone, Copy, Debug, Default)]
struct Accounts {
    cost: i64,
    set_aside: i64,
    requests: u64,
    /// Requests that have money set aside.
    open: u32,
}

impl Purse {
    pub(crate) fn new(limits: Budget) -> Self {
        Self { limits, accounts: Mutex::default(), changed: Notify::new() }
    }

    /// Sets aside what a request can cost at most, and counts the request, which must be
    /// sent at once then.
    ///
    /// # Errors
    /// If a limit does not allow it, and nothing that is under way can change that.
    pub(crate) async fn set_aside(&self, most: i64) -> Result<SetAside<'_>, Spent> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut accounts = self.lock();
                if self.limits.requests_max.is_some_and(|max| accounts.requests >= max) {
                    return Err(Spent::Requests);
                }
                let after = accounts.cost + accounts.set_aside + most;
                if self.limits.cost_micro_usd_max.is_none_or(|max| after <= max) {
                    accounts.set_aside += most;
                    accounts.requests += 1;
                    accounts.open += 1;
                    return Ok(SetAside { purse: self, most, cost: 0 });
                }
                if accounts.open == 0 {
                    return Err(Spent::Money);
                }
            }
            changed.await;
        }
    }

    /// Whether so much money fits into the limit of a session that has spent nothing.
    pub(crate) fn could_ever(&self, most: i64) -> bool {
        self.limits.cost_micro_usd_max.is_none_or(|max| most <= max)
    }

    /// Requests so far.
    pub(crate) fn requests(&self) -> u64 {
        self.lock().requests
    }

    /// Money so far, in millionths of a US dollar.
    pub(crate) fn cost(&self) -> i64 {
        self.lock().cost
    }

    fn lock(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Money for one request. What is not spent is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct SetAside<'a> {
    purse: &'a Purse,
    most: i64,
    cost: i64,
}

impl SetAside<'_> {
    /// The answer has come, and cost this much.
    pub(crate) fn spend(mut self, cost: i64) {
        self.cost = cost;
    }
}

impl Drop for SetAside<'_> {
    fn drop(&mut self) {
        let mut accounts = self.purse.lock();
        accounts.set_aside -= self.most;
        accounts.cost += self.cost;
        accounts.open -= 1;
        drop(accounts);
        self.purse.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purse(money: i64, requests: u64) -> Purse {
        let (cost_micro_usd_max, requests_max) = (Some(money), Some(requests));
        Purse::new(Budget { cost_micro_usd_max, requests_max, time_max: None })
    }

    #[tokio::test]
    async fn the_last_request_is_the_last_that_fits_whole() {
        let purse = purse(25, 100);
        for _ in 0..2 {
            purse.set_aside(10).await.unwrap().spend(10);
        }
        assert_eq!(purse.set_aside(10).await.unwrap_err(), Spent::Money);
        assert_eq!((purse.cost(), purse.requests()), (20, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_answer_leaves_over_lets_another_go() {
        let purse = purse(10, 100);
        let first = purse.set_aside(10).await.unwrap();
        let second = async { purse.set_aside(7).await.map(drop) };
        let answer = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            first.spend(3);
        };
        assert_eq!(tokio::join!(second, answer).0, Ok(()));
        assert_eq!(purse.set_aside(8).await.unwrap_err(), Spent::Money);
    }

    #[tokio::test]
    async fn a_request_that_fails_counts_and_costs_nothing() {
        let purse = purse(1_000, 1);
        drop(purse.set_aside(1).await.unwrap());
        assert_eq!(purse.set_aside(1).await.unwrap_err(), Spent::Requests);
        assert_eq!((purse.cost(), purse.requests()), (0, 1));
    }
}
