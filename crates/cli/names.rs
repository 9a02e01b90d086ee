//! Accounts as people write them, and as they are shown.

use std::collections::HashMap;

use anyhow::Result;
use snapshot::{AccountId, Run};

/// The handles of a run's accounts, for labels.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<AccountId, String>);

impl Names {
    /// Reads the handles that these runs know; the last run's spelling wins.
    pub(crate) fn of<'a>(runs: impl IntoIterator<Item = &'a Run>) -> Result<Self> {
        let mut names = HashMap::new();
        for run in runs {
            for profile in run.profiles()? {
                if let Some(username) = profile.username {
                    names.insert(profile.account, username);
                }
            }
        }
        Ok(Self(names))
    }

    /// The name alone, where there is one.
    pub(crate) fn username(&self, account: AccountId) -> Option<&str> {
        self.0.get(&account).map(String::as_str)
    }

    /// `@name` where there is one, else the id.
    pub(crate) fn label(&self, account: AccountId) -> String {
        match self.0.get(&account) {
            Some(name) => format!("@{name}"),
            None => account.to_string(),
        }
    }
}

/// The accounts that were named on the command line, each once, in that order; an empty
/// list means all.
pub(crate) fn resolve(run: &Run, named: &[String]) -> Result<Vec<AccountId>> {
    let mut accounts = Vec::new();
    for name in named {
        let account = run.account(name)?;
        if !accounts.contains(&account) {
            accounts.push(account);
        }
    }
    Ok(accounts)
}
