//! How the world changes: by hand, and by itself, the same every time.

use std::collections::HashMap;

use jiff::Timestamp;
use simulator::{EventKind, Standing, World};

use crate::util::{busy, pass, star_with_fans};

const DAY: u64 = 86_400;

fn followers(world: &World, id: i64) -> Vec<i64> {
    world.truth().followers(id).into_iter().map(|(id, _)| id).collect()
}

#[test]
fn followers_stand_newest_first() {
    let (world, star, fans) = star_with_fans(3);
    assert_eq!(followers(&world, star), [fans[2], fans[1], fans[0]]);
    let newest = world.truth().followers(star)[0].1;
    assert_eq!(newest, world.now());
}

#[test]
fn a_refollow_goes_to_the_head() {
    let (mut world, star, fans) = star_with_fans(3);
    assert!(world.unfollow(fans[0], star));
    assert!(world.follow(fans[0], star));
    assert_eq!(followers(&world, star), [fans[0], fans[2], fans[1]]);
}

#[test]
fn a_suspended_account_returns_to_its_place() {
    returns_to_its_place(World::suspend, World::reinstate);
}

#[test]
fn a_deactivated_account_returns_to_its_place() {
    returns_to_its_place(World::deactivate, World::reactivate);
}

fn returns_to_its_place(
    hide: impl Fn(&mut World, i64) -> bool,
    show: impl Fn(&mut World, i64) -> bool,
) {
    let (mut world, star, fans) = star_with_fans(3);
    assert!(hide(&mut world, fans[1]));
    assert_eq!(followers(&world, star), [fans[2], fans[0]]);
    assert_eq!(world.truth().followers_all(star).len(), 3);
    assert!(show(&mut world, fans[1]));
    assert_eq!(followers(&world, star), [fans[2], fans[1], fans[0]]);
}

#[test]
fn what_changes_nothing_is_no_event() {
    let (mut world, star, fans) = star_with_fans(2);
    let before = world.events().len();
    assert!(!world.follow(star, star), "oneself");
    assert!(!world.follow(fans[0], star), "twice");
    assert!(!world.unfollow(star, fans[0]), "no such edge");
    assert!(!world.reinstate(star), "not suspended");
    assert!(!world.unprotect(star), "not protected");
    assert!(!world.rename(star, "FAN1"), "taken");
    assert_eq!(world.events().len(), before);
}

#[test]
fn many_follows_within_one_millisecond_keep_their_order() {
    let (mut world, star, _) = star_with_fans(0);
    let late: Vec<i64> = (0..50).map(|n| world.add_user(&format!("late{n}"))).collect();
    for &fan in &late {
        world.follow(fan, star);
    }
    assert_eq!(followers(&world, star), late.iter().rev().copied().collect::<Vec<_>>());
    assert!(world.truth().followers(star).iter().all(|&(_, at)| at == world.now()));
}

#[test]
fn a_renamed_account_keeps_its_id() {
    let (mut world, star, _) = star_with_fans(0);
    assert!(world.rename(star, "Nova"));
    assert_eq!(world.user_by_name("nova").map(|user| user.id), Some(star));
    assert!(world.user_by_name("star").is_none());
    assert!(world.rename(star, "NOVA"), "a change of case is a change");
}

#[test]
fn the_same_seed_gives_the_same_truth() {
    let at = |seed| {
        let mut world = World::new(busy(seed));
        pass(&mut world, 3 * DAY);
        state(&world)
    };
    assert_eq!(at(5), at(5));
    assert_ne!(at(5), at(6));
}

#[test]
fn one_step_does_the_same_as_many() {
    let (mut one, mut many) = (World::new(busy(5)), World::new(busy(5)));
    pass(&mut one, 4 * DAY);
    for _ in 0..4 * 24 * 4 {
        pass(&mut many, 900);
    }
    assert!(one.events().len() > 100, "{} events", one.events().len());
    assert_eq!(one.events(), many.events());
    assert_eq!(state(&one), state(&many));
}

#[test]
fn time_does_not_run_backwards() {
    let mut world = World::new(busy(5));
    let now = world.now();
    world.advance_to(now - std::time::Duration::from_secs(9));
    assert_eq!(world.now(), now);
}

#[test]
fn every_kind_of_event_happens_and_in_order() {
    let mut world = World::new(busy(5));
    pass(&mut world, 30 * DAY);
    assert!(world.events().is_sorted_by_key(|event| event.at));
    let mut kinds: HashMap<_, usize> = HashMap::new();
    for event in world.events() {
        *kinds.entry(std::mem::discriminant(&event.kind)).or_default() += 1;
    }
    assert_eq!(kinds.len(), 10, "kinds seen");
}

#[test]
fn replaying_the_events_from_the_beginning_gives_the_current_lists() {
    let beginning = World::new(busy(8));
    let mut world = beginning.clone();
    pass(&mut world, 20 * DAY);
    let mut replayed = state(&beginning);
    for event in world.events() {
        replay(&mut replayed, event.at, event.kind);
    }
    assert_eq!(replayed, state(&world));
}

#[test]
fn every_edge_is_in_both_lists_after_all_that_churn() {
    let mut world = World::new(busy(8));
    pass(&mut world, 20 * DAY);
    for user in world.users() {
        for (followed, at) in world.truth().following_all(user.id) {
            assert!(world.truth().followers_all(followed).contains(&(user.id, at)));
        }
    }
}

/// All that the law speaks of: follower lists with their times, newest first, and who is how.
#[derive(Debug, PartialEq)]
struct State {
    followers: HashMap<i64, Vec<(i64, Timestamp)>>,
    standing: HashMap<i64, Standing>,
    protected: HashMap<i64, bool>,
}

fn state(world: &World) -> State {
    let followers = world.users().map(|user| (user.id, world.truth().followers_all(user.id)));
    State {
        followers: followers.collect(),
        standing: world.users().map(|user| (user.id, user.standing)).collect(),
        protected: world.users().map(|user| (user.id, user.protected)).collect(),
    }
}

fn replay(state: &mut State, at: Timestamp, kind: EventKind) {
    match kind {
        EventKind::Followed { a, b } => state.followers.get_mut(&b).unwrap().insert(0, (a, at)),
        EventKind::Unfollowed { a, b } => {
            state.followers.get_mut(&b).unwrap().retain(|&(member, _)| member != a);
        }
        EventKind::Suspended { id } => drop(state.standing.insert(id, Standing::Suspended)),
        EventKind::Deactivated { id } => drop(state.standing.insert(id, Standing::Deactivated)),
        EventKind::Reinstated { id } | EventKind::Reactivated { id } => {
            state.standing.insert(id, Standing::Active);
        }
        EventKind::Protected { id } => drop(state.protected.insert(id, true)),
        EventKind::Unprotected { id } => drop(state.protected.insert(id, false)),
        EventKind::Joined { id } => {
            state.followers.insert(id, Vec::new());
            state.standing.insert(id, Standing::Active);
            state.protected.insert(id, false);
        }
        _ => {}
    }
}
