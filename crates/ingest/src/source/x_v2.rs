//! The X API v2: 1,000 users a page, billed by the returned user.
//!
//! Pages ask for no extra fields, since ids are all that a list needs.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use snapshot::{AccountId, List, Profile};

use super::classify::Problem;
use super::http::{Http, Reply};
use super::wire::WireId;
use super::{
    AccountRef, BoxFuture, Call, Detail, Endpoint, Generation, Lookup, Page, PageRequest, Source,
    SourceError, SourceKind, Who,
};
use crate::{Credential, CredentialId, Cursor, Error};

/// Speaks to the X API v2 with an app's bearer token.
pub(super) struct XV2 {
    http: Http,
}

impl XV2 {
    pub(super) fn new(base_url: &str, credential: Credential) -> Result<Self, Error> {
        Ok(Self { http: Http::new(base_url, credential, Generation::V2)? })
    }

    async fn fetch_page(&self, request: &PageRequest) -> Result<Page, SourceError> {
        let path = format!("/2/users/{}/{}", request.account, request.list);
        let size = request.page_size.to_string();
        let mut query = vec![("max_results", size.as_str())];
        query.extend(request.cursor.as_ref().map(|c| ("pagination_token", c.as_str())));
        let reply = self.http.get(&path, &query).await?;
        let wire: WirePage = self.http.parse(&reply)?;
        let ids: Vec<_> = wire.data.unwrap_or_default().into_iter().map(|u| u.id.0).collect();
        // A page that lost rows, or its end, must not pass for the last one.
        if wire.meta.result_count != ids.len() as u64 {
            let (said, held) = (wire.meta.result_count, ids.len());
            let why = format!("the page counts {said} rows and holds {held}");
            return Err(self.http.senseless(&reply, why));
        }
        let next = wire.meta.next_token.filter(|token| !token.is_empty()).map(Cursor::new);
        let boundary = next.as_ref().and_then(|cursor| cursor.boundary(reply.at));
        let (profiles, problems) = (Vec::new(), None);
        let (fetched_at, window) = (reply.at, reply.window);
        Ok(Page { ids, next, boundary, fetched_at, profiles, problems, window })
    }

    async fn look_up(&self, who: Who<'_>) -> Result<Lookup, SourceError> {
        let (path, key, value) = match who {
            Who::Ids(ids) => ("/2/users", "ids", joined(ids.iter().map(AccountId::to_string))),
            Who::Names(names) => {
                let names = names.iter().map(|name| name.as_str().to_owned());
                ("/2/users/by", "usernames", joined(names))
            }
        };
        let fields = ("user.fields", "created_at,protected,public_metrics");
        let reply = self.http.ask(path, &[(key, &value), fields]).await?;
        // When nobody exists the answer has reasons only, one for each, which is all right.
        match self.lookup(who, &reply) {
            Ok(lookup) if !lookup.found.is_empty() || !lookup.absent.is_empty() => Ok(lookup),
            _ => self.lookup(who, &self.http.checked(reply)?),
        }
    }

    fn lookup(&self, who: Who<'_>, reply: &Reply) -> Result<Lookup, SourceError> {
        let wire: WireLookup = self.http.parse(reply)?;
        let users = wire.data.unwrap_or_default();
        Ok(Lookup {
            found: users.into_iter().map(|user| profile(user, reply).into()).collect(),
            absent: wire.errors.iter().filter_map(|problem| absent(who, problem)).collect(),
            window: reply.window,
        })
    }
}

impl fmt::Display for XV2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "X API v2 at {}", self.http.base())
    }
}

impl Source for XV2 {
    fn name(&self) -> &'static str {
        "x_v2"
    }

    fn credential(&self) -> &CredentialId {
        self.http.credential()
    }

    fn kind(&self) -> SourceKind {
        SourceKind::XV2
    }

    fn base_url(&self) -> &str {
        self.http.base()
    }

    fn page_size_max(&self) -> u32 {
        1000
    }

    fn profiles_max(&self) -> usize {
        100
    }

    fn endpoint(&self, call: Call) -> Endpoint {
        Endpoint(match call {
            Call::Page(List::Followers) => "users/:id/followers",
            Call::Page(List::Following) => "users/:id/following",
            Call::ProfilesById => "users",
            Call::ProfilesByName => "users/by",
        })
    }

    fn now(&self) -> Timestamp {
        self.http.now()
    }

    fn assume_ahead(&self, ahead: SignedDuration) {
        self.http.assume_ahead(ahead);
    }

    fn page<'a>(&'a self, request: &'a PageRequest) -> BoxFuture<'a, Result<Page, SourceError>> {
        Box::pin(self.fetch_page(request))
    }

    fn profiles<'a>(
        &'a self,
        who: Who<'a>,
        _detail: Detail,
    ) -> BoxFuture<'a, Result<Lookup, SourceError>> {
        Box::pin(self.look_up(who))
    }
}

/// A page; an empty one has no `data`, the last one no `next_token`. Since the end of a list
/// is told by what is not there, the rest of `meta` must be.
#[derive(Deserialize)]
struct WirePage {
    data: Option<Vec<WireMember>>,
    meta: WireMeta,
}

#[derive(Deserialize)]
struct WireMember {
    id: WireId,
}

#[derive(Deserialize)]
struct WireMeta {
    result_count: u64,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct WireLookup {
    data: Option<Vec<WireUser>>,
    #[serde(default)]
    errors: Vec<Problem>,
}

#[derive(Deserialize)]
struct WireUser {
    id: WireId,
    username: Option<String>,
    name: Option<String>,
    created_at: Option<Timestamp>,
    protected: Option<bool>,
    #[serde(default)]
    public_metrics: WireMetrics,
}

#[derive(Default, Deserialize)]
struct WireMetrics {
    #[serde(rename = "followers_count")]
    followers: Option<u64>,
    #[serde(rename = "following_count")]
    following: Option<u64>,
    #[serde(rename = "tweet_count")]
    tweet: Option<u64>,
    #[serde(rename = "listed_count")]
    listed: Option<u64>,
}

fn profile(user: WireUser, reply: &Reply) -> Profile {
    Profile {
        account: user.id.0,
        username: user.username,
        name: user.name,
        created_at: user.created_at,
        protected: user.protected,
        followers_count: user.public_metrics.followers,
        following_count: user.public_metrics.following,
        tweet_count: user.public_metrics.tweet,
        listed_count: user.public_metrics.listed,
        observed_at: reply.at,
    }
}

/// Who a problem in a look-up is about, and what it says of them.
fn absent(who: Who<'_>, problem: &Problem) -> Option<(AccountRef, snapshot::State)> {
    let (about, state) = (problem.about()?, problem.state()?);
    let account = match who {
        Who::Ids(ids) => AccountRef::Id(*ids.iter().find(|id| about.parse() == Ok(**id))?),
        Who::Names(names) => AccountRef::Name(names.iter().find(|n| n.is(about))?.clone()),
    };
    Some((account, state))
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(",")
}
