//! What was asked and answered, for tests to hold a client against.

use axum::http::header::HOST;
use axum::http::request::Parts;
use jiff::Timestamp;
use serde::Serialize;

use super::faults::{Fault, Place};
use super::reply::Reply;

/// What the way of a request told that its reply does not.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) credential_name: Option<String>,
    pub(super) spent: bool,
    pub(super) foreign_cursor: bool,
    pub(super) fault: Option<Fault>,
    pub(super) world_at: Timestamp,
}

impl Facts {
    /// The request was refused before it came to where such a fault strikes.
    pub(super) fn unmet(&mut self) {
        self.fault = self.fault.filter(|fault| !matches!(fault.place(), Place::Gate | Place::Page));
    }
}

/// One request and its answer. Holds no token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RequestRecord {
    /// When it was answered, in virtual time.
    pub at: Timestamp,
    /// The HTTP method.
    pub method: String,
    /// The path and query as sent; parameters that could hold secrets are left out.
    pub path_and_query: String,
    /// The HTTP status; 0 when the connection ended without an answer.
    pub status: u16,
    /// The name of the credential, if one was recognised.
    pub credential_name: Option<String>,
    /// Users in the answer as it was made: ids of a v1.1 page, user objects otherwise.
    pub returned_users: usize,
    /// The host the request was meant for, as its `Host` header says.
    pub host: Option<String>,
    /// Whether a request was taken from a rate window.
    pub spent: bool,
    /// What an endpoint made for the request, whether or not it arrived; none when the request
    /// was refused, or failed before.
    pub served: Option<Served>,
    /// Whether the whole answer was handed to the connection, and nothing of what had been
    /// served was lost or damaged on the way. A client that has read an answer to its end
    /// finds this set.
    pub completed: bool,
    /// Whether the request bore a cursor that this server has not given out for this list of
    /// this account. It is answered nevertheless.
    pub foreign_cursor: bool,
    /// The fault that the request met, as its variant prints.
    pub fault: Option<String>,
    /// The world's own time at the answer, with which
    /// [`World::presence`](crate::World::presence) can be asked.
    pub world_at: Timestamp,
}

/// What an endpoint made for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Served {
    /// Users in the answer: ids of a v1.1 page, user objects otherwise.
    pub users: usize,
}

impl RequestRecord {
    /// The record of a reply that has not been handed to the connection yet.
    pub(super) fn new(at: Timestamp, head: &Parts, reply: &Reply, facts: Facts) -> Self {
        let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
        Self {
            at,
            method: head.method.to_string(),
            path_and_query: without_secrets(head.uri.path(), head.uri.query()),
            status: if facts.fault == Some(Fault::LostAnswer) { 0 } else { reply.status },
            credential_name: facts.credential_name,
            returned_users: reply.users.unwrap_or(0),
            host: host.map(str::to_owned),
            spent: facts.spent,
            served: reply.users.map(|users| Served { users }),
            completed: false,
            foreign_cursor: facts.foreign_cursor,
            fault: facts.fault.map(|fault| format!("{fault:?}")),
            world_at: facts.world_at,
        }
    }

    /// Users that reached the connection in a whole answer.
    pub fn delivered_users(&self) -> usize {
        self.served.filter(|_| self.completed).map_or(0, |served| served.users)
    }
}

fn without_secrets(path: &str, query: Option<&str>) -> String {
    let secret = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        name.starts_with("oauth_") || name.contains("secret") || name == "access_token"
    };
    let kept: Vec<&str> =
        query.into_iter().flat_map(|q| q.split('&')).filter(|p| !secret(p)).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_left_out_and_page_tokens_kept() {
        let query = Some("pagination_token=ABC&oauth_signature=s&access_token=t&max_results=5");
        assert_eq!(without_secrets("/p", query), "/p?pagination_token=ABC&max_results=5");
        assert_eq!(without_secrets("/p", Some("oauth_token=t")), "/p");
        assert_eq!(without_secrets("/p", None), "/p");
    }
}
