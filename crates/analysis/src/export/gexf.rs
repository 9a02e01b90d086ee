//! GEXF 1.3, the format of Gephi: <https://gexf.net/>.

use std::io::{self, Write};

use snapshot::AccountId;

use super::xml::Xml;
use super::{Node, Presence};

/// A document on its way.
pub(super) struct Gexf<'a> {
    xml: Xml<'a>,
    dynamic: bool,
    /// Whether the nodes are behind us.
    has_edges: bool,
}

/// The attribute that says whether an account's own lists were read.
const WATCHED: &str = "watched";

impl<'a> Gexf<'a> {
    pub(super) fn new(
        out: &'a mut (dyn Write + Send),
        about: &str,
        dynamic: bool,
    ) -> io::Result<Self> {
        let mut xml = Xml::new(out)?;
        xml.open(
            "gexf",
            &[
                ("xmlns", "http://gexf.net/1.3"),
                ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
                ("xsi:schemaLocation", "http://gexf.net/1.3 http://gexf.net/1.3/gexf.xsd"),
                ("version", "1.3"),
            ],
        )?;
        xml.open("meta", &[])?;
        xml.text("creator", &[], concat!("followgraph ", env!("CARGO_PKG_VERSION")))?;
        xml.text("description", &[], about)?;
        xml.close("meta")?;
        let mut attributes = vec![("defaultedgetype", "directed"), ("idtype", "string")];
        if dynamic {
            attributes.extend([
                ("mode", "dynamic"),
                ("timeformat", "dateTime"),
                ("timerepresentation", "interval"),
                ("timezone", "UTC"),
            ]);
        } else {
            attributes.push(("mode", "static"));
        }
        xml.open("graph", &attributes)?;
        xml.open("attributes", &[("class", "node"), ("mode", "static")])?;
        let watched = [("id", WATCHED), ("title", WATCHED), ("type", "boolean")];
        xml.empty("attribute", &watched)?;
        xml.close("attributes")?;
        xml.open("nodes", &[])?;
        Ok(Self { xml, dynamic, has_edges: false })
    }

    pub(super) fn node(&mut self, node: Node<'_>) -> io::Result<()> {
        let (id, label) = (node.account.to_string(), node.label());
        self.xml.open("node", &[("id", &id), ("label", &label)])?;
        self.xml.open("attvalues", &[])?;
        let watched = if node.watched { "true" } else { "false" };
        self.xml.empty("attvalue", &[("for", WATCHED), ("value", watched)])?;
        self.xml.close("attvalues")?;
        self.xml.close("node")
    }

    pub(super) fn edge(
        &mut self,
        number: u64,
        [follower, followed]: [AccountId; 2],
        when: &[Presence],
    ) -> io::Result<()> {
        self.end_nodes()?;
        let (number, follower, followed) =
            (number.to_string(), follower.to_string(), followed.to_string());
        let attributes = [("id", &*number), ("source", &follower), ("target", &followed)];
        if !self.dynamic || when.is_empty() {
            return self.xml.empty("edge", &attributes);
        }
        self.xml.open("edge", &attributes)?;
        self.xml.open("spells", &[])?;
        for presence in when {
            let (from, until) = (presence.from.to_string(), presence.until.map(|t| t.to_string()));
            let start = [("start", &*from)];
            let end = until.as_deref().map(|until| ("end", until));
            self.xml.empty("spell", &start.into_iter().chain(end).collect::<Vec<_>>())?;
        }
        self.xml.close("spells")?;
        self.xml.close("edge")
    }

    fn end_nodes(&mut self) -> io::Result<()> {
        if !self.has_edges {
            self.has_edges = true;
            self.xml.close("nodes")?;
            self.xml.open("edges", &[])?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.end_nodes()?;
        for element in ["edges", "graph", "gexf"] {
            self.xml.close(element)?;
        }
        self.xml.finish()
    }
}
