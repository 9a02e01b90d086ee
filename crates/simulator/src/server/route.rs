//! Which endpoint a method and path mean, and what each endpoint is called in rate limits.

use axum::http::Method;

use super::auth::Generation;
use crate::config::{Limits, Quota};
use crate::world::List;

/// Where the simulator's own endpoints live.
const CONTROL: &str = "/_simulator/";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Endpoint {
    V1Ids(List),
    V1Lookup,
    V1Show,
    V1RateLimitStatus,
    V1Verify,
    V2List(List),
    V2Users,
    V2User,
    V2UsersBy,
    V2UserBy,
    V2Me,
    /// Trades a key and secret for a bearer token.
    Token,
    /// Trades a refresh token for new tokens.
    Refresh,
    /// Tells the truth.
    Truth,
    /// Moves time.
    Advance,
    /// Tells what was asked.
    Requests,
    /// Tells what it costs.
    Billing,
    /// Asks for trouble.
    Inject,
}

/// The endpoint, and the id or name in its path if it has one.
pub(super) fn find(method: &Method, path: &str) -> Option<(Endpoint, Option<String>)> {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (get, post) = (method == Method::GET, method == Method::POST);
    let (endpoint, name) = match segments[..] {
        ["1.1", "followers", "ids.json"] if get => (Endpoint::V1Ids(List::Followers), None),
        ["1.1", "friends", "ids.json"] if get => (Endpoint::V1Ids(List::Following), None),
        ["1.1", "users", "lookup.json"] if get || post => (Endpoint::V1Lookup, None),
        ["1.1", "users", "show.json"] if get => (Endpoint::V1Show, None),
        ["1.1", "application", "rate_limit_status.json"] if get => {
            (Endpoint::V1RateLimitStatus, None)
        }
        ["1.1", "account", "verify_credentials.json"] if get => (Endpoint::V1Verify, None),
        ["2", "users"] if get => (Endpoint::V2Users, None),
        ["2", "users", "me"] if get => (Endpoint::V2Me, None),
        ["2", "users", "by"] if get => (Endpoint::V2UsersBy, None),
        ["2", "users", "by", "username", name] if get => (Endpoint::V2UserBy, Some(name)),
        ["2", "users", id] if get => (Endpoint::V2User, Some(id)),
        ["2", "users", id, "followers"] if get => (Endpoint::V2List(List::Followers), Some(id)),
        ["2", "users", id, "following"] if get => (Endpoint::V2List(List::Following), Some(id)),
        ["oauth2", "token"] if post => (Endpoint::Token, None),
        ["2", "oauth2", "token"] if post => (Endpoint::Refresh, None),
        ["_simulator", "truth"] if get => (Endpoint::Truth, None),
        ["_simulator", "advance"] if post => (Endpoint::Advance, None),
        ["_simulator", "requests"] if get => (Endpoint::Requests, None),
        ["_simulator", "billing"] if get => (Endpoint::Billing, None),
        ["_simulator", "inject"] if post => (Endpoint::Inject, None),
        _ => return None,
    };
    Some((endpoint, name.map(str::to_owned)))
}

/// Whether the path is one of the simulator's own.
pub(super) fn is_control(path: &str) -> bool {
    path.starts_with(CONTROL)
}

impl Endpoint {
    /// Those that v1.1's rate limit status lists.
    pub(super) const V1: [Self; 6] = [
        Self::V1Ids(List::Followers),
        Self::V1Ids(List::Following),
        Self::V1Lookup,
        Self::V1Show,
        Self::V1RateLimitStatus,
        Self::V1Verify,
    ];

    /// Which API's manners apply.
    pub(super) fn generation(self) -> Generation {
        if Self::V1.contains(&self) { Generation::V1 } else { Generation::V2 }
    }

    /// Family and path under which v1.1's rate limit status lists an endpoint of its own.
    pub(super) fn v1_resource(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::V1Ids(List::Followers) => Some(("followers", "/followers/ids")),
            Self::V1Ids(List::Following) => Some(("friends", "/friends/ids")),
            Self::V1Lookup => Some(("users", "/users/lookup")),
            Self::V1Show => Some(("users", "/users/show/:id")),
            Self::V1RateLimitStatus => Some(("application", "/application/rate_limit_status")),
            Self::V1Verify => Some(("account", "/account/verify_credentials")),
            _ => None,
        }
    }

    /// Requests per window.
    pub(super) fn quota(self, limits: &Limits) -> Quota {
        match self {
            Self::V1Ids(_) => limits.v1_ids,
            Self::V1Lookup => limits.v1_lookup,
            Self::V1Show => limits.v1_show,
            Self::V1RateLimitStatus => limits.v1_status,
            Self::V1Verify => limits.v1_verify,
            Self::V2List(_) => limits.v2_lists,
            Self::V2Users | Self::V2User | Self::V2UsersBy | Self::V2UserBy => limits.v2_lookups,
            Self::V2Me => limits.v2_me,
            Self::Token
            | Self::Refresh
            | Self::Truth
            | Self::Advance
            | Self::Requests
            | Self::Billing
            | Self::Inject => Quota::both(u32::MAX),
        }
    }
}
