//! What must hold of the reader of journals, whatever a file holds.

use std::io::Cursor;

use super::frames::{Extent, Unreadable, frame, read_from};
use super::record::Record;
use super::{State, frames};

/// Reads a file as it is, and then with every checksum put right, so that what stands behind
/// one is reached as well.
pub(crate) fn check(file: &[u8]) {
    read(file);
    read(&mended(file));
}

fn read(file: &[u8]) {
    let (mut payloads, mut state) = (Vec::new(), None);
    let each = |payload: &[u8]| {
        payloads.push(payload.to_vec());
        fold(&mut state, payload);
        Ok::<_, Unreadable>(())
    };
    let Ok(Extent { end, torn }) = read_from(Cursor::new(file), file.len() as u64, each) else {
        return;
    };
    assert_eq!(end + torn, file.len() as u64);
    // The good part of a journal is what a writer of its records would have written.
    let good = &file[..usize::try_from(end).unwrap()];
    if end > 0 {
        let again = payloads.iter().map(|payload| frame(payload).unwrap());
        assert!(again.fold(frames::MAGIC.to_vec(), |file, frame| [file, frame].concat()) == good);
    } else {
        assert!(payloads.is_empty());
    }
}

/// Takes a record in, as going on with a job does.
fn fold(state: &mut Option<State>, payload: &[u8]) {
    let Ok(record) = Record::decode(payload) else { return };
    let again = record.encode().unwrap();
    assert_eq!(Record::decode(&again).unwrap(), record, "a record changes when it is written");
    if let Record::Page(page) = &record {
        assert!(page.ids.iter().all(|id| id.get() >= 0));
    }
    match (&mut *state, record) {
        (Some(state), record) => {
            state.apply(&record);
            let (requests, cost) = (state.requests(), state.cost());
            assert!(state.lists.values().all(|list| u64::from(list.requests) <= requests));
            assert!(cost.is_some() || state.lists.values().all(|list| list.cost.is_none()));
        }
        (none, Record::Began(began)) => *none = Some(State::new(began)),
        (None, _) => {}
    }
}

/// The same file, with checksums that are right as far as the lengths of frames are.
fn mended(file: &[u8]) -> Vec<u8> {
    let mut mended = frames::MAGIC.to_vec();
    let mut rest = file.get(mended.len()..).unwrap_or_default();
    while let Some((head, behind)) = rest.split_at_checked(frames::HEAD_BYTES) {
        let length = u32::from_le_bytes(std::array::from_fn(|i| head[4 + i]));
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(behind.len());
        let (payload, next) = behind.split_at(length);
        mended.extend(frame(payload).unwrap_or_default());
        rest = next;
    }
    mended
}
