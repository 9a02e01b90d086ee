#!/usr/bin/env python3
"""Our program and others at the same work, side by side.

    compare.py QUESTION DATA… [--rounds 5] [--only REGEX] [--record DIR]

QUESTION is one of diff, diff-unsorted, diff-store, overlap, mutuals, load, graph; DATA are folders
that `generate.py` has made. Each round runs every tool once, one after the other (every second
round in reverse order), each in a process of its own, so that whatever else the machine does meets
all of them. Wall clock, CPU and peak memory are those of the whole process as the kernel counts
them; medians are printed, with the least and the most of the wall clock.

All answers must be equal, and equal to what the generator expects, or nothing is printed. A tool
that fails or takes too long is named with its reason, and is not tried again.
"""

import argparse
import json
import math
import re
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import measuring
import questions
from measuring import Run
from ours import READERS
from questions import Tool

# Single precision, and other rules of when to stop.
RELATIVE = 1e-3


class Session:
    """The runs of every tool on one folder of data."""

    def __init__(self, data: Path, tools: list[Tool]):
        self.data, self.tools = data, tools
        self.runs: dict[str, list[Run]] = {tool.name: [] for tool in tools}
        self.answers: dict[str, dict] = {}
        expected = data / "expected.json"
        if expected.exists():
            self.answers["expected"] = json.loads(expected.read_text())

    def round(self, backward: bool, asked: argparse.Namespace) -> None:
        for tool in reversed(self.tools) if backward else self.tools:
            done = self.runs[tool.name]
            if done and done[-1].failed:
                continue
            out = Path(tempfile.mkdtemp(prefix="compare-", dir=asked.scratch))
            words = [str(word).replace("{out}", str(out)) for word in tool.command]
            run = measuring.measured(words, asked.limit, asked.memory)
            done.append(run)
            if tool.answer and not run.failed:
                answer = answer_of(tool, run, out)
                self.check(tool, answer)
                run.failed = None if answer else "it answered nothing"
            shutil.rmtree(out)
            note = run.failed or f"{run.wall:.2f} s, {run.peak_mib:,.0f} MiB"
            print(f"{self.data.name}: {tool.name}: {note}", file=sys.stderr)

    def check(self, tool: Tool, answer: dict) -> None:
        for other, known in self.answers.items():
            for key in answer.keys() & known.keys():
                if not equal(answer[key], known[key]):
                    said = f"{tool.name} says {answer[key]}, {other} says {known[key]}"
                    sys.exit(f"the answers differ in {key!r}: {said}")
        self.answers[tool.name] = answer

    def agreed(self) -> str:
        """What all have answered."""
        shown = {}
        for name, answer in self.answers.items():
            if name != "expected":
                shown |= {key: plain(value) for key, value in answer.items() if key not in shown}
        return ", ".join(f"{value} {key}" for key, value in sorted(shown.items()))

    def tables(self, whole: bool) -> list[str]:
        return (self.processes() if whole else []) + self.steps() + self.disturbed()

    def processes(self) -> list[str]:
        first = self.runs[self.tools[0].name]
        base_s = None if first[0].failed else statistics.median(run.wall for run in first)
        base = "times ours" if self.tools[0].name == "followgraph" else "times the first"
        lines = [
            f"| tool | wall s | [least, most] | CPU s | peak MiB | {base} |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
        ]
        for name, runs in self.runs.items():
            good = [run for run in runs if not run.failed]
            if not good:
                lines.append(f"| {name} | {runs[-1].failed.replace('|', '/')[:80]} | | | | |")
                continue
            walls = [run.wall for run in good]
            wall, cpu, peak = (
                statistics.median(figures)
                for figures in (walls, [run.cpu for run in good], [run.peak_mib for run in good])
            )
            spread = f"[{min(walls):.2f}, {max(walls):.2f}]"
            times = f"{wall / base_s:.1f}" if base_s else ""
            lines.append(f"| {name} | {wall:.2f} | {spread} | {cpu:.2f} | {peak:,.0f} | {times} |")
        return lines

    def steps(self) -> list[str]:
        """Medians of what tools have measured inside themselves."""
        per_tool = {
            name: [run.said["steps"] for run in runs if not run.failed and run.said.get("steps")]
            for name, runs in self.runs.items()
        }
        names = list(dict.fromkeys(n for runs in per_tool.values() for run in runs for n in run))
        if not names:
            return []
        lines = ["", "Seconds of each step, as the tools tell:", ""]
        lines += ["| tool | " + " | ".join(names) + " |", "| --- |" + " ---: |" * len(names)]
        medians = {
            tool: {n: statistics.median(run[n] for run in runs if n in run) for n in runs[0]}
            for tool, runs in per_tool.items()
            if runs
        }
        for tool, found in medians.items():
            shown = (f"{found[n]:,.3g}" if n in found else "" for n in names)
            lines.append(f"| {tool} | " + " | ".join(shown) + " |")
        ours = medians.get("followgraph", {})
        others = [found for tool, found in medians.items() if not tool.startswith("followgraph")]
        best = {n: min((found[n] for found in others if n in found), default=None) for n in ours}
        if any(best.values()):
            shown = (f"{best[n] / ours[n]:.1f}" if best.get(n) and ours[n] else "" for n in names)
            lines.append("| best of the others, times ours | " + " | ".join(shown) + " |")
        return lines

    def disturbed(self) -> list[str]:
        others = statistics.median(run.others for runs in self.runs.values() for run in runs)
        return ["", f"Other processes kept {others:.2f} cores busy in the median run."]


def answer_of(tool: Tool, run: Run, out: Path) -> dict:
    if tool.answer in READERS:
        run.said = READERS[tool.answer](run.text)
    if tool.answer == "said" or tool.answer in READERS:
        return run.said.get("answers", {})
    reader = [sys.executable, measuring.HERE / "answers.py", tool.answer, out]
    read = measuring.measured(reader, 600, None)
    if read.failed:
        sys.exit(f"what {tool.name} has written cannot be read: {read.failed}")
    return read.said["answers"]


def equal(one, other) -> bool:
    if isinstance(one, int) and isinstance(other, list):
        return one == other[0]
    if isinstance(one, list) and isinstance(other, int):
        return one[0] == other
    if isinstance(one, float) or isinstance(other, float):
        return math.isclose(one, other, rel_tol=RELATIVE)
    return one == other


def plain(value) -> str:
    """A count as it is read; of several numbers the first, which is the count."""
    value = value[0] if isinstance(value, list) else value
    return f"{value:.6g}" if isinstance(value, float) else f"{value:,}"


def report(question: str, sessions: list[Session], asked: argparse.Namespace) -> str:
    lines = [f"# {question}", ""]
    lines += [f"Commit {measuring.commit()}; {measuring.machine()}; files warm; {asked.rounds} rounds.", ""]
    lines += [measuring.versions() + ".", "", "```sh", f"python {' '.join(sys.argv)}", "```", ""]
    for session in sessions:
        if len(sessions) > 1:
            lines += [f"## {session.data.name}", ""]
        answered = session.agreed()
        if answered:
            lines += [f"All answer alike: {answered}.", ""]
        lines += [*session.tables(whole=question not in questions.IN_MEMORY), ""]
    return "\n".join(lines)


def keep(directory: Path, question: str, sessions: list[Session], text: str) -> None:
    """The table, and every run as a line of JSON."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{question}.md").write_text(text)
    with open(directory / f"{question}.jsonl", "w") as raw:
        for session in sessions:
            for tool in session.tools:
                for run in session.runs[tool.name]:
                    known = {"data": session.data.name, "tool": tool.name}
                    raw.write(json.dumps(known | run.as_dict()) + "\n")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("question", choices=list(questions.QUESTIONS))
    arguments.add_argument("data", type=Path, nargs="+")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--only", help="tools whose name has this pattern", default="")
    arguments.add_argument("--record", type=Path, help="the folder that keeps table and raw numbers")
    arguments.add_argument("--program", default="target/release/followgraph")
    arguments.add_argument("--ours", help="the whole command of ours; {threads}, {data}, {out} stand in it")
    arguments.add_argument("--limit", type=float, default=900, help="seconds until a tool is stopped")
    arguments.add_argument("--memory", type=float, help="GiB of address space that a tool may have")
    arguments.add_argument("--scratch", help="where results are written [default: the temporary folder]")
    asked = arguments.parse_args()
    sessions = []
    for data in asked.data:
        template = asked.ours and asked.ours.replace("{data}", str(data))
        program = questions.Ours(asked.program, template)
        tools = questions.QUESTIONS[asked.question](data, program)
        session = Session(data, [tool for tool in tools if re.search(asked.only, tool.name)])
        measuring.warm([Path(word) for word in paths_of(session.tools) if Path(word).exists()])
        for index in range(asked.rounds):
            session.round(index % 2 == 1, asked)
        sessions.append(session)
    text = report(asked.question, sessions, asked)
    print(text)
    if asked.record:
        keep(asked.record, asked.question, sessions, text)


def paths_of(tools: list[Tool]) -> set[Path]:
    """The data that commands name; text for `comm` stands inside a line of shell."""
    words = {word for tool in tools for word in tool.command if isinstance(word, Path)}
    return {word for word in words if word.suffix != ".py"}


if __name__ == "__main__":
    main()
