"""The parts of the bound, for those who split it among members."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import pytest

from tehai.domain.certificate import FiscalYearPrice, PricePath
from tehai.verify import bound_parts, compute_bound
from tests import builders as make
from tests.random_problems import random_problem
from tests.verify.economics import economics_problem
from tests.verify.example import example_problem
from tests.verify.prices import no_prices, random_certificate


@pytest.mark.parametrize("seed", range(10))
def test_parts_sum_to_the_bound(seed: int) -> None:
    """Terms of workloads, offers and rows are all there is."""
    problem = random_problem(seed)
    certificate = random_certificate(problem, seed)
    parts = bound_parts(problem, certificate)
    assert parts.total == compute_bound(problem, certificate)
    rows = math.fsum(row.amount_yen for row in parts.row_terms)
    whole = [*parts.workload_terms.values(), *parts.supply_terms.values(), rows]
    assert math.fsum(whole) == pytest.approx(parts.total, rel=1e-12)
    assert set(parts.supply_terms) == {offer.id for offer in problem.offers}
    assert set(parts.workload_terms) <= {workload.id for workload in problem.workloads}


def test_every_kind_of_row_has_its_terms() -> None:
    """Each row that has a positive price is named once, with what its limit takes off."""
    kinds = set()
    for problem, draw in product((example_problem(), economics_problem()), range(4)):
        rows = bound_parts(problem, random_certificate(problem, draw)).row_terms
        keys = [(row.kind, row.subject_ids, row.fiscal_year) for row in rows]
        assert len(keys) == len(set(keys))
        for row in rows:
            assert row.price > 0.0
            assert row.amount_yen == -row.price * row.limit
        kinds |= {row.kind for row in rows}
    assert kinds == {
        "power",
        "portfolio_budget",
        "member_budget",
        "capital_ceiling",
        "carbon_limit",
        "waiting",
        "programme_budget",
        "member_cap",
        "project_cap",
    }


def test_sunk_payments_and_power_by_hand() -> None:
    """A budget counts what is left after payments; the power of a site is one term for all its periods."""
    problem = make.make_problem(
        sites=[make.make_site(power_limit_kw=10.0)],
        offers=[make.make_offer(make.existing(payments={2027: 300}))],
        rules=make.make_rules(budgets={2027: 1_000}),
    )
    certificate = replace(
        no_prices(),
        power_prices=(PricePath("site", (1.0, 0.0, 2.0, 0.0)),),
        budget_prices=(FiscalYearPrice(2027, 0.5),),
    )
    power, budget = bound_parts(problem, certificate).row_terms
    assert (power.kind, power.price, power.limit, power.amount_yen) == ("power", 3.0, 1680.0, -5040.0)
    assert (budget.kind, budget.limit, budget.amount_yen) == ("portfolio_budget", 700.0, -350.0)


def test_workload_that_has_to_run_and_cannot_has_no_term() -> None:
    """It is left out of the bound, not counted as nothing."""
    problem = make.make_problem([make.make_workload("hopeless", gangs={512: 1.0}, not_run_yen=None)])
    assert bound_parts(problem, no_prices()).workload_terms == {}
