"""Who was gained and who was lost between two snapshots, as other tools find out.

    diff.py PEER BEFORE AFTER OUT

BEFORE and AFTER are the folders of a list's Parquet parts; OUT is a folder, in which
`gained.parquet` and `lost.parquet` appear.
"""

import sys
from pathlib import Path


def duckdb(before: str, after: str, out: Path) -> None:
    import duckdb

    database = duckdb.connect()
    database.execute("set preserve_insertion_order = false")
    lists = f"'{before}/*.parquet' b full join '{after}/*.parquet' a using (member_id)"
    database.execute(
        f"create temp table changed as select member_id, b.position is null as gained from {lists} "
        "where b.position is null or a.position is null"
    )
    for name, which in (("gained", "gained"), ("lost", "not gained")):
        select = f"select member_id from changed where {which}"
        database.execute(f"copy ({select}) to '{out}/{name}.parquet' (compression zstd)")


def polars(before: str, after: str, out: Path) -> None:
    import polars as pl

    earlier, later = (pl.scan_parquet(f"{f}/*.parquet").select("member_id") for f in (before, after))
    later.join(earlier, on="member_id", how="anti").sink_parquet(out / "gained.parquet")
    earlier.join(later, on="member_id", how="anti").sink_parquet(out / "lost.parquet")


def numpy(before: str, after: str, out: Path) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    def members(folder: str):
        return pq.read_table(folder, columns=["member_id"])["member_id"].to_numpy()

    earlier, later = members(before), members(after)
    for name, one, other in (("gained", later, earlier), ("lost", earlier, later)):
        only = np.setdiff1d(one, other, assume_unique=True)
        pq.write_table(pa.table({"member_id": only}), out / f"{name}.parquet", compression="zstd")


def decode(before: str, after: str, out: Path) -> None:
    """No diff: reads the two columns and forgets them, to know what that alone takes."""
    import pyarrow.parquet as pq

    for folder in (before, after):
        for part in sorted(Path(folder).glob("*.parquet")):
            for batch in pq.ParquetFile(part).iter_batches(1 << 17, columns=["member_id"]):
                len(batch)


PEERS = {peer.__name__: peer for peer in (duckdb, polars, numpy, decode)}

if __name__ == "__main__":
    name, before, after, out = sys.argv[1:]
    PEERS[name](before, after, Path(out))
