"""Ruin and recreate: seeded chains over one instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tehai.engine import _native
from tehai.engine.instance import EngineInstance, IntArray
from tehai.engine.market_arrays import FloatArray


@dataclass(frozen=True)
class PlanArrays:
    """A plan as arrays: mode, start, pauses (code) and claim set by workload, claims (W, S, Y) in yen, units by option.

    Mode -1 is not run, claim set -1 claims nothing. Slot i of ``claims`` is the i-th programme of the claim set;
    ``order_claims`` are the yen claimed for the units of each order option.
    """

    mode: IntArray
    start: IntArray
    pauses: IntArray
    claim_set: IntArray
    claims: FloatArray
    units: IntArray
    order_claims: FloatArray

    def as_dict(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by the names the engine reads."""
        return {
            "mode": self.mode,
            "start": self.start,
            "pauses": self.pauses,
            "claim_set": self.claim_set,
            "claims": self.claims,
            "units": self.units,
            "order_claims": self.order_claims,
        }

    def columns(self) -> tuple[IntArray, dict[str, NDArray[Any]]]:
        """Return the placed workloads, and their columns as the engine expands them."""
        placed = np.flatnonzero(self.mode >= 0)
        return placed, {
            "mode": self.mode[placed],
            "start": self.start[placed],
            "pauses": self.pauses[placed],
            "claim_set": self.claim_set[placed],
        }


def empty_plan(instance: EngineInstance) -> PlanArrays:
    """Return the plan that places and orders nothing."""
    workloads, options = instance.arrays["workloads"], len(instance.order_keys)
    nothing = np.zeros(workloads, dtype=np.int64)
    return PlanArrays(
        mode=nothing - 1,
        start=nothing,
        pauses=nothing.copy(),
        claim_set=nothing - 1,
        claims=np.zeros((workloads, instance.set_size, len(instance.years))),
        units=np.zeros(options, dtype=np.int64),
        order_claims=np.zeros(options),
    )


@dataclass(frozen=True)
class Cooling:
    """How one run of the chains is cooled; temperatures in yen."""

    iteration_count: int
    temperature_first_yen: float
    temperature_last_yen: float
    ruin_count_max: int
    order_fraction: float
    penalty_scale: float


class Search:
    """Chains that start from one plan and keep the best feasible one they met."""

    def __init__(self, instance: EngineInstance, prices: FloatArray, plan: PlanArrays, chains: int, seed: int) -> None:
        """Start ``chains`` chains, guided by ``prices`` (flat vector of the ascent).

        The plan may order more than its offers allow, as the rounding of a fraction can; what is too much is left out.
        """
        self._shape = (instance.set_size, len(instance.years))
        self._native = _native.Search(instance.native, prices, plan.as_dict(), chains, seed, instance.mandatory_yen)

    def construct(self) -> None:
        """Insert every workload that is not placed."""
        self._native.construct()

    def run(self, cooling: Cooling) -> None:
        """Run every chain; deterministic, whatever the clock says."""
        self._native.run(
            cooling.iteration_count,
            cooling.temperature_first_yen,
            cooling.temperature_last_yen,
            cooling.ruin_count_max,
            cooling.order_fraction,
            cooling.penalty_scale,
        )

    def restart_from_best(self) -> None:
        """Start every chain from the best plan of all."""
        self._native.restart_from_best()

    def restart_from(self, plan: PlanArrays) -> None:
        """Start every chain from ``plan``."""
        self._native.restart_from(plan.as_dict())

    @property
    def best_objective(self) -> float | None:
        """Objective of the best feasible plan in yen; None before there is one."""
        return self._native.best_objective()

    def best_plan(self) -> PlanArrays | None:
        """Return the best feasible plan; None before there is one."""
        found = self._native.best_plan()
        return None if found is None else plan_from_dict(found, self._shape)


def plan_from_dict(found: Mapping[str, Any], claim_shape: tuple[int, int]) -> PlanArrays:
    """Shape the engine's arrays into a plan; ``claim_shape`` is slots by fiscal years."""
    return PlanArrays(
        mode=found["mode"],
        start=found["start"],
        pauses=found["pauses"],
        claim_set=found["claim_set"],
        claims=np.asarray(found["claims"]).reshape(len(found["mode"]), *claim_shape),
        units=found["units"],
        order_claims=np.asarray(found["order_claims"]),
    )
