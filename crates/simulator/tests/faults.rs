//! Trouble on demand, compression, and the end of the server.

use std::io::Read;
use std::time::{Duration, Instant};

use simulator::{Fault, World};
use tokio::net::TcpStream;

use crate::util::{get, send, serve, small, star_with_fans, try_send};

#[tokio::test]
async fn an_outage_lasts_for_the_requests_it_was_asked_for() {
    let (world, star, _) = star_with_fans(1);
    let server = serve(world).await;
    let path = format!("/2/users/{star}/followers");
    server.inject("/2/users/", Fault::Unavailable, 2);
    for _ in 0..2 {
        let answer = get(&server, &path).await;
        assert_eq!(answer.status, 503);
        assert!(answer.body.starts_with(b"<!DOCTYPE html>"));
        assert_eq!(answer.header("x-rate-limit-limit"), None);
    }
    let answer = get(&server, &path).await;
    assert_eq!((answer.status, answer.number("x-rate-limit-remaining")), (200, 299));
}

#[tokio::test]
async fn a_fault_waits_for_a_request_that_fits() {
    let (world, star, _) = star_with_fans(1);
    let server = serve(world).await;
    server.inject("/1.1/followers", Fault::Unavailable, 1);
    assert_eq!(get(&server, &format!("/2/users/{star}/followers")).await.status, 200);
    assert_eq!(server.faults_left(), 1);
    assert_eq!(get(&server, "/1.1/followers/ids.json?screen_name=star").await.status, 503);
    assert_eq!(server.faults_left(), 0);
}

#[tokio::test]
async fn a_disconnect_sends_nothing_and_is_recorded() {
    let (world, star, _) = star_with_fans(1);
    let server = serve(world).await;
    let path = format!("/2/users/{star}/followers");
    server.inject(&path, Fault::Disconnect, 1);
    let bearer = format!("Authorization: Bearer {}", server.bearer());
    assert!(try_send(&server, "GET", &path, &[&bearer], "").await.is_none());
    assert_eq!(get(&server, &path).await.status, 200);
    let statuses: Vec<u16> = server.requests().iter().map(|record| record.status).collect();
    assert_eq!(statuses, [0, 200]);
}

#[tokio::test]
async fn a_delay_takes_its_time_and_answers() {
    let (world, star, _) = star_with_fans(1);
    let server = serve(world).await;
    server.inject("/", Fault::Delay(Duration::from_millis(80)), 1);
    let asked = Instant::now();
    assert_eq!(get(&server, &format!("/2/users/{star}")).await.status, 200);
    assert!(asked.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn bodies_are_compressed_for_those_who_ask() {
    let world = World::new(small(2));
    let path = format!("/2/users/{}/followers", world.watched()[0]);
    let server = serve(world).await;
    let plain = get(&server, &path).await;
    assert_eq!(plain.header("content-encoding"), None);
    let bearer = format!("Authorization: Bearer {}", server.bearer());
    let zipped = send(&server, "GET", &path, &[&bearer, "Accept-Encoding: br, gzip"], "").await;
    assert_eq!(zipped.header("content-encoding"), Some("gzip"));
    assert!(zipped.body.len() < plain.body.len());
    let mut unzipped = Vec::new();
    flate2::read::GzDecoder::new(&zipped.body[..]).read_to_end(&mut unzipped).unwrap();
    assert_eq!(unzipped, plain.body);
}

#[tokio::test]
async fn after_a_shutdown_nobody_answers() {
    let (world, ..) = star_with_fans(0);
    let server = serve(world).await;
    let host = server.base_url().trim_start_matches("http://").to_owned();
    server.shutdown().await;
    assert!(TcpStream::connect(host).await.is_err());
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_a_shutdown() {
    let (world, ..) = star_with_fans(0);
    let server = serve(world).await;
    let host = server.base_url().trim_start_matches("http://").to_owned();
    let _idle = TcpStream::connect(host).await.unwrap();
    get(&server, "/").await;
    let asked = Instant::now();
    server.shutdown().await;
    assert!(asked.elapsed() < Duration::from_secs(5));
}
