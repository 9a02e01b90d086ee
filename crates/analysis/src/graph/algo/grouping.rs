//! Accounts in groups: components, communities.

use std::cmp::Reverse;

use super::super::NodeIx;
use super::chunks::small;

/// Every account in exactly one group. A group is known by the smallest number in it, so that
/// equal groupings are equal values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouping {
    labels: Vec<NodeIx>,
}

impl Grouping {
    /// From labels of which each is the smallest number that has it.
    pub(super) fn new(labels: Vec<NodeIx>) -> Self {
        debug_assert!(
            labels
                .iter()
                .enumerate()
                .all(|(node, label)| { label.index() <= node && labels[label.index()] == *label })
        );
        Self { labels }
    }

    /// From any labels below their count.
    pub(super) fn of_labels(labels: &[u32]) -> Self {
        let mut first = vec![None; labels.len()];
        let group = |(node, label): (usize, &u32)| {
            *first[*label as usize].get_or_insert_with(|| NodeIx::new(node))
        };
        Self::new(labels.iter().enumerate().map(group).collect())
    }

    /// The group of an account: the smallest number in it.
    pub fn of(&self, node: NodeIx) -> NodeIx {
        self.labels[node.index()]
    }

    /// The groups of all accounts, by their numbers.
    pub fn labels(&self) -> &[NodeIx] {
        &self.labels
    }

    /// Each group and how many accounts it has: largest first, of equal ones that of the
    /// smallest number. O(accounts + groups log groups).
    pub fn sizes(&self) -> Vec<(NodeIx, u64)> {
        let mut counts = vec![0_u64; self.labels.len()];
        self.labels.iter().for_each(|label| counts[label.index()] += 1);
        let sizes = counts.into_iter().enumerate().filter(|(_, size)| *size > 0);
        let mut sizes: Vec<_> = sizes.map(|(label, size)| (NodeIx::new(label), size)).collect();
        sizes.sort_unstable_by_key(|(label, size)| (Reverse(*size), *label));
        sizes
    }

    /// The place of each account's group in [`sizes`](Self::sizes): 0 for those of the
    /// largest.
    pub fn by_size(&self) -> Vec<u32> {
        let mut places = vec![0; self.labels.len()];
        for (place, (label, _)) in self.sizes().into_iter().enumerate() {
            places[label.index()] = small(place);
        }
        self.labels.iter().map(|label| places[label.index()]).collect()
    }

    /// How many groups there are.
    pub fn count(&self) -> u64 {
        let own = |(node, label): &(usize, &NodeIx)| *node == label.index();
        self.labels.iter().enumerate().filter(own).count() as u64
    }
}
