#!/usr/bin/env python3
"""How many bytes a row takes in each encoding, how long it takes to read, and what no coder can beat.

    storage.py DATA [--record DIR] [--scratch DIR]

DATA is what `generate.py diff` has made. The ids are those of the later snapshot, ascending; the
positions are those of its store, in the order of the ids. Each file is read by pyarrow, DuckDB and
polars (CPU seconds, the least of three, in a process of its own), which must find the same values.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import measuring
import ids as generated

READERS = ["pyarrow", "DuckDB", "polars"]


def together(numbers) -> list[int]:
    import numpy as np

    return [len(numbers), int(np.bitwise_xor.reduce(numbers.astype(np.int64)))]


def cpu_seconds(work) -> float:
    def now() -> float:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime

    least = math.inf
    for _ in range(3):
        began = now()
        work()
        least = min(least, now() - began)
    return least


def read(reader: str, column: str, files: list[str]) -> dict:
    """What one reader finds, and its CPU seconds."""
    if reader == "pyarrow":
        import pyarrow.parquet as pq

        def decode() -> None:
            for file in files:
                batches = pq.ParquetFile(file).iter_batches(1 << 16, columns=[column], use_threads=False)
                sum(len(batch) for batch in batches)

        values = pq.read_table(files, columns=[column])[column].to_numpy()
    elif reader == "polars":
        import polars as pl

        def decode() -> None:
            pl.read_parquet(files, columns=[column])

        values = pl.read_parquet(files, columns=[column])[column].to_numpy()
    else:
        import duckdb

        database = duckdb.connect()

        def decode():
            every = f"select count(*), bit_xor({column}) from read_parquet({files})"
            return database.execute(every).fetchone()

        return {"found": list(decode()), "cpu_s": cpu_seconds(decode)}
    return {"found": together(values), "cpu_s": cpu_seconds(decode)}


def in_a_process(reader: str, column: str, files: list[Path]) -> dict:
    command = [sys.executable, __file__, "read", reader, column, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return {"refused": done.stderr.strip().splitlines()[-1]}
    return json.loads(done.stdout)


def chunk_bytes(files: list[Path], column: str) -> int:
    """What a column takes on disk, headers of pages included."""
    import pyarrow.parquet as pq

    total = 0
    for file in files:
        meta = pq.ParquetFile(file).metadata
        index = meta.schema.to_arrow_schema().names.index(column)
        groups = (meta.row_group(group).column(index) for group in range(meta.num_row_groups))
        total += sum(group.total_compressed_size for group in groups)
    return total


def row(name: str, column: str, files: list[Path], known: list[int]) -> dict:
    """One line of the table; a reader that finds other values stops everything."""
    found = {"column": column, "encoding": name, "bytes": chunk_bytes(files, column) / known[0]}
    for reader in READERS:
        result = in_a_process(reader, column, files)
        if "refused" not in result and result["found"] != known:
            sys.exit(f"{reader} finds {result['found']} in {name}, not {known}")
        found[reader] = result.get("cpu_s", result.get("refused"))
    print(found, file=sys.stderr)
    return found


def encodings(column: str, values, scratch: Path) -> list[dict]:
    """Files of pyarrow's writer, in pages of about 20,000 rows as a store has them."""
    import duckdb
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    table, known, rows = pa.table({column: values}), together(values), []
    file = scratch / f"{column}.parquet"
    plain, delta, split = "PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"
    choices = [(plain, "none", None), (plain, "zstd", 1), (plain, "zstd", 3)]
    choices += [(delta, "none", None), (delta, "zstd", 1), (delta, "zstd", 3), (delta, "zstd", 9)]
    choices += [(split, "zstd", 1), (split, "zstd", 3)]
    for encoding, codec, level in choices:
        pq.write_table(
            table,
            file,
            compression=codec,
            compression_level=level,
            use_dictionary=False,
            column_encoding={column: encoding},
            row_group_size=1 << 20,
            # A page of a split column is worth most when each of its bytes fills a zstd block.
            data_page_size=(1 << 17) * values.itemsize if encoding == split else 160_000,
            max_rows_per_page=1 << 17 if encoding == split else 20_000,
        )
        name = f"{encoding}, {codec} {level}" if level else encoding
        rows.append(row(name, column, [file], known))
    pl.DataFrame({column: values}).write_parquet(file)
    rows.append(row("polars' default", column, [file], known))
    database = duckdb.connect()
    database.register("source", table)
    database.execute(f"copy source to '{file}' (format parquet, compression zstd)")
    rows.append(row("DuckDB, zstd", column, [file], known))
    return rows


def bounds(members) -> list[tuple[str, float]]:
    """Bytes that no coder can go below, each knowing more about ids than the one before."""
    import numpy as np

    def choose(universe: float, count: int) -> float:
        """log2 of `universe` over `count`, by Stirling, for sets that are thin."""
        some = count * math.log2(math.e * universe / count)
        return some - 0.5 * math.log2(2 * math.pi * count)

    def entropy(numbers) -> float:
        counts = np.bincount(numbers)
        shares = counts[counts > 0] / len(numbers)
        return float(-(shares * np.log2(shares)).sum())

    early = members[members < generated.SEQUENTIAL_BELOW]
    flakes = members[members >= generated.SEQUENTIAL_BELOW]
    numbers = choose(generated.SEQUENTIAL_BELOW, len(early))
    whole = choose(float(flakes[-1] - flakes[0]), len(flakes))
    # Gaps of a random set are geometric: their entropy is that of choosing the set.
    clock = choose(float((flakes[-1] >> 22) - (flakes[0] >> 22)), len(flakes))
    fields = entropy(flakes >> 12 & 1023) + entropy(flakes & 4095)
    steps = np.diff(flakes) & ((1 << 22) - 1)
    differences = entropy(steps >> 12) + entropy(steps & 4095)
    bits = 8 * len(members)
    return [
        ("any set up to the largest id: log2 C(U, n)", choose(float(members[-1]), len(members)) / bits),
        ("two ranges, sequential and snowflakes", (numbers + whole) / bits),
        ("its fields coded as differences", (numbers + clock + len(flakes) * differences) / bits),
        ("time, server and sequence apart", (numbers + clock + len(flakes) * fields) / bits),
    ]


def order_bound(positions) -> float:
    """Bytes of an order that has nothing to do with the ids: log2 n!"""
    return math.log2(len(positions) / math.e) / 8


def report(rows: list[dict], known: list[tuple[str, float]], members: int) -> str:
    def shown(value) -> str:
        return f"{value:.2f}" if isinstance(value, float) else f"refused: {value}"

    lines = ["# storage", "", f"{members:,} rows. Commit {measuring.commit()}; {measuring.machine()}.", ""]
    lines += [measuring.versions() + ".", "", "```sh", f"python {' '.join(sys.argv)}", "```", ""]
    readers = " | ".join(f"{reader} CPU s" for reader in READERS)
    lines += [f"| column | encoding | bytes a row | {readers} |", "| --- | --- |" + " ---: |" * 4]
    for found in rows:
        cells = " | ".join(shown(found[reader]) for reader in READERS)
        lines.append(f"| {found['column']} | {found['encoding']} | {found['bytes']:.3f} | {cells} |")
    lines += ["", "| what no coder can beat | bytes a row |", "| --- | ---: |"]
    return "\n".join(lines + [f"| {name} | {bytes:.3f} |" for name, bytes in known]) + "\n"


def main() -> None:
    if sys.argv[1:2] == ["read"]:
        _, _, reader, column, *files = sys.argv
        print(json.dumps(read(reader, column, files)))
        return
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--record", type=Path)
    arguments.add_argument("--scratch", type=Path)
    asked = arguments.parse_args()
    import pyarrow.parquet as pq

    parts = sorted(sorted(asked.data.glob("store/run=*"))[-1].glob("list=followers/*.parquet"))
    table = pq.read_table(parts, columns=["member_id", "position"])
    columns = {name: table[name].combine_chunks().to_numpy() for name in table.column_names}
    del table
    rows = []
    with tempfile.TemporaryDirectory(dir=asked.scratch) as scratch:
        for name, values in columns.items():
            rows.append(row("a store's part", name, parts, together(values)))
            rows += encodings(name, values, Path(scratch))
    known = bounds(columns["member_id"])
    known.append(("position: any order, log2 n!", order_bound(columns["position"])))
    text = report(rows, known, len(columns["member_id"]))
    print(text)
    if asked.record:
        asked.record.mkdir(parents=True, exist_ok=True)
        (asked.record / "storage.md").write_text(text)
        lines = [json.dumps(found) for found in rows]
        (asked.record / "storage.jsonl").write_text("\n".join(lines) + os.linesep)


if __name__ == "__main__":
    main()
