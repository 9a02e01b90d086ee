"""The program under test, and stores made with it."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("FOLLOWGRAPH", ROOT / "target/debug/followgraph"))
DATA = ROOT / "data"


def followgraph(*args, stdin=None, code=0):
    """Runs the program; answers what it printed to standard output."""
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    done = subprocess.run(
        [PROGRAM, *map(str, args)], input=stdin, capture_output=True, text=True, env=env
    )
    assert done.returncode == code, f"{args}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


# Ids at the edges of what readers damage: above 2^53, and the largest INT64.
MEMBERS = {
    ("2026-11-01T00:00:00Z", 7): [12, 2**53 + 1, 967155179614240768, 2**63 - 1],
    ("2026-11-01T00:00:00Z", 2**62 + 1): [12, 13],
    ("2026-11-08T00:00:00Z", 7): [99, 12, 2**53 + 1, 967155179614240768],
    ("2026-11-08T00:00:00Z", 2**62 + 1): [13, 2**53 + 3],
}


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """A store of two runs with two accounts each."""
    folder = tmp_path_factory.mktemp("store")
    rows = [
        f"{time},{account},{member}"
        for (time, account), members in MEMBERS.items()
        for member in members
    ]
    table = "time,account,member\n" + "\n".join(rows) + "\n"
    followgraph(
        "--store", folder, "import", "-",
        "--account-column", "account", "--member-column", "member", "--time-column", "time",
        stdin=table,
    )
    return folder
