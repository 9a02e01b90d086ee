//! The X API v1.1: 5,000 ids a page, numbers for cursors, few words for refusals.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;
use snapshot::{AccountId, List, MemberProfile, Profile, State};

use super::http::{Http, Limits};
use super::parsers::PageBody;
use super::wire::{WireId, forgiving};
use super::{
    BoxFuture, Detail, Generation, Lookup, Page, PageRequest, Source, SourceError, SourceKind,
    Trouble, Who,
};
use crate::{Credential, CredentialId, Cursor, Error};

/// Speaks to the X API v1.1 with one credential.
pub(super) struct XV1 {
    http: Http,
}

impl XV1 {
    pub(super) fn new(
        base_url: &str,
        credential: Credential,
        limits: Limits,
    ) -> Result<Self, Error> {
        Ok(Self { http: Http::new(base_url, credential, Generation::V1, limits)? })
    }

    async fn fetch_page(&self, request: &PageRequest) -> Result<Page, SourceError> {
        let path = match request.list {
            List::Followers => "/1.1/followers/ids.json",
            List::Following => "/1.1/friends/ids.json",
        };
        let (account, count) = (request.account.to_string(), request.page_size.to_string());
        let query = [
            ("user_id", account.as_str()),
            ("count", &count),
            ("stringify_ids", "true"),
            ("cursor", request.cursor.as_ref().map_or(FIRST_PAGE, Cursor::as_str)),
        ];
        let reply = self.http.get(path, &query).await?;
        let body = parse_page(&reply.body).map_err(|why| self.http.senseless(&reply, why))?;
        Ok(body.page(reply.at, reply.windows))
    }

    /// Accounts that are suspended or do not exist are dropped without a word.
    async fn look_up(&self, who: Who<'_>, detail: Detail) -> Result<Lookup, SourceError> {
        let (key, value) = match who {
            Who::Ids(ids) => ("user_id", ids.iter().map(AccountId::to_string).collect::<Vec<_>>()),
            Who::Names(names) => {
                ("screen_name", names.iter().map(|name| name.as_str().to_owned()).collect())
            }
        };
        let query =
            [(key, value.join(",")), ("include_entities", (detail == Detail::Full).to_string())];
        let query = query.each_ref().map(|(key, value)| (*key, value.as_str()));
        let reply = match self.http.get("/1.1/users/lookup.json", &query).await {
            Ok(reply) => reply,
            Err(SourceError { trouble: Trouble::Target(State::Missing), windows, .. }) => {
                return Ok(Lookup { windows, ..Lookup::default() });
            }
            Err(error) => return Err(error),
        };
        let found = parse_lookup(&reply.body, reply.at, detail)
            .map_err(|why| self.http.senseless(&reply, why))?;
        Ok(Lookup { found, absent: Vec::new(), windows: reply.windows })
    }
}

const FIRST_PAGE: &str = "-1";

impl fmt::Display for XV1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "X API v1.1 at {}", self.http.base())
    }
}

impl Source for XV1 {
    fn name(&self) -> &'static str {
        "x_v1"
    }

    fn credential(&self) -> &CredentialId {
        self.http.credential()
    }

    fn kind(&self) -> SourceKind {
        SourceKind::XV1
    }

    fn base_url(&self) -> &str {
        self.http.base()
    }

    fn page_size_max(&self) -> u32 {
        5000
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

/// Reads a page.
pub(super) fn parse_page(body: &[u8]) -> Result<PageBody, String> {
    let wire: WirePage = serde_json::from_slice(body).map_err(|e| e.to_string())?;
    let next = wire.next()?;
    let ids = wire.ids.into_iter().map(|id| id.0).collect();
    Ok(PageBody { ids, next, ..PageBody::default() })
}

/// Reads profiles.
pub(super) fn parse_lookup(
    body: &[u8],
    at: Timestamp,
    detail: Detail,
) -> Result<Vec<MemberProfile>, String> {
    let users: Vec<WireUser> = serde_json::from_slice(body).map_err(|e| e.to_string())?;
    Ok(users.into_iter().map(|user| profile(user, at, detail)).collect())
}

/// A page. The cursor comes as text and as a number; the text has never met a float.
#[derive(Deserialize)]
struct WirePage {
    ids: Vec<WireId>,
    next_cursor_str: Option<String>,
    next_cursor: Option<i64>,
}

impl WirePage {
    /// Only a zero ends the list; a page without any cursor is a damaged one.
    fn next(&self) -> Result<Option<Cursor>, &'static str> {
        let text = self.next_cursor_str.clone().or(self.next_cursor.map(|n| n.to_string()));
        match text {
            Some(text) if text == "0" => Ok(None),
            Some(text) if text.parse::<i64>().is_ok() => Ok(Some(Cursor::new(text))),
            Some(_) => Err("the next cursor is not a number"),
            None => Err("the page has no next cursor"),
        }
    }
}

#[derive(Deserialize)]
struct WireUser {
    #[serde(rename = "id_str")]
    id: WireId,
    #[serde(default, deserialize_with = "forgiving")]
    screen_name: Option<String>,
    #[serde(default, deserialize_with = "forgiving")]
    name: Option<String>,
    #[serde(default, deserialize_with = "forgiving")]
    created_at: Option<String>,
    #[serde(default, deserialize_with = "forgiving")]
    protected: Option<bool>,
    #[serde(default, deserialize_with = "forgiving")]
    followers_count: Option<u64>,
    #[serde(default, deserialize_with = "forgiving")]
    friends_count: Option<u64>,
    #[serde(default, deserialize_with = "forgiving")]
    statuses_count: Option<u64>,
    #[serde(default, deserialize_with = "forgiving")]
    listed_count: Option<u64>,
    #[serde(default, deserialize_with = "forgiving")]
    favourites_count: Option<u64>,
    #[serde(default, deserialize_with = "forgiving")]
    verified: Option<bool>,
    #[serde(default, deserialize_with = "forgiving")]
    description: Option<String>,
    #[serde(default, deserialize_with = "forgiving")]
    location: Option<String>,
    #[serde(default, deserialize_with = "forgiving")]
    url: Option<String>,
    #[serde(default, deserialize_with = "forgiving")]
    profile_image_url_https: Option<String>,
    entities: Option<Box<RawValue>>,
    withheld_in_countries: Option<Box<RawValue>>,
}

fn profile(user: WireUser, at: Timestamp, detail: Detail) -> MemberProfile {
    let brief = MemberProfile::from(Profile {
        account: user.id.0,
        username: user.screen_name,
        name: user.name,
        created_at: user.created_at.and_then(|text| parse_created(&text)),
        protected: user.protected,
        followers_count: user.followers_count,
        following_count: user.friends_count,
        tweet_count: user.statuses_count,
        listed_count: user.listed_count,
        observed_at: at,
    });
    if detail == Detail::Brief {
        return brief;
    }
    MemberProfile {
        verified: user.verified,
        description: user.description,
        location: user.location,
        url: user.url,
        profile_image_url: user.profile_image_url_https,
        like_count: user.favourites_count,
        entities: user.entities.map(|json| json.get().to_owned()),
        withheld: user.withheld_in_countries.map(|json| json.get().to_owned()),
        ..brief
    }
}

/// `Wed Aug 27 13:08:45 +0000 2008`.
fn parse_created(text: &str) -> Option<Timestamp> {
    Timestamp::strptime("%a %b %d %H:%M:%S %z %Y", text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(json: &str) -> Result<Vec<i64>, String> {
        let page: WirePage = serde_json::from_str(json).map_err(|e| e.to_string())?;
        Ok(page.ids.iter().map(|id| id.0.get()).collect())
    }

    #[test]
    fn ids_survive_as_numbers_and_as_text() {
        let json =
            r#"{"ids":[9007199254740993,"9007199254740993",9223372036854775807],"next_cursor":0}"#;
        let expected = vec![9_007_199_254_740_993, 9_007_199_254_740_993, i64::MAX];
        assert_eq!(ids(json), Ok(expected));
        for bad in ["1.43E+18", "-5", "9223372036854775808", "\"x\"", "null"] {
            let json = format!(r#"{{"ids":[{bad}],"next_cursor":0}}"#);
            assert!(ids(&json).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_a_zero_cursor_ends_the_list() {
        let next = |rest: &str| {
            let json = format!(r#"{{"ids":[]{rest}}}"#);
            let page: WirePage = serde_json::from_str(&json).unwrap();
            page.next().map(|next| next.map(|c| c.to_string()))
        };
        assert_eq!(next(r#","next_cursor":0,"next_cursor_str":"0""#), Ok(None));
        assert_eq!(
            next(r#","next_cursor":1591087837626119954"#),
            Ok(Some("1591087837626119954".into()))
        );
        assert!(next("").is_err());
        assert!(next(r#","next_cursor_str":"1.5E+18""#).is_err());
    }

    #[test]
    fn creation_times_are_read() {
        let expected: Timestamp = "2008-08-27T13:08:45Z".parse().unwrap();
        assert_eq!(parse_created("Wed Aug 27 13:08:45 +0000 2008"), Some(expected));
    }
}
