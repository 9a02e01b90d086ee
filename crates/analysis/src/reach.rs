//! How many different members some lists reach together, and which few reach most.
//!
//! To choose the `k` lists with the largest union is NP-hard. Taking again and again the list
//! that adds most reaches at least `1 − (1 − 1/k)^k ≥ 1 − 1/e ≈ 63.2 %` of the best choice of k
//! (G. Nemhauser, L. Wolsey, M. Fisher: An analysis of approximations for maximizing submodular
//! set functions I, Mathematical Programming 14, 1978), and no algorithm that runs in polynomial
//! time can promise more, unless P = NP (U. Feige, Journal of the ACM 45, 1998).
//!
//! Whoever was seen in a list is in it, so with an incomplete list everything is a lower bound.

use crate::engine::Engine;
use crate::{Error, Observation, Partition, Question, ask};

/// What some lists reach together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Different members of all lists together.
    pub union: u64,
    /// The lists that add most, one after another, until enough were chosen or none adds anybody.
    pub steps: Vec<Step>,
}

/// A list that was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which, counted in the order given.
    pub list: usize,
    /// Its members that no list chosen before has.
    pub added: u64,
    /// Different members of all lists chosen so far.
    pub reached: u64,
}

/// Counts the members of all lists together, and chooses up to `most` of them greedily; of lists
/// that add the same, the first.
///
/// O(most · rows · log rows) time: one pass over all lists for each choice, and one for the
/// union; memory as for other questions.
///
/// # Errors
/// If a list cannot be read.
pub fn reach(lists: &[Observation], most: usize, engine: &dyn Engine) -> Result<Reach, Error> {
    let lists: Vec<_> = lists.iter().collect();
    let union = ask(&Union, &lists, engine)?;
    let (mut chosen, mut steps, mut reached) = (vec![false; lists.len()], Vec::new(), 0);
    let mut adds: Vec<u64> = lists.iter().map(|list| list.len()).collect();
    while steps.len() < most {
        let candidates = (0..lists.len()).filter(|list| !chosen[*list] && adds[*list] > 0);
        let best = candidates.min_by_key(|list| (std::cmp::Reverse(adds[*list]), *list));
        let Some(list) = best else { break };
        chosen[list] = true;
        reached += adds[list];
        steps.push(Step { list, added: adds[list], reached });
        if steps.len() < most && reached < union {
            adds = ask(&Adds { chosen: &chosen }, &lists, engine)?;
        } else {
            adds.fill(0);
        }
    }
    Ok(Reach { union, steps })
}

/// How many different members all lists have.
struct Union;

impl Question for Union {
    type Partial = u64;
    type Answer = u64;

    fn start(&self) -> u64 {
        0
    }

    fn on_partition(&self, part: &Partition<'_>) -> Result<u64, Error> {
        Ok(together(part, |_| true).len() as u64)
    }

    fn merge(&self, answer: &mut u64, part: u64) {
        *answer += part;
    }
}

/// How many members each list would add to those that are chosen.
struct Adds<'a> {
    chosen: &'a [bool],
}

impl Question for Adds<'_> {
    type Partial = Vec<u64>;
    type Answer = Vec<u64>;

    fn start(&self) -> Vec<u64> {
        vec![0; self.chosen.len()]
    }

    fn on_partition(&self, part: &Partition<'_>) -> Result<Vec<u64>, Error> {
        let reached = together(part, |list| self.chosen[list]);
        let adds = |list: usize| {
            if self.chosen[list] {
                return 0;
            }
            let members = part.list(list).members.iter();
            members.filter(|member| reached.binary_search(member).is_err()).count() as u64
        };
        Ok((0..part.lists()).map(adds).collect())
    }

    fn merge(&self, answer: &mut Vec<u64>, part: Vec<u64>) {
        answer.iter_mut().zip(part).for_each(|(all, some)| *all += some);
    }
}

/// The members that some of the lists have in a partition, ascending, each once.
fn together(part: &Partition<'_>, of: impl Fn(usize) -> bool) -> Vec<i64> {
    let lists = (0..part.lists()).filter(|list| of(*list));
    let mut members: Vec<i64> = lists.flat_map(|list| part.list(list).members).copied().collect();
    members.sort_unstable();
    members.dedup();
    members
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use snapshot::{AccountId, List};

    use super::*;
    use crate::engine::{Memory, Stream};

    fn lists(of: &[BTreeSet<u32>]) -> Vec<Observation> {
        let list = |(account, members): (u32, &BTreeSet<u32>)| {
            let members = members.iter().map(|id| AccountId::from(*id));
            Observation::complete(account.into(), List::Followers, members).unwrap()
        };
        (0..).zip(of).map(list).collect()
    }

    /// The members that some lists have, lists as bits.
    fn union(of: &[BTreeSet<u32>], chosen: u32) -> usize {
        let lists = of.iter().enumerate().filter(|(i, _)| chosen >> i & 1 == 1);
        lists.flat_map(|(_, members)| members).collect::<BTreeSet<_>>().len()
    }

    #[test]
    fn who_adds_most_comes_first_and_who_adds_nobody_does_not_come() {
        let of = [vec![1, 2, 3], vec![3, 4], vec![1, 2, 3, 5], vec![5], vec![]];
        let of = of.map(|members| members.into_iter().collect::<BTreeSet<u32>>());
        let found = reach(&lists(&of), 10, &Memory).unwrap();
        let step = |list, added, reached| Step { list, added, reached };
        assert_eq!(found, Reach { union: 5, steps: vec![step(2, 4, 4), step(1, 1, 5)] });
        assert_eq!(reach(&lists(&of), 1, &Memory).unwrap().steps, [step(2, 4, 4)]);
        assert_eq!(reach(&[], 3, &Memory).unwrap(), Reach { union: 0, steps: vec![] });
    }

    proptest! {
        #[test]
        fn each_choice_is_the_best_next_one_and_k_reach_what_is_promised(
            of in prop::collection::vec(prop::collection::btree_set(0..24_u32, 0..12), 0..7),
        ) {
            let found = reach(&lists(&of), of.len(), &Stream).unwrap();
            prop_assert_eq!(&found, &reach(&lists(&of), of.len(), &Memory).unwrap());
            prop_assert_eq!(found.union, union(&of, u32::MAX) as u64);
            let mut chosen = 0;
            for (before, step) in found.steps.iter().enumerate() {
                let with = |list: usize| union(&of, chosen | 1 << list);
                prop_assert_eq!(Some(with(step.list)), (0..of.len()).map(with).max());
                chosen |= 1 << step.list;
                prop_assert_eq!(step.reached, union(&of, chosen) as u64);
                let k = before + 1;
                let of_k = (0..1_u32 << of.len()).filter(|set| set.count_ones() as usize == k);
                let best = of_k.map(|set| union(&of, set)).max().unwrap();
                prop_assert!(step.reached as f64 >= (1.0 - (-1_f64).exp()) * best as f64);
            }
            prop_assert_eq!(union(&of, chosen) as u64, found.union);
        }
    }
}
