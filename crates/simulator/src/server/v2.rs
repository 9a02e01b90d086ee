//! The v2 endpoints: lists of users, lookups, and who is asking.

use serde_json::{Map, Value, json};

use super::call::Call;
use super::errors::{self, Absence};
use super::faults::Fault;
use super::paging;
use super::reply::Reply;
use super::route::Endpoint;
use super::v2_user::{self, Fields};
use crate::cursor::Position;
use crate::rows::Cut;
use crate::user::{Ix, Standing};
use crate::world::{List, World};

/// Users on one page, at most and by default.
const RESULTS_MAX: usize = 1000;
const RESULTS_DEFAULT: usize = 100;

/// Most accounts in one lookup.
const LOOKUP_MAX: usize = 100;

/// Longest numeric id, in digits.
const ID_DIGITS_MAX: usize = 19;

/// Longest username, in characters.
const USERNAME_LEN_MAX: usize = 15;

/// Answers a call; errors are replies too.
pub(super) fn answer(world: &World, call: &Call) -> Result<Reply, Reply> {
    match call.endpoint {
        Endpoint::V2List(list) => page(world, call, list),
        Endpoint::V2Users => many(world, call, Key::Id, "ids"),
        Endpoint::V2UsersBy => many(world, call, Key::Username, "usernames"),
        Endpoint::V2User => one(world, call, Key::Id),
        Endpoint::V2UserBy => one(world, call, Key::Username),
        Endpoint::V2Me => me(world, call),
        _ => Ok(Reply::unknown_route()),
    }
}

/// What an account is looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Id,
    Username,
}

impl Key {
    fn parameter(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Username => "username",
        }
    }

    fn is_valid(self, value: &str) -> bool {
        match self {
            Self::Id => {
                (1..=ID_DIGITS_MAX).contains(&value.len())
                    && value.bytes().all(|b| b.is_ascii_digit())
            }
            Self::Username => {
                (1..=USERNAME_LEN_MAX).contains(&value.len())
                    && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            }
        }
    }

    /// The visible account, or why it is left out.
    fn find(self, world: &World, value: &str) -> Result<Ix, Absence> {
        let found = match self {
            Self::Id => value.parse().ok().and_then(|id| world.find(id)),
            Self::Username => world.find_by_name(value),
        };
        let ix = found.ok_or(Absence::Missing)?;
        match world.user_at(ix).standing {
            Standing::Active => Ok(ix),
            Standing::Suspended => Err(Absence::Suspended),
            Standing::Deactivated => Err(Absence::Missing),
        }
    }
}

fn page(world: &World, call: &Call, list: List) -> Result<Reply, Reply> {
    only_known(call, &["max_results", "pagination_token"])?;
    let id = path_value(call, Key::Id)?;
    let fields = Fields::of(call)?;
    let count = max_results(call)?;
    let position = match call.get("pagination_token") {
        None => Position::Newest,
        Some(token) => Position::from_v2(token).map_err(|_| {
            let message =
                format!("The `pagination_token` query parameter value [{token}] is not valid");
            errors::v2_invalid("pagination_token", token, &message)
        })?,
    };
    let seen = Key::Id
        .find(world, id)
        .and_then(|of| if call.may_see(world, of) { Ok(of) } else { Err(Absence::NotAuthorized) });
    Ok(match seen {
        Ok(of) => {
            let page = paging::cut(world, call, of, list, position, count);
            let facts = paging::facts(world, of, list, position, &page);
            page_reply(world, call, &page, &fields).with_page(facts)
        }
        Err(why) => Reply::json(200, json!({"errors": [errors::v2_absent(why, "id", id)]})),
    })
}

fn page_reply(world: &World, call: &Call, page: &Cut, fields: &Fields) -> Reply {
    let members: Vec<Ix> = page.rows.iter().map(|row| row.member).collect();
    let mut meta = Map::new();
    meta.insert("result_count".to_owned(), members.len().into());
    for (name, position) in [("next_token", page.next), ("previous_token", page.previous)] {
        if let Some(position) = position {
            meta.insert(name.to_owned(), position.to_v2().into());
        }
    }
    let mut body = users_body(world, &members, fields);
    body.insert("meta".to_owned(), meta.into());
    if call.oddity == Some(Fault::PartialErrors) {
        lose_a_post(world, &members, &mut body);
    }
    Reply::json(200, body.into()).with_users(members.len())
}

/// Says of one pinned post that it is gone, and leaves it out where it is included.
fn lose_a_post(world: &World, members: &[Ix], body: &mut Map<String, Value>) {
    let pinned = members.iter().find_map(|&ix| v2_user::pinned_id(world, ix));
    let id = pinned.unwrap_or_else(|| "1".to_owned());
    let included = body.get_mut("includes").and_then(|includes| includes["tweets"].as_array_mut());
    if let Some(tweets) = included {
        tweets.retain(|tweet| tweet["id"] != *id);
        if tweets.is_empty() {
            body.remove("includes");
        }
    }
    body.insert("errors".to_owned(), json!([errors::v2_post_gone(&id)]));
}

fn max_results(call: &Call) -> Result<usize, Reply> {
    let Some(value) = call.get("max_results") else { return Ok(RESULTS_DEFAULT) };
    value.parse().ok().filter(|count| (1..=RESULTS_MAX).contains(count)).ok_or_else(|| {
        let message = format!(
            "The `max_results` query parameter value [{value}] is not between 1 and {RESULTS_MAX}"
        );
        errors::v2_invalid("max_results", value, &message)
    })
}

fn many(world: &World, call: &Call, key: Key, parameter: &str) -> Result<Reply, Reply> {
    only_known(call, &[parameter])?;
    let fields = Fields::of(call)?;
    let wanted = call.list(parameter);
    if !(1..=LOOKUP_MAX).contains(&wanted.len()) {
        let message = format!(
            "The number of values in the `{parameter}` query parameter list [{}] is not between 1 and {LOOKUP_MAX}",
            wanted.len()
        );
        return Err(errors::v2_invalid(
            parameter,
            call.get(parameter).unwrap_or_default(),
            &message,
        ));
    }
    for value in &wanted {
        valid(key, value, parameter)?;
    }
    let (mut found, mut absent) = (Vec::new(), Vec::new());
    for value in wanted {
        match key.find(world, value) {
            Ok(ix) if found.contains(&ix) => {}
            Ok(ix) => found.push(ix),
            Err(why) => absent.push(errors::v2_absent(why, parameter, value)),
        }
    }
    let mut body = users_body(world, &found, &fields);
    if !absent.is_empty() {
        body.insert("errors".to_owned(), absent.into());
    }
    Ok(Reply::json(200, body.into()).with_users(found.len()))
}

fn one(world: &World, call: &Call, key: Key) -> Result<Reply, Reply> {
    only_known(call, &[])?;
    let value = path_value(call, key)?;
    let fields = Fields::of(call)?;
    Ok(match key.find(world, value) {
        Ok(ix) => single(world, ix, &fields),
        Err(why) => {
            Reply::json(200, json!({"errors": [errors::v2_absent(why, key.parameter(), value)]}))
        }
    })
}

fn me(world: &World, call: &Call) -> Result<Reply, Reply> {
    only_known(call, &[])?;
    let fields = Fields::of(call)?;
    let ix = call.viewer(world).ok_or_else(errors::v2_needs_user)?;
    if world.user_at(ix).is_visible() {
        Ok(single(world, ix, &fields))
    } else {
        Err(errors::v2_plain(401, "Unauthorized", "Unauthorized"))
    }
}

/// A body whose data is one user, not a list.
fn single(world: &World, ix: Ix, fields: &Fields) -> Reply {
    let mut body = users_body(world, &[ix], fields);
    if let Some(Value::Array(users)) = body.get_mut("data") {
        let user = users.pop();
        body.insert("data".to_owned(), user.unwrap_or_default());
    }
    Reply::json(200, body.into()).with_users(1)
}

/// `data` and `includes`, each only when there is something in it.
fn users_body(world: &World, members: &[Ix], fields: &Fields) -> Map<String, Value> {
    let mut body = Map::new();
    if !members.is_empty() {
        let users: Vec<Value> =
            members.iter().map(|&ix| v2_user::user_object(world, ix, fields)).collect();
        body.insert("data".to_owned(), users.into());
    }
    let tweets: Vec<Value> =
        members.iter().filter_map(|&ix| v2_user::pinned_tweet(world, ix, fields)).collect();
    if !tweets.is_empty() {
        body.insert("includes".to_owned(), json!({"tweets": tweets}));
    }
    body
}

/// The id or name in the path, if it has the right form.
fn path_value(call: &Call, key: Key) -> Result<&str, Reply> {
    let value = call.name.as_deref().unwrap_or_default();
    valid(key, value, key.parameter())?;
    Ok(value)
}

fn valid(key: Key, value: &str, parameter: &str) -> Result<(), Reply> {
    if key.is_valid(value) {
        return Ok(());
    }
    let pattern = match key {
        Key::Id => "^[0-9]{1,19}$",
        Key::Username => "^[A-Za-z0-9_]{1,15}$",
    };
    let message =
        format!("The `{parameter}` query parameter value [{value}] does not match {pattern}");
    Err(errors::v2_invalid(parameter, value, &message))
}

/// Refuses parameters that the endpoint does not have.
fn only_known(call: &Call, own: &[&str]) -> Result<(), Reply> {
    let known: Vec<&str> = own.iter().chain(&v2_user::PARAMETERS).copied().collect();
    match call.params.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some((name, value)) => {
            let message =
                format!("The query parameter [{name}] is not one of [{}]", known.join(","));
            Err(errors::v2_invalid(name, value, &message))
        }
    }
}
