//! The one error of this crate: why the server did not start.

use std::net::SocketAddr;

/// Why the simulator could not be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is not a loopback address; the simulator hands out its truth to anyone.
    #[error("{0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The operating system did not let the server listen.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
}
