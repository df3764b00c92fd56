"""From the flat vector of prices to a certificate anybody can check."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from tehai.domain.certificate import (
    Certificate,
    ConcentrationPrice,
    FiscalYearPrice,
    MemberCapPrice,
    MemberPrice,
    PrecedencePrices,
    PricePath,
    ProgrammePrice,
    ProjectCapPrice,
)
from tehai.domain.problem import SCHEMA_VERSION
from tehai.engine.instance import EngineInstance
from tehai.engine.market_arrays import FloatArray
from tehai.solve.bound_margin import bound_margin_yen

# Part of the bound given up against differences of rounding between this computation and the checker's.
SAFETY_FRACTION = 1e-10


def build_certificate(instance: EngineInstance, prices: FloatArray, bound: float, problem_sha256: str) -> Certificate:
    """Return the certificate of ``prices``; ``lower_bound_yen`` is rounded down with a margin."""
    read = _Reader(instance, prices)
    margin_yen = max(SAFETY_FRACTION * abs(bound), bound_margin_yen(instance, read.prices))
    problem, years = instance.problem, instance.years
    pool_ids = [pool.id for pool in problem.pools]
    programme_ids = [programme.id for programme in problem.programmes]
    member_ids = [member.id for member in problem.members]
    pairs = zip(instance.arrays["before"], instance.arrays["after"], strict=True)
    work = [(instance.work_rows[k], price) for (k,), price in read.positive("work", len(instance.work_rows))]
    return Certificate(
        schema_version=SCHEMA_VERSION,
        problem_sha256=problem_sha256,
        capacity_prices=tuple(PricePath(p, read.path("capacity", i)) for i, p in enumerate(pool_ids)),
        power_prices=tuple(PricePath(j, read.path("power", i)) for i, j in enumerate(instance.limited_site_ids)),
        domestic_share_prices=tuple(
            FiscalYearPrice(row.fiscal_year, price) for row, price in work if not row.operator_id
        ),
        budget_prices=read.by_year("budget"),
        programme_budget_prices=tuple(
            ProgrammePrice(programme_ids[r], years[y], price)
            for (r, y), price in read.positive("programme", len(programme_ids), len(years))
        ),
        project_cap_prices=tuple(
            ProjectCapPrice(programme_ids[r], instance.project_ids[project], read.value("project", row))
            for row, (r, project) in enumerate(instance.native.project_rows())
        ),
        lower_bound_yen=math.floor(bound - margin_yen - 1.0),
        concentration_prices=tuple(
            ConcentrationPrice(row.operator_id, row.fiscal_year, price) for row, price in work if row.operator_id
        ),
        member_budget_prices=tuple(
            MemberPrice(member_ids[m], years[y], price)
            for (m, y), price in read.positive("member_budget", len(member_ids), len(years))
        ),
        member_cap_prices=tuple(
            MemberCapPrice(programme_ids[r], member_ids[m], years[y], price)
            for (r, m, y), price in read.positive("member_cap", len(programme_ids), len(member_ids), len(years))
        ),
        capital_ceiling_prices=read.by_year("capital"),
        carbon_prices=read.by_year("carbon"),
        waiting_price=read.value("waiting", 0),
        precedence_prices=tuple(
            PrecedencePrices(problem.workloads[u].id, problem.workloads[w].id, read.path("precedence", i))
            for i, (u, w) in enumerate(pairs)
        ),
    )


class _Reader:
    """Reads families of the flat vector; what has no row counts as 0."""

    def __init__(self, instance: EngineInstance, prices: FloatArray) -> None:
        self._layout = instance.native.price_layout()
        self._periods, self._years = int(instance.arrays["periods"]), instance.years
        self.prices = np.maximum(prices, 0.0)
        for family, limits in (
            ("budget", "budget_yen"),
            ("programme", "programme_budget_yen"),
            ("member_budget", "member_budget_yen"),
            ("member_cap", "member_cap_yen"),
            ("capital", "capital_yen"),
            ("carbon", "carbon_kg"),
            ("waiting", "waiting_periods"),
        ):
            flat = np.ravel(instance.arrays[limits])
            first = self._layout[family]
            self.prices[first : first + len(flat)] *= np.isfinite(flat)

    def value(self, family: str, position: int) -> float:
        return float(self.prices[self._layout[family] + position])

    def path(self, family: str, subject: int) -> tuple[float, ...]:
        first = self._layout[family] + subject * self._periods
        return tuple(float(v) for v in self.prices[first : first + self._periods])

    def positive(self, family: str, *shape: int) -> Iterator[tuple[tuple[int, ...], float]]:
        """Give index and price of each row with a price, in order; a row without one is left out."""
        first = self._layout[family]
        table = self.prices[first : first + math.prod(shape)].reshape(shape)
        for index in np.argwhere(table > 0.0):
            yield tuple(int(i) for i in index), float(table[tuple(index)])

    def by_year(self, family: str) -> tuple[FiscalYearPrice, ...]:
        rows = self.positive(family, len(self._years))
        return tuple(FiscalYearPrice(self._years[y], price) for (y,), price in rows)
