"""Checks of placements: every workload once, every placement legal by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from tehai.domain.violation import Violation
from tehai.verify.case import Case, efficiency_of, is_changed
from tehai.verify.columns import along, gang_is_too_large, route_is_missing
from tehai.verify.faults import violation
from tehai.verify.reference import accepts, throughput_of


def check_v2101_unknown_workload(case: Case) -> Iterator[Violation]:
    """Every id, placed or not run, is a workload of the problem."""
    known = case.reference.workload_index
    for i, placement in enumerate(case.plan.placements):
        if placement.workload_id not in known:
            yield violation(
                "V2101", f"placements[{i}].workload_id", f'no workload has the id "{placement.workload_id}"'
            )
    for i, workload_id in enumerate(case.plan.not_run_workload_ids):
        if workload_id not in known:
            yield violation("V2101", f"not_run_workload_ids[{i}]", f'no workload has the id "{workload_id}"')


def check_v2102_workload_left_out(case: Case) -> Iterator[Violation]:
    """Every workload of the problem is placed or listed as not run."""
    named = {placement.workload_id for placement in case.plan.placements} | set(case.plan.not_run_workload_ids)
    for workload in case.problem.workloads:
        if workload.id not in named:
            yield violation("V2102", "placements", f'workload "{workload.id}" is missing')


def check_v2103_workload_repeated(case: Case) -> Iterator[Violation]:
    """No workload is placed twice or listed twice."""
    placed = Counter(placement.workload_id for placement in case.plan.placements)
    listed = Counter(case.plan.not_run_workload_ids)
    for path, counts in (("placements", placed), ("not_run_workload_ids", listed)):
        for workload_id, count in counts.items():
            if count > 1:
                yield violation("V2103", path, f'workload "{workload_id}" expected once, found {count} times')


def check_v2104_placed_and_not_run(case: Case) -> Iterator[Violation]:
    """No workload is both placed and listed as not run."""
    placed = {placement.workload_id for placement in case.plan.placements}
    for i, workload_id in enumerate(case.plan.not_run_workload_ids):
        if workload_id in placed:
            yield violation("V2104", f"not_run_workload_ids[{i}]", f'workload "{workload_id}" is placed too')


def check_v2106_unknown_pool(case: Case) -> Iterator[Violation]:
    """Every segment lies in a pool of the problem."""
    for i, placement in enumerate(case.plan.placements):
        for k, segment in enumerate(placement.segments):
            if segment.pool_id not in case.reference.pool_index:
                path = f"placements[{i}].segments[{k}].pool_id"
                yield violation("V2106", path, f'no pool has the id "{segment.pool_id}"')


def check_v2107_gang_option(case: Case) -> Iterator[Violation]:
    """The number of accelerators is one that the workload allows."""
    for item in case.placed:
        if efficiency_of(case.reference, item.workload, item.accelerators) is None:
            options = [gang.accelerators for gang in case.problem.workloads[item.workload].gang_options]
            message = f"expected one of {options}, found {item.accelerators}"
            yield violation("V2107", f"placements[{item.position}].segments[0].accelerators", message)


def check_v2108_gang_limit(case: Case) -> Iterator[Violation]:
    """The gang is within the pool's limit on one workload."""
    for item in case.placed:
        pool = case.problem.pools[item.pool]
        if item.accelerators > pool.gang_accelerators_max:
            limit = pool.gang_accelerators_max
            message = f'pool "{pool.id}" expected at most {limit}, found {item.accelerators} accelerators'
            yield violation("V2108", f"placements[{item.position}].segments[0].accelerators", message)


def check_v2109_software_family(case: Case) -> Iterator[Violation]:
    """The accelerator runs the workload's software family."""
    for item in case.placed:
        family = case.problem.workloads[item.workload].software_family
        accelerator = case.reference.accelerator_of_pool[item.pool]
        if throughput_of(accelerator, family) <= 0.0:
            message = f'accelerator "{accelerator.id}" does not list "{family}"'
            yield violation("V2109", f"placements[{item.position}].segments[0].pool_id", message)


def check_v2110_memory(case: Case) -> Iterator[Violation]:
    """The memory of the gang reaches that of the workload."""
    for item in case.placed:
        have = item.accelerators * case.reference.accelerator_of_pool[item.pool].memory_gb
        need = case.problem.workloads[item.workload].memory_gb
        if have < need:
            message = f"expected at least {need} GB, found {have} GB"
            yield violation("V2110", f"placements[{item.position}].segments[0].accelerators", message)


def check_v2111_sovereignty(case: Case) -> Iterator[Violation]:
    """The workload's rule accepts the countries of site and operator."""
    for item in case.placed:
        site = case.reference.site(item.pool)
        if not accepts(case.problem.workloads[item.workload].sovereignty, site):
            message = f'site "{site.id}" is in {site.country_code}, its operator in {site.operator_country_code}'
            yield violation("V2111", f"placements[{item.position}].segments[0].pool_id", message)


def check_v2112_start_too_early(case: Case) -> Iterator[Violation]:
    """The start is not before the release."""
    for item in case.placed:
        release = int(case.reference.release[item.workload])
        if item.start < release:
            message = f"expected period {release} or later, found {item.start}"
            yield violation("V2112", f"placements[{item.position}].segments[0].start_period", message)


def check_v2113_finish_too_late(case: Case) -> Iterator[Violation]:
    """The last period touched ends by the deadline."""
    for item in case.placed:
        deadline = int(case.reference.deadline[item.workload])
        if item.end > deadline:
            message = f"expected the end by period {deadline}, found {item.end}"
            path = f"placements[{item.position}].segments[{item.pauses}].start_period"
            yield violation("V2113", path, message)


def check_v2114_largest_gang(case: Case) -> Iterator[Violation]:
    """The gang, with the rest of its nodes, is no larger than what could ever be live in the periods it touches."""
    for column in case.columns:
        most = along(column, case.reference.gang_max[column.pool])
        if gang_is_too_large(column.occupied, most).any():
            message = f"expected at most {most.min():g}, found {column.occupied} accelerators occupied"
            yield violation("V2114", f"placements[{column.position}].segments[0].accelerators", message)


def check_v2117_no_route(case: Case) -> Iterator[Violation]:
    """There is a route for the workload's data to the site of the pool."""
    for item in case.placed:
        if route_is_missing(case.reference, item.workload, item.pool):
            origin = case.problem.workloads[item.workload].data_site_id
            message = f'no route from "{origin}" to "{case.reference.site(item.pool).id}"'
            yield violation("V2117", f"placements[{item.position}].segments[0].pool_id", message)


def check_v2118_locked(case: Case) -> Iterator[Violation]:
    """A workload that the current plan locks keeps pool, gang and start."""
    for item in case.placed:
        current = case.reference.current.get(item.workload)
        if current is not None and current.locked and is_changed(case, item):
            pool = case.problem.pools[current.pool].id if current.pool >= 0 else "no pool"
            message = (
                f'expected {current.accelerators} accelerators in "{pool}" from period {current.start} on, found '
                f'{item.accelerators} in "{case.problem.pools[item.pool].id}" from period {item.start} on'
            )
            yield violation("V2118", f"placements[{item.position}].segments[0]", message)


CHECKS: tuple[Callable[[Case], Iterator[Violation]], ...] = (
    check_v2101_unknown_workload,
    check_v2102_workload_left_out,
    check_v2103_workload_repeated,
    check_v2104_placed_and_not_run,
    check_v2106_unknown_pool,
    check_v2107_gang_option,
    check_v2108_gang_limit,
    check_v2109_software_family,
    check_v2110_memory,
    check_v2111_sovereignty,
    check_v2112_start_too_early,
    check_v2113_finish_too_late,
    check_v2114_largest_gang,
    check_v2117_no_route,
    check_v2118_locked,
)
