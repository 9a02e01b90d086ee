//! Who left one account and came to another in the same window.
//!
//! A member that one account lost and another gained between two runs is one that *flowed*.
//! That it left the one for the other is not said by that. Who had only been hidden and returned
//! did not come, and is left out where the order of the lists tells.

use std::collections::BTreeMap;

use snapshot::AccountId;

use crate::Diff;
use crate::when::Arrival;

/// Members that one account lost and another gained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Who lost them.
    pub from: AccountId,
    /// Who gained them.
    pub to: AccountId,
    /// Who, ascending.
    pub members: Vec<AccountId>,
    /// How many the one lost in all.
    pub lost: u64,
    /// How many the other gained in all, those who returned left out.
    pub gained: u64,
}

/// The flows between all accounts of which some diffs tell, by `from` and `to`; pairs between
/// which nobody flowed are left out.
///
/// The diffs should be of one list and the same two runs. O(changes · log changes) time for
/// members who left few accounts and came to few; a member that left `k` and came to `n` is in
/// `k · n` flows.
pub fn flows(diffs: &[Diff]) -> Vec<Flow> {
    let mut moves: Vec<(AccountId, bool, usize)> = Vec::new();
    let came = |diff: &Diff| {
        let gained = diff.gained.iter().filter(|c| c.arrival != Some(Arrival::Returned));
        gained.map(|change| change.member).collect::<Vec<_>>()
    };
    let mut gained = Vec::new();
    for (number, diff) in diffs.iter().enumerate() {
        let members = came(diff);
        gained.push(members.len() as u64);
        moves.extend(diff.lost.iter().map(|change| (change.member, false, number)));
        moves.extend(members.into_iter().map(|member| (member, true, number)));
    }
    moves.sort_unstable();
    let mut flows: BTreeMap<(AccountId, AccountId), Flow> = BTreeMap::new();
    for of_one in moves.chunk_by(|one, other| one.0 == other.0) {
        let (left, came) = of_one.split_at(of_one.partition_point(|(_, has_come, _)| !has_come));
        for ((member, _, from), (_, _, to)) in
            left.iter().flat_map(|left| came.iter().map(move |came| (left, came)))
        {
            let (out, into) = (diffs[*from].of.account, diffs[*to].of.account);
            let (lost, gained) = (diffs[*from].lost.len() as u64, gained[*to]);
            let none = || Flow { from: out, to: into, members: Vec::new(), lost, gained };
            flows.entry((out, into)).or_insert_with(none).members.push(*member);
        }
    }
    flows.into_values().collect()
}
