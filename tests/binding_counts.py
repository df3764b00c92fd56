"""How many of the seeded random problems each feature binds in: ``python -m tests.binding_counts`` prints the table."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.feature_drops import FEATURES, binding_features
from tests.random_problems import DEFAULT_SEEDS, SLOW_SEEDS, random_problem

PROCESSES = 2
SEEDS_IN_A_BATCH = 8


def count_binding(seeds: Sequence[int], enough: int, processes: int = PROCESSES) -> Counter[str]:
    """Return in how many of the seeds each feature binds; a feature that binds in ``enough`` is looked at no more."""
    counts: Counter[str] = Counter()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for batch in batches(seeds):
            open_features = tuple(name for name in FEATURES if counts[name] < enough)
            if not open_features:
                break
            for binding in pool.map(_binding_in_seed, batch, [open_features] * len(batch)):
                counts.update(binding)
    return counts


def batches(seeds: Sequence[int]) -> Iterator[Sequence[int]]:
    """Return the seeds in order, a few at a time."""
    for first in range(0, len(seeds), SEEDS_IN_A_BATCH):
        yield seeds[first : first + SEEDS_IN_A_BATCH]


def _binding_in_seed(seed: int, names: Iterable[str]) -> tuple[str, ...]:
    return binding_features(random_problem(seed), names)


def table(counts: Counter[str]) -> str:
    """Return one line for each feature with its count."""
    return "\n".join(f"{name:30s} {counts[name]:4d}" for name in FEATURES)


def main() -> None:
    """Count over every seed and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--enough", type=int, default=len(SLOW_SEEDS), help="stop looking at a feature after so many")
    parser.add_argument("--default-seeds", action="store_true", help="only the seeds of the default suite")
    parser.add_argument("--until", type=int, default=len(SLOW_SEEDS), help="only the seeds below this one")
    arguments = parser.parse_args()
    seeds = DEFAULT_SEEDS if arguments.default_seeds else SLOW_SEEDS[: arguments.until]
    print(table(count_binding(seeds, arguments.enough)))


if __name__ == "__main__":
    main()
