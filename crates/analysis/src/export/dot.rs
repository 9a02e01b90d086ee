//! DOT, the language of Graphviz: <https://graphviz.org/doc/info/lang.html>.

use std::io::{self, Write};

use snapshot::AccountId;

use super::Node;
use super::xml::sayable;

/// A graph on its way.
pub(super) struct Dot<'a> {
    out: &'a mut (dyn Write + Send),
}

impl<'a> Dot<'a> {
    pub(super) fn new(out: &'a mut (dyn Write + Send), about: &str) -> io::Result<Self> {
        // A comment to the end of its line, which `about` cannot leave without control characters.
        writeln!(out, "// {}\ndigraph followgraph {{", sayable(about))?;
        Ok(Self { out })
    }

    pub(super) fn node(&mut self, node: Node<'_>) -> io::Result<()> {
        writeln!(self.out, "  \"{}\" [label={}];", node.account, quoted(&node.label()))
    }

    pub(super) fn edge(&mut self, [follower, followed]: [AccountId; 2]) -> io::Result<()> {
        writeln!(self.out, "  \"{follower}\" -> \"{followed}\";")
    }

    pub(super) fn finish(self) -> io::Result<()> {
        writeln!(self.out, "}}")?;
        self.out.flush()
    }
}

/// A string of the language that is shown as it is. Only `"` ends it; a backslash begins what a
/// label makes of it (`\N` is the node's name), and two of them are one.
fn quoted(text: &str) -> String {
    format!("\"{}\"", sayable(text).replace('\\', r"\\").replace('"', "\\\""))
}
