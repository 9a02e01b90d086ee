"""The dataset in the tools people have: one line each, no id damaged."""

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq

from conftest import DATA, MEMBERS

EXPECTED = {
    (f"{time.replace(':', '-')}", account, member, position)
    for (time, account), members in MEMBERS.items()
    for position, member in enumerate(members)
}


def test_polars_loads_a_store_in_one_line(store):
    frame = pl.scan_parquet(f"{store}/run=*/list=*/*.parquet", hive_partitioning=True).collect()
    assert frame.schema["account_id"] == frame.schema["member_id"] == pl.Int64
    assert frame.schema["position"] == pl.Int32
    assert frame.schema["run"] == frame.schema["list"] == pl.String
    assert set(frame["list"]) == {"followers"}
    rows = frame.select("run", "account_id", "member_id", "position").rows()
    assert len(rows) == len(EXPECTED) and set(rows) == EXPECTED


def test_duckdb_loads_a_store_in_one_line(store):
    rows = duckdb.sql(
        "select run, account_id, member_id, position, list from "
        f"read_parquet('{store}/run=*/list=*/*.parquet', hive_partitioning=true)"
    ).fetchall()
    assert len(rows) == len(EXPECTED)
    assert {(str(run), *rest) for run, *rest, _ in rows} == EXPECTED
    assert {row[-1] for row in rows} == {"followers"}


def test_pandas_loads_a_list_in_one_line(store):
    frames = []
    for run in sorted(store.glob("run=*")):
        frame = pd.read_parquet(run / "list=followers")
        assert frame.dtypes["account_id"] == frame.dtypes["member_id"] == "int64"
        frames.append(frame.assign(run=run.name.removeprefix("run=")))
    rows = pd.concat(frames)[["run", "account_id", "member_id", "position"]]
    assert set(rows.itertuples(index=False, name=None)) == EXPECTED


def test_the_small_tables_have_their_documented_types(store):
    frame = pl.read_parquet(f"{store}/run=*/crawls.parquet")
    assert frame.height == 4
    assert frame.schema["started_at"] == pl.Datetime("us", "UTC")
    assert set(frame["coverage"]) == {"complete"}
    assert frame["ids"].sum() == len(EXPECTED)
    assert pl.read_parquet(f"{store}/run=*/accounts.parquet").height == 4
    assert pl.read_parquet(f"{store}/run=*/pages.parquet").height == 0
    crawls = f"'{store}/run=*/crawls.parquet'"
    described = duckdb.sql(f"describe select started_at from {crawls}").fetchall()
    assert described[0][1] == "TIMESTAMP WITH TIME ZONE"
    assert duckdb.sql(f"select count(distinct started_at) from {crawls}").fetchall() == [(2,)]
    crawls = pd.concat(pd.read_parquet(path) for path in store.glob("run=*/crawls.parquet"))
    assert str(crawls.dtypes["started_at"].tz) == "UTC"


def test_runs_of_older_versions_load_with_newer_ones(store):
    old, new = DATA / "formats/v1/store", store
    files = [path for folder in (old, new) for path in folder.glob("run=*/crawls.parquet")]
    frame = pl.concat(map(pl.scan_parquet, files), how="diagonal").collect()
    assert frame.height > 4 and frame["known_run"].null_count() == frame.height
    rows = duckdb.sql(
        "select count(*), count(known_run) "
        f"from read_parquet({[str(path) for path in files]}, union_by_name=true)"
    ).fetchall()
    assert rows == [(frame.height, 0)]


def test_lists_are_sorted_delta_encoded_and_compressed_where_that_helps(store):
    for path in store.glob("run=*/list=*/*.parquet"):
        metadata = pq.read_metadata(path)
        for group in range(metadata.num_row_groups):
            group = metadata.row_group(group)
            assert [c.column_index for c in group.sorting_columns] == [0, 1]
            for column, compression in enumerate(["ZSTD", "ZSTD", "UNCOMPRESSED"]):
                chunk = group.column(column)
                assert "DELTA_BINARY_PACKED" in chunk.encodings
                assert chunk.compression == compression
                assert chunk.statistics.has_min_max
