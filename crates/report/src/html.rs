//! A report as one HTML page that opens from disk and asks nobody for anything.
//!
//! The page is complete without its script, which sorts and searches tables and switches between
//! light and dark. Templates escape whatever they are given; only what this crate has rendered
//! itself, blocks and charts, is put in as it is. Besides that the page forbids itself every
//! request and every script but its own, by a content security policy.

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::charts::{Chart, role};
use crate::document::{Block, Cell, Column, Table, Tile};
use crate::glossary::{TERMS, Term};
use crate::sections::About;
use crate::{Error, Part};

const STYLE: &str = include_str!("../templates/style.css");
const SCRIPT: &str = include_str!("../templates/script.js");

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    title: String,
    subtitle: String,
    warning: Option<String>,
    parts: Vec<PartView<'a>>,
    terms: &'a [Term],
    about: &'a About,
    style: &'static str,
    script: &'static str,
    policy: String,
}

struct PartView<'a> {
    id: &'a str,
    title: &'a str,
    term: &'a str,
    body: String,
}

#[derive(Template)]
#[template(path = "table.html")]
struct TableView<'a> {
    number: usize,
    caption: &'a str,
    columns: &'a [Column],
    rows: Vec<RowView<'a>>,
    total: Option<RowView<'a>>,
}

/// A row: what names it, and the cells beside that.
struct RowView<'a> {
    head: &'a Cell,
    cells: Vec<(&'a Cell, bool)>,
}

#[derive(Template)]
#[template(path = "tiles.html")]
struct TilesView<'a> {
    tiles: &'a [Tile],
}

#[derive(Template)]
#[template(path = "chart.html")]
struct ChartView<'a> {
    name: &'a str,
    title: &'a str,
    legend: Vec<(&'static str, &'static str)>,
    svg: String,
}

#[derive(Template)]
#[template(source = "<p>{{ text }}</p>\n", ext = "html")]
struct TextView<'a> {
    text: &'a str,
}

#[derive(Template)]
#[template(source = "<h3><a href=\"#term-{{ term }}\">{{ text }}</a></h3>\n", ext = "html")]
struct HeadingView<'a> {
    text: &'a str,
    term: &'a str,
}

#[derive(Template)]
#[template(
    source = "<details><summary>{{ summary }}</summary>\n{{ body|safe }}</details>\n",
    ext = "html"
)]
struct DetailsView<'a> {
    summary: &'a str,
    body: String,
}

/// Writes the page.
pub(crate) fn page(about: &About, parts: &[Part]) -> Result<String, Error> {
    let mut tables = 0;
    let mut views = Vec::with_capacity(parts.len());
    for part in parts {
        let body = blocks(&part.blocks, &mut tables)?;
        views.push(PartView { id: part.id, title: part.title, term: part.term, body });
    }
    let page = Page {
        title: about.title(),
        subtitle: about.subtitle(),
        warning: about.warning(),
        parts: views,
        terms: &TERMS,
        about,
        style: STYLE,
        script: SCRIPT,
        policy: format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'",
            STANDARD.encode(Sha256::digest(STYLE)),
            STANDARD.encode(Sha256::digest(SCRIPT))
        ),
    };
    page.render().map_err(Error::write)
}

fn blocks(all: &[Block], tables: &mut usize) -> Result<String, Error> {
    let mut out = String::new();
    for block in all {
        let rendered = match block {
            Block::Text(text) => TextView { text }.render(),
            Block::Heading(text, term) => HeadingView { text, term }.render(),
            Block::Tiles(tiles) => TilesView { tiles }.render(),
            Block::Table(of) => {
                *tables += 1;
                table(of, *tables).render()
            }
            Block::Chart(of) => chart(of).render(),
            Block::Details(summary, inner) => {
                DetailsView { summary, body: blocks(inner, tables)? }.render()
            }
        };
        out.push_str(&rendered.map_err(Error::write)?);
    }
    Ok(out)
}

fn table(table: &Table, number: usize) -> TableView<'_> {
    TableView {
        number,
        caption: &table.caption,
        columns: &table.columns,
        rows: table.rows.iter().filter_map(|row| view(row, &table.columns)).collect(),
        total: table.total.as_ref().and_then(|row| view(row, &table.columns)),
    }
}

fn view<'a>(row: &'a [Cell], columns: &[Column]) -> Option<RowView<'a>> {
    let (head, cells) = row.split_first()?;
    let is_number = columns.iter().skip(1).map(|column| column.is_number);
    Some(RowView { head, cells: cells.iter().zip(is_number).collect() })
}

fn chart(chart: &Chart) -> ChartView<'_> {
    ChartView {
        name: &chart.name,
        title: &chart.title,
        legend: chart.legend.iter().map(|(color, text)| (role(*color), *text)).collect(),
        svg: chart.for_page(),
    }
}
