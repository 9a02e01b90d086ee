//! What a world is made of and how a server presents it; defaults make a demo.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::purchase::Purchase;
use crate::server::FaultMix;

/// The default beginning: 2 November 2026, 08:00 UTC, in Unix seconds.
const DEFAULT_START_SECS: i64 = 1_793_606_400;

/// How to build a [`World`](crate::World).
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// Same seed, same world.
    pub seed: u64,
    /// Accounts at the beginning.
    pub users: usize,
    /// Accounts with the heavy-tailed audiences.
    pub watched: usize,
    /// End of the built history and the world's time at the beginning; later than 2006.
    pub start: Timestamp,
    /// Followers of the most followed account, at most four fifths of all accounts.
    pub largest_audience: usize,
    /// Followers of the least followed watched account.
    pub smallest_audience: usize,
    /// Mean number of accounts an ordinary account follows, besides watched ones.
    pub ordinary_follows: f64,
    /// Share of accounts whose lists are private at the beginning.
    pub protected_share: f64,
    /// Share of accounts hidden by the network at the beginning.
    pub suspended_share: f64,
    /// Share of accounts hidden by their owners at the beginning.
    pub deactivated_share: f64,
    /// What happens as time passes.
    pub churn: Churn,
    /// Followers that are bought, before the beginning or after; none by default.
    pub purchases: Vec<Purchase>,
    /// Purges at chosen times after the beginning; earlier ones are forgotten. None by default.
    pub purges: Vec<Purge>,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            seed: 7,
            users: 20_000,
            watched: 12,
            start: crate::clock::timestamp(DEFAULT_START_SECS * 1000),
            largest_audience: 8_000,
            smallest_audience: 30,
            ordinary_follows: 3.0,
            protected_share: 0.055,
            suspended_share: 0.012,
            deactivated_share: 0.008,
            churn: Churn::default(),
            purchases: Vec::new(),
            purges: Vec::new(),
        }
    }
}

/// A moment at which the network suspends many accounts that look automated, for good.
///
/// One ordinary account in twelve looks so, whomever it follows and since whenever, and all
/// bought ones do; see [`Truth::is_bot_like`](crate::Truth::is_bot_like).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Purge {
    /// When.
    pub at: Timestamp,
    /// The share of these accounts that it hides.
    pub share: f64,
}

/// Rates of change, as fractions per day unless said otherwise.
///
/// Watched accounts are never hidden, protected or renamed by chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Churn {
    /// New follows per edge of a watched audience at the beginning.
    pub follow: f64,
    /// Unfollows per edge of a watched audience at the beginning.
    ///
    /// Their number per day stays the same as lists grow, and each takes any edge of the list
    /// whose member is visible, old or new. So all edges of a list are about equally likely to
    /// end at any one time, whatever their age, at a rate of `unfollow` times the list's first
    /// length by its present one. Lifetimes are exponential only while lists keep their
    /// lengths; those that are to be exactly so need [`leave`](Self::leave).
    pub unfollow: f64,
    /// Share of unfollowers who come back, after three weeks on average.
    pub refollow: f64,
    /// Suspensions per account.
    pub suspend: f64,
    /// Share of suspensions that are reversed, after ten days on average.
    pub reinstate: f64,
    /// Deactivations per account.
    pub deactivate: f64,
    /// Share of deactivated accounts whose owners return, after twelve days on average.
    pub reactivate: f64,
    /// Accounts that make their lists private, per account.
    pub protect: f64,
    /// Share of those that make them public again, after a month on average.
    pub unprotect: f64,
    /// New accounts per account; a newcomer soon follows a few watched accounts.
    pub join: f64,
    /// Changes of username per account.
    pub rename: f64,
    /// Bursts of new followers per watched account.
    pub burst: f64,
    /// Followers gained in a burst, within a few hours, as a share of the audience.
    pub burst_size: f64,
    /// Unfollows per edge of a watched audience at any time, made before the beginning or
    /// after: a constant hazard while the follower is visible, none while it is hidden.
    /// Lifetimes counted in visible days are exponential with mean 1 / `leave`, so `e^(-leave·t)`
    /// last longer than `t` days. [`refollow`](Self::refollow) applies; bought followers stay.
    /// For an exact law set [`unfollow`](Self::unfollow) to 0. Every edge costs a planned
    /// action of 40 bytes.
    pub leave: f64,
    /// Share of the new followers of watched accounts, but for those of bursts and bought ones, who
    /// only want to be followed back: if they are not, they leave after half a day to five
    /// days; if they are, [`leave`](Self::leave) holds for them from then on.
    pub farm: f64,
    /// Purges per day, not per account.
    pub purge: f64,
    /// Share of the accounts that look automated which a purge hides, see [`Purge`].
    pub purge_share: f64,
}

impl Default for Churn {
    fn default() -> Self {
        Self {
            follow: 0.004,
            unfollow: 0.003,
            refollow: 0.12,
            suspend: 0.000_3,
            reinstate: 0.083,
            deactivate: 0.000_2,
            reactivate: 0.3,
            protect: 0.000_1,
            unprotect: 0.5,
            join: 0.000_4,
            rename: 0.000_2,
            burst: 0.004,
            burst_size: 0.05,
            leave: 0.0,
            farm: 0.0,
            purge: 0.0,
            purge_share: 0.0,
        }
    }
}

impl Churn {
    /// A world in which nothing happens by itself.
    pub const NONE: Self = Self {
        follow: 0.0,
        unfollow: 0.0,
        refollow: 0.0,
        suspend: 0.0,
        reinstate: 0.0,
        deactivate: 0.0,
        reactivate: 0.0,
        protect: 0.0,
        unprotect: 0.0,
        join: 0.0,
        rename: 0.0,
        burst: 0.0,
        burst_size: 0.0,
        leave: 0.0,
        farm: 0.0,
        purge: 0.0,
        purge_share: 0.0,
    };
}

/// How to serve a [`World`](crate::World).
///
/// Tokens are those of an invented network; none opens anything elsewhere.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where to listen: a loopback address; port 0 takes any free port.
    pub addr: SocketAddr,
    /// Length of a rate window, in virtual time.
    pub window: Duration,
    /// Requests per window.
    pub limits: Limits,
    /// App-only bearer tokens; the first is what [`bearer`](crate::Server::bearer) returns.
    pub app_tokens: Vec<AppToken>,
    /// Tokens that act for an account: they sign `OAuth` 1.0a requests, and are taken as
    /// bearers too, which real ones are not.
    pub user_tokens: Vec<UserToken>,
    /// `OAuth` 2.0 tokens that act for an account, expire, and can be refreshed. v2 only.
    pub grants: Vec<Grant>,
    /// How long such an access token lives, in virtual time.
    pub access_token_life: Duration,
    /// The app: what `/oauth2/token` trades for the first app token, and who signs.
    pub consumer: Consumer,
    /// Whether bodies are compressed for clients that accept gzip.
    pub gzip: bool,
    /// Real time to wait before every answer.
    pub delay: Duration,
    /// Whether the world changes only when time is advanced explicitly.
    ///
    /// The clock runs either way. When frozen, a crawl sees one state of the world, and the
    /// world's own time is the start plus the explicit advances, to the millisecond, so the
    /// same calls give the same truth however long they take.
    pub freeze_between_advances: bool,
    /// Virtual time that passes, in the world and on the clock, after every list page that was
    /// served, so that people come and go between the pages of one crawl; none by default.
    pub page_step: Duration,
    /// How far off all that is told of time is: the `Date` header and the ends of windows.
    /// What happens, happens at the right time all the same.
    pub skew: SignedDuration,
    /// What the `Date` header calls its zone.
    pub date_zone: DateZone,
    /// Requests per 24 hours, credential and endpoint; told in `x-app-limit-24hour-*` or
    /// `x-user-limit-24hour-*` headers. None by default.
    pub day_limits: Option<Limits>,
    /// Faults that requests meet by chance; none by default.
    pub mix: Option<FaultMix>,
}

/// What a `Date` header ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum DateZone {
    /// As the HTTP standard has it.
    #[default]
    Gmt,
    /// As the real servers were seen to write it, which strict parsers refuse.
    Utc,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            window: Duration::from_mins(15),
            limits: Limits::default(),
            app_tokens: vec![AppToken {
                token: "AAAAAAAAAAAAAAAAAAAAAsimulator%2Fdemo%3D".to_owned(),
                app: "demo".to_owned(),
            }],
            user_tokens: Vec::new(),
            grants: Vec::new(),
            access_token_life: Duration::from_hours(2),
            consumer: Consumer {
                key: "simulatorkey".to_owned(),
                secret: "simulatorsecret".to_owned(),
            },
            gzip: true,
            delay: Duration::ZERO,
            freeze_between_advances: true,
            page_step: Duration::ZERO,
            skew: SignedDuration::ZERO,
            date_zone: DateZone::Gmt,
            day_limits: None,
            mix: None,
        }
    }
}

/// A bearer token that acts for an app and no account.
#[derive(Clone, PartialEq, Eq)]
pub struct AppToken {
    /// The token, sent verbatim.
    pub token: String,
    /// Whose token it is; what the request log calls it.
    pub app: String,
}

/// A token that acts for an account.
#[derive(Clone, PartialEq, Eq)]
pub struct UserToken {
    /// The token, sent verbatim.
    pub token: String,
    /// What signs beside the consumer's secret.
    pub secret: String,
    /// The account that gave it.
    pub user_id: i64,
}

impl UserToken {
    /// A token with its secret.
    pub fn new(token: impl Into<String>, secret: impl Into<String>, user_id: i64) -> Self {
        Self { token: token.into(), secret: secret.into(), user_id }
    }
}

/// What an account has allowed a client, and the tokens that show it at the beginning.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// The client's public name.
    pub client_id: String,
    /// Its secret, if it is one that can keep it; it then authenticates by HTTP Basic.
    pub client_secret: Option<String>,
    /// The account that has given consent.
    pub user_id: i64,
    /// What requests bear, until it expires or is refreshed.
    pub access_token: String,
    /// What buys the next pair, once.
    pub refresh_token: String,
}

impl Grant {
    /// A grant to a client that can keep no secret.
    pub fn public(
        client_id: impl Into<String>,
        user_id: i64,
        access_token: impl Into<String>,
        refresh_token: impl Into<String>,
    ) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: None,
            user_id,
            access_token: access_token.into(),
            refresh_token: refresh_token.into(),
        }
    }

    /// The same to a client that has a secret.
    #[must_use]
    pub fn confidential(self, client_secret: impl Into<String>) -> Self {
        Self { client_secret: Some(client_secret.into()), ..self }
    }
}

/// The key and secret of an app.
#[derive(Clone, PartialEq, Eq)]
pub struct Consumer {
    /// The public half.
    pub key: String,
    /// The secret half.
    pub secret: String,
}

// Tokens are invented, but whoever reads a log cannot know that: none is ever printed.

impl fmt::Debug for AppToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppToken").field("app", &self.app).finish_non_exhaustive()
    }
}

impl fmt::Debug for UserToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserToken").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("client_id", &self.client_id)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Requests per window, for app and user credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// For each app token.
    pub app: u32,
    /// For each user token.
    pub user: u32,
}

impl Quota {
    /// The same number for both kinds of credentials.
    pub const fn both(requests: u32) -> Self {
        Self { app: requests, user: requests }
    }
}

/// Requests per window and endpoint; the defaults are the documented ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// v1.1 `followers/ids` and `friends/ids`, each.
    pub v1_ids: Quota,
    /// v1.1 `users/lookup`.
    pub v1_lookup: Quota,
    /// v1.1 `users/show`.
    pub v1_show: Quota,
    /// v1.1 `application/rate_limit_status`.
    pub v1_status: Quota,
    /// v1.1 `account/verify_credentials`.
    pub v1_verify: Quota,
    /// v2 `followers` and `following`, each.
    pub v2_lists: Quota,
    /// v2 user lookups, each.
    pub v2_lookups: Quota,
    /// v2 `users/me`.
    pub v2_me: Quota,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            v1_ids: Quota::both(15),
            v1_lookup: Quota { app: 300, user: 900 },
            v1_show: Quota::both(900),
            v1_status: Quota::both(180),
            v1_verify: Quota::both(75),
            v2_lists: Quota::both(300),
            v2_lookups: Quota { app: 300, user: 900 },
            v2_me: Quota::both(75),
        }
    }
}
