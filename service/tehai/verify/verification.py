"""What the second opinion finds."""

from __future__ import annotations

from dataclasses import dataclass

from tehai.domain.violation import Violation


@dataclass(frozen=True, slots=True)
class Verification:
    """Violations of a plan, and of its certificate where one was given, with the figures computed again.

    ``objective_yen`` is the sum of the bill's lines as recomputed, each rounded; ``exact_objective`` the sum before
    rounding; ``plan_cost_yen`` the objective less lateness, not-run and change charges. ``lower_bound_yen`` is both
    claimed and proved, None without a certificate that proves one. ``unplaceable_workload_ids`` are mandatory or locked
    workloads without a legal column, left out of bound and objective; ``mandatory_missed_ids`` those that could be
    placed and are not.
    """

    valid: bool
    violations: tuple[Violation, ...]
    objective_yen: int
    exact_objective: float
    plan_cost_yen: int
    lower_bound_yen: int | None
    unplaceable_workload_ids: tuple[str, ...]
    mandatory_missed_ids: tuple[str, ...]

    @property
    def objective_gap_yen(self) -> int | None:
        """Objective less bound; None without a bound or where a mandatory workload is missed."""
        if self.lower_bound_yen is None or self.mandatory_missed_ids:
            return None
        return self.objective_yen - self.lower_bound_yen

    @property
    def gap(self) -> float | None:
        """The gap as a fraction of the objective; None where it has no meaning."""
        if self.lower_bound_yen is None or self.mandatory_missed_ids:
            return None
        return gap(self.objective_yen, self.lower_bound_yen)

    @property
    def gap_on_bill(self) -> float | None:
        """The gap as a fraction of the plan's cost without penalties; None where it has no meaning."""
        if self.lower_bound_yen is None or self.mandatory_missed_ids:
            return None
        return gap(self.objective_yen, self.lower_bound_yen, self.plan_cost_yen)


def gap(objective_yen: int, lower_bound_yen: int, denominator_yen: int | None = None) -> float | None:
    """Return (objective - bound) / denominator, by default the objective.

    0 where the difference is 0, else None where the denominator is not positive.
    """
    difference = objective_yen - lower_bound_yen
    denominator = objective_yen if denominator_yen is None else denominator_yen
    if difference == 0:
        return 0.0
    return difference / denominator if denominator > 0 else None
