//! What the simulator promises, one module per promise.

mod accounts;
mod billing;
mod control;
mod faults;
mod history;
mod limits;
mod lookups;
mod mix;
mod oddities;
mod paging;
mod presence;
mod refreshes;
mod signatures;
mod troubles;
mod world;

mod util;
