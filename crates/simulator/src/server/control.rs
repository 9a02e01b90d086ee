//! The simulator's own endpoints: the truth, time, what was asked, and trouble. No credential
//! needed; loopback only.

use std::collections::HashMap;
use std::time::Duration;

use axum::http::Uri;
use serde_json::json;

use super::faults::Fault;
use super::record::RequestRecord;
use super::reply::Reply;
use super::{Shared, billing, lock};
use crate::truth::truth_json;
use crate::world::World;

/// The furthest one request may move time: ten years, in seconds.
const ADVANCE_SECS_MAX: u64 = 10 * 366 * 86_400;

/// `GET /_simulator/truth?user=ID,ID`: the lists of these accounts, by default the watched ones.
pub(super) fn truth(world: &World, uri: &Uri) -> Reply {
    let dump = match query(uri).get("user") {
        Some(ids) => truth_json(world, &ids.split(',').flat_map(str::parse).collect::<Vec<_>>()),
        None => truth_json(world, world.watched()),
    };
    serde_json::to_value(dump).map_or_else(|_| Reply::empty(500), |body| Reply::json(200, body))
}

/// `POST /_simulator/advance?seconds=N`: moves time forward.
pub(super) fn advance(shared: &Shared, uri: &Uri) -> Reply {
    let seconds = query(uri).get("seconds").and_then(|seconds| seconds.parse().ok());
    let Some(seconds) = seconds.filter(|&seconds| seconds <= ADVANCE_SECS_MAX) else {
        let error = format!("seconds must be a whole number, at most {ADVANCE_SECS_MAX}");
        return Reply::json(400, json!({"error": error}));
    };
    shared.advance(Duration::from_secs(seconds));
    Reply::json(200, json!({"now": shared.now(), "world": shared.world().now()}))
}

/// `GET /_simulator/requests`: the request log, oldest first, as an array.
pub(super) fn requests(log: &[RequestRecord]) -> Reply {
    serde_json::to_value(log).map_or_else(|_| Reply::empty(500), |body| Reply::json(200, body))
}

/// `GET /_simulator/billing`: the bills by credential.
pub(super) fn billing(log: &[RequestRecord]) -> Reply {
    let bills = serde_json::to_value(billing::bills(log));
    bills.map_or_else(|_| Reply::empty(500), |body| Reply::json(200, body))
}

/// `POST /_simulator/inject?path=PREFIX&fault=NAME&times=N`: trouble for the next requests,
/// by default one. Names are those of [`Fault::names`].
pub(super) fn inject(shared: &Shared, uri: &Uri) -> Reply {
    let query = query(uri);
    let get = |name: &str| query.get(name).map(String::as_str);
    let fault = get("fault").and_then(|name| name.parse::<Fault>().ok());
    let times = get("times").map_or(Some(1), |times| times.parse().ok());
    let (Some(path), Some(fault), Some(times)) = (get("path"), fault, times) else {
        let names: Vec<&str> = Fault::names().collect();
        let error = format!("path, fault and times are needed; faults: {}", names.join(", "));
        return Reply::json(400, json!({"error": error}));
    };
    lock(&shared.faults).add(path.to_owned(), fault, times);
    Reply::json(200, json!({"path": path, "fault": format!("{fault:?}"), "times": times}))
}

fn query(uri: &Uri) -> HashMap<String, String> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}
