//! Job files: what is due, again and again, and how a scheduler is told what came of it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ingest::Job;
use simulator::{ServerConfig, World, WorldConfig};
use snapshot::{Manifest, Store};

use crate::util::{Done, Network, finish, published, run, scratch};

fn network() -> Network {
    let start = jiff::Timestamp::now();
    let config =
        WorldConfig { users: 1_000, largest_audience: 300, start, ..WorldConfig::default() };
    Network::start(World::new(config), ServerConfig::default())
}

fn job(network: &Network, folder: &Path, intervals: [&str; 2]) -> std::path::PathBuf {
    let [a, b] = network.with_world(|world| [world.watched()[0], world.watched()[1]]);
    let [often, seldom] = intervals;
    let text = format!(
        "store = \"kept\"\nbase_url = \"{}\"\n\n[[accounts]]\nname = \"often\"\nwho = [{a}]\nevery = \"{often}\"\n\n\
         [[accounts]]\nname = \"seldom\"\nwho = [{b}]\nlists = [\"following\"]\nevery = \"{seldom}\"\n",
        network.base_url()
    );
    let path = folder.join("job.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn snapshot(network: &Network, job: &Path, more: &[&str]) -> Command {
    let mut command = crate::util::program();
    command.env("FOLLOWGRAPH_BEARER_TOKEN", network.bearer());
    command.arg("snapshot").arg(job).args(more);
    command
}

fn once(network: &Network, job: &Path) -> Done {
    let done = run(&mut snapshot(network, job, &[]));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    done
}

fn latest(folder: &Path) -> Manifest {
    let store = Store::open(folder.join("kept")).unwrap();
    store.find("latest").unwrap().manifest().clone()
}

#[test]
fn what_is_due_is_done_and_nothing_else() {
    let (network, folder) = (network(), scratch());
    let path = job(&network, folder.path(), ["2s", "1 week"]);
    once(&network, &path);
    assert_eq!(latest(folder.path()).parameters["groups"], "often seldom");
    let done = once(&network, &path);
    assert!(done.stderr.contains("nothing is due before "), "{}", done.stderr);
    let asked = network.requests().len();
    assert_eq!(published(&folder.path().join("kept")).len(), 1);
    std::thread::sleep(Duration::from_millis(2100));
    once(&network, &path);
    let manifest = latest(folder.path());
    assert_eq!((manifest.parameters["groups"].as_str(), manifest.crawls), ("often", 1));
    assert!(network.requests().len() > asked);
}

#[test]
fn every_keeps_it_going_until_it_is_stopped() {
    let (network, folder) = (network(), scratch());
    let path = job(&network, folder.path(), ["1s", "1 week"]);
    let mut command = snapshot(&network, &path, &["--every", "1s"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let patience = Instant::now();
    while published(&folder.path().join("kept")).len() < 3 {
        assert!(patience.elapsed() < Duration::from_mins(1), "it does not go on");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success()
    );
    let (code, output) = finish(child);
    assert_eq!(code, Some(143), "{output}");
    assert!(output.contains("for the next round"), "it says until when it waits: {output}");
}

#[test]
fn a_job_that_ran_out_of_budget_goes_on_with_what_it_began() {
    let (network, folder) = (network(), scratch());
    let path = job(&network, folder.path(), ["1h", "1 week"]);
    let short = run(&mut snapshot(&network, &path, &["--page-size", "20", "--max-requests", "6"]));
    assert_eq!(short.code, Some(3), "{}", short.stderr);
    assert!(published(&folder.path().join("kept")).is_empty());
    let done = run(&mut snapshot(&network, &path, &["--page-size", "20"]));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let lists = network.requests();
    let mut paths: Vec<_> = lists.iter().map(|record| &record.path_and_query).collect();
    let all = paths.len();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), all, "nothing was asked for twice");
}

#[test]
fn accounts_can_come_from_standard_input() {
    use std::io::Write as _;
    let (network, folder) = (network(), scratch());
    let path = folder.path().join("job.toml");
    let text = format!(
        "store = \"kept\"\nbase_url = \"{}\"\n[[accounts]]\nstdin = true\n",
        network.base_url()
    );
    std::fs::write(&path, text).unwrap();
    let mut command = snapshot(&network, &path, &[]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let account = network.with_world(|world| world.watched()[2]);
    writeln!(child.stdin.take().unwrap(), "{account} # mine").unwrap();
    let (code, output) = finish(child);
    assert_eq!(code, Some(0), "{output}");
    assert_eq!(latest(folder.path()).accounts, 1);
}

#[test]
fn the_command_that_status_tells_goes_on_and_buys_nothing_twice() {
    let (network, folder) = (network(), scratch());
    let store = folder.path().join("my store");
    let account = network.with_world(|world| world.watched()[0]).to_string();
    let snapshot = |more: &[&str]| {
        let mut command = crate::util::on(&store);
        command.env("FOLLOWGRAPH_BEARER_TOKEN", network.bearer());
        command.args(["snapshot", &account, "--base-url", &network.base_url()]);
        run(command.args(["--source", "x_v1", "--page-size", "70", "--profiles"]).args(more))
    };
    assert_eq!(snapshot(&["--max-requests", "4"]).code, Some(3));
    let status = run(crate::util::on(&store).args(["status", "--format", "json"])).stdout;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let told = status["jobs"][0]["command"].as_str().unwrap();
    let program = format!("\"{}\"", env!("CARGO_BIN_EXE_followgraph"));
    let mut shell = Command::new("sh");
    shell.args(["-c", &told.replacen("followgraph", &program, 1)]);
    let done = run(shell.env("FOLLOWGRAPH_BEARER_TOKEN", network.bearer()));
    assert_eq!(done.code, Some(0), "{told}: {}", done.stderr);
    assert_eq!(published(&store).len(), 1, "{told}");
    let requests = network.requests();
    let mut asked: Vec<_> = requests.iter().map(|record| &record.path_and_query).collect();
    let all = asked.len();
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked.len(), all, "{told}");
}

#[test]
fn a_small_budget_buys_small_pages_and_an_unfinished_list_keeps_its_own() {
    let (network, folder) = (network(), scratch());
    let [large, small] = network.with_world(|world| [world.watched()[0], world.watched()[11]]);
    let snapshot = |store: &str, account: i64, dollars: &str| {
        let mut command = network.client(&folder.path().join(store));
        command.env("FOLLOWGRAPH_BEARER_TOKEN", network.bearer());
        run(command.args(["snapshot", &account.to_string(), "--max-cost-usd", dollars]))
    };
    // A whole page of a thousand could cost ten dollars.
    let done = snapshot("small", small, "5");
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert_eq!(snapshot("large", large, "2").code, Some(3));
    let done = snapshot("large", large, "50");
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(!done.stderr.contains("anew"), "{}", done.stderr);
    let run_ = Store::open(folder.path().join("large")).unwrap().find("latest").unwrap();
    let crawl = &run_.crawls().unwrap()[0];
    assert_eq!(crawl.cost_micro_usd, Some(10_000 * i64::try_from(crawl.ids).unwrap()));
    // And where not one page fits, that is what is said.
    let none = snapshot("none", large, "0.05");
    assert_eq!(none.code, Some(3));
    assert!(none.stderr.contains("raise the limit, or ask for smaller pages"), "{}", none.stderr);
}

#[test]
fn the_job_in_the_readme_is_one() {
    let readme = include_str!("../README.md");
    let begin = readme.find("```toml\n# job.toml").expect("there is an example") + 8;
    let text = &readme[begin..begin + readme[begin..].find("```").unwrap()];
    let folder = scratch();
    std::fs::write(folder.path().join("accounts.txt"), "@carol\n").unwrap();
    let job = Job::parse(text, &folder.path().join("job.toml")).unwrap();
    assert!(job.groups.len() == 2 && job.targets().len() == 3, "{job:?}");
    assert!(job.budget.cost_micro_usd_max.is_some() && job.groups[0].every.is_some());
}
