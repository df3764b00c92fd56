"""The one table of tolerances of the second opinion."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Tolerance:
    """One allowance: its size, its unit and what it is compared with."""

    value: float
    unit: str
    applies_to: str


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Every allowance that a check makes; anything beyond it is a violation."""

    hours_absolute: Tolerance = Tolerance(1e-6, "hours", "use, capacity, power, allocations, carbon: least allowance")
    hours_relative: Tolerance = Tolerance(1e-6, "of hours offered or of the limit", "the same")
    accelerators_absolute: Tolerance = Tolerance(1e-6, "accelerators", "gang row and largest gang ever live")
    run_relative: Tolerance = Tolerance(
        1e-9, "of the run", "run_hours against the work, and against whole periods before a pause"
    )
    work_relative: Tolerance = Tolerance(1e-9, "of the year's work", "domestic share and concentration")
    forward_relative: Tolerance = Tolerance(1e-9, "of the rate", "forward_usd_jpy")
    money_absolute: Tolerance = Tolerance(1.0, "yen", "portfolio and member budgets, capital ceiling")
    money_relative: Tolerance = Tolerance(1e-9, "of the limit", "the same")
    claim_absolute: Tolerance = Tolerance(1e-6, "yen", "claim against rate * eligible cost or price")
    claim_relative: Tolerance = Tolerance(1e-12, "of the limit of the claim", "the same")
    half_yen_absolute: Tolerance = Tolerance(1e-6, "yen", "distance from a half yen where a figure may differ by one")
    half_yen_relative: Tolerance = Tolerance(1e-13, "of the figure", "the same, for large figures")
    duality_relative: Tolerance = Tolerance(1e-6, "of the gross bill", "bound above objective: follows from hours")


TOLERANCES = Tolerances()


def tolerance_rows() -> list[tuple[str, str, str, str]]:
    """Return (name, value, unit, applies to) of every tolerance, in order."""
    rows = []
    for item in fields(TOLERANCES):
        tolerance: Tolerance = getattr(TOLERANCES, item.name)
        rows.append((item.name, f"{tolerance.value:g}", tolerance.unit, tolerance.applies_to))
    return rows
