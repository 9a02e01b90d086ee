//! A wish to stop, passed from whoever catches signals to whoever is waiting.

use std::sync::Arc;

use tokio::sync::watch;

/// Asks a batch to stop at the next page. Clones are the same wish.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    /// Nothing has been asked yet.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Asks to stop. Requests under way are finished, waits are given up; what was read is
    /// kept.
    pub fn request(&self) {
        self.0.send_replace(true);
    }

    /// Whether it has been asked.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is asked.
    pub async fn requested(&self) {
        // Cannot fail while `self` holds the sender.
        let _ = self.0.subscribe().wait_for(|asked| *asked).await;
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}
