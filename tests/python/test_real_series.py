"""A real series of 421 lists against sets: an oracle that shares no code with the program."""

import csv
import io
import json

import duckdb
import polars as pl
import pytest

from conftest import DATA, followgraph

ACCOUNT = 42


@pytest.fixture(scope="module")
def series():
    """Time as in the file → ids, in file order. DuckDB reads zstd without another package."""
    file = DATA / "github-followers/snapshots.csv.zst"
    rows = duckdb.sql(
        f"select snapshot_time, follower_id from read_csv('{file}', all_varchar=true)"
    ).fetchall()
    lists = {}
    for time, member in rows:
        lists.setdefault(time, []).append(int(member))
    return lists


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("series")
    followgraph(
        "--store", folder, "import", DATA / "github-followers/snapshots.csv.zst",
        "--account", ACCOUNT, "--member-column", "follower_id", "--time-column", "snapshot_time",
    )
    return folder


def runs(store):
    lines = followgraph("--store", store, "runs", "--format", "jsonl").splitlines()
    return [json.loads(line)["run"] for line in lines]


def test_every_kind_of_step_equals_the_difference_of_sets(series, store):
    lists, names = list(series.values()), runs(store)
    assert len(lists) == len(names) == 421
    # Every twentieth step, and jumps over many runs.
    pairs = [(i, i + 1) for i in range(0, 420, 20)] + [(0, 420), (100, 300)]
    for before, after in pairs:
        answer = json.loads(
            followgraph(
                "--store", store, "diff", ACCOUNT, "--format", "json",
                "--before", names[before], "--after", names[after],
            )
        )
        old, new = set(lists[before]), set(lists[after])
        by_change = {"gained": set(), "lost": set(), "unknown": set()}
        for row in answer["rows"]:
            assert row["account_id"] == str(ACCOUNT)
            by_change[row["change"]].add(int(row["member_id"]))
        assert by_change == {"gained": new - old, "lost": old - new, "unknown": set()}


def test_every_format_says_the_same(store, tmp_path):
    def rows(format):
        file = tmp_path / f"changes.{format}"
        followgraph(
            "--store", store, "diff", ACCOUNT, "--before", "2021-06-10", "--after", "latest",
            "--format", format, "--output", file,
        )
        return file

    key = lambda row: (int(row["member_id"]), row["change"])
    document = json.loads(rows("json").read_text())
    assert document["schema_version"] == 1 and document["kind"] == "diff"
    expected = sorted(map(key, document["rows"]))
    assert sorted(map(key, map(json.loads, rows("jsonl").read_text().splitlines()))) == expected
    text = rows("csv").read_text()
    assert sorted(map(key, csv.DictReader(io.StringIO(text)))) == expected
    frame = pl.read_parquet(rows("parquet"))
    assert frame.schema["member_id"] == pl.Int64
    assert sorted(map(key, frame.to_dicts())) == expected
    assert len(expected) > 300
