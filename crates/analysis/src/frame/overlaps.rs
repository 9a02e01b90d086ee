//! Overlaps as frames. Columns are documented in `crates/analysis/SCHEMA.md`.

use snapshot::{AccountId, List, RunId, Values};

use super::answers::{counts, ids, optional, required, texts};
use super::{Column, Frame, Kind};
use crate::{CONFIDENCE, Estimate, Estimates, Observation, Overlap, Pair, Strongest};

/// One row per pair of lists.
impl From<&Overlap> for Frame {
    fn from(overlap: &Overlap) -> Self {
        let pairs: Vec<Pair> = overlap.pairs().map(|(i, j)| overlap.pair(i, j)).collect();
        of_pairs(&pairs, |list| (overlap.accounts[list], overlap.lists[list]))
    }
}

/// One row per pair, strongest first.
impl From<&Strongest> for Frame {
    fn from(strongest: &Strongest) -> Self {
        of_pairs(&strongest.pairs, |list| (strongest.accounts[list], strongest.lists[list]))
    }
}

/// One row per pair, strongest first; the context has the confidence and the size of samples.
impl From<&Estimates> for Frame {
    fn from(estimates: &Estimates) -> Self {
        let pairs = &estimates.pairs;
        let count = |f: fn(&Estimate) -> u64| counts(pairs.iter().map(f));
        let share = |f: fn(&Estimate) -> Option<f64>| Values::F64(pairs.iter().map(f).collect());
        let complete = Values::Bool(pairs.iter().map(|pair| Some(pair.complete)).collect());
        let list = |list: usize| (estimates.accounts[list], estimates.lists[list]);
        let mut columns = sides(pairs, list, |pair| [(pair.a, pair.a_size), (pair.b, pair.b_size)]);
        columns.extend([
            (required("intersection", Kind::Count), count(|pair| pair.intersection)),
            (required("intersection_at_least", Kind::Count), count(|pair| pair.at_least)),
            (required("intersection_at_most", Kind::Count), count(|pair| pair.at_most)),
            (optional("jaccard", Kind::Ratio), share(Estimate::jaccard)),
            (
                optional("jaccard_at_least", Kind::Ratio),
                share(|pair| pair.jaccard_bounds().map(|(least, _)| least)),
            ),
            (
                optional("jaccard_at_most", Kind::Ratio),
                share(|pair| pair.jaccard_bounds().map(|(_, most)| most)),
            ),
            (optional("overlap_coefficient", Kind::Ratio), share(Estimate::overlap_coefficient)),
            (required("complete", Kind::Flag), complete),
        ]);
        Self::new("overlap_estimated", columns)
            .with_context("confidence", CONFIDENCE.to_string())
            .with_context("sampled", estimates.sampled.to_string())
    }
}

impl Frame {
    /// One row per run and pair of lists: the overlaps of several runs, each with its id and the
    /// moment that it stands for.
    pub fn overlap_series(series: &[(RunId, Overlap)]) -> Self {
        let with_run = |run: Option<RunId>, frame: Self| {
            let pairs = frame.rows();
            let at = run.map(|run| run.time().as_microsecond());
            let run = run.map(|run| run.to_string());
            let mut columns = vec![
                (required("run", Kind::Text), Values::Text(vec![run; pairs])),
                (required("at", Kind::Time), Values::Time(vec![at; pairs])),
            ];
            columns.extend(frame.columns.into_iter().zip(frame.data.columns().to_vec()));
            Self::new("overlap_series", columns)
        };
        let mut all = with_run(None, of_pairs(&[], |_| (AccountId::MIN, List::Followers)));
        for (run, overlap) in series {
            all.data.append(with_run(Some(*run), Self::from(overlap)).data);
        }
        all
    }
}

fn of_pairs(pairs: &[Pair], of: impl Fn(usize) -> (AccountId, List)) -> Frame {
    let count = |f: fn(&Pair) -> u64| counts(pairs.iter().map(f));
    let share = |f: fn(&Pair) -> Option<f64>| Values::F64(pairs.iter().map(f).collect());
    let exact = Values::Bool(pairs.iter().map(|pair| Some(pair.exact)).collect());
    let mut columns = sides(pairs, of, |pair| [(pair.a, pair.a_size), (pair.b, pair.b_size)]);
    columns.extend([
        (required("intersection", Kind::Count), count(|pair| pair.intersection)),
        (required("union", Kind::Count), count(Pair::union)),
        (optional("jaccard", Kind::Ratio), share(Pair::jaccard)),
        (optional("overlap_coefficient", Kind::Ratio), share(Pair::overlap_coefficient)),
        (optional("a_in_b", Kind::Ratio), share(Pair::a_in_b)),
        (optional("b_in_a", Kind::Ratio), share(Pair::b_in_a)),
        (required("exact", Kind::Flag), exact),
    ]);
    Frame::new("overlap", columns)
}

/// The columns that say whose lists each pair is of, and how long they are. `of` knows a list by
/// its number, and `both` the numbers and the sizes of a pair's lists.
fn sides<P>(
    pairs: &[P],
    of: impl Fn(usize) -> (AccountId, List),
    both: impl Fn(&P) -> [(usize, u64); 2],
) -> Vec<(Column, Values)> {
    let account = |side: usize| ids(pairs.iter().map(|pair| of(both(pair)[side].0).0));
    let list = |side: usize| texts(pairs.iter().map(|pair| of(both(pair)[side].0).1.name()));
    let size = |side: usize| counts(pairs.iter().map(|pair| both(pair)[side].1));
    vec![
        (required("a_id", Kind::Id), account(0)),
        (required("a_list", Kind::Text), list(0)),
        (required("b_id", Kind::Id), account(1)),
        (required("b_list", Kind::Text), list(1)),
        (required("a_size", Kind::Count), size(0)),
        (required("b_size", Kind::Count), size(1)),
    ]
}

impl Frame {
    /// One row per pair of the lists of some observations, as [`overlap_each`] hands them over.
    ///
    /// # Panics
    /// If a pair is of a list that is not there.
    ///
    /// [`overlap_each`]: crate::overlap_each
    pub fn overlaps(of: &[Observation], pairs: &[Pair]) -> Self {
        of_pairs(pairs, |list| (of[list].account(), of[list].list()))
    }

    /// One row per exclusive cell; `None` if cells were not asked for.
    pub fn overlap_cells(overlap: &Overlap) -> Option<Self> {
        let cells = overlap.cells.as_deref()?;
        let members_of = |cell: &crate::Cell| {
            let accounts = cell.lists().map(|i| overlap.accounts[i].to_string());
            Some(accounts.collect::<Vec<_>>().join(" "))
        };
        let exact = (0..overlap.len()).all(|i| overlap.is_exact(i, i));
        let masks = counts(cells.iter().map(|cell| u64::from(cell.mask)));
        let lists = counts(cells.iter().map(|cell| u64::from(cell.mask.count_ones())));
        let exact = Values::Bool(vec![Some(exact); cells.len()]);
        Some(Self::new(
            "overlap_cells",
            vec![
                (required("mask", Kind::Count), masks),
                (required("lists", Kind::Count), lists),
                (
                    required("account_ids", Kind::Text),
                    Values::Text(cells.iter().map(members_of).collect()),
                ),
                (required("members", Kind::Count), counts(cells.iter().map(|cell| cell.members))),
                (required("exact", Kind::Flag), exact),
            ],
        ))
    }
}
