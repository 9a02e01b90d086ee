"""What the machine needs for one part of the work alone: no tool can be faster.

    floors.py decode THREADS COLUMN,… PATH…    reads columns and forgets them
    floors.py decode_in_duckdb COLUMN,… PATH…  the same, with an aggregate that touches every value
    floors.py bytes PATH…                      reads the files, as `cat` does
    floors.py write OUT PATH…                  writes a known answer again
    floors.py copy GIGABYTES                   copies memory; the step says how fast
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import common


def parts(paths) -> list[str]:
    """The files of folders, in order, and files as they are."""
    found = []
    for path in map(Path, paths):
        found += sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    return [str(path) for path in found]


def decode(threads: str, columns: str, *paths: str) -> None:
    import pyarrow.parquet as pq

    names = columns.split(",")

    def group(work: tuple[str, int]) -> int:
        path, index = work
        file = pq.ParquetFile(path)
        batches = file.iter_batches(1 << 16, [index], names, use_threads=False)
        return sum(len(batch) for batch in batches)

    files = parts(paths)
    work = [(f, i) for f in files for i in range(pq.ParquetFile(f).num_row_groups)]
    with ThreadPoolExecutor(int(threads)) as pool:
        sum(pool.map(group, work))


def decode_in_duckdb(columns: str, *paths: str) -> None:
    touched = ", ".join(f"bit_xor({name})" for name in columns.split(","))
    for path in paths:
        common.duck().execute(f"select {touched} from '{common.glob(path)}'").fetchone()


def bytes(*paths: str) -> None:
    buffer = bytearray(1 << 22)
    for path in parts(paths):
        with open(path, "rb", buffering=0) as file:
            while file.readinto(buffer):
                pass


def write(out: str, *paths: str) -> None:
    import pyarrow.parquet as pq

    for path in parts(paths):
        name = Path(path).name
        pq.write_table(pq.read_table(path), f"{out}/{name}", compression="zstd", use_dictionary=False)


def copy(gigabytes: str) -> None:
    import numpy as np

    size = int(float(gigabytes) * 1e9)
    source, target = np.ones(size, np.uint8), np.ones(size, np.uint8)
    for _ in range(5):
        with common.step("copy"):
            np.copyto(target, source)
    common.STEPS["copied_gb_per_s"] = round(size / 1e9 / common.STEPS["copy"], 1)


if __name__ == "__main__":
    common.run([decode, decode_in_duckdb, bytes, write, copy])
