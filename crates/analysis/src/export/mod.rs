//! Graphs and histories in the formats of other programs: GEXF, `GraphML` and DOT.
//!
//! A [`GraphWriter`] is handed nodes and then edges, one by one, and keeps none of them; where
//! they come from is another matter: a run ([`RunGraph`]), or the history of a store
//! ([`presences_each`], [`edge_events_each`]). Tables of edges and of events are frames
//! ([`Frame::edges`](crate::Frame::edges), [`Frame::edge_events`](crate::Frame::edge_events)).
//!
//! Ids are text in every format, as readers would otherwise take them for doubles. Text that
//! comes from a network may hold anything: what a format cannot express is replaced, and the rest
//! is escaped.
//!
//! Leaves out weights, colours and positions, which the programs that read these files compute.

use std::io::{self, Write};

use jiff::Timestamp;
use snapshot::AccountId;

use crate::Error;

mod dot;
mod gexf;
mod graphml;
mod run;
mod timeline;
mod xml;

use dot::Dot;
use gexf::Gexf;
use graphml::Graphml;

pub use run::RunGraph;
pub use timeline::{EdgeEvent, Extent, edge_events_each, presences_each};

/// The most edges that a [`Dot`](GraphFormat::Dot) file may have; programs that draw it take
/// minutes for as many.
pub const DOT_EDGES_MAX: u64 = 5000;

/// A format for graphs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GraphFormat {
    /// GEXF 1.3, for Gephi.
    Gexf,
    /// GEXF 1.3 whose edges say when they were there; moments are `xs:dateTime`.
    GexfDynamic,
    /// `GraphML` 1.0, for networkx, igraph, Cytoscape, yEd.
    Graphml,
    /// DOT, for Graphviz; for small graphs.
    Dot,
}

/// An account, as a graph shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node<'a> {
    /// Its id.
    pub account: AccountId,
    /// Its username, if it is known.
    pub username: Option<&'a str>,
    /// Whether its own lists are those the graph was made of.
    pub watched: bool,
}

impl Node<'_> {
    /// `@username` where there is one, else the id.
    fn label(&self) -> String {
        match self.username {
            Some(name) => format!("@{name}"),
            None => self.account.to_string(),
        }
    }
}

/// A stretch of time in which a follow was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presence {
    /// From when on it was surely there.
    pub from: Timestamp,
    /// Until when it surely was; `None` if nothing proves that it has ended.
    pub until: Option<Timestamp>,
}

/// Writes a graph, node by node and then edge by edge. O(1) memory.
pub struct GraphWriter<'a> {
    form: Form<'a>,
    format: GraphFormat,
    edges: u64,
}

enum Form<'a> {
    Gexf(Gexf<'a>),
    Graphml(Graphml<'a>),
    Dot(Dot<'a>),
}

impl<'a> GraphWriter<'a> {
    /// Begins a directed graph; `about` says in a few words what it is.
    ///
    /// # Errors
    /// If `out` refuses.
    pub fn new(
        out: &'a mut (dyn Write + Send),
        format: GraphFormat,
        about: &str,
    ) -> Result<Self, Error> {
        let form = match format {
            GraphFormat::Gexf => Gexf::new(out, about, false).map(Form::Gexf),
            GraphFormat::GexfDynamic => Gexf::new(out, about, true).map(Form::Gexf),
            GraphFormat::Graphml => Graphml::new(out, about).map(Form::Graphml),
            GraphFormat::Dot => Dot::new(out, about).map(Form::Dot),
        };
        Ok(Self { form: form.map_err(|e| format.cannot(e))?, format, edges: 0 })
    }

    /// Writes an account. Each comes once, and before the edges.
    ///
    /// # Errors
    /// If there has been an edge, or `out` refuses.
    pub fn node(&mut self, node: Node<'_>) -> Result<(), Error> {
        if self.edges > 0 {
            let account = node.account;
            return Err(Error::invalid(format!("account {account} comes after the first edge")));
        }
        let written = match &mut self.form {
            Form::Gexf(gexf) => gexf.node(node),
            Form::Graphml(graphml) => graphml.node(node),
            Form::Dot(dot) => dot.node(node),
        };
        written.map_err(|e| self.format.cannot(e))
    }

    /// Writes that `follower` follows `followed`; both have come as nodes. `when` is written in
    /// dynamic graphs only; without any, the follow is there all the time.
    ///
    /// # Errors
    /// If a DOT file has too many edges, or `out` refuses.
    pub fn edge(
        &mut self,
        [follower, followed]: [AccountId; 2],
        when: &[Presence],
    ) -> Result<(), Error> {
        self.edges += 1;
        let written = match &mut self.form {
            Form::Gexf(gexf) => gexf.edge(self.edges, [follower, followed], when),
            Form::Graphml(graphml) => graphml.edge([follower, followed]),
            Form::Dot(dot) => {
                fits_dot(self.edges)?;
                dot.edge([follower, followed])
            }
        };
        written.map_err(|e| self.format.cannot(e))
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// If `out` refuses.
    pub fn finish(self) -> Result<(), Error> {
        let written = match self.form {
            Form::Gexf(gexf) => gexf.finish(),
            Form::Graphml(graphml) => graphml.finish(),
            Form::Dot(dot) => dot.finish(),
        };
        written.map_err(|e| self.format.cannot(e))
    }
}

/// Whether so many edges make a DOT file that programs can draw.
///
/// # Errors
/// If they do not.
pub fn fits_dot(edges: u64) -> Result<(), Error> {
    if edges <= DOT_EDGES_MAX {
        return Ok(());
    }
    Err(Error::invalid(format!("more than {DOT_EDGES_MAX} edges are too many to draw as DOT"))
        .with_hint("name fewer accounts, or write GEXF for Gephi, or GraphML"))
}

impl GraphFormat {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gexf | Self::GexfDynamic => "GEXF",
            Self::Graphml => "GraphML",
            Self::Dot => "DOT",
        }
    }

    fn cannot(self, cause: io::Error) -> Error {
        Error::write(format!("cannot write the graph as {}", self.name()), cause)
    }
}

#[cfg(test)]
mod tests;
