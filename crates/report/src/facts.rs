//! What all sections of a report are made from: two runs, their lists, and what changed.
//!
//! Sections ask the analysis for answers of their own; what several of them need is here.

use std::collections::BTreeMap;

use analysis::engine::Stream;
use analysis::verdict::RECHECK;
use analysis::{Accounts, Diff, Losses, Observation, RunDiff, RunObservations, diff_runs, losses};
use snapshot::{AccountId, List, Profile, Run, Store};

use crate::text::clean;
use crate::{Error, Request};

/// What a report is about, read once.
pub(crate) struct Facts<'a> {
    pub(crate) list: List,
    pub(crate) before: Option<&'a Run>,
    pub(crate) after: &'a Run,
    pub(crate) earlier: Option<RunObservations>,
    pub(crate) later: RunObservations,
    /// The accounts of the later run that are reported, largest list first.
    pub(crate) accounts: Vec<AccountId>,
    pub(crate) profiles: BTreeMap<AccountId, Profile>,
    /// One for each account that both runs have, in the order of `accounts`.
    pub(crate) diffs: Vec<Diff>,
    /// One for each diff.
    pub(crate) losses: Vec<Losses>,
    /// Why nothing is known of what became of the lost, if it could not be read.
    pub(crate) losses_failed: Option<String>,
    pub(crate) only_before: Vec<AccountId>,
    pub(crate) only_after: Vec<AccountId>,
}

impl<'a> Facts<'a> {
    pub(crate) fn gather(store: &Store, request: &Request<'a>) -> Result<Self, Error> {
        let Request { before, after, list, .. } = *request;
        let later = RunObservations::open(after)?;
        let earlier = before.map(RunObservations::open).transpose()?;
        let asked = &request.accounts;
        let mut accounts = later.accounts(list);
        if let Accounts::Only(some) = asked {
            accounts.retain(|account| some.contains(account));
        }
        let changes = match before {
            Some(before) => diff_runs(before, after, list, asked, &Stream)?,
            None => nothing(list, after),
        };
        if accounts.is_empty() && changes.only_before.is_empty() {
            let message = format!("run {} has no {list} list to report", after.id());
            let hint = "`followgraph runs --accounts` lists the accounts of a run";
            return Err(Error::invalid(message, hint));
        }
        let size: BTreeMap<_, _> = later.crawls(list).map(|c| (c.account, c.ids)).collect();
        accounts.sort_by_key(|account| (std::cmp::Reverse(size.get(account)), *account));
        let mut profiles = BTreeMap::new();
        for run in before.into_iter().chain([after]) {
            profiles.extend(run.profiles()?.into_iter().map(|p| (p.account, p)));
        }
        let RunDiff { mut diffs, only_before, only_after, .. } = changes;
        let place: BTreeMap<_, _> = (0_usize..).zip(&accounts).map(|(i, a)| (*a, i)).collect();
        diffs.sort_by_key(|diff| place.get(&diff.of.account).copied());
        // A report stands without what became of the lost.
        let (losses, losses_failed) = match losses(store, &diffs, RECHECK) {
            Ok(losses) => (losses, None),
            Err(e) => (Vec::new(), Some(clean(&e.to_string()))),
        };
        Ok(Self {
            list,
            before,
            after,
            earlier,
            later,
            accounts,
            profiles,
            diffs,
            losses,
            losses_failed,
            only_before,
            only_after,
        })
    }

    /// The lists of the later run, in the order of the accounts; those that could be read.
    pub(crate) fn lists(&self) -> Result<Vec<Observation>, Error> {
        let mut lists = Vec::with_capacity(self.accounts.len());
        for account in &self.accounts {
            let list = self.later.of(*account, self.list)?;
            if list.crawl().state.coverage().is_some() {
                lists.push(list);
            }
        }
        Ok(lists)
    }

    pub(crate) fn labels(&self) -> Labels {
        let label = |profile: &Profile| {
            let name = profile.username.as_deref()?;
            Some((profile.account.to_string(), format!("@{}", clean(name))))
        };
        Labels(self.profiles.values().filter_map(label).collect())
    }
}

fn nothing(list: List, after: &Run) -> RunDiff {
    RunDiff {
        list,
        before: after.id(),
        after: after.id(),
        diffs: Vec::new(),
        only_before: Vec::new(),
        only_after: Vec::new(),
    }
}

/// How accounts are called, by their ids as text.
pub(crate) struct Labels(BTreeMap<String, String>);

impl Labels {
    /// `@name` where there is one, else the id.
    pub(crate) fn of<'a>(&'a self, account: &'a str) -> &'a str {
        self.0.get(account).map_or(account, String::as_str)
    }
}
