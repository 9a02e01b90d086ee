//! What a section consists of, before it is HTML or Markdown.
//!
//! A section turns its data into blocks once ([`Section::blocks`]), and two writers turn blocks
//! into files. A number is a [`Cell`] that knows where it stands in the JSON document, so that
//! any reader of the page can check it there.

use serde::Serialize;

use crate::Error;
use crate::charts::Chart;
use crate::facts::Labels;
use crate::text::{dollars, grouped, percent, signed, signed_percent};

/// A part of a report: data that are serialised as they are, and how they are told.
///
/// A new section is one file in `sections/`, one field of [`Report`](crate::Report), and one
/// line in its list of sections.
pub(crate) trait Section: Serialize {
    /// Its anchor, and its key in the JSON document.
    const ID: &'static str;
    /// Its heading.
    const TITLE: &'static str;
    /// What its heading links to in the glossary.
    const TERM: &'static str;

    /// What it tells, in reading order.
    fn blocks(&self, labels: &Labels) -> Result<Vec<Block>, Error>;
}

/// A block of a section.
pub(crate) enum Block {
    /// A sentence or two.
    Text(String),
    /// A heading within the section, and its term in the glossary.
    Heading(String, &'static str),
    /// The numbers to see first.
    Tiles(Vec<Tile>),
    Table(Table),
    Chart(Chart),
    /// More than everybody wants to see.
    Details(String, Vec<Self>),
}

/// A number to see first.
pub(crate) struct Tile {
    pub(crate) label: &'static str,
    pub(crate) term: &'static str,
    pub(crate) cell: Cell,
    pub(crate) note: String,
}

/// A table with a caption.
pub(crate) struct Table {
    pub(crate) caption: String,
    pub(crate) columns: Vec<Column>,
    /// The first cell of each names the row.
    pub(crate) rows: Vec<Vec<Cell>>,
    /// A last row that sums up the others.
    pub(crate) total: Option<Vec<Cell>>,
}

/// A column's heading.
pub(crate) struct Column {
    pub(crate) text: String,
    /// What it links to in the glossary.
    pub(crate) term: Option<&'static str>,
    pub(crate) is_number: bool,
    /// Whether somebody else chose the text, which is then set upright to save width.
    pub(crate) is_name: bool,
}

impl Column {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), term: None, is_number: false, is_name: false }
    }

    pub(crate) fn number(text: impl Into<String>) -> Self {
        Self { text: text.into(), term: None, is_number: true, is_name: false }
    }

    /// A column of numbers about an account.
    pub(crate) fn name(text: impl Into<String>) -> Self {
        Self { is_name: true, ..Self::number(text) }
    }

    pub(crate) fn of(text: impl Into<String>, term: &'static str) -> Self {
        Self { text: text.into(), term: Some(term), is_number: true, is_name: false }
    }
}

/// A cell of a table, or another place for a value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    /// What people see.
    pub(crate) text: String,
    /// The value as JSON writes it.
    pub(crate) value: Option<String>,
    /// Where that stands in the JSON document, as a JSON pointer (RFC 6901).
    pub(crate) pointer: Option<String>,
    /// How dark it is, of 0 to 9, in a heat map.
    pub(crate) heat: Option<u8>,
    /// Whether somebody else chose the text.
    pub(crate) is_name: bool,
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A label of an account.
    pub(crate) fn name(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_name: true, ..Self::default() }
    }

    /// Nothing to tell; why, the notes say.
    pub(crate) fn none(pointer: String) -> Self {
        Self { pointer: Some(pointer), value: Some("null".to_owned()), ..Self::text("–") }
    }

    fn value(text: String, value: &impl Serialize, pointer: String) -> Self {
        let value = serde_json::to_string(value).ok();
        Self { text, value, pointer: Some(pointer), ..Self::default() }
    }

    pub(crate) fn count(n: u64, pointer: String) -> Self {
        Self::value(grouped(n), &n, pointer)
    }

    /// A count that is shown with a sign, as a gain or as a loss.
    pub(crate) fn change(n: u64, is_gain: bool, pointer: String) -> Self {
        let shown = i64::try_from(n).unwrap_or(i64::MAX);
        Self::value(signed(if is_gain { shown } else { -shown }), &n, pointer)
    }

    pub(crate) fn maybe_count(n: Option<u64>, pointer: String) -> Self {
        match n {
            Some(n) => Self::count(n, pointer),
            None => Self::none(pointer),
        }
    }

    pub(crate) fn signed(n: i64, pointer: String) -> Self {
        Self::value(signed(n), &n, pointer)
    }

    pub(crate) fn share(share: Option<f64>, pointer: String) -> Self {
        match share {
            Some(share) => Self::value(percent(share), &share, pointer),
            None => Self::none(pointer),
        }
    }

    pub(crate) fn signed_share(share: Option<f64>, pointer: String) -> Self {
        match share {
            Some(share) => Self::value(signed_percent(share), &share, pointer),
            None => Self::none(pointer),
        }
    }

    /// An amount of money.
    pub(crate) fn dollars(micro_usd: Option<i64>, pointer: String) -> Self {
        match micro_usd {
            Some(cost) => Self::value(dollars(cost), &cost, pointer),
            None => Self::none(pointer),
        }
    }

    /// A number that has a text of its own.
    pub(crate) fn number(number: Option<f64>, shown: impl Fn(f64) -> String, at: String) -> Self {
        match number {
            Some(number) => Self::value(shown(number), &number, at),
            None => Self::none(at),
        }
    }

    /// The same in a heat map in which 1 is darkest.
    pub(crate) fn heated(mut self, share: Option<f64>) -> Self {
        // Steps of a tenth, and the square root, so that small shares can be told apart.
        const STEPS: [u8; 10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        self.heat = share.map(|share| {
            let step = (share.clamp(0.0, 1.0).sqrt() * 10.0).floor();
            STEPS.into_iter().rev().find(|s| f64::from(*s) <= step).unwrap_or(0)
        });
        self
    }
}
