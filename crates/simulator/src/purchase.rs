//! Bought followers: what is ordered, and the accounts and deliveries that it comes to.
//!
//! After what was found of a real seller, Confessore et al., "The Follower Factory", The New
//! York Times, 27 January 2018: bought accounts follow few others, mostly other buyers, and
//! some were delivered in the order in which they had been made, which shows as a stripe where
//! follower rank is plotted against creation date.
//!
//! Bought accounts do nothing by themselves: they neither leave nor are hidden by chance, and only a
//! [`Purge`](crate::Purge) reaches them. All others do what they would have done without them,
//! but for the chance drawn over lists that now hold more rows.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::config::WorldConfig;
use crate::dice::{Dice, mix, whole};
use crate::id;
use crate::user::Ix;
use crate::world::World;

/// Other buyers whom the accounts of one purchase were sold to, and the share of the accounts
/// that each of them got.
const OTHER_BUYERS: usize = 3;
const OTHER_BUYERS_SHARE: f64 = 0.5;

/// An account is a second old at least before it follows.
const REST_MS: i64 = 1000;

/// Followers that someone pays for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// Who buys.
    pub buyer: Buyer,
    /// How many are delivered.
    pub count: usize,
    /// When the deliveries begin: before the world's beginning, then they are part of its
    /// history, or after.
    pub at: Timestamp,
    /// Over how long they spread; each comes at any moment of it, as likely as at any other.
    pub over: Duration,
    /// What accounts are delivered.
    pub stock: Stock,
    /// In which order.
    pub order: DeliveryOrder,
}

/// Who buys followers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Buyer {
    /// The account at this place of [`World::watched`], 0 being the first.
    Rank(usize),
    /// The account with this id.
    Id(i64),
}

/// What accounts a seller delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stock {
    /// Made for sale: opened within a period of this length, which began this long before the
    /// first delivery, and at least a second before it.
    Batch {
        /// From the beginning of the period to the first delivery.
        age: Duration,
        /// How long the period was.
        within: Duration,
    },
    /// Of mixed ages: opened when the other accounts of this world were that existed a day before
    /// the first delivery, so that creation dates tell nothing.
    Aged,
    /// The accounts of an earlier purchase, by its place in [`WorldConfig::purchases`], once
    /// more; no more than it has.
    SameAs(usize),
}

/// In which order accounts are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum DeliveryOrder {
    /// In none.
    #[default]
    Shuffled,
    /// The oldest account first.
    ByCreation,
}

/// All purchases of a world, as accounts to open and follows to make. Accounts are numbered in
/// the order of `opened_ms`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orders {
    /// When each account is opened.
    pub(crate) opened_ms: Vec<i64>,
    /// Each account once per buyer at most, and not before it is opened.
    pub(crate) deliveries: Vec<Delivery>,
}

/// One bought follow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery {
    pub(crate) due_ms: i64,
    /// The number of the bought account.
    pub(crate) account: usize,
    pub(crate) buyer: Ix,
}

impl Orders {
    /// Draws what the purchases of the configuration come to, in a world whose accounts are open
    /// and whose watched ones are in their order.
    ///
    /// # Panics
    ///
    /// If a purchase has no such buyer, is older than its buyer's account, or names no earlier one.
    pub(crate) fn draw(world: &World, config: &WorldConfig) -> Self {
        let mut orders = Self::default();
        let mut dice = Dice::new(mix(config.seed, 2));
        let mut stocks: Vec<Vec<usize>> = Vec::new();
        for purchase in &config.purchases {
            let stock = orders.stock(world, purchase, &stocks, &mut dice);
            orders.deliver(world, purchase, &stock, &mut dice);
            stocks.push(stock);
        }
        let mut known = HashSet::new();
        orders.deliveries.retain(|delivery| known.insert((delivery.account, delivery.buyer)));
        orders
    }

    /// The numbers of the accounts that a purchase delivers.
    fn stock(
        &mut self,
        world: &World,
        purchase: &Purchase,
        earlier: &[Vec<usize>],
        dice: &mut Dice,
    ) -> Vec<usize> {
        let at_ms = purchase.at.as_millisecond();
        let opened_ms: Vec<i64> = match purchase.stock {
            Stock::SameAs(place) => {
                let stock = earlier.get(place).unwrap_or_else(|| panic!("no purchase {place} yet"));
                return stock.iter().copied().take(purchase.count).collect();
            }
            Stock::Batch { age, within } => {
                let from_ms = at_ms.saturating_sub(millis(age)).max(id::FIRST_ACCOUNT_MS);
                let moment = |_| from_ms + whole(dice.unit() * millis(within) as f64);
                let moments = (0..purchase.count).map(moment);
                moments.map(|ms| ms.min(at_ms - REST_MS)).collect()
            }
            Stock::Aged => {
                let opened = |user: &crate::User| user.created_at.as_millisecond();
                let models: Vec<i64> = world.users().map(opened).collect();
                let old = models.partition_point(|&ms| ms < at_ms - crate::clock::DAY_MS).max(1);
                (0..purchase.count).map(|_| models[dice.below(old)] + REST_MS).collect()
            }
        };
        let first = self.opened_ms.len();
        self.opened_ms.extend(opened_ms);
        (first..self.opened_ms.len()).collect()
    }

    /// Dates the deliveries of a stock, to the buyer and to others.
    fn deliver(&mut self, world: &World, purchase: &Purchase, stock: &[usize], dice: &mut Dice) {
        let (buyer, at_ms) = (buyer(world, purchase.buyer), purchase.at.as_millisecond());
        let opened_ms = |ix: Ix| world.user_at(ix).created_at.as_millisecond();
        assert!(at_ms > opened_ms(buyer), "a purchase is older than its buyer");
        let others = other_buyers(world, at_ms, dice);
        let mut stock = stock.to_vec();
        let over = millis(purchase.over) as f64;
        let mut due: Vec<i64> = stock.iter().map(|_| at_ms + whole(dice.unit() * over)).collect();
        if purchase.order == DeliveryOrder::ByCreation {
            // Both sorted: the first moment is that of the oldest account.
            due.sort_unstable();
            stock.sort_by_key(|&account| self.opened_ms[account]);
        }
        for (account, due_ms) in stock.into_iter().zip(due) {
            let due_ms = due_ms.max(self.opened_ms[account] + REST_MS);
            self.deliveries.push(Delivery { due_ms, account, buyer });
            for &buyer in &others {
                if dice.chance(OTHER_BUYERS_SHARE) {
                    let due_ms = due_ms + 1 + whole(dice.unit() * over);
                    self.deliveries.push(Delivery { due_ms, account, buyer });
                }
            }
        }
    }
}

fn buyer(world: &World, buyer: Buyer) -> Ix {
    let id = match buyer {
        Buyer::Id(id) => id,
        Buyer::Rank(rank) => *world
            .watched()
            .get(rank)
            .unwrap_or_else(|| panic!("no watched account of rank {rank}")),
    };
    world.expect(id)
}

/// A few accounts that nobody watches, opened a day before the purchase at least.
fn other_buyers(world: &World, at_ms: i64, dice: &mut Dice) -> Vec<Ix> {
    let mut others = Vec::new();
    for _ in 0..OTHER_BUYERS * 4 {
        let ix = Ix::new(dice.below(world.len()));
        let user = world.user_at(ix);
        let is_old = user.created_at.as_millisecond() < at_ms - crate::clock::DAY_MS;
        let fits = is_old && user.is_visible() && !world.watched().contains(&user.id);
        if fits && others.len() < OTHER_BUYERS && !others.contains(&ix) {
            others.push(ix);
        }
    }
    others
}

/// A duration in milliseconds, saturating.
fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
