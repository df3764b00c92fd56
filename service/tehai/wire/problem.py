"""The whole problem, between message and domain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from tehai.domain.calendar import Calendar
from tehai.domain.limits import LIMITS
from tehai.domain.market import Market
from tehai.domain.problem import SCHEMA_VERSION, FigureStatus, Problem, Route, SourceNote
from tehai.domain.violation import Violation
from tehai.v1 import problem_pb2
from tehai.wire.current_plan import current_plan_from_proto, current_plan_to_proto
from tehai.wire.market import (
    PLACEHOLDER_MARKET,
    market_from_proto,
    market_to_proto,
    optional_double_to_wire,
    optional_number_from_proto,
    required_price_from_proto,
    unit_price_to_proto,
)
from tehai.wire.offer import offer_from_proto, offer_to_proto
from tehai.wire.programme import programme_from_proto, programme_to_proto
from tehai.wire.reading import PLACEHOLDER_DATE, Choices, Reader
from tehai.wire.rules import rules_from_proto, rules_to_proto
from tehai.wire.supply import (
    accelerator_from_proto,
    accelerator_to_proto,
    pool_from_proto,
    pool_to_proto,
    site_from_proto,
    site_to_proto,
)
from tehai.wire.unknown import report_unknown_fields
from tehai.wire.workload import member_from_proto, member_to_proto, workload_from_proto, workload_to_proto

FIGURE_STATUSES = Choices(FigureStatus, problem_pb2.FigureStatus)
PLACEHOLDER_CALENDAR = Calendar(PLACEHOLDER_DATE, 168, 1)


class DecodedProblem(NamedTuple):
    """A problem, or None and why not."""

    problem: Problem | None
    violations: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class ProblemDraft:
    """A problem in which everything that could not be read holds a placeholder.

    ``tainted`` has the paths of the placeholders; it is empty exactly when ``violations`` is.
    """

    problem: Problem
    violations: tuple[Violation, ...]
    tainted: frozenset[str]


def calendar_from_proto(message: problem_pb2.Calendar, reader: Reader, path: str) -> Calendar:
    """Read the periods."""
    return Calendar(
        first_date=reader.date(message.first_date, path, "first_date"),
        period_hours=message.period_hours,
        period_count=message.period_count,
    )


def calendar_to_proto(calendar: Calendar) -> problem_pb2.Calendar:
    """Write the periods."""
    return problem_pb2.Calendar(
        first_date=calendar.first_date.isoformat(),
        period_hours=calendar.period_hours,
        period_count=calendar.period_count,
    )


def source_note_from_proto(message: problem_pb2.SourceNote, reader: Reader, path: str) -> SourceNote:
    """Read where a figure comes from; an empty date means not known."""
    if message.as_of_date:
        reader.date(message.as_of_date, path, "as_of_date")
    return SourceNote(
        subject=message.subject,
        status=FIGURE_STATUSES.from_wire(message.status, reader, path, "status"),
        source=message.source,
        as_of_date=message.as_of_date,
        quoted=message.quoted,
        tax_basis=message.tax_basis,
        remark=message.remark,
    )


def source_note_to_proto(note: SourceNote) -> problem_pb2.SourceNote:
    """Write where a figure comes from."""
    return problem_pb2.SourceNote(
        subject=note.subject,
        status=FIGURE_STATUSES.to_wire(note.status),
        source=note.source,
        as_of_date=note.as_of_date,
        quoted=note.quoted,
        tax_basis=note.tax_basis,
        remark=note.remark,
    )


def route_from_proto(message: problem_pb2.Route, reader: Reader, path: str) -> Route:
    """Read a way for data between two sites."""
    return Route(
        from_site_id=message.from_site_id,
        to_site_id=message.to_site_id,
        price_per_terabyte=required_price_from_proto(message, reader, path, "price_per_terabyte"),
    )


def route_to_proto(route: Route) -> problem_pb2.Route:
    """Write a way for data between two sites."""
    return problem_pb2.Route(
        from_site_id=route.from_site_id,
        to_site_id=route.to_site_id,
        price_per_terabyte=unit_price_to_proto(route.price_per_terabyte),
    )


def _calendar_and_market(message: problem_pb2.Problem, reader: Reader) -> tuple[Calendar, Market]:
    """Read the two messages that every problem has."""
    calendar, market = PLACEHOLDER_CALENDAR, PLACEHOLDER_MARKET
    if message.HasField("calendar"):
        calendar = calendar_from_proto(message.calendar, reader, "calendar")
    else:
        reader.missing("", "calendar")
    if message.HasField("market"):
        market = market_from_proto(message.market, reader, "market")
    else:
        reader.missing("", "market")
    return calendar, market


def draft_problem(message: problem_pb2.Problem, known: Iterable[str] = ()) -> ProblemDraft:
    """Read a problem with placeholders; ``known`` are paths whose fault is reported already (by the text reader)."""
    reader = Reader(known)
    report_unknown_fields(message, reader)
    calendar, market = _calendar_and_market(message, reader)
    problem = Problem(
        schema_version=reader.schema_version(message.schema_version, SCHEMA_VERSION, ""),
        display_name=message.display_name,
        calendar=calendar,
        market=market,
        reference_sustained_flops=optional_number_from_proto(message, reader, "", "reference_sustained_flops"),
        accelerators=reader.each(accelerator_from_proto, message.accelerators, LIMITS.accelerators, "", "accelerators"),
        sites=reader.each(site_from_proto, message.sites, LIMITS.sites, "", "sites"),
        pools=reader.each(pool_from_proto, message.pools, LIMITS.pools, "", "pools"),
        offers=reader.each(offer_from_proto, message.offers, LIMITS.offers, "", "offers"),
        members=reader.each(member_from_proto, message.members, LIMITS.members, "", "members"),
        workloads=reader.each(workload_from_proto, message.workloads, LIMITS.workloads, "", "workloads"),
        programmes=reader.each(programme_from_proto, message.programmes, LIMITS.programmes, "", "programmes"),
        rules=rules_from_proto(message.rules, reader, "rules"),
        source_notes=reader.each(source_note_from_proto, message.source_notes, LIMITS.source_notes, "", "source_notes"),
        routes=reader.each(route_from_proto, message.routes, LIMITS.routes, "", "routes"),
        current_plan=current_plan_from_proto(message.current_plan, reader, "current_plan"),
    )
    return ProblemDraft(problem, tuple(reader.violations), frozenset(reader.tainted))


def problem_from_proto(message: problem_pb2.Problem) -> DecodedProblem:
    """Read a problem; the violations are of form only (see tehai.validation for meaning)."""
    draft = draft_problem(message)
    return DecodedProblem(None if draft.violations else draft.problem, draft.violations)


def problem_to_proto(problem: Problem) -> problem_pb2.Problem:
    """Write a problem in its canonical form."""
    return problem_pb2.Problem(
        schema_version=problem.schema_version,
        display_name=problem.display_name,
        calendar=calendar_to_proto(problem.calendar),
        market=market_to_proto(problem.market),
        reference_sustained_flops=optional_double_to_wire(problem.reference_sustained_flops),
        accelerators=[accelerator_to_proto(a) for a in problem.accelerators],
        sites=[site_to_proto(s) for s in problem.sites],
        pools=[pool_to_proto(p) for p in problem.pools],
        offers=[offer_to_proto(o) for o in problem.offers],
        members=[member_to_proto(m) for m in problem.members],
        workloads=[workload_to_proto(w) for w in problem.workloads],
        programmes=[programme_to_proto(p) for p in problem.programmes],
        rules=rules_to_proto(problem.rules),
        source_notes=[source_note_to_proto(n) for n in problem.source_notes],
        routes=[route_to_proto(r) for r in problem.routes],
        current_plan=current_plan_to_proto(problem.current_plan),
    )
