//! Rate windows outlive the process that heard of them.
//!
//! A session that ends leaves them in a file; one that was killed has left them in its
//! journal, with every page. Whoever asks next with the same credential takes them over.

use std::io::Write as _;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Window;
use crate::journal::{Journal, Journals};
use crate::pace::{BucketKey, Heard, Pace, WAIT_MAX};
use crate::source::{Call, Endpoint, Source};

const FILE: &str = "windows.json";

#[derive(Debug, Default, Deserialize, Serialize)]
struct Saved {
    /// How far the network's clock was ahead of the machine's: windows end by the former.
    ahead_millis: i64,
    windows: Vec<Heard>,
}

/// Tells the pace what earlier sessions heard, and the sources how late it is there. What
/// cannot be read is not told: the next answer will.
pub(crate) fn restore(
    pace: &Pace,
    sources: &[Arc<dyn Source>],
    journals: &Journals,
    journal: &Journal,
) {
    let saved = read(journals);
    let (own, ahead) = journal.with(|state| {
        let heard = state.heard.values().flatten().cloned().collect::<Vec<_>>();
        (heard, state.ahead)
    });
    let saved_ahead = saved.as_ref().map(|saved| SignedDuration::from_millis(saved.ahead_millis));
    if let Some(ahead) = ahead.or(saved_ahead) {
        for source in sources {
            source.assume_ahead(ahead);
        }
    }
    take_over(pace, sources, saved.unwrap_or_default().windows.into_iter().chain(own));
}

/// The same of what was heard wherever it was.
pub(crate) fn take_over(
    pace: &Pace,
    sources: &[Arc<dyn Source>],
    heard: impl IntoIterator<Item = Heard>,
) {
    for heard in heard {
        for (credential, source) in sources.iter().enumerate() {
            let known = source.credential().fingerprint == heard.credential;
            let sensible = heard.reset.duration_since(source.now()) <= WAIT_MAX;
            let endpoint = endpoint(&**source, &heard.endpoint);
            if let Some(endpoint) = endpoint.filter(|_| known && sensible) {
                pace.take_over((credential, endpoint), heard.window());
            }
        }
    }
}

fn endpoint(source: &dyn Source, name: &str) -> Option<Endpoint> {
    Call::ALL.into_iter().map(|call| source.endpoint(call)).find(|endpoint| endpoint.0 == name)
}

/// Keeps what is known of the windows. Failures are not told: only a request would be lost.
pub(crate) fn save(pace: &Pace, sources: &[Arc<dyn Source>], journals: &Journals) {
    let heard = |((credential, endpoint), window): (BucketKey, Window)| {
        let credential = sources[credential].credential().fingerprint.clone();
        Heard::new(credential, endpoint, window)
    };
    let mut windows: Vec<Heard> = pace.windows().into_iter().map(heard).collect();
    // What other credentials left there is not ours to forget.
    let ours = |other: &Heard| {
        sources.iter().any(|source| source.credential().fingerprint == other.credential)
    };
    let others = read(journals).unwrap_or_default().windows;
    windows
        .extend(others.into_iter().filter(|other| !ours(other) && other.reset > sources[0].now()));
    let ahead = sources[0].now().duration_since(Timestamp::now());
    let ahead_millis = i64::try_from(ahead.as_millis()).unwrap_or_default();
    let save = || {
        let mut file = tempfile::NamedTempFile::new_in(journals.folder())?;
        serde_json::to_writer(&mut file, &Saved { ahead_millis, windows })?;
        file.flush()?;
        file.persist(journals.folder().join(FILE))?;
        Ok::<_, std::io::Error>(())
    };
    let _ = save();
}

/// The network's time, as far as earlier sessions have heard of it; else this machine's.
pub(crate) fn now(journals: &Journals) -> Timestamp {
    let ahead = read(journals).map_or(0, |saved| saved.ahead_millis);
    Timestamp::now().saturating_add(SignedDuration::from_millis(ahead)).unwrap_or_default()
}

/// What earlier sessions heard of the windows, for plans and reports.
pub(crate) fn saved(journals: &Journals) -> Vec<Heard> {
    read(journals).unwrap_or_default().windows
}

fn read(journals: &Journals) -> Option<Saved> {
    let text = std::fs::read(journals.folder().join(FILE)).ok()?;
    serde_json::from_slice(&text).ok()
}
