"""PageRank, components, triangles and cores of a graph in memory, as other tools compute them.

    graph.py PEER EDGES SRC DST

EDGES hold small numbers. PageRank: damping 0.85, until the L1 change is below 1e-6, the rank of
accounts that follow nobody spread evenly, scores scaled to the sum 1 (igraph solves exactly).
Triangles and cores are those of the undirected simple graph. Each step is timed apart; accounts
without any edge are numbered away first, so that all count the same components.
"""

import common

DAMPING, TOLERANCE, ROUNDS = 0.85, 1e-6, 100


def edges_of(edges: str, src: str, dst: str):
    """Both ends as numbers without gaps, and how many there are."""
    import numpy as np
    import pyarrow.parquet  # noqa: F401, before the clock starts

    with common.step("read"):
        one, other = common.columns(edges, src, dst)
        seen = np.zeros(int(max(one.max(), other.max())) + 1, bool)
        seen[one] = seen[other] = True
        number = np.cumsum(seen) - 1
    return number[one], number[other], int(np.count_nonzero(seen))


def undirected(one, other):
    """Each pair once, the smaller number first."""
    import numpy as np

    with common.step("make undirected"):
        words = np.minimum(one, other) << 32 | np.maximum(one, other)
        words.sort()
        words = words[np.concatenate([[True], words[1:] != words[:-1]])]
    return words >> 32, words & 0xFFFFFFFF


def top(scores) -> float:
    import numpy as np

    scores = np.asarray(scores, np.float64)
    return float(scores.max() / scores.sum())


def graph_mate(*edges: str) -> dict:
    import graph_mate as gm
    import numpy as np

    one, other, _ = edges_of(*edges)
    with common.step("load"):
        ends = np.column_stack([one, other]).astype(np.uint32)
        graph = gm.DiGraph.from_numpy(ends, gm.Layout.Sorted)
    answers = {}
    with common.step("pagerank"):
        ranks = graph.page_rank(
            max_iterations=ROUNDS, tolerance=TOLERANCE, damping_factor=DAMPING
        )
    answers["pagerank"] = top(ranks.scores())
    with common.step("wcc"):
        parts = graph.wcc()
    answers["wcc"] = len(np.unique(parts.components()))
    del graph, ends
    pairs = np.column_stack(undirected(one, other)).astype(np.uint32)
    with common.step("load undirected"):
        graph = gm.Graph.from_numpy(pairs, gm.Layout.Sorted)
    with common.step("triangles"):
        graph.make_degree_ordered()
        answers["triangles"] = graph.global_triangle_count().triangles
    return answers


def networkit(*edges: str) -> dict:
    import networkit as nk
    import numpy as np

    def make(one, other, directed):
        ends = one.astype(np.uint64), other.astype(np.uint64)
        return nk.GraphFromCoo(ends, n=size, directed=directed)

    one, other, size = edges_of(*edges)
    with common.step("load"):
        graph = make(one, other, True)
    answers = {}
    with common.step("pagerank"):
        ranks = nk.centrality.PageRank(graph, damp=DAMPING, tol=TOLERANCE)
        ranks.norm = nk.centrality.Norm.L1_NORM
        ranks.maxIterations = ROUNDS
        ranks.run()
    answers["pagerank"] = top(ranks.scores())
    for name, kind in (
        ("wcc", nk.components.WeaklyConnectedComponents),
        ("scc", nk.components.StronglyConnectedComponents),
    ):
        with common.step(name):
            parts = kind(graph).run()
        answers[name] = parts.numberOfComponents()
    del graph
    pairs = undirected(one, other)
    with common.step("load undirected"):
        graph = make(*pairs, False)
    with common.step("triangles"):
        graph.indexEdges()
        triangles = nk.sparsification.TriangleEdgeScore(graph).run()
    answers["triangles"] = int(np.sum(triangles.scores())) // 3
    with common.step("cores"):
        cores = nk.centrality.CoreDecomposition(graph).run()
    answers["cores"] = int(cores.maxCoreNumber())
    return answers


def igraph(*edges: str) -> dict:
    import igraph as ig
    import numpy as np

    one, other, size = edges_of(*edges)
    with common.step("load"):
        graph = ig.Graph(n=size, edges=np.column_stack([one, other]), directed=True)
    answers = {}
    with common.step("pagerank"):
        ranks = graph.pagerank(damping=DAMPING)
    answers["pagerank"] = top(ranks)
    for name, mode in (("wcc", "weak"), ("scc", "strong")):
        with common.step(name):
            parts = graph.connected_components(mode=mode)
        answers[name] = len(parts)
    del graph
    pairs = undirected(one, other)
    with common.step("load undirected"):
        graph = ig.Graph(n=size, edges=np.column_stack(pairs))
    degrees = np.array(graph.degree(), np.int64)
    with common.step("triangles"):
        closed = graph.transitivity_undirected()
    answers["triangles"] = round(closed * float((degrees * (degrees - 1) // 2).sum()) / 3)
    with common.step("cores"):
        cores = graph.coreness()
    answers["cores"] = max(cores)
    return answers


def scipy(*edges: str) -> dict:
    import numpy as np
    import scipy.sparse as sp
    from scipy.sparse.csgraph import connected_components

    one, other, size = edges_of(*edges)
    with common.step("load"):
        ends = one.astype(np.int32), other.astype(np.int32)
        out = sp.coo_array((np.ones(len(one)), ends), shape=(size, size)).tocsr()
    answers = {}
    with common.step("pagerank"):
        degrees = np.diff(out.indptr)
        nobody, divisor = degrees == 0, np.maximum(degrees, 1)
        into, ranks = sp.csr_array(out.T), np.full(size, 1 / size)
        for _ in range(ROUNDS):
            spread = ranks[nobody].sum() / size
            new = DAMPING * (into @ (ranks / divisor) + spread) + (1 - DAMPING) / size
            change, ranks = np.abs(new - ranks).sum(), new
            if change < TOLERANCE:
                break
    answers["pagerank"] = top(ranks)
    for name, kind in (("wcc", "weak"), ("scc", "strong")):
        with common.step(name):
            answers[name] = int(connected_components(out, connection=kind)[0])
    return answers


def graphblas(*edges: str) -> dict:
    """Pulling PageRank; triangles as L·L masked by L, the highest degrees first.

    Of the eight ways (order, triangle, product) this took the least CPU, a fifth of L·Lᵀ with the
    lowest degrees first.
    """
    import graphblas as gb
    import numpy as np

    gb.init("suitesparse", blocking=True)
    one, other, size = edges_of(*edges)
    with common.step("load"):
        ends = one.astype(np.uint64), other.astype(np.uint64)
        into = gb.Matrix.from_coo(*ends[::-1], True, nrows=size, ncols=size)
        into.wait()
    answers = {}
    with common.step("pagerank"):
        degrees = np.bincount(one, minlength=size)
        nobody, divisor = degrees == 0, np.maximum(degrees, 1)
        ranks = np.full(size, 1 / size)
        for _ in range(ROUNDS):
            sent = gb.Vector.from_dense(ranks / divisor)
            got = into.mxv(sent, gb.semiring.plus_second["FP64"]).new().to_dense(0)
            new = DAMPING * (got + ranks[nobody].sum() / size) + (1 - DAMPING) / size
            change, ranks = np.abs(new - ranks).sum(), new
            if change < TOLERANCE:
                break
    answers["pagerank"] = top(ranks)
    del into
    low, high = undirected(one, other)
    with common.step("triangles"):
        degrees = np.bincount(low, minlength=size) + np.bincount(high, minlength=size)
        place = np.empty(size, np.uint64)
        place[np.argsort(-degrees, kind="stable")] = np.arange(size, dtype=np.uint64)
        ends = place[low], place[high]
        rows, columns = np.maximum(*ends), np.minimum(*ends)
        lower = gb.Matrix.from_coo(rows, columns, True, nrows=size, ncols=size)
        closed = lower.mxm(lower, gb.semiring.plus_pair["INT64"]).new(mask=lower.S)
        answers["triangles"] = int(closed.reduce_scalar(gb.monoid.plus).value)
    return answers


if __name__ == "__main__":
    common.run([graph_mate, networkit, igraph, scipy, graphblas])
