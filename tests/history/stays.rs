//! How long followers stay, and who leaves within days, against the truth of simulated networks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use analysis::history::{retention, short_stays};
use analysis::retention::Settings;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use simulator::{Churn, List as SimList, Spell, World, WorldConfig};
use snapshot::{AccountId, List, Store, WriterOptions};

use super::truth::{crawl, in_memory};
use super::updated;

const SEEDS: u64 = 20;

/// A store of daily crawls of one account, and the world after them.
fn observed(seed: u64, churn: Churn, crawls: u32) -> (tempfile::TempDir, Store, World, AccountId) {
    let folder = in_memory();
    let store = Store::create(folder.path()).unwrap();
    let config = WorldConfig { seed, users: 3_000, watched: 1, churn, ..WorldConfig::default() };
    let config = WorldConfig { largest_audience: 400, smallest_audience: 400, ..config };
    let mut world = World::new(config);
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let account = world.watched()[0];
    for _ in 0..crawls {
        let mut run = store.begin(world.now(), WriterOptions::default()).unwrap();
        let (crawl, pages, seen) = crawl(&mut world, account, usize::MAX, &mut dice, 20);
        let ids: Vec<_> = seen.rows.iter().map(|(id, _)| AccountId::new(*id).unwrap()).collect();
        run.rows(List::Followers, crawl.account, 0, &ids).unwrap();
        for page in pages {
            run.page(page);
        }
        run.crawl(crawl);
        run.publish().unwrap();
        world.advance_to(world.now() + Duration::from_hours(23));
    }
    (folder, store, world, AccountId::new(account).unwrap())
}

#[test]
fn who_follows_only_to_be_followed_back_is_among_the_short_stays() {
    let churn = Churn { follow: 0.03, farm: 0.3, unfollow: 0.002, ..Churn::default() };
    let (mut farmed, mut seen, mut told, mut true_stays) = (0, 0, 0, 0);
    for seed in 0..SEEDS {
        let (_folder, store, world, account) = observed(seed, churn, 30);
        let (history, _) = updated(&store);
        let found = short_stays(&history, Some(&[account]), 8).unwrap();
        let found: BTreeSet<i64> = found.iter().map(|stay| stay.member.get()).collect();
        let truth = world.truth();
        let mut spells: BTreeMap<i64, Vec<Spell>> = BTreeMap::new();
        for spell in truth.spells(account.get(), SimList::Followers) {
            spells.entry(spell.member).or_default().push(spell);
        }
        // Those who came and left while crawls went on, and were there when one came by.
        let (first, last) = (history.crawls()[0].started_at, history.crawls().last().unwrap());
        let looked = |spell: &Spell| {
            let crawls = history.crawls();
            crawls.iter().any(|crawl| spell.shows(crawl.started_at)) && spell.followed_at > first
        };
        let has_left = |spell: &Spell| spell.left_at.is_some_and(|left| left < last.started_at);
        for member in truth.farmed(account.get()).into_iter().collect::<BTreeSet<_>>() {
            let stays = &spells[&member];
            farmed += u32::from(stays.iter().any(has_left));
            if stays.iter().any(|spell| has_left(spell) && looked(spell)) {
                seen += 1;
                told += u32::from(found.contains(&member));
            }
        }
        // Whoever is told was gone within 8 days, by leaving or by being hidden.
        for member in &found {
            let is_short = spells[member].iter().any(|spell| {
                let hidden = spell.hidden.iter().map(|hidden| hidden.from);
                let end = hidden.chain(spell.left_at).min();
                end.is_some_and(|end| end.duration_since(spell.followed_at).as_hours() <= 8 * 24)
            });
            assert!(is_short, "seed {seed}: {member}");
            true_stays += 1;
        }
    }
    println!("{farmed} farmed and gone, {seen} seen, {told} told; {true_stays} told in all");
    assert!(seen > 300 && told * 100 >= seen * 95, "{told} of {seen}");
}

#[test]
fn survival_curves_of_a_store_hold_the_hazard() {
    // Every follow ends with the same chance each day, and nobody is hidden.
    let daily = 0.05;
    let churn = Churn { follow: 0.06, leave: daily, ..Churn::NONE };
    let (mut covered, mut all) = (0, 0);
    for seed in 0..SEEDS {
        let (_folder, store, _world, account) = observed(seed, churn, 40);
        let (history, _) = updated(&store);
        let curves = retention(&history, account, List::Followers, Settings::default()).unwrap();
        let curve = &curves.cohorts[0].curve;
        let start = f64::exp(-daily * curve.steps[0].days);
        for days in [5.0, 10.0, 20.0] {
            let share = curve.at(days).unwrap();
            let truth = f64::exp(-daily * days) / start;
            all += 1;
            covered += u32::from(share.lower <= truth && truth <= share.upper);
        }
    }
    println!("{covered} of {all} bands hold the truth");
    assert!(covered * 100 >= all * 85, "{covered} of {all}");
}
