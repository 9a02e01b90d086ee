//! What was asked and answered, for tests to hold a client against.

use axum::http::request::Parts;
use jiff::Timestamp;
use serde::Serialize;

use super::reply::Reply;

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
    /// Users in the answer: ids of a v1.1 page, user objects otherwise.
    pub returned_users: usize,
}

impl RequestRecord {
    pub(super) fn new(
        at: Timestamp,
        head: &Parts,
        reply: &Reply,
        credential_name: Option<String>,
    ) -> Self {
        Self {
            at,
            method: head.method.to_string(),
            path_and_query: without_secrets(head.uri.path(), head.uri.query()),
            status: reply.status,
            credential_name,
            returned_users: reply.users,
        }
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
