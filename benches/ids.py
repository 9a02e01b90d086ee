"""Ids as the network gives them, in ascending pieces, so that any number fits in memory.

A quarter are sequential numbers of the time before 2010; the rest are snowflakes: 41 bits of
milliseconds, ten of a server (128 of 1,024 are seen), twelve of a sequence that is mostly 0.
Real ids of a big account look like this; wholly random ones would flatter no one but a hash join.
"""

from collections.abc import Iterator

import numpy as np

SNOWFLAKES_SINCE_MS = 1_288_834_974_657
NOW_MS = 1_793_491_200_000
SEQUENTIAL_BELOW = 4_950_000_000
SEQUENTIAL_SINCE_MS, SEQUENTIAL_UNTIL_MS = 1_142_899_200_000, 1_451_606_400_000
PIECE = 1 << 22
YEAR_MS = 365 * 86_400_000

SERVERS = np.sort(np.random.default_rng(7).choice(1024, 128, replace=False))
SEQUENCES = np.random.default_rng(8).geometric(0.55, 1 << 16) - 1


def pieces(dice: np.random.Generator, count: int) -> Iterator[np.ndarray]:
    """About `count` distinct ids, ascending over all pieces; a few are lost as duplicates."""
    sequential = count // 4
    for low, high, some in cut(12, SEQUENTIAL_BELOW, sequential):
        yield distinct(dice.integers(low, high, some))
    for low, high, some in cut(1, NOW_MS - SNOWFLAKES_SINCE_MS, count - sequential):
        millis = dice.integers(low, high, some)
        server = SERVERS[dice.integers(0, len(SERVERS), some, dtype=np.uint8)]
        sequence = SEQUENCES[dice.integers(0, len(SEQUENCES), some, dtype=np.uint16)]
        yield distinct(millis << 22 | server << 12 | sequence)


def exactly(dice: np.random.Generator, count: int) -> np.ndarray:
    """`count` distinct ids, in no order."""
    return dice.permutation(np.concatenate(list(pieces(dice, count * 21 // 20 + 100))))[:count]


def distinct(ids: np.ndarray) -> np.ndarray:
    ids.sort()
    return ids[np.concatenate([[True], ids[1:] != ids[:-1]])] if len(ids) else ids


def cut(low: int, high: int, count: int) -> Iterator[tuple[int, int, int]]:
    """Ranges that follow each other, with the share of `count` that falls into each."""
    parts = max(1, -(-count // PIECE))
    for part in range(parts):
        edges = [low + (high - low) * index // parts for index in (part, part + 1)]
        yield *edges, count * (part + 1) // parts - count * part // parts


def followed_at(dice: np.random.Generator, ids: np.ndarray) -> np.ndarray:
    """When each began to follow an account born in 2013: after both were there, rarely much later."""
    share = np.minimum(ids, SEQUENTIAL_BELOW) / SEQUENTIAL_BELOW
    early = SEQUENTIAL_SINCE_MS + share * (SEQUENTIAL_UNTIL_MS - SEQUENTIAL_SINCE_MS)
    born = np.where(ids < SEQUENTIAL_BELOW, early, (ids >> 22) + SNOWFLAKES_SINCE_MS)
    since = np.maximum(born, 1_357_000_000_000)
    when = since + dice.exponential(1.5 * YEAR_MS, len(ids))
    late = when > NOW_MS
    when[late] = since[late] + dice.random(np.count_nonzero(late)) * (NOW_MS - since[late])
    return when
