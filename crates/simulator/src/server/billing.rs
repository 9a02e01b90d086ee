//! What a metered API would put on the bill, worked out from the request log.
//!
//! v2 charges for the users it returns. Nothing is known of answers that were made and lost,
//! so both numbers are told: made, and handed over whole. Without the daily deduplication of
//! the real bill, which is promised softly.

use std::collections::BTreeMap;

use serde::Serialize;

use super::record::RequestRecord;

/// The account of one credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Bill {
    /// Requests that bore the credential, refused and failed ones included.
    pub requests: usize,
    /// Users in v2 answers that were made, whether or not they arrived.
    pub served_users: usize,
    /// Users in v2 answers that were handed over whole.
    pub billed_users: usize,
}

/// The bills by the names of the credentials.
pub(super) fn bills(log: &[RequestRecord]) -> BTreeMap<String, Bill> {
    let mut bills: BTreeMap<String, Bill> = BTreeMap::new();
    for record in log {
        let Some(name) = &record.credential_name else { continue };
        let bill = bills.entry(name.clone()).or_default();
        bill.requests += 1;
        if record.path_and_query.starts_with("/2/") {
            bill.served_users += record.served.map_or(0, |served| served.users);
            bill.billed_users += record.delivered_users();
        }
    }
    bills
}
