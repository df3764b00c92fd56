"""Ruin and recreate: seeded chains over one instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tehai.engine import _native
from tehai.engine.instance import EngineInstance, IntArray
from tehai.engine.market_arrays import FloatArray


@dataclass(frozen=True)
class PlanArrays:
    """A plan as arrays: mode, start, programme by workload, claims (W, Y) in yen, units by order option.

    Mode -1 is not run, programme -1 is none.
    """

    mode: IntArray
    start: IntArray
    programme: IntArray
    claims: FloatArray
    units: IntArray

    def as_dict(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by the names the engine reads."""
        return {
            "mode": self.mode,
            "start": self.start,
            "programme": self.programme,
            "claims": self.claims,
            "units": self.units,
        }


def empty_plan(instance: EngineInstance) -> PlanArrays:
    """Return the plan that places and orders nothing."""
    workloads, years = instance.arrays["workloads"], len(instance.years)
    nowhere = np.full(workloads, -1, dtype=np.int64)
    units = np.zeros(len(instance.order_keys), dtype=np.int64)
    return PlanArrays(nowhere, np.zeros(workloads, dtype=np.int64), nowhere.copy(), np.zeros((workloads, years)), units)


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
        self._years = len(instance.years)
        start = replace(plan, units=units_within_limits(instance, plan.units))
        self._native = _native.Search(instance.native, prices, start.as_dict(), chains, seed, instance.mandatory_yen)

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
        return None if found is None else plan_from_dict(found, self._years)


def units_within_limits(instance: EngineInstance, units: IntArray) -> IntArray:
    """Return units by order option, cut option by option to what the limit of its offer leaves."""
    arrays = instance.arrays
    kept = np.zeros_like(units)
    live = np.zeros((len(arrays["committed_pool"]), arrays["periods"]), dtype=np.int64)
    for option in np.flatnonzero(units > 0):
        offer = int(np.searchsorted(arrays["option_offset"], option, side="right")) - 1
        first = arrays["option_first"][option]
        length = arrays["live_offset"][option + 1] - arrays["live_offset"][option]
        # A reservation limits what is live at once, a purchase all orders together.
        span = slice(first, first + length) if arrays["limit_is_live"][offer] else slice(None)
        left = int(arrays["unit_limit"][offer]) - int(live[offer, span].max(initial=0))
        kept[option] = min(int(units[option]), max(left, 0))
        live[offer, span] += kept[option]
    return kept


def plan_from_dict(found: Mapping[str, Any], year_count: int) -> PlanArrays:
    """Shape the engine's arrays into a plan."""
    claims = np.asarray(found["claims"]).reshape(len(found["mode"]), year_count)
    return PlanArrays(found["mode"], found["start"], found["programme"], claims, found["units"])
