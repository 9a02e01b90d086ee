"""How many members each two of many lists share, as other tools find out.

    overlap.py PEER LISTS OUT

LISTS is the folder of a list's Parquet parts, with `account_id` and `member_id`, sorted by both; OUT
is a folder, in which `overlap.parquet` appears: `a_id` < `b_id` and `intersection`, pairs that
share nobody left out.
"""

import common

PAIRS = "a.account_id as a_id, b.account_id as b_id, count(*) as intersection"


def duckdb_self_join(lists: str, out: str) -> None:
    rows = common.glob(lists)
    pairs = (
        f"select {PAIRS} from '{rows}' a join '{rows}' b "
        "on a.member_id = b.member_id and a.account_id < b.account_id group by 1, 2"
    )
    common.duck().execute(f"copy ({pairs}) to '{out}/overlap.parquet' (compression zstd)")


def duckdb_lists(lists: str, out: str) -> None:
    """A member's accounts are collected first, then the pairs of each are counted."""
    pairs = (
        "with seen as (select list(account_id) as accounts "
        f"from '{common.glob(lists)}' group by member_id having count(*) > 1), "
        "one as (select accounts, unnest(accounts) as a_id from seen), "
        "two as (select a_id, unnest(accounts) as b_id from one) "
        "select a_id, b_id, count(*) as intersection from two where a_id < b_id group by 1, 2"
    )
    common.duck().execute(f"copy ({pairs}) to '{out}/overlap.parquet' (compression zstd)")


def polars_join(lists: str, out: str) -> None:
    import polars as pl

    rows = pl.scan_parquet(common.glob(lists)).select("account_id", "member_id")
    pairs = (
        rows.join(rows, on="member_id", suffix="_b")
        .filter(pl.col("account_id") < pl.col("account_id_b"))
        .group_by(a_id="account_id", b_id="account_id_b")
        .agg(intersection=pl.len().cast(pl.Int64))
    )
    pairs.sink_parquet(f"{out}/overlap.parquet", compression="zstd", engine="streaming")


def numbered(lists: str):
    """The accounts, where each one's rows begin, and members as small numbers (by sorting)."""
    import numpy as np
    import pyarrow.parquet  # noqa: F401, before the clock starts

    with common.step("read"):
        accounts, members = common.columns(lists, "account_id", "member_id")
    with common.step("number"):
        accounts, starts = np.unique(accounts, return_index=True)
        every, members = np.unique(members, return_inverse=True)
    return accounts, np.append(starts, len(members)), members, len(every)


def save(out: str, accounts, matrix) -> None:
    """The upper half of a dense matrix of counts."""
    import numpy as np

    one, other = np.nonzero(np.triu(matrix, 1))
    counts = matrix[one, other].astype(np.int64)
    path = f"{out}/overlap.parquet"
    common.write(path, a_id=accounts[one], b_id=accounts[other], intersection=counts)


def scipy(lists: str, out: str) -> None:
    import numpy as np
    import scipy.sparse as sp

    accounts, starts, members, width = numbered(lists)
    with common.step("count"):
        ones = np.ones(len(members), np.int32)
        shape = (len(accounts), width)
        table = sp.csr_array((ones, members.astype(np.int32), starts), shape=shape)
        save(out, accounts, (table @ table.T.tocsr()).toarray())


def graphblas(lists: str, out: str) -> None:
    import graphblas as gb
    import numpy as np

    gb.init("suitesparse", blocking=True)
    accounts, starts, members, width = numbered(lists)
    with common.step("count"):
        starts, members = starts.astype(np.uint64), members.astype(np.uint64)
        table = gb.Matrix.from_csr(starts, members, 1, ncols=width, dtype="INT32")
        counts = table.mxm(table.T, gb.semiring.plus_pair["INT64"]).new()
        save(out, accounts, counts.to_dense(0))


def roaring(lists: str, out: str) -> None:
    import numpy as np
    from pyroaring import BitMap

    accounts, starts, members, _ = numbered(lists)
    members = members.astype(np.uint32)
    with common.step("build"):
        sets = [BitMap(members[start:end]) for start, end in zip(starts, starts[1:])]
    with common.step("count"):
        matrix = np.zeros((len(sets), len(sets)), np.int64)
        for row, one in enumerate(sets):
            for column in range(row + 1, len(sets)):
                matrix[row, column] = one.intersection_cardinality(sets[column])
        save(out, accounts, matrix)


def numpy_bits(lists: str, out: str) -> None:
    """A row of bits for each list; AND and popcount for each pair, in pieces that fit in cache."""
    import numpy as np

    accounts, starts, members, width = numbered(lists)
    words = -(-width // 512) * 8
    with common.step("bits"):
        bits = np.zeros((len(accounts), words), np.uint64)
        row = np.zeros(words * 64, np.uint8)
        for index, (start, end) in enumerate(zip(starts, starts[1:])):
            row[members[start:end]] = 1
            bits[index] = np.packbits(row, bitorder="little").view(np.uint64)
            row[members[start:end]] = 0
    with common.step("count"):
        matrix = np.zeros((len(accounts), len(accounts)), np.int64)
        for start in range(0, words, 1 << 12):
            piece = bits[:, start : start + (1 << 12)]
            for index in range(len(accounts) - 1):
                shared = np.bitwise_count(piece[index + 1 :] & piece[index])
                matrix[index, index + 1 :] += shared.sum(1, dtype=np.int64)
        save(out, accounts, matrix)


if __name__ == "__main__":
    common.run([duckdb_self_join, duckdb_lists, polars_join, scipy, graphblas, roaring, numpy_bits])
