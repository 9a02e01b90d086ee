//! Rate windows outlive the process that heard of them.
//!
//! A session that ends leaves them in a file; one that was killed has left them in its
//! journal, with every page. Whoever asks next with the same credential takes them over.

use std::io::Write as _;
use std::sync::Arc;

use crate::journal::{Journal, Journals};
use crate::pace::{Heard, Pace};
use crate::source::{Call, Endpoint, Source};

const FILE: &str = "windows.json";

/// Tells the pace what earlier sessions heard. What cannot be read is not told: the next
/// answer will.
pub(crate) fn restore(
    pace: &Pace,
    sources: &[Arc<dyn Source>],
    journals: &Journals,
    journal: &Journal,
) {
    let own = journal.with(|state| state.heard.values().flatten().cloned().collect::<Vec<_>>());
    take_over(pace, sources, saved(journals).into_iter().chain(own));
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
            if let Some(endpoint) = endpoint(&**source, &heard.endpoint).filter(|_| known) {
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
    let heard = |((credential, endpoint), window): (crate::pace::BucketKey, crate::Window)| {
        let credential = sources[credential].credential().fingerprint.clone();
        let endpoint = endpoint.0.to_owned();
        let crate::Window { family, limit, remaining, reset } = window;
        Heard { credential, endpoint, family, limit, remaining, reset }
    };
    let heard: Vec<_> = pace.windows().into_iter().map(heard).collect();
    let save = || {
        let mut file = tempfile::NamedTempFile::new_in(journals.folder())?;
        serde_json::to_writer(&mut file, &heard)?;
        file.flush()?;
        file.persist(journals.folder().join(FILE))?;
        Ok::<_, std::io::Error>(())
    };
    let _ = save();
}

/// What earlier sessions heard of the windows of this credential, for plans and reports.
pub(crate) fn saved(journals: &Journals) -> Vec<Heard> {
    let saved = std::fs::read(journals.folder().join(FILE)).ok();
    saved.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}
