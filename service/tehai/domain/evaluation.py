"""A given plan in a changed world, and what is different between two plans."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tehai.domain.market import FiscalYearAmount
from tehai.domain.plan import BillLine


@dataclass(frozen=True, slots=True)
class OfferPriceFactor:
    """Every price of one offer times ``factor``."""

    offer_id: str
    factor: float


@dataclass(frozen=True, slots=True)
class ScenarioChange:
    """What is different in the world under which a plan is billed again; docs/evaluation.md.

    Factors multiply the forward rate of the dollar, the prices of an offer and every price of electricity; programmes
    that are cancelled pay nothing.
    """

    usd_jpy_factor: float = 1.0
    offer_price_factors: tuple[OfferPriceFactor, ...] = ()
    cancelled_programme_ids: tuple[str, ...] = ()
    electricity_factor: float = 1.0


@dataclass(frozen=True, slots=True)
class BrokenLimit:
    """A limit that a plan breaks under a change: code, path and message are those of the second opinion."""

    code: str
    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The bill and the cash of a plan as planned and under a change, and the limits that only the change breaks."""

    objective_yen: int
    changed_objective_yen: int
    bill_lines: tuple[BillLine, ...]
    changed_bill_lines: tuple[BillLine, ...]
    broken_limits: tuple[BrokenLimit, ...]
    cash: tuple[FiscalYearAmount, ...]
    changed_cash: tuple[FiscalYearAmount, ...]


class PlacementChange(Enum):
    """What has become of a workload from one plan to another."""

    MOVED = "moved"
    STARTED = "started"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class PlacementDifference:
    """A workload that two plans do not place alike.

    ``before`` and ``after`` are "pool, accelerators, start date" in the first and in the second plan; empty where it is
    not run or not there.
    """

    workload_id: str
    change: PlacementChange
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class NamedDifference:
    """An amount or count in the first and in the second plan."""

    name: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """What is different between two plans; ``bill`` in yen by component, ``commitments`` in blocks and units."""

    placements: tuple[PlacementDifference, ...]
    bill: tuple[NamedDifference, ...]
    commitments: tuple[NamedDifference, ...]
    objective_difference_yen: int
