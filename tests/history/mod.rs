//! The history of a store says what its runs say, and stays out of everybody's way.

use std::process::Command;

use analysis::history::{Updated, update};
use snapshot::{AccountId, History, List, Spell, Store};

/// What a store keeps: damage, old runs, deleted runs, crashes.
mod kept;
/// A real series, every pair of its days.
mod real;
/// Purges and other steps at which lists lose far more than usual.
mod spikes;
/// How long followers stay.
mod stays;
/// A simulated network whose truth is known.
mod truth;

/// The history of a store, brought up to date.
#[track_caller]
fn updated(store: &Store) -> (History, Updated) {
    update(store).unwrap()
}

/// Every spell of a list.
fn spells(history: &History, list: List) -> Vec<Spell> {
    let Some(file) = history.spells(list) else { return Vec::new() };
    (0..file.groups()).flat_map(|group| file.group(group).unwrap()).collect()
}

/// Imports members of account 42 as they were on a day.
fn import(command: &mut Command, folder: &std::path::Path, day: &str, members: &str) {
    let file = folder.join(format!("{day}.txt"));
    std::fs::write(&file, members).unwrap();
    let args = ["--account", "42", "--time", day];
    crate::util::succeed(command.arg("import").arg(file).args(args));
}

const ACCOUNT: u32 = 42;

fn account() -> AccountId {
    AccountId::from(ACCOUNT)
}
