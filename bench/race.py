"""Contestants that take turns, so that what disturbs the machine disturbs all of them."""

from __future__ import annotations

import gc
import random
import time
from typing import TYPE_CHECKING, Any

from report import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


def turns(names: Iterable[str], rounds: int) -> Iterator[str]:
    """Yield every name once in each round, in an order of its own.

    What a contestant leaves behind (memory, caches, an engine that tidies up) would else always
    meet the same one.
    """
    order, shuffled = list(names), random.Random(rounds)
    for _ in range(rounds):
        shuffled.shuffle(order)
        yield from order


def race(
    contestants: Mapping[str, Callable[[], Any]], rounds: int, in_a_row: int = 1
) -> dict[str, Sample]:
    """Return the seconds that each contestant takes; each runs once before, uncounted.

    What takes less time than a clock needs to be sure of it runs several times ``in_a_row``, of
    which the mean counts.
    """
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for run in contestants.values():
        run()
    gc.collect()
    for name in turns(contestants, rounds):
        begun = time.perf_counter()
        for _ in range(in_a_row):
            contestants[name]()
        taken[name].append((time.perf_counter() - begun) / in_a_row)
    return {name: Sample(values) for name, values in taken.items()}
