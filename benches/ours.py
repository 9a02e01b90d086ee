"""What our benches print, as the steps and answers that peers tell of themselves."""

import json
import re

# A bench's names of questions, and those of `peers/graph.py`.
NAMES = {
    "undirected": "make undirected",
    "weak": "wcc",
    "strong": "scc",
    "pagerank": "pagerank",
    "triangles": "triangles",
    "cores": "cores",
}
LINE = re.compile(r"(?P<name>\S+) +\d+ threads +(?P<least>[\d.]+) s +(?P<median>[\d.]+) s +(?P<answer>.*)")


def graph(text: str) -> dict:
    """One line for each question and number of threads, of which the last has all of them."""
    steps, answers = {}, {}
    for line in text.splitlines():
        found = LINE.match(line)
        if not found or found["name"] not in NAMES:
            continue
        name = NAMES[found["name"]]
        steps[name] = float(found["median"])
        if name == "pagerank":
            answers[name] = float(re.search(r"largest ([\d.e+-]+)", found["answer"])[1])
        elif name != "make undirected":
            answers[name] = int(re.search(r"\d+", found["answer"])[0])
    return {"steps": steps, "answers": answers}


def load(text: str) -> dict:
    """One line of JSON."""
    said = json.loads(next((line for line in text.splitlines() if line.startswith("{")), "{}"))
    if not said:
        return {}
    steps = {"everything": said["wall"], "held_mib": said["held_mib"], "peak_mib": said["peak_mib"]}
    return {"steps": steps, "answers": {name: said[name] for name in ("accounts", "edges", "pairs")}}


READERS = {"graph bench": graph, "load bench": load}
