//! Members' profiles, when they are asked for, from both generations of the API.

use std::collections::HashMap;

use simulator::{ServerConfig, World, WorldConfig};
use snapshot::{ListedMember, Store};

use crate::util::{Network, on, run, scratch, succeed};

fn network() -> Network {
    let world = WorldConfig { users: 800, largest_audience: 400, ..WorldConfig::default() };
    Network::start(World::new(world), ServerConfig::default())
}

/// Takes a snapshot with profiles and answers them.
fn profiles(network: &Network, store: &std::path::Path, more: &[&str]) -> Vec<ListedMember> {
    let account = network.with_world(|world| world.watched()[0]).to_string();
    let mut command = network.client(store);
    command.env("FOLLOWGRAPH_BEARER_TOKEN", network.bearer());
    let done = run(command.args(["snapshot", "--profiles", &account]).args(more));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    succeed(on(store).arg("verify"));
    let run = Store::open(store).unwrap().find("latest").unwrap();
    run.member_profiles().unwrap().flat_map(Result::unwrap).collect()
}

fn check(network: &Network, found: &[ListedMember]) {
    network.with_world(|world| {
        let account = world.watched()[0];
        let truth: HashMap<i64, _> = world
            .truth()
            .followers(account)
            .into_iter()
            .map(|(id, _)| (id, world.user(id).unwrap()))
            .collect();
        assert_eq!(found.len(), truth.len());
        for listed in found {
            let (profile, user) =
                (&listed.member.profile, truth[&listed.member.profile.account.get()]);
            assert_eq!(listed.account.get(), account);
            assert_eq!(profile.username.as_deref(), Some(user.username.as_str()));
            assert_eq!(profile.name.as_deref(), Some(user.name.as_str()));
            assert_eq!(profile.protected, Some(user.protected));
            let followers = world.truth().followers(user.id).len() as u64;
            assert_eq!(profile.followers_count, Some(followers));
        }
    });
}

#[test]
fn api_v2_brings_them_with_each_page() {
    let (network, folder) = (network(), scratch());
    let found = profiles(&network, folder.path(), &["--page-size", "90"]);
    check(&network, &found);
    assert!(found.iter().any(|listed| listed.member.description.is_some()));
    let pinned = found.iter().filter(|listed| listed.member.pinned_tweet.is_some()).count();
    assert!(pinned > 0, "pinned posts are expanded");
    let entities = found.iter().find_map(|listed| listed.member.entities.as_deref()).unwrap();
    serde_json::from_str::<serde_json::Value>(entities).unwrap();
    let lookups =
        network.requests().iter().filter(|r| r.path_and_query.starts_with("/2/users?")).count();
    assert_eq!(lookups, 1, "only the account itself was looked up");
}

#[test]
fn api_v1_looks_them_up_within_the_budget_and_nobody_twice() {
    let (network, folder) = (network(), scratch());
    let account = network.with_world(|world| world.watched()[0]).to_string();
    let mut command = network.client(folder.path());
    command.env("FOLLOWGRAPH_BEARER_TOKEN", network.bearer());
    command.args(["snapshot", "--source", "x_v1", "--profiles", "--page-size", "150"]);
    let stopped = run(command.args(["--max-requests", "4", &account]));
    assert_eq!(stopped.code, Some(3), "{}", stopped.stderr);
    let found = profiles(&network, folder.path(), &["--source", "x_v1", "--page-size", "150"]);
    check(&network, &found);
    let requests = network.requests();
    let mut asked: Vec<_> = requests.iter().map(|record| &record.path_and_query).collect();
    let all = asked.len();
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked.len(), all, "nothing was asked for twice");
}

#[test]
fn without_being_asked_for_there_are_none() {
    let (network, folder) = (network(), scratch());
    let account = network.with_world(|world| world.watched()[0]).to_string();
    let mut command = network.client(folder.path());
    command.env("FOLLOWGRAPH_BEARER_TOKEN", network.bearer());
    assert_eq!(run(command.args(["snapshot", &account])).code, Some(0));
    let run = Store::open(folder.path()).unwrap().find("latest").unwrap();
    assert!(!run.folder().join("profiles.parquet").exists());
    assert_eq!(run.member_profiles().unwrap().count(), 0);
}
