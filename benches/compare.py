#!/usr/bin/env python3
"""Our program and others at the same work, side by side.

    compare.py diff STORE [--rounds 5] [--program target/release/followgraph]

Each round runs every tool once, one after the other, each in a process of its own, so that
whatever else the machine does meets all of them. Wall clock, CPU and peak memory are those of the
whole process as the kernel counts them; medians are printed, with the least and the most of the
wall clock. Before anything is printed, all answers must be equal.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PEERS = Path(__file__).parent / "peers"


def measured(command: list, **environment) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak MiB of a process."""
    began = time.perf_counter()
    child = subprocess.Popen([str(word) for word in command], env=os.environ | environment)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{command[0]} ended with {child.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def checksum(table, column: str) -> tuple[int, int]:
    """How many, and what they are together."""
    import numpy as np

    members = table[column].to_numpy()
    return len(members), int(np.bitwise_xor.reduce(members)) if len(members) else 0


def answer_of_ours(out: Path):
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    changes = pq.read_table(out / "changes.parquet", columns=["member_id", "change"])
    # pyarrow cannot compare or filter the string views that polars writes.
    kinds, members = changes["change"].cast("string"), changes.select(["member_id"])
    of = lambda kind: members.filter(pc.equal(kinds, kind))  # noqa: E731
    return checksum(of("gained"), "member_id"), checksum(of("lost"), "member_id")


def answer_of_peer(out: Path):
    import pyarrow.parquet as pq

    files = (pq.read_table(out / f"{name}.parquet") for name in ("gained", "lost"))
    return tuple(checksum(table, "member_id") for table in files)


def diff(store: Path, program: str):
    """Command, and what it answered, of every tool; floors answer nothing."""
    before, after = sorted(store.glob("run=*/list=followers"))[-2:]

    def ours(threads: int):
        command = [program, "--quiet", "--threads", threads, "--store", store, "diff"]
        return lambda out: [*command, "--format", "parquet", "--output", out / "changes.parquet"]

    def peer(name: str):
        return lambda out: [sys.executable, PEERS / "diff.py", name, before, after, out]

    return {
        "followgraph": (ours(os.cpu_count() or 1), answer_of_ours),
        "followgraph, 1 thread": (ours(1), answer_of_ours),
        "DuckDB, full join": (peer("duckdb"), answer_of_peer),
        "polars, anti joins": (peer("polars"), answer_of_peer),
        "numpy, setdiff1d": (peer("numpy"), answer_of_peer),
        "floor: pyarrow decodes the ids": (peer("decode"), None),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("what", choices=["diff"])
    arguments.add_argument("store", type=Path)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--program", default="target/release/followgraph")
    asked = arguments.parse_args()
    tools = diff(asked.store, asked.program)
    figures: dict[str, list] = {name: [] for name in tools}
    answers = {}
    for _ in range(asked.rounds):
        for name, (command, answer) in tools.items():
            out = Path(tempfile.mkdtemp(prefix="compare-"))
            figures[name].append(measured(command(out)))
            if answer:
                answers[name] = answer(out)
            shutil.rmtree(out)
    if len(set(answers.values())) != 1:
        sys.exit(f"the answers differ: {answers}")
    (gained, _), (lost, _) = next(iter(answers.values()))
    print(f"all answer alike: {gained:,} gained, {lost:,} lost\n")
    first = statistics.median(wall for wall, *_ in figures["followgraph"])
    print("| tool | wall s | [least, most] | CPU s | peak MiB | times ours |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, rounds in figures.items():
        walls, cpus, peaks = zip(*rounds)
        wall, cpu, peak = map(statistics.median, (walls, cpus, peaks))
        spread = f"[{min(walls):.2f}, {max(walls):.2f}]"
        print(f"| {name} | {wall:.2f} | {spread} | {cpu:.2f} | {peak:,.0f} | {wall / first:.1f} |")


if __name__ == "__main__":
    main()
