//! Who of some accounts follows whom of them, without a graph of everybody else.

use std::collections::BTreeSet;

use snapshot::{AccountId, List};

use crate::engine::Engine;
use crate::mutual_changes::Present;
use crate::{Error, RunObservations, ask};

/// The edges (follower, followed) between accounts of a set that the lists of a run show,
/// ascending; an edge that both a followers and a following list show is there once. Edges from
/// an account to itself are left out.
///
/// `accounts` need not be sorted. An edge that is missing was looked for only if a list that
/// would show it was read to its end. O(rows of their lists) time, one list in memory at a time
/// where they are short.
///
/// # Errors
/// If a list cannot be read.
pub fn edges_among(
    run: &RunObservations,
    accounts: &[AccountId],
    engine: &dyn Engine,
) -> Result<Vec<(AccountId, AccountId)>, Error> {
    let accounts: BTreeSet<_> = accounts.iter().copied().collect();
    let mut edges = BTreeSet::new();
    for list in List::ALL {
        let shown = shown_among(run, list, &accounts, engine)?;
        edges.extend(shown.into_iter().filter(|(follower, followed)| follower != followed));
    }
    Ok(edges.into_iter().collect())
}

/// The same as one kind of list shows it, with edges from an account to itself.
pub(crate) fn shown_among(
    run: &RunObservations,
    list: List,
    accounts: &BTreeSet<AccountId>,
    engine: &dyn Engine,
) -> Result<BTreeSet<(AccountId, AccountId)>, Error> {
    let members: Vec<_> = accounts.iter().copied().collect();
    let mut edges = BTreeSet::new();
    let of: Vec<_> = run.accounts(list).into_iter().filter(|a| accounts.contains(a)).collect();
    let mut lists = run.lists(list, &of);
    for account in &of {
        for observation in lists.take(&[*account])? {
            let found = ask(&Present { members: &members }, &[&observation], engine)?;
            edges.extend(found.into_iter().map(|member| list.edge(*account, member)));
        }
    }
    Ok(edges)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use snapshot::{Coverage, Crawl, State, Store, WriterOptions};

    use super::*;
    use crate::engine::Stream;

    #[test]
    fn an_edge_is_found_in_either_list_and_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let at = Timestamp::UNIX_EPOCH;
        let mut run = store.begin(at, WriterOptions::default()).unwrap();
        let lists = [
            (1_u32, List::Followers, &[2_u32, 3, 9, 1][..]),
            (2, List::Following, &[1, 3, 8]),
            (3, List::Followers, &[]),
        ];
        for (account, list, members) in lists {
            let state = State::Read(Coverage::Complete);
            run.crawl(Crawl::new(account.into(), list, "file", state, at));
            let members: Vec<_> = members.iter().map(|id| AccountId::from(*id)).collect();
            run.rows(list, account.into(), 0, &members).unwrap();
        }
        run.publish().unwrap();
        let run = RunObservations::open(&store.runs().unwrap()[0]).unwrap();
        let of = |accounts: &[u32]| {
            let accounts: Vec<_> = accounts.iter().map(|id| AccountId::from(*id)).collect();
            let found = edges_among(&run, &accounts, &Stream).unwrap();
            found.iter().map(|(a, b)| format!("{a}->{b}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of(&[3, 2, 1]), "2->1 2->3 3->1");
        assert_eq!(of(&[1, 2]), "2->1");
        assert_eq!(of(&[8, 2]), "2->8", "that account 8 has no list is no reason to leave it out");
        assert_eq!(of(&[]), "");
    }
}
