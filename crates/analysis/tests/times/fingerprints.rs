//! What fingerprints find of followers who were planted, and where there are none.

use std::collections::HashSet;

use analysis::when::{Block, BlockKind, Fingerprint};
use jiff::Timestamp;

use crate::audience::{Audience, DAY_MS, Random, Seen, id_made_at};
use crate::page;

/// How followers were made and delivered.
#[derive(Clone, Copy, Debug)]
struct Plan {
    name: &'static str,
    /// How many.
    followers: usize,
    /// Made within so many days,
    made_within: i64,
    /// the last of them so many days before the delivery began.
    aged: i64,
    /// Delivered within so many days,
    delivered_within: f64,
    /// in the order of their making.
    in_order: bool,
}

const PLANS: [Plan; 8] = [
    Plan {
        name: "made in 3 days, a year old, in 1 day",
        followers: 250,
        made_within: 3,
        aged: 365,
        delivered_within: 1.0,
        in_order: false,
    },
    Plan {
        name: "made in 3 days, a year old, in 60 days",
        followers: 250,
        made_within: 3,
        aged: 365,
        delivered_within: 60.0,
        in_order: false,
    },
    Plan {
        name: "made in 3 days, a year old, in 1 day, few",
        followers: 50,
        made_within: 3,
        aged: 365,
        delivered_within: 1.0,
        in_order: false,
    },
    Plan {
        name: "made in 3 days, just before, in 1 day",
        followers: 250,
        made_within: 3,
        aged: 0,
        delivered_within: 1.0,
        in_order: false,
    },
    Plan {
        name: "made over 5 years, in order, in 2 days",
        followers: 250,
        made_within: 1826,
        aged: 90,
        delivered_within: 2.0,
        in_order: true,
    },
    Plan {
        name: "made over 5 years, in order, in 60 days",
        followers: 250,
        made_within: 1826,
        aged: 90,
        delivered_within: 60.0,
        in_order: true,
    },
    Plan {
        name: "made over 5 years, random, in 6 hours",
        followers: 250,
        made_within: 1826,
        aged: 90,
        delivered_within: 0.25,
        in_order: false,
    },
    Plan {
        name: "made over 5 years, random, in 60 days",
        followers: 250,
        made_within: 1826,
        aged: 90,
        delivered_within: 60.0,
        in_order: false,
    },
];

/// Followers of an audience before anything is planted.
const ORGANIC: usize = 5_000;

/// Audiences for each figure.
const SEEDS: u64 = 100;

/// The first seed of worlds that nobody looked at while methods and thresholds were chosen.
const UNSEEN: u64 = 20_000;

fn seeds() -> std::ops::Range<u64> {
    UNSEEN..UNSEEN + SEEDS
}

/// Delivered some time in the last two years of an audience; who was planted.
fn plant(audience: &mut Audience, plan: &Plan, seed: u64) -> HashSet<i64> {
    let mut random = Random(seed);
    #[expect(clippy::cast_possible_truncation, reason = "days of a plan")]
    let within = (plan.delivered_within * DAY_MS as f64) as i64;
    let began = audience.at.as_millisecond() - within - random.below(700 * DAY_MS) - 1;
    let made_until = began - plan.aged * DAY_MS;
    let made = |random: &mut Random| made_until - random.below(plan.made_within * DAY_MS);
    let mut ids: Vec<i64> =
        (0..plan.followers).map(|_| id_made_at(made(&mut random), &mut random)).collect();
    let mut at: Vec<i64> = (0..plan.followers).map(|_| began + random.below(within)).collect();
    at.sort_unstable();
    if plan.in_order {
        ids.sort_unstable();
        if seed.is_multiple_of(2) {
            ids.reverse();
        }
    }
    let moment = |ms: &i64| Timestamp::from_millisecond(*ms).unwrap();
    audience.add(ids.iter().copied().zip(at.iter().map(moment)).collect());
    ids.into_iter().collect()
}

/// Members of the blocks of these kinds.
fn found(of: &Fingerprint, audience: &Audience, kinds: &[BlockKind]) -> HashSet<i64> {
    let rows = (0..).zip(&audience.rows);
    let blocks = || of.blocks.iter().filter(|block| kinds.contains(&block.kind));
    let own = rows.filter(|(position, _)| blocks().any(|block| of.is_in(block, *position)));
    own.map(|(_, (id, _))| *id).collect()
}

const MADE: [BlockKind; 2] = [BlockKind::CreatedClose, BlockKind::CreatedInOrder];
const DENSE: [BlockKind; 1] = [BlockKind::FollowedDense];

#[derive(Default)]
struct Score {
    audiences: u64,
    /// Audiences in which half of the planted were found, or more.
    hit: u64,
    found: usize,
    planted: usize,
    right: usize,
}

impl Score {
    fn add(&mut self, found: &HashSet<i64>, planted: &HashSet<i64>) {
        let right = found.intersection(planted).count();
        self.audiences += 1;
        self.hit += u64::from(2 * right >= planted.len());
        self.found += found.len();
        self.planted += planted.len();
        self.right += right;
    }

    fn recall(&self) -> f64 {
        100.0 * self.right as f64 / self.planted as f64
    }

    fn cells(&self) -> String {
        let recall = self.recall();
        let precision = if self.found == 0 {
            "-".to_owned()
        } else {
            format!("{:.1}", 100.0 * self.right as f64 / self.found as f64)
        };
        format!("{} | {recall:.1} | {precision}", 100 * self.hit / self.audiences)
    }
}

#[test]
fn planted_followers_are_found_as_often_as_the_page_says() {
    let mut rows = Vec::new();
    let clean: Vec<Audience> = seeds().map(|seed| Audience::new(seed, ORGANIC)).collect();
    for plan in PLANS {
        let (mut made, mut dense) = (Score::default(), Score::default());
        for (seed, audience) in seeds().zip(&clean) {
            let mut audience = audience.clone();
            let planted = plant(&mut audience, &plan, seed);
            let of = audience.fingerprint(Seen::Import);
            made.add(&found(&of, &audience, &MADE), &planted);
            dense.add(&found(&of, &audience, &DENSE), &planted);
        }
        let (name, followers) = (plan.name, plan.followers);
        let dense = (100 * dense.hit / dense.audiences, dense.recall());
        rows.push(format!(
            "| {name} | {followers} | {} | {} | {:.1} |",
            made.cells(),
            dense.0,
            dense.1
        ));
    }
    page::check("Planted followers", &rows);
}

/// How many times as dense the follows of a block truly are as those around: four times as
/// many members on either side, the denser of the two, unless it is shorter than the block.
fn true_lift(audience: &Audience, block: &Block) -> f64 {
    let rate = |from: usize, until: usize| {
        let (newer, older) = (audience.rows[from].1, audience.rows[until - 1].1);
        (until - from) as f64 / (newer.as_millisecond() - older.as_millisecond()).max(1) as f64
    };
    let (from, until) = (block.positions.start as usize, block.positions.end as usize);
    let reach = 4 * (until - from);
    let older = (until, (until + reach).min(audience.rows.len()));
    let newer = (from.saturating_sub(reach), from);
    let sides = [newer, older].into_iter().filter(|side| side.1 - side.0 >= until - from);
    let usual = sides.map(|side| rate(side.0, side.1)).fold(0.0, f64::max);
    rate(from, until) / usual
}

#[test]
fn audiences_without_planted_followers_stand_out_as_rarely_as_the_page_says() {
    let mut rows = Vec::new();
    for (followers, seeds) in [(300, 200), (1_000, 200), (5_000, 200)] {
        for seen in [Seen::Import, Seen::Pages(1000)] {
            let (mut close, mut in_order, mut dense, mut wrong) = (0, 0, 0, 0);
            for seed in UNSEEN..UNSEEN + seeds {
                let audience = Audience::new(seed, followers);
                let of = audience.fingerprint(seen);
                let has = |kind| u64::from(of.blocks.iter().any(|block| block.kind == kind));
                close += has(BlockKind::CreatedClose);
                in_order += has(BlockKind::CreatedInOrder);
                let bursts = of.blocks.iter().filter(|b| b.kind == BlockKind::FollowedDense);
                let lifts: Vec<f64> = bursts.map(|block| true_lift(&audience, block)).collect();
                dense += u64::from(!lifts.is_empty());
                wrong += u64::from(lifts.iter().any(|lift| *lift < 2.0));
            }
            let pages = if seen == Seen::Import { "none" } else { "every 1000" };
            rows.push(format!(
                "| {followers} | {seeds} | {pages} | {close} | {in_order} | {dense} | {wrong} |"
            ));
        }
    }
    page::check("Audiences without planted followers", &rows);
}

#[test]
fn a_fingerprint_counts_every_member_once() {
    let audience = Audience::new(5, 1_000);
    let of = audience.fingerprint(Seen::Import);
    let all = audience.rows.len() as u64;
    assert_eq!(of.dated, all);
    assert_eq!(of.grid.cells().map(|cell| cell.members).sum::<u64>(), all);
    assert_eq!(of.ages.0.iter().sum::<u64>(), all);
    let columns = &of.grid.columns;
    assert_eq!((columns[0].start, u64::from(columns[columns.len() - 1].end)), (0, all));
    assert!(columns.windows(2).all(|pair| pair[0].end == pair[1].start));
    assert!(of.grid.edges.is_sorted_by(|a, b| a < b));
}

#[test]
fn a_block_tells_when_its_accounts_were_made_and_followed() {
    let mut audience = Audience::new(3, ORGANIC);
    let planted = plant(&mut audience, &PLANS[0], 3);
    let of = audience.fingerprint(Seen::Pages(1000));
    let block = of.blocks.iter().find(|block| block.kind == BlockKind::CreatedClose).unwrap();
    let created = block.created.unwrap();
    assert!(created.latest.as_second() - created.earliest.as_second() <= 5 * 86_400);
    let rows = (0..).zip(&audience.rows).filter(|(position, _)| of.is_in(block, *position));
    let members: Vec<(i64, Timestamp)> = rows.map(|(_, row)| *row).collect();
    assert_eq!(members.len() as u64, block.members);
    assert!(members.iter().all(|(_, at)| block.followed.contains(*at)));
    let own = members.iter().filter(|(id, _)| planted.contains(id)).count();
    assert!(own * 20 >= members.len() * 19 && own * 10 >= planted.len() * 9);
    assert!(block.log10_chance < -3.0 && block.lift > 3.0);
}

#[test]
fn short_lists_have_no_blocks() {
    for followers in [0, 1, 2, 7, 15, 31] {
        let mut audience = Audience::new(1, 40);
        audience.rows.truncate(followers);
        let list = audience.observed(Seen::Import);
        let of = analysis::when::fingerprint(&list, &analysis::engine::Memory).unwrap();
        // A few old ids tell nothing that X's are.
        let Ok(of) = of else { continue };
        assert!(of.blocks.is_empty());
        assert_eq!(of.grid.cells().map(|cell| cell.members).sum::<u64>(), followers as u64);
    }
}
