//! What the simulator promises, one module per promise.

mod accounts;
mod billing;
mod control;
mod crawl;
mod faults;
mod history;
mod limits;
mod lookups;
mod mix;
mod oddities;
mod paging;
mod presence;
mod purchases;
mod purges;
mod refreshes;
mod signatures;
mod spells;
mod stays;
mod troubles;
mod world;

mod util;
