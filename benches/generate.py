#!/usr/bin/env python3
"""Makes the stores that the comparisons read: seeded, so that everybody measures the same.

    generate.py diff STORE --members 50000000 --program target/release/followgraph

`diff`: two complete snapshots of one account's followers, a day apart, of which 1 % is gained and
0.8 % lost. Three quarters of the ids are snowflakes (41 bits of milliseconds, ten of a server,
twelve of a sequence that is mostly 0), the rest are of the time before.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

SNOWFLAKES_SINCE_MS = 1_288_834_974_657
NOW_MS = 1_793_491_200_000
SEQUENTIAL_BELOW = 4_950_000_000
ACCOUNT = "5"


def ids(dice: np.random.Generator, count: int) -> np.ndarray:
    """Distinct ids as the network gives them, ascending."""
    servers = dice.choice(1024, 128, replace=False)
    some = np.empty(0, np.int64)
    while len(some) < count:
        missing = int((count - len(some)) * 1.1) + 1000
        sequential = dice.integers(12, SEQUENTIAL_BELOW, missing // 4)
        snowflakes = missing - len(sequential)
        millis = dice.integers(1, NOW_MS - SNOWFLAKES_SINCE_MS, snowflakes)
        server = servers[dice.integers(0, len(servers), snowflakes)]
        sequence = np.minimum(dice.geometric(0.55, snowflakes) - 1, 4095)
        some = np.unique(np.concatenate([some, sequential, millis << 22 | server << 12 | sequence]))
    return np.sort(dice.choice(some, count, replace=False))


def take(program: str, store: Path, members: np.ndarray, time: str) -> None:
    """Imports a list as a complete snapshot."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", dir=store.parent) as text:
        for piece in np.array_split(members, max(1, len(members) // 1_000_000)):
            text.write("\n".join(map(str, piece.tolist())) + "\n")
        text.flush()
        command = [program, "--quiet", "--store", store, "import", text.name]
        subprocess.run([*command, "--account", ACCOUNT, "--time", time], check=True)


def diff(store: Path, members: int, seed: int, program: str) -> None:
    dice = np.random.default_rng(seed)
    gained, lost = members // 100, members // 125
    everybody = dice.permutation(ids(dice, members + gained))
    take(program, store, everybody[gained:], "2026-11-01T00:00:00Z")
    take(program, store, everybody[: members + gained - lost], "2026-11-02T00:00:00Z")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("what", choices=["diff"])
    arguments.add_argument("store", type=Path)
    arguments.add_argument("--members", type=int, default=50_000_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--program", default="target/release/followgraph")
    asked = arguments.parse_args()
    if asked.store.exists():
        sys.exit(f"{asked.store} is there already; remove it, or name another folder")
    asked.store.parent.mkdir(parents=True, exist_ok=True)
    diff(asked.store, asked.members, asked.seed, asked.program)


if __name__ == "__main__":
    main()
