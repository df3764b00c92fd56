"""Columns for tests of the master."""

from __future__ import annotations

from itertools import islice

import numpy as np

from tehai.engine.instance import EngineInstance
from tehai.master.restricted import ColumnSet
from tests.random_problems import random_problem

EVERYTHING_YEN = 1e15
EVERY_COLUMN = 10**9


def every_column(instance: EngineInstance) -> ColumnSet:
    """Return every column without pauses."""
    layout = instance.native.price_layout()
    found = instance.native.cheap_columns(np.zeros(layout["count"]), EVERYTHING_YEN, EVERY_COLUMN)
    return ColumnSet.from_dict(found)


def seeds_without_pauses(count: int) -> tuple[int, ...]:
    """Return the first seeds of random problems in which no workload can pause, so that every column can be listed."""
    seeds = (seed for seed in range(1000) if not any(w.pausing for w in random_problem(seed).workloads))
    return tuple(islice(seeds, count))
