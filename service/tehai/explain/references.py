"""Grant and charge references by pool, as the second opinion derives them."""

from __future__ import annotations

from dataclasses import dataclass

from tehai.domain.problem import Problem
from tehai.explain.reading import FloatArray
from tehai.verify.reference import build_reference


@dataclass(frozen=True, slots=True)
class References:
    """By pool id, yen per accelerator-hour in each period, (period_count,): what grants and list bills count."""

    grant: dict[str, FloatArray]
    charge: dict[str, FloatArray]


def references(problem: Problem) -> References:
    """Return both references of a valid problem."""
    derived = build_reference(problem)
    return References(
        grant={pool.id: derived.grant_reference[i] for i, pool in enumerate(problem.pools)},
        charge={pool.id: derived.charge_reference[i] for i, pool in enumerate(problem.pools)},
    )
