//! Whom else an audience follows, against counting edge by edge.

use std::collections::BTreeSet;

use analysis::graph::{NodeIx, PageRank};
use proptest::prelude::*;
use snapshot::ErrorKind;

use crate::harness::{accounts, edges, graph, graph_of, large, node, on_any_threads};

proptest! {
    #[test]
    fn shares_and_lifts_are_counted_edge_by_edge(edges in edges()) {
        let graph = graph(&edges);
        for account in accounts(&edges) {
            let follows = |a: u32, b: u32| edges.contains(&(a, b));
            let audience: BTreeSet<u32> =
                accounts(&edges).into_iter().filter(|a| *a != account && follows(*a, account)).collect();
            let found = graph.suggestions(account.into(), PageRank::default());
            if audience.is_empty() {
                prop_assert!(found.is_err());
                continue;
            }
            let found = found.unwrap();
            prop_assert_eq!(found.audience, audience.len() as u64);
            let mut suggested = BTreeSet::new();
            for s in &found.suggestions {
                let other = u32::try_from(s.account.get()).unwrap();
                suggested.insert(other);
                let count = |of: &dyn Fn(u32) -> bool| {
                    accounts(&edges).into_iter().filter(|a| *a != other && of(*a) && follows(*a, other)).count()
                };
                let rest = |a: u32| a != account && a != other && !audience.contains(&a);
                prop_assert_eq!(s.shared, count(&|a| audience.contains(&a)) as u64);
                prop_assert_eq!(s.followers, count(&|_| true) as u64);
                prop_assert_eq!(Some(s.share), Some(s.shared as f64 / audience.len() as f64));
                prop_assert_eq!(s.in_audience, audience.contains(&other));
                let others = accounts(&edges).into_iter().filter(|a| rest(*a)).count();
                let share_of_rest = count(&rest) as f64 / others as f64;
                prop_assert_eq!(s.lift, (share_of_rest > 0.0).then(|| s.share / share_of_rest));
                prop_assert!((0.0..=1.0).contains(&s.score));
            }
            let expected: BTreeSet<u32> = accounts(&edges)
                .into_iter()
                .filter(|b| *b != account && audience.iter().any(|a| a != b && follows(*a, *b)))
                .collect();
            prop_assert_eq!(suggested, expected);
            prop_assert!(found.suggestions.is_sorted_by(|a, b| a.shared > b.shared
                || (a.shared == b.shared && a.score >= b.score)));
        }
    }

    /// The score is what comes along follows, so that of all accounts together, asked of ranks
    /// themselves, is the damping times the rank of those who follow somebody.
    #[test]
    fn scores_are_ranks_without_what_jumps_bring(edges in edges()) {
        let graph = graph(&edges);
        let how = PageRank { tolerance: 1e-14, rounds_max: 1000, ..PageRank::default() };
        for account in accounts(&edges) {
            let Ok(found) = graph.suggestions(account.into(), how) else { continue };
            let me = node(&graph, account);
            let seeds: Vec<NodeIx> = graph.in_neighbors(me).iter().copied().filter(|n| *n != me).collect();
            let ranks = graph.pagerank_from(&seeds, how).unwrap().ranks;
            for s in &found.suggestions {
                let to = graph.node(s.account).unwrap();
                let along = graph.in_neighbors(to).iter();
                let along: f64 =
                    along.map(|n| ranks[n.index()] / graph.out_neighbors(*n).len() as f64).sum();
                prop_assert!((s.score - 0.85 * along).abs() < 1e-10);
            }
        }
    }
}

#[test]
fn what_an_audience_likes_more_than_others_do_is_lifted() {
    // 1, 2, 3 follow 10; two of them follow 20, as does 4; all and 4, 5 follow 30.
    let graph = graph_of([
        (1, 10),
        (2, 10),
        (3, 10),
        (1, 20),
        (2, 20),
        (4, 20),
        (1, 30),
        (2, 30),
        (3, 30),
        (4, 30),
        (5, 30),
    ]);
    let found = graph.suggestions(10.into(), PageRank::default()).unwrap();
    let rows: Vec<_> = found
        .suggestions
        .iter()
        .map(|s| {
            (s.account.get(), s.shared, s.followers, s.lift.map(|lift| (lift * 100.0).round()))
        })
        .collect();
    // The rest are 4, 5 and one of 20 and 30: all accounts but the audience, 10 and the one.
    assert_eq!(rows, [(30, 3, 5, Some(150.0)), (20, 2, 3, Some(200.0))]);
}

#[test]
fn whoever_has_no_audience_is_told_so() {
    let graph = graph_of([(1, 2), (3, 3)]);
    let refused =
        |account: u32| graph.suggestions(account.into(), PageRank::default()).unwrap_err();
    assert_eq!(refused(9).to_string(), "account 9 is not in the graph");
    assert_eq!(refused(9).kind(), ErrorKind::NotFound);
    assert_eq!(refused(1).to_string(), "the graph has no follower of account 1");
    assert_eq!(refused(3).to_string(), "the graph has no follower of account 3");
}

#[test]
fn suggestions_are_the_same_on_any_number_of_threads() {
    let graph = large(6);
    let most = graph.summary().max_in.unwrap().account;
    let found = on_any_threads(|| graph.suggestions(most, PageRank::default()).unwrap());
    assert!(found.iter().all(|other| *other == found[0]));
    assert!(found[0].suggestions.len() > 1000);
}
