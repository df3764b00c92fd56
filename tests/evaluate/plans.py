"""Valid plans of random problems, and changes of them."""

from __future__ import annotations

from functools import cache

from tehai.domain.evaluation import OfferPriceFactor, ScenarioChange
from tehai.domain.plan import Plan, SolveOptions
from tehai.domain.problem import Problem
from tehai.evaluate.scenario import has_price
from tehai.pipeline import solve_problem
from tests.random_problems import random_problem
from tests.verify.greedy import greedy_plan

SHA256 = "1" * 64


@cache
def simple(seed: int) -> tuple[Problem, Plan]:
    """Return a random problem and a simple plan of it, billed by the tests' own biller."""
    problem = random_problem(seed)
    return problem, greedy_plan(problem, SHA256)


@cache
def solved(seed: int) -> tuple[Problem, Plan]:
    """Return a random problem and a plan of it that the product has made and billed."""
    problem = random_problem(seed)
    return problem, solve_problem(problem, SolveOptions(work_limit=20, threads=1)).plan


def all_offers(problem: Problem, factor: float) -> ScenarioChange:
    """Return the change that multiplies the prices of every offer that has one."""
    priced = [offer.id for offer in problem.offers if has_price(offer)]
    return ScenarioChange(offer_price_factors=tuple(OfferPriceFactor(offer_id, factor) for offer_id in priced))


def no_programmes(problem: Problem) -> ScenarioChange:
    """Return the change that cancels every programme."""
    return ScenarioChange(cancelled_programme_ids=tuple(programme.id for programme in problem.programmes))


def changes(problem: Problem) -> dict[str, ScenarioChange]:
    """Return one change of each kind, and one of all kinds, by name."""
    everything = ScenarioChange(
        usd_jpy_factor=0.13,
        offer_price_factors=all_offers(problem, 1.37).offer_price_factors[::2],
        cancelled_programme_ids=no_programmes(problem).cancelled_programme_ids[:1],
        electricity_factor=1.9,
    )
    return {
        "strong dollar": ScenarioChange(usd_jpy_factor=1.4),
        "weak dollar": ScenarioChange(usd_jpy_factor=0.1),
        "dear offers": all_offers(problem, 1.6),
        "cheap offers": all_offers(problem, 0.5),
        "dear electricity": ScenarioChange(electricity_factor=3.0),
        "no programmes": no_programmes(problem),
        "everything": everything,
    }
