"""A Parquet table of edges with 64-bit ids into a graph, as other tools load it.

    load.py PEER EDGES SRC DST

The libraries want small numbers, so ids are numbered first (step `number`): by pyarrow's hash table,
which is ten times as fast as sorting in numpy; `scipy_sorted` shows what most people would write.
Asked for is a graph whose rows can be walked in both directions. `held_mib` is the memory that is
held afterwards beyond what the interpreter had before.
"""

import ctypes
import gc

import common


def resident_mib() -> float:
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * 4096 / 2**20


def numbered_by_hash(ends):
    """Numbers by first appearance, and how many there are."""
    import pyarrow as pa

    coded = pa.array(ends).dictionary_encode()
    return coded.indices.to_numpy(), len(coded.dictionary)


def numbered_by_sorting(ends):
    import numpy as np

    ids, numbers = np.unique(ends, return_inverse=True)
    return numbers, len(ids)


def loaded(edges: str, src: str, dst: str, build, count, number=numbered_by_hash) -> dict:
    """Reads and numbers the edges, builds the graph, counts its edges, weighs it."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet  # noqa: F401, before the clock starts

    before = resident_mib()
    with common.step("read"):
        one, other = common.columns(edges, src, dst)
    with common.step("number"):
        numbers, accounts = number(np.concatenate([one, other]))
        one, other = numbers[: len(one)], numbers[len(one) :]
    with common.step("load"):
        graph = build(one, other, accounts)
    common.STEPS["everything"] = round(sum(common.STEPS.values()), 4)
    answers = {"accounts": accounts, "edges": int(count(graph))}
    del one, other, numbers
    gc.collect()
    pa.default_memory_pool().release_unused()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    common.STEPS["held_mib"] = round(resident_mib() - before)
    return answers


def rows_both_ways(one, other, size):
    import numpy as np
    import scipy.sparse as sp

    ends = one.astype(np.int32), other.astype(np.int32)
    out = sp.coo_array((np.ones(len(one), np.int8), ends), shape=(size, size)).tocsr()
    out.sort_indices()
    return out, out.T.tocsr()


def scipy(*edges: str) -> dict:
    return loaded(*edges, rows_both_ways, lambda graph: graph[0].nnz)


def scipy_sorted(*edges: str) -> dict:
    return loaded(*edges, rows_both_ways, lambda graph: graph[0].nnz, numbered_by_sorting)


def graphblas(*edges: str) -> dict:
    import graphblas as gb
    import numpy as np

    gb.init("suitesparse", blocking=True)

    def build(one, other, size):
        ends = one.astype(np.uint64), other.astype(np.uint64)
        out = gb.Matrix.from_coo(*ends, True, nrows=size, ncols=size)
        into = out.T.new()
        out.wait()
        into.wait()
        return out, into

    return loaded(*edges, build, lambda graph: graph[0].nvals)


def networkit(*edges: str) -> dict:
    import networkit as nk
    import numpy as np

    def build(one, other, size):
        return nk.GraphFromCoo(
            (one.astype(np.uint64), other.astype(np.uint64)), n=size, directed=True
        )

    return loaded(*edges, build, lambda graph: graph.numberOfEdges())


def graph_mate(*edges: str) -> dict:
    import graph_mate as gm
    import numpy as np

    def build(one, other, _):
        ends = np.column_stack([one, other]).astype(np.uint32)
        return gm.DiGraph.from_numpy(ends, gm.Layout.Sorted)

    return loaded(*edges, build, lambda graph: graph.edge_count())


def igraph(*edges: str) -> dict:
    import igraph as ig
    import numpy as np

    def build(one, other, size):
        return ig.Graph(n=size, edges=np.column_stack([one, other]), directed=True)

    return loaded(*edges, build, lambda graph: graph.ecount())


if __name__ == "__main__":
    common.run([scipy, scipy_sorted, graphblas, networkit, graph_mate, igraph])
