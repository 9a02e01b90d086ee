//! Who followed back, who broke a mutual follow, and who flowed from one account to another.

use std::collections::{BTreeMap, BTreeSet};

use analysis::engine::{Memory, Stream};
use analysis::{Diff, MutualChange, Observation, Party, diff, flows, mutual_changes};
use jiff::Timestamp;
use simulator::Spell;
use snapshot::{AccountId, List};

use crate::crawls::{Reading, crawl, crawl_of, id, lively, stays, wait};

const SEEDS: u64 = 120;

type Ids = BTreeSet<AccountId>;

/// The members of a list, by way of comparing it with an empty one.
fn members(list: &Observation) -> Ids {
    let nobody = Observation::complete(list.account(), list.list(), []).unwrap();
    diff(&nobody, list, &Memory).unwrap().gained.into_iter().map(|c| c.member).collect()
}

fn both([followers, following]: &[Observation; 2]) -> Ids {
    members(followers).intersection(&members(following)).copied().collect()
}

fn who(changes: &[MutualChange]) -> Ids {
    changes.iter().map(|change| change.member).collect()
}

/// The latest stay that had begun by a moment.
fn latest(stays: Option<&Vec<Spell>>, at: Timestamp) -> Option<&Spell> {
    stays?.iter().find(|stay| stay.followed_at <= at)
}

#[test]
fn mutual_changes_are_those_of_sets_and_blame_is_right() {
    let (mut blamed, mut wrong) = (BTreeMap::<_, u64>::new(), 0);
    for seed in 0..SEEDS {
        let mut world = lively(seed);
        let account = world.watched()[0];
        let mut read = || List::ALL.map(|list| crawl_of(&mut world, account, list, Reading::WHOLE));
        let before = read();
        wait(&mut world, 14);
        let mut read = || List::ALL.map(|list| crawl_of(&mut world, account, list, Reading::WHOLE));
        let after = read();
        let found = mutual_changes(before.each_ref(), after.each_ref(), &Stream).unwrap();
        let (had, has) = (both(&before), both(&after));
        assert_eq!(who(&found.gained), has.difference(&had).copied().collect());
        assert_eq!(who(&found.broken), had.difference(&has).copied().collect());
        assert_eq!((found.opening, found.closing), (had.len() as u64, has.len() as u64));

        let truth = List::ALL.map(|list| stays(&world, account, list));
        let at = after[1].crawl().finished_at;
        for change in &found.gained {
            let of = |list: usize| latest(truth[list].get(&change.member), at).unwrap();
            let (follower, following) = (of(0).followed_at, of(1).followed_at);
            let began = before[0].crawl().started_at;
            *blamed.entry(("gained", change.by.name())).or_default() += 1;
            wrong += u64::from(match change.by {
                Party::Member => follower < following,
                Party::Account => following < follower,
                Party::Returned => follower > began && following > began,
                Party::Both | Party::Unknown => false,
            });
        }
        for change in &found.broken {
            let gone = |list: usize| {
                latest(truth[list].get(&change.member), at).is_none_or(|stay| !stay.shows(at))
            };
            *blamed.entry(("broken", change.by.name())).or_default() += 1;
            wrong += u64::from(match change.by {
                Party::Member => !gone(0),
                Party::Account => !gone(1),
                Party::Both | Party::Returned | Party::Unknown => !gone(0) || !gone(1),
            });
        }
    }
    println!("mutual changes: {blamed:?}, wrong: {wrong}");
    let all: u64 = blamed.values().sum();
    assert!(all > 1000 && wrong * 100 <= all, "{wrong} of {all}");
}

#[test]
fn flows_are_who_one_lost_and_another_gained() {
    let mut total = 0;
    for seed in 0..10 {
        let mut world = lively(seed);
        let watched = world.watched().to_vec();
        let mut read = || -> Vec<_> {
            watched.iter().map(|account| crawl(&mut world, *account, Reading::WHOLE)).collect()
        };
        let before = read();
        wait(&mut world, 60);
        let mut read = || -> Vec<_> {
            watched.iter().map(|account| crawl(&mut world, *account, Reading::WHOLE)).collect()
        };
        let after = read();
        let diffs: Vec<Diff> = before
            .iter()
            .zip(&after)
            .map(|(before, after)| diff(before, after, &Memory).unwrap())
            .collect();
        let found = flows(&diffs);
        let mut expected = BTreeMap::new();
        for (from, one) in watched.iter().enumerate() {
            for (to, other) in watched.iter().enumerate() {
                let lost: Ids =
                    members(&before[from]).difference(&members(&after[from])).copied().collect();
                let gained = members(&after[to]);
                let gained: Ids = gained.difference(&members(&before[to])).copied().collect();
                // Those who had followed before and were hidden did not come.
                let truth = stays(&world, *other, List::Followers);
                let came = |member: &&AccountId| {
                    let began = before[to].crawl().started_at;
                    truth[*member].iter().any(|stay| stay.followed_at > began)
                };
                let flow: Vec<_> = lost.intersection(&gained).filter(came).copied().collect();
                if !flow.is_empty() {
                    total += flow.len();
                    expected.insert((id(*one), id(*other)), flow);
                }
            }
        }
        let found: BTreeMap<_, _> =
            found.into_iter().map(|flow| ((flow.from, flow.to), flow.members)).collect();
        assert_eq!(found, expected, "seed {seed}");
    }
    assert!(total > 100, "{total} members flowed");
}
