//! A seeded social network that speaks the X API, v1.1 and v2, on loopback.
//!
//! It is the default network of the demo, which needs no credentials, and the oracle of
//! the tests, because unlike a real network it can state the truth: who followed whom, at
//! what millisecond, and what happened since. The same seed gives the same network.
//!
//! ```no_run
//! # async fn session() -> Result<(), simulator::Error> {
//! use simulator::{Server, ServerConfig, World, WorldConfig};
//!
//! let server = Server::start(World::new(WorldConfig::default()), ServerConfig::default()).await?;
//! println!("{} answers to the token {}", server.base_url(), server.bearer());
//! server.advance(std::time::Duration::from_secs(86_400));
//! let news = server.with_world(|world| world.events().len());
//! println!("{news} events in one day");
//! # server.shutdown().await; Ok(()) }
//! ```
//!
//! What a question about time is held against is all stated by [`Truth`]: every stay with its
//! exact times and its cause ([`Truth::spells`]), who was bought ([`Purchase`]), who only
//! wanted to be followed back, and whom a [`Purge`] took. [`World::crawl`] reads a list as a
//! crawl does, without HTTP.
//!
//! Knows nothing of snapshots, crawls or questions: it only answers requests. It never
//! listens beyond loopback, and all its people are invented.
//!
//! More lenient than the real API on purpose: the token of a user that signs is also taken as
//! a bearer, for both API generations.

mod config;
mod cursor;
mod error;
mod event;
mod id;
mod user;
mod world;

mod churn;
mod crawl;
mod history;
mod names;
mod presence;
mod profile;
mod purchase;
mod rows;
mod spells;
mod taste;
mod truth;

mod clock;
mod dice;
mod server;

pub use config::{
    AppToken, Churn, Consumer, DateZone, Grant, Limits, Purge, Quota, ServerConfig, UserToken,
    WorldConfig,
};
pub use crawl::ListPage;
pub use cursor::{MalformedCursor, Position, edge_time};
pub use error::Error;
pub use event::{Event, EventKind};
pub use id::{created_at, is_snowflake};
pub use presence::Presence;
pub use purchase::{Buyer, DeliveryOrder, Purchase, Stock};
pub use server::{
    Bill, ErrorBody, Fault, FaultMix, RedirectTo, RequestRecord, Served, Server, TokenPair,
    UnknownFault,
};
pub use spells::{Cause, Hidden, Spell};
pub use truth::{AccountDump, MomentDump, RowDump, Truth, TruthDump, truth_json};
pub use user::{Standing, User};
pub use world::{List, World};
