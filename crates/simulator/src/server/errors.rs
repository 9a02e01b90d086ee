//! Error bodies in the shapes the two APIs give them.

use serde_json::{Value, json};

use super::auth::Generation;
use super::reply::Reply;

/// Where v2's problem types are described.
const PROBLEMS: &str = "https://api.twitter.com/2/problems";

/// A v1.1 error with its code.
pub(super) fn v1(status: u16, code: u32, message: &str) -> Reply {
    Reply::json(status, json!({"errors": [{"code": code, "message": message}]}))
}

/// v1.1's answer about a private or suspended account's list: the one shape without a code.
pub(super) fn v1_not_authorized(path: &str) -> Reply {
    Reply::json(401, json!({"request": path, "error": "Not authorized."}))
}

/// A v2 error that is about the request as a whole.
pub(super) fn v2_plain(status: u16, title: &str, detail: &str) -> Reply {
    let body = json!({"title": title, "detail": detail, "type": "about:blank", "status": status});
    Reply::json(status, body)
}

/// v2's answer to a parameter it does not take.
pub(super) fn v2_invalid(parameter: &str, value: &str, message: &str) -> Reply {
    let mut parameters = serde_json::Map::new();
    parameters.insert(parameter.to_owned(), json!([value]));
    let body = json!({
        "errors": [{"parameters": parameters, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": format!("{PROBLEMS}/invalid-request"),
    });
    Reply::json(400, body)
}

/// v2's refusal of an app token where an account must be asking.
pub(super) fn v2_needs_user() -> Reply {
    let body = json!({
        "title": "Unsupported Authentication",
        "detail": "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.  \
                   Supported authentication types are [OAuth 1.0a User Context, OAuth 2.0 User Context].",
        "type": format!("{PROBLEMS}/unsupported-authentication"),
        "status": 403,
    });
    Reply::json(403, body)
}

/// Why v2 leaves an account out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    Missing,
    Suspended,
    NotAuthorized,
}

/// An entry of the `errors` array that v2 puts beside the data.
pub(super) fn v2_absent(why: Absence, parameter: &str, value: &str) -> Value {
    let problem = match why {
        Absence::Missing | Absence::Suspended => "resource-not-found",
        Absence::NotAuthorized => "not-authorized-for-resource",
    };
    let (title, detail) = match why {
        Absence::Missing => {
            ("Not Found Error", format!("Could not find user with {parameter}: [{value}]."))
        }
        Absence::Suspended => ("Forbidden", format!("User has been suspended: [{value}].")),
        Absence::NotAuthorized => (
            "Authorization Error",
            format!("Sorry, you are not authorized to see the user with {parameter}: [{value}]."),
        ),
    };
    json!({
        "value": value,
        "detail": detail,
        "title": title,
        "resource_type": "user",
        "parameter": parameter,
        "resource_id": value,
        "section": "data",
        "type": format!("{PROBLEMS}/{problem}"),
    })
}

/// The answer beyond a rate limit.
pub(super) fn too_many_requests(generation: Generation) -> Reply {
    match generation {
        Generation::V1 => v1(429, 88, "Rate limit exceeded"),
        Generation::V2 => v2_plain(429, "Too Many Requests", "Too Many Requests"),
    }
}
