"""Survival curves of invented lifetimes by lifelines, for the Rust tests to meet.

`data/retention/answers.csv` is what `crates/analysis/tests/retention.rs` compares its curves with. Here
it is computed again, by lifelines; only for lifetimes that are both interval-censored and
left-truncated, which lifelines does not take, by the self-consistency equations of Turnbull (1976) as he
states them, with the number of stays that nobody saw. `python tests/python/test_retention.py`
writes the file.
"""

import csv
import math
from pathlib import Path

import numpy as np
from lifelines import KaplanMeierFitter
from lifelines.fitters.npmle import npmle

FOLDER = Path(__file__).resolve().parents[2] / "data/retention"
COLUMNS = ["data", "days", "survival", "lower", "upper"]


def read(name):
    """The columns of a table of lifetimes, without end where `right` is empty."""
    with open(FOLDER / f"{name}.csv") as file:
        rows = list(csv.DictReader(file))
    column = lambda key: np.array([float(row[key] or math.inf) for row in rows])
    return [column(key) for key in ("entry", "left", "right", "number")]


def kaplan_meier():
    entry, left, right, number = read("exact")
    ended = np.isfinite(right)
    fitter = KaplanMeierFitter().fit(
        np.where(ended, right, left), ended, entry=entry, weights=number.astype(int)
    )
    table = fitter.survival_function_.join(fitter.confidence_interval_)
    events = table.loc[sorted(set(right[ended]))]
    return [("exact", int(days), *row) for days, row in zip(events.index, events.values)]


def turnbull():
    """`(left, right]` in whole days is `[left + 1, right]`."""
    _, left, right, number = read("intervals")
    weights, intervals = npmle(left + 1, right, tol=1e-11, weights=number)
    survival = 1 - np.cumsum(weights)
    return [
        ("intervals", int(interval.right), max(share, 0.0), "", "")
        for interval, share in zip(intervals, survival)
        if math.isfinite(interval.right)
    ]


def turnbull_truncated():
    entry, left, right, number = read("truncated")
    # A cell between every two ages at which something happens: no innermost intervals to get wrong.
    points = np.unique(np.concatenate([left, right, entry]))
    cells = list(zip(points, np.append(points[1:], math.inf)))
    cells = [(low, high) for low, high in cells if low < high]
    low, high = np.array(cells).T
    inside = ((left[:, None] <= low) & (high <= right[:, None])).astype(float)
    unseen = (high <= entry[:, None]).astype(float)
    weights, change = np.full(len(cells), 1 / len(cells)), 1.0
    while change > 1e-10:
        seen = number / (inside @ weights) @ inside
        ghosts = number / (1 - unseen @ weights) @ unseen
        new = weights * (seen + ghosts)
        new /= new.sum()
        change, weights = np.abs(new - weights).max(), new
    survival = 1 - np.cumsum(weights)
    return [
        ("truncated", int(days), max(share, 0.0), "", "")
        for days, share in zip(high, survival)
        if math.isfinite(days)
    ]


def answers():
    return kaplan_meier() + turnbull() + turnbull_truncated()


def test_the_committed_answers_are_those_of_lifelines():
    with open(FOLDER / "answers.csv") as file:
        committed = list(csv.DictReader(file))
    computed = answers()
    assert len(committed) == len(computed) > 150
    for row, fresh in zip(committed, computed):
        assert (row["data"], int(row["days"])) == fresh[:2]
        for text, number in zip((row["survival"], row["lower"], row["upper"]), fresh[2:]):
            assert (text == "") == (number == "")
            assert text == "" or abs(float(text) - number) < 1e-6, row


if __name__ == "__main__":
    with open(FOLDER / "answers.csv", "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for name, days, *shares in answers():
            table.writerow([name, days, *(f"{s:.8f}" if s != "" else "" for s in shares)])
