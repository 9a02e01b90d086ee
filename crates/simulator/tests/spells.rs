//! Every stay in a list, with its exact times: what a question about time is held against.

use jiff::Timestamp;
use simulator::{Cause, Churn, List, Spell, World, WorldConfig};

use crate::util::{busy, pass, small, star_with_fans};

const DAY: u64 = 86_400;

/// A list as it was, hidden accounts left out and included.
type Looks = [Vec<(i64, Timestamp)>; 2];

fn look(world: &World, id: i64, list: List) -> Looks {
    let truth = world.truth();
    match list {
        List::Followers => [truth.followers(id), truth.followers_all(id)],
        List::Following => [truth.following(id), truth.following_all(id)],
    }
}

/// The same from spells, which were taken much later.
fn replay(spells: &[Spell], at: Timestamp) -> Looks {
    let rows = |there: fn(&Spell, Timestamp) -> bool| {
        let there = spells.iter().filter(|spell| there(spell, at));
        there.map(|spell| (spell.member, spell.followed_at)).collect()
    };
    [rows(Spell::shows), rows(Spell::stands)]
}

#[test]
fn spells_give_every_list_at_every_moment_it_was_looked_at() {
    for seed in 0..6 {
        let mut world = World::new(busy(seed));
        let accounts = world.watched().to_vec();
        let mut looks = Vec::new();
        for hours in [0, 1, 7, 24, 25, 100, 300] {
            pass(&mut world, hours * 3600 + seed);
            for &id in &accounts {
                for list in [List::Followers, List::Following] {
                    looks.push((world.now(), id, list, look(&world, id, list)));
                }
            }
        }
        let mut hidden = 0;
        for (at, id, list, seen) in looks {
            let told = replay(&world.truth().spells(id, list), at);
            hidden += seen[1].len() - seen[0].len();
            assert_eq!(told, seen, "seed {seed}, {id} at {at}");
        }
        assert!(hidden > 100, "{hidden}");
    }
}

#[test]
fn a_moment_of_an_event_is_after_it() {
    let mut world = World::new(busy(2));
    let id = world.watched()[0];
    let mut seen = Vec::new();
    pass(&mut world, 2 * DAY);
    let times: Vec<Timestamp> = world.events().iter().map(|event| event.at).collect();
    let mut again = World::new(busy(2));
    for &at in &times {
        again.advance_to(at);
        seen.push((at, look(&again, id, List::Followers)));
    }
    let spells = world.truth().spells(id, List::Followers);
    assert!(seen.len() > 100);
    for (at, seen) in seen {
        assert_eq!(replay(&spells, at), seen, "{at}");
    }
}

#[test]
fn who_leaves_and_comes_back_has_two_spells() {
    let (mut world, star, fans) = star_with_fans(1);
    let first = world.now();
    pass(&mut world, 60);
    let left = world.now();
    world.unfollow(fans[0], star);
    pass(&mut world, 60);
    world.follow(fans[0], star);
    let spells = world.truth().spells(star, List::Followers);
    let times: Vec<_> = spells.iter().map(|s| (s.member, s.followed_at, s.left_at)).collect();
    assert_eq!(times, [(fans[0], world.now(), None), (fans[0], first, Some(left))]);
    assert_eq!(world.truth().spells(fans[0], List::Following).len(), 2, "the other end");
}

#[test]
fn a_visit_that_nobody_could_have_seen_is_told() {
    let (mut world, star, _) = star_with_fans(0);
    let visitor = world.add_user("visitor");
    world.follow(visitor, star);
    world.unfollow(visitor, star);
    let spells = world.truth().spells(star, List::Followers);
    assert_eq!(spells[0].left_at, Some(spells[0].followed_at));
    assert!(!spells[0].stands(world.now()));
}

#[test]
fn a_member_is_hidden_within_its_spell_only() {
    let (mut world, star, fans) = star_with_fans(3);
    let tick = |world: &mut World| {
        pass(world, 60);
        world.now()
    };
    let hid = tick(&mut world);
    world.suspend(fans[0]);
    world.deactivate(fans[1]);
    let left = tick(&mut world);
    world.unfollow(fans[1], star);
    let came_back = tick(&mut world);
    world.reinstate(fans[0]);
    world.reactivate(fans[1]);
    let hid_again = tick(&mut world);
    world.suspend(fans[0]);
    let hidden = |fan| -> Vec<_> {
        let spells = world.truth().spells(star, List::Followers);
        let spell = spells.into_iter().find(|spell| spell.member == fan).unwrap();
        spell.hidden.into_iter().map(|hidden| (hidden.from, hidden.until)).collect()
    };
    assert_eq!(hidden(fans[0]), [(hid, Some(came_back)), (hid_again, None)]);
    assert_eq!(hidden(fans[1]), [(hid, Some(left))], "the follow ended first");
    assert_eq!(hidden(fans[2]), []);
}

#[test]
fn who_was_hidden_at_the_beginning_was_hidden_since() {
    let config = WorldConfig {
        suspended_share: 0.2,
        churn: Churn { reinstate: 1.0, ..Churn::NONE },
        ..small(3)
    };
    let mut world = World::new(config);
    let (start, id) = (world.now(), world.watched()[0]);
    pass(&mut world, 5 * DAY);
    let spells = world.truth().spells(id, List::Followers);
    let hidden: Vec<_> = spells.iter().flat_map(|spell| &spell.hidden).collect();
    assert!(hidden.iter().all(|hidden| hidden.from == start));
    assert!(hidden.iter().any(|hidden| hidden.until.is_some()), "some have returned");
    assert!(hidden.iter().any(|hidden| hidden.until.is_none()), "some have not");
}

#[test]
fn a_burst_is_told_from_followers_who_come_by_themselves() {
    let churn = Churn { burst: 0.1, burst_size: 0.2, follow: 0.01, ..Churn::NONE };
    let mut world = World::new(WorldConfig { churn, ..small(3) });
    let start = world.now();
    pass(&mut world, 20 * DAY);
    let all = |world: &World| -> Vec<Spell> {
        let watched = world.watched().iter();
        watched.flat_map(|&id| world.truth().spells(id, List::Followers)).collect()
    };
    let new: Vec<Spell> = all(&world).into_iter().filter(|s| s.followed_at > start).collect();
    let burst: Vec<&Spell> = new.iter().filter(|spell| spell.cause == Cause::Burst).collect();
    assert!(burst.len() >= 10, "{}", burst.len());
    assert!(new.iter().any(|spell| spell.cause == Cause::Organic));
    let mut quiet = World::new(WorldConfig { churn: Churn { burst: 0.0, ..churn }, ..small(3) });
    pass(&mut quiet, 20 * DAY);
    assert!(all(&quiet).iter().all(|spell| spell.cause == Cause::Organic));
}
