"""Who was gained and who was lost between two snapshots, as other tools find out.

    diff.py PEER BEFORE AFTER COLUMN OUT

BEFORE and AFTER are Parquet files, or folders of a list's parts, of which COLUMN holds the ids; OUT
is a folder, in which `gained.parquet` and `lost.parquet` appear. All have two cores and may use them.
"""

import common


def duckdb_full_join(before: str, after: str, column: str, out: str) -> None:
    database = common.duck()
    database.execute(
        f"create temp table changed as select b.{column} as old, a.{column} as new "
        f"from '{common.glob(before)}' b full join '{common.glob(after)}' a "
        f"on a.{column} = b.{column} where a.{column} is null or b.{column} is null"
    )
    for name, side, other in (("gained", "new", "old"), ("lost", "old", "new")):
        select = f"select {side} as id from changed where {other} is null"
        database.execute(f"copy ({select}) to '{out}/{name}.parquet' (compression zstd)")


def duckdb_anti_joins(before: str, after: str, column: str, out: str) -> None:
    database = common.duck()
    for name, one, other in (("gained", after, before), ("lost", before, after)):
        select = (
            f"select {column} as id from '{common.glob(one)}' "
            f"anti join '{common.glob(other)}' using ({column})"
        )
        database.execute(f"copy ({select}) to '{out}/{name}.parquet' (compression zstd)")


def polars_anti_joins(before: str, after: str, column: str, out: str) -> None:
    import polars as pl

    old, new = (
        pl.scan_parquet(common.glob(path)).select(id=column) for path in (before, after)
    )
    for name, one, other in (("gained", new, old), ("lost", old, new)):
        only = one.join(other, on="id", how="anti")
        only.sink_parquet(f"{out}/{name}.parquet", compression="zstd", engine="streaming")


def datafusion_anti_joins(before: str, after: str, column: str, out: str) -> None:
    import datafusion

    context = datafusion.SessionContext()
    context.register_parquet("before", before)
    context.register_parquet("after", after)
    for name, one, other in (("gained", "after", "before"), ("lost", "before", "after")):
        only = context.sql(
            f"select {one}.{column} as id from {one} "
            f"left anti join {other} on {one}.{column} = {other}.{column}"
        )
        only.write_parquet(f"{out}/{name}", compression="zstd")


def numpy_setdiff(before: str, after: str, column: str, out: str) -> None:
    import numpy as np

    (old,), (new,) = common.columns(before, column), common.columns(after, column)
    for name, one, other in (("gained", new, old), ("lost", old, new)):
        only = np.setdiff1d(one, other, assume_unique=True)
        common.write(f"{out}/{name}.parquet", id=only)


def numpy_search(before: str, after: str, column: str, out: str) -> None:
    """Binary search of each id in the other side, sorted first if it is not."""
    import numpy as np

    def in_order(ids):
        return ids if (ids[1:] > ids[:-1]).all() else np.sort(ids)

    (old,), (new,) = common.columns(before, column), common.columns(after, column)
    old, new = in_order(old), in_order(new)
    for name, one, other in (("gained", new, old), ("lost", old, new)):
        place = np.minimum(np.searchsorted(other, one), len(other) - 1)
        common.write(f"{out}/{name}.parquet", id=one[other[place] != one])


def roaring(before: str, after: str, column: str, out: str) -> None:
    import numpy as np
    from pyroaring import BitMap64

    (old,), (new,) = common.columns(before, column), common.columns(after, column)
    old, new = BitMap64(old.astype(np.uint64)), BitMap64(new.astype(np.uint64))
    for name, only in (("gained", new - old), ("lost", old - new)):
        common.write(f"{out}/{name}.parquet", id=np.array(list(only), np.int64))


if __name__ == "__main__":
    common.run(
        [
            duckdb_full_join,
            duckdb_anti_joins,
            polars_anti_joins,
            datafusion_anti_joins,
            numpy_setdiff,
            numpy_search,
            roaring,
        ]
    )
