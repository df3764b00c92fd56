"""The quick search for a legal placement agrees with the rules written out, on random problems and by hand."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations, pairwise

import pytest

from tehai.domain.offer import Allocation, CapacityBlock, Existing, Offer, OnDemand, Purchase, QuotaStep, Reservation
from tehai.domain.problem import CurrentPlan, Problem
from tehai.domain.supply import Pool
from tehai.domain.workload import GangOption, Workload
from tehai.validation import unplaceable, unplaceable_reason, validate
from tehai.validation.legality import fits_in_runs
from tests import builders as make
from tests.random_problems import random_problem

SEEDS = range(80)


def _ramp(kind: Purchase, age: int) -> float:
    first = kind.delivery_steps[0].periods_after_order
    if not first <= age < first + kind.life_periods:
        return 0.0
    return max(s.delivered_fraction for s in kind.delivery_steps if s.periods_after_order <= age)


def _on(day: date, accelerators: int, steps: Sequence[QuotaStep]) -> int:
    for step in steps:
        if step.from_date <= day:
            accelerators = step.accelerators
    return accelerators


def _largest(problem: Problem, offer: Offer, t: int) -> float:
    """Return Kmax(o, t), period by period, as docs/rules.md has it."""
    kind, periods, day = offer.kind, problem.calendar.period_count, problem.calendar.date_of(t)
    window = problem.calendar.periods_within(kind.from_date, kind.until_date)
    match kind:
        case OnDemand():
            return _on(day, kind.quota_accelerators, kind.quota_steps) if t in window else 0
        case Existing() | Allocation():
            return _on(day, kind.accelerators, kind.accelerator_steps) if t in window else 0
        case Reservation():
            starts = [s for s in window if s >= kind.lead_time_periods]
            covered = any(s <= t < s + term.term_periods for s in starts for term in kind.terms)
            return kind.block_accelerators * kind.blocks_max if covered else 0
        case CapacityBlock():
            ahead = range(kind.booking_periods_min, kind.booking_periods_max + 1)
            starts = [s for s in window if any(s - b in ahead for b in range(s + 1))]
            lengths = [math.ceil(24 * term.term_days / problem.calendar.period_hours) for term in kind.terms]
            covered = any(s <= t < s + length for s in starts for length in lengths)
            return kind.block_accelerators * kind.blocks_max if covered else 0
        case Purchase():
            orders = [s for s in window if s + kind.delivery_steps[0].periods_after_order < periods]
            return kind.units_max * kind.unit_accelerators * max((_ramp(kind, t - s) for s in orders), default=0.0)


def _choices(problem: Problem, workload: Workload) -> Iterator[tuple[Pool, GangOption, float]]:
    """Yield (pool, gang, throughput) of what is allowed at any time."""
    accelerators = {a.id: a for a in problem.accelerators}
    sites = {s.id: s for s in problem.sites}
    locked = [e for e in problem.current_plan.placements if e.locked and e.workload_id == workload.id]
    for pool in problem.pools:
        accelerator, site = accelerators[pool.accelerator_id], sites[pool.site_id]
        speed = {t.software_family: t.normalised_throughput for t in accelerator.throughputs}
        if workload.software_family not in speed:
            continue
        if not workload.sovereignty.accepts(site.country_code, site.operator_country_code):
            continue
        if workload.data_terabytes > 0 and workload.data_site_id not in (None, site.id):
            pairs = [(r.from_site_id, r.to_site_id) for r in problem.routes]
            if (workload.data_site_id, site.id) not in pairs:
                continue
        for option in workload.gang_options:
            n = option.accelerators
            if n > pool.gang_accelerators_max or n * accelerator.memory_gb < workload.memory_gb:
                continue
            if all(entry.pool_id == pool.id and entry.accelerators == n for entry in locked):
                yield pool, option, speed[workload.software_family]


def _can_run(problem: Problem, workload: Workload, capacity: dict[str, list[float]]) -> bool:
    """Try every set of periods in as many runs as there may be."""
    release = max(problem.calendar.first_period_from(workload.release_date), 0)
    deadline = min(problem.calendar.last_end_by(workload.deadline_date), problem.calendar.period_count)
    first_days = [e.start_date for e in problem.current_plan.placements if e.locked and e.workload_id == workload.id]
    pauses_max = workload.pausing.pauses_max if workload.pausing else 0
    for pool, option, speed in _choices(problem, workload):
        occupied = math.ceil(option.accelerators / pool.node_accelerators) * pool.node_accelerators
        free = [t for t in range(release, deadline) if occupied <= capacity[pool.id][t] + 1e-9]
        for pauses in range(pauses_max + 1):
            length = _length(problem, workload, option, speed, pauses)
            for touched in combinations(free, length):
                gaps = sum(b > a + 1 for a, b in pairwise(touched))
                starts_right = all(problem.calendar.date_of(touched[0]) == day for day in first_days)
                if gaps == pauses and starts_right:
                    return True
    return False


def _length(problem: Problem, workload: Workload, option: GangOption, throughput: float, pauses: int) -> int:
    hours = workload.normalised_accelerator_hours
    if hours is None:
        assert workload.flops is not None
        assert problem.reference_sustained_flops is not None
        hours = workload.flops / (3600 * problem.reference_sustained_flops)
    run = hours / (option.accelerators * throughput * option.scaling_efficiency_fraction)
    if pauses:
        assert workload.pausing is not None
        run += pauses * workload.pausing.resume_overhead_hours
    quotient = run / problem.calendar.period_hours
    whole = math.floor(quotient + 1e-9)
    return max(whole + (quotient - whole > 1e-9), 1)


def _expected(problem: Problem) -> list[str]:
    periods = range(problem.calendar.period_count)
    capacity = {
        pool.id: [sum(_largest(problem, o, t) for o in problem.offers if o.pool_id == pool.id) for t in periods]
        for pool in problem.pools
    }
    return [w.id for w in problem.workloads if not _can_run(problem, w, capacity)]


@pytest.mark.parametrize("seed", SEEDS)
def test_agrees_with_the_rules(seed: int) -> None:
    """A workload is called unplaceable exactly where a search through every column finds none."""
    problem = random_problem(seed)
    assert [u.workload_id for u in unplaceable(problem)] == _expected(problem)


def test_there_is_something_to_compare() -> None:
    """Among the random problems are workloads that can run nowhere, for several reasons, and many that can run."""
    problems = [random_problem(seed) for seed in SEEDS]
    found = [u.reason for problem in problems for u in unplaceable(problem)]
    assert 20 < len(found) < sum(len(problem.workloads) for problem in problems) / 2
    assert len({reason.split()[2] for reason in found}) >= 3
    drawn = Counter(
        what
        for problem in problems
        for what, given in (
            ("locked", any(entry.locked for entry in problem.current_plan.placements)),
            ("pausing", any(workload.pausing for workload in problem.workloads)),
            ("nodes", any(pool.node_accelerators > 1 for pool in problem.pools)),
            ("routes", any(workload.data_site_id for workload in problem.workloads)),
            ("blocks", any(isinstance(offer.kind, CapacityBlock) for offer in problem.offers)),
            ("allocations", any(isinstance(offer.kind, Allocation) for offer in problem.offers)),
        )
        if given
    )
    assert len(drawn) == 6
    assert min(drawn.values()) >= 5


def test_runs_in_stretches() -> None:
    """Whether periods in so many runs fit into stretches is what trying every set of periods says."""
    checked = set()
    for free in (tuple(t for t in range(8) if mask >> t & 1) for mask in range(1, 256)):
        stretches = [len(run) for run in "".join("x" if t in free else " " for t in range(8)).split()]
        for length in range(1, len(free) + 1):
            sets = [(c[0], _runs(c)) for c in combinations(free, length)]
            for runs in range(1, 5):
                anywhere = any(found == runs for _, found in sets)
                from_first = any(found == runs and start == free[0] for start, found in sets)
                assert fits_in_runs(stretches, runs, length, first_is_used=False) == anywhere
                assert fits_in_runs(stretches, runs, length, first_is_used=True) == from_first
                checked.add((anywhere, from_first))
    assert checked == {(True, True), (True, False), (False, False)}


def _runs(touched: Sequence[int]) -> int:
    return 1 + sum(b > a + 1 for a, b in pairwise(touched))


def test_a_node_is_occupied_as_a_whole() -> None:
    """Six accelerators in nodes of four take eight, more than the pool has."""
    job = make.make_workload(gangs={6: 1.0}, hours=6.0)
    for quota, reason in ((7, "no pool can have as many accelerators live for as long as it would run"), (8, "")):
        offers = [make.make_offer(make.on_demand(quota=quota))]
        problem = make.make_problem(workloads=[job], offers=offers, pools=[make.make_pool(node=4)])
        assert unplaceable_reason(problem, "job") == reason


def test_a_pause_bridges_a_gap() -> None:
    """Two weeks of work fit around a week without capacity where the workload may pause, and not otherwise."""
    offers = [make.make_offer(make.on_demand(steps={1: 0, 2: 64}))]
    job = make.make_workload(hours=2688.0, deadline=3)
    reason = "no pool can have as many accelerators live for as long as it would run"
    for pausing, expected in (
        (None, reason),
        (make.pausing(1, 0.0), ""),
        (make.pausing(1, 1.0), f"{reason}, even with its pauses"),
    ):
        problem = make.make_problem(workloads=[replace(job, pausing=pausing)], offers=offers)
        assert validate(problem) == ()
        assert unplaceable_reason(problem, "job") == expected


def test_data_needs_a_route() -> None:
    """Data at another site reaches a pool by a route from there, not by one back."""
    sites = [make.make_site(), make.make_site("far")]
    job = make.make_workload(data_site_id="far", data_terabytes=1.0)
    for ends, reason in (
        (("site", "far"), "no route leads from far, where its data lies, to a pool left"),
        (("far", "site"), ""),
    ):
        problem = replace(make.make_problem(workloads=[job], sites=sites), routes=(make.route(*ends),))
        assert validate(problem) == ()
        assert unplaceable_reason(problem, "job") == reason


def test_a_lock_leaves_one_place() -> None:
    """A locked workload has no other pool, gang or start, and keeps its pauses."""
    offers = [make.make_offer(make.on_demand(quota=8, steps={2: 0, 3: 8}))]
    entry = make.current_placement("job", start=1, locked=True)
    lock = CurrentPlan(0, (entry,))
    job = make.make_workload(hours=2688.0)
    reason = (
        "the current plan locks it to pool pool with 8 accelerators from 2027-04-12 on, "
        "which cannot have as many live for as long as it would run"
    )
    for workload, plan, expected in (
        (job, CurrentPlan(), ""),
        (job, lock, reason),
        (replace(job, pausing=make.pausing()), lock, ""),
    ):
        problem = replace(make.make_problem(workloads=[workload], offers=offers), current_plan=plan)
        assert validate(problem) == ()
        assert unplaceable_reason(problem, "job") == expected
