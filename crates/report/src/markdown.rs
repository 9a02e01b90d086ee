//! A report as Markdown, with its charts as files beside it.
//!
//! Charts are files because what shows Markdown mostly refuses images within the text. The
//! numbers of every chart stand in a table, so that the text is whole without them.

use std::fmt::Write as _;

use crate::Part;
use crate::document::{Block, Cell, Table};
use crate::glossary::TERMS;
use crate::sections::About;

/// A report as Markdown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markdown {
    /// The text. Where a chart belongs there is a link to it below [`Self::FOLDER`].
    text: String,
    /// Charts as SVG, by the names of their files.
    pub charts: Vec<(String, String)>,
}

impl Markdown {
    /// Stands for the folder of the charts until it is known.
    const FOLDER: &'static str = "\u{E000}";

    /// The text, with links to charts in a folder named so; without a folder it has no charts.
    pub fn text(&self, folder: Option<&str>) -> String {
        if let Some(folder) = folder {
            return self.text.replace(Self::FOLDER, &folder.replace(' ', "%20"));
        }
        let lines = self.text.split_inclusive('\n');
        lines.filter(|line| !line.contains(Self::FOLDER)).collect()
    }
}

/// Writes all sections.
pub(crate) fn document(about: &About, parts: &[Part]) -> Markdown {
    let mut out = Markdown { text: String::new(), charts: Vec::new() };
    let _ = write!(out.text, "# {}\n\n{}\n", escaped(&about.title()), about.subtitle());
    if let Some(warning) = about.warning() {
        let _ = write!(out.text, "\n> **Incomplete lists.** {}\n", escaped(&warning));
    }
    for part in parts {
        let _ = write!(out.text, "\n## {}\n", escaped(part.title));
        blocks(&mut out, &part.blocks);
    }
    let _ = write!(out.text, "\n## How this is counted\n\n");
    for term in &TERMS {
        let _ = writeln!(out.text, "- **{}.** {}", escaped(term.name), escaped(term.text));
    }
    let (tool, version) = (&about.tool, &about.version);
    let _ = write!(out.text, "\nMade by {tool} {version}.\n");
    out
}

fn blocks(out: &mut Markdown, all: &[Block]) {
    for block in all {
        out.text.push('\n');
        match block {
            Block::Text(text) => {
                let _ = writeln!(out.text, "{}", escaped(text));
            }
            Block::Heading(text, _) => {
                let _ = writeln!(out.text, "### {}", escaped(text));
            }
            Block::Tiles(tiles) => {
                for tile in tiles {
                    let (value, note) = (escaped(&tile.cell.text), escaped(&tile.note));
                    let _ = writeln!(out.text, "- {}: **{value}** ({note})", tile.label);
                }
            }
            Block::Table(of) => table(&mut out.text, of),
            Block::Chart(chart) => {
                let (title, file) = (escaped(&chart.title), format!("{}.svg", chart.name));
                let _ = writeln!(out.text, "![{title}]({}/{file})", Markdown::FOLDER);
                out.charts.push((file, chart.for_file()));
            }
            Block::Details(summary, inner) => {
                // Charts of single accounts are for a page; here a table says the same.
                if inner.iter().any(|block| matches!(block, Block::Table(_))) {
                    let _ = writeln!(out.text, "**{}**", escaped(summary));
                    blocks(out, inner);
                }
            }
        }
    }
}

fn table(text: &mut String, table: &Table) {
    let _ = writeln!(text, "*{}*\n", escaped(&table.caption));
    let headings: Vec<_> = table.columns.iter().map(|column| escaped(&column.text)).collect();
    let _ = writeln!(text, "| {} |", headings.join(" | "));
    let rules: Vec<_> =
        table.columns.iter().map(|column| if column.is_number { "--:" } else { ":--" }).collect();
    let _ = writeln!(text, "| {} |", rules.join(" | "));
    for row in &table.rows {
        let _ = writeln!(text, "| {} |", cells(row, ""));
    }
    if let Some(total) = &table.total {
        let _ = writeln!(text, "| {} |", cells(total, "**"));
    }
}

fn cells(row: &[Cell], mark: &str) -> String {
    let cell = |cell: &Cell| format!("{mark}{}{mark}", escaped(&cell.text));
    row.iter().map(cell).collect::<Vec<_>>().join(" | ")
}

/// Text that Markdown takes as it is, and no HTML that it would let through.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' | '\r' => out.push(' '),
            // A link is made of a bare address, too, where there is a colon in it.
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(c);
            }
            Markdown::MARK => out.push('\u{FFFD}'),
            _ => out.push(c),
        }
    }
    out
}

impl Markdown {
    /// [`Self::FOLDER`] as it may come in a name.
    const MARK: char = '\u{E000}';
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markup() {
        let hostile = "<img src=x>|[a](javascript:b)`*_\u{E000}\n# x";
        let expected = "&lt;img src=x&gt;\\|\\[a\\](javascript:b)\\`\\*\\_\u{fffd} \\# x";
        assert_eq!(escaped(hostile), expected);
    }
}
