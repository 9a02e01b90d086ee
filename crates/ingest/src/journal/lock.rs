//! One job at a time in a store: a lock that says whose it is, and since when.
//!
//! The system lets go of it when its owner dies, however it dies; what the file says is for
//! people only.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind};

const FILE: &str = "lock";
/// How often to look again at a lock that nobody owns.
const LOOKS_MAX: u32 = 20;

/// The right to run a job in a store; given back when dropped.
#[derive(Debug)]
pub(crate) struct StoreLock(File);

/// Who holds the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Its process.
    pub pid: u32,
    /// The machine it runs on, if that is known.
    pub host: Option<String>,
    /// Since when, by that machine's clock.
    pub since: Timestamp,
    /// What it does, as a person types it.
    pub command: String,
}

impl StoreLock {
    /// Takes the lock below `folder`, which must exist.
    ///
    /// # Errors
    /// If somebody else has it.
    pub(super) fn take(folder: &Path, command: &str) -> Result<Self, Error> {
        let path = folder.join(FILE);
        let open =
            || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open().map_err(|e| Error::io("open", &path, e))?;
        // Somebody who only looks holds it for a moment, and has written nothing.
        let mut tries = 0;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(std::fs::TryLockError::WouldBlock) => {
                    let owner = owner_in(&mut file);
                    if owner.is_some() || tries == LOOKS_MAX {
                        return Err(taken(folder, owner));
                    }
                    tries += 1;
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(std::fs::TryLockError::Error(e)) => return Err(Error::io("lock", &path, e)),
            }
        }
        let owner = Owner {
            pid: std::process::id(),
            host: host(),
            since: Timestamp::now(),
            command: command.to_owned(),
        };
        let text = serde_json::to_vec(&owner).unwrap_or_default();
        let written =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(&text));
        written.map_err(|e| Error::io("write", &path, e))?;
        Ok(Self(file))
    }

    /// Who has the lock, if anybody does. Takes nothing.
    pub(super) fn owner(folder: &Path) -> Option<Owner> {
        let mut file = File::open(folder.join(FILE)).ok()?;
        match file.try_lock_shared() {
            Ok(()) => None,
            Err(_) => owner_in(&mut file),
        }
    }
}

impl Drop for StoreLock {
    fn drop(&mut self) {
        let _ = self.0.set_len(0);
    }
}

fn owner_in(file: &mut File) -> Option<Owner> {
    let mut text = Vec::new();
    file.rewind().ok()?;
    file.take(1 << 16).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

fn taken(folder: &Path, owner: Option<Owner>) -> Error {
    let store = folder.parent().unwrap_or(folder).display();
    let who = owner.map_or("another process".to_owned(), |owner| {
        let age = owner.held_for(Timestamp::now());
        let host = owner.host.filter(|h| Some(h) != host().as_ref());
        let host = host.map_or(String::new(), |host| format!(" on {host}"));
        format!("process {}{host} for {age}: {}", owner.pid, owner.command)
    });
    Error::new(ErrorKind::Locked, format!("the store {store} is in use by {who}"))
        .hint("wait until it is done, or stop it; `followgraph status` shows how far it is")
}

impl Owner {
    /// How long it has had the lock at this time, as people say it.
    pub fn held_for(&self, at: Timestamp) -> String {
        age(at.duration_since(self.since))
    }
}

/// Whole minutes and more, as people say them.
fn age(age: SignedDuration) -> String {
    let (hours, minutes) = (age.as_hours(), age.as_mins() % 60);
    match (hours, minutes) {
        (..=0, ..=0) => "less than a minute".to_owned(),
        (..=0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(target_os = "linux")]
fn host() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(not(target_os = "linux"))]
fn host() -> Option<String> {
    std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_job_is_told_who_has_the_store() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(StoreLock::owner(folder.path()), None);
        let first = StoreLock::take(folder.path(), "followgraph snapshot @a").unwrap();
        let owner = StoreLock::owner(folder.path()).unwrap();
        assert_eq!(
            (owner.pid, owner.command.as_str()),
            (std::process::id(), "followgraph snapshot @a")
        );
        let refused = StoreLock::take(folder.path(), "another").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Locked);
        let said = refused.to_string();
        assert!(said.contains(&format!("process {} for less than a minute", owner.pid)), "{said}");
        drop(first);
        assert_eq!(StoreLock::owner(folder.path()), None);
        StoreLock::take(folder.path(), "another").unwrap();
    }

    #[test]
    fn ages_are_said_as_people_say_them() {
        let check = |secs, said| assert_eq!(age(SignedDuration::from_secs(secs)), said);
        check(-5, "less than a minute");
        check(59, "less than a minute");
        check(600, "10 min");
        check(3 * 3600 + 720, "3 h 12 min");
    }
}
