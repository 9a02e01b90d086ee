"""Makes the invented lifetimes beside it: `python3 data/retention/make.py`.

`exact.csv`: known to the day, with delayed entry. `intervals.csv`: known to intervals, seen from the
first day on. `truncated.csv`: both. Columns: `entry`, the age in days from which a stay was under
observation; `left` and `right`: it lasted more than `left` and at most `right` days, or longer than
anybody looked where `right` is empty; `number`, how many such stays there are.
"""

import csv
import math
import random
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent


def weibull(chance, shape, scale):
    return scale * chance.weibullvariate(1, shape)


def exact(chance):
    """Stays of any age at the first crawl, and 150 days of looking."""
    entry = chance.choice([0, 0, chance.randrange(0, 80)])
    lifetime = math.ceil(weibull(chance, 0.8, 90))
    gone = entry + chance.randrange(5, 150)
    if lifetime <= entry:
        return None
    return (entry, lifetime - 1, lifetime) if lifetime <= gone else (entry, gone, None)


def crawled(chance, entry):
    """Looked at after gaps of one to a dozen days."""
    lifetime = weibull(chance, 1.3, 60)
    if lifetime <= entry:
        return None
    seen, end = entry, chance.randrange(40, 200)
    while True:
        missed = seen + chance.choice([1, 2, 5, 7, 7, 12])
        if lifetime <= missed:
            # How long it had been there already is not known to the day.
            return entry, max(seen - chance.randrange(0, 3), entry), missed
        seen = missed
        if seen > end:
            return entry, seen, None


def write(name, rows):
    counted = Counter(row for row in rows if row)
    ordered = sorted(counted.items(), key=lambda item: [math.inf if v is None else v for v in item[0]])
    with open(HERE / name, "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["entry", "left", "right", "number"])
        for (entry, left, right), number in ordered:
            table.writerow([entry, left, "" if right is None else right, number])


if __name__ == "__main__":
    chance = random.Random(20261124)
    write("exact.csv", (exact(chance) for _ in range(900)))
    write("intervals.csv", (crawled(chance, 0) for _ in range(150)))
    write("truncated.csv", (crawled(chance, chance.choice([0, 3, 10, 30])) for _ in range(150)))
