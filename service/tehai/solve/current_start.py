"""Where a solve starts from: the placements of the plan in force, as far as they are still legal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tehai.engine.instance import EngineInstance, IntArray
from tehai.engine.search import PlanArrays, empty_plan


def current_start(instance: EngineInstance, units: IntArray) -> PlanArrays:
    """Return the plan with ``units`` ordered and every workload where the plan in force has it, claiming what it may.

    What does not fit the units is left out by the search, which then inserts it anew.
    """
    arrays, modes = instance.arrays, instance.modes
    plan = replace(empty_plan(instance), units=units)
    # Legal modes at the pool and gang of the plan in force; a workload has at most one.
    listed = np.flatnonzero(modes["is_current"])
    workload = modes["workload"][listed]
    start = np.asarray(arrays["current_start"])[workload]
    fits = (start >= arrays["release"][workload]) & (
        start + modes["length"][listed] <= np.asarray(arrays["deadline"])[workload]
    )
    listed, workload, start = listed[fits], workload[fits], start[fits]
    plan.mode[workload], plan.start[workload] = listed, start
    _claim(instance, plan, workload)
    return plan


def planned_fraction(instance: EngineInstance) -> float:
    """Return the part of the workloads that the plan in force places."""
    planned = np.asarray(instance.arrays["current_pool"]) >= 0
    return float(planned.mean()) if len(planned) else 0.0


def _claim(instance: EngineInstance, plan: PlanArrays, workload: IntArray) -> None:
    """Give each placed workload the claim set that allows most, in ``plan``; limits are the search's to keep."""
    most = np.zeros(len(workload))
    if not len(workload):
        return
    for claim_set, programmes in enumerate(instance.claim_sets):
        columns = {
            "mode": plan.mode[workload],
            "start": plan.start[workload],
            "pauses": plan.pauses[workload],
            "claim_set": np.full(len(workload), claim_set, dtype=np.int64),
        }
        rows = instance.native.expand(columns)
        claimable = np.asarray(rows["claimable_yen"]).reshape(len(workload), instance.set_size, -1)
        total = claimable.sum(axis=(1, 2))
        open_to_all = (claimable[:, : len(programmes)].sum(axis=2) > 0.0).all(axis=1)
        better = open_to_all & (total > most)
        most[better] = total[better]
        plan.claim_set[workload[better]] = claim_set
        plan.claims[workload[better]] = claimable[better]
