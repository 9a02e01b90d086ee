//! Rate windows: a bucket per credential and endpoint, opened by its first request.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::auth::{Actor, Credential};
use super::call::Call;
use super::reply::{Reply, Told};
use super::route::Endpoint;
use crate::clock::later;
use crate::config::Limits;

/// What the headers say of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    /// Unix seconds, rounded up: at that second the new window is open.
    pub(super) reset_secs: i64,
}

/// All that the headers say of limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Windows {
    pub(super) quarter: Window,
    /// The 24-hour window, if there is such a limit.
    pub(super) day: Option<Window>,
    /// Whether it is an app's; a user's otherwise.
    pub(super) of_app: bool,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    closes: Timestamp,
    used: u32,
}

#[derive(Debug)]
pub(super) struct Limiter {
    limits: Limits,
    length: Duration,
    buckets: Buckets,
    day_limits: Option<Limits>,
    day_buckets: Buckets,
}

type Buckets = HashMap<(Credential, Endpoint), Bucket>;

/// Length of the longer window.
const DAY: Duration = Duration::from_hours(24);

impl Limiter {
    pub(super) fn new(limits: Limits, length: Duration, day_limits: Option<Limits>) -> Self {
        Self { limits, length, buckets: HashMap::new(), day_limits, day_buckets: HashMap::new() }
    }

    /// Takes one request from the bucket, and from the day's if there is one; `Err` holds the
    /// windows when either has none left, and then nothing is taken from either.
    pub(super) fn spend(
        &mut self,
        who: &Credential,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Windows, Windows> {
        let limit = quota(&self.limits, who, endpoint);
        let day_limit = self.day_limits.as_ref().map(|limits| quota(limits, who, endpoint));
        let bucket = open(&mut self.buckets, who, endpoint, now, self.length);
        let mut day =
            day_limit.map(|limit| (open(&mut self.day_buckets, who, endpoint, now, DAY), limit));
        let is_free =
            bucket.used < limit && day.as_ref().is_none_or(|(day, limit)| day.used < *limit);
        if is_free {
            bucket.used += 1;
            if let Some((day, _)) = &mut day {
                day.used += 1;
            }
        }
        let windows = Windows {
            quarter: bucket.window(limit),
            day: day.map(|(day, limit)| day.window(limit)),
            of_app: who.actor == Actor::App,
        };
        if is_free { Ok(windows) } else { Err(windows) }
    }

    /// The v1.1 report on all buckets of a credential, or on the families asked for.
    pub(super) fn status(&self, call: &Call, told: Told, app: &str) -> Reply {
        let wanted = call.list("resources");
        let mut resources = Map::new();
        for endpoint in Endpoint::V1 {
            let Some((family, path)) = endpoint.v1_resource() else { continue };
            if wanted.is_empty() || wanted.contains(&family) {
                let mut window = self.look(&call.credential, endpoint, told.now);
                window.reset_secs = window.reset_secs.saturating_add(told.skew.as_secs());
                let family = resources.entry(family).or_insert_with(|| json!({}));
                family[path] = window.to_json();
            }
        }
        let context = match call.credential.actor {
            Actor::App => json!({"application": app}),
            Actor::User(id) => json!({"access_token": format!("{id}-simulator")}),
        };
        Reply::json(200, json!({"rate_limit_context": context, "resources": resources}))
    }

    /// The window as it stands, without taking from it.
    fn look(&self, who: &Credential, endpoint: Endpoint, now: Timestamp) -> Window {
        let fresh = Bucket { closes: later(now, self.length), used: 0 };
        let open = self.buckets.get(&(who.clone(), endpoint)).filter(|bucket| bucket.closes > now);
        open.unwrap_or(&fresh).window(quota(&self.limits, who, endpoint))
    }
}

/// The bucket as it stands now: a new one if the last has closed.
fn open<'a>(
    buckets: &'a mut Buckets,
    who: &Credential,
    endpoint: Endpoint,
    now: Timestamp,
    length: Duration,
) -> &'a mut Bucket {
    let fresh = Bucket { closes: later(now, length), used: 0 };
    let bucket = buckets.entry((who.clone(), endpoint)).or_insert(fresh);
    if bucket.closes <= now {
        *bucket = fresh;
    }
    bucket
}

fn quota(limits: &Limits, who: &Credential, endpoint: Endpoint) -> u32 {
    let quota = endpoint.quota(limits);
    match who.actor {
        Actor::App => quota.app,
        Actor::User(_) => quota.user,
    }
}

impl Bucket {
    fn window(&self, limit: u32) -> Window {
        let whole_secs = self.closes.as_second();
        let has_fraction = self.closes.subsec_nanosecond() > 0;
        Window {
            limit,
            remaining: limit.saturating_sub(self.used),
            reset_secs: whole_secs + i64::from(has_fraction),
        }
    }
}

impl Window {
    fn to_json(self) -> Value {
        json!({"limit": self.limit, "remaining": self.remaining, "reset": self.reset_secs})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Timestamp {
        crate::clock::timestamp(crate::dice::whole(seconds * 1000.0))
    }

    fn app(name: &str) -> Credential {
        Credential { name: name.to_owned(), actor: Actor::App }
    }

    fn limiter() -> Limiter {
        let limits = Limits { v2_me: crate::Quota::both(2), ..Limits::default() };
        Limiter::new(limits, Duration::from_mins(15), None)
    }

    #[test]
    fn the_first_request_opens_the_window_and_its_end_is_rounded_up() {
        let mut limiter = limiter();
        let window = limiter.spend(&app("a"), Endpoint::V2Me, at(100.2)).unwrap().quarter;
        assert_eq!(window, Window { limit: 2, remaining: 1, reset_secs: 1001 });
        let window = limiter.spend(&app("a"), Endpoint::V2Me, at(500.0)).unwrap().quarter;
        assert_eq!((window.remaining, window.reset_secs), (0, 1001));
    }

    #[test]
    fn beyond_the_limit_nothing_passes_until_the_window_closes() {
        let mut limiter = limiter();
        for now in [0.0, 1.0] {
            limiter.spend(&app("a"), Endpoint::V2Me, at(now)).unwrap();
        }
        assert!(limiter.spend(&app("a"), Endpoint::V2Me, at(899.9)).is_err());
        let window = limiter.spend(&app("a"), Endpoint::V2Me, at(900.0)).unwrap().quarter;
        assert_eq!((window.remaining, window.reset_secs), (1, 1800));
    }

    #[test]
    fn credentials_and_endpoints_do_not_share_a_bucket() {
        let mut limiter = limiter();
        for _ in 0..2 {
            limiter.spend(&app("a"), Endpoint::V2Me, at(0.0)).unwrap();
        }
        assert!(limiter.spend(&app("b"), Endpoint::V2Me, at(0.0)).is_ok());
        assert!(limiter.spend(&app("a"), Endpoint::V2User, at(0.0)).is_ok());
    }
}
