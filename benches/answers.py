"""What a tool has written into a folder, as an answer that can be compared.

    answers.py diff|mutuals|overlap FOLDER

Run as a process of its own after the tool, so that reading the answer is in nobody's time and the
runner stays small. Ours writes one table and others two, or folders, or text; all are read here.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def together(numbers: np.ndarray) -> list[int]:
    """How many there are, and their exclusive or, whatever their order."""
    return [len(numbers), int(np.bitwise_xor.reduce(numbers)) if len(numbers) else 0]


def table(out: Path, name: str, *columns: str) -> pa.Table:
    """A result that is a file, or a folder of files."""
    path = out / name
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path.with_suffix(".parquet")]
    return pa.concat_tables([pq.read_table(file, columns=list(columns)) for file in files])


def diff(out: Path) -> dict:
    if (out / "changes.txt").exists():
        # `comm -3`: what only the first has; after a tab, what only the second has.
        both = (out / "changes.txt").read_bytes().splitlines()
        sides = {"gained": [x for x in both if x[:1] == b"\t"], "lost": [x for x in both if x[:1] != b"\t"]}
        return {side: together(np.array(list(map(int, ids)), np.int64)) for side, ids in sides.items()}
    if (out / "changes.parquet").exists():
        changes = table(out, "changes", "member_id", "change")
        # pyarrow cannot compare the string views that polars writes.
        kinds = changes["change"].cast("string")
        members = {kind: changes["member_id"].filter(pc.equal(kinds, kind)) for kind in ("gained", "lost")}
        return {kind: together(ids.to_numpy()) for kind, ids in members.items()}
    return {side: together(table(out, side, "id")["id"].to_numpy()) for side in ("gained", "lost")}


def mutuals(out: Path) -> dict:
    pairs = table(out, "mutuals", "a_id", "b_id")
    return {"pairs": together(pairs["a_id"].to_numpy() << 32 | pairs["b_id"].to_numpy())}


def overlap(out: Path) -> dict:
    shared = table(out, "overlap", "intersection")["intersection"].to_numpy()
    return {"pairs that share": int(np.count_nonzero(shared)), "shared": int(shared.sum())}


if __name__ == "__main__":
    what, folder = sys.argv[1:]
    print(json.dumps({"answers": {"diff": diff, "mutuals": mutuals, "overlap": overlap}[what](Path(folder))}))
