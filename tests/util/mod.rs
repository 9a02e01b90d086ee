//! Runs the program in a clean environment, and transcripts of sessions with it.

pub(crate) mod transcript;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The program, without anything of this machine's environment but the search path.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_followgraph"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", "/nonexistent");
    command
}

/// The program working on a store.
pub(crate) fn on(store: &Path) -> Command {
    let mut command = program();
    command.arg("--store").arg(store);
    command
}

/// What came of running it.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn run(command: &mut Command) -> Done {
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
    Done { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

/// Runs it and insists on success; answers its standard output.
#[track_caller]
pub(crate) fn succeed(command: &mut Command) -> String {
    let done = run(command);
    assert_eq!(done.code, Some(0), "{command:?}\n{}\n{}", done.stdout, done.stderr);
    done.stdout
}

/// A file of the project's `data/` folder.
pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)
}

pub(crate) fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// The published runs of a store, by name.
pub(crate) fn published(store: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(store) else { return Vec::new() };
    let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut runs: Vec<_> = names.filter(|name| name.starts_with("run=")).collect();
    runs.sort();
    runs
}
