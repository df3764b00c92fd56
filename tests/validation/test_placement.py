"""The quick search for a legal placement agrees with the rules written out, on random problems."""

from __future__ import annotations

import math

import pytest

from tehai.domain.offer import Existing, Offer, OnDemand, Purchase, Reservation
from tehai.domain.problem import Problem
from tehai.domain.workload import GangOption, Workload
from tehai.validation import unplaceable
from tests.random_problems import random_problem


def _ramp(kind: Purchase, age: int) -> float:
    first = kind.delivery_steps[0].periods_after_order
    if not first <= age < first + kind.life_periods:
        return 0.0
    return max(s.delivered_fraction for s in kind.delivery_steps if s.periods_after_order <= age)


def _largest(problem: Problem, offer: Offer, t: int) -> float:
    """Return Kmax(o, t), period by period, as docs/rules.md has it."""
    kind, periods = offer.kind, problem.calendar.period_count
    window = problem.calendar.periods_within(kind.from_date, kind.until_date)
    match kind:
        case OnDemand():
            return kind.quota_accelerators if t in window else 0
        case Existing():
            return kind.accelerators if t in window else 0
        case Reservation():
            starts = [s for s in window if s >= kind.lead_time_periods]
            covered = any(s <= t < s + term.term_periods for s in starts for term in kind.terms)
            return kind.block_accelerators * kind.blocks_max if covered else 0
        case Purchase():
            orders = [s for s in window if s + kind.delivery_steps[0].periods_after_order < periods]
            return kind.units_max * kind.unit_accelerators * max((_ramp(kind, t - s) for s in orders), default=0.0)


def _can_run(problem: Problem, workload: Workload, capacity: dict[str, list[float]]) -> bool:
    accelerators = {a.id: a for a in problem.accelerators}
    sites = {s.id: s for s in problem.sites}
    release = max(problem.calendar.first_period_from(workload.release_date), 0)
    deadline = min(problem.calendar.last_end_by(workload.deadline_date), problem.calendar.period_count)
    for pool in problem.pools:
        accelerator, site = accelerators[pool.accelerator_id], sites[pool.site_id]
        speed = {t.software_family: t.normalised_throughput for t in accelerator.throughputs}
        if workload.software_family not in speed:
            continue
        if not workload.sovereignty.accepts(site.country_code, site.operator_country_code):
            continue
        for option in workload.gang_options:
            n = option.accelerators
            if n > pool.gang_accelerators_max or n * accelerator.memory_gb < workload.memory_gb:
                continue
            length = _length(problem, workload, option, speed[workload.software_family])
            for s in range(release, deadline - length + 1):
                if all(n <= capacity[pool.id][t] + 1e-9 for t in range(s, s + length)):
                    return True
    return False


def _length(problem: Problem, workload: Workload, option: GangOption, throughput: float) -> int:
    hours = workload.normalised_accelerator_hours
    if hours is None:
        assert workload.flops is not None
        assert problem.reference_sustained_flops is not None
        hours = workload.flops / (3600 * problem.reference_sustained_flops)
    quotient = hours / (option.accelerators * throughput * option.scaling_efficiency_fraction)
    quotient /= problem.calendar.period_hours
    whole = math.floor(quotient + 1e-9)
    return max(whole + (quotient - whole > 1e-9), 1)


@pytest.mark.parametrize("seed", range(60))
def test_agrees_with_the_rules(seed: int) -> None:
    """A workload is called unplaceable exactly where a search through every column finds none."""
    problem = random_problem(seed)
    periods = range(problem.calendar.period_count)
    capacity = {
        pool.id: [sum(_largest(problem, o, t) for o in problem.offers if o.pool_id == pool.id) for t in periods]
        for pool in problem.pools
    }
    expected = [w.id for w in problem.workloads if not _can_run(problem, w, capacity)]
    assert [u.workload_id for u in unplaceable(problem)] == expected


def test_there_is_something_to_compare() -> None:
    """Among the random problems are workloads that can run nowhere, for several reasons, and many that can run."""
    problems = [random_problem(seed) for seed in range(60)]
    found = [u.reason for problem in problems for u in unplaceable(problem)]
    assert 20 < len(found) < sum(len(problem.workloads) for problem in problems) / 2
    assert len({reason.split()[2] for reason in found}) >= 3
