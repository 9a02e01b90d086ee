//! The readers of bodies, one for each sort, without a network around them.

use jiff::Timestamp;
use snapshot::{AccountId, MemberProfile};

use super::classify::Problem;
use super::{Detail, Page, SourceKind, x_v1, x_v2};
use crate::{Cursor, Window};

/// What the body of a page holds.
#[derive(Debug, Default)]
pub struct PageBody {
    /// The members, as they came.
    pub ids: Vec<AccountId>,
    /// Their profiles, if they were wanted.
    pub profiles: Vec<MemberProfile>,
    /// Where to go on.
    pub next: Option<Cursor>,
    /// What could not be shown, as JSON.
    pub problems: Option<String>,
}

/// What the body of a look-up holds.
#[derive(Debug, Default)]
pub struct LookupBody {
    /// The profiles.
    pub found: Vec<MemberProfile>,
    pub(super) problems: Vec<Problem>,
}

impl PageBody {
    pub(super) fn page(self, at: Timestamp, windows: Vec<Window>) -> Page {
        let Self { ids, profiles, next, problems } = self;
        let boundary = next.as_ref().and_then(|cursor| cursor.boundary(at));
        Page { ids, next, boundary, fetched_at: at, profiles, problems, windows }
    }
}

/// Reads the body of a page that was fetched at this time.
///
/// # Errors
/// If it is not a page; the text may quote the body.
pub fn page(
    kind: SourceKind,
    body: &[u8],
    profiles: bool,
    at: Timestamp,
) -> Result<PageBody, String> {
    match kind {
        SourceKind::XV2 => x_v2::parse_page(body, profiles, at),
        SourceKind::XV1 => x_v1::parse_page(body),
    }
}

/// Reads the body of a look-up.
///
/// # Errors
/// If it is not one; the text may quote the body.
pub fn lookup(
    kind: SourceKind,
    body: &[u8],
    detail: Detail,
    at: Timestamp,
) -> Result<LookupBody, String> {
    match kind {
        SourceKind::XV2 => x_v2::parse_lookup(body, at, detail),
        SourceKind::XV1 => x_v1::parse_lookup(body, at, detail)
            .map(|found| LookupBody { found, problems: Vec::new() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_page_passes_for_a_page() {
        let v1 = r#"{"ids":["1",2],"next_cursor":7,"next_cursor_str":"7"}"#;
        let v2 = r#"{"data":[{"id":"1"},{"id":"2"}],"meta":{"result_count":2,"next_token":"T"}}"#;
        for (kind, body) in [(SourceKind::XV1, v1), (SourceKind::XV2, v2)] {
            for profiles in [false, true] {
                let read =
                    |body: &str| page(kind, body.as_bytes(), profiles, Timestamp::UNIX_EPOCH);
                let whole = read(body).unwrap();
                assert_eq!((whole.ids.len(), whole.next.is_some()), (2, true));
                for end in 0..body.len() {
                    assert!(read(&body[..end]).is_err(), "{}", &body[..end]);
                }
            }
        }
    }
}
