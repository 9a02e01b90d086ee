//! A built world: the shape of its lists, the consistency of its times, its counters.

use std::collections::HashSet;

use simulator::{Standing, World, WorldConfig, created_at, is_snowflake};

use crate::util::small;

fn ids(list: &[(i64, jiff::Timestamp)]) -> Vec<i64> {
    list.iter().map(|&(id, _)| id).collect()
}

#[test]
fn audiences_fall_from_the_largest_to_the_smallest() {
    let world = World::new(WorldConfig::default());
    let sizes: Vec<usize> =
        world.watched().iter().map(|&id| world.truth().followers_all(id).len()).collect();
    assert_eq!(sizes.len(), 12);
    assert!((8_000..8_050).contains(&sizes[0]), "{sizes:?}");
    assert!((30..80).contains(&sizes[11]), "{sizes:?}");
    assert!(sizes.is_sorted_by(|a, b| a >= b || b - a < 50), "{sizes:?}");
}

#[test]
fn watched_accounts_share_followers_and_follow_back() {
    let world = World::new(WorldConfig::default());
    let (first, second) = (world.watched()[0], world.watched()[1]);
    let audience = |id| ids(&world.truth().followers(id)).into_iter().collect::<HashSet<_>>();
    let common = audience(first).intersection(&audience(second)).count();
    assert!(common > 500, "{common} in common");
    let with_mutuals = world.watched().iter().filter(|&&id| {
        let followers = audience(id);
        world.truth().following(id).iter().any(|(other, _)| followers.contains(other))
    });
    assert!(with_mutuals.count() >= 10);
}

#[test]
fn some_members_follow_nearly_every_watched_account() {
    let world = World::new(WorldConfig::default());
    let all: Vec<i64> =
        world.watched().iter().flat_map(|&id| ids(&world.truth().followers_all(id))).collect();
    let times = |member| all.iter().filter(|&&id| id == member).count();
    let most = ids(&world.truth().followers_all(world.watched()[11]))
        .into_iter()
        .map(times)
        .max()
        .unwrap();
    assert!(most >= 9, "{most} of 12");
}

#[test]
fn nobody_follows_before_both_accounts_exist_or_twice_or_themselves() {
    let world = World::new(small(3));
    for user in world.users() {
        let followers = world.truth().followers_all(user.id);
        let distinct: HashSet<i64> = ids(&followers).into_iter().collect();
        assert_eq!(distinct.len(), followers.len());
        assert!(!distinct.contains(&user.id));
        for (member, at) in followers {
            let member = world.user(member).unwrap();
            assert!(at >= user.created_at && at >= member.created_at);
            assert!(at <= world.now());
        }
    }
}

#[test]
fn lists_are_newest_first_and_both_sides_agree() {
    let world = World::new(small(3));
    for &id in world.watched() {
        let followers = world.truth().followers_all(id);
        assert!(followers.is_sorted_by(|newer, older| newer.1 >= older.1));
        for (member, at) in followers {
            assert!(world.truth().following_all(member).contains(&(id, at)));
        }
    }
}

#[test]
fn a_third_of_the_ids_exceed_what_a_float_holds() {
    let world = World::new(WorldConfig::default());
    let (mut large, mut all, mut last) = (0, 0, 0);
    for user in world.users() {
        assert!(user.id > last, "ids grow with time");
        last = user.id;
        all += 1;
        large += usize::from(user.id > 1 << 53);
        if is_snowflake(user.id) {
            let apart = created_at(user.id).as_millisecond() - user.created_at.as_millisecond();
            assert!(apart.abs() <= 1, "{apart} ms");
        }
    }
    assert!((all * 30 / 100..all * 42 / 100).contains(&large), "{large} of {all}");
    assert!(world.users().next().unwrap().id < 100);
}

#[test]
fn some_accounts_are_hidden_or_private_but_no_watched_one() {
    let world = World::new(WorldConfig::default());
    let count = |standing| world.users().filter(|user| user.standing == standing).count();
    assert!((150..350).contains(&count(Standing::Suspended)));
    assert!((90..240).contains(&count(Standing::Deactivated)));
    let private = world.users().filter(|user| user.protected).count();
    assert!((900..1300).contains(&private), "{private}");
    let watched = world.watched().iter().filter_map(|&id| world.user(id));
    assert!(watched.into_iter().all(|user| user.is_visible() && !user.protected));
}

#[test]
fn names_are_unique_without_regard_to_case() {
    let world = World::new(WorldConfig::default());
    for user in world.users().step_by(97) {
        let shouted = user.username.to_uppercase();
        assert_eq!(world.user_by_name(&shouted).map(|found| found.id), Some(user.id));
    }
}

#[test]
fn tiny_and_odd_configurations_still_make_a_world() {
    for (users, watched, largest_audience) in [(2, 0, 0), (2, 12, 10), (40, 12, 1000), (50, 1, 0)] {
        let world = World::new(WorldConfig { users, watched, largest_audience, ..small(1) });
        assert_eq!(world.users().count(), users);
        let mut later = world.clone();
        later.advance_to(world.now() + std::time::Duration::from_hours(30 * 24));
    }
}
