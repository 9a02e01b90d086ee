//! `followgraph demo`: the whole job against the simulator, without credentials or network.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use analysis::engine::Stream;
use analysis::{
    Accounts, Cells, Observation, RunObservations, diff_runs, overlap, run_reciprocity,
};
use anyhow::Result;
use ingest::{AccountRef, Batch, Credential, SourceKind, Stop, Token};
use jiff::{SignedDuration, Timestamp};
use simulator::{Server, ServerConfig, World, WorldConfig};
use snapshot::{AccountId, List, Run, Store};

use super::{diff, mutuals, overlap as overlaps, runs, runtime};
use crate::args;
use crate::exit::{Exit, Usage};
use crate::names::Names;
use crate::output;
use crate::progress::Shown;
use crate::settings::{Origin, Settings};

const SNAPSHOTS: u32 = 3;
const WEEK: Duration = Duration::from_hours(7 * 24);
const DEFAULT_STORE: &str = "followgraph-demo";
/// Enough people for audiences worth comparing; built in about a second.
const USERS: usize = 60_000;
const LARGEST_AUDIENCE: usize = 25_000;
/// Accounts in the overlap matrix; more would not fit across a terminal of 80 columns.
const COMPARED: usize = 6;

pub(crate) fn run(settings: &Settings, command: &args::Demo) -> Result<Exit> {
    let folder = match settings.store.origin {
        Origin::Default => PathBuf::from(DEFAULT_STORE),
        _ => settings.store.value.clone(),
    };
    let store = Store::create(&folder)?;
    if !store.run_ids()?.is_empty() {
        return Err(Usage::new(format!("{} holds runs already", folder.display()))
            .hint("name another folder with --store, or remove this one")
            .into());
    }
    take_snapshots(&store, command.seed, settings.quiet)?;
    let runs = store.runs()?;
    let (Some(before), Some(after)) = (runs.iter().rev().nth(1), runs.last()) else {
        return Err(Usage::new("the demo took no snapshots").into());
    };
    output::print(results(&runs, before, after)?)?;
    output::print(what_next(&folder, after)?)?;
    Ok(Exit::Done)
}

/// Three weekly batches of both lists of every watched account.
fn take_snapshots(store: &Store, seed: u64, quiet: bool) -> Result<()> {
    let weeks = SignedDuration::from_hours(7 * 24) * i32::try_from(SNAPSHOTS - 1)?;
    let start = Timestamp::now() - weeks;
    let world = World::new(WorldConfig {
        seed,
        start,
        users: USERS,
        largest_audience: LARGEST_AUDIENCE,
        ..WorldConfig::default()
    });
    let watched = world.watched().iter().filter_map(|id| AccountId::new(*id));
    let accounts: Vec<_> = watched.map(AccountRef::Id).collect();
    runtime()?.block_on(async {
        let server = Server::start(world, ServerConfig::default()).await?;
        output::remark(format!("a simulated network speaks the X API at {}", server.base_url()));
        let token = Token::new(server.bearer())?;
        let source = SourceKind::XV2.connect(&server.base_url(), Credential::bearer(token))?;
        for number in 1..=SNAPSHOTS {
            if number > 1 {
                server.advance(WEEK);
            }
            let batch = Batch::new(accounts.clone(), &List::ALL);
            let progress = Shown::new(quiet);
            let report = ingest::run(store, &[Arc::clone(&source)], &batch, &progress, &Stop::new()).await?;
            drop(progress);
            if let Some(published) = report.published {
                let lists = published.crawls.len();
                output::remark(format!(
                    "snapshot {number} of {SNAPSHOTS}: {lists} lists in {} requests, published as run {}",
                    report.requests, published.run
                ));
            }
        }
        server.shutdown().await;
        Ok(())
    })
}

fn results(runs: &[Run], before: &Run, after: &Run) -> Result<String> {
    let names = Names::of(runs)?;
    let observations = RunObservations::open(after)?;
    let accounts = observations.accounts(List::Followers);
    let mut text = format!("\n{}\n", runs::screen(runs));

    let changes = diff_runs(before, after, List::Followers, &Accounts::All, &Stream)?;
    let _ = writeln!(text, "{}", diff::screen(&changes, &[], &names, true));

    let both = accounts.iter().map(|account| mutuals::of(&observations, *account));
    let both = both.collect::<Result<Vec<_>>>()?;
    let _ = writeln!(text, "{}", mutuals::screen(&both, Some(run_reciprocity(after)?), &names));

    let largest = accounts.iter().map(|a| Ok(observations.of(*a, List::Followers)?));
    let mut largest = largest.collect::<Result<Vec<Observation>>>()?;
    largest.sort_by_key(|list| std::cmp::Reverse(list.len()));
    largest.truncate(COMPARED);
    let _ = write!(text, "{}", overlaps::screen(&overlap(&largest, Cells::Skip, &Stream)?, &names));
    Ok(text)
}

fn what_next(folder: &Path, run: &Run) -> Result<String> {
    let folder = folder.display();
    let profiles = run.profiles()?;
    let name = profiles.iter().find_map(|p| p.username.as_deref()).unwrap_or("name");
    Ok(format!(
        "
Try next:
  export FOLLOWGRAPH_STORE={folder}
  followgraph diff @{name}
  followgraph diff --format csv --output changes.csv
  followgraph mutuals @{name} --format parquet --output mutuals.parquet
  followgraph overlap --cells
  followgraph report --output report.html
  followgraph graph
  followgraph verify
In a notebook:
  pl.scan_parquet(\"{folder}/run=*/list=*/*.parquet\", hive_partitioning=True)
With your own token:
  FOLLOWGRAPH_BEARER_TOKEN=... followgraph snapshot @name
"
    ))
}
