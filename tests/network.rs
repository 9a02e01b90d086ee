//! The program against `followgraph simulate`, as a person would run both.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::util::{on, program, published, run, scratch, succeed};

/// A simulated network in a process of its own.
struct Network {
    server: Child,
    address: String,
    token: String,
    accounts: Vec<String>,
}

impl Network {
    fn start(args: &[&str]) -> Self {
        let mut command = program();
        command.args(["simulate", "--port", "0", "--users", "2000"]).args(args);
        let mut server = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut greeting = String::new();
        let mut lines = BufReader::new(server.stdout.take().unwrap());
        while !greeting.contains("Ctrl-C") {
            assert!(lines.read_line(&mut greeting).unwrap() > 0, "{greeting}");
        }
        let word = |begin: &str| {
            let rest = &greeting[greeting.find(begin).unwrap() + begin.len()..];
            rest.split_whitespace().next().unwrap().to_owned()
        };
        let accounts = greeting.lines().find(|line| line.starts_with("Its most followed")).unwrap();
        let accounts = accounts.split(' ').filter(|word| word.starts_with('@'));
        Self {
            address: word("FOLLOWGRAPH_BASE_URL="),
            token: word("FOLLOWGRAPH_BEARER_TOKEN="),
            accounts: accounts.map(str::to_owned).collect(),
            server,
        }
    }

    /// The program with the network's address and token in its environment.
    fn client(&self, store: &Path) -> Command {
        let mut command = on(store);
        command.env("FOLLOWGRAPH_BASE_URL", &self.address);
        command.env("FOLLOWGRAPH_BEARER_TOKEN", &self.token);
        command
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Every text and file below a folder contains nothing of this.
fn assert_nowhere(secret: &str, folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_nowhere(secret, &path);
            continue;
        }
        let mut bytes = Vec::new();
        std::fs::File::open(&path).unwrap().read_to_end(&mut bytes).unwrap();
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "the token is in {}", path.display());
    }
}

#[test]
fn accounts_are_read_by_name_and_the_token_stays_out_of_everything() {
    let (network, folder) = (Network::start(&[]), scratch());
    let accounts = &network.accounts[..3];
    let mut command = network.client(folder.path());
    command.args(["snapshot", "--list", "followers", "--list", "following"]).args(accounts);
    let done = run(command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full"));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(done.stdout.contains("6 lists (6 complete)"), "{}", done.stdout);
    assert!(!done.stdout.contains(&network.token) && !done.stderr.contains(&network.token));
    assert_nowhere(&network.token, folder.path());
    let listed = succeed(on(folder.path()).args(["runs", "--accounts"]));
    for account in accounts {
        assert_eq!(listed.matches(account.as_str()).count(), 2, "{listed}");
    }
    succeed(on(folder.path()).arg("verify"));
}

#[test]
fn a_job_file_says_what_to_read_and_how() {
    let (network, folder) = (Network::start(&[]), scratch());
    let [first, second] = [&network.accounts[10], &network.accounts[11]];
    std::fs::write(folder.path().join("more.txt"), format!("# more\n{second}\n")).unwrap();
    let job = format!(
        "store = \"kept\"\npage_size = 10\nbase_url = \"{}\"\n\n[[accounts]]\nwho = [\"{first}\"]\n\
         lists = [\"followers\"]\n\n[[accounts]]\nfile = \"more.txt\"\nlists = [\"following\"]\n",
        network.address
    );
    std::fs::write(folder.path().join("job.toml"), job).unwrap();
    let mut command = program();
    command.env("FOLLOWGRAPH_BEARER_TOKEN", &network.token).current_dir(folder.path());
    succeed(command.args(["snapshot", "job.toml"]));
    let run = snapshot::Store::open(folder.path().join("kept")).unwrap().find("latest").unwrap();
    let crawls = run.crawls().unwrap();
    assert_eq!(crawls.len(), 2);
    for crawl in crawls {
        assert!(u64::from(crawl.pages) >= crawl.ids / 10, "pages of ten: {crawl:?}");
    }
}

#[test]
fn a_token_file_that_was_named_wins_over_the_environment() {
    use std::os::unix::fs::PermissionsExt as _;
    let (network, folder) = (Network::start(&[]), scratch());
    let file = folder.path().join("token");
    std::fs::write(&file, "not-the-token").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let store = folder.path().join("store");
    let mut command = network.client(&store);
    command.arg("snapshot").arg(&network.accounts[0]);
    let done = run(command.arg("--token-file").arg(&file));
    assert_eq!(done.code, Some(4), "{}", done.stderr);
    assert!(!done.stderr.contains("not-the-token"));
    assert!(published(&store).is_empty());
}

#[test]
fn ctrl_c_publishes_what_was_read_and_exits_with_130() {
    let (network, folder) = (Network::start(&["--window", "600"]), scratch());
    let mut command = network.client(folder.path());
    // One id a page uses the window up, and then there is nothing to do but wait.
    command.args(["snapshot", "--page-size", "1", &network.accounts[0]]);
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut heard = String::new();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    while !heard.contains("waiting until") {
        assert!(lines.read_line(&mut heard).unwrap() > 0, "{heard}");
    }
    let stop = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(stop.unwrap().success());
    let patience = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(patience.elapsed() < Duration::from_secs(30), "it does not stop");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(status.code(), Some(130));
    let run = snapshot::Store::open(folder.path()).unwrap().find("latest").unwrap();
    let crawls = run.crawls().unwrap();
    let cut =
        snapshot::Coverage::CutShort { after_page: crawls[0].pages, why: snapshot::Cut::Stopped };
    assert_eq!(crawls[0].state, snapshot::State::Read(cut));
    assert!(crawls[0].ids > 0 && crawls[0].covered_since.is_some());
    assert_eq!(run.verify().faults, []);
}

#[test]
fn an_account_that_is_not_there_is_a_mistake() {
    let (network, folder) = (Network::start(&[]), scratch());
    let done = run(network.client(folder.path()).args(["snapshot", "@no_such_user"]));
    assert_eq!(done.code, Some(2), "{}", done.stderr);
    assert!(done.stderr.contains("@no_such_user"), "{}", done.stderr);
}

#[test]
fn the_demo_leaves_three_good_runs_behind() {
    let folder = scratch();
    let store = folder.path().join("demo");
    let screen = succeed(on(&store).args(["demo", "--quiet"]));
    for part in ["gained", "follow back", "Jaccard", "Try next:", "pl.scan_parquet("] {
        assert!(screen.contains(part), "{part} is not in\n{screen}");
    }
    assert_eq!(published(&store).len(), 3);
    succeed(on(&store).arg("verify"));
    let again = run(on(&store).args(["demo"]));
    assert_eq!(again.code, Some(2), "a second demo does not mix its runs with the first's");
}
