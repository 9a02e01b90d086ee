"""Exports in the programs they are for: the graph that they read is the one in the Parquet files."""

import xml.etree.ElementTree as ET
from collections import defaultdict

import networkx as nx
import polars as pl
import pydot
import pytest

from conftest import MEMBERS, followgraph

GEXF = {"g": "http://gexf.net/1.3"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Three runs of a dozen accounts with usernames, both lists of each."""
    folder = tmp_path_factory.mktemp("export") / "store"
    followgraph("demo", "--store", folder)
    return folder


def last_run(store):
    return sorted(store.glob("run=*"))[-1]


def edges_of(run, lists=("followers", "following")):
    """The edges that a run's lists show, as (follower, followed)."""
    edges = set()
    for name in lists:
        for file in run.glob(f"list={name}/*.parquet"):
            rows = pl.read_parquet(file).select("account_id", "member_id").rows()
            edges.update((b, a) if name == "followers" else (a, b) for a, b in rows)
    return edges


def watched(run):
    return set(pl.read_parquet(run / "crawls.parquet")["account_id"])


def names(run):
    rows = pl.read_parquet(run / "accounts.parquet").select("account_id", "username").rows()
    return dict(rows)


def among(edges, accounts):
    return {(a, b) for a, b in edges if a in accounts and b in accounts}


def export(store, tmp_path, ending, *args):
    file = tmp_path / f"graph.{ending}"
    followgraph("--store", store, "export", *args, "--output", file)
    return file


def ints(edges):
    return {(int(a), int(b)) for a, b in edges}


@pytest.mark.parametrize("form", ["gexf", "graphml"])
@pytest.mark.parametrize("members", [False, True])
def test_networkx_reads_the_graph_of_a_run(demo, tmp_path, form, members):
    run = last_run(demo)
    file = export(demo, tmp_path, form, "--to", form, *["--members"][: int(members)])
    graph = nx.read_gexf(file, version="1.3") if form == "gexf" else nx.read_graphml(file)
    assert type(graph) is nx.DiGraph, "directed, and no edge is there twice"
    accounts, edges = watched(run), edges_of(run)
    if members:
        nodes = accounts | {id for edge in edges for id in edge}
    else:
        nodes, edges = accounts, among(edges, accounts)
    assert len(edges) > 20
    assert all(isinstance(node, str) for node in graph)
    assert {int(node) for node in graph} == nodes
    assert ints(graph.edges()) == edges
    known = names(run)
    for node, data in graph.nodes(data=True):
        name = known.get(int(node))
        assert data["label"] == (f"@{name}" if name else node)
        assert data["watched"] is (int(node) in accounts)


def test_pydot_reads_the_graph_of_a_run(demo, tmp_path):
    run = last_run(demo)
    [graph] = pydot.graph_from_dot_file(export(demo, tmp_path, "dot", "--to", "dot"))
    assert graph.get_type() == "digraph"
    edges = [(e.get_source().strip('"'), e.get_destination().strip('"')) for e in graph.get_edges()]
    assert len(edges) == len(set(edges))
    assert ints(edges) == among(edges_of(run), watched(run))
    labels = {int(n.get_name().strip('"')): n.get_label().strip('"@') for n in graph.get_nodes()}
    assert labels == {id: name for id, name in names(run).items() if id in watched(run)}


def test_a_graph_too_large_to_draw_leaves_no_file(demo, tmp_path):
    file = tmp_path / "graph.dot"
    followgraph("--store", demo, "export", "--to", "dot", "--members", "--output", file, code=2)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("lists", [["followers"], ["following"], ["followers", "following"]])
def test_tables_of_edges_hold_each_edge_once(demo, tmp_path, ending, lists):
    run = last_run(demo)
    flags = [flag for name in lists for flag in ("--list", name)]
    file = export(demo, tmp_path, ending, "--to", "edges", "--members", *flags)
    table = pl.read_csv(file) if ending == "csv" else pl.read_parquet(file)
    assert table.columns == ["follower_id", "followed_id"]
    assert table.dtypes == [pl.Int64, pl.Int64]
    rows = table.rows()
    assert len(rows) == len(set(rows)) and set(rows) == edges_of(run, lists)


def test_one_account_is_exported_with_its_own_lists_only(demo, tmp_path):
    run = last_run(demo)
    account = min(watched(run))
    file = export(demo, tmp_path, "csv", account, "--to", "edges", "--members")
    expected = {edge for edge in edges_of(run, ["followers"]) if edge[1] == account}
    expected |= {edge for edge in edges_of(run, ["following"]) if edge[0] == account}
    assert set(pl.read_csv(file).rows()) == expected


def test_no_id_is_damaged(store, tmp_path):
    _, last = sorted({time for time, _ in MEMBERS})
    expected = {(m, a) for (time, a), members in MEMBERS.items() if time == last for m in members}
    gexf = nx.read_gexf(export(store, tmp_path, "gexf", "--to", "gexf", "--members"))
    assert ints(gexf.edges()) == expected
    graphml = nx.read_graphml(export(store, tmp_path, "graphml", "--to", "graphml", "--members"))
    assert ints(graphml.edges()) == expected
    [dot] = pydot.graph_from_dot_file(export(store, tmp_path, "dot", "--to", "dot", "--members"))
    edges = [(e.get_source().strip('"'), e.get_destination().strip('"')) for e in dot.get_edges()]
    assert ints(edges) == expected


def spells_of(file):
    """What a dynamic graph says of each edge, read as plain XML."""
    graph = ET.parse(file).getroot().find("g:graph", GEXF)
    assert graph.get("mode") == "dynamic" and graph.get("timeformat") == "dateTime"
    found = {}
    for edge in graph.iterfind("g:edges/g:edge", GEXF):
        key = int(edge.get("source")), int(edge.get("target"))
        assert key not in found
        spells = edge.iterfind("g:spells/g:spell", GEXF)
        found[key] = [(moment(s.get("start")), moment(s.get("end"))) for s in spells]
    return found


def moment(text):
    return text and pl.Series([text]).str.to_datetime(time_unit="us", time_zone="UTC").item()


@pytest.mark.parametrize("name", ["followers", "following"])
@pytest.mark.parametrize("members", [False, True])
def test_a_dynamic_graph_has_the_spells_of_the_history(demo, tmp_path, name, members):
    flags = ["--history", "--list", name, *["--members"][: int(members)]]
    found = spells_of(export(demo, tmp_path, "gexf", "--to", "gexf", *flags))
    table = tmp_path / "spells.parquet"
    followgraph(
        "--store", demo, "history", "--spells", "--list", name,
        "--format", "parquet", "--output", table,
    )
    accounts, expected = watched(last_run(demo)), defaultdict(list)
    for row in pl.read_parquet(table).rows(named=True):
        edge = row["member_id"], row["account_id"]
        if not members and row["member_id"] not in accounts:
            continue
        # A crawl that alone saw the member began before it ended.
        start, end = sorted([row["seen_from"], row["seen_until"]])
        stretch = start, None if row["ended"] == "open" else end
        expected[edge if name == "followers" else edge[::-1]].append(stretch)
    assert found == expected
    assert any(len(spells) > 1 for spells in found.values()) or not members
    assert any(end for spells in found.values() for _, end in spells)


def test_networkx_reads_a_dynamic_graph_as_dates(demo, tmp_path):
    file = export(demo, tmp_path, "gexf", "--to", "gexf", "--history")
    # networkx 3.6 knows the time format `date`, and takes what stands there as text.
    file.write_text(file.read_text().replace('"dateTime"', '"date"'))
    graph = nx.read_gexf(file)
    assert {node for edge in graph.edges() for node in edge} <= set(graph)
    assert all(data["spells"] for *_, data in graph.edges(data=True))


@pytest.mark.parametrize("name", ["followers", "following"])
def test_events_played_back_give_each_run(demo, tmp_path, name):
    file = export(demo, tmp_path, "parquet", "--to", "events", "--members", "--list", name)
    events = pl.read_parquet(file)
    assert events.schema["time_latest"] == pl.Datetime("us", "UTC")
    late = events.filter(pl.col("time_earliest") > pl.col("time_latest"))
    assert late.is_empty()
    # Of each edge the events take turns, and a stable sort by time does not part them.
    in_time = events.sort("time_latest", maintain_order=True)
    turns = defaultdict(list)
    for src, dst, change in in_time.select("src", "dst", "change").rows():
        turns[src, dst].append(change)
    assert all(set(c[::2]) == {1} and set(c[1::2]) <= {-1} for c in turns.values())
    assert any(len(changes) > 2 for changes in turns.values())
    runs = sorted(demo.glob("run=*"))
    for run in runs:
        crawls = pl.read_parquet(run / "crawls.parquet").filter(list=name)
        assert set(crawls["coverage"]) == {"complete"}
        ends = crawls.select(owner="account_id", end="finished_at")
        side = "dst" if name == "followers" else "src"
        until = events.join(ends, left_on=side, right_on="owner").filter(
            pl.col("time_latest") <= pl.col("end")
        )
        net = until.group_by("src", "dst").agg(pl.col("change").sum()).filter(change=1)
        assert set(net.select("src", "dst").rows()) == edges_of(run, [name])
