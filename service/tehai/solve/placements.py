"""Placed workloads as nouns: segments, claims, and what each of them is charged."""

from __future__ import annotations

import numpy as np

from tehai.domain.market import JPY
from tehai.domain.plan import BillComponent, Claim, Placement, Segment
from tehai.engine.instance import EngineInstance
from tehai.engine.market_arrays import FloatArray
from tehai.engine.pool_arrays import sites_of_pools
from tehai.engine.search import PlanArrays
from tehai.master.columns import ColumnRows
from tehai.solve.ledger import Ledger


class PlacementBuilder:
    """Turns columns (``rows``, of the placed workloads in order) into placements and fills the ledger."""

    def __init__(self, instance: EngineInstance, plan: PlanArrays, rows: ColumnRows, ledger: Ledger) -> None:
        """Look up what every placement needs."""
        self.instance, self.plan, self.rows, self.ledger = instance, plan, rows, ledger
        self.problem, self.calendar = instance.problem, instance.problem.calendar
        self.arrays = instance.arrays
        self.discount = instance.prices.discount
        self.sites = sites_of_pools(self.problem)
        self.modes = instance.modes

    def placements(self, claims: FloatArray) -> tuple[Placement, ...]:
        """Return the placements with their whole ``claims`` (W, S, Y); charges what is not run, too."""
        first = np.searchsorted(self.rows.column, np.arange(len(self.rows.end) + 1))
        placed, row = [], 0
        for w, mode in enumerate(self.plan.mode):
            if mode < 0:
                self._charge_not_run(w)
                continue
            periods = self.rows.cell[first[row] : first[row + 1]] % self.arrays["periods"]
            hours = self.rows.hours[first[row] : first[row + 1]]
            self._charge_placed(w, int(mode), row)
            self._charge_carbon(int(self.modes["pool"][mode]), periods.tolist(), hours.tolist())
            segments = self._segments(int(mode), periods.tolist(), hours.tolist())
            placed.append(Placement(self.problem.workloads[w].id, segments, self._claims(w, claims[w])))
            row += 1
        return tuple(placed)

    def _segments(self, mode: int, periods: list[int], hours: list[float]) -> tuple[Segment, ...]:
        """Return the stretches without interruption; hours are those of the gang."""
        pool, occupied = self.problem.pools[self.modes["pool"][mode]], float(self.modes["gang"][mode])
        accelerators = round(float(self.modes["accelerators"][mode]))
        full = occupied * self.arrays["period_hours"]
        stretches: list[tuple[int, float]] = []
        for i, (period, used) in enumerate(zip(periods, hours, strict=True)):
            ran = self.arrays["period_hours"] if used == full else used / occupied
            if i and period == periods[i - 1] + 1:
                start, so_far = stretches[-1]
                stretches[-1] = (start, so_far + ran)
            else:
                stretches.append((period, ran))
        return tuple(
            Segment(pool.id, accelerators, start, self.calendar.date_of(start), run_hours)
            for start, run_hours in stretches
        )

    def _claims(self, w: int, yen: FloatArray) -> tuple[Claim, ...]:
        found = []
        claim_set = int(self.plan.claim_set[w])
        for slot, r in enumerate(self.instance.claim_sets[claim_set] if claim_set >= 0 else ()):
            for y, year in enumerate(self.instance.years):
                if yen[slot, y] > 0:
                    found.append(Claim(self.problem.programmes[r].id, year, int(yen[slot, y])))
                    self.ledger.claim(self.instance, r, y, float(yen[slot, y]))
        return tuple(found)

    def _charge_placed(self, w: int, mode: int, row: int) -> None:
        """Charge lateness, change, transfer and porting, all in the fiscal year of the start."""
        workload, start = self.problem.workloads[w], int(self.plan.start[w])
        year, pool = self.calendar.fiscal_year(start), int(self.modes["pool"][mode])
        late = float(workload.late_start_yen_per_period * self.rows.wait[row])
        self.ledger.charge(BillComponent.LATENESS, workload.id, year, JPY, late)
        if not self.modes["is_current"][mode] or start != self.arrays["current_start"][w]:
            change = float(self.arrays["change_yen"][w])
            self.ledger.charge(BillComponent.CHANGE, workload.id, year, JPY, change)
        porting = float(self.arrays["porting_yen"][w, pool])
        self.ledger.spend(BillComponent.PORTING, workload.id, year, JPY, porting, self.discount[start])
        route = int(self.arrays["pool_route"][w, pool])
        if route >= 0:
            yen = float(self.arrays["terabytes"][w] * self.arrays["route_yen"][route, start])
            currency = self.problem.routes[route].price_per_terabyte.currency_code
            self.ledger.spend(BillComponent.TRANSFER, workload.id, year, currency, yen, self.discount[start])

    def _charge_carbon(self, pool: int, periods: list[int], hours: list[float]) -> None:
        per_hour = float(self.arrays["carbon_yen_per_kg"] * self.arrays["pool_kg"][pool])
        for t, used in zip(periods, hours, strict=True):
            year = self.calendar.fiscal_year(t)
            self.ledger.charge(BillComponent.CARBON, self.sites[pool].id, year, JPY, used * per_hour)

    def _charge_not_run(self, w: int) -> None:
        """Charge what is not run; a mandatory or locked workload that can run nowhere is left out of the objective."""
        workload = self.problem.workloads[w]
        must_run = workload.mandatory or bool(self.arrays["locked"][w])
        if must_run and w in self.instance.unplaceable:
            return
        release = min(int(self.arrays["release"][w]), self.calendar.period_count - 1)
        year = self.calendar.fiscal_year(release)
        if workload.cost_not_run_yen is not None:
            self.ledger.charge(BillComponent.NOT_RUN, workload.id, year, JPY, float(workload.cost_not_run_yen))
        self.ledger.charge(BillComponent.CHANGE, workload.id, year, JPY, float(self.arrays["change_yen"][w]))
