//! The bill: users that v2 returned, by credential.

use simulator::Fault;

use crate::util::{get, get_as_viewer, send, serve, star_with_fans, try_send};

#[tokio::test]
async fn users_of_v2_answers_are_counted_by_credential() {
    let (world, star, _) = star_with_fans(7);
    let viewer = world.user_by_name("viewer").unwrap().id;
    let server = serve(world).await;
    get(&server, &format!("/2/users/{star}/followers?max_results=5")).await;
    get(&server, &format!("/2/users?ids={star},4")).await;
    get(&server, &format!("/2/users/{star}")).await;
    get(&server, "/2/users/4/followers").await;
    get(&server, &format!("/1.1/followers/ids.json?user_id={star}")).await;
    get_as_viewer(&server, &format!("/2/users/{star}/followers")).await;
    send(&server, "GET", "/2/users/me", &["Authorization: Bearer wrong"], "").await;
    let bills = server.billing();
    assert_eq!(bills.len(), 2);
    let app = bills["demo"];
    assert_eq!((app.requests, app.served_users, app.billed_users), (5, 7, 7));
    let user = bills[&format!("user {viewer}")];
    assert_eq!((user.requests, user.served_users, user.billed_users), (1, 7, 7));
}

#[tokio::test]
async fn what_was_served_and_lost_is_served_and_not_billed() {
    let (world, star, _) = star_with_fans(7);
    let server = serve(world).await;
    let path = format!("/2/users/{star}/followers");
    let bearer = format!("Authorization: Bearer {}", server.bearer());
    for fault in [Fault::LostAnswer, Fault::TruncatedJson, Fault::Unavailable, Fault::UsageCapped] {
        server.inject(&path, fault, 1);
        try_send(&server, "GET", &path, &[&bearer], "").await;
    }
    let bill = server.billing()["demo"];
    // The outage never saw the credential.
    assert_eq!((bill.requests, bill.served_users, bill.billed_users), (3, 14, 0));
    server.inject(&path, Fault::ShortPage { rows: 2 }, 1);
    get(&server, &path).await;
    assert_eq!(server.billing()["demo"].billed_users, 2);
}
