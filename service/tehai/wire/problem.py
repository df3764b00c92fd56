"""The whole problem, between message and domain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from tehai.domain.calendar import Calendar
from tehai.domain.limits import LIMITS
from tehai.domain.problem import SCHEMA_VERSION, FigureStatus, FiscalYearShare, Problem, Rules, SourceNote
from tehai.domain.violation import Violation
from tehai.domain.workload import CountryRule
from tehai.v1 import problem_pb2
from tehai.wire.market import (
    FISCAL_YEARS_MAX,
    PLACEHOLDER_MARKET,
    double_to_wire,
    fiscal_year_amounts_from_proto,
    fiscal_year_amounts_to_proto,
    market_from_proto,
    market_to_proto,
)
from tehai.wire.offer import offer_from_proto, offer_to_proto
from tehai.wire.programme import programme_from_proto, programme_to_proto
from tehai.wire.reading import PLACEHOLDER_DATE, Choices, Reader
from tehai.wire.supply import (
    accelerator_from_proto,
    accelerator_to_proto,
    pool_from_proto,
    pool_to_proto,
    site_from_proto,
    site_to_proto,
)
from tehai.wire.unknown import report_unknown_fields
from tehai.wire.workload import (
    country_rule_from_proto,
    member_from_proto,
    member_to_proto,
    workload_from_proto,
    workload_to_proto,
)

M = TypeVar("M")
D = TypeVar("D")
FIGURE_STATUSES = Choices(FigureStatus, problem_pb2.FigureStatus)
DOMESTIC_BY_DEFAULT = CountryRule(("JP",), ())
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


def rules_from_proto(message: problem_pb2.Rules, reader: Reader, path: str) -> Rules:
    """Read the rules; an unset rule on what is domestic means sites in JP."""
    domestic = DOMESTIC_BY_DEFAULT
    if message.HasField("domestic"):
        rule = message.domestic
        domestic = country_rule_from_proto(
            rule.site_country_codes, rule.operator_country_codes, reader, f"{path}.domestic"
        )
    shares = reader.limited(message.minimum_domestic_shares, FISCAL_YEARS_MAX, path, "minimum_domestic_shares")
    return Rules(
        domestic=domestic,
        minimum_domestic_shares=tuple(
            FiscalYearShare(
                fiscal_year=m.fiscal_year,
                share_fraction=reader.number(
                    m.share_fraction, f"{path}.minimum_domestic_shares[{i}]", "share_fraction"
                ),
            )
            for i, m in enumerate(shares)
        ),
        portfolio_budgets=fiscal_year_amounts_from_proto(message.portfolio_budgets, reader, path, "portfolio_budgets"),
    )


def rules_to_proto(rules: Rules) -> problem_pb2.Rules:
    """Write the rules; what is domestic is always written out, since unset does not mean everywhere."""
    return problem_pb2.Rules(
        domestic=problem_pb2.DomesticRule(
            site_country_codes=rules.domestic.site_country_codes,
            operator_country_codes=rules.domestic.operator_country_codes,
        ),
        minimum_domestic_shares=[
            problem_pb2.FiscalYearShare(
                fiscal_year=share.fiscal_year, share_fraction=double_to_wire(share.share_fraction)
            )
            for share in rules.minimum_domestic_shares
        ],
        portfolio_budgets=fiscal_year_amounts_to_proto(rules.portfolio_budgets),
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


def _each(
    read: Callable[[M, Reader, str], D], messages: Sequence[M], limit: int, reader: Reader, name: str
) -> tuple[D, ...]:
    """Read a list at the top level, at most ``limit`` long."""
    return tuple(read(m, reader, f"{name}[{i}]") for i, m in enumerate(reader.limited(messages, limit, "", name)))


def draft_problem(message: problem_pb2.Problem, known: Iterable[str] = ()) -> ProblemDraft:
    """Read a problem with placeholders; ``known`` are paths whose fault is reported already (by the text reader)."""
    reader = Reader(known)
    report_unknown_fields(message, reader)
    calendar, market = PLACEHOLDER_CALENDAR, PLACEHOLDER_MARKET
    if message.HasField("calendar"):
        calendar = calendar_from_proto(message.calendar, reader, "calendar")
    else:
        reader.missing("", "calendar")
    if message.HasField("market"):
        market = market_from_proto(message.market, reader, "market")
    else:
        reader.missing("", "market")
    flops = message.reference_sustained_flops if message.HasField("reference_sustained_flops") else None
    problem = Problem(
        schema_version=reader.schema_version(message.schema_version, SCHEMA_VERSION, ""),
        display_name=message.display_name,
        calendar=calendar,
        market=market,
        reference_sustained_flops=None if flops is None else reader.number(flops, "", "reference_sustained_flops"),
        accelerators=_each(accelerator_from_proto, message.accelerators, LIMITS.accelerators, reader, "accelerators"),
        sites=_each(site_from_proto, message.sites, LIMITS.sites, reader, "sites"),
        pools=tuple(pool_from_proto(m) for m in reader.limited(message.pools, LIMITS.pools, "", "pools")),
        offers=_each(offer_from_proto, message.offers, LIMITS.offers, reader, "offers"),
        members=_each(member_from_proto, message.members, LIMITS.members, reader, "members"),
        workloads=_each(workload_from_proto, message.workloads, LIMITS.workloads, reader, "workloads"),
        programmes=_each(programme_from_proto, message.programmes, LIMITS.programmes, reader, "programmes"),
        rules=rules_from_proto(message.rules, reader, "rules"),
        source_notes=_each(source_note_from_proto, message.source_notes, LIMITS.source_notes, reader, "source_notes"),
    )
    return ProblemDraft(problem, tuple(reader.violations), frozenset(reader.tainted))


def problem_from_proto(message: problem_pb2.Problem) -> DecodedProblem:
    """Read a problem; the violations are of form only (see tehai.validation for meaning)."""
    draft = draft_problem(message)
    return DecodedProblem(None if draft.violations else draft.problem, draft.violations)


def problem_to_proto(problem: Problem) -> problem_pb2.Problem:
    """Write a problem in its canonical form."""
    flops = problem.reference_sustained_flops
    return problem_pb2.Problem(
        schema_version=problem.schema_version,
        display_name=problem.display_name,
        calendar=calendar_to_proto(problem.calendar),
        market=market_to_proto(problem.market),
        reference_sustained_flops=None if flops is None else double_to_wire(flops),
        accelerators=[accelerator_to_proto(a) for a in problem.accelerators],
        sites=[site_to_proto(s) for s in problem.sites],
        pools=[pool_to_proto(p) for p in problem.pools],
        offers=[offer_to_proto(o) for o in problem.offers],
        members=[member_to_proto(m) for m in problem.members],
        workloads=[workload_to_proto(w) for w in problem.workloads],
        programmes=[programme_to_proto(p) for p in problem.programmes],
        rules=rules_to_proto(problem.rules),
        source_notes=[source_note_to_proto(n) for n in problem.source_notes],
    )
