//! Ranks against a dense solution and closed forms. petgraph's are no oracle: a walker of its
//! does not jump to whom it could have walked to.

use analysis::FollowGraph;
use analysis::graph::{NodeIx, PageRank};
use petgraph::visit::IntoNodeIdentifiers;
use proptest::prelude::*;

use crate::harness::{
    Edges, accounts, cycle, edges, graph, graph_of, large, node, on_any_threads, star,
};

/// As exact as rounding lets it be.
const EXACT: PageRank = PageRank { damping: 0.85, tolerance: 1e-14, rounds_max: 1000 };

/// Solves x = A x with a dense matrix, column `u` saying where a walker at `u` goes next.
fn dense(edges: &Edges, damping: f64, jumps: &[f64]) -> Vec<f64> {
    let accounts = accounts(edges);
    let place = |account: u32| accounts.binary_search(&account).unwrap();
    let n = accounts.len();
    let mut matrix = vec![vec![0.0; n]; n];
    for (u, account) in accounts.iter().enumerate() {
        let follows: Vec<usize> =
            edges.iter().filter(|edge| edge.0 == *account).map(|edge| place(edge.1)).collect();
        for v in 0..n {
            let walk = if follows.is_empty() {
                jumps[v]
            } else {
                follows.iter().filter(|to| **to == v).count() as f64 / follows.len() as f64
            };
            matrix[v][u] = damping * walk + (1.0 - damping) * jumps[v];
        }
    }
    let mut ranks = jumps.to_vec();
    for _ in 0..400 {
        ranks = matrix.iter().map(|row| row.iter().zip(&ranks).map(|(a, x)| a * x).sum()).collect();
    }
    ranks
}

fn assert_close(ours: &[f64], theirs: &[f64], within: f64) {
    assert_eq!(ours.len(), theirs.len());
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() < within, "{a} is not {b}");
    }
}

fn by_account(graph: &FollowGraph, ranks: &[f64], account: u32) -> f64 {
    ranks[node(graph, account).index()]
}

proptest! {
    #[test]
    fn ranks_solve_the_equation(edges in edges(), damping in 0.0..0.99_f64) {
        let graph = graph(&edges);
        let n = graph.accounts();
        let found = graph.pagerank(PageRank { damping, rounds_max: 5000, ..EXACT }).unwrap();
        if damping < 0.9 {
            assert_close(&found.ranks, &dense(&edges, damping, &vec![1.0 / n as f64; n]), 1e-10);
        }
        prop_assert!(n == 0 || (found.ranks.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn ranks_from_seeds_solve_the_equation(edges in edges(), seeds in prop::collection::vec(0..25_u32, 1..5)) {
        let graph = graph(&edges);
        let n = graph.accounts();
        prop_assume!(n > 0);
        let seeds: Vec<NodeIx> =
            seeds.iter().map(|seed| graph.node_identifiers().nth(*seed as usize % n).unwrap()).collect();
        let mut jumps = vec![0.0; n];
        for seed in &seeds {
            jumps[seed.index()] = 1.0;
        }
        let count: f64 = jumps.iter().sum();
        for jump in &mut jumps {
            *jump /= count;
        }
        let found = graph.pagerank_from(&seeds, EXACT).unwrap();
        assert_close(&found.ranks, &dense(&edges, 0.85, &jumps), 1e-10);
    }

    #[test]
    fn the_residual_is_what_one_more_round_changes(edges in edges(), rounds in 1..12_u32) {
        let graph = graph(&edges);
        let after = |rounds_max| {
            graph.pagerank(PageRank { rounds_max, tolerance: 1e-300, ..EXACT }).unwrap()
        };
        let (before, last) = (after(rounds - 1), after(rounds));
        let changed: f64 = before.ranks.iter().zip(&last.ranks).map(|(a, b)| (a - b).abs()).sum();
        prop_assert!((changed - last.residual).abs() < 1e-12);
    }
}

#[test]
fn everybody_on_a_cycle_has_the_same_rank() {
    for (tolerance, within) in [(1e-9, 1e-12), (1e-6, 1e-8)] {
        let found = graph(&cycle(50)).pagerank(PageRank { tolerance, ..PageRank::default() });
        let found = found.unwrap();
        assert_close(&found.ranks, &[0.02; 50], within);
        assert_eq!((found.rounds, found.residual < tolerance), (1, true));
    }
}

proptest! {
    #[test]
    fn what_single_precision_costs_is_within_what_is_said(edges in edges()) {
        let graph = graph(&edges);
        let coarse = graph.pagerank(PageRank::default()).unwrap().ranks;
        let fine = graph.pagerank(EXACT).unwrap().ranks;
        let apart: f64 = coarse.iter().zip(&fine).map(|(a, b)| (a - b).abs()).sum();
        // What rounding moves, and what the tolerance of 1e-6 leaves: 0.85 / 0.15 of it.
        prop_assert!(apart < 4e-7 + 5.7e-6, "{apart}");
    }
}

#[test]
fn a_star_is_solved_by_hand() {
    // Its middle follows nobody: with n accounts and the leaves' rank l each,
    // l = ((1 - d) + d m) / n and m = l + d (n - 1) l.
    let (n, d) = (11.0, 0.85);
    let leaf = (1.0 - d) / (n - d * (1.0 + d * (n - 1.0)));
    let star = graph(&star(10));
    let found = star.pagerank(EXACT).unwrap().ranks;
    assert!((by_account(&star, &found, 7) - leaf).abs() < 1e-12);
    assert!((by_account(&star, &found, 0) - leaf * (1.0 + d * 10.0)).abs() < 1e-12);
}

#[test]
fn without_damping_everybody_is_where_jumps_lead() {
    let graph = graph_of([(1, 2), (2, 3)]);
    let found = graph.pagerank(PageRank { damping: 0.0, ..EXACT }).unwrap();
    assert_close(&found.ranks, &[1.0 / 3.0; 3], 1e-15);
}

#[test]
fn rounds_end_where_they_are_told_to_and_say_what_was_left() {
    let graph = large(1);
    let found = graph.pagerank(PageRank { rounds_max: 2, ..PageRank::default() }).unwrap();
    assert_eq!(found.rounds, 2);
    assert!(found.residual > 1e-6);
    let found = graph.pagerank(PageRank::default()).unwrap();
    assert!(found.residual < 1e-6 && found.rounds < 100);
}

#[test]
fn ranks_are_the_same_to_the_last_bit_on_any_number_of_threads() {
    let graph = large(2);
    let seeds: Vec<NodeIx> = graph.node_identifiers().take(100).collect();
    let found = on_any_threads(|| {
        let all = graph.pagerank(PageRank::default()).unwrap();
        let some = graph.pagerank_from(&seeds, PageRank::default()).unwrap();
        let bits = |ranks: Vec<f64>| ranks.into_iter().map(f64::to_bits).collect::<Vec<_>>();
        (bits(all.ranks), all.residual.to_bits(), bits(some.ranks), some.residual.to_bits())
    });
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let graph = graph_of([(1, 2)]);
    let refused = |how| graph.pagerank(how).unwrap_err().to_string();
    let how = PageRank::default();
    assert_eq!(refused(PageRank { damping: 1.0, ..how }), "the damping cannot be 1");
    assert_eq!(refused(PageRank { damping: f64::NAN, ..how }), "the damping cannot be NaN");
    assert_eq!(refused(PageRank { tolerance: 0.0, ..how }), "the tolerance cannot be 0");
    let nobody = graph.pagerank_from(&[], how).unwrap_err().to_string();
    assert_eq!(nobody, "ranks cannot start from no account");
    assert!(graph_of([]).pagerank(how).unwrap().ranks.is_empty());
}
