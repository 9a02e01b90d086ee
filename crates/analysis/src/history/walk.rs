//! Walks over the spells of a list, member by member.

use std::collections::HashSet;

use snapshot::{AccountId, History, List, Spell};

use crate::Error;
use crate::in_order::in_order;
use crate::observation::ALL_IDS;

/// Hands over the spells of each member of some accounts, or of all, in the order of accounts and
/// members; at least one each. Reads no row group twice, decodes them in parallel, and holds a
/// few of them.
pub(crate) fn each_member(
    history: &History,
    list: List,
    accounts: Option<&[AccountId]>,
    mut take: impl FnMut(&[Spell]) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    let Some(file) = history.spells(list) else { return Ok(()) };
    let groups: Vec<usize> = match accounts {
        None => (0..file.groups()).collect(),
        Some(accounts) => {
            let of = accounts.iter().flat_map(|account| file.groups_of(*account, &ALL_IDS));
            let mut groups: Vec<_> = of.collect();
            groups.sort_unstable();
            groups.dedup();
            groups
        }
    };
    let asked: Option<HashSet<_>> = accounts.map(|accounts| accounts.iter().copied().collect());
    let is_meant =
        |spell: &Spell| asked.as_ref().is_none_or(|asked| asked.contains(&spell.account));
    let key = |spell: &Spell| (spell.account, spell.member);
    // The spells of the last member so far: more of them may come.
    let mut rest: Vec<Spell> = Vec::new();
    in_order(
        groups,
        |group| file.group(group),
        |spells| {
            rest.extend(spells?.into_iter().filter(is_meant));
            let last = rest.last().map(key);
            let whole = rest.partition_point(|spell| Some(key(spell)) < last);
            for of_member in rest[..whole].chunk_by(|a, b| key(a) == key(b)) {
                take(of_member)?;
            }
            rest.drain(..whole);
            Ok::<_, Error>(())
        },
    )?;
    if rest.is_empty() { Ok(()) } else { take(&rest) }
}
