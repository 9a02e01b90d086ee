"""One process measured, and what must be known of the machine beside it.

Only the standard library is used here: the kernel lets a child begin with its parent's peak of
memory, so a runner that held tables would put its own size under every figure.
"""

import json
import os
import platform
import resource
import signal
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Run:
    """What one process took, and what it said in its last line, if that was JSON."""

    wall: float
    user: float
    system: float
    peak_mib: float
    # Cores that other processes kept busy meanwhile: what makes a figure doubtful.
    others: float
    failed: str | None = None
    said: dict = field(default_factory=dict)
    text: str = ""

    @property
    def cpu(self) -> float:
        return self.user + self.system

    def as_dict(self) -> dict:
        return asdict(self)


def busy_seconds() -> float:
    """CPU seconds that anybody has used since the machine was started."""
    with open("/proc/stat") as stat:
        ticks = [int(word) for word in stat.readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / TICKS


def measured(command: list, limit_s: float, memory_gib: float | None) -> Run:
    """Runs a command to its end, or kills it at a limit."""

    def limited() -> None:
        if memory_gib:
            size = int(memory_gib * 2**30)
            resource.setrlimit(resource.RLIMIT_AS, (size, size))

    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        others, began = busy_seconds(), time.perf_counter()
        words = [str(word) for word in command]
        child = subprocess.Popen(words, stdout=out, stderr=err, preexec_fn=limited)
        previous = signal.signal(signal.SIGALRM, lambda *_: child.kill())
        signal.setitimer(signal.ITIMER_REAL, limit_s)
        _, status, usage = os.wait4(child.pid, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        cpu = usage.ru_utime + usage.ru_stime
        others = max(0.0, busy_seconds() - others - cpu) / max(wall, 0.01)
        failed = None
        if child.returncode != 0:
            err.seek(0)
            last = err.read().decode(errors="replace").strip().splitlines()[-1:]
            too_long = wall >= limit_s
            failed = f"over {limit_s:.0f} s" if too_long else f"{child.returncode}: {''.join(last)}"
        out.seek(0)
        text = out.read().decode(errors="replace")
    used = (usage.ru_utime, usage.ru_stime, usage.ru_maxrss / 1024)
    return Run(wall, *used, round(others, 2), failed, last_json(text), text[-4096:])


def last_json(text: str) -> dict:
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    return {}


def warm(paths: list[Path]) -> None:
    """Reads all files once, so that the disk is in nobody's figures."""
    buffer = bytearray(1 << 20)
    for path in paths:
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file():
                with open(file, "rb", buffering=0) as handle:
                    while handle.readinto(buffer):
                        pass


def machine() -> str:
    """Processor, cores, memory, kernel."""
    cpu = Path("/proc/cpuinfo").read_text()
    model = next((line.split(": ")[1] for line in cpu.splitlines() if "model name" in line), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB; {platform.system()} {platform.release()}"


def versions() -> str:
    """Python, and the pinned packages as they are installed."""
    names = (HERE / "peers" / "requirements.txt").read_text().split()
    found = [f"Python {platform.python_version()}"]
    for name in (line.split("==")[0] for line in names):
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(found)


def commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", HERE, *words], capture_output=True, text=True).stdout

    changed = " with changes" if git("status", "--porcelain", "--untracked-files=no") else ""
    return git("rev-parse", "--short", "HEAD").strip() + changed
