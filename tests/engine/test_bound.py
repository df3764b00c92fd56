"""The engine's bound against the second opinion's, at random prices on random problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tehai.domain.certificate import Certificate, PricePath
from tehai.engine.instance import EngineInstance, build_instance
from tehai.engine.market_arrays import FloatArray
from tehai.verify import compute_bound
from tests.random_problems import random_problem
from tests.verify.prices import random_certificate

SEEDS = range(25)
RELATIVE_ERROR_MAX = 1e-9


def flat_prices(instance: EngineInstance, certificate: Certificate) -> FloatArray:
    """Return a certificate's prices, negative ones too, in the order of the engine; what is missing is 0."""
    writer = _Writer(instance)
    writer.paths("capacity", [p.id for p in instance.problem.pools], certificate.capacity_prices)
    writer.paths("power", list(instance.limited_site_ids), certificate.power_prices)
    work = {(row.operator_id, row.fiscal_year): k for k, row in enumerate(instance.work_rows)}
    for row in certificate.domestic_share_prices:
        writer.write("work", work["", row.fiscal_year], row.value)
    for limit in certificate.concentration_prices:
        writer.write("work", work[limit.operator_id, limit.fiscal_year], limit.value)
    for family, rows in (
        ("budget", certificate.budget_prices),
        ("capital", certificate.capital_ceiling_prices),
        ("carbon", certificate.carbon_prices),
    ):
        for row in rows:
            writer.write(family, writer.cell(row.fiscal_year), row.value)
    for budget in certificate.programme_budget_prices:
        writer.write("programme", writer.cell(budget.fiscal_year, r=budget.programme_id), budget.value)
    for own in certificate.member_budget_prices:
        writer.write("member_budget", writer.cell(own.fiscal_year, m=own.member_id), own.value)
    for cap in certificate.member_cap_prices:
        writer.write("member_cap", writer.cell(cap.fiscal_year, cap.programme_id, cap.member_id), cap.value)
    listed = instance.native.project_rows()
    names = {(writer.programmes[r], instance.project_ids[p]): i for i, (r, p) in enumerate(listed)}
    for project in certificate.project_cap_prices:
        writer.write("project", names[project.programme_id, project.project_id], project.value)
    writer.write("waiting", 0, certificate.waiting_price)
    ids = [workload.id for workload in instance.problem.workloads]
    pairs = [(ids[u], ids[w]) for u, w in zip(instance.arrays["before"], instance.arrays["after"], strict=True)]
    for i, pair in enumerate(pairs):
        for order in certificate.precedence_prices:
            if (order.before_workload_id, order.after_workload_id) == pair:
                writer.path("precedence", i, order.values)
    return writer.prices


class _Writer:
    """Writes prices by family and position of the flat vector."""

    def __init__(self, instance: EngineInstance) -> None:
        self.layout, self.periods = instance.native.price_layout(), instance.problem.calendar.period_count
        self.years = instance.years
        self.programmes = [programme.id for programme in instance.problem.programmes]
        self.members = [member.id for member in instance.problem.members]
        self.prices = np.zeros(self.layout["count"])

    def write(self, family: str, cell: int, value: float) -> None:
        if cell >= 0:
            self.prices[self.layout[family] + cell] = value

    def path(self, family: str, subject: int, values: Sequence[float]) -> None:
        first = self.layout[family] + subject * self.periods
        self.prices[first : first + self.periods] = values

    def paths(self, family: str, subjects: list[str], paths: tuple[PricePath, ...]) -> None:
        for path in paths:
            self.path(family, subjects.index(path.subject_id), path.values)

    def cell(self, year: int, r: str = "", m: str = "") -> int:
        """Return the position of a programme, a member or both in a fiscal year; -1 outside the horizon."""
        if year not in self.years:
            return -1
        row = self.programmes.index(r) if r else 0
        row = row * len(self.members) + self.members.index(m) if m else row
        return row * len(self.years) + self.years.index(year)


def _priced(instance: EngineInstance, seed: int) -> Certificate:
    """Return random prices of rows that the engine has: it leaves out caps of projects that can claim nothing."""
    certificate = random_certificate(instance.problem, seed)
    programmes = instance.problem.programmes
    known = {(programmes[r].id, instance.project_ids[p]) for r, p in instance.native.project_rows()}
    kept = tuple(cap for cap in certificate.project_cap_prices if (cap.programme_id, cap.project_id) in known)
    return replace(certificate, project_cap_prices=kept)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_bound_is_that_of_the_second_opinion(seed: int) -> None:
    """Four random price vectors for each problem, each bound equal to 1e-9; negative prices count as 0 in both."""
    instance = build_instance(random_problem(seed))
    for draw in range(4):
        certificate = _priced(instance, 10 * seed + draw)
        bound, _, _, _ = instance.native.evaluate(flat_prices(instance, certificate))
        expected = compute_bound(instance.problem, certificate)
        assert bound == pytest.approx(expected, rel=RELATIVE_ERROR_MAX, abs=1e-3)


def test_the_problems_price_every_kind_of_row() -> None:
    """Every family of rows is among those compared, with signs of both kinds."""
    found: dict[str, int] = {}
    negative = 0
    for seed in SEEDS:
        instance = build_instance(random_problem(seed))
        certificate = _priced(instance, 10 * seed)
        prices = flat_prices(instance, certificate)
        negative += int((prices < 0).sum())
        layout = instance.native.price_layout()
        for name, after in pairwise(layout):
            found[name] = found.get(name, 0) + int((prices[layout[name] : layout[after]] > 0).sum())
    assert all(count >= 5 for count in found.values()), found
    assert negative > 100
