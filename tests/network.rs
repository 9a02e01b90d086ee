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

/// Starts it with one id a page, which uses the window up, and waits until there is nothing
/// to do but wait.
fn until_it_waits(network: &Network, store: &Path) -> Child {
    let mut command = network.client(store);
    command.args(["snapshot", "--page-size", "1", &network.accounts[11]]);
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut heard = String::new();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    while !heard.contains("waiting until") {
        assert!(lines.read_line(&mut heard).unwrap() > 0, "{heard}");
    }
    // The rest is read too, so that it is not killed for want of a reader.
    std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
    child
}

fn end(child: &mut Child) -> Option<i32> {
    let patience = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(patience.elapsed() < Duration::from_secs(30), "it does not stop");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn ctrl_c_keeps_what_was_read_and_the_same_command_goes_on() {
    let (network, folder) = (Network::start(&["--window", "3", "--limit", "20"]), scratch());
    let mut child = until_it_waits(&network, folder.path());
    let stop = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(stop.unwrap().success());
    assert_eq!(end(&mut child), Some(130));
    assert!(published(folder.path()).is_empty(), "what is not done is not shown");
    let status = succeed(on(folder.path()).args(["status", "--format", "json"]));
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["jobs"][0]["lists"][0]["pages"], 20, "{status}");
    let mut command = network.client(folder.path());
    let done = run(command.args(["snapshot", "--page-size", "1", &network.accounts[11]]));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(done.stderr.contains("going on where it was left"), "{}", done.stderr);
    let run = snapshot::Store::open(folder.path()).unwrap().find("latest").unwrap();
    let crawl = &run.crawls().unwrap()[0];
    // One request for each page, whoever sent it.
    assert_eq!((crawl.requests, crawl.pages), (crawl.pages, crawl.pages));
    assert_eq!(crawl.reported_count, Some(crawl.ids));
    let kept = &run.manifest().parameters;
    assert_eq!(kept["sessions"], "2");
}

#[test]
fn what_was_read_can_be_published_as_it_is() {
    let (network, folder) = (Network::start(&["--window", "600", "--limit", "20"]), scratch());
    let mut child = until_it_waits(&network, folder.path());
    child.kill().unwrap();
    child.wait().unwrap();
    let mut command = on(folder.path());
    command.env("FOLLOWGRAPH_BASE_URL", &network.address);
    succeed(command.args(["snapshot", "--finish", &network.accounts[11]]));
    let run = snapshot::Store::open(folder.path()).unwrap().find("latest").unwrap();
    let crawls = run.crawls().unwrap();
    let cut = snapshot::Coverage::CutShort { after_page: 20, why: snapshot::Cut::Stopped };
    assert_eq!(crawls[0].state, snapshot::State::Read(cut));
    // Hidden accounts leave gaps in pages.
    assert!((15..=20).contains(&crawls[0].ids), "{:?}", crawls[0]);
    assert!(crawls[0].covered_since.is_some());
    assert_eq!(run.verify().faults, []);
}

#[test]
fn two_jobs_do_not_work_on_one_store() {
    let (network, folder) = (Network::start(&["--window", "600", "--limit", "20"]), scratch());
    let mut child = until_it_waits(&network, folder.path());
    let mut second = network.client(folder.path());
    let refused = run(second.args(["snapshot", &network.accounts[0]]));
    assert_eq!(refused.code, Some(5), "{}", refused.stderr);
    let owner = format!("in use by process {} for less than a minute", child.id());
    assert!(refused.stderr.contains(&owner), "{}", refused.stderr);
    child.kill().unwrap();
    child.wait().unwrap();
    // A lock dies with its owner.
    let mut third = network.client(folder.path());
    let other = run(third.args(["snapshot", "--list", "following", &network.accounts[0]]));
    assert_eq!(other.code, Some(0), "{}", other.stderr);
}

#[test]
fn a_budget_is_kept_to_and_the_next_session_goes_on() {
    let (network, folder) = (Network::start(&[]), scratch());
    let mut sessions = 0;
    loop {
        let mut command = network.client(folder.path());
        command.args(["snapshot", "--page-size", "100", "--max-cost-usd", "3.02"]);
        let done = run(command.args(&network.accounts[..2]));
        sessions += 1;
        if done.code == Some(0) {
            break;
        }
        assert_eq!(done.code, Some(3), "{}", done.stderr);
        assert!(done.stderr.contains("stopped within the budget"), "{}", done.stderr);
        assert!(published(folder.path()).is_empty());
        assert!(sessions < 50, "it never ends");
    }
    let run = snapshot::Store::open(folder.path()).unwrap().find("latest").unwrap();
    let crawls = run.crawls().unwrap();
    for crawl in &crawls {
        assert_eq!(crawl.cost_micro_usd, Some(10_000 * i64::try_from(crawl.ids).unwrap()));
    }
    let cost: i64 = run.manifest().parameters["cost_micro_usd"].parse().unwrap();
    let ids: u64 = crawls.iter().map(|crawl| crawl.ids).sum();
    // Two profiles were looked up, once.
    assert_eq!(cost, 10_000 * i64::try_from(ids + 2).unwrap());
    // Three pages of a dollar fit into a session, and two look-ups into the first.
    let pages = u32::try_from(cost / 1_000_000).unwrap();
    assert!(sessions >= pages / 3, "{sessions} sessions for {cost}");
}

#[test]
fn another_page_size_begins_a_list_anew_and_says_so() {
    let (network, folder) = (Network::start(&[]), scratch());
    let account = &network.accounts[0];
    let mut command = network.client(folder.path());
    command.args(["snapshot", "--page-size", "50", "--max-requests", "4"]);
    assert_eq!(run(command.arg(account)).code, Some(3));
    let mut command = network.client(folder.path());
    let done = run(command.args(["snapshot", "--page-size", "100"]).arg(account));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let said = "is begun anew: it was begun with pages of 50 and is now to be read in pages of 100";
    assert!(done.stderr.contains(said), "{}", done.stderr);
    let run = snapshot::Store::open(folder.path()).unwrap().find("latest").unwrap();
    let crawl = &run.crawls().unwrap()[0];
    assert_eq!((crawl.duplicates, crawl.reported_count), (0, Some(crawl.ids)));
    assert!(run.pages().unwrap().iter().all(|page| page.ids > 50 || page.next_cursor.is_none()));
}

#[test]
fn a_head_refresh_costs_a_page_or_two() {
    let (network, folder) = (Network::start(&[]), scratch());
    let account = &network.accounts[0];
    let snapshot = |mode: &str| {
        let mut command = network.client(folder.path());
        command.args(["snapshot", "--mode", mode, "--page-size", "100"]);
        succeed(command.arg(account));
        let run = snapshot::Store::open(folder.path()).unwrap().find("latest").unwrap();
        run.crawls().unwrap().remove(0)
    };
    // There is nothing to meet yet.
    let whole = snapshot("head");
    assert!(whole.state.is_complete() && whole.pages > 5, "{whole:?}");
    let day = format!("{}/_simulator/advance?seconds=86400", network.address);
    assert!(Command::new("curl").args(["-sX", "POST", &day]).output().unwrap().status.success());
    let head = snapshot("head");
    assert_eq!(head.state, snapshot::State::Read(snapshot::Coverage::Head));
    assert!(head.pages <= 2 && head.covered_since.is_some(), "{head:?}");
    let known = snapshot::Store::open(folder.path()).unwrap().find("previous").unwrap().id();
    assert_eq!(head.known_run, Some(known));
    let changes =
        succeed(on(folder.path()).args(["diff", account, "--format", "csv", "--summary"]));
    let columns: Vec<_> = changes.lines().next().unwrap().split(',').collect();
    let values: Vec<_> = changes.lines().nth(1).unwrap().split(',').collect();
    let value = |name: &str| -> u64 {
        values[columns.iter().position(|c| *c == name).unwrap()].trim_matches('"').parse().unwrap()
    };
    assert!(value("gained") > 0, "{changes}");
    // Whom the head did not reach is not lost.
    assert!(value("unknown") > whole.ids / 2, "{changes}");
    assert_eq!(snapshot("auto").state, head.state, "a day is no age");
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
