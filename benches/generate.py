#!/usr/bin/env python3
"""Makes the data that the comparisons read: seeded, so that everybody measures the same.

    generate.py diff DIR [--members 50000000] [--parts sorted,api,text,store]
    generate.py overlap DIR [--accounts 200] [--users 20000000] [--rows 75000000]
    generate.py graph DIR [--scale 20] [--parts grouped,edges,binary,store]

`diff`: two snapshots of one account's followers, of which 1.5 % are gained and 1 % lost, as sorted
Parquet (delta-coded, zstd), as Parquet in the API's order (newest first, plain, zstd), as
zero-padded text for `comm`, and as a store.
`overlap`: a store with follower lists of very different sizes (log-uniform, the largest 200 times
the smallest), whose members are drawn by a popularity like Zipf's (exponent 0.75).
`graph`: a Kronecker graph with the parameters of Graph500 (.57, .19, .19), edge factor 16, of whose
edges 22 % are returned, without self-loops: with small numbers, sorted (`grouped.parquet`, and a
store of following lists; `edges.bin` has the same as pairs of 32-bit numbers), and with 64-bit ids
in no order (`edges.parquet`).

Stores are made by the program itself. `expected.json` says what every tool must answer.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

import ids

GROUP = 1 << 20
ACCOUNT = "5"


class Column:
    """A Parquet file of 64-bit columns that is written as its rows come, a million a group."""

    def __init__(self, path: Path, names: list[str], encoding: str, compression: str = "zstd"):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.names, self.waiting = names, [np.empty((len(names), 0), np.int64)]
        encodings = None if encoding == "PLAIN" else dict.fromkeys(names, encoding)
        self.file = pq.ParquetWriter(
            path,
            pa.schema([(name, pa.int64()) for name in names]),
            compression=compression,
            use_dictionary=False,
            column_encoding=encodings,
        )

    def add(self, *columns: np.ndarray) -> None:
        self.waiting.append(np.stack(columns).astype(np.int64, copy=False))
        if sum(part.shape[1] for part in self.waiting) >= GROUP:
            self.flush(GROUP)

    def flush(self, at_least: int) -> None:
        rows = np.concatenate(self.waiting, axis=1)
        done = rows.shape[1] // at_least * at_least
        self.file.write_table(pa.table(list(rows[:, :done]), names=self.names), row_group_size=GROUP)
        self.waiting = [rows[:, done:]]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.flush(1)
        self.file.close()


def take(program: str, store: Path, how: list[str], tables: Iterable[pa.Table]) -> None:
    """Lets the program import tables, which it reads as they are made."""
    command = [program, "--quiet", "--store", store, "import", "-", *how]
    reader = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE)
    writer = None
    for table in tables:
        if writer is None:
            # Without a column for the account the file is a plain list, one id a line.
            options = pa.csv.WriteOptions(include_header=len(table.column_names) > 1)
            writer = pa.csv.CSVWriter(reader.stdin, table.schema, write_options=options)
        writer.write_table(table)
    writer.close()
    reader.stdin.close()
    if reader.wait() != 0:
        sys.exit(f"the import ended with {reader.returncode}")


def sliced(*columns: np.ndarray, names: list[str], rows: int = 1 << 22) -> Iterable[pa.Table]:
    for start in range(0, len(columns[0]), rows):
        yield pa.table([column[start : start + rows] for column in columns], names=names)


def padded(numbers: np.ndarray) -> bytes:
    """Lines of 19 digits, so that the order of the text is that of the numbers."""
    four = np.array([list(b"%04d" % n) for n in range(10_000)], np.uint8)
    lines = np.full((len(numbers), 20), ord("\n"), np.uint8)
    lines[:, :3] = four[numbers // 10**16, 1:]
    for start, unit in ((3, 10**12), (7, 10**8), (11, 10**4), (15, 1)):
        lines[:, start : start + 4] = four[numbers // unit % 10_000]
    return lines.tobytes()


def together(members: np.ndarray) -> list[int]:
    """How many there are, and their exclusive or: an answer to compare, whatever its order."""
    return [len(members), int(np.bitwise_xor.reduce(members)) if len(members) else 0]


def diff(out: Path, asked: argparse.Namespace) -> dict:
    dice = np.random.default_rng(asked.seed)
    parts = asked.parts or ["sorted", "api", "text", "store"]
    whole = {"api", "store"} & set(parts)
    ages = ("before", "after")
    names = [f"{age}.parquet" for age in ages]
    kept: dict[str, list] = {name: [] for name in ("everybody", "gained", "lost")}
    counts = dict.fromkeys(ages, 0)
    texts = []
    if "text" in parts:
        (out / "text").mkdir(parents=True)
        texts = [open(out / "text" / f"{age}.txt", "wb") for age in ages]
    files = [Column(out / "sorted" / name, ["id"], "DELTA_BINARY_PACKED") for name in names]
    for piece in ids.pieces(dice, int(asked.members * 1.015)):
        fate = dice.random(len(piece), np.float32)
        gained, lost = fate < 0.0148, fate > 0.99
        for age, absent, file in zip(ages, (gained, lost), files):
            counts[age] += len(piece) - int(np.count_nonzero(absent))
            file.add(piece[~absent])
        for text, absent in zip(texts, (gained, lost)):
            text.write(padded(piece[~absent]))
        kept["gained"].append(piece[gained])
        kept["lost"].append(piece[lost])
        kept["everybody"].append(piece if whole else piece[:0])
    for file in (*files, *texts):
        file.__exit__(None, None, None)
    gained, lost, everybody = (
        np.concatenate(kept.pop(name)) for name in ("gained", "lost", "everybody")
    )
    for name, members in (("gained", gained), ("lost", lost)):
        with Column(out / "answer" / f"{name}.parquet", ["id"], "PLAIN", "none") as file:
            file.add(members)
    if whole:
        # Who is new stands in front; the others keep their order.
        old = np.setdiff1d(everybody, gained, assume_unique=True)
        del everybody
        old = old[np.argsort(-ids.followed_at(dice, old))]
        new = np.concatenate([dice.permutation(gained), old[~np.isin(old, lost)]])
        for age, name, members, day in zip(ages, names, (old, new), ("01", "02")):
            if "api" in parts:
                with Column(out / "api" / name, ["id"], "PLAIN") as file:
                    file.add(members)
            if "store" in parts:
                how = ["--account", ACCOUNT, "--newest-first", "--time", f"2026-11-{day}T00:00:00Z"]
                take(asked.program, out / "store", how, sliced(members, names=["id"]))
    return counts | {"gained": together(gained), "lost": together(lost)}


def overlap(out: Path, asked: argparse.Namespace) -> dict:
    dice = np.random.default_rng(asked.seed)
    users, accounts = asked.users, asked.accounts
    sizes = np.exp(dice.uniform(0, np.log(200), accounts))
    sizes = np.minimum(sizes * (asked.rows / sizes.sum()), users / 4).astype(np.int64)
    numbers = np.sort(ids.exactly(dice, accounts))
    members = np.sort(ids.exactly(dice, users))
    user_of_rank = dice.permutation(users)
    power = 1 - 0.75
    first, last = 10**power, (users + 10) ** power
    lists_of_user = np.zeros(users, np.int32)

    def lists() -> Iterable[pa.Table]:
        for number, size in zip(numbers, sizes):
            drawn = np.empty(0, np.int64)
            while len(drawn) < size:
                share = dice.random((size - len(drawn)) * 3 // 2 + 64)
                ranks = ((share * (last - first) + first) ** (1 / power) - 10).astype(np.int64)
                drawn = ids.distinct(np.concatenate([drawn, np.minimum(ranks, users - 1)]))
            found = np.sort(user_of_rank[dice.choice(drawn, size, replace=False, shuffle=False)])
            lists_of_user[found] += 1
            yield pa.table({"account": np.full(size, number), "member": members[found]})

    columns = ["--account-column", "account", "--member-column", "member"]
    how = [*columns, "--list", "followers", "--time", "2026-11-01T00:00:00Z"]
    take(asked.program, out / "store", how, merged(lists()))
    deep = lists_of_user.astype(np.int64)
    return {
        "accounts": accounts,
        "rows": int(sizes.sum()),
        "users_seen": int(np.count_nonzero(deep)),
        "shared": int((deep * (deep - 1) // 2).sum()),
    }


def merged(tables: Iterable[pa.Table], rows: int = 1 << 20) -> Iterable[pa.Table]:
    """Small tables together, so that ten thousand accounts are not ten thousand writes."""
    waiting = []
    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= rows:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def kronecker(dice: np.random.Generator, scale: int, edges: int) -> np.ndarray:
    """Edges of a Graph500 graph as src << 32 | dst, some twice, the vertices in random order."""
    a, b, c = 0.57, 0.19, 0.19
    label = dice.permutation(1 << scale)
    keys = np.empty(edges, np.int64)
    for start in range(0, edges, 1 << 22):
        some = min(1 << 22, edges - start)
        src, dst = np.zeros(some, np.int64), np.zeros(some, np.int64)
        for bit in range(scale):
            below = dice.random(some, np.float32) > a + b
            edge = np.where(below, np.float32(c / (1 - a - b)), np.float32(a / (a + b)))
            right = dice.random(some, np.float32) > edge
            src |= below.astype(np.int64) << bit
            dst |= right.astype(np.int64) << bit
        keys[start : start + some] = label[src] << 32 | label[dst]
    return keys


def graph(out: Path, asked: argparse.Namespace) -> dict:
    dice = np.random.default_rng(asked.seed)
    parts = asked.parts or ["grouped", "edges", "binary", "store"]
    names = ["src", "dst"]
    low = (1 << 32) - 1
    keys = kronecker(dice, asked.scale, int((16 << asked.scale) / 1.22))
    back = keys[dice.random(len(keys), np.float32) < 0.22]
    keys = ids.distinct(np.concatenate([keys, (back & low) << 32 | back >> 32]))
    del back
    keys = keys[keys >> 32 != keys & low]
    src, dst = (keys >> 32).astype(np.uint32), keys.astype(np.uint32)
    seen = np.zeros(1 << asked.scale, bool)
    seen[src] = seen[dst] = True
    down = src > dst
    keys[down] = (keys[down] & low) << 32 | keys[down] >> 32
    del down
    keys.sort()
    mutual = keys[1:][keys[1:] == keys[:-1]]
    del keys
    accounts = int(np.count_nonzero(seen))
    answer = {"edges": len(src), "accounts": accounts, "pairs": together(mutual)}
    if "store" in parts:
        # What `mutuals` must find there, for the floor that only writes it.
        with Column(out / "answer" / "mutuals.parquet", ["a_id", "b_id"], "PLAIN", "none") as file:
            file.add(mutual >> 32, mutual & low)
    if "binary" in parts:
        np.stack([src, dst], 1).astype("<u4").tofile(out / "edges.bin")
    if "grouped" in parts:
        with Column(out / "grouped.parquet", names, "DELTA_BINARY_PACKED") as file:
            for start in range(0, len(src), 1 << 22):
                file.add(src[start : start + (1 << 22)], dst[start : start + (1 << 22)])
    if "store" in parts:
        columns = ["--account-column", "src", "--member-column", "dst", "--list", "following"]
        how = [*columns, "--time", "2026-11-01T00:00:00Z"]
        take(asked.program, out / "store", how, sliced(src, dst, names=names))
    if "edges" in parts:
        number = ids.exactly(dice, 1 << asked.scale)
        order = dice.permutation(len(src))
        with Column(out / "edges.parquet", names, "PLAIN") as file:
            for start in range(0, len(src), 1 << 22):
                some = order[start : start + (1 << 22)]
                file.add(number[src[some]], number[dst[some]])
    return answer


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--program", default="target/release/followgraph")
    kinds = arguments.add_subparsers(dest="what", required=True)
    for make, settings in (
        (diff, {"members": 50_000_000}),
        (overlap, {"accounts": 200, "users": 20_000_000, "rows": 75_000_000}),
        (graph, {"scale": 20}),
    ):
        kind = kinds.add_parser(make.__name__)
        kind.set_defaults(make=make)
        kind.add_argument("out", type=Path)
        kind.add_argument("--parts", type=lambda text: text.split(","))
        for name, value in settings.items():
            kind.add_argument(f"--{name}", type=int, default=value)
    asked = arguments.parse_args()
    if asked.out.exists():
        sys.exit(f"{asked.out} is there already; remove it, or name another folder")
    asked.out.mkdir(parents=True)
    expected = asked.make(asked.out, asked)
    settings = {name: value for name, value in vars(asked).items() if isinstance(value, int)}
    (asked.out / "expected.json").write_text(json.dumps(settings | expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
