//! The graph of a run: who of its accounts follows whom, or everybody in their lists.

use std::collections::BTreeSet;

use snapshot::{AccountId, List};

use super::Extent;
use crate::among::shown_among;
use crate::engine::Stream;
use crate::observation::ALL_IDS;
use crate::{Error, Partition, Question, RunObservations, each};

/// Who follows whom, as lists of a run show it. Each edge is there once, whichever lists show it;
/// an account that follows itself has an edge, as files of edges may say so.
///
/// Holds the edges among the accounts whose lists they are. Of edges to and from others it holds
/// none: lists are read while nodes and edges are handed over.
pub struct RunGraph<'a> {
    run: &'a RunObservations,
    lists: Vec<List>,
    accounts: BTreeSet<AccountId>,
    extent: Extent,
    among: BTreeSet<(AccountId, AccountId)>,
    /// The edges that a list of either kind shows.
    twice: BTreeSet<(AccountId, AccountId)>,
}

impl<'a> RunGraph<'a> {
    /// The graph that these lists of these accounts show. O(rows of the lists).
    ///
    /// # Errors
    /// If a list cannot be read.
    pub fn new(
        run: &'a RunObservations,
        lists: &[List],
        accounts: &[AccountId],
        extent: Extent,
    ) -> Result<Self, Error> {
        let accounts: BTreeSet<_> = accounts.iter().copied().collect();
        let lists: Vec<_> = List::ALL.into_iter().filter(|list| lists.contains(list)).collect();
        let (mut among, mut twice) = (BTreeSet::new(), BTreeSet::new());
        for list in &lists {
            let shown = shown_among(run, *list, &accounts, &Stream)?;
            twice.extend(shown.intersection(&among));
            among.extend(shown);
        }
        Ok(Self { run, lists, accounts, extent, among, twice })
    }

    /// How many edges there are. O(lists).
    pub fn edges(&self) -> u64 {
        if self.extent == Extent::Watched {
            return self.among.len() as u64;
        }
        let of = |list: &List| {
            let crawls = self.run.crawls(*list);
            crawls.filter(|crawl| self.accounts.contains(&crawl.account)).map(|crawl| crawl.ids)
        };
        self.lists.iter().flat_map(of).sum::<u64>() - self.twice.len() as u64
    }

    /// Whether an account's own lists are those of the graph.
    pub fn is_watched(&self, account: AccountId) -> bool {
        self.accounts.contains(&account)
    }

    /// Hands over every account once, ascending. With everybody, one reading of the lists, all of
    /// them in step.
    ///
    /// # Errors
    /// If a list cannot be read, or `take` fails.
    pub fn nodes_each(
        &self,
        mut take: impl FnMut(AccountId) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        let mut watched = self.accounts.iter().copied().peekable();
        if self.extent == Extent::Members {
            let mut observations = Vec::new();
            for list in &self.lists {
                let of = self.asked(*list);
                observations.extend(self.run.lists(*list, &of).take(&of)?);
            }
            let lists: Vec<_> = observations.iter().collect();
            if !lists.is_empty() {
                each(&Anybody, &lists, &Stream, |members| {
                    for member in members {
                        while let Some(account) = watched.next_if(|account| *account < member) {
                            take(account)?;
                        }
                        watched.next_if_eq(&member);
                        take(member)?;
                    }
                    Ok(())
                })?;
            }
        }
        watched.try_for_each(take)
    }

    /// Hands over every edge once, follower first: among the accounts in ascending order; with
    /// everybody, list by list, by account and then by member.
    ///
    /// # Errors
    /// If a list cannot be read, or `take` fails.
    pub fn edges_each(
        &self,
        mut take: impl FnMut([AccountId; 2]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.extent == Extent::Watched {
            return self.among.iter().try_for_each(|(a, b)| take([*a, *b]));
        }
        // Who is in a list of the second kind may have been shown by one of the first.
        for (list, seen) in self.lists.iter().zip([&BTreeSet::new(), &self.twice]) {
            let of = self.asked(*list);
            let mut lists = self.run.lists(*list, &of);
            for account in &of {
                for observation in lists.take(&[*account])? {
                    let mut reading = observation.reading(ALL_IDS, false);
                    while let Some(last) = reading.last_at_hand()? {
                        reading.read_to(last);
                        let rows = reading.rows();
                        for row in 0..rows.members.len() {
                            let (follower, followed) = list.edge(*account, rows.id(row));
                            if !seen.contains(&(follower, followed)) {
                                take([follower, followed])?;
                            }
                        }
                    }
                    observation.check(reading.passed())?;
                }
            }
        }
        Ok(())
    }

    /// The accounts whose list of a kind the run asked for.
    fn asked(&self, list: List) -> Vec<AccountId> {
        let asked = self.run.accounts(list).into_iter();
        asked.filter(|account| self.accounts.contains(account)).collect()
    }
}

/// Who is in any of the lists.
struct Anybody;

impl Question for Anybody {
    type Partial = Vec<AccountId>;
    type Answer = Vec<AccountId>;

    fn start(&self) -> Vec<AccountId> {
        Vec::new()
    }

    fn on_partition(&self, part: &Partition<'_>) -> Result<Vec<AccountId>, Error> {
        let lists = (0..part.lists()).map(|index| part.list(index));
        let rows = lists.flat_map(|list| (0..list.members.len()).map(move |row| list.id(row)));
        let mut members: Vec<_> = rows.collect();
        members.sort_unstable();
        members.dedup();
        Ok(members)
    }

    fn merge(&self, answer: &mut Vec<AccountId>, part: Vec<AccountId>) {
        answer.extend(part);
    }
}
