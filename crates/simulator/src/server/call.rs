//! A request as endpoints see it: parameters, path and who is asking.

use axum::http::request::Parts;

use super::auth::Credential;
use super::faults::Fault;
use super::route::Endpoint;
use crate::user::{Ix, User};
use crate::world::World;

#[derive(Debug)]
pub(super) struct Call {
    pub(super) endpoint: Endpoint,
    /// The id or name in the path, as sent.
    pub(super) name: Option<String>,
    pub(super) path: String,
    /// Query and form parameters, decoded, in order.
    pub(super) params: Vec<(String, String)>,
    pub(super) credential: Credential,
    /// The oddity that the page is to have.
    pub(super) oddity: Option<Fault>,
}

impl Call {
    pub(super) fn new(
        endpoint: Endpoint,
        name: Option<String>,
        head: &Parts,
        body: &[u8],
        credential: Credential,
        oddity: Option<Fault>,
    ) -> Self {
        let query = head.uri.query().unwrap_or_default().as_bytes();
        let params = form_urlencoded::parse(query).chain(form_urlencoded::parse(body));
        Self {
            endpoint,
            name,
            path: head.uri.path().to_owned(),
            params: params.map(|(k, v)| (k.into_owned(), v.into_owned())).collect(),
            credential,
            oddity,
        }
    }

    /// The first value of a parameter.
    pub(super) fn get(&self, param: &str) -> Option<&str> {
        self.params.iter().find(|(name, _)| name == param).map(|(_, value)| value.as_str())
    }

    /// The parts of a comma-separated parameter, trimmed; empty parts left out.
    pub(super) fn list(&self, param: &str) -> Vec<&str> {
        let value = self.get(param).unwrap_or_default();
        value.split(',').map(str::trim).filter(|part| !part.is_empty()).collect()
    }

    /// Whether a parameter means yes.
    pub(super) fn is_set(&self, param: &str) -> bool {
        self.get(param).is_some_and(|value| ["true", "t", "1"].contains(&value))
    }

    /// The account that is asking, if it is one and the world has it.
    pub(super) fn viewer(&self, world: &World) -> Option<Ix> {
        self.credential.actor.user().and_then(|id| world.find(id))
    }

    /// Whether whoever asks may see the lists of this account.
    pub(super) fn may_see(&self, world: &World, of: Ix) -> bool {
        let user: &User = world.user_at(of);
        let viewer = self.viewer(world);
        !user.protected || viewer.is_some_and(|v| v == of || world.edge(v, of).is_some())
    }
}
