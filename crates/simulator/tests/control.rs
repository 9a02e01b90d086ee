//! What a test that only speaks HTTP can ask of the simulator.

use serde_json::json;
use simulator::Fault;

use crate::util::{get, send, serve, star_with_fans};

#[tokio::test]
async fn the_request_log_can_be_read_over_http() {
    let (world, star, _) = star_with_fans(3);
    let server = serve(world).await;
    let path = format!("/2/users/{star}/followers?max_results=2");
    get(&server, &path).await;
    send(&server, "GET", &path, &["Authorization: Bearer wrong"], "").await;
    let log = send(&server, "GET", "/_simulator/requests", &[], "").await.json();
    assert_eq!(log.as_array().map(Vec::len), Some(2), "without this request itself");
    let first = &log[0];
    for (field, value) in [
        ("path_and_query", json!(path)),
        ("status", json!(200)),
        ("credential_name", json!("demo")),
        ("served", json!({"users": 2})),
        ("completed", json!(true)),
        ("foreign_cursor", json!(false)),
        ("spent", json!(true)),
        ("fault", json!(null)),
    ] {
        assert_eq!(first[field], value, "{field}");
    }
    assert!(first["at"].is_string() && first["world_at"].is_string());
    assert_eq!((&log[1]["status"], &log[1]["served"]), (&json!(401), &json!(null)));
    let bill = send(&server, "GET", "/_simulator/billing", &[], "").await.json();
    assert_eq!(bill, json!({"demo": {"requests": 1, "served_users": 2, "billed_users": 2}}));
}

#[tokio::test]
async fn faults_can_be_asked_for_over_http() {
    let (world, star, _) = star_with_fans(3);
    let server = serve(world).await;
    let ask = "/_simulator/inject?path=/2/users/&fault=credits-depleted&times=2";
    let asked = send(&server, "POST", ask, &[], "").await;
    let expected = json!({"path": "/2/users/", "fault": "CreditsDepleted", "times": 2});
    assert_eq!((asked.status, asked.json()), (200, expected));
    let path = format!("/2/users/{star}/followers");
    for status in [402, 402, 200] {
        assert_eq!(get(&server, &path).await.status, status);
    }
    let refused =
        ["path=/2/", "fault=disconnect", "path=/2/&fault=flood", "path=/&fault=delay&times=x"];
    for query in refused {
        let answer = send(&server, "POST", &format!("/_simulator/inject?{query}"), &[], "").await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.json()["error"].as_str().unwrap().contains("credits-depleted"));
    }
    assert_eq!(get(&server, &path).await.status, 200, "a refused wish has no effect");
    assert!(Fault::names().all(|name| name.parse::<Fault>().is_ok()));
}
