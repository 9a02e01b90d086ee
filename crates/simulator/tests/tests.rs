//! What the simulator promises, one module per promise.

mod accounts;
mod faults;
mod history;
mod limits;
mod lookups;
mod paging;
mod presence;
mod world;

mod util;
