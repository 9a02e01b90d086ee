//! The world behind an HTTP server on loopback.
//!
//! Every request takes the same way: fault, route, credential, rate limit, endpoint, the
//! record of what was answered, and the wire. Endpoints are plain functions from a call and
//! the world to a reply; all that is asynchronous is here and in the wire.

mod asked;
mod auth;
mod billing;
mod call;
mod control;
mod cursors;
mod encoding;
mod errors;
mod faults;
mod limits;
mod mix;
mod oauth1;
mod oauth2;
mod paging;
mod record;
mod reply;
mod route;
mod v1;
mod v2;
mod v2_user;
mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use self::asked::{Asked, Faults};
use self::auth::{Generation, Registry};
use self::call::Call;
use self::cursors::Minted;
use self::faults::Wire;
use self::limits::Limiter;
use self::mix::Mixer;
use self::record::Facts;
use self::reply::{Reply, Told};
use self::route::Endpoint;
use crate::clock::{Clock, later};
use crate::config::ServerConfig;
use crate::error::Error;
use crate::world::World;

pub use self::billing::Bill;
pub use self::faults::{ErrorBody, Fault, RedirectTo, UnknownFault};
pub use self::mix::FaultMix;
pub use self::oauth2::TokenPair;
pub use self::record::{RequestRecord, Served};

/// Longest request body that is read, in bytes; a lookup of 100 names needs 2 KiB.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// How long a shutdown waits for answers under way.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(2);

/// A running server; stops listening when dropped.
pub struct Server {
    addr: SocketAddr,
    bearer: String,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// What all requests share. No lock is held across an await, and the clock's is always the
/// last to be taken.
struct Shared {
    addr: SocketAddr,
    config: ServerConfig,
    world: Mutex<World>,
    clock: Mutex<Clock>,
    limiter: Mutex<Limiter>,
    faults: Mutex<Faults>,
    mixer: Option<Mutex<Mixer>>,
    minted: Mutex<Minted>,
    registry: Registry,
    requests: Mutex<Vec<RequestRecord>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the bearer token nor a world of millions belongs in a log.
        f.debug_struct("Server").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Server {
    /// Serves the world on the current tokio runtime until shut down or dropped.
    pub async fn start(world: World, config: ServerConfig) -> Result<Self, Error> {
        if !config.addr.ip().is_loopback() {
            return Err(Error::NotLoopback(config.addr));
        }
        let refused = |source| Error::Listen { addr: config.addr, source };
        let listener = TcpListener::bind(config.addr).await.map_err(refused)?;
        let addr = listener.local_addr().map_err(refused)?;
        let bearer = config.app_tokens.first().map(|app| app.token.clone()).unwrap_or_default();
        let shared = Arc::new(Shared::new(world, config, addr));
        let router = Router::new().fallback(serve).with_state(Arc::clone(&shared));
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
            // Also ends when the sender is dropped with the server.
            let _ = stopped.await;
        });
        let task = tokio::spawn(async move {
            // Accept errors are retried inside; there is nothing left to report.
            let _ = serving.await;
        });
        Ok(Self { addr, bearer, shared, stop: Some(stop), task })
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The first app token of the configuration; empty when there is none.
    pub fn bearer(&self) -> &str {
        &self.bearer
    }

    /// The `OAuth` 2.0 tokens that act for an account at the moment, if there is such a grant.
    pub fn tokens_of(&self, user_id: i64) -> Option<TokenPair> {
        self.shared.registry.pair_of(user_id)
    }

    /// Looks at the world or changes it, while no request is answered.
    ///
    /// `f` must not call back into [`advance`](Self::advance) or this method: the world is locked.
    pub fn with_world<R>(&self, f: impl FnOnce(&mut World) -> R) -> R {
        f(&mut self.shared.world())
    }

    /// The virtual time: that of `Date` headers and rate windows.
    pub fn now(&self) -> jiff::Timestamp {
        self.shared.now()
    }

    /// Moves time forward, with all that happens by itself until then.
    pub fn advance(&self, by: Duration) {
        self.shared.advance(by);
    }

    /// Lets the next `times` requests whose path begins with `path` meet a fault; those to
    /// `/_simulator` never do.
    pub fn inject(&self, path: impl Into<String>, fault: Fault, times: usize) {
        lock(&self.shared.faults).add(path.into(), fault, times);
    }

    /// Faults asked for that no request has met yet; a test that ends with some left has not
    /// tested them.
    pub fn faults_left(&self) -> usize {
        lock(&self.shared.faults).left()
    }

    /// All requests answered so far, oldest first, without those to `/_simulator`.
    pub fn requests(&self) -> Vec<RequestRecord> {
        lock(&self.shared.requests).clone()
    }

    /// What each credential would be billed for, by its name in the request log.
    pub fn billing(&self) -> BTreeMap<String, Bill> {
        billing::bills(&lock(&self.shared.requests))
    }

    /// Stops listening, and waits a moment for answers under way.
    pub async fn shutdown(mut self) {
        self.stop.take();
        if tokio::time::timeout(SHUTDOWN_WAIT, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

impl Shared {
    fn new(world: World, config: ServerConfig, addr: SocketAddr) -> Self {
        Self {
            addr,
            clock: Mutex::new(Clock::starting_at(world.now())),
            limiter: Mutex::new(Limiter::new(config.limits, config.window, config.day_limits)),
            faults: Mutex::default(),
            mixer: config.mix.map(|mix| Mutex::new(Mixer::new(mix))),
            minted: Mutex::default(),
            registry: Registry::new(&config, world.seed(), world.now()),
            world: Mutex::new(world),
            requests: Mutex::default(),
            config,
        }
    }

    fn told(&self) -> Told {
        Told { now: self.now(), skew: self.config.skew, zone: self.config.date_zone }
    }

    fn now(&self) -> jiff::Timestamp {
        lock(&self.clock).now()
    }

    /// The world, brought up to date unless it is frozen.
    fn world(&self) -> MutexGuard<'_, World> {
        let now = self.now();
        let mut world = lock(&self.world);
        if !self.config.freeze_between_advances {
            world.advance_to(now);
        }
        world
    }

    fn advance(&self, by: Duration) {
        lock(&self.clock).skip(by);
        let mut world = self.world();
        if self.config.freeze_between_advances {
            let target = later(world.now(), by);
            world.advance_to(target);
        }
    }

    /// The answer to a request, and what is to be remembered of how it came about.
    fn answer(&self, head: &Parts, body: &[u8], fault: Option<Fault>) -> (Reply, Facts) {
        let mut facts = Facts {
            credential_name: None,
            spent: false,
            foreign_cursor: false,
            fault,
            world_at: self.world().now(),
        };
        let Some((endpoint, name)) = route::find(&head.method, head.uri.path()) else {
            return (Reply::unknown_route(), facts);
        };
        match endpoint {
            Endpoint::Token => return (auth::issue_token(&self.config, head, body), facts),
            Endpoint::Refresh => return (self.registry.refresh(head, body, self.now()), facts),
            Endpoint::Truth => return (control::truth(&self.world(), &head.uri), facts),
            Endpoint::Advance => return (control::advance(self, &head.uri), facts),
            Endpoint::Requests => return (control::requests(&lock(&self.requests)), facts),
            Endpoint::Billing => return (control::billing(&lock(&self.requests)), facts),
            Endpoint::Inject => return (control::inject(self, &head.uri), facts),
            _ => {}
        }
        let identified =
            self.registry.identify(&self.config, endpoint.generation(), head, body, self.told());
        let credential = match identified {
            Ok(credential) => credential,
            Err(refusal) => {
                facts.unmet();
                return (refusal.reply(endpoint.generation()), facts);
            }
        };
        facts.credential_name = Some(credential.name.clone());
        let spent = lock(&self.limiter).spend(&credential, endpoint, self.now());
        facts.spent = spent.is_ok();
        let reply = match (spent, fault.and_then(Fault::at_gate)) {
            (Err(windows), _) => {
                facts.unmet();
                errors::too_many_requests(endpoint.generation()).with_windows(windows)
            }
            (Ok(windows), Some(reply)) => reply.with_windows(windows),
            (Ok(windows), None) => {
                let call = Call::new(endpoint, name, head, body, credential, fault);
                let reply = self.call(&call, &mut facts);
                if let Some(page) = &reply.page {
                    facts.foreign_cursor = lock(&self.minted).note(page);
                }
                reply.with_windows(windows)
            }
        };
        (reply, facts)
    }

    fn call(&self, call: &Call, facts: &mut Facts) -> Reply {
        if call.endpoint == Endpoint::V1RateLimitStatus {
            return lock(&self.limiter).status(call, self.told(), &self.config.consumer.key);
        }
        let world = self.world();
        facts.world_at = world.now();
        let answered = match call.endpoint.generation() {
            Generation::V1 => v1::answer(&world, call),
            Generation::V2 => v2::answer(&world, call),
        };
        let reply = answered.unwrap_or_else(|error| error);
        match call.oddity {
            Some(Fault::MissingData) => reply.without_rows(),
            Some(Fault::UnknownFields) => reply.with_unknown_fields(),
            _ => reply,
        }
    }

    /// What the request meets, if anything.
    fn fault(&self, asked: &Asked<'_>) -> Option<Fault> {
        if route::is_control(asked.path) {
            return None;
        }
        let injected = lock(&self.faults).take(asked);
        match &self.mixer {
            Some(mixer) => lock(mixer).next(asked, injected),
            None => injected,
        }
    }

    /// Writes the record of a reply; its place is what [`complete`](Self::complete) takes.
    fn record(&self, record: RequestRecord) -> usize {
        let mut requests = lock(&self.requests);
        requests.push(record);
        requests.len() - 1
    }

    fn complete(&self, place: usize) {
        if let Some(record) = lock(&self.requests).get_mut(place) {
            record.completed = true;
        }
    }
}

/// Answers one request: all that is asynchronous is here.
async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let (fault, early) = {
        let asked = Asked::new(&head, shared.addr);
        let fault = shared.fault(&asked);
        (fault, fault.and_then(|fault| fault.at_front(&asked)))
    };
    let delay = shared.config.delay + fault.map_or(Duration::ZERO, Fault::delay);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let untouched = |fault| Facts {
        credential_name: None,
        spent: false,
        foreign_cursor: false,
        fault,
        world_at: shared.world().now(),
    };
    let (reply, facts) = match (early, read(body).await) {
        (Some(reply), _) => (reply, untouched(fault)),
        (None, Some(body)) => shared.answer(&head, &body, fault),
        (None, None) => (Reply::empty(413), untouched(fault)),
    };
    let told = shared.told();
    let gzip = shared.config.gzip && reply::accepts_gzip(&head.headers);
    if route::is_control(head.uri.path()) {
        return reply.into_response(told, gzip, Wire::Whole, Box::new(|| {}));
    }
    if reply.page.is_some() && !shared.config.page_step.is_zero() {
        shared.advance(shared.config.page_step);
    }
    let wire = fault.map_or(Wire::Whole, Fault::wire);
    // Its bytes all arrive, but they are not the page that was served.
    let is_hollow = fault == Some(Fault::MissingData);
    let place = shared.record(RequestRecord::new(told.now, &head, &reply, facts));
    let receipt = move || {
        if !is_hollow {
            shared.complete(place);
        }
    };
    reply.into_response(told, gzip, wire, Box::new(receipt))
}

async fn read(body: axum::body::Body) -> Option<axum::body::Bytes> {
    axum::body::to_bytes(body, BODY_BYTES_MAX).await.ok()
}

/// A panic in a test's closure must not hide behind a second one here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
