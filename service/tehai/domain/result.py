"""What a solve answers, and what it reports on the way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tehai.domain.certificate import Certificate
from tehai.domain.market import FiscalYearAmount
from tehai.domain.plan import Plan, StopReason


class SolveStatus(Enum):
    """What plan and bound amount to."""

    FEASIBLE = "feasible"
    OPTIMAL = "optimal"
    MANDATORY_MISSED = "mandatory_missed"
    INFEASIBLE = "infeasible"


class SolvePhase(Enum):
    """Where a solve stands."""

    BUILD = "build"
    ASCEND = "ascend"
    MASTER = "master"
    SEARCH = "search"
    POLISH = "polish"
    CERTIFY = "certify"


@dataclass(frozen=True, slots=True)
class Progress:
    """Incumbent, bound and gap at one moment; None before they exist."""

    phase: SolvePhase
    elapsed_seconds: float
    objective_yen: int | None
    lower_bound_yen: int | None
    gap: float | None


@dataclass(frozen=True, slots=True)
class UnplaceableWorkload:
    """A workload with no legal placement even alone, and the rule that forbids it."""

    workload_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class NamedAmount:
    """Whole yen of one component, member, site or currency."""

    name: str
    amount_yen: int


@dataclass(frozen=True, slots=True)
class ClaimUse:
    """What is claimed against one limit of a programme, before the horizon (``made_yen``) and in it."""

    limit: str
    claimed_yen: int
    made_yen: int
    limit_yen: int


@dataclass(frozen=True, slots=True)
class ShadowPrice:
    """Yen of objective saved by one unit more of a limit, with what is used of it and the limit, in its unit."""

    row: str
    value: float
    unit: str
    used: float
    limit: float


@dataclass(frozen=True, slots=True)
class MemberBill:
    """What a member pays, of that its part of objective less bound, and its bill at list prices."""

    member_id: str
    bill_yen: int
    remainder_yen: int
    list_bill_yen: int


@dataclass(frozen=True, slots=True)
class Breakdown:
    """What follows from plan and prices for those who pay; each ``by_`` list sums to the objective."""

    by_component: tuple[NamedAmount, ...]
    by_member: tuple[NamedAmount, ...]
    by_site: tuple[NamedAmount, ...]
    by_currency: tuple[NamedAmount, ...]
    by_fiscal_year: tuple[FiscalYearAmount, ...]
    claim_uses: tuple[ClaimUse, ...]
    shadow_prices: tuple[ShadowPrice, ...]
    member_bills: tuple[MemberBill, ...]


@dataclass(frozen=True, slots=True)
class SolveResult:
    """A verified plan with its bound; ``gap`` and ``gap_on_bill`` are None where they have no meaning."""

    status: SolveStatus
    plan: Plan
    certificate: Certificate
    objective_yen: int
    plan_cost_yen: int
    lower_bound_yen: int
    objective_gap_yen: int
    gap: float | None
    gap_on_bill: float | None
    verified: bool
    solve_seconds: float
    peak_memory_mb: float
    workloads_placed: int
    workloads_not_run: int
    stop_reason: StopReason
    unplaceable_workloads: tuple[UnplaceableWorkload, ...]
    uncapped: tuple[str, ...]
    breakdown: Breakdown | None = None
