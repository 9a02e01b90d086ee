//! How edges become a graph: whatever they come from and in whatever order, every id and every
//! edge is in it once, both ways, at any number of threads.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use analysis::{Error, FollowGraph, MutualEdges, file_mutual_edges, run_mutual_edges};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use snapshot::{
    AccountId, Coverage, Crawl, ErrorKind, List, Run, State, Store, Table, Values, WriterOptions,
};

type Edges = Vec<(i64, i64)>;

fn id(raw: i64) -> AccountId {
    AccountId::new(raw).unwrap()
}

fn graph(edges: &[(i64, i64)]) -> FollowGraph {
    FollowGraph::from_edges(edges.iter().map(|(from, to)| (id(*from), id(*to)))).unwrap()
}

/// Says the same in sets as the graph does in rows.
fn check(graph: &FollowGraph, edges: &[(i64, i64)], alone: &[i64]) {
    let expected: BTreeSet<(i64, i64)> = edges.iter().copied().collect();
    let ends = expected.iter().flat_map(|(from, to)| [*from, *to]);
    let ids: BTreeSet<i64> = ends.chain(alone.iter().copied()).collect();
    let raw = |node| graph.account(node).get();
    assert!(graph.nodes().map(raw).eq(ids.iter().copied()), "the accounts, ascending");
    let out = graph
        .nodes()
        .flat_map(|node| graph.out_neighbors(node).iter().map(move |to| (raw(node), raw(*to))));
    assert!(out.eq(expected.iter().copied()), "whom each follows, ascending");
    let turned: BTreeSet<(i64, i64)> = expected.iter().map(|(from, to)| (*to, *from)).collect();
    let back = graph
        .nodes()
        .flat_map(|node| graph.in_neighbors(node).iter().map(move |from| (raw(node), raw(*from))));
    assert!(back.eq(turned), "who follows each, ascending");
    assert_eq!((graph.accounts(), graph.edges()), (ids.len(), expected.len()));
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// Writes a file as another tool would.
fn file(folder: &Path, name: &str, edges: &[(i64, i64)]) -> PathBuf {
    let path = folder.join(name);
    let column = |end: fn(&(i64, i64)) -> i64| {
        Values::I64(edges.iter().map(|edge| Some(end(edge))).collect())
    };
    let table = Table::default()
        .required("note", Values::Text(vec![Some("x".into()); edges.len()]))
        .optional("to", column(|edge| edge.1))
        .required("from", column(|edge| edge.0));
    table.write(&path, &[]).unwrap();
    path
}

fn publish(folder: &Path, lists: &[(List, i64, Vec<i64>)]) -> Run {
    let time = Timestamp::from_second(1_000_000).unwrap();
    let store = Store::create(folder).unwrap();
    let mut run = store.begin(time, WriterOptions::default()).unwrap();
    for (list, account, members) in lists {
        let members: Vec<_> = members.iter().map(|member| id(*member)).collect();
        run.rows(*list, id(*account), 0, &members).unwrap();
        let state = State::Read(Coverage::Complete);
        run.crawl(Crawl::new(id(*account), *list, "test", state, time));
    }
    store.run(run.publish().unwrap().run).unwrap()
}

/// Ids that are small, ids that need 64 bits, and the first and the last.
fn any_id() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => 0..30_i64,
        2 => (1_i64 << 60)..(1_i64 << 60) + 20,
        1 => 65_530..65_540_i64,
        1 => Just(i64::MAX),
        1 => Just(0),
    ]
}

fn any_edges() -> impl Strategy<Value = Edges> {
    vec((any_id(), any_id()), 0..120)
}

type Take<'a> = &'a mut (dyn FnMut(MutualEdges) -> Result<(), Error> + Send);

/// The pairs that are handed over, in that order, as many as are said.
fn pairs(ask: impl FnOnce(Take<'_>) -> Result<u64, Error>) -> Edges {
    let mut pairs = Vec::new();
    let count = ask(&mut |found| {
        assert!(!found.is_empty(), "nothing is not handed over");
        pairs.extend(found.a.iter().zip(&found.b).map(|(a, b)| (a.get(), b.get())));
        Ok(())
    });
    assert_eq!(count.unwrap(), pairs.len() as u64);
    pairs
}

/// Every edge whose opposite is there too, once, ascending.
fn returned(edges: &[(i64, i64)]) -> Edges {
    let all: BTreeSet<(i64, i64)> = edges.iter().copied().collect();
    all.iter().copied().filter(|(a, b)| a < b && all.contains(&(*b, *a))).collect()
}

proptest! {
    #[test]
    fn edges_in_any_order_make_the_same_graph(edges in any_edges(), threads in 1..5_usize) {
        let found = on_threads(threads, || graph(&edges));
        check(&found, &edges, &[]);
        prop_assert_eq!(pairs(|take| found.mutual_edges(take)), returned(&edges));
        let mut sorted = edges.clone();
        sorted.sort_unstable();
        prop_assert_eq!(graph(&sorted), found);
    }

    #[test]
    fn files_are_read_as_one(files in vec(any_edges(), 0..4), threads in 1..5_usize) {
        let folder = tempfile::tempdir().unwrap();
        let names = files.iter().enumerate();
        let paths: Vec<_> =
            names.map(|(i, edges)| file(folder.path(), &format!("{i}.parquet"), edges)).collect();
        let found = on_threads(threads, || FollowGraph::open(&paths, ["from", "to"]).unwrap());
        check(&found, &files.concat(), &[]);
        let columns = ["from", "to"];
        let found = on_threads(threads, || pairs(|t| file_mutual_edges(&paths, columns, t)));
        prop_assert_eq!(found, returned(&files.concat()));
    }

    #[test]
    fn a_run_shows_the_edges_of_both_lists(
        lists in vec((any::<bool>(), any_id(), vec(any_id(), 0..30)), 1..12),
    ) {
        let mut seen = BTreeSet::new();
        let list = |followers| if followers { List::Followers } else { List::Following };
        let lists: Vec<_> = lists
            .into_iter()
            .filter(|(followers, account, _)| seen.insert((*followers, *account)))
            .map(|(followers, account, mut members)| {
                let mut met = BTreeSet::new();
                members.retain(|member| met.insert(*member));
                (list(followers), account, members)
            })
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let run = publish(folder.path(), &lists);
        let found = FollowGraph::from_run(&run).unwrap();
        let edges: Edges = lists
            .iter()
            .flat_map(|(list, account, members)| {
                members.iter().map(|member| match list {
                    List::Followers => (*member, *account),
                    List::Following => (*account, *member),
                })
            })
            .collect();
        let asked: Vec<_> = lists.iter().map(|(_, account, _)| *account).collect();
        check(&found, &edges, &asked);
        prop_assert_eq!(pairs(|take| run_mutual_edges(&run, take)), returned(&edges));
    }
}

/// Numbers without a pattern, the same each time.
fn noise() -> impl Iterator<Item = u64> {
    let mut state = 1_u64;
    std::iter::repeat_with(move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 20
    })
}

/// Edges between about so many ids, whose numbers are far apart.
fn far_apart(edges: usize, ids: u64) -> Edges {
    let end = |n: u64| (n % ids).wrapping_mul(0x9E37_79B9_7F4A_7C15).cast_signed() & i64::MAX;
    let ends: Vec<i64> = noise().take(2 * edges).map(end).collect();
    ends.chunks(2).map(|two| (two[0], two[1])).collect()
}

#[test]
fn ids_are_numbered_alike_however_often_their_places_grow() {
    // Nearly every edge has new ids, and an iterator that does not say how many there are.
    let edges = far_apart(300_000, 1 << 40);
    let unsaid = || edges.iter().map(|(from, to)| (id(*from), id(*to))).filter(|_| true);
    let one = on_threads(1, || FollowGraph::from_edges(unsaid()).unwrap());
    check(&one, &edges, &[]);
    assert_eq!(on_threads(4, || FollowGraph::from_edges(unsaid()).unwrap()), one);
}

#[test]
fn many_edges_between_few_accounts_are_kept_once() {
    let edges = far_apart(400_000, 300);
    let one = on_threads(1, || graph(&edges));
    check(&one, &edges, &[]);
    assert_eq!(on_threads(3, || graph(&edges)), one);
    let ask = || pairs(|take| one.mutual_edges(take));
    assert_eq!(on_threads(1, ask), returned(&edges));
    assert_eq!(on_threads(3, ask), returned(&edges));
}

#[test]
fn one_account_may_have_all_edges() {
    let members = noise().take(500_000).map(|n| (n & 0xF_FFFF).cast_signed());
    let out: Edges = members.map(|member| (77, member)).collect();
    let back: Edges = out.iter().map(|(account, member)| (*member, *account)).collect();
    for edges in [&out, &back] {
        let found = on_threads(2, || graph(edges));
        check(&found, edges, &[]);
    }
}

#[test]
fn small_ids_make_way_for_one_that_is_not() {
    let mut edges: Edges = (0..40_000).map(|i| (i % 5_000, i / 7)).collect();
    edges.push((3, i64::MAX));
    edges.extend((0..40_000).map(|i| (i / 11, i % 4_000)));
    check(&graph(&edges), &edges, &[]);
}

#[test]
fn a_graph_without_edges_may_have_accounts() {
    check(&graph(&[]), &[], &[]);
    let folder = tempfile::tempdir().unwrap();
    let run = publish(folder.path(), &[(List::Followers, 9, vec![]), (List::Following, 4, vec![])]);
    check(&FollowGraph::from_run(&run).unwrap(), &[], &[4, 9]);
}

#[test]
fn a_file_that_has_no_edges_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "edges.parquet", &[(1, 2), (3, -4)]);
    let refused = |columns| FollowGraph::open(&[&path], columns).unwrap_err();
    let missing = refused(["from", "until"]);
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(missing.to_string().ends_with("edges.parquet has no column `until`"), "{missing}");
    let text = refused(["note", "to"]);
    assert_eq!(text.kind(), ErrorKind::Invalid);
    let negative = refused(["from", "to"]);
    assert!(negative.to_string().contains("numbers that are not ids"), "{negative}");
    assert!(FollowGraph::open(&[folder.path().join("none.parquet")], ["from", "to"]).is_err());
}

#[test]
fn numbers_of_32_bits_are_ids_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("narrow.parquet");
    let table = Table::default()
        .required("a", Values::I32(vec![Some(5), Some(1)]))
        .required("b", Values::I32(vec![Some(1), Some(i32::MAX)]));
    table.write(&path, &[]).unwrap();
    let found = FollowGraph::open(&[path], ["a", "b"]).unwrap();
    check(&found, &[(5, 1), (1, i64::from(i32::MAX))], &[]);
}

#[test]
fn a_refusal_ends_the_search_for_pairs() {
    let edges = far_apart(400_000, 300);
    let found = graph(&edges);
    let refusal = FollowGraph::open(&["no such file"], ["a", "b"]).unwrap_err();
    let (mut calls, mut refusals) = (0, vec![refusal]);
    let answer = found.mutual_edges(|_| {
        calls += 1;
        refusals.pop().map_or(Ok(()), Err)
    });
    assert!(answer.is_err() && calls == 1);
}
