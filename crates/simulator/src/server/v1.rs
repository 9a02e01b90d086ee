//! The v1.1 endpoints: lists of ids, lookups, and who is asking.

use serde_json::{Value, json};

use super::call::Call;
use super::errors;
use super::paging;
use super::reply::Reply;
use super::route::Endpoint;
use crate::cursor::Position;
use crate::profile::Profile;
use crate::user::{Ix, Standing, User};
use crate::world::{List, World};

/// Most ids on one page, and the default.
const COUNT_MAX: usize = 5000;

/// Most accounts in one lookup.
const LOOKUP_MAX: usize = 100;

/// Answers a call; errors are replies too.
pub(super) fn answer(world: &World, call: &Call) -> Result<Reply, Reply> {
    match call.endpoint {
        Endpoint::V1Ids(list) => ids(world, call, list),
        Endpoint::V1Lookup => lookup(world, call),
        Endpoint::V1Show => show(world, call),
        Endpoint::V1Verify => verify(world, call),
        _ => Ok(Reply::unknown_route()),
    }
}

fn ids(world: &World, call: &Call, list: List) -> Result<Reply, Reply> {
    let of = list_owner(world, call)?;
    let position = match call.get("cursor") {
        None | Some("") => Position::Newest,
        Some(cursor) => Position::from_v1(cursor)
            .map_err(|_| errors::v1(400, 44, "cursor parameter is invalid."))?,
    };
    let count = match call.get("count") {
        None | Some("") => COUNT_MAX,
        Some(count) => {
            count.parse().map_err(|_| errors::v1(400, 44, "count parameter is invalid."))?
        }
    };
    let page = paging::cut(world, call, of, list, position, count.clamp(1, COUNT_MAX));
    let ids = page.rows.iter().map(|row| world.user_at(row.member).id);
    let ids: Vec<Value> = if call.is_set("stringify_ids") {
        ids.map(|id| id.to_string().into()).collect()
    } else {
        ids.map(Value::from).collect()
    };
    let users = ids.len();
    let next = page.next.map_or(0, Position::to_number);
    let previous = page.previous.map_or(0, Position::to_number);
    let body = json!({
        "ids": ids,
        "next_cursor": next,
        "next_cursor_str": next.to_string(),
        "previous_cursor": previous,
        "previous_cursor_str": previous.to_string(),
        "total_count": null,
    });
    let facts = paging::facts(world, of, list, position, &page);
    Ok(Reply::json(200, body).with_users(users).with_page(facts))
}

/// The account whose list is asked for, if whoever asks may see it.
fn list_owner(world: &World, call: &Call) -> Result<Ix, Reply> {
    let missing = || errors::v1(404, 34, "Sorry, that page does not exist.");
    let named = call.get("user_id").is_some() || call.get("screen_name").is_some();
    let of = if named {
        named_account(world, call).ok_or_else(missing)?
    } else {
        call.viewer(world).ok_or_else(|| errors::v1(400, 25, "Query parameters are missing."))?
    };
    match world.user_at(of).standing {
        Standing::Deactivated => Err(missing()),
        Standing::Active if call.may_see(world, of) => Ok(of),
        Standing::Active | Standing::Suspended => Err(errors::v1_not_authorized(&call.path)),
    }
}

/// The account that `user_id` or `screen_name` names; the id wins.
fn named_account(world: &World, call: &Call) -> Option<Ix> {
    match call.get("user_id") {
        Some(id) => id.parse().ok().and_then(|id| world.find(id)),
        None => world.find_by_name(call.get("screen_name")?),
    }
}

fn lookup(world: &World, call: &Call) -> Result<Reply, Reply> {
    let (ids, names) = (call.list("user_id"), call.list("screen_name"));
    match ids.len() + names.len() {
        0 => return Err(errors::v1(400, 25, "Query parameters are missing.")),
        1..=LOOKUP_MAX => {}
        _ => return Err(errors::v1(403, 18, "Too many terms specified in query.")),
    }
    let by_id = ids.iter().filter_map(|id| id.parse().ok()).filter_map(|id| world.find(id));
    let by_name = names.iter().filter_map(|name| world.find_by_name(name));
    let mut found: Vec<Ix> =
        by_id.chain(by_name).filter(|&ix| world.user_at(ix).is_visible()).collect();
    // The real answer keeps no order, so nobody may rely on one; repeats are answered once.
    found.sort_unstable();
    found.dedup();
    if found.is_empty() {
        return Err(errors::v1(404, 17, "No user matches for specified terms."));
    }
    let users: Vec<Value> = found.iter().map(|&ix| user_object(world, ix)).collect();
    let count = users.len();
    Ok(Reply::json(200, Value::Array(users)).with_users(count))
}

fn show(world: &World, call: &Call) -> Result<Reply, Reply> {
    let missing = || errors::v1(404, 50, "User not found.");
    let ix = named_account(world, call).ok_or_else(missing)?;
    match world.user_at(ix).standing {
        Standing::Active => Ok(Reply::json(200, user_object(world, ix)).with_users(1)),
        Standing::Suspended => Err(errors::v1(403, 63, "User has been suspended.")),
        Standing::Deactivated => Err(missing()),
    }
}

fn verify(world: &World, call: &Call) -> Result<Reply, Reply> {
    let no_access = "Your credentials do not allow access to this resource.";
    let ix = call.viewer(world).ok_or_else(|| errors::v1(403, 220, no_access))?;
    match world.user_at(ix).standing {
        Standing::Active => Ok(Reply::json(200, user_object(world, ix)).with_users(1)),
        Standing::Suspended => Err(errors::v1(
            403,
            64,
            "Your account is suspended and is not permitted to access this feature.",
        )),
        Standing::Deactivated => Err(errors::v1(401, 32, "Could not authenticate you.")),
    }
}

/// The full user object.
fn user_object(world: &World, ix: Ix) -> Value {
    let user: &User = world.user_at(ix);
    let profile = Profile::of(user);
    json!({
        "id": user.id,
        "id_str": user.id.to_string(),
        "name": user.name,
        "screen_name": user.username,
        "location": profile.location.unwrap_or_default(),
        "description": profile.description(),
        "url": profile.link.as_ref().map(|(short, _)| short),
        "protected": user.protected,
        "followers_count": world.visible_count(ix, List::Followers),
        "friends_count": world.visible_count(ix, List::Following),
        "listed_count": profile.listed,
        "favourites_count": profile.posts / 2,
        "statuses_count": profile.posts,
        "created_at": user.created_at.strftime("%a %b %d %H:%M:%S +0000 %Y").to_string(),
        "verified": profile.verified,
        "lang": null,
        "default_profile_image": true,
    })
}
