//! Work that a signal stops in order: what it has is kept, and the exit code names the signal.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use anyhow::Result;
use ingest::Stop;

use super::runtime;
use crate::exit::Exit;
use crate::output;

/// Does work that ends soon after its stop is asked for, which the first signal does.
pub(crate) fn until_signalled(work: impl AsyncFnOnce(&Stop) -> Result<Exit>) -> Result<Exit> {
    let (stop, signalled) = (Stop::new(), Signalled::default());
    let exit = runtime()?.block_on(async {
        tokio::spawn(stop_on_signal(stop.clone(), Arc::clone(&signalled)));
        work(&stop).await
    });
    match (exit, signalled.load(Ordering::Relaxed)) {
        (exit, 0) => exit,
        (Ok(_), number) => Ok(Exit::Signal(number)),
        (Err(e), number) => {
            output::remark(e);
            Ok(Exit::Signal(number))
        }
    }
}

/// The number of the signal that stopped the batch; 0 for none.
type Signalled = Arc<AtomicU8>;

const INTERRUPT: u8 = 2;
const TERMINATE: u8 = 15;

/// The first signal asks for an orderly stop, the second one ends the process.
async fn stop_on_signal(stop: Stop, signalled: Signalled) {
    let number = signal().await;
    signalled.store(number, Ordering::Relaxed);
    stop.request();
    output::remark("stopping: what has been read is kept; once more to stop at once");
    let number = signal().await;
    std::process::exit(128 + i32::from(number));
}

#[cfg(unix)]
async fn signal() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => INTERRUPT,
        _ = terminate.recv() => TERMINATE,
    }
}

#[cfg(not(unix))]
async fn signal() -> u8 {
    match tokio::signal::ctrl_c().await {
        Ok(()) => INTERRUPT,
        Err(_) => std::future::pending().await,
    }
}
