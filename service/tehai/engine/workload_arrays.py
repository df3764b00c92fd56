"""Workloads as arrays: windows, gangs, where they may run, the current plan and precedences."""

from __future__ import annotations

from typing import Any

import numpy as np

from tehai.domain.problem import CurrentPlacement, Problem
from tehai.domain.workload import Workload
from tehai.engine.pool_arrays import floats, sites_of_pools

SECONDS_PER_HOUR = 3600.0


def workload_arrays(problem: Problem, families: tuple[str, ...], projects: tuple[str, ...]) -> dict[str, Any]:
    """Return the table of workloads."""
    calendar, workloads = problem.calendar, problem.workloads
    flops_per_hour = SECONDS_PER_HOUR * (problem.reference_sustained_flops or 1.0)
    family_index = {family: i for i, family in enumerate(families)}
    project_index = {project: i for i, project in enumerate(projects)}
    member_index = {member.id: i for i, member in enumerate(problem.members)}
    gangs = [option for workload in workloads for option in workload.gang_options]
    ends = [min(max(calendar.last_end_by(w.deadline_date), 0), calendar.period_count) for w in workloads]
    arrays = {
        "work": floats([work_of(w, flops_per_hour) for w in workloads]),
        "release": _whole([max(calendar.first_period_from(w.release_date), 0) for w in workloads]),
        "deadline": _whole(ends),
        "memory_gb": floats([w.memory_gb for w in workloads]),
        "family": _whole([family_index[w.software_family] for w in workloads]),
        "late_yen": floats([float(w.late_start_yen_per_period) for w in workloads]),
        "project": _whole([project_index[w.project] for w in workloads]),
        "member": _whole([member_index[w.member_id] for w in workloads]),
        "pauses_max": _whole([0 if w.pausing is None else w.pausing.pauses_max for w in workloads]),
        "resume_hours": floats([0.0 if w.pausing is None else w.pausing.resume_overhead_hours for w in workloads]),
        "gang_offset": np.cumsum([0] + [len(w.gang_options) for w in workloads]),
        "gang_accelerators": floats([float(option.accelerators) for option in gangs]),
        "gang_efficiency": floats([option.scaling_efficiency_fraction for option in gangs]),
    }
    return arrays | _place_arrays(problem) | _current_arrays(problem) | _precedence_arrays(problem)


def work_of(workload: Workload, flops_per_hour: float) -> float:
    """Return normalised accelerator-hours."""
    if workload.normalised_accelerator_hours is not None:
        return workload.normalised_accelerator_hours
    return (workload.flops or 0.0) / flops_per_hour


def _whole(values: list[int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


def _place_arrays(problem: Problem) -> dict[str, Any]:
    """Where workloads may run, and what it takes to bring them there: data by its route, porting by accelerator."""
    workloads, pools, sites = problem.workloads, problem.pools, sites_of_pools(problem)
    allowed_of_rule = {
        rule: np.array([rule.accepts(site.country_code, site.operator_country_code) for site in sites], dtype=np.bool_)
        for rule in {workload.sovereignty for workload in workloads}
    }
    routes = {(route.from_site_id, route.to_site_id): i for i, route in enumerate(problem.routes)}
    shape = (len(workloads), len(pools))
    allowed = np.zeros(shape, dtype=np.bool_)
    route_of = np.full(shape, -1, dtype=np.int64)
    porting = np.zeros(shape)
    for w, workload in enumerate(workloads):
        allowed[w] = allowed_of_rule[workload.sovereignty]
        if moves_data(workload):
            for p, site in enumerate(sites):
                if site.id != workload.data_site_id:
                    route_of[w, p] = routes.get((workload.data_site_id or "", site.id), -1)
                    allowed[w, p] &= route_of[w, p] >= 0
        amounts = {entry.accelerator_id: float(entry.amount_yen) for entry in workload.porting}
        if amounts:
            porting[w] = [amounts.get(pool.accelerator_id, 0.0) for pool in pools]
    terabytes = [workload.data_terabytes if moves_data(workload) else 0.0 for workload in workloads]
    return {
        "pool_allowed": allowed,
        "pool_route": route_of,
        "porting_yen": porting,
        "terabytes": floats(terabytes),
    }


def moves_data(workload: Workload) -> bool:
    """Return whether the workload has data that must be moved where it does not lie already."""
    return workload.data_site_id is not None and workload.data_terabytes > 0.0


def _current_arrays(problem: Problem) -> dict[str, Any]:
    """The plan in force, and what it costs not to run a workload: a change of that plan included."""
    calendar, count = problem.calendar, len(problem.workloads)
    pool_index = {pool.id: p for p, pool in enumerate(problem.pools)}
    current = {placement.workload_id: placement for placement in problem.current_plan.placements}
    # The first of the periods that begin on a day; a day on which none begins is no start of this calendar.
    period_of_day = {calendar.date_of(t): t for t in reversed(range(calendar.period_count))}
    arrays: dict[str, Any] = {
        "current_pool": np.full(count, -1, dtype=np.int64),
        "current_gang": np.zeros(count),
        "current_start": np.zeros(count, dtype=np.int64),
        "change_yen": np.zeros(count),
        "locked": np.zeros(count, dtype=np.bool_),
        "not_run_yen": floats(
            [np.inf if w.cost_not_run_yen is None else w.cost_not_run_yen for w in problem.workloads]
        ),
    }
    for w, workload in enumerate(problem.workloads):
        placement = current.get(workload.id)
        if placement is None:
            continue
        arrays["current_pool"][w] = pool_index[placement.pool_id]
        arrays["current_gang"][w] = placement.accelerators
        arrays["current_start"][w] = period_of_day.get(placement.start_date, -1)
        arrays["change_yen"][w] = change_yen(problem, placement)
        arrays["locked"][w] = placement.locked
        arrays["not_run_yen"][w] = np.inf if placement.locked else arrays["not_run_yen"][w] + arrays["change_yen"][w]
    return arrays


def change_yen(problem: Problem, placement: CurrentPlacement) -> float:
    """Return what a change of the placement costs: its own figure, else that of the current plan."""
    own = placement.change_yen
    return float(problem.current_plan.change_yen if own is None else own)


def _precedence_arrays(problem: Problem) -> dict[str, Any]:
    index = {workload.id: w for w, workload in enumerate(problem.workloads)}
    pairs = [(index[u], w) for w, workload in enumerate(problem.workloads) for u in workload.after_workload_ids]
    return {"before": _whole([u for u, _ in pairs]), "after": _whole([w for _, w in pairs])}
