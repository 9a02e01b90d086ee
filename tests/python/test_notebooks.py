"""The notebooks run with the program as it is, and what they show is what it answers today.

`python tests/python/test_notebooks.py` executes them and writes the outputs into the files.
"""

import getpass
import os
import re
import socket
from glob import glob

import duckdb
import nbformat
import pandas as pd
import polars as pl
import pytest
from nbclient import NotebookClient

from conftest import DATA, PROGRAM, ROOT, followgraph

FOLDER = DATA / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))


def read(name):
    return nbformat.read(FOLDER / name, as_version=4)


def execute(name, settings):
    """The notebook with fresh outputs. It finds the program by `FOLLOWGRAPH`, its data by its folder."""
    notebook = read(name)
    # Inherited settings of whoever runs the tests would change what is plotted or asked.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FOLLOWGRAPH", "MPL"))}
    own = {"FOLLOWGRAPH": str(PROGRAM.resolve()), "IPYTHONDIR": str(settings), "MPLCONFIGDIR": str(settings)}
    client = NotebookClient(
        notebook,
        timeout=300,
        record_timing=False,
        coalesce_streams=True,  # or a cell that prints twice may have one output or two
        resources={"metadata": {"path": str(FOLDER)}},
    )
    client.execute(env=kept | own)
    notebook.metadata.language_info = {"name": "python"}
    return notebook


def texts(notebook):
    """What its cells print and show, except pictures, which differ with fonts."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                yield output.text
            elif "image/png" not in output.data:
                yield output.data["text/plain"]


def words(text):
    return re.findall(r"[A-Za-z_']+", text)


def pictures(notebook):
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    return [output for output in outputs if "image/png" in output.get("data", {})]


def test_there_are_notebooks():
    assert NOTEBOOKS == ["first-tour.ipynb", "four-hundred-days.ipynb"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_and_says_what_it_said_when_it_was_committed(name, tmp_path):
    fresh, committed = execute(name, tmp_path), read(name)
    # The demo's network depends on the day it is asked: its counts differ, what is counted does not.
    same = words if name == "first-tour.ipynb" else str
    assert [same(text) for text in texts(fresh)] == [same(text) for text in texts(committed)]
    assert len(pictures(fresh)) == len(pictures(committed)) > 0
    streams = (o for cell in fresh.cells for o in cell.get("outputs", []) if o.output_type == "stream")
    assert {stream.name for stream in streams} == {"stdout"}, "no warnings"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_committed_notebook_is_small_and_tells_nothing_of_the_machine_it_ran_on(name):
    text = (FOLDER / name).read_text()
    assert len(text) < 400_000
    notebook = read(name)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), "in order"
    assert not any(cell.metadata for cell in notebook.cells), "no times of execution"
    shown = "\n".join(texts(notebook))
    foreign = [str(ROOT), "/tmp/", "/home/", "/Users/", "/root/", socket.gethostname()]
    # Names such as "root" and "user" are words, too.
    foreign += [name for name in [getpass.getuser()] if name not in ("root", "user", "runner")]
    for word in foreign:
        assert word not in text if word.startswith("/") else word not in shown, word
    assert not re.search(r"0x[0-9a-f]{6,}", shown), "an address in memory"


def test_the_lines_of_the_page_run(store, tmp_path):
    diff = tmp_path / "diff.parquet"
    followgraph("--store", store, "diff", "--format", "parquet", "--output", diff)
    followgraph("--store", store, "history")
    page = (FOLDER / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 5
    for block in blocks:
        for in_page, here in [
            ("STORE", store), ("diff.parquet", diff), ("2026-11-03T08-00-00Z", "2026-11-01T00-00-00Z")
        ]:
            block = block.replace(in_page, str(here))
        exec(block, {"duckdb": duckdb, "glob": glob, "pd": pd, "pl": pl})
    # What they ask for is there: two runs, and an id above 2^53 in a spell.
    spells = pl.read_parquet(f"{store}/history/list=followers/spells.parquet")
    assert spells.filter(member_id=2**53 + 1, account_id=7).height == 1
    assert pl.read_parquet_metadata(diff)["followgraph.before_run"] == "2026-11-01T00-00-00Z"


if __name__ == "__main__":
    import tempfile

    for name in NOTEBOOKS:
        with tempfile.TemporaryDirectory() as settings:
            nbformat.write(execute(name, settings), FOLDER / name)
