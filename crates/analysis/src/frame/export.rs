//! Edges and what became of them, as frames for other programs. Columns are documented in
//! `crates/analysis/SCHEMA.md`.

use snapshot::{AccountId, Values};

use super::answers::{ids, optional, required};
use super::{Frame, Kind};
use crate::export::EdgeEvent;

impl Frame {
    /// One row per edge, follower first, in the order given.
    pub fn edges(edges: &[[AccountId; 2]]) -> Self {
        Self::new(
            "edges",
            vec![
                (required("follower_id", Kind::Id), ids(edges.iter().map(|edge| edge[0]))),
                (required("followed_id", Kind::Id), ids(edges.iter().map(|edge| edge[1]))),
            ],
        )
    }

    /// One row per beginning or end of an edge, in the order given.
    pub fn edge_events(events: &[EdgeEvent]) -> Self {
        let changes = events.iter().map(|e| Some(if e.ended { -1 } else { 1 })).collect();
        let earliest = events.iter().map(|e| e.earliest.map(jiff::Timestamp::as_microsecond));
        let latest = events.iter().map(|e| Some(e.latest.as_microsecond())).collect();
        Self::new(
            "edge_events",
            vec![
                (required("src", Kind::Id), ids(events.iter().map(|e| e.follower))),
                (required("dst", Kind::Id), ids(events.iter().map(|e| e.followed))),
                (optional("time_earliest", Kind::Time), Values::Time(earliest.collect())),
                (required("time_latest", Kind::Time), Values::Time(latest)),
                (required("change", Kind::Count), Values::I64(changes)),
                (
                    required("event", Kind::Text),
                    Values::Word(events.iter().map(|e| Some(e.event)).collect()),
                ),
            ],
        )
    }
}
