//! Purges hide automated accounts at once, from all lists and follow dates alike.

use std::collections::HashSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use simulator::{
    Buyer, Churn, DeliveryOrder, EventKind, List, Purchase, Purge, Standing, Stock, World,
    WorldConfig, truth_json,
};

use crate::util::{pass, small, start};

const DAY: u64 = 86_400;

/// A world at rest but for a purge on the third day.
fn purged(config: WorldConfig, share: f64) -> (World, Timestamp) {
    let at = config.start + SignedDuration::from_hours(72);
    let purges = vec![Purge { at, share }];
    let mut world = World::new(WorldConfig { purges, churn: Churn::NONE, ..config });
    pass(&mut world, 10 * DAY);
    (world, at)
}

#[test]
fn a_purge_suspends_its_share_of_the_automated_accounts_at_one_moment() {
    let (world, at) = purged(WorldConfig { start: start(), ..WorldConfig::default() }, 0.6);
    let before = World::new(WorldConfig { start: start(), ..WorldConfig::default() });
    let in_reach = before
        .users()
        .filter(|user| user.is_visible() && before.truth().is_bot_like(user.id))
        .filter(|user| !before.watched().contains(&user.id))
        .count() as f64;
    let purged = world.truth().purged();
    let error = (0.6 * 0.4 / in_reach).sqrt();
    let share = purged.len() as f64 / in_reach;
    assert!((share - 0.6).abs() < 4.0 * error, "{share} ± {error}");
    for &(id, then) in &purged {
        assert!(then == at && world.truth().is_bot_like(id));
        assert_eq!(world.user(id).unwrap().standing, Standing::Suspended);
    }
    let told = world.events().iter().map(|event| match event.kind {
        EventKind::Suspended { id } => (id, event.at),
        other => panic!("{other:?}"),
    });
    assert!(told.eq(purged));
}

#[test]
fn a_purge_takes_from_early_and_late_followers_of_every_account_alike() {
    let (world, _) = purged(WorldConfig { start: start(), ..WorldConfig::default() }, 1.0);
    let purged: HashSet<i64> = world.truth().purged().into_iter().map(|(id, _)| id).collect();
    let share = |members: &[(i64, Timestamp)]| {
        let gone = members.iter().filter(|(id, _)| purged.contains(id)).count() as f64;
        let share = gone / members.len() as f64;
        (share, share * (1.0 - share) / members.len() as f64)
    };
    let mut shares = Vec::new();
    for &id in &world.watched()[..3] {
        let all = world.truth().followers_all(id);
        let (late, early) = all.split_at(all.len() / 2);
        let ((late, late_var), (early, early_var)) = (share(late), share(early));
        assert!((late - early).abs() < 4.0 * (late_var + early_var).sqrt(), "{late} {early}");
        shares.push(share(&all));
    }
    for pair in shares.windows(2) {
        let apart = (pair[0].0 - pair[1].0).abs();
        assert!(apart < 4.0 * (pair[0].1 + pair[1].1).sqrt(), "{shares:?}");
    }
}

#[test]
fn bought_followers_go_together() {
    let order = Purchase {
        buyer: Buyer::Rank(0),
        count: 60,
        at: start() - SignedDuration::from_hours(24 * 30),
        over: Duration::from_hours(10),
        stock: Stock::Aged,
        order: DeliveryOrder::Shuffled,
    };
    let (world, at) = purged(WorldConfig { purchases: vec![order], ..small(4) }, 1.0);
    let buyer = world.watched()[0];
    let bought = world.truth().bought(buyer);
    assert_eq!(bought.len(), 60, "who is hidden was still bought");
    let spells = world.truth().spells(buyer, List::Followers);
    let spells = spells.iter().filter(|spell| bought.contains(&spell.member));
    assert!(spells.into_iter().all(|spell| spell.hidden[0].from == at && spell.left_at.is_none()));
}

#[test]
fn purges_also_happen_by_chance() {
    let churn = Churn { purge: 0.2, purge_share: 0.1, ..Churn::NONE };
    let mut world = World::new(WorldConfig { churn, ..small(4) });
    pass(&mut world, 50 * DAY);
    let moments: HashSet<Timestamp> =
        world.truth().purged().into_iter().map(|(_, at)| at).collect();
    // Ten on average; a Poisson count below 2 or above 25 comes once in 2,000 times.
    assert!((2..=25).contains(&moments.len()), "{}", moments.len());
}

#[test]
fn the_dump_tells_of_purges_only_where_there_were_some() {
    let (world, at) = purged(small(4), 0.5);
    let dump = serde_json::to_value(truth_json(&world, &[])).unwrap();
    let rows = dump["purged"].as_array().unwrap();
    assert_eq!(rows.len(), world.truth().purged().len());
    assert_eq!(rows[0]["at"].as_str().unwrap().parse::<Timestamp>().unwrap(), at);
    let plain = serde_json::to_value(truth_json(&World::new(small(4)), &[])).unwrap();
    assert!(plain.get("purged").is_none());
}
