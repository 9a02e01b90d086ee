//! Who was in a list throughout, for a while, or never, while the world moved.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use simulator::{List, Presence, ServerConfig, World};

use crate::util::{busy, get, pass, serve_with, star_with_fans};

#[test]
fn a_stay_is_told_from_a_visit_and_an_absence() {
    let (mut world, star, fans) = star_with_fans(5);
    pass(&mut world, 60);
    let from = world.now();
    pass(&mut world, 60);
    world.unfollow(fans[1], star);
    world.suspend(fans[2]);
    pass(&mut world, 60);
    world.follow(fans[1], star);
    let to = world.now() + Duration::from_mins(1);
    pass(&mut world, 120);
    world.unfollow(fans[3], star);
    world.deactivate(fans[4]);
    let presence = |member| world.presence(star, List::Followers, member, from, to);
    assert_eq!(presence(fans[0]), Presence::Always);
    assert_eq!(presence(fans[1]), Presence::Sometimes, "left and came back");
    assert_eq!(presence(fans[2]), Presence::Sometimes, "hidden half-way");
    assert_eq!(presence(fans[3]), Presence::Always, "left only afterwards");
    assert_eq!(presence(fans[4]), Presence::Always, "hidden only afterwards");
    assert_eq!(presence(star), Presence::Never);
    let afterwards = |member| {
        world.presence(
            star,
            List::Followers,
            member,
            world.now() + Duration::from_secs(1),
            world.now(),
        )
    };
    assert_eq!(afterwards(fans[3]), Presence::Never);
    assert_eq!(
        world.presence(fans[0], List::Following, star, from, to),
        Presence::Always,
        "the other end of the same edge"
    );
}

#[test]
fn a_change_at_a_bound_counts_as_before_and_after() {
    let (mut world, star, fans) = star_with_fans(1);
    pass(&mut world, 60);
    let at = world.now();
    world.unfollow(fans[0], star);
    for (from, to) in
        [(at, at), (at, at + Duration::from_secs(9)), (at - Duration::from_secs(9), at)]
    {
        assert_eq!(world.presence(star, List::Followers, fans[0], from, to), Presence::Sometimes);
    }
}

/// The same question answered the slow way: the visible list at every moment of change.
#[test]
fn a_busy_world_agrees_with_states_taken_while_it_moved() {
    let mut world = World::new(busy(11));
    let star = world.watched()[0];
    pass(&mut world, 3_600);
    let list = |world: &World| -> BTreeSet<i64> {
        world.truth().followers(star).into_iter().map(|(id, _)| id).collect()
    };
    let from = world.now();
    let mut states = vec![list(&world)];
    while world.now() < from + Duration::from_hours(5) {
        world.advance_to(world.now() + Duration::from_secs(1));
        states.push(list(&world));
    }
    let to = world.now();
    pass(&mut world, 86_400);
    let mut expected: BTreeMap<i64, usize> = BTreeMap::new();
    for id in states.iter().flatten() {
        *expected.entry(*id).or_default() += 1;
    }
    let told = world.presences(star, List::Followers, from, to);
    let mut sometimes = 0;
    for (id, presence) in told {
        match expected.get(&id).copied().unwrap_or(0) {
            times if times == states.len() => assert_eq!(presence, Presence::Always, "{id}"),
            0 => assert_ne!(presence, Presence::Always, "{id}"),
            _ => {
                assert_eq!(presence, Presence::Sometimes, "{id}");
                sometimes += 1;
            }
        }
    }
    assert!(sometimes > 5, "too quiet to prove anything: {sometimes}");
}

#[tokio::test]
async fn people_come_and_go_between_the_pages_of_one_crawl() {
    let world = World::new(busy(11));
    let star = world.watched()[0];
    let page_step = Duration::from_hours(6);
    let server = serve_with(world, ServerConfig { page_step, ..Default::default() }).await;
    let (mut rows, mut at) = (BTreeSet::new(), String::new());
    loop {
        let path = format!("/2/users/{star}/followers?max_results=50{at}");
        let page = get(&server, &path).await;
        rows.extend(page.v2_ids());
        let json = page.json();
        let Some(next) = json["meta"]["next_token"].as_str() else { break };
        at = format!("&pagination_token={next}");
    }
    let log = server.requests();
    let times: Vec<_> = log.iter().map(|record| record.world_at).collect();
    assert!(times.windows(2).all(|pair| pair[0] + page_step == pair[1]), "{times:?}");
    let (from, to) = (times[0], times[times.len() - 1]);
    let presences = server.with_world(|world| world.presences(star, List::Followers, from, to));
    for (id, presence) in &presences {
        match presence {
            Presence::Always => assert!(rows.contains(id), "{id} was there throughout"),
            Presence::Never => assert!(!rows.contains(id), "{id} was never there"),
            Presence::Sometimes => {}
        }
    }
    assert!(rows.iter().all(|id| presences.contains_key(id)));
    let moved = presences.values().filter(|&&presence| presence == Presence::Sometimes).count();
    assert!(moved > 10, "too quiet to prove anything: {moved}");
}
