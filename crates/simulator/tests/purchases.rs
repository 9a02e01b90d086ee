//! Bought followers: who they are, when they come, and that the rest of the world is as it was.

use std::collections::HashSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use simulator::{
    Buyer, Cause, DeliveryOrder, EventKind, List, Purchase, Stock, World, WorldConfig, created_at,
    truth_json,
};

use crate::util::{busy, pass, small, start};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Made within three days, two hundred days before.
const BATCH: Stock =
    Stock::Batch { age: Duration::from_hours(200 * 24), within: Duration::from_hours(72) };

/// Eighty followers within ten hours, `days` after the beginning.
fn purchase(days: i64, stock: Stock, order: DeliveryOrder) -> Purchase {
    let at = start() + SignedDuration::from_hours(24 * days);
    Purchase { buyer: Buyer::Rank(0), count: 80, at, over: 10 * HOUR, stock, order }
}

fn world_with(purchases: impl Into<Vec<Purchase>>, config: WorldConfig) -> World {
    World::new(WorldConfig { purchases: purchases.into(), ..config })
}

fn opened(world: &World, ids: &[i64]) -> Vec<Timestamp> {
    ids.iter().map(|&id| world.user(id).unwrap().created_at).collect()
}

/// Whoever was bought by the most followed account, having seen that deliveries are in time.
fn delivered(world: &World, purchase: &Purchase) -> Vec<i64> {
    let buyer = world.watched()[0];
    let arrivals = world.truth().arrivals(buyer, Cause::Bought);
    let in_time = purchase.at..=purchase.at + purchase.over;
    assert!(arrivals.iter().all(|(_, at)| in_time.contains(at)));
    let bought = world.truth().bought(buyer);
    assert!(bought.iter().eq(arrivals.iter().map(|(id, _)| id)));
    bought
}

#[test]
fn a_batch_was_opened_within_its_period() {
    for days in [-30, 40] {
        let order = purchase(days, BATCH, DeliveryOrder::Shuffled);
        let mut world = world_with([order.clone()], busy(4));
        world.advance_to(start() + 60 * DAY);
        let bought = delivered(&world, &order);
        assert_eq!(bought.len(), 80);
        let (from, to) = (order.at - 200 * DAY, order.at - 197 * DAY);
        assert!(opened(&world, &bought).iter().all(|at| (from..=to).contains(at)));
        let told = bought.iter().map(|&id| created_at(id));
        assert!(told.into_iter().all(|at| (from..=to + HOUR).contains(&at)), "the ids tell it too");
    }
}

#[test]
fn a_delivery_in_the_order_of_creation_is_a_stripe() {
    for days in [-30, 20] {
        let [stripe, shuffled] =
            [DeliveryOrder::ByCreation, DeliveryOrder::Shuffled].map(|order| {
                let order = purchase(days, BATCH, order);
                let mut world = world_with([order.clone()], small(4));
                world.advance_to(start() + 30 * DAY);
                opened(&world, &delivered(&world, &order))
            });
        assert!(stripe.is_sorted());
        let rises = shuffled.windows(2).filter(|pair| pair[0] <= pair[1]).count();
        assert!((25..55).contains(&rises), "{rises} of 79 by chance");
    }
}

#[test]
fn an_aged_stock_is_as_old_as_everybody() {
    let order = Purchase { count: 300, ..purchase(-30, Stock::Aged, DeliveryOrder::Shuffled) };
    let world = world_with([order.clone()], small(4));
    let bought = delivered(&world, &order);
    let mut all: Vec<Timestamp> = world.users().take(600).map(|user| user.created_at).collect();
    all.sort_unstable();
    let mut ages = opened(&world, &bought);
    ages.sort_unstable();
    // The largest distance of the two empirical distributions (Kolmogorov and Smirnov); its
    // value at the level of one in a thousand is 1.95 √(1/300 + 1/600).
    let below = |times: &[Timestamp], t| {
        times.partition_point(|&time| time <= t) as f64 / times.len() as f64
    };
    let distances = all.iter().map(|&t| (below(&all, t) - below(&ages, t)).abs());
    let distance = distances.fold(0.0, f64::max);
    assert!(distance < 1.95 * (1.0 / 300.0 + 1.0 / 600.0_f64).sqrt(), "{distance}");
}

#[test]
fn the_rest_of_the_history_is_as_it_was_without_them() {
    let plain = World::new(small(4));
    let order = purchase(-30, BATCH, DeliveryOrder::Shuffled);
    let world = world_with([Purchase { buyer: Buyer::Rank(2), ..order }], small(4));
    assert_eq!(world.watched(), plain.watched(), "nobody rises by it");
    let (buyer, mut total) = (world.watched()[2], 0);
    for user in plain.users() {
        assert_eq!(world.user(user.id), Some(user));
        let bought: HashSet<i64> = world.truth().bought(user.id).into_iter().collect();
        let mut followers = world.truth().followers_all(user.id);
        followers.retain(|(id, _)| !bought.contains(id));
        assert_eq!(followers, plain.truth().followers_all(user.id));
        total += bought.len();
        assert_eq!(bought.len() == 80, user.id == buyer);
    }
    assert!(total > 80, "sold to others too");
}

#[test]
fn bought_accounts_follow_buyers_only_and_stay() {
    let orders = [
        purchase(-30, BATCH, DeliveryOrder::Shuffled),
        purchase(10, Stock::Aged, DeliveryOrder::Shuffled),
    ];
    let mut world = world_with(orders, busy(4));
    let organic: HashSet<i64> = World::new(busy(4)).users().map(|user| user.id).collect();
    pass(&mut world, 60 * 86_400);
    let buyer = world.watched()[0];
    let bought = world.truth().bought(buyer);
    assert_eq!(bought.len(), 160);
    let followers: HashSet<i64> =
        world.truth().followers(buyer).into_iter().map(|(id, _)| id).collect();
    let mut follows = 0;
    for &id in &bought {
        assert!(!organic.contains(&id));
        assert!(followers.contains(&id), "neither left nor hidden");
        let spells = world.truth().spells(id, List::Following);
        assert!(spells.iter().all(|spell| spell.cause == Cause::Bought));
        assert!((1..=4).contains(&spells.len()), "{}", spells.len());
        follows += spells.len();
    }
    assert!(follows > 160 * 3 / 2, "{follows}");
}

#[test]
fn nobody_else_counts_as_bought() {
    let mut world = World::new(busy(4));
    pass(&mut world, 10 * 86_400);
    assert!(world.users().all(|user| world.truth().bought(user.id).is_empty()));
}

#[test]
fn accounts_made_after_the_beginning_join_before_they_follow() {
    let stock = Stock::Batch { age: 5 * DAY, within: 2 * DAY };
    let order = purchase(20, stock, DeliveryOrder::ByCreation);
    let mut world = world_with([order.clone()], small(4));
    let before = world.users().count();
    world.advance_to(order.at - DAY);
    assert!(world.truth().bought(world.watched()[0]).is_empty());
    assert!(world.users().count() >= before + 80);
    world.advance_to(order.at + 2 * DAY);
    let bought = delivered(&world, &order);
    assert_eq!(bought.len(), 80);
    let mut joined = HashSet::new();
    for event in world.events() {
        match event.kind {
            EventKind::Joined { id } => drop(joined.insert(id)),
            EventKind::Followed { a, .. } if bought.contains(&a) => assert!(joined.contains(&a)),
            _ => {}
        }
    }
    assert!(bought.iter().all(|id| joined.contains(id)));
}

#[test]
fn a_seller_can_deliver_the_same_accounts_twice() {
    let first = purchase(-30, BATCH, DeliveryOrder::Shuffled);
    let second = Purchase {
        buyer: Buyer::Rank(1),
        count: 50,
        at: first.at + DAY,
        stock: Stock::SameAs(0),
        ..first.clone()
    };
    let world = world_with([first, second], small(4));
    let [one, other] = [0, 1].map(|rank| world.truth().bought(world.watched()[rank]));
    assert_eq!((one.len(), other.len()), (80, 50));
    assert!(other.iter().all(|id| one.contains(id)));
}

#[test]
fn a_purchase_by_id_is_that_of_the_same_account_by_rank() {
    let by_rank = purchase(-30, BATCH, DeliveryOrder::Shuffled);
    let world = world_with([by_rank.clone()], small(4));
    let by_id = Purchase { buyer: Buyer::Id(world.watched()[0]), ..by_rank };
    let other = world_with([by_id], small(4));
    let bought = |world: &World| world.truth().bought(world.watched()[0]);
    assert_eq!(bought(&world), bought(&other));
}

#[test]
fn one_step_delivers_the_same_as_many() {
    let orders = || {
        [
            purchase(3, BATCH, DeliveryOrder::Shuffled),
            purchase(5, Stock::Batch { age: 3 * DAY, within: DAY }, DeliveryOrder::ByCreation),
        ]
    };
    let (mut one, mut many) = (world_with(orders(), busy(4)), world_with(orders(), busy(4)));
    pass(&mut one, 8 * 86_400);
    for _ in 0..8 * 24 {
        pass(&mut many, 3600);
    }
    assert_eq!(one.events(), many.events());
    assert_eq!(one.truth().bought(one.watched()[0]).len(), 160);
}

#[test]
fn the_dump_tells_who_was_bought_and_says_nothing_where_nobody_was() {
    let order = purchase(-30, BATCH, DeliveryOrder::Shuffled);
    let world = world_with([order], small(4));
    let dump = serde_json::to_value(truth_json(&world, world.watched())).unwrap();
    let bought = dump["accounts"][0]["bought"].as_array().unwrap();
    let ids: Vec<i64> =
        bought.iter().map(|row| row["id"].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(ids, world.truth().bought(world.watched()[0]));
    assert!(bought[0]["at"].is_string());
    assert!(dump["accounts"][1].get("bought").is_none());
}

#[test]
#[should_panic(expected = "no watched account of rank 9")]
fn a_buyer_that_is_not_there_is_refused() {
    let order = purchase(-30, BATCH, DeliveryOrder::Shuffled);
    world_with([Purchase { buyer: Buyer::Rank(9), ..order }], small(4));
}
