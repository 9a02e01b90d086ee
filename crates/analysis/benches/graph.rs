//! How fast are questions about a whole follow graph answered?
//!
//! ```sh
//! cargo bench -p followgraph-analysis --bench graph -- edges.bin            # every question
//! cargo bench -p followgraph-analysis --bench graph -- edges.bin pagerank   # one
//! ```
//!
//! `edges.bin` holds follows as pairs of numbers, follower first, each a little-endian `u32`:
//! what `np.stack([src, dst], 1).astype("<u4").tofile("edges.bin")` writes. Without a file, a
//! seeded Kronecker graph of 2^16 accounts is made here.
//!
//! Questions are asked in memory, on one thread and on as many as there are, and include
//! whatever view they need. The least and the median of wall times are shown, and a figure of
//! each answer, to be compared with that of other programs. Floors stand beside them: reading
//! all rows once, and adding up one number per edge in the order of the rows.

use std::time::Instant;

use analysis::FollowGraph;
use analysis::graph::{Leiden, PageRank};
use petgraph::visit::IntoNodeIdentifiers;
use snapshot::AccountId;

/// Times that each question is asked, unless `FOLLOWGRAPH_BENCH_RUNS` says otherwise.
const RUNS: usize = 5;

/// A name, and the question with a figure of its answer.
type Case = (&'static str, fn(&FollowGraph) -> String);

const CASES: [Case; 11] = [
    ("floor-rows", |graph| {
        let ends = graph.node_identifiers().map(|node| graph.out_neighbors(node));
        ends.flatten().map(|to| to.index()).fold(0, usize::wrapping_add).to_string()
    }),
    ("floor-gather", |graph| {
        let numbers: Vec<f64> = (0..graph.accounts()).map(|i| i as f64).collect();
        let rows = graph.node_identifiers().map(|node| graph.in_neighbors(node));
        rows.flatten().map(|from| numbers[from.index()]).sum::<f64>().to_string()
    }),
    ("undirected", |graph| format!("{} pairs", graph.undirected().pairs())),
    ("weak", |graph| format!("{} components", graph.weak_components().count())),
    ("strong", |graph| format!("{} components", graph.strong_components().count())),
    ("pagerank", |graph| {
        let found = graph.pagerank(PageRank::default()).unwrap();
        let max = found.ranks.iter().copied().fold(0.0, f64::max);
        format!("{} rounds, residual {:.2e}, largest {max:.9e}", found.rounds, found.residual)
    }),
    ("triangles", |graph| {
        let found = graph.undirected().triangles();
        format!("{}, transitivity {:?}", found.total(), found.transitivity())
    }),
    ("cores", |graph| format!("{:?}", graph.undirected().cores().innermost())),
    ("communities", |graph| {
        let found = graph.communities(Leiden::default()).unwrap();
        format!("{}, modularity {:?}", found.groups.count(), found.modularity)
    }),
    ("suggest", |graph| {
        let most = graph.summary().max_in.unwrap();
        let found = graph.suggestions(most.account, PageRank::default()).unwrap();
        format!("{} of an audience of {}", found.suggestions.len(), found.audience)
    }),
    ("summary", |graph| format!("{} weak components", graph.summary().weak_components)),
];

fn main() {
    let mut named = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let (file, case) = (named.next(), named.next());
    let runs = std::env::var("FOLLOWGRAPH_BENCH_RUNS").ok().and_then(|n| n.parse().ok());
    let runs = runs.unwrap_or(RUNS);
    let started = Instant::now();
    let edges = file.map_or_else(|| kronecker(16), |file| read(&file));
    let graph = FollowGraph::from_edges(edges).unwrap();
    let (accounts, edges) = (graph.accounts(), graph.edges());
    println!("{accounts} accounts, {edges} edges, loaded in {:.1?}", started.elapsed());
    let all = rayon::current_num_threads();
    for (name, ask) in CASES {
        if case.as_ref().is_some_and(|case| case != name) {
            continue;
        }
        for threads in [1, all] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut times = Vec::new();
            let mut answer = String::new();
            for _ in 0..runs {
                let started = Instant::now();
                answer = pool.install(|| ask(&graph));
                times.push(started.elapsed().as_secs_f64());
            }
            times.sort_by(f64::total_cmp);
            let (least, median) = (times[0], times[runs / 2]);
            println!("{name:<16} {threads} threads  {least:>8.4} s  {median:>8.4} s  {answer}");
        }
    }
}

fn read(file: &str) -> Vec<(AccountId, AccountId)> {
    let bytes = std::fs::read(file).unwrap();
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap()).into();
    bytes.chunks_exact(8).map(|pair| (number(&pair[..4]), number(&pair[4..]))).collect()
}

/// 16 edges per account, each bit of whose ends is drawn with the chances of Graph500.
fn kronecker(scale: u32) -> Vec<(AccountId, AccountId)> {
    let mut state = 1_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state >> 32
    };
    let mut edge = || {
        let (mut from, mut to) = (0_u32, 0_u32);
        for _ in 0..scale {
            let chance = (draw() * 100) >> 32;
            from = from << 1 | u32::from(chance >= 76);
            to = to << 1 | u32::from((57..76).contains(&chance) || chance >= 95);
        }
        (from.into(), to.into())
    };
    (0..16_usize << scale).map(|_| edge()).collect()
}
