//! How long follows last: at a constant rate per edge, by the count of a whole list, and those
//! that only wanted to be followed back.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use simulator::{Cause, Churn, List, Spell, World, WorldConfig};

use crate::util::{busy, pass, small};

const DAY: u64 = 86_400;

/// Two thousand edges to a few watched accounts, all of them visible.
fn crowd(seed: u64, churn: Churn) -> WorldConfig {
    WorldConfig {
        users: 4_000,
        watched: 2,
        largest_audience: 1_200,
        smallest_audience: 800,
        suspended_share: 0.0,
        deactivated_share: 0.0,
        churn,
        ..small(seed)
    }
}

fn spells(world: &World) -> Vec<Spell> {
    let watched = world.watched().iter();
    watched.flat_map(|&id| world.truth().spells(id, List::Followers)).collect()
}

fn days(time: SignedDuration) -> f64 {
    time.as_secs_f64() / 86_400.0
}

/// Ends per day that edges stood between two moments, and its standard error when ends are
/// independent of each other.
fn hazard<'a>(
    spells: impl IntoIterator<Item = &'a Spell>,
    from: Timestamp,
    to: Timestamp,
) -> (f64, f64) {
    let (mut ends, mut stood) = (0.0, 0.0);
    for spell in spells {
        let left = spell.left_at.unwrap_or(Timestamp::MAX);
        stood += days(left.min(to).duration_since(spell.followed_at.max(from))).max(0.0);
        ends += f64::from(u8::from((from..to).contains(&left)));
    }
    (ends / stood, f64::sqrt(ends) / stood)
}

/// Within four standard errors: by chance once in 16,000 times.
fn assert_near((told, error): (f64, f64), truth: f64) {
    assert!((told - truth).abs() < 4.0 * error, "{told} ± {error}, not {truth}");
}

#[test]
fn leaving_has_a_constant_hazard_whatever_the_age_of_a_follow_and_the_length_of_its_list() {
    let churn = Churn { leave: 0.03, follow: 0.1, ..Churn::NONE };
    for seed in 0..4 {
        let mut world = World::new(crowd(seed, churn));
        let start = world.now();
        pass(&mut world, 40 * DAY);
        let spells = spells(&world);
        let (old, new): (Vec<Spell>, Vec<Spell>) =
            spells.iter().cloned().partition(|spell| spell.followed_at < start);
        assert!(new.len() > 2_000, "{}", new.len());
        assert_near(hazard(&old, start, world.now()), 0.03);
        assert_near(hazard(&new, start, world.now()), 0.03);
        for week in 0..5 {
            let from = start + Duration::from_secs(week * 7 * DAY);
            assert_near(hazard(&spells, from, from + Duration::from_secs(7 * DAY)), 0.03);
        }
    }
}

#[test]
fn lifetimes_are_exponential() {
    let mut world = World::new(crowd(1, Churn { leave: 0.05, ..Churn::NONE }));
    let start = world.now();
    pass(&mut world, 60 * DAY);
    let spells = spells(&world);
    for day in [1.0, 5.0, 20.0, 50.0] {
        let at = start + SignedDuration::from_secs_f64(day * 86_400.0);
        let all = spells.len() as f64;
        let lasting = spells.iter().filter(|spell| spell.stands(at)).count() as f64;
        let share = f64::exp(-0.05 * day);
        assert_near((lasting / all, (share * (1.0 - share) / all).sqrt()), share);
    }
}

#[test]
fn unfollows_of_a_list_that_grows_become_rarer_for_each_edge() {
    let mut world = World::new(crowd(1, Churn { unfollow: 0.03, follow: 0.1, ..Churn::NONE }));
    let start = world.now();
    pass(&mut world, 30 * DAY);
    let spells = spells(&world);
    let week = Duration::from_secs(7 * DAY);
    let early = hazard(&spells, start, start + week);
    let late = hazard(&spells, world.now() - week, world.now());
    assert!(early.0 - early.1 * 4.0 > late.0 + late.1 * 4.0, "{early:?} {late:?}");
}

#[test]
fn a_hidden_follower_does_not_leave() {
    let mut world = World::new(crowd(1, Churn { leave: 1.0, ..Churn::NONE }));
    let star = world.watched()[0];
    let fans: Vec<i64> = world.truth().followers(star).into_iter().map(|(id, _)| id).collect();
    let hidden = &fans[..40];
    for &id in hidden {
        assert!(world.suspend(id));
    }
    pass(&mut world, 30 * DAY);
    let mut left: Vec<i64> =
        world.truth().followers_all(star).into_iter().map(|(id, _)| id).collect();
    left.retain(|id| fans.contains(id));
    assert_eq!(left, hidden);
    for &id in hidden {
        assert!(world.reinstate(id));
    }
    pass(&mut world, 30 * DAY);
    assert!(hidden.iter().all(|&id| !world.truth().follows(id, star)));
}

#[test]
fn a_follow_made_by_hand_ends_like_any_other() {
    let mut world = World::new(crowd(1, Churn { leave: 1.0, ..Churn::NONE }));
    let (star, fan) = (world.watched()[0], world.add_user("fan"));
    world.follow(fan, star);
    pass(&mut world, 30 * DAY);
    assert!(!world.truth().follows(fan, star));
}

#[test]
fn who_left_may_come_back() {
    let churn = Churn { leave: 0.1, refollow: 1.0, ..Churn::NONE };
    let mut world = World::new(crowd(1, churn));
    pass(&mut world, 60 * DAY);
    let twice = spells(&world).len() - spells(&World::new(crowd(1, churn))).len();
    assert!(twice > 1_000, "{twice}");
}

#[test]
fn farming_followers_leave_within_five_days() {
    let churn = Churn { farm: 0.4, follow: 0.05, ..Churn::NONE };
    let mut world = World::new(crowd(2, churn));
    let start = world.now();
    pass(&mut world, 30 * DAY);
    let star = world.watched()[0];
    let new: Vec<Spell> = world.truth().spells(star, List::Followers);
    let new: Vec<&Spell> = new.iter().filter(|spell| spell.followed_at >= start).collect();
    let (farmed, rest): (Vec<&Spell>, Vec<&Spell>) =
        new.iter().partition(|spell| spell.cause == Cause::Farmed);
    let all = new.len() as f64;
    assert_near((farmed.len() as f64 / all, (0.4 * 0.6 / all).sqrt()), 0.4);
    assert!(rest.iter().all(|spell| spell.left_at.is_none()), "nobody else leaves here");
    for spell in &farmed {
        let lasted = spell.left_at.map(|left| days(left.duration_since(spell.followed_at)));
        let is_young = days(world.now().duration_since(spell.followed_at)) < 5.0;
        let back = world.truth().follows(star, spell.member);
        assert!(lasted.map_or(is_young || back, |days| (0.5..5.001).contains(&days)), "{spell:?}");
    }
    let told = world.truth().farmed(star);
    assert!(told.into_iter().eq(farmed.iter().rev().map(|spell| spell.member)));
}

#[test]
fn a_farming_follower_who_is_followed_back_stays() {
    let churn = Churn { farm: 1.0, follow: 0.05, ..Churn::NONE };
    let mut world = World::new(crowd(2, churn));
    pass(&mut world, DAY * 2 / 5);
    let star = world.watched()[0];
    let farmed = world.truth().farmed(star);
    assert!(farmed.len() >= 10, "{}", farmed.len());
    let (lucky, others) = farmed.split_at(farmed.len() / 2);
    for &id in lucky {
        world.follow(star, id);
    }
    pass(&mut world, 6 * DAY);
    // Who left may come again, hence the first stay of each.
    let spells = world.truth().spells(star, List::Followers);
    let first = |id| spells.iter().rev().find(|spell| spell.member == id && farmed.contains(&id));
    let has_left = |&id: &i64| first(id).is_some_and(|spell| spell.left_at.is_some());
    assert!(!lucky.iter().any(has_left));
    for id in others {
        assert!(has_left(id) || world.truth().follows(star, *id), "{id} was not followed back");
    }
    assert!(others.iter().any(has_left));
}

#[test]
fn one_step_does_the_same_as_many_edge_by_edge_too() {
    let base = busy(5);
    let churn = Churn { leave: 0.05, farm: 0.3, purge: 0.5, purge_share: 0.2, ..base.churn };
    let config = || WorldConfig { churn, ..base.clone() };
    let (mut one, mut many) = (World::new(config()), World::new(config()));
    pass(&mut one, 6 * DAY);
    for _ in 0..6 * 24 {
        pass(&mut many, 3600);
    }
    assert_eq!(one.events(), many.events());
    assert_eq!(spells(&one), spells(&many));
    assert!(spells(&one).iter().any(|spell| spell.cause == Cause::Farmed));
    assert!(!one.truth().purged().is_empty());
}
