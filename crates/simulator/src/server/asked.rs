//! A request before anything is known of it, and the faults that wait for it.

use std::net::SocketAddr;

use axum::http::request::Parts;

use super::auth::Generation;
use super::faults::{Fault, RedirectTo};
use super::route::{self, Endpoint};

/// A request as far as faults care.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) path: &'a str,
    path_and_query: &'a str,
    addr: SocketAddr,
    generation: Generation,
    list: Option<Generation>,
    has_cursor: bool,
}

impl<'a> Asked<'a> {
    pub(super) fn new(head: &'a Parts, addr: SocketAddr) -> Self {
        let path = head.uri.path();
        let endpoint = route::find(&head.method, path).map(|(endpoint, _)| endpoint);
        let query = head.uri.query().unwrap_or_default().as_bytes();
        let has_cursor = form_urlencoded::parse(query).any(|(name, value)| {
            name == "pagination_token" || (name == "cursor" && value != "-1" && !value.is_empty())
        });
        let generation = if path.starts_with("/1.1/") { Generation::V1 } else { Generation::V2 };
        let is_list = matches!(endpoint, Some(Endpoint::V1Ids(_) | Endpoint::V2List(_)));
        Self {
            path,
            path_and_query: head.uri.path_and_query().map_or(path, |whole| whole.as_str()),
            addr,
            generation,
            list: is_list.then_some(generation),
            has_cursor,
        }
    }

    /// The generation of the list asked for, if one is.
    pub(super) fn list(&self) -> Option<Generation> {
        self.list
    }

    /// Whether a page other than the first is asked for.
    pub(super) fn has_cursor(&self) -> bool {
        self.has_cursor
    }

    /// Which API's manners apply, even where nothing is found.
    pub(super) fn generation(&self) -> Generation {
        self.generation
    }

    /// Where a redirect leads.
    pub(super) fn elsewhere(&self, to: RedirectTo) -> String {
        match to {
            RedirectTo::SameHost => format!("http://{}{}", self.addr, self.path_and_query),
            RedirectTo::OtherHost => {
                format!("http://localhost:{}{}", self.addr.port(), self.path_and_query)
            }
        }
    }
}

/// The faults still to come, in the order in which they were asked for.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Planned>);

#[derive(Debug)]
struct Planned {
    path_prefix: String,
    fault: Fault,
    left: usize,
}

impl Faults {
    pub(super) fn add(&mut self, path_prefix: String, fault: Fault, times: usize) {
        self.0.push(Planned { path_prefix, fault, left: times });
    }

    /// How many are still to come.
    pub(super) fn left(&self) -> usize {
        self.0.iter().map(|planned| planned.left).fold(0, usize::saturating_add)
    }

    /// The fault a request meets; the oldest fitting one is used up first.
    pub(super) fn take(&mut self, asked: &Asked<'_>) -> Option<Fault> {
        self.0.retain(|planned| planned.left > 0);
        let planned = self.0.iter_mut().find(|planned| {
            asked.path.starts_with(&planned.path_prefix) && planned.fault.fits(asked)
        })?;
        planned.left -= 1;
        Some(planned.fault)
    }
}
