"""What the peers share: timed steps, and one JSON line that says what was found.

A peer is a function; `run` calls the one that was asked for in a process of its own. Steps are wall
clock inside that process, so that loading stands apart from what follows.
"""

import json
import sys
import time
from contextlib import contextmanager
from pathlib import Path

STEPS: dict[str, float] = {}


@contextmanager
def step(name: str):
    began = time.perf_counter()
    yield
    STEPS[name] = round(time.perf_counter() - began, 4)


def run(peers: list) -> None:
    """`FILE.py PEER ARGUMENT…`: calls the peer, and prints its steps and what it answers."""
    name, *arguments = sys.argv[1:]
    answers = {peer.__name__: peer for peer in peers}[name](*arguments)
    print(json.dumps({"steps": STEPS, "answers": answers or {}}))


def columns(path: str, *names: str) -> list:
    """Columns of a Parquet file, or of a folder of parts, as arrays."""
    import pyarrow.parquet as pq

    files = sorted(Path(path).glob("*.parquet")) if Path(path).is_dir() else [path]
    table = pq.read_table(files, columns=list(names))
    return [table[name].combine_chunks().to_numpy() for name in names]


def glob(path: str) -> str:
    """The path as DuckDB and polars want it."""
    return f"{path}/*.parquet" if Path(path).is_dir() else path


def write(path: str, **columns) -> None:
    """A result as zstd Parquet; a dictionary of distinct ids would only cost."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), path, compression="zstd", use_dictionary=False)


def duck():
    """A DuckDB that need not keep rows in order, which is faster; all cores by default."""
    import duckdb

    database = duckdb.connect()
    database.execute("set preserve_insertion_order = false")
    return database
