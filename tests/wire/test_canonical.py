"""The hash of a problem depends on what it says and on nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from tehai.domain.problem import CurrentPlan, Problem
from tehai.domain.workload import CountryRule
from tehai.v1 import problem_pb2
from tehai.wire import problem_from_proto, problem_sha256, problem_to_proto
from tests import builders as make
from tests.wire.small_problem import small_message, small_problem

# Changes where the canonical form changes; plans of earlier versions are then refused, so it should not.
SMALL_SHA256 = "143fc16bc7764ec91003d55d06dc15e49cdcb68f68b61e983b392163039ac8aa"


def _decoded(message: problem_pb2.Problem) -> Problem:
    problem, violations = problem_from_proto(message)
    assert problem is not None, violations
    return problem


def test_the_hash_is_stable() -> None:
    """The hash of a file is the same on every machine and in every version that reads it."""
    assert problem_sha256(small_problem()) == SMALL_SHA256


def test_equal_problems_have_equal_hashes() -> None:
    """Trailing zeros, minus zero and an empty rule make no difference."""
    message = small_message()
    message.market.usd_jpy_spot = "150.2500"
    message.market.yen_interest_rate = "0.01"
    message.market.discount_rate = "0.0300"
    message.offers[0].on_demand.price_per_accelerator_hour.amount = "0620.0"
    message.pools[0].charge_reference.steps[0].amount = "590.00"
    message.workloads[2].sovereignty.SetInParent()
    assert problem_sha256(_decoded(message)) == SMALL_SHA256
    minus = [replace(w, memory_gb=-0.0, data_terabytes=-0.0) for w in small_problem().workloads]
    plus = [replace(w, memory_gb=0.0, data_terabytes=0.0) for w in small_problem().workloads]
    assert problem_sha256(replace(small_problem(), workloads=tuple(minus))) == problem_sha256(
        replace(small_problem(), workloads=tuple(plus))
    )


def test_defaults_are_left_unset() -> None:
    """A default that is written out gives the same problem, bytes and hash as one that is not."""
    plain = problem_to_proto(make.make_problem())
    message = problem_pb2.Problem.FromString(plain.SerializeToString())
    message.market.discount_rate = "-0.0"
    message.market.usd_conversion_spread_yen = "0.00"
    message.sites[0].grid_carbon_kg_per_kwh = -0.0
    message.pools[0].node_accelerators = 1
    message.workloads[0].data_terabytes = 0.0
    message.rules.carbon_price_yen_per_kg = "0"
    message.rules.ClearField("domestic")
    message.current_plan.SetInParent()
    assert message != plain
    assert _decoded(message) == make.make_problem()
    assert problem_to_proto(_decoded(message)) == plain
    assert not plain.HasField("current_plan")
    assert not plain.market.HasField("discount_rate")


# Pairs of values where zero, or empty, says something else than unset.
DISTINCT: list[tuple[str, Callable[[], Problem], Callable[[], Problem]]] = [
    (
        "price of electricity",
        lambda: make.make_problem(sites=[make.make_site(electricity_yen_per_kwh="0")]),
        make.make_problem,
    ),
    (
        "cost of capital",
        lambda: make.make_problem(members=[make.make_member(cost_of_capital="0")]),
        make.make_problem,
    ),
    ("share", lambda: make.make_problem(members=[make.make_member(share=0.0)]), make.make_problem),
    ("waiting", lambda: make.make_problem(rules=make.make_rules(waiting_max=0)), make.make_problem),
    (
        "member cap",
        lambda: make.make_problem(programmes=[make.make_programme(member_cap_yen=0)]),
        lambda: make.make_problem(programmes=[make.make_programme()]),
    ),
    (
        "charge for a change",
        lambda: make.make_problem(current_plan=make.make_current_plan([make.current_placement(change_yen=0)])),
        lambda: make.make_problem(current_plan=make.make_current_plan([make.current_placement()])),
    ),
    (
        "pausing",
        lambda: make.make_problem(workloads=[make.make_workload(pausing=make.pausing(0))]),
        make.make_problem,
    ),
    (
        "reference",
        lambda: make.make_problem(pools=[make.make_pool(grant_reference=make.yen(0))]),
        make.make_problem,
    ),
    (
        "upfront fraction",
        lambda: make.make_problem(offers=[make.make_offer(make.reservation([make.term(4, upfront=0.5)]))]),
        lambda: make.make_problem(offers=[make.make_offer(make.reservation([make.term(4, upfront=0.25)]))]),
    ),
]


@pytest.mark.parametrize(("name", "one", "other"), DISTINCT, ids=[case[0] for case in DISTINCT])
def test_zero_is_not_unset(name: str, one: Callable[[], Problem], other: Callable[[], Problem]) -> None:
    """Where zero means something, it survives and changes the hash."""
    assert one() != other(), name
    assert problem_sha256(one()) != problem_sha256(other())
    assert _decoded(problem_to_proto(one())) == one()
    assert _decoded(problem_to_proto(other())) == other()


def test_different_problems_have_different_hashes() -> None:
    """What counts as domestic has no hidden default: everywhere and Japan differ, and so does the order of rows."""
    problem = small_problem()
    everywhere = replace(problem, rules=replace(problem.rules, domestic=CountryRule((), ())))
    reordered = replace(problem, workloads=problem.workloads[::-1])
    afresh = replace(problem, current_plan=CurrentPlan())
    spread = replace(problem, market=replace(problem.market, usd_conversion_spread_yen=Decimal("0.6")))
    different = (problem, everywhere, reordered, afresh, spread)
    assert len({problem_sha256(p) for p in different}) == len(different)
    assert _decoded(problem_to_proto(everywhere)) == everywhere
