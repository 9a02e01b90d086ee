//! `followgraph simulate`: serves a simulated network until it is stopped.

use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use simulator::{Limits, Quota, Server, ServerConfig, World, WorldConfig};

use super::runtime;
use crate::args::Simulate;
use crate::exit::{Exit, Usage};
use crate::output;

pub(crate) fn run(command: &Simulate) -> Result<Exit> {
    if command.users < 2 {
        return Err(Usage::new("a network needs at least two users").into());
    }
    let world = World::new(WorldConfig {
        seed: command.seed,
        users: command.users,
        watched: command.watched,
        start: Timestamp::now(),
        ..WorldConfig::default()
    });
    let mut limits = Limits::default();
    if let Some(limit) = command.limit {
        (limits.v1_ids, limits.v2_lists) = (Quota::both(limit), Quota::both(limit));
    }
    let config = ServerConfig {
        limits,
        addr: command.addr(),
        window: Duration::from_secs(command.window),
        ..ServerConfig::default()
    };
    runtime()?.block_on(async {
        let server = Server::start(world, config).await?;
        output::print(greeting(&server))?;
        tokio::signal::ctrl_c().await?;
        server.shutdown().await;
        Ok(Exit::Done)
    })
}

fn greeting(server: &Server) -> String {
    let (url, token) = (server.base_url(), server.bearer());
    let name = |id: i64| server.with_world(|w| w.user(id).map(|u| u.username.clone()));
    let watched = server.with_world(|w| w.watched().to_vec());
    let names: Vec<_> = watched.iter().filter_map(|id| Some(format!("@{}", name(*id)?))).collect();
    let first = names.first().map_or("", String::as_str);
    let id = watched.first().copied().unwrap_or_default();
    format!(
        "A simulated network speaks the X API, v1.1 and v2, at {url}
Its most followed accounts: {names}

Point this program at it:
  export FOLLOWGRAPH_BASE_URL={url} FOLLOWGRAPH_BEARER_TOKEN={token}
  followgraph snapshot {first} --list followers --list following

Or any other client, with the host replaced by the address above and this app bearer token:
  curl -H 'Authorization: Bearer {token}' '{url}/2/users/by/username/{bare}'
  curl -H 'Authorization: Bearer {token}' '{url}/2/users/{id}/followers?max_results=10'
  curl -H 'Authorization: Bearer {token}' '{url}/1.1/followers/ids.json?user_id={id}&count=10'

Let time pass, so that people follow and leave (seconds), or read the truth:
  curl -X POST '{url}/_simulator/advance?seconds=604800'
  curl '{url}/_simulator/truth'

Stop it with Ctrl-C.
",
        names = names.join(" "),
        bare = first.trim_start_matches('@'),
    )
}
