"""Plans as arrays, written by hand."""

from __future__ import annotations

import numpy as np

from tehai.domain.plan import Plan, SolveOptions, StopReason
from tehai.engine.instance import EngineInstance
from tehai.engine.search import PlanArrays, empty_plan
from tehai.solve.plan_builder import build_plan
from tehai.verify import check_plan

PERIOD_BITS = 10


def pause_code(*pauses: tuple[int, int]) -> int:
    """Return the engine's code of pauses (full periods done before, periods that it lasts), in order."""
    code = 0
    for i, (after, gap) in enumerate(pauses):
        code |= (after | gap << PERIOD_BITS) << (2 * PERIOD_BITS * i)
    return code


def order(instance: EngineInstance, plan: PlanArrays, claim_yen: float = 0.0, units: int = 1, **key: int) -> None:
    """Write units of the option with these fields of its key (all others as none) into a plan."""
    wanted = {"offer_index": 0, "term_index": -1, "period": 0, "booking": -1, "programme": -1} | key
    found = [
        option
        for option, name in enumerate(instance.order_keys)
        if all(getattr(name, field) == value for field, value in wanted.items())
    ]
    assert len(found) == 1
    plan.units[found[0]] = units
    plan.order_claims[found[0]] = claim_yen


def place(
    instance: EngineInstance, plan: PlanArrays, w: int, start: int, pauses: int = 0, claim_set: int = -1, mode: int = 0
) -> None:
    """Write the ``mode``-th column of a workload into a plan."""
    plan.mode[w] = np.flatnonzero(instance.modes["workload"] == w)[mode]
    plan.start[w], plan.pauses[w], plan.claim_set[w] = start, pauses, claim_set


def built(instance: EngineInstance, plan: PlanArrays) -> Plan:
    """Return the plan as nouns, after the second opinion has passed it."""
    answer = build_plan(instance, plan, "", "0", SolveOptions(), StopReason.OPTIMAL)
    checked = check_plan(instance.problem, "", answer)
    assert checked.valid, checked.violations
    return answer


__all__ = ["built", "empty_plan", "order", "pause_code", "place"]
