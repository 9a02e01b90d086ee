"""Which tools answer which question, with which command, on which files.

A command is a list of words; `{out}` in one stands for the folder that the run may write to. What a
tool answers is read from that folder (`answers.py`), or from the JSON that it prints.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
CORES = os.cpu_count() or 1


@dataclass(frozen=True)
class Tool:
    name: str
    command: list
    # Where the answer is: in files, by the name of a function of `answers.py`; in the JSON that was
    # `said`; in what a bench of ours prints; nowhere, for a floor.
    answer: str | None = "said"


@dataclass(frozen=True)
class Ours:
    """How our program is called: by default as it is built, or as the caller says."""

    program: str
    template: str | None

    def tools(self, words: list, answer: str) -> list[Tool]:
        """With all cores, and with one."""
        return [
            self.tool("followgraph", CORES, words, answer),
            self.tool("followgraph, 1 thread", 1, words, answer),
        ]

    def tool(self, name: str, threads: int, words: list, answer: str) -> Tool:
        if self.template:
            return Tool(name, self.template.replace("{threads}", str(threads)).split(), answer)
        return Tool(name, [self.program, "--quiet", "--threads", threads, *words], answer)

    def bench(self, name: str, words: list) -> list[Tool]:
        """A bench of the analysis crate, which keeps a graph in memory and prints JSON."""
        if self.template:
            return self.tools([], f"{name} bench")
        both = (("followgraph", CORES), ("followgraph, 1 thread", 1))
        return [
            Tool(tool, ["env", *settings(threads), Bench(name), *words], f"{name} bench")
            for tool, threads in both
        ]


def settings(threads: int) -> list[str]:
    """What benches of ours heed; one run each, for the runner repeats them."""
    names = ("RAYON_NUM_THREADS", "FOLLOWGRAPH_THREADS")
    return [*(f"{name}={threads}" for name in names), "FOLLOWGRAPH_BENCH_RUNS=1"]


@dataclass(frozen=True)
class Bench:
    """A bench's executable, as a word of a command; built when the command is run."""

    name: str

    def __str__(self) -> str:
        return built(self.name)


@cache
def built(bench: str) -> str:
    """Builds a bench, and says where it is: cargo itself must not be measured."""
    # Not of one package, which would be built anew with other features than the program has.
    command = ["cargo", "bench", "--quiet", "--bench", bench]
    said = subprocess.run(
        [*command, "--no-run", "--message-format", "json"],
        check=True,
        stdout=subprocess.PIPE,
        cwd=HERE.parent,
    ).stdout
    found = (json.loads(line).get("executable") for line in said.splitlines())
    return next(path for path in found if path and Path(path).name.startswith(bench))


def peers(question: str, words: list, answer: str, names: dict[str, str]) -> list[Tool]:
    script = HERE / "peers" / f"{question}.py"
    return [
        Tool(name, [sys.executable, script, peer, *words], answer) for peer, name in names.items()
    ]


def floor(name: str, *words) -> Tool:
    return Tool(f"floor: {name}", [sys.executable, HERE / "peers" / "floors.py", *words], None)


def decoding(columns: str, *paths) -> list[Tool]:
    return [
        floor("pyarrow decodes, 1 thread", "decode", 1, columns, *paths),
        floor(f"pyarrow decodes, {CORES} threads", "decode", CORES, columns, *paths),
        floor("DuckDB decodes", "decode_in_duckdb", columns, *paths),
        floor("the files' bytes", "bytes", *paths),
    ]


MEMORY = [floor("copying 1 GB of memory", "copy", 1)]

# Snowflakes are too thin for bitmaps: of 50 million, 64-bit Roaring takes 11 GiB and 50 CPU seconds.
ROARING_BYTES = 50_000_000

DIFF_PEERS = {
    "duckdb_full_join": "DuckDB, full join",
    "duckdb_anti_joins": "DuckDB, anti joins",
    "polars_anti_joins": "polars, anti joins",
    "datafusion_anti_joins": "DataFusion, anti joins",
    "numpy_setdiff": "numpy, setdiff1d",
    "numpy_search": "numpy, binary search",
}


def diff_of(data: Path, ours: Ours, order: str) -> list[Tool]:
    before, after = (data / order / f"{age}.parquet" for age in ("before", "after"))
    words = ["diff", "--before", before, "--after", after]
    output = ["--format", "parquet", "--output", "{out}/changes.parquet"]
    answer = [data / "answer" / f"{side}.parquet" for side in ("gained", "lost")]
    return [
        *ours.tools([*words, *output], "diff"),
        *peers("diff", [before, after, "id", "{out}"], "diff", DIFF_PEERS),
        *decoding("id", before, after),
        floor("writing the answer", "write", "{out}", *answer),
        *MEMORY,
    ]


def diff(data: Path, ours: Ours) -> list[Tool]:
    """Two sorted files; `comm` reads the same ids as text, and Roaring comes in where they are few."""
    tools = diff_of(data, ours, "sorted")
    text = [data / "text" / f"{age}.txt" for age in ("before", "after")]
    if text[0].exists():
        comm = f"LC_ALL=C comm -3 '{text[0]}' '{text[1]}' > '{{out}}/changes.txt'"
        tools.insert(2, Tool("GNU comm, on text", ["sh", "-c", comm], "diff"))
    files = [data / "sorted" / f"{age}.parquet" for age in ("before", "after")]
    if files[0].stat().st_size < ROARING_BYTES:
        roaring = peers("diff", [*files, "id", "{out}"], "diff", {"roaring": "Roaring"})
        first_floor = next(i for i, tool in enumerate(tools) if tool.answer is None)
        tools[first_floor:first_floor] = roaring
    return tools


def diff_unsorted(data: Path, ours: Ours) -> list[Tool]:
    return diff_of(data, ours, "api")


def diff_store(data: Path, ours: Ours) -> list[Tool]:
    """Two snapshots in a store; ours tells positions as well, which others need not read."""
    store = data / "store"
    before, after = sorted(store.glob("run=*/list=followers"))[-2:]
    output = ["--format", "parquet", "--output", "{out}/changes.parquet"]
    return [
        *ours.tools(["--store", store, "diff", *output], "diff"),
        *peers("diff", [before, after, "member_id", "{out}"], "diff", DIFF_PEERS),
        *decoding("member_id", before, after),
        floor("pyarrow decodes ids and positions", "decode", CORES, "member_id,position", before, after),
    ]


def overlap(data: Path, ours: Ours) -> list[Tool]:
    store = data / "store"
    (lists,) = store.glob("run=*/list=followers")
    output = ["--format", "parquet", "--output", "{out}/overlap.parquet"]
    names = {
        "numpy_bits": "numpy, rows of bits",
        "roaring": "Roaring, each pair",
        "duckdb_lists": "DuckDB, lists of a member",
        "duckdb_self_join": "DuckDB, self join",
        "polars_join": "polars, self join",
        "graphblas": "GraphBLAS, A·Aᵀ",
        "scipy": "scipy, A·Aᵀ",
    }
    return [
        *ours.tools(["--store", store, "overlap", *output], "overlap"),
        *peers("overlap", [lists, "{out}"], "overlap", names),
        *decoding("account_id,member_id", lists),
        *MEMORY,
    ]


def mutuals(data: Path, ours: Ours) -> list[Tool]:
    store = data / "store"
    (lists,) = store.glob("run=*/list=following")
    output = ["--format", "parquet", "--output", "{out}/mutuals.parquet"]
    names = {
        "duckdb_split_join": "DuckDB, semi join",
        "duckdb_group": "DuckDB, group by",
        "polars_join": "polars, semi join",
        "datafusion_join": "DataFusion, semi join",
        "numpy_sort": "numpy, sort",
        "scipy": "scipy, A ∘ Aᵀ",
        "graphblas": "GraphBLAS, A ∘ Aᵀ",
        "igraph": "igraph",
    }
    return [
        *ours.tools(["--store", store, "mutuals", "--edges", *output], "mutuals"),
        *peers("mutuals", [lists, "account_id", "member_id", "{out}"], "mutuals", names),
        *decoding("account_id,member_id", lists),
        floor("writing the answer", "write", "{out}", data / "answer" / "mutuals.parquet"),
    ]


LIBRARIES = {
    "scipy": "scipy",
    "graphblas": "GraphBLAS",
    "networkit": "NetworKit",
    "graph_mate": "neo4j-labs graph",
    "igraph": "igraph",
}


def load(data: Path, ours: Ours) -> list[Tool]:
    edges = data / "edges.parquet"
    return [
        *ours.bench("load", [edges, "src", "dst"]),
        *peers("load", [edges, "src", "dst"], "said", LIBRARIES | {"scipy_sorted": "scipy, ids by numpy"}),
        *decoding("src,dst", edges),
        *MEMORY,
    ]


def graph(data: Path, ours: Ours) -> list[Tool]:
    edges = data / "grouped.parquet"
    return [
        *ours.bench("graph", [data / "edges.bin"]),
        *peers("graph", [edges, "src", "dst"], "said", LIBRARIES),
    ]


QUESTIONS: dict[str, Callable[[Path, Ours], list[Tool]]] = {
    "diff": diff,
    "diff-unsorted": diff_unsorted,
    "diff-store": diff_store,
    "overlap": overlap,
    "mutuals": mutuals,
    "load": load,
    "graph": graph,
}

# In memory the steps are what is compared: processes differ in what they load and ask besides.
IN_MEMORY = {"graph"}
