//! `followgraph graph`: a run as one follow graph, in a dozen numbers, or account by account.

use std::fmt::Write as _;

use analysis::graph::{
    DegreeOf, Degrees, Extreme, Leiden, Metrics, NodeIx, PageRank, Summary, Wanted,
};
use analysis::{FollowGraph, Frame, run_summary};
use anyhow::Result;
use snapshot::{Run, Store};

use crate::args::{self, MetricName};
use crate::exit::Exit;
use crate::names::Names;
use crate::output::{self, Align, fine_percent, grouped, percent};
use crate::settings::Settings;

/// Accounts that are shown at a terminal; files get all of them.
const SHOWN: usize = 20;

pub(crate) fn run(settings: &Settings, command: &args::Graph) -> Result<Exit> {
    let asked = Asked::new(settings, command)?;
    let names = Names::of(&asked.run)?;
    if command.degrees {
        let graph = asked.graph(command)?;
        let screen = || Ok(degrees(&graph));
        output::deliver(&command.output, screen, || Ok(Frame::graph_degrees(&graph)))?;
    } else if command.metrics.is_empty() {
        let summary = match &asked.run {
            Some(run) => run_summary(run)?,
            None => asked.graph(command)?.summary(),
        };
        let screen = || Ok(format!("{}\n\n{}", asked.name(command), screen(&summary, &names)));
        output::deliver(&command.output, screen, || Ok(Frame::from(&summary)))?;
    } else {
        let graph = asked.graph(command)?;
        let metrics = graph.metrics(wanted(command))?;
        let screen = || Ok(accounts(&graph, &metrics, &names));
        let of = asked.name(command);
        let frame = || Frame::graph_accounts(&graph, &metrics).with_context("graph", of);
        output::deliver(&command.output, screen, || Ok(frame()))?;
    }
    Ok(Exit::Done)
}

/// What is asked about: a run, or else the files that were named.
struct Asked {
    run: Option<Run>,
}

impl Asked {
    fn new(settings: &Settings, command: &args::Graph) -> Result<Self> {
        let of_run = command.from.from.is_empty();
        let find =
            || Ok::<_, anyhow::Error>(Store::open(&settings.store.value)?.find(&command.run)?);
        Ok(Self { run: of_run.then(find).transpose()? })
    }

    fn graph(&self, command: &args::Graph) -> Result<FollowGraph> {
        Ok(match &self.run {
            Some(run) => FollowGraph::from_run(run)?,
            None => FollowGraph::open(&command.from.from, command.from.columns()?)?,
        })
    }

    fn name(&self, command: &args::Graph) -> String {
        let files = command.from.from.iter().map(|file| file.display().to_string());
        self.run
            .as_ref()
            .map_or_else(|| files.collect::<Vec<_>>().join(" "), |run| format!("run {}", run.id()))
    }
}

fn screen(summary: &Summary, names: &Names) -> String {
    let extreme = |extreme: Option<Extreme>| match extreme {
        Some(e) => format!("{} ({})", grouped(e.degree), names.label(e.account)),
        None => "-".to_owned(),
    };
    let component = |count: u64, largest: u64| {
        format!("{}, the largest has {} accounts", grouped(count), grouped(largest))
    };
    let rows = [
        ("accounts", grouped(summary.nodes)),
        ("edges", grouped(summary.edges)),
        ("self-loops", grouped(summary.self_loops)),
        ("mutual pairs", grouped(summary.mutual_pairs)),
        ("reciprocity, self-loops left out", percent(summary.reciprocity)),
        (
            "reciprocity among edges whose opposite was looked for",
            percent(summary.reciprocity_of_known),
        ),
        ("edges whose opposite was not looked for", grouped(summary.unknown)),
        ("most followed", extreme(summary.max_in)),
        ("follows most", extreme(summary.max_out)),
        ("strong components", component(summary.strong_components, summary.largest_strong)),
        ("weak components", component(summary.weak_components, summary.largest_weak)),
    ];
    let headings = [("measure", Align::Left), ("value", Align::Left)];
    output::table(&headings, rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]))
}

fn wanted(command: &args::Graph) -> Wanted {
    let is_wanted =
        |name| command.metrics.contains(&name) || command.metrics.contains(&MetricName::All);
    let leiden = Leiden { resolution: command.resolution, seed: command.seed, ..Leiden::default() };
    Wanted {
        pagerank: is_wanted(MetricName::Pagerank).then(PageRank::default),
        cores: is_wanted(MetricName::Cores),
        triangles: is_wanted(MetricName::Triangles),
        communities: is_wanted(MetricName::Communities).then_some(leiden),
        components: is_wanted(MetricName::Components),
    }
}

/// What a person sees: who comes first, and the figures of the whole graph.
fn accounts(graph: &FollowGraph, metrics: &Metrics, names: &Names) -> String {
    let mut columns = columns(graph, metrics);
    let mut order: Vec<NodeIx> = graph.nodes().collect();
    let followers = |node: &NodeIx| graph.in_neighbors(*node).len();
    order.sort_by(|a, b| {
        let rank = |node: &NodeIx| metrics.pagerank.as_ref().map_or(0.0, |r| r.ranks[node.index()]);
        rank(b).total_cmp(&rank(a)).then(followers(b).cmp(&followers(a))).then(a.cmp(b))
    });
    let mut headings = vec![("account", Align::Left)];
    headings.extend(columns.iter().map(|(name, _)| (*name, Align::Right)));
    let row = |node: &NodeIx| {
        let mut row = vec![names.label(graph.account(*node))];
        row.extend(columns.iter_mut().map(|(_, cell)| cell(*node)));
        row
    };
    let mut text = output::table(&headings, order.iter().take(SHOWN).map(row));
    if order.len() > SHOWN {
        let more = grouped((order.len() - SHOWN) as u64);
        let _ = writeln!(text, "and {more} more accounts; --format csv lists them all");
    }
    let facts = facts(metrics);
    if !facts.is_empty() {
        let _ = write!(text, "\n{facts}");
    }
    text
}

/// The name of a column, and its cell for an account.
type Column<'a> = (&'static str, Box<dyn FnMut(NodeIx) -> String + 'a>);

fn columns<'a>(graph: &'a FollowGraph, metrics: &'a Metrics) -> Vec<Column<'a>> {
    let mut columns: Vec<Column<'a>> = vec![
        ("follows", Box::new(|node| grouped(graph.out_neighbors(node).len() as u64))),
        ("followers", Box::new(|node| grouped(graph.in_neighbors(node).len() as u64))),
        ("mutual", Box::new(|node| grouped(metrics.mutual[node.index()].into()))),
    ];
    if let Some(found) = &metrics.pagerank {
        let rank = |node: NodeIx| fine_percent(Some(found.ranks[node.index()]));
        columns.push(("PageRank", Box::new(rank)));
    }
    if let Some(found) = &metrics.cores {
        columns.push(("core", Box::new(|node| grouped(found.of(node).into()))));
    }
    if let Some(found) = &metrics.triangles {
        columns.push(("triangles", Box::new(|node| grouped(found.counts()[node.index()]))));
        columns.push(("clustering", Box::new(|node| fine_percent(found.clustering(node)))));
    }
    let mut groups = |name, groups: &analysis::graph::Grouping| {
        let places = groups.by_size();
        columns.push((name, Box::new(move |node| grouped(places[node.index()].into()))));
    };
    if let Some(found) = &metrics.communities {
        groups("community", &found.groups);
    }
    if let Some((weak, strong)) = &metrics.components {
        groups("weak", weak);
        groups("strong", strong);
    }
    columns
}

fn facts(metrics: &Metrics) -> String {
    let mut text = String::new();
    if let Some(found) = &metrics.pagerank {
        let _ = writeln!(
            text,
            "PageRank: {} rounds, the last changed {:.1e} in sum",
            found.rounds, found.residual
        );
    }
    if let Some((core, accounts)) =
        metrics.cores.as_ref().and_then(analysis::graph::Cores::innermost)
    {
        let accounts = output::counted(accounts, "account");
        let _ = writeln!(text, "innermost core: {}, of {accounts}", grouped(core.into()));
    }
    if let Some(found) = &metrics.triangles {
        let _ = writeln!(
            text,
            "triangles: {}; transitivity {}; average clustering {}, or {} without accounts of \
             fewer than two neighbors",
            grouped(found.total()),
            fine_percent(found.transitivity()),
            fine_percent(found.average_clustering()),
            fine_percent(found.average_clustering_of_defined())
        );
    }
    if let Some(found) = &metrics.communities {
        let modularity = found.modularity.map_or_else(|| "-".to_owned(), |m| format!("{m:.4}"));
        let _ = writeln!(
            text,
            "communities: {}, numbered by size from 0; modularity {modularity}",
            grouped(found.groups.count())
        );
    }
    if let Some((weak, strong)) = &metrics.components {
        let _ = writeln!(
            text,
            "components: {} weak, {} strong, numbered by size from 0",
            grouped(weak.count()),
            grouped(strong.count())
        );
    }
    text
}

fn degrees(graph: &FollowGraph) -> String {
    let both = [graph.degrees(DegreeOf::Follows), graph.degrees(DegreeOf::Followers)];
    let number = |of: fn(&Degrees) -> Option<u64>| {
        both.each_ref().map(|degrees| of(degrees).map_or_else(|| "-".to_owned(), grouped))
    };
    let mean = |degrees: &Degrees| {
        degrees.mean().map_or_else(|| "-".to_owned(), |mean| format!("{mean:.2}"))
    };
    let rows = [
        ("accounts without any", number(|degrees| Some(degrees.without()))),
        ("mean", both.each_ref().map(mean)),
        ("median", number(|degrees| degrees.percentile(50))),
        ("90th percentile", number(|degrees| degrees.percentile(90))),
        ("99th percentile", number(|degrees| degrees.percentile(99))),
        ("largest", number(Degrees::max)),
    ];
    let headings =
        [("degree", Align::Left), ("follows", Align::Right), ("followers", Align::Right)];
    let row = |(name, [follows, followers]): (&str, [String; 2])| {
        vec![name.to_owned(), follows, followers]
    };
    output::table(&headings, rows.into_iter().map(row))
}
