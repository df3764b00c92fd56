"""Members and their training workloads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum

from tehai.domain.market import FiscalYearAmount


class SizeClass(Enum):
    """The class that decides a member's grant rate."""

    SME = "sme"
    LARGE = "large"


@dataclass(frozen=True, slots=True)
class Member:
    """A company or body in the portfolio.

    ``flags`` are facts that grant rates depend on; ``budgets`` limit list bills less grants by fiscal year;
    ``share_fraction`` is its part of jointly bought capacity; ``cost_of_capital`` discounts its own purchases.
    """

    id: str
    display_name: str
    size_class: SizeClass
    flags: tuple[str, ...] = ()
    budgets: tuple[FiscalYearAmount, ...] = ()
    share_fraction: float | None = None
    cost_of_capital: Decimal | None = None


@dataclass(frozen=True, slots=True)
class GangOption:
    """A number of accelerators and the part of their joint speed that is kept, in (0, 1]."""

    accelerators: int
    scaling_efficiency_fraction: float


@dataclass(frozen=True, slots=True)
class CountryRule:
    """Countries of site and operator that a rule accepts; an empty tuple accepts every country."""

    site_country_codes: tuple[str, ...]
    operator_country_codes: tuple[str, ...]

    def accepts(self, site_country_code: str, operator_country_code: str) -> bool:
        """Return whether a site of these two countries satisfies the rule."""
        return (not self.site_country_codes or site_country_code in self.site_country_codes) and (
            not self.operator_country_codes or operator_country_code in self.operator_country_codes
        )


@dataclass(frozen=True, slots=True)
class Porting:
    """Cost of porting a workload to one type of accelerator."""

    accelerator_id: str
    amount_yen: int


@dataclass(frozen=True, slots=True)
class Pausing:
    """How often a workload may stop and go on, and the hours that the gang runs longer for each pause."""

    pauses_max: int
    resume_overhead_hours: float


@dataclass(frozen=True, slots=True)
class Workload:
    """One training job.

    Exactly one of ``normalised_accelerator_hours`` and ``flops`` is given. ``cost_not_run_yen`` is None for a
    mandatory workload. ``memory_gb`` is for the whole gang. It runs after ``after_workload_ids`` have ended. Its data,
    ``data_terabytes`` at ``data_site_id``, is moved to where it runs. ``pausing`` is None where it runs in one piece.
    """

    id: str
    display_name: str
    member_id: str
    project_id: str
    release_date: date
    deadline_date: date
    normalised_accelerator_hours: float | None
    flops: float | None
    gang_options: tuple[GangOption, ...]
    memory_gb: float
    software_family: str
    sovereignty: CountryRule
    tags: tuple[str, ...]
    late_start_yen_per_period: int
    cost_not_run_yen: int | None
    after_workload_ids: tuple[str, ...] = ()
    data_site_id: str | None = None
    data_terabytes: float = 0.0
    porting: tuple[Porting, ...] = ()
    pausing: Pausing | None = None

    @property
    def mandatory(self) -> bool:
        """Whether the workload has to run."""
        return self.cost_not_run_yen is None

    @property
    def project(self) -> str:
        """The project whose grant cap counts: ``project_id``, else the workload's own id."""
        return self.project_id or self.id
