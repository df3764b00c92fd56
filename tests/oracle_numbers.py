"""The numbers of docs/rules.md that the oracle needs: legal columns, orders, capacities, prices and references.

A second implementation, written from the rules and the domain dataclasses alone, in floors: ``oracle_basics`` (time,
money, places), ``oracle_grants`` (claims), ``oracle_offers`` (supply), ``oracle_columns`` (placements). Hours are
accelerator-hours, money is yen, arrays over periods have T entries.
"""

from __future__ import annotations

from functools import cached_property

from tehai.domain.offer import OnDemand
from tehai.domain.problem import Problem
from tests.oracle_basics import Basics
from tests.oracle_columns import Column, PoolFigures, columns_of
from tests.oracle_grants import Grants
from tests.oracle_offers import Supply, supply_of


class Numbers(Basics):
    """Everything that docs/rules.md derives from a problem before anything is decided."""

    def __init__(self, problem: Problem) -> None:
        """Keep the problem; figures are derived when first read."""
        super().__init__(problem)
        self.grants = Grants(self)

    @cached_property
    def supplies(self) -> tuple[Supply, ...]:
        """Every offer in numbers, in the order of the problem."""
        return tuple(supply_of(self, self.grants, offer) for offer in self.problem.offers)

    def supplies_in(self, pool_id: str) -> list[Supply]:
        """Return the offers of a pool in numbers."""
        return [supply for supply in self.supplies if supply.offer.pool_id == pool_id]

    @cached_property
    def largest_capacity(self) -> dict[str, tuple[float, ...]]:
        """Amax of the rules: accelerators that can be live in each pool and period."""
        return {
            pool_id: tuple(sum(s.largest_capacity[t] for s in self.supplies_in(pool_id)) for t in self.periods)
            for pool_id in self.pools
        }

    @cached_property
    def grant_reference_yen(self) -> dict[str, tuple[float, ...]]:
        """Gref of the rules: lowest yen per accelerator-hour in each pool and period, 0 where nothing can be had."""
        return {pool_id: tuple(self._grant_reference(pool_id, t) for t in self.periods) for pool_id in self.pools}

    def _grant_reference(self, pool_id: str, t: int) -> float:
        lowest = min(self._units(pool_id, t), default=0.0)
        override = self.pools[pool_id].grant_reference
        return lowest if override is None else min(lowest, self.yen(override, t))

    @cached_property
    def charge_reference_yen(self) -> dict[str, tuple[float, ...]]:
        """Cref of the rules: what member budgets and list bills count for an accelerator-hour."""
        return {pool_id: tuple(self._charge_reference(pool_id, t) for t in self.periods) for pool_id in self.pools}

    def _charge_reference(self, pool_id: str, t: int) -> float:
        override = self.pools[pool_id].charge_reference
        if override is not None:
            return self.yen(override, t)
        on_demand = [
            supply.use_yen[t]
            for supply in self.supplies_in(pool_id)
            if isinstance(supply.offer.kind, OnDemand) and supply.fixed_capacity[t] > 0
        ]
        return min(on_demand) if on_demand else max(self._units(pool_id, t), default=0.0)

    def _units(self, pool_id: str, t: int) -> list[float]:
        """Return unit(o, t) of the pool's offers that can serve a period."""
        return [supply.reference_yen[t] for supply in self.supplies_in(pool_id) if supply.largest_capacity[t] > 0]

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Every legal column, in the order workload, pool, gang, pauses, touched periods, claim set."""
        figures = {
            pool_id: PoolFigures(
                self.largest_capacity[pool_id], self.grant_reference_yen[pool_id], self.charge_reference_yen[pool_id]
            )
            for pool_id in self.pools
        }
        return tuple(
            column for workload in self.problem.workloads for column in columns_of(self, self.grants, figures, workload)
        )

    def column_cost_yen(self, column: Column) -> float:
        """Return what a column adds to the objective before claims."""
        carbon = float(self.problem.rules.carbon_price_yen_per_kg) * sum(column.carbon_kg_by_year.values())
        moving = self.discount_in(column.start) * column.moving_yen
        return column.lateness_yen + column.change_yen + carbon + moving

    def not_run_yen(self, workload_id: str) -> int:
        """Return what it costs not to run an optional workload."""
        workload = self.workloads[workload_id]
        assert workload.cost_not_run_yen is not None, f"{workload_id} is mandatory"
        return workload.cost_not_run_yen + self.change_yen(workload)
