//! `followgraph export`: graphs and histories for other programs.

use analysis::export::{
    Extent, GraphFormat, GraphWriter, Node, RunGraph, edge_events_each, fits_dot, presences_each,
};
use analysis::{Format, Frame, RunObservations};
use anyhow::Result;
use snapshot::{AccountId, List, Store};
use std::collections::BTreeSet;

use super::history;
use crate::args::{self, ExportName};
use crate::exit::{Exit, Usage};
use crate::names::{self, Names};
use crate::output;
use crate::settings::Settings;

/// Rows that are written at a time.
const PIECE: usize = 1 << 14;

pub(crate) fn run(settings: &Settings, command: &args::Export) -> Result<Exit> {
    if command.history && command.to != ExportName::Gexf {
        return Err(Usage::new("only GEXF shows a history")
            .hint("write --to gexf, or --to events for a table of it")
            .into());
    }
    if command.to == ExportName::Events && command.run.is_some() {
        return Err(Usage::new("events are those of all runs")
            .hint("leave --run out; `followgraph diff` compares two runs")
            .into());
    }
    let store = Store::open(&settings.store.value)?;
    match command.to {
        ExportName::Events => events(settings, &store, command)?,
        ExportName::Gexf if command.history => timeline(settings, &store, command)?,
        ExportName::Gexf => graph(&store, command, Some(GraphFormat::Gexf))?,
        ExportName::Graphml => graph(&store, command, Some(GraphFormat::Graphml))?,
        ExportName::Dot => graph(&store, command, Some(GraphFormat::Dot))?,
        ExportName::Edges => graph(&store, command, None)?,
    }
    Ok(Exit::Done)
}

/// The graph of one run, in a format for graphs or as a table of edges.
fn graph(store: &Store, command: &args::Export, format: Option<GraphFormat>) -> Result<()> {
    let run = store.find(command.run.as_deref().unwrap_or("latest"))?;
    let observations = RunObservations::open(&run)?;
    let lists: Vec<List> = if command.list.is_empty() {
        List::ALL.to_vec()
    } else {
        command.list.iter().map(|list| (*list).into()).collect()
    };
    let mut accounts = names::resolve(&run, &command.accounts)?;
    if accounts.is_empty() {
        accounts.extend(lists.iter().flat_map(|list| observations.accounts(*list)));
    }
    let graph = RunGraph::new(&observations, &lists, &accounts, extent(command))?;
    let Some(format) = format else { return edges(&graph, command) };
    if format == GraphFormat::Dot {
        fits_dot(graph.edges())?;
    }
    let names = Names::of([&run])?;
    let about = format!("{} of run {}", what(command), run.id());
    output::send(&command.output, |out| {
        let mut writer = GraphWriter::new(out, format, &about)?;
        graph.nodes_each(|account| {
            let watched = graph.is_watched(account);
            writer.node(Node { account, username: names.username(account), watched })
        })?;
        graph.edges_each(|edge| writer.edge(edge, &[]))?;
        Ok(writer.finish()?)
    })
}

fn edges(graph: &RunGraph<'_>, command: &args::Export) -> Result<()> {
    output::deliver_pieces(format(command), &command.output, &Frame::edges(&[]), |rows| {
        let mut piece = Vec::with_capacity(PIECE);
        graph.edges_each(|edge| {
            piece.push(edge);
            if piece.len() == PIECE {
                rows.append(Frame::edges(&piece))?;
                piece.clear();
            }
            Ok(())
        })?;
        Ok(rows.append(Frame::edges(&piece))?)
    })
}

/// All runs as one graph whose edges come and go.
fn timeline(settings: &Settings, store: &Store, command: &args::Export) -> Result<()> {
    let list = one_list(command)?;
    let history = history::up_to_date(settings, store)?;
    let accounts = history::chosen(store, &history, &command.accounts, list)?;
    let names = history::names(store)?;
    let mut nodes: BTreeSet<AccountId> = accounts.iter().copied().collect();
    if command.members {
        presences_each(&history, list, &accounts, Extent::Members, |edge, _| {
            nodes.extend(edge);
            Ok(())
        })?;
    }
    let about = format!("{} of all runs, by {list}", what(command));
    output::send(&command.output, |out| {
        let mut writer = GraphWriter::new(out, GraphFormat::GexfDynamic, &about)?;
        for account in nodes {
            let watched = accounts.binary_search(&account).is_ok();
            writer.node(Node { account, username: names.username(account), watched })?;
        }
        presences_each(&history, list, &accounts, extent(command), |edge, presences| {
            writer.edge(edge, presences)
        })?;
        Ok(writer.finish()?)
    })
}

fn events(settings: &Settings, store: &Store, command: &args::Export) -> Result<()> {
    let list = one_list(command)?;
    let history = history::up_to_date(settings, store)?;
    let accounts = history::chosen(store, &history, &command.accounts, list)?;
    output::deliver_pieces(format(command), &command.output, &Frame::edge_events(&[]), |rows| {
        let mut piece = Vec::with_capacity(PIECE);
        edge_events_each(&history, list, &accounts, extent(command), |event| {
            piece.push(event);
            if piece.len() == PIECE {
                rows.append(Frame::edge_events(&piece))?;
                piece.clear();
            }
            Ok(())
        })?;
        Ok(rows.append(Frame::edge_events(&piece))?)
    })
}

/// The list whose history is meant: each kind has its own, with crawls of its own.
fn one_list(command: &args::Export) -> Result<List> {
    match command.list[..] {
        [] => Ok(List::Followers),
        [list] => Ok(list.into()),
        _ => Err(Usage::new("a history is that of one list")
            .hint("write --list followers or --list following, and export the other by itself")
            .into()),
    }
}

fn extent(command: &args::Export) -> Extent {
    if command.members { Extent::Members } else { Extent::Watched }
}

/// What the graph holds, for who finds the file.
fn what(command: &args::Export) -> &'static str {
    if command.members { "accounts and the members of their lists" } else { "accounts" }
}

/// The form of a table, as its name says.
fn format(command: &args::Export) -> Format {
    let is_parquet = command.output.extension().is_some_and(|e| e.eq_ignore_ascii_case("parquet"));
    if is_parquet { Format::Parquet } else { Format::Csv }
}
