//! `GraphML` 1.0: <http://graphml.graphdrawing.org/>.

use std::io::{self, Write};

use snapshot::AccountId;

use super::Node;
use super::xml::Xml;

/// A document on its way.
pub(super) struct Graphml<'a> {
    xml: Xml<'a>,
}

impl<'a> Graphml<'a> {
    pub(super) fn new(out: &'a mut (dyn Write + Send), about: &str) -> io::Result<Self> {
        let mut xml = Xml::new(out)?;
        xml.open(
            "graphml",
            &[
                ("xmlns", "http://graphml.graphdrawing.org/xmlns"),
                ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
                (
                    "xsi:schemaLocation",
                    "http://graphml.graphdrawing.org/xmlns \
                     http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd",
                ),
            ],
        )?;
        for (id, of, kind) in [
            ("label", "node", "string"),
            ("watched", "node", "boolean"),
            ("description", "graph", "string"),
        ] {
            let key = [("id", id), ("for", of), ("attr.name", id), ("attr.type", kind)];
            xml.empty("key", &key)?;
        }
        xml.open("graph", &[("id", "followgraph"), ("edgedefault", "directed")])?;
        xml.text("data", &[("key", "description")], about)?;
        Ok(Self { xml })
    }

    pub(super) fn node(&mut self, node: Node<'_>) -> io::Result<()> {
        self.xml.open("node", &[("id", &node.account.to_string())])?;
        self.xml.text("data", &[("key", "label")], &node.label())?;
        let watched = if node.watched { "true" } else { "false" };
        self.xml.text("data", &[("key", "watched")], watched)?;
        self.xml.close("node")
    }

    pub(super) fn edge(&mut self, [follower, followed]: [AccountId; 2]) -> io::Result<()> {
        let (follower, followed) = (follower.to_string(), followed.to_string());
        self.xml.empty("edge", &[("source", &follower), ("target", &followed)])
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.xml.close("graph")?;
        self.xml.close("graphml")?;
        self.xml.finish()
    }
}
