#![allow(missing_docs, clippy::all, clippy::pedantic)]
use jiff::{SignedDuration, Timestamp};
use crate::*;
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group { pub identity: String, pub every: Option<SignedDuration>, pub targets: Vec<Target> }
impl Group { pub fn of(targets: Vec<Target>) -> Self { Self { identity: String::new(), every: None, targets } } }
pub struct Due<'a> { pub groups: Vec<&'a Group>, pub next: Option<Timestamp> }
pub fn due<'a>(_: &snapshot::Store, _: &str, groups: &'a [Group], _: Timestamp) -> Result<Due<'a>, Error> { Ok(Due { groups: groups.iter().collect(), next: None }) }
pub fn due_parameters(_: &str, _: &[&Group]) -> std::collections::BTreeMap<String, String> { Default::default() }
pub fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    let span: jiff::Span = text.parse().map_err(|e| format!("{e}"))?;
    span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|e| format!("{e}"))
}
#[derive(Clone, Debug, Default, serde::Deserialize)]
pub struct PriceTable {}
impl From<PriceTable> for Prices { fn from(_: PriceTable) -> Self { Self::default() } }
impl Job { pub fn wants_stdin(&self) -> bool { false } pub fn with_stdin(self, _: &str) -> Result<Self, Error> { Ok(self) } }
