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

/// An entry of `errors` about a pinned post that is gone.
pub(super) fn v2_post_gone(id: &str) -> Value {
    json!({
        "value": id,
        "detail": format!("Could not find tweet with pinned_tweet_id: [{id}]."),
        "title": "Not Found Error",
        "resource_type": "tweet",
        "parameter": "pinned_tweet_id",
        "resource_id": id,
        "type": format!("{PROBLEMS}/resource-not-found"),
    })
}

/// A failure of the server, told in its own words.
pub(super) fn server_error(generation: Generation, status: u16) -> Reply {
    match generation {
        Generation::V1 if status == 503 => v1(status, 130, "Over capacity"),
        Generation::V1 => v1(status, 131, "Internal error"),
        Generation::V2 => v2_plain(status, "Service Unavailable", "Service Unavailable"),
    }
}

/// The refusal of a token that is known no more.
pub(super) fn expired(generation: Generation) -> Reply {
    match generation {
        Generation::V1 => v1(401, 89, "Invalid or expired token."),
        Generation::V2 => v2_plain(401, "Unauthorized", "Unauthorized"),
    }
}

/// The month's allowance is used up; says 429 and is no rate limit.
pub(super) fn usage_capped() -> Reply {
    let body = json!({
        "account_id": 7,
        "product_name": "standard-basic",
        "title": "UsageCapExceeded",
        "period": "Monthly",
        "scope": "Product",
        "detail": "Usage cap exceeded: Monthly product cap",
        "type": format!("{PROBLEMS}/usage-capped"),
    });
    Reply::json(429, body)
}

/// The account has no money left.
pub(super) fn credits_depleted() -> Reply {
    let body = json!({
        "account_id": 7,
        "title": "CreditsDepleted",
        "detail": "Your enrolled account [7] does not have any credits to fulfill this request.",
        "type": "https://api.twitter.com/2/problems/credits",
    });
    Reply::json(402, body)
}

/// The owner's own limit on spending is reached.
pub(super) fn spend_cap_reached() -> Reply {
    let body = json!({
        "account_id": 7,
        "title": "SpendCapReached",
        "detail": "Your enrolled account [7] has reached its billing cycle spend cap.",
        "type": "https://api.twitter.com/2/problems/credits",
    });
    Reply::json(403, body)
}

/// The answer beyond a rate limit.
pub(super) fn too_many_requests(generation: Generation) -> Reply {
    match generation {
        Generation::V1 => v1(429, 88, "Rate limit exceeded"),
        Generation::V2 => v2_plain(429, "Too Many Requests", "Too Many Requests"),
    }
}
