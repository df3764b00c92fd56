"""What a bound gives up against rounding: a part of the amounts that it is the difference of.

Where no plan keeps every limit and places every mandatory workload the prices grow without end, and amounts of opposite
sign many times the bound cancel out. The checker allows for that in proportion to the amounts, and so must we.
"""

from __future__ import annotations

import numpy as np

from tehai.domain.offer import Existing
from tehai.engine.instance import EngineInstance
from tehai.engine.market_arrays import FloatArray

# Rounding here and at the checker as a part of the amounts: twice the 2**-47 that the checker gives up.
ERROR_FRACTION = 2.0**-46
# Additions in a row beyond which their rounding counts more than once.
CHAIN_LENGTH = 32


def bound_margin_yen(instance: EngineInstance, prices: FloatArray) -> float:
    """Return by how much rounding may change the bound of ``prices``, flat and 0 where there is no row.

    The amounts are estimated from above, so that a checker that adds them up in another order finds no more.
    """
    amounts = _Amounts(instance, prices)
    total = amounts.of_workloads() + amounts.of_hourly_offers() + amounts.of_orders() + amounts.of_rows()
    return ERROR_FRACTION * total


class _Amounts:
    """Sums of the sizes of all amounts in the bound, in yen."""

    def __init__(self, instance: EngineInstance, prices: FloatArray) -> None:
        self._instance, self._arrays = instance, instance.arrays
        self._layout, self._prices = instance.native.price_layout(), prices
        self._periods = int(self._arrays["periods"])
        self._capacity = self._family("capacity", "power").reshape(-1, self._periods)
        # What a nominal yen can count at most: itself, and the prices of every row it is part of.
        families = [
            ("budget", "programme"),
            ("programme", "project"),
            ("project", "member_budget"),
            ("member_budget", "member_cap"),
            ("member_cap", "capital"),
            ("capital", "carbon"),
        ]
        discounts = [self._arrays["discount"].max(initial=1.0), self._arrays["claim_discount"].max(initial=1.0)]
        self._yen = float(max(discounts) + sum(self._family(*family).max(initial=0.0) for family in families))

    def _family(self, name: str, following: str) -> FloatArray:
        return self._prices[self._layout[name] : self._layout[following]]

    def of_workloads(self) -> float:
        """Return the sum over workloads: the largest gang all the horizon in the dearest pool, and what starts cost."""
        arrays, periods = self._arrays, self._periods
        if not arrays["workloads"]:
            return 0.0
        gangs = np.maximum.reduceat(arrays["gang_accelerators"], arrays["gang_offset"][:-1])
        occupied = gangs + arrays["pool_node"].max(initial=1)
        whole = occupied * arrays["period_hours"] * self._hour_yen()
        waiting = float(self._prices[self._layout["waiting"]])
        once = (arrays["late_yen"] + waiting) * periods + arrays["change_yen"]
        moved = arrays["terabytes"] * np.max(arrays["route_yen"], initial=0.0) + arrays["porting_yen"].max(axis=1)
        once = once + self._yen * moved
        orders = self._prices[self._layout["precedence"] :].reshape(-1, periods).sum(axis=1)
        np.add.at(once, arrays["before"], orders)
        np.add.at(once, arrays["after"], orders)
        # Pauses are priced by shortest paths, one for each number of pauses.
        pauses = arrays["pauses_max"]
        paths = np.where(pauses > 0, (1 + pauses) * max(1.0, periods / CHAIN_LENGTH), 1.0)
        not_run = np.where(np.isfinite(arrays["not_run_yen"]), arrays["not_run_yen"], 0.0)
        return float(((whole + once) * paths + not_run).sum())

    def _hour_yen(self) -> float:
        """Return the yen of one accelerator in use for every hour of the horizon, in the dearest pool."""
        arrays = self._arrays
        hours = self._capacity + self._yen * (arrays["grant_reference"] + arrays["charge_reference"])
        power = self._family("power", "work").reshape(-1, self._periods).max(axis=0, initial=0.0)
        hours = hours + np.outer(arrays["pool_kw"], power)
        carbon = arrays["carbon_yen_per_kg"] + self._family("carbon", "waiting").max(initial=0.0)
        hours = hours + (arrays["pool_kg"] * carbon)[:, None]
        # A share or a limit of an operator counts at most the whole of the work.
        work = float(self._family("work", "budget").sum()) * float(arrays["pool_throughput"].max(initial=0.0))
        return float((hours + work).sum(axis=1).max(initial=0.0))

    def of_hourly_offers(self) -> float:
        """Return the sum over offers by the hour, each at its limit, or at the quota of the year where that is more."""
        arrays = self._arrays
        quotas = np.where(np.isfinite(arrays["hourly_quota_hours"]), arrays["hourly_quota_hours"], 0.0)
        hours = np.maximum(arrays["hourly_limit_hours"], quotas[:, arrays["year_of_period"]])
        cost = np.abs(arrays["hourly_unit_cost"]) + self._yen * arrays["hourly_unit_cash"]
        return float((hours * (cost + self._capacity[arrays["hourly_pool"]])).sum())

    def of_orders(self) -> float:
        """Return the sum over offers that are ordered: the dearest option, as often as may follow one another."""
        arrays = self._arrays
        total = 0.0
        for offer, pool in enumerate(arrays["committed_pool"]):
            first, last = arrays["option_offset"][offer : offer + 2]
            if first == last:
                continue
            used = arrays["use_cost"][offer] + self._yen * arrays["use_cash"][offer]
            hour = np.concatenate([[0.0], np.cumsum(self._capacity[pool] + used)])
            options = slice(first, last)
            begin = arrays["option_first"][options]
            live = arrays["live_offset"][first : last + 1]
            lengths = np.diff(live)
            most = np.maximum.reduceat(np.append(arrays["live_hours"], 0.0), live[:-1])
            worth = most * (hour[np.minimum(begin + lengths, self._periods)] - hour[begin])
            paid = (arrays["option_cash"][options] + arrays["option_capital"][options]).sum(axis=1)
            paid = paid + arrays["option_claim_yen"][options]
            largest = float((np.abs(arrays["option_cost"][options]) + 2.0 * self._yen * paid + worth).max())
            chained = np.ceil(self._periods / max(1, lengths.min())) if arrays["limit_is_live"][offer] else 1.0
            total += arrays["unit_limit"][offer] * largest * chained * max(1.0, chained / CHAIN_LENGTH)
        return float(total)

    def of_rows(self) -> float:
        """Return the sum over limits at their prices, what is already paid or claimed included."""
        arrays, problem = self._arrays, self._instance.problem
        limits = [
            (("power", "work"), np.repeat(arrays["site_limit_kwh"], self._periods)),
            (("budget", "programme"), arrays["budget_yen"]),
            (("programme", "project"), arrays["programme_budget_yen"]),
            (("member_budget", "member_cap"), arrays["member_budget_yen"]),
            (("member_cap", "capital"), arrays["member_cap_yen"]),
            (("capital", "carbon"), arrays["capital_yen"]),
            (("carbon", "waiting"), arrays["carbon_kg"]),
            (("waiting", "precedence"), np.array([arrays["waiting_periods"]])),
        ]
        total = 0.0
        for family, values in limits:
            flat = np.ravel(values)
            total += float(self._family(*family) @ np.abs(np.where(np.isfinite(flat), flat, 0.0)))
        caps = arrays["project_cap_yen"][np.isfinite(arrays["project_cap_yen"])].max(initial=0.0)
        total += float(self._family("project", "member_budget").sum() * caps)
        sunk = [row.amount_yen for o in problem.offers if isinstance(o.kind, Existing) for row in o.kind.payments]
        claimed = [claim.amount_yen for programme in problem.programmes for claim in programme.claims_made]
        return total + 2.0 * self._yen * float(sum(sunk) + sum(claimed))
