//! The X API v2: 1,000 users a page, billed by the returned user.
//!
//! Pages ask for no extra fields unless profiles are wanted, since ids are all that a list
//! needs.

use std::collections::HashMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;
use snapshot::{AccountId, MemberProfile, Profile};

use super::classify::Problem;
use super::http::{Http, Limits, Reply};
use super::parsers::{LookupBody, PageBody};
use super::wire::{WireId, forgiving};
use super::{
    AccountRef, BoxFuture, Detail, Generation, Lookup, Page, PageRequest, Source, SourceError,
    SourceKind, Who,
};
use crate::{Credential, CredentialId, Cursor, Error};

/// Speaks to the X API v2 with one credential.
pub(super) struct XV2 {
    http: Http,
}

impl XV2 {
    pub(super) fn new(
        base_url: &str,
        credential: Credential,
        limits: Limits,
    ) -> Result<Self, Error> {
        Ok(Self { http: Http::new(base_url, credential, Generation::V2, limits)? })
    }

    async fn fetch_page(&self, request: &PageRequest) -> Result<Page, SourceError> {
        let path = format!("/2/users/{}/{}", request.account, request.list);
        let size = request.page_size.to_string();
        let mut query = vec![("max_results", size.as_str())];
        query.extend(request.cursor.as_ref().map(|c| ("pagination_token", c.as_str())));
        if request.profiles {
            query.extend(FULL);
        }
        let reply = self.http.get(&path, &query).await?;
        let body = parse_page(&reply.body, request.profiles, reply.at);
        let mut body = body.map_err(|why| self.http.senseless(&reply, why))?;
        body.problems = body.problems.map(|json| self.http.secret().scrub(&json));
        Ok(body.page(reply.at, reply.windows))
    }

    async fn look_up(&self, who: Who<'_>, detail: Detail) -> Result<Lookup, SourceError> {
        let (path, key, value) = match who {
            Who::Ids(ids) => ("/2/users", "ids", joined(ids.iter().map(AccountId::to_string))),
            Who::Names(names) => {
                let names = names.iter().map(|name| name.as_str().to_owned());
                ("/2/users/by", "usernames", joined(names))
            }
        };
        let brief = [("user.fields", "created_at,protected,public_metrics")];
        let fields = if detail == Detail::Full { &FULL[..] } else { &brief[..] };
        let query: Vec<_> = [(key, value.as_str())].iter().chain(fields).copied().collect();
        let reply = self.http.get(path, &query).await?;
        self.lookup(who, &reply, detail).map_err(|why| self.http.senseless(&reply, why))
    }

    /// When nobody exists the answer has reasons only, one for each, which is all right.
    fn lookup(&self, who: Who<'_>, reply: &Reply, detail: Detail) -> Result<Lookup, String> {
        let LookupBody { found, problems } = parse_lookup(&reply.body, reply.at, detail)?;
        let absent: Vec<_> = problems.iter().filter_map(|problem| absent(who, problem)).collect();
        if found.is_empty() && absent.is_empty() && self.http.refusal(reply).is_some() {
            return Err("neither profiles nor reasons".to_owned());
        }
        Ok(Lookup { found, absent, windows: reply.windows.clone() })
    }
}

/// What is asked for where whole profiles are wanted.
const FULL: [(&str, &str); 3] = [
    (
        "user.fields",
        "created_at,description,entities,id,location,name,pinned_tweet_id,profile_image_url,\
         protected,public_metrics,url,username,verified,verified_type,withheld",
    ),
    ("expansions", "pinned_tweet_id"),
    ("tweet.fields", "created_at,text"),
];

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
        detail: Detail,
    ) -> BoxFuture<'a, Result<Lookup, SourceError>> {
        Box::pin(self.look_up(who, detail))
    }
}

/// Reads a page; in one pass, unless profiles are wanted as well.
pub(super) fn parse_page(body: &[u8], profiles: bool, at: Timestamp) -> Result<PageBody, String> {
    fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<WirePage<T>, String> {
        let page: WirePage<T> = serde_json::from_slice(body).map_err(|e| e.to_string())?;
        if page.data.is_none() && page.errors.is_some() {
            return Err("the page has errors only".to_owned());
        }
        if page.meta.next_token.as_deref() == Some("") {
            return Err("the next token is empty".to_owned());
        }
        // A page that lost rows, or its end, must not pass for the last one.
        let (said, held) = (page.meta.result_count, page.data.as_ref().map_or(0, Vec::len));
        if said != held as u64 {
            return Err(format!("the page counts {said} rows and holds {held}"));
        }
        Ok(page)
    }
    let body = if profiles {
        let page = read::<WireUser>(body)?;
        let tweets = page.includes.as_deref().map(tweets).unwrap_or_default();
        let users = page.data.unwrap_or_default();
        let profiles: Vec<_> =
            users.into_iter().map(|user| profile(user, &tweets, at, Detail::Full)).collect();
        PageBody {
            ids: profiles.iter().map(|member| member.profile.account).collect(),
            profiles,
            next: page.meta.next(),
            problems: page.errors.map(|json| json.get().to_owned()),
        }
    } else {
        let page = read::<WireMember>(body)?;
        PageBody {
            ids: page.data.unwrap_or_default().into_iter().map(|user| user.id.0).collect(),
            profiles: Vec::new(),
            next: page.meta.next(),
            problems: page.errors.map(|json| json.get().to_owned()),
        }
    };
    Ok(body)
}

/// Reads profiles, and the reasons why others are not among them.
pub(super) fn parse_lookup(
    body: &[u8],
    at: Timestamp,
    detail: Detail,
) -> Result<LookupBody, String> {
    let wire: WireLookup = serde_json::from_slice(body).map_err(|e| e.to_string())?;
    let tweets = wire.includes.as_deref().map(tweets).unwrap_or_default();
    let users = wire.data.unwrap_or_default().into_iter();
    let found = users.map(|user| profile(user, &tweets, at, detail)).collect();
    Ok(LookupBody { found, problems: wire.errors })
}

/// A page; an empty one has no `data`, the last one no `next_token`. Since the end of a list
/// is told by what is not there, the rest of `meta` must be.
#[derive(Deserialize)]
struct WirePage<T> {
    data: Option<Vec<T>>,
    meta: WireMeta,
    errors: Option<Box<RawValue>>,
    includes: Option<Box<RawValue>>,
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

impl WireMeta {
    fn next(self) -> Option<Cursor> {
        self.next_token.map(Cursor::new)
    }
}

#[derive(Deserialize)]
struct WireLookup {
    data: Option<Vec<WireUser>>,
    #[serde(default, deserialize_with = "forgiving")]
    errors: Vec<Problem>,
    includes: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct WireUser {
    id: WireId,
    #[serde(default, deserialize_with = "forgiving")]
    username: Option<String>,
    #[serde(default, deserialize_with = "forgiving")]
    name: Option<String>,
    #[serde(default, deserialize_with = "forgiving")]
    created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "forgiving")]
    protected: Option<bool>,
    #[serde(default, deserialize_with = "forgiving")]
    verified: Option<bool>,
    #[serde(default, deserialize_with = "forgiving")]
    verified_type: Option<String>,
    #[serde(default, deserialize_with = "forgiving")]
    description: Option<String>,
    #[serde(default, deserialize_with = "forgiving")]
    location: Option<String>,
    #[serde(default, deserialize_with = "forgiving")]
    url: Option<String>,
    #[serde(default, deserialize_with = "forgiving")]
    profile_image_url: Option<String>,
    #[serde(default, deserialize_with = "forgiving")]
    pinned_tweet_id: Option<WireId>,
    #[serde(default, deserialize_with = "forgiving")]
    public_metrics: WireMetrics,
    entities: Option<Box<RawValue>>,
    withheld: Option<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireMetrics {
    #[serde(rename = "followers_count", deserialize_with = "forgiving")]
    followers: Option<u64>,
    #[serde(rename = "following_count", deserialize_with = "forgiving")]
    following: Option<u64>,
    #[serde(rename = "tweet_count", deserialize_with = "forgiving")]
    tweet: Option<u64>,
    #[serde(rename = "listed_count", deserialize_with = "forgiving")]
    listed: Option<u64>,
    #[serde(rename = "like_count", deserialize_with = "forgiving")]
    like: Option<u64>,
    #[serde(rename = "media_count", deserialize_with = "forgiving")]
    media: Option<u64>,
}

/// Posts by id, as JSON. A damaged one is left out.
fn tweets(includes: &RawValue) -> HashMap<i64, String> {
    #[derive(Deserialize)]
    struct Includes {
        #[serde(default)]
        tweets: Vec<Box<RawValue>>,
    }
    let includes = serde_json::from_str::<Includes>(includes.get());
    let tweets = includes.map(|includes| includes.tweets).unwrap_or_default().into_iter();
    tweets
        .filter_map(|json| {
            let tweet: WireMember = serde_json::from_str(json.get()).ok()?;
            Some((tweet.id.0.get(), json.get().to_owned()))
        })
        .collect()
}

fn profile(
    user: WireUser,
    tweets: &HashMap<i64, String>,
    at: Timestamp,
    detail: Detail,
) -> MemberProfile {
    let brief = MemberProfile::from(Profile {
        account: user.id.0,
        username: user.username,
        name: user.name,
        created_at: user.created_at,
        protected: user.protected,
        followers_count: user.public_metrics.followers,
        following_count: user.public_metrics.following,
        tweet_count: user.public_metrics.tweet,
        listed_count: user.public_metrics.listed,
        observed_at: at,
    });
    if detail == Detail::Brief {
        return brief;
    }
    let pinned = user.pinned_tweet_id.map(|id| id.0.get());
    MemberProfile {
        verified: user.verified,
        verified_type: user.verified_type,
        description: user.description,
        location: user.location,
        url: user.url,
        profile_image_url: user.profile_image_url,
        pinned_tweet_id: pinned,
        pinned_tweet: pinned.and_then(|id| tweets.get(&id).cloned()),
        like_count: user.public_metrics.like,
        media_count: user.public_metrics.media,
        entities: user.entities.map(|json| json.get().to_owned()),
        withheld: user.withheld.map(|json| json.get().to_owned()),
        ..brief
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
