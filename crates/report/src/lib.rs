//! Reports that people send to each other: one self-contained HTML page, Markdown, JSON.
//!
//! [`Report::of`] asks the analysis and keeps the answers as plain data; [`Report::json`],
//! [`Report::html`] and [`Report::markdown`] show the same data, so that no number can differ
//! from one to the other. A report has no clock and no chance in it: the same store makes the
//! same bytes.
//!
//! Knows neither how a store came to be nor where a report goes. askama and plotters live here
//! and nowhere else.

mod charts;
mod document;
mod error;
mod facts;
mod glossary;
mod html;
mod markdown;
mod sections;
mod text;

use analysis::Accounts;
use serde::Serialize;
use snapshot::{List, Run, Store};

use facts::{Facts, Labels};

pub use error::Error;
pub use markdown::Markdown;

/// The version of the JSON document that `crates/report/SCHEMA.md` describes.
pub const SCHEMA_VERSION: u32 = 1;

/// What a report is to be about.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The earlier run; without one a report tells what is, and not what changed.
    pub before: Option<&'a Run>,
    /// The later run.
    pub after: &'a Run,
    /// Which accounts of them.
    pub accounts: Accounts,
    /// Which list.
    pub list: List,
}

/// A report: answers as plain data.
#[derive(Serialize)]
pub struct Report {
    schema_version: u32,
    about: sections::About,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<sections::Changes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    losses: Option<sections::Fates>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeline: Option<sections::Timeline>,
    #[serde(skip_serializing_if = "Option::is_none")]
    came: Option<sections::Came>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ages: Option<sections::Ages>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mutuals: Option<sections::MutualFollows>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overlap: Option<sections::Audiences>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flows: Option<sections::Flows>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<sections::Network>,
    #[serde(skip)]
    labels: Labels,
}

/// A section as it is shown.
pub(crate) struct Part {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) term: &'static str,
    pub(crate) blocks: Vec<document::Block>,
}

impl Report {
    /// Answers everything that the store supports.
    ///
    /// It takes the time of a diff, of mutuals, and of all overlaps; memory for the changes.
    ///
    /// # Errors
    /// If the later run has none of the lists, or a run cannot be read.
    pub fn of(store: &Store, request: &Request<'_>) -> Result<Self, Error> {
        let facts = Facts::gather(store, request)?;
        Ok(Self {
            schema_version: SCHEMA_VERSION,
            about: sections::About::of(&facts),
            changes: sections::Changes::of(&facts),
            losses: sections::Fates::of(&facts),
            timeline: sections::Timeline::of(&facts),
            came: sections::Came::of(&facts)?,
            ages: sections::Ages::of(&facts)?,
            mutuals: sections::MutualFollows::of(&facts)?,
            overlap: sections::Audiences::of(&facts)?,
            flows: sections::Flows::of(&facts),
            network: sections::Network::of(&facts)?,
            labels: facts.labels(),
        })
    }

    /// One JSON document; `crates/report/SCHEMA.md` describes it.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn json(&self) -> Result<String, Error> {
        let text = serde_json::to_string_pretty(self).map_err(Error::write)?;
        Ok(text + "\n")
    }

    /// One HTML page that needs nothing else.
    ///
    /// # Errors
    /// If a chart cannot be drawn.
    pub fn html(&self) -> Result<String, Error> {
        html::page(&self.about, &self.parts()?)
    }

    /// Markdown, and the charts that it shows as files beside it.
    ///
    /// # Errors
    /// If a chart cannot be drawn.
    pub fn markdown(&self) -> Result<Markdown, Error> {
        Ok(markdown::document(&self.about, &self.parts()?))
    }

    /// The sections that there are, in reading order.
    fn parts(&self) -> Result<Vec<Part>, Error> {
        let labels = &self.labels;
        let all = [
            part(self.changes.as_ref(), labels)?,
            part(self.losses.as_ref(), labels)?,
            part(self.timeline.as_ref(), labels)?,
            part(self.came.as_ref(), labels)?,
            part(self.ages.as_ref(), labels)?,
            part(self.mutuals.as_ref(), labels)?,
            part(self.overlap.as_ref(), labels)?,
            part(self.flows.as_ref(), labels)?,
            part(self.network.as_ref(), labels)?,
            part(Some(&self.about), labels)?,
        ];
        Ok(all.into_iter().flatten().collect())
    }
}

fn part<S: document::Section>(section: Option<&S>, labels: &Labels) -> Result<Option<Part>, Error> {
    let Some(section) = section else { return Ok(None) };
    let blocks = section.blocks(labels)?;
    Ok(Some(Part { id: S::ID, title: S::TITLE, term: S::TERM, blocks }))
}
