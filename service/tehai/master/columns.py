"""The columns of a master, and what they use of every row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tehai.engine.instance import EngineInstance
from tehai.engine.search import PlanArrays
from tehai.master.linear_model import FloatArray, IntArray

NAMES = ("workload", "mode", "start", "pauses", "claim_set")


@dataclass(frozen=True)
class ColumnSet:
    """Columns by workload, mode, start, pauses (code) and claim set (-1: none), each (C,), without repeats."""

    workload: IntArray
    mode: IntArray
    start: IntArray
    pauses: IntArray
    claim_set: IntArray

    @staticmethod
    def from_dict(found: Mapping[str, IntArray]) -> ColumnSet:
        """Take the columns of an engine answer that are run."""
        run = np.asarray(found["mode"]) >= 0
        return ColumnSet(*(np.asarray(found[name])[run] for name in NAMES))

    def union(self, other: ColumnSet) -> ColumnSet:
        """Return both without repeats, ordered by mode, start, pauses and claim set."""
        order = ("mode", "start", "pauses", "claim_set", "workload")
        stacked = np.stack([np.concatenate([getattr(self, n), getattr(other, n)]) for n in order])
        mode, start, pauses, claim_set, workload = np.unique(stacked, axis=1)
        return ColumnSet(workload, mode, start, pauses, claim_set)

    def with_pauses(self) -> ColumnSet:
        """Return the columns that pause."""
        pausing = self.pauses != 0
        return ColumnSet(*(getattr(self, name)[pausing] for name in NAMES))

    def as_dict(self) -> dict[str, IntArray]:
        """Return the arrays by the names the engine reads."""
        return {name: getattr(self, name) for name in NAMES}

    def __len__(self) -> int:
        """Return the count of columns."""
        return len(self.mode)


def columns_of_plan(plan: PlanArrays) -> ColumnSet:
    """Return the columns a plan uses."""
    placed, columns = plan.columns()
    return ColumnSet(placed, *(columns[name] for name in NAMES[1:]))


@dataclass(frozen=True)
class ColumnRows:
    """What columns use: C columns, E cells (pool and period) of them, Y fiscal years, S slots of a claim set.

    ``fixed_yen`` (C,) is the objective but for hours and claims; ``pay_yen`` (C,) what is paid at the start, nominal;
    ``cell``, ``hours``, ``kwh`` (E,) with the ``column`` of each; ``work``, ``charge_yen``, ``kg`` (C, Y);
    ``claimable_yen`` (C, S, Y); ``wait`` (C,) periods; ``end`` (C,) the first period after the last one touched.
    """

    fixed_yen: FloatArray
    pay_yen: FloatArray
    column: IntArray
    cell: IntArray
    hours: FloatArray
    kwh: FloatArray
    work: FloatArray
    charge_yen: FloatArray
    kg: FloatArray
    claimable_yen: FloatArray
    wait: FloatArray
    end: IntArray


def expand_columns(instance: EngineInstance, columns: Mapping[str, NDArray[Any]]) -> ColumnRows:
    """Ask the engine what columns (mode, start, pauses, claim set) use."""
    found = instance.native.expand({name: columns[name] for name in NAMES[1:]})
    count, years = len(columns["mode"]), len(instance.years)
    # A problem without claim sets has no slot in the engine and an empty one here.
    claimable = np.zeros((count, instance.set_size, years))
    claimable[:, : instance.native.claim_set_size()] = np.asarray(found["claimable_yen"]).reshape(
        count, instance.native.claim_set_size(), years
    )

    def by_year(name: str) -> FloatArray:
        return np.asarray(found[name], dtype=np.float64).reshape(count, years)

    return ColumnRows(
        fixed_yen=np.asarray(found["fixed_yen"]),
        pay_yen=np.asarray(found["pay_yen"]),
        column=np.repeat(np.arange(count), np.diff(found["offset"])),
        cell=np.asarray(found["cell"]),
        hours=np.asarray(found["hours"]),
        kwh=np.asarray(found["kwh"]),
        work=by_year("work"),
        charge_yen=by_year("charge_yen"),
        kg=by_year("kg"),
        claimable_yen=claimable,
        wait=np.asarray(found["wait"], dtype=np.float64),
        end=np.asarray(found["end"]),
    )
