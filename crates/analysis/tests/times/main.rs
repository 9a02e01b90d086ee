//! Follow times, growth and fingerprints against worlds whose truth is known.

mod audience;
mod estimates;
mod fingerprints;
mod growth;
mod page;
