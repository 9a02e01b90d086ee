//! Runs the program in a clean environment, and transcripts of sessions with it.

pub(crate) mod transcript;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};

use simulator::{Server, ServerConfig, World};
use snapshot::{AccountId, Columns, List, Run};

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

/// The list as stored, in the order of positions: newest first.
pub(crate) fn stored(run: &Run, account: AccountId, list: List) -> Vec<i64> {
    let reader = run.list(list).unwrap();
    let columns = Columns { accounts: false, positions: true };
    let rows = reader.members(account, 0..i64::MAX, columns).load().unwrap();
    let mut rows: Vec<_> = rows.positions.into_iter().zip(rows.members).collect();
    rows.sort_unstable();
    rows.into_iter().map(|(_, member)| member).collect()
}

/// Waits for a process to end; answers its exit code and all that it has printed.
pub(crate) fn finish(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout) + &text(output.stderr))
}

/// No file below a folder contains this secret.
#[track_caller]
pub(crate) fn assert_nowhere(secret: &str, folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_nowhere(secret, &path);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "a secret is in {}", path.display());
    }
}

/// A simulated network in this process, so that a test can look into it, for programs in
/// others.
pub(crate) struct Network {
    runtime: tokio::runtime::Runtime,
    server: Option<Server>,
}

impl Network {
    pub(crate) fn start(world: World, config: ServerConfig) -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(Server::start(world, config)).unwrap();
        Self { runtime, server: Some(server) }
    }

    /// The program working on a store, with the network's address in its environment.
    pub(crate) fn client(&self, store: &Path) -> Command {
        let mut command = on(store);
        command.env("FOLLOWGRAPH_BASE_URL", self.base_url());
        command
    }
}

impl std::ops::Deref for Network {
    type Target = Server;

    fn deref(&self) -> &Server {
        self.server.as_ref().expect("it runs until it is dropped")
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.shutdown());
        }
    }
}
