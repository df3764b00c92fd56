"""The engine's bound against the second opinion's, at random prices on random problems."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tehai.domain.certificate import Certificate
from tehai.engine.instance import EngineInstance, build_instance
from tehai.engine.market_arrays import FloatArray
from tehai.verify import compute_bound
from tests.random_problems import random_problem
from tests.verify.prices import random_certificate

SEEDS = range(25)
RELATIVE_ERROR_MAX = 1e-9


def flat_prices(instance: EngineInstance, certificate: Certificate) -> FloatArray:
    """Return a certificate's prices, negative ones too, in the order of the engine; what is missing is 0."""
    layout, problem = instance.native.price_layout(), instance.problem
    periods, years = problem.calendar.period_count, instance.years
    prices = np.zeros(layout["count"])
    pools = [pool.id for pool in problem.pools]
    for first, ids, paths in (
        (layout["capacity"], pools, certificate.capacity_prices),
        (layout["power"], list(instance.limited_site_ids), certificate.power_prices),
    ):
        for path in paths:
            begin = first + ids.index(path.subject_id) * periods
            prices[begin : begin + periods] = path.values
    for first, rows in (
        (layout["share"], certificate.domestic_share_prices),
        (layout["budget"], certificate.budget_prices),
    ):
        for row in rows:
            prices[first + years.index(row.fiscal_year)] = row.value
    programmes = [programme.id for programme in problem.programmes]
    for budget in certificate.programme_budget_prices:
        cell = programmes.index(budget.programme_id) * len(years) + years.index(budget.fiscal_year)
        prices[layout["programme"] + cell] = budget.value
    rows_of = {(programmes[r], instance.project_ids[p]): i for i, (r, p) in enumerate(instance.native.project_rows())}
    for cap in certificate.project_cap_prices:
        prices[layout["project"] + rows_of[cap.programme_id, cap.project_id]] = cap.value
    return prices


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
        bound, _, _ = instance.native.evaluate(flat_prices(instance, certificate))
        expected = compute_bound(instance.problem, certificate)
        assert bound == pytest.approx(expected, rel=RELATIVE_ERROR_MAX, abs=1e-3)


def test_the_problems_price_every_kind_of_row() -> None:
    """Power, share, budget, programme and project rows are all among those compared, with signs of both kinds."""
    found: dict[str, int] = {}
    negative = 0
    for seed in SEEDS:
        instance = build_instance(random_problem(seed))
        certificate = _priced(instance, 10 * seed)
        prices = flat_prices(instance, certificate)
        negative += int((prices < 0).sum())
        layout = instance.native.price_layout()
        names = ("capacity", "power", "share", "budget", "programme", "project", "count")
        for name, after in pairwise(names):
            found[name] = found.get(name, 0) + int((prices[layout[name] : layout[after]] > 0).sum())
    assert all(count >= 5 for count in found.values()), found
    assert negative > 100
