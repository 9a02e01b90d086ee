//! A tiny HTTP client, and worlds small enough to know by heart.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use simulator::{Churn, Server, ServerConfig, UserToken, World, WorldConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Any moment after 2016.
pub(crate) const START: &str = "2024-05-01T12:00:00Z";

/// The token that acts for the account `viewer` in [`serve`].
pub(crate) const VIEWER_TOKEN: &str = "viewer-token";

/// Its secret.
pub(crate) const VIEWER_SECRET: &str = "viewer-secret";

pub(crate) fn start() -> Timestamp {
    START.parse().unwrap()
}

/// A built world of 600 accounts, three of them watched.
pub(crate) fn small(seed: u64) -> WorldConfig {
    let (users, watched, largest_audience) = (600, 3, 250);
    WorldConfig { seed, users, watched, largest_audience, start: start(), ..Default::default() }
}

/// The same, but busy enough that a day changes every list.
pub(crate) fn busy(seed: u64) -> WorldConfig {
    let churn = Churn {
        follow: 0.2,
        unfollow: 0.2,
        refollow: 0.5,
        suspend: 0.02,
        reinstate: 0.5,
        deactivate: 0.02,
        protect: 0.01,
        join: 0.02,
        rename: 0.01,
        burst: 0.3,
        ..Churn::default()
    };
    WorldConfig { churn, ..small(seed) }
}

/// Lets `seconds` pass.
pub(crate) fn pass(world: &mut World, seconds: u64) {
    world.advance_to(world.now() + Duration::from_secs(seconds));
}

/// An empty world with `star`, `viewer` and fans `fan1` … `fanN` who follow it in this order,
/// a minute apart. Returns the star and the fans.
pub(crate) fn star_with_fans(fans: usize) -> (World, i64, Vec<i64>) {
    let mut world = World::empty(1, start());
    let star = world.add_user("star");
    world.add_user("viewer");
    let fans = (1..=fans).map(|n| world.add_user(&format!("fan{n}"))).collect::<Vec<_>>();
    for &fan in &fans {
        pass(&mut world, 60);
        world.follow(fan, star);
    }
    (world, star, fans)
}

pub(crate) async fn serve(world: World) -> Server {
    serve_with(world, ServerConfig::default()).await
}

/// Serves with a token for `viewer`, if there is such an account.
pub(crate) async fn serve_with(world: World, config: ServerConfig) -> Server {
    let viewer = world.user_by_name("viewer").map(|user| user.id);
    let token = |user_id| UserToken::new(VIEWER_TOKEN, VIEWER_SECRET, user_id);
    let user_tokens = viewer.into_iter().map(token).collect();
    Server::start(world, ServerConfig { user_tokens, ..config }).await.unwrap()
}

/// An answer, decompressed by nobody.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// A header that holds a number.
    pub(crate) fn number(&self, name: &str) -> i64 {
        self.header(name).unwrap().parse().unwrap()
    }

    /// The ids of a v1.1 page.
    pub(crate) fn v1_ids(&self) -> Vec<i64> {
        let json = self.json();
        json["ids"].as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect()
    }

    /// The ids of a v2 page.
    pub(crate) fn v2_ids(&self) -> Vec<i64> {
        let json = self.json();
        let users = json["data"].as_array().cloned().unwrap_or_default();
        users.iter().map(|user| user["id"].as_str().unwrap().parse().unwrap()).collect()
    }
}

/// `GET` with the server's app token.
pub(crate) async fn get(server: &Server, path: &str) -> Answer {
    let bearer = format!("Authorization: Bearer {}", server.bearer());
    send(server, "GET", path, &[&bearer], "").await
}

/// `GET` as the account `viewer`.
pub(crate) async fn get_as_viewer(server: &Server, path: &str) -> Answer {
    let bearer = format!("Authorization: Bearer {VIEWER_TOKEN}");
    send(server, "GET", path, &[&bearer], "").await
}

pub(crate) async fn send(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> Answer {
    try_send(server, method, path, headers, body).await.expect("an answer")
}

/// Sends one request on a connection of its own; none when it ends without an answer.
pub(crate) async fn try_send(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> Option<Answer> {
    let host = server.base_url().trim_start_matches("http://").to_owned();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Length: {}\r\n{}\r\n{body}",
        body.len(),
        headers.iter().flat_map(|&header| [header, "\r\n"]).collect::<String>(),
    );
    let mut stream = TcpStream::connect(&host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).await.ok()?;
    parse(&raw)
}

/// Reads a response whose body ends with the connection, as all do here.
fn parse(raw: &[u8]) -> Option<Answer> {
    let end = raw.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(raw[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Some(Answer { status, headers, body: raw[end + 4..].to_vec() })
}
