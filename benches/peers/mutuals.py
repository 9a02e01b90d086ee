"""All pairs of accounts that follow each other, as other tools find out.

    mutuals.py PEER EDGES SRC DST OUT

EDGES is a Parquet file or a folder of parts, SRC and DST are its columns: small numbers, each edge
once. OUT is a folder, in which `mutuals.parquet` appears with `a_id` < `b_id`.
"""

import common


def duckdb_split_join(edges: str, src: str, dst: str, out: str) -> None:
    """Only edges that ascend, probed by those that descend: half the hash table."""
    pairs = (
        f"select x.{src} as a_id, x.{dst} as b_id "
        f"from (select {src}, {dst} from '{common.glob(edges)}' where {src} < {dst}) x "
        f"semi join (select {src}, {dst} from '{common.glob(edges)}' where {src} > {dst}) y "
        f"on x.{src} = y.{dst} and x.{dst} = y.{src}"
    )
    common.duck().execute(f"copy ({pairs}) to '{out}/mutuals.parquet' (compression zstd)")


def duckdb_group(edges: str, src: str, dst: str, out: str) -> None:
    pairs = (
        f"select least({src}, {dst}) as a_id, greatest({src}, {dst}) as b_id "
        f"from '{common.glob(edges)}' where {src} <> {dst} group by 1, 2 having count(*) = 2"
    )
    common.duck().execute(f"copy ({pairs}) to '{out}/mutuals.parquet' (compression zstd)")


def polars_join(edges: str, src: str, dst: str, out: str) -> None:
    import polars as pl

    every = pl.scan_parquet(common.glob(edges))
    ascend = every.filter(pl.col(src) < pl.col(dst)).select(a_id=src, b_id=dst)
    descend = every.filter(pl.col(src) > pl.col(dst)).select(a_id=dst, b_id=src)
    pairs = ascend.join(descend, on=["a_id", "b_id"], how="semi")
    pairs.sink_parquet(f"{out}/mutuals.parquet", compression="zstd", engine="streaming")


def datafusion_join(edges: str, src: str, dst: str, out: str) -> None:
    import datafusion

    context = datafusion.SessionContext()
    context.register_parquet("edges", edges)
    pairs = context.sql(
        f"select x.{src} as a_id, x.{dst} as b_id from edges x left semi join edges y "
        f"on x.{src} = y.{dst} and x.{dst} = y.{src} where x.{src} < x.{dst}"
    )
    pairs.write_parquet(f"{out}/mutuals", compression="zstd")


def numpy_sort(edges: str, src: str, dst: str, out: str) -> None:
    """Both ends of an edge in one word, the smaller first: equal neighbours are pairs."""
    import numpy as np

    one, other = common.columns(edges, src, dst)
    words = np.minimum(one, other) << 32 | np.maximum(one, other)
    words.sort()
    words = words[1:][words[1:] == words[:-1]]
    common.write(f"{out}/mutuals.parquet", a_id=words >> 32, b_id=words & 0xFFFFFFFF)


def scipy(edges: str, src: str, dst: str, out: str) -> None:
    import numpy as np
    import scipy.sparse as sp

    one, other = (ends.astype(np.int32) for ends in common.columns(edges, src, dst))
    size = int(max(one.max(), other.max())) + 1
    follows = sp.coo_array((np.ones(len(one), np.int8), (one, other)), shape=(size, size)).tocsr()
    follows.sort_indices()
    pairs = sp.triu(follows.multiply(follows.T.tocsr()), 1).tocoo()
    common.write(f"{out}/mutuals.parquet", a_id=pairs.row.astype("i8"), b_id=pairs.col.astype("i8"))


def graphblas(edges: str, src: str, dst: str, out: str) -> None:
    import numpy as np
    import graphblas as gb

    gb.init("suitesparse", blocking=True)
    one, other = (ends.astype(np.uint64) for ends in common.columns(edges, src, dst))
    size = int(max(one.max(), other.max())) + 1
    follows = gb.Matrix.from_coo(one, other, True, nrows=size, ncols=size)
    ascend, descend = (gb.select.triu, 1), (gb.select.tril, -1)
    upper, lower = (part(follows, by).new() for part, by in (ascend, descend))
    one, other, _ = upper.ewise_mult(lower.T, gb.binary.pair).new().to_coo()
    common.write(f"{out}/mutuals.parquet", a_id=one.astype("i8"), b_id=other.astype("i8"))


def igraph(edges: str, src: str, dst: str, out: str) -> None:
    import igraph as ig
    import numpy as np

    one, other = common.columns(edges, src, dst)
    size = int(max(one.max(), other.max())) + 1
    graph = ig.Graph(n=size, edges=np.column_stack([one, other]), directed=True)
    mutual = np.array(graph.is_mutual(loops=False)) & (one < other)
    common.write(f"{out}/mutuals.parquet", a_id=one[mutual], b_id=other[mutual])


if __name__ == "__main__":
    common.run(
        [
            duckdb_split_join,
            duckdb_group,
            polars_join,
            datafusion_join,
            numpy_sort,
            scipy,
            graphblas,
            igraph,
        ]
    )
