//! Follow times, growth and fingerprints against worlds whose truth is known.

mod audience;
mod crawls;
mod estimates;
mod fingerprints;
mod growth;
mod moves;
mod order;
mod page;
