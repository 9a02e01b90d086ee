//! Every way to prove who asks, through the program; and none of their secrets anywhere.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use simulator::{
    AppToken, Consumer, Fault, Grant, Limits, Quota, ServerConfig, UserToken, World, WorldConfig,
};
use snapshot::{List, State, Store};

use crate::util::{Done, Network, assert_nowhere, run, scratch, stored};

const BEARER: &str = "AAAAbearer%2Fsesame1%3D";
const KEY_SECRET: &str = "consumer-sesame2";
const USER_TOKEN: &str = "42-user-sesame3";
const USER_SECRET: &str = "user-secret-sesame4";
const ACCESS: &str = "oauth2-access-sesame5";
const REFRESH: &str = "oauth2-refresh-sesame6";
const CLIENT_SECRET: &str = "client-secret-sesame7";

fn world() -> World {
    World::new(WorldConfig { users: 1_000, largest_audience: 600, ..WorldConfig::default() })
}

/// A network that knows all the secrets above. Some account has given its consent.
fn network(change: impl FnOnce(&mut ServerConfig)) -> Network {
    let world = world();
    let user_id = world.users().find(|user| user.is_visible()).unwrap().id;
    let mut config = ServerConfig {
        app_tokens: vec![AppToken { token: BEARER.to_owned(), app: "app".to_owned() }],
        user_tokens: vec![UserToken::new(USER_TOKEN, USER_SECRET, user_id)],
        grants: vec![Grant::public("client", user_id, ACCESS, REFRESH).confidential(CLIENT_SECRET)],
        consumer: Consumer { key: "consumer-key".to_owned(), secret: KEY_SECRET.to_owned() },
        ..ServerConfig::default()
    };
    change(&mut config);
    Network::start(world, config)
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: scratch() }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn private(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// Takes a snapshot of the most followed account with these credentials.
    fn snapshot(&self, network: &Network, credentials: &str, more: &[&str]) -> Done {
        let file = self.private("credentials.toml", credentials);
        let account = network.with_world(|world| world.watched()[0]).to_string();
        let mut command = network.client(&self.store());
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        command
            .args(["snapshot", &account, "--retry-delay", "10ms", "--max-time", "1min"])
            .args(more);
        run(command.arg("--credentials").arg(file))
    }

    /// What was stored is true, and no secret is in what was printed or kept.
    fn check(&self, network: &Network, done: &Done) {
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let run = Store::open(self.store()).unwrap().find("latest").unwrap();
        let crawl = &run.crawls().unwrap()[0];
        let truth = network.with_world(|world| world.truth().followers(crawl.account.get()));
        let truth: Vec<_> = truth.into_iter().map(|(member, _)| member).collect();
        assert_eq!(stored(&run, crawl.account, List::Followers), truth);
        self.check_secrets(done);
    }

    fn check_secrets(&self, done: &Done) {
        for secret in ["sesame", "Basic "] {
            assert!(!done.stdout.contains(secret) && !done.stderr.contains(secret), "{done:?}");
            assert_nowhere(secret, &self.store());
        }
    }
}

const APP: &str = "[[credential]]\nname = \"bearer\"\nbearer_token = \"AAAAbearer%2Fsesame1%3D\"\n";
const KEY: &str = "[[credential]]\nname = \"key\"\nconsumer_key = \"consumer-key\"\nconsumer_secret = \"consumer-sesame2\"\n";
const USER: &str = "[[credential]]\nname = \"user\"\nconsumer_key = \"consumer-key\"\nconsumer_secret = \"consumer-sesame2\"\naccess_token = \"42-user-sesame3\"\naccess_token_secret = \"user-secret-sesame4\"\n";
const REFRESHED: &str = "[[credential]]\nname = \"refreshed\"\nclient_id = \"client\"\nclient_secret = \"client-secret-sesame7\"\ntoken_file = \"tokens.json\"\n";

fn tokens() -> String {
    format!(r#"{{"access_token":"{ACCESS}","refresh_token":"{REFRESH}"}}"#)
}

#[test]
fn a_bearer_a_key_and_a_signature_are_accepted_by_both_generations() {
    let network = network(|_| {});
    for source in ["x_v2", "x_v1"] {
        for credentials in [APP, KEY, USER] {
            let place = Place::new();
            let done = place.snapshot(&network, credentials, &["--source", source]);
            place.check(&network, &done);
        }
    }
    let names: HashSet<_> =
        network.requests().into_iter().filter_map(|record| record.credential_name).collect();
    assert!(names.len() >= 2, "the app and the user: {names:?}");
}

#[test]
fn tokens_that_expire_are_renewed_and_kept() {
    let network = network(|config| config.access_token_life = Duration::from_secs(2));
    let place = Place::new();
    // They have expired, as far as the file knows.
    let expired = tokens().replace('}', r#","expires_at":"2026-01-01T00:00:00Z"}"#);
    let file = place.private("tokens.json", &expired);
    let done = place.snapshot(&network, REFRESHED, &["--page-size", "100"]);
    place.check(&network, &done);
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(!kept.contains(REFRESH), "the new ones are kept");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    for token in ["access_token", "refresh_token"] {
        let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
        let token = kept[token].as_str().unwrap();
        assert!(!done.stderr.contains(token) && !done.stdout.contains(token));
        assert_nowhere(token, &place.store());
    }
    // The same file serves the next session.
    let again = place.snapshot(&network, REFRESHED, &["--page-size", "100"]);
    place.check(&network, &again);
}

#[test]
fn a_token_that_expires_for_good_stops_and_another_goes_on() {
    let network = network(|_| {});
    let place = Place::new();
    let begun = place.snapshot(&network, APP, &["--page-size", "100", "--max-requests", "3"]);
    assert_eq!(begun.code, Some(3), "{}", begun.stderr);
    network.inject("/2/users/", Fault::TokenExpired, 1);
    let done = place.snapshot(&network, APP, &["--page-size", "100"]);
    assert_eq!(done.code, Some(4), "{}", done.stderr);
    place.check_secrets(&done);
    let pages = |network: &Network| {
        let requests = network.requests();
        let paths = requests.iter().filter(|record| record.status == 200);
        paths.filter(|record| record.path_and_query.contains("/followers")).count()
    };
    let before = pages(&network);
    assert_eq!(before, 2, "two pages and a look-up");
    let done = place.snapshot(&network, USER, &["--page-size", "100"]);
    place.check(&network, &done);
    let run = Store::open(place.store()).unwrap().find("latest").unwrap();
    assert_eq!(pages(&network), run.crawls().unwrap()[0].pages as usize, "{before} came before");
}

#[test]
fn wrong_secrets_are_refused_and_not_shown() {
    let network = network(|_| {});
    for wrong in [
        APP.replace("sesame1", "sesame9"),
        KEY.replace("sesame2", "sesame9"),
        USER.replace("sesame4", "sesame9"),
    ] {
        let place = Place::new();
        let done = place.snapshot(&network, &wrong, &[]);
        assert_eq!(done.code, Some(4), "{wrong}\n{}", done.stderr);
        place.check_secrets(&done);
    }
    let place = Place::new();
    place.private(
        "tokens.json",
        &tokens().replace(ACCESS, "old-sesame8").replace(REFRESH, "old-sesame9"),
    );
    let done = place.snapshot(&network, REFRESHED, &[]);
    assert_eq!(done.code, Some(4), "{}", done.stderr);
    place.check_secrets(&done);
}

#[test]
fn several_credentials_work_together_each_with_its_own_windows() {
    let two_windows = |config: &mut ServerConfig| {
        config.limits = Limits { v2_lists: Quota::both(4), ..Limits::default() };
        config.window = Duration::from_hours(1);
    };
    let network = network(two_windows);
    let place = Place::new();
    // Six pages are more than one of them may ask for in an hour.
    let done = place.snapshot(&network, &(APP.to_owned() + USER), &["--page-size", "100"]);
    place.check(&network, &done);
    let run = Store::open(place.store()).unwrap().find("latest").unwrap();
    let pages = run.crawls().unwrap()[0].pages;
    assert!(pages > 4, "{pages} pages prove nothing");
    let requests = network.requests();
    assert!(requests.iter().all(|record| record.status == 200), "none was refused");
    // One that is refused leaves the rest to the other.
    let more = Place::new();
    let done = more.snapshot(
        &network,
        &(APP.replace("sesame1", "sesame9") + USER),
        &["--max-requests", "3"],
    );
    assert!(done.stderr.contains("bearer is not used any more"), "{}", done.stderr);
    more.check(&network, &done);
    more.check_secrets(&done);
}

#[test]
fn a_protected_list_is_read_by_whoever_may_see_it() {
    let world = world();
    let user = |id: i64| world.user(id).unwrap();
    let protected = world.users().filter(|user| user.protected && user.is_visible());
    let seen = protected.map(|user| user.id).find_map(|id| {
        let followers = world.truth().followers(id);
        followers.first().map(|(follower, _)| (id, user(*follower).id))
    });
    let (account, follower) = seen.expect("some protected account has a follower");
    let network = network(|config| {
        config.user_tokens = vec![UserToken::new(USER_TOKEN, USER_SECRET, follower)];
    });
    let snapshot = |credentials: &str| {
        let place = Place::new();
        let file = place.private("credentials.toml", credentials);
        let mut command = network.client(&place.store());
        let done =
            run(command.args(["snapshot", &account.to_string()]).arg("--credentials").arg(file));
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let run = Store::open(place.store()).unwrap().find("latest").unwrap();
        run.crawls().unwrap().remove(0).state
    };
    assert_eq!(snapshot(APP), State::Protected);
    assert!(snapshot(&(APP.to_owned() + USER)).is_complete());
}

#[test]
fn the_credentials_in_the_readme_can_be_read() {
    let readme = include_str!("../README.md");
    let begin = readme.find("```toml\n[[credential]]").expect("there is an example") + 8;
    let text = &readme[begin..begin + readme[begin..].find("```").unwrap()];
    let place = Place::new();
    place.private("tokens.json", &tokens());
    let file = place.private("credentials.toml", text);
    assert_eq!(ingest::Credential::read_file(&file).unwrap().len(), 3);
}

#[test]
fn config_show_tells_where_credentials_are_and_not_what_they_are() {
    let place = Place::new();
    let file = place.private("credentials.toml", &(APP.to_owned() + USER));
    let mut command = crate::util::program();
    command.env("FOLLOWGRAPH_CREDENTIALS", &file).env("FOLLOWGRAPH_BEARER_TOKEN", BEARER);
    let done = run(command.args(["config", "show"]));
    assert_eq!(done.code, Some(0));
    assert!(done.stdout.contains(&file.display().to_string()), "{}", done.stdout);
    place.check_secrets(&done);
    // Nor is a file shown that others may read, or that is not right.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut command = crate::util::on(Path::new(&place.store()));
    let done = run(command.args(["snapshot", "1", "--credentials"]).arg(&file));
    assert_eq!(done.code, Some(4), "{}", done.stderr);
    place.check_secrets(&done);
}
