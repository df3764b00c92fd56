"""The hash of a problem depends on what it says and on nothing else."""

from __future__ import annotations

from dataclasses import replace

from tehai.domain.workload import CountryRule
from tehai.wire import problem_from_proto, problem_sha256, problem_to_proto
from tests.wire.small_problem import small_message, small_problem

# Changes where the canonical form changes; plans of earlier versions are then refused, so it should not.
SMALL_SHA256 = "8558b6f3962168f6cba1a177638b46374b2174a053e0c0032cbad7f0e392a392"


def test_the_hash_is_stable() -> None:
    """The hash of a file is the same on every machine and in every version that reads it."""
    assert problem_sha256(small_problem()) == SMALL_SHA256


def test_equal_problems_have_equal_hashes() -> None:
    """Trailing zeros, minus zero and defaults written out make no difference."""
    message = small_message()
    message.market.usd_jpy_spot = "150.2500"
    message.market.yen_interest_rate = "0.01"
    message.offers[0].on_demand.price_per_accelerator_hour.amount = "0620.0"
    message.workloads[2].sovereignty.SetInParent()
    message.rules.ClearField("domestic")
    problem, violations = problem_from_proto(message)
    assert violations == ()
    assert problem is not None
    assert problem_sha256(problem) == SMALL_SHA256
    minus = [replace(w, memory_gb=-0.0) for w in problem.workloads]
    plus = [replace(w, memory_gb=0.0) for w in problem.workloads]
    assert problem_sha256(replace(problem, workloads=tuple(minus))) == problem_sha256(
        replace(problem, workloads=tuple(plus))
    )


def test_different_problems_have_different_hashes() -> None:
    """What counts as domestic has no hidden default: everywhere and Japan differ, and so does the order of rows."""
    problem = small_problem()
    everywhere = replace(problem, rules=replace(problem.rules, domestic=CountryRule((), ())))
    reordered = replace(problem, workloads=problem.workloads[::-1])
    assert len({problem_sha256(p) for p in (problem, everywhere, reordered)}) == 3
    decoded = problem_from_proto(problem_to_proto(everywhere)).problem
    assert decoded == everywhere
