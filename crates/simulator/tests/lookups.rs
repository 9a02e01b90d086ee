//! Lookups of accounts, their fields, and what stands beside them.

use serde_json::{Value, json};
use simulator::{World, WorldConfig};

use crate::util::{get, send, serve, small, star_with_fans};

#[tokio::test]
async fn v1_lookup_drops_whom_it_does_not_find() {
    let (mut world, star, fans) = star_with_fans(2);
    world.suspend(fans[0]);
    let server = serve(world).await;
    let path =
        format!("/1.1/users/lookup.json?user_id={star},{},4&screen_name=FAN2,nobody", fans[0]);
    let found = get(&server, &path).await.json();
    let mut names: Vec<&str> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["screen_name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["fan2", "star"]);
    let none = get(&server, "/1.1/users/lookup.json?user_id=4").await;
    assert_eq!((none.status, &none.json()["errors"][0]["code"]), (404, &json!(17)));
}

#[tokio::test]
async fn v1_lookup_takes_a_form_and_at_most_a_hundred() {
    let (world, star, _) = star_with_fans(0);
    let server = serve(world).await;
    let bearer = format!("Authorization: Bearer {}", server.bearer());
    let form = [&bearer, "Content-Type: application/x-www-form-urlencoded"];
    let path = "/1.1/users/lookup.json";
    let found = send(&server, "POST", path, &form, &format!("user_id={star}%2C4")).await;
    assert_eq!(found.json()[0]["id"], star);
    let many = vec!["1"; 101].join(",");
    let refused = send(&server, "POST", path, &form, &format!("user_id={many}")).await;
    assert_eq!((refused.status, &refused.json()["errors"][0]["code"]), (403, &json!(18)));
}

#[tokio::test]
async fn v2_lookups_tell_found_and_missing_side_by_side() {
    let (mut world, star, fans) = star_with_fans(2);
    world.suspend(fans[0]);
    let server = serve(world).await;
    let by_id = get(&server, &format!("/2/users?ids={star},{},4", fans[0])).await.json();
    assert_eq!(by_id["data"], json!([user(star, "star", &by_id)]));
    let titles: Vec<&Value> =
        by_id["errors"].as_array().unwrap().iter().map(|error| &error["title"]).collect();
    assert_eq!(titles, ["Forbidden", "Not Found Error"]);
    let by_name = get(&server, "/2/users/by?usernames=Fan2,nobody").await.json();
    assert_eq!(by_name["data"][0]["username"], "fan2");
    assert_eq!(by_name["errors"][0]["value"], "nobody");
    let none = get(&server, "/2/users/by?usernames=nobody").await.json();
    assert!(none.get("data").is_none());
}

/// The three default fields and no more; the name is whatever the answer says.
fn user(id: i64, username: &str, answer: &Value) -> Value {
    json!({"id": id.to_string(), "username": username, "name": answer["data"][0]["name"]})
}

#[tokio::test]
async fn v2_lookups_refuse_malformed_values() {
    let (world, ..) = star_with_fans(0);
    let server = serve(world).await;
    let many = vec!["1"; 101].join(",");
    let paths = [
        "/2/users?ids=".to_owned(),
        format!("/2/users?ids={many}"),
        "/2/users?ids=1,abc".to_owned(),
        "/2/users/abc".to_owned(),
        "/2/users/by/username/way_too_long_for_this".to_owned(),
        "/2/users/by?usernames=a-b".to_owned(),
        "/2/users/1?user.fields=shoe_size".to_owned(),
        "/2/users/1?expansions=author_id".to_owned(),
    ];
    for path in paths {
        let answer = get(&server, &path).await;
        assert_eq!(
            (answer.status, &answer.json()["title"]),
            (400, &json!("Invalid Request")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn profile_counters_equal_the_visible_lists() {
    let world = World::new(small(4));
    let ids = world.watched().to_vec();
    let server = serve(world).await;
    server.advance(std::time::Duration::from_hours(40 * 24));
    for id in ids {
        let (followers, following) = server.with_world(|world| {
            (world.truth().followers(id).len(), world.truth().following(id).len())
        });
        let v2 = get(&server, &format!("/2/users/{id}?user.fields=public_metrics")).await.json();
        let metrics = &v2["data"]["public_metrics"];
        assert_eq!(metrics["followers_count"], followers);
        assert_eq!(metrics["following_count"], following);
        let v1 = get(&server, &format!("/1.1/users/show.json?user_id={id}")).await.json();
        assert_eq!(v1["followers_count"], followers);
        assert_eq!(v1["friends_count"], following);
    }
}

#[tokio::test]
async fn every_user_field_appears_somewhere() {
    let world = World::new(small(4));
    let id = world.watched()[0];
    let server = serve(world).await;
    let fields = "created_at,description,entities,id,location,name,pinned_tweet_id,\
                  profile_image_url,protected,public_metrics,url,username,verified";
    let path = format!(
        "/2/users/{id}/followers?max_results=1000&user.fields={fields},withheld\
         &expansions=pinned_tweet_id&tweet.fields=created_at,author_id"
    );
    let page = get(&server, &path).await.json();
    let users = page["data"].as_array().unwrap();
    for field in fields.split(',') {
        assert!(users.iter().any(|user| user.get(field).is_some()), "{field}");
    }
    let tweets = page["includes"]["tweets"].as_array().unwrap();
    let pinned = users.iter().filter_map(|user| user.get("pinned_tweet_id"));
    assert_eq!(pinned.collect::<Vec<_>>(), tweets.iter().map(|t| &t["id"]).collect::<Vec<_>>());
    assert!(tweets[0].get("author_id").is_some());
    for user in users.iter().filter(|user| user["entities"].get("description").is_some()) {
        let hashtag = &user["entities"]["description"]["hashtags"][0];
        let bio: Vec<char> = user["description"].as_str().unwrap().chars().collect();
        let place = |end: &str| usize::try_from(hashtag[end].as_u64().unwrap()).unwrap();
        let marked: String = bio[place("start")..place("end")].iter().collect();
        assert_eq!(marked, format!("#{}", hashtag["tag"].as_str().unwrap()));
    }
}

#[tokio::test]
async fn unknown_routes_are_an_empty_404() {
    let (world, ..) = star_with_fans(0);
    let server = serve(world).await;
    for path in ["/", "/2/usage/credits", "/1.1/followers/ids", "/2/users/1/followers/"] {
        let answer = get(&server, path).await;
        assert_eq!((answer.status, answer.body.len()), (404, 0), "{path}");
    }
}

#[tokio::test]
async fn a_list_page_says_who_is_withheld_and_where() {
    let config = WorldConfig { users: 3_000, largest_audience: 2_000, ..small(4) };
    let world = World::new(config);
    let id = world.watched()[0];
    let server = serve(world).await;
    let path = format!("/2/users/{id}/followers?max_results=1000&user.fields=withheld");
    let (mut withheld, mut at) = (Vec::new(), String::new());
    loop {
        let page = get(&server, &format!("{path}{at}")).await.json();
        let users = page["data"].as_array().unwrap();
        withheld.extend(users.iter().filter_map(|user| user.get("withheld").cloned()));
        let Some(next) = page["meta"]["next_token"].as_str() else { break };
        at = format!("&pagination_token={next}");
    }
    assert!((1..20).contains(&withheld.len()), "a few of two thousand: {}", withheld.len());
    assert_eq!(withheld[0], json!({"country_codes": ["XX"], "scope": "user"}));
}
