//! Rate windows and budgets: all of what is allowed, and nothing beyond it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use simulator::{Limits, Quota, ServerConfig, World, WorldConfig};

use crate::util::{Network, run, scratch};

fn world() -> World {
    World::new(WorldConfig {
        users: 2_000,
        largest_audience: 900,
        smallest_audience: 300,
        ..WorldConfig::default()
    })
}

fn lists(limit: u32) -> Limits {
    Limits { v1_ids: Quota::both(limit), v2_lists: Quota::both(limit), ..Limits::default() }
}

/// Every request that a window permits is sent in it, none is refused, and hardly any time
/// passes between windows.
fn uses_what_is_permitted(source: &str) {
    const LIMIT: usize = 100;
    const WINDOW: Duration = Duration::from_secs(4);
    let config = ServerConfig { limits: lists(100), window: WINDOW, ..ServerConfig::default() };
    let (network, folder) = (Network::start(world(), config), scratch());
    let watched = network.with_world(|world| world.watched().to_vec());
    let mut command = network.client(folder.path());
    command.env("FOLLOWGRAPH_BEARER_TOKEN", network.bearer());
    command.args(["snapshot", "--source", source, "--page-size", "10", "--max-time", "2min"]);
    command.args(watched.iter().map(i64::to_string));
    let began = Instant::now();
    let done = run(&mut command);
    let took = began.elapsed();
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let requests = network.requests();
    assert!(requests.iter().all(|record| record.status == 200), "none was refused");
    let pages = requests.iter().filter(|record| record.path_and_query.contains("followers"));
    // A window is opened by its first request.
    let (mut windows, mut ends) = (Vec::new(), None);
    for page in pages {
        if ends.is_none_or(|end| page.at >= end) {
            ends = Some(page.at.checked_add(WINDOW).unwrap());
            windows.push(0_usize);
        }
        *windows.last_mut().unwrap() += 1;
    }
    let (last, whole) = windows.split_last().unwrap();
    assert!(whole.len() >= 4, "{windows:?} proves little");
    let (used, permitted) = (whole.iter().sum::<usize>(), LIMIT * whole.len());
    assert!(used * 100 >= permitted * 99, "{used} of {permitted} were used: {windows:?}");
    assert!(*last <= LIMIT);
    // The end of a window is told in whole seconds, so it may be up to one later than it is.
    let count = u32::try_from(whole.len()).unwrap();
    let slack = Duration::from_secs(2) * count + Duration::from_secs(10);
    assert!(took < WINDOW * count + slack, "{took:?} for {count} windows");
}

#[test]
fn api_v2_is_asked_as_much_as_it_permits_and_no_more() {
    uses_what_is_permitted("x_v2");
}

#[test]
fn api_v1_is_asked_as_much_as_it_permits_and_no_more() {
    uses_what_is_permitted("x_v1");
}

#[test]
fn a_window_of_a_day_is_not_taken_for_one_of_a_quarter_of_an_hour() {
    let day_limits = Some(lists(7));
    let config = ServerConfig { day_limits, ..ServerConfig::default() };
    let (network, folder) = (Network::start(world(), config), scratch());
    let account = network.with_world(|world| world.watched()[0]).to_string();
    let snapshot = || {
        let mut command = network.client(folder.path());
        command.env("FOLLOWGRAPH_BEARER_TOKEN", network.bearer());
        run(command.args(["snapshot", "--page-size", "50", "--max-time", "30s", &account]))
    };
    let began = Instant::now();
    let done = snapshot();
    // It says until when it would have to wait, and does not begin to.
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    assert!(done.stderr.contains("the rate window ends at 2026-11-03T"), "{}", done.stderr);
    assert!(began.elapsed() < Duration::from_secs(20));
    let sent = network.requests().len();
    // The next session knows it, too.
    assert_eq!(snapshot().code, Some(3));
    assert_eq!(network.requests().len(), sent, "not one request more");
    let refused = network.requests().iter().filter(|record| record.status == 429).count();
    assert_eq!(refused, 0);
}

#[test]
fn a_budget_is_not_exceeded_however_many_lists_are_read_at_once() {
    let (network, folder) = (Network::start(world(), ServerConfig::default()), scratch());
    let watched = network.with_world(|world| world.watched().to_vec());
    let mut spent = HashMap::new();
    for session in 0..4 {
        let mut command = network.client(folder.path());
        command.env("FOLLOWGRAPH_BEARER_TOKEN", network.bearer());
        command.args(["snapshot", "--list", "followers", "--list", "following"]);
        command.args(["--page-size", "90", "--max-cost-usd", "7.45", "--concurrency", "12"]);
        let done = run(command.args(watched.iter().map(i64::to_string)));
        assert_eq!(done.code, Some(3), "{}", done.stderr);
        let billed: usize = network.billing().values().map(|bill| bill.billed_users).sum();
        spent.insert(session, billed);
        let before = if session > 0 { spent[&(session - 1)] } else { 0 };
        // A cent for each user.
        let cents = billed - before;
        assert!(cents <= 745, "session {session} spent {cents} cents");
        assert!(cents > 745 - 90, "session {session} left {cents} cents unused");
    }
}
