"""The statistics of a report, computed again by scipy, statsmodels and sets."""

import itertools
import json
import math

import pytest
from scipy.stats import hypergeom
from statsmodels.stats.multitest import multipletests

from conftest import followgraph

# Lists of several sizes: nested, nearly disjoint, and sharing what chance gives.
LISTS = {
    1: set(range(1, 2000)),
    2: set(range(1, 400)) | set(range(5000, 5200)),
    3: set(range(1, 6000, 3)),
    4: set(range(1990, 6000, 7)),
    5: set(range(3, 6000, 11)),
    6: {10, 20, 30},
    7: set(range(5100, 5400)) | set(range(100, 300)),
    8: set(range(5050, 5390)),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    store = tmp_path_factory.mktemp("report")
    rows = [f"{account},{member}" for account, members in LISTS.items() for member in members]
    table = "account,member\n" + "\n".join(rows) + "\n"
    followgraph(
        "--store", store, "import", "-", "--time", "2026-11-01T00:00:00Z",
        "--account-column", "account", "--member-column", "member", stdin=table,
    )
    return json.loads(followgraph("--store", store, "report", "--format", "json"))["overlap"]


def by_pair(report):
    return {(int(p["a"]), int(p["b"])): p for p in report["pairs"]}


def test_chance_is_what_scipy_says(report):
    universe = len(set.union(*LISTS.values()))
    assert report["union"] == universe and report["memberships"] == sum(map(len, LISTS.values()))
    pairs = by_pair(report)
    assert len(pairs) == math.comb(len(LISTS), 2) == report["all_pairs"]
    for (a, b), pair in pairs.items():
        one, other = LISTS[a], LISTS[b]
        shared = len(one & other)
        assert pair["shared"] == shared
        assert pair["lift"] == pytest.approx(shared * universe / len(one) / len(other), rel=1e-12)
        expected = hypergeom.logsf(shared - 1, universe, len(one), len(other)) / math.log(10)
        assert pair["log10_p"] == pytest.approx(expected, rel=1e-8, abs=1e-9), (a, b)
    assert any(pair["log10_p"] < -40 for pair in pairs.values())
    assert any(pair["log10_p"] > -0.01 for pair in pairs.values())


def test_many_tests_are_adjusted_as_statsmodels_does(report):
    pairs = list(by_pair(report).values())
    rejected, adjusted, *_ = multipletests([10 ** p["log10_p"] for p in pairs], 0.05, "holm")
    for pair, expected in zip(pairs, adjusted):
        assert 10 ** pair["log10_p_adjusted"] == pytest.approx(expected, rel=1e-8)
    assert report["significant"] == rejected.sum() > 0


def test_each_choice_adds_most(report):
    reached = set()
    for step in report["reach"]:
        account = int(step["account"])
        added = {other: len(members - reached) for other, members in LISTS.items()}
        assert step["added"] == added[account] == max(added.values())
        reached |= LISTS[account]
        assert step["reached"] == len(reached)
    for k, step in enumerate(report["reach"], start=1):
        best = max(len(set.union(*some)) for some in itertools.combinations(LISTS.values(), k))
        assert step["reached"] >= (1 - 1 / math.e) * best
