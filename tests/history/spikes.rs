//! Purges and other steps at which lists lose far more than usual.
//!
//! In simulated networks the network hides an eighth of all accounts on one day, and on another
//! the newest quarter of one audience leaves.

use std::time::Duration;

use analysis::history::{Spike, spikes};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use simulator::{World, WorldConfig};
use snapshot::{AccountId, List, Store, WriterOptions};

use super::truth::{crawl, in_memory};
use super::updated;

const SEEDS: u64 = 24;
const CRAWLS: u32 = 22;
const PURGE: u32 = 12;
const EXODUS: u32 = 18;

/// The spikes of four lists, and the account that a quarter leaves.
fn seed(seed: u64) -> (Vec<Spike>, AccountId) {
    let folder = in_memory();
    let store = Store::create(folder.path()).unwrap();
    let mut world = World::new(WorldConfig {
        seed,
        users: 2_000,
        watched: 4,
        largest_audience: 600,
        smallest_audience: 300,
        ..WorldConfig::default()
    });
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let watched = world.watched().to_vec();
    for number in 0..CRAWLS {
        let mut run = store.begin(world.now(), WriterOptions::default()).unwrap();
        for account in &watched {
            let (crawl, pages, seen) = crawl(&mut world, *account, usize::MAX, &mut dice, 20);
            let ids: Vec<_> =
                seen.rows.iter().map(|(id, _)| AccountId::new(*id).unwrap()).collect();
            run.rows(List::Followers, crawl.account, 0, &ids).unwrap();
            for page in pages {
                run.page(page);
            }
            run.crawl(crawl);
        }
        run.publish().unwrap();
        let next = world.now() + Duration::from_hours(20);
        world.advance_to(next);
        if number + 1 == PURGE {
            let users: Vec<i64> = world.users().map(|user| user.id).collect();
            for id in users.into_iter().filter(|id| !watched.contains(id)) {
                if dice.random_bool(0.125) {
                    world.suspend(id);
                }
            }
        }
        if number + 1 == EXODUS {
            let newest = world.truth().followers(watched[0]);
            for (member, _) in newest.iter().take(newest.len() / 4) {
                world.unfollow(*member, watched[0]);
            }
        }
    }
    let (history, _) = updated(&store);
    let found = spikes(&history, List::Followers, None).unwrap();
    (found, AccountId::new(watched[0]).unwrap())
}

#[test]
fn purges_are_told_from_audiences_that_leave() {
    let (mut purges, mut even, mut exoduses, mut others) = (0, 0, 0, 0);
    let seeds: Vec<_> = std::thread::scope(|scope| {
        let part =
            |part| scope.spawn(move || (part..SEEDS).step_by(2).map(seed).collect::<Vec<_>>());
        let parts = [part(0), part(1)];
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    for (found, left) in seeds {
        for spike in found {
            match spike.crawl {
                PURGE => {
                    purges += 1;
                    even += u32::from(spike.looks_like_the_network() == Some(true));
                }
                EXODUS if spike.account == left => {
                    assert_eq!(spike.looks_like_the_network(), Some(false), "{spike:?}");
                    exoduses += 1;
                }
                _ => others += 1,
            }
        }
    }
    println!(
        "{purges} of {} steps with a purge are spikes, {even} look like the network's doing; \
        {exoduses} of {SEEDS} exoduses; {others} of {} ordinary steps",
        4 * SEEDS,
        SEEDS * (4 * 16 - 5)
    );
    assert_eq!((u64::from(purges), exoduses), (4 * SEEDS, SEEDS));
    assert!(even * 20 >= purges * 19, "{even} of {purges}");
    assert!(others * 100 <= SEEDS * 59, "{others}");
}
