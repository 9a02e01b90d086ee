//! What the simulator promises, one module per promise.

mod accounts;
mod faults;
mod history;
mod limits;
mod lookups;
mod paging;
mod world;

mod util;
