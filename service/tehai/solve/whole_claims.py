"""Claims in whole yen that keep every cap and budget exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tehai.engine.instance import EngineInstance
from tehai.engine.market_arrays import FloatArray
from tehai.engine.search import PlanArrays
from tehai.master.columns import ColumnRows

# Claims within this part of a yen under a whole yen count as that yen.
CLAIM_ROUNDING = 1e-6


@dataclass(frozen=True)
class WholeClaims:
    """Whole yen: ``of_workloads`` (W, S, Y), slot i for the claim set's i-th programme; ``of_orders`` (options,)."""

    of_workloads: FloatArray
    of_orders: FloatArray


def whole_claims(instance: EngineInstance, plan: PlanArrays, rows: ColumnRows) -> WholeClaims:
    """Round claims down to the yen, within what the columns (``rows``, of the placed workloads) and orders allow."""
    left = _Left(instance)
    of_workloads = np.zeros_like(plan.claims)
    member, project = instance.arrays["member"], instance.arrays["project"]
    row_of = np.cumsum(plan.mode >= 0) - 1
    claiming = (plan.mode >= 0) & (plan.claim_set >= 0)
    for w, slot, y in np.argwhere((plan.claims > 0.0) & claiming[:, None, None]):
        programmes = instance.claim_sets[plan.claim_set[w]]
        if slot < len(programmes):
            most = min(plan.claims[w, slot, y] + CLAIM_ROUNDING, rows.claimable_yen[row_of[w], slot, y])
            of_workloads[w, slot, y] = left.take(most, programmes[slot], int(member[w]), int(y), int(project[w]))
    of_orders = np.zeros(len(plan.units))
    owner = instance.arrays["committed_owner"][instance.offer_of_option]
    for option in np.flatnonzero(plan.units > 0):
        r = int(instance.arrays["option_programme"][option])
        if r >= 0:
            allowed = plan.units[option] * instance.arrays["option_claim_yen"][option]
            most = min(plan.order_claims[option] + CLAIM_ROUNDING, allowed)
            year = int(instance.arrays["option_claim_year"][option])
            of_orders[option] = left.take(most, r, int(owner[option]), year, None)
    return WholeClaims(of_workloads, of_orders)


class _Left:
    """What is left of budgets and caps."""

    def __init__(self, instance: EngineInstance) -> None:
        arrays = instance.arrays
        self._budget = arrays["programme_budget_yen"].copy()
        self._member = arrays["member_cap_yen"].copy()
        self._project = arrays["project_cap_yen"].copy()

    def take(self, most: float, programme: int, member: int, year: int, project: int | None) -> float:
        """Take whole yen, at most ``most`` and what every limit has left; an order has no project."""
        limits = [most, self._budget[programme, year], self._member[programme, member, year]]
        if project is not None:
            limits.append(self._project[programme, project])
        taken = float(max(math.floor(min(limits)), 0))
        self._budget[programme, year] -= taken
        self._member[programme, member, year] -= taken
        if project is not None:
            self._project[programme, project] -= taken
        return taken
