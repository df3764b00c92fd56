"""Requests for quotes from bytes: everything that is wrong with one, in a process that may take its time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from google.protobuf.message import DecodeError

from tehai.domain.calendar import Calendar
from tehai.domain.market import Market
from tehai.domain.problem import SCHEMA_VERSION, Problem, Rules
from tehai.domain.supply import Accelerator, Site
from tehai.domain.violation import InvalidProblemError, Violation
from tehai.domain.workload import CountryRule, Member, SizeClass, Workload
from tehai.engine.quote_book import KnownIds, QuoteBook
from tehai.v1 import sourcing_service_pb2, workload_pb2
from tehai.validation import findings_of, ordered
from tehai.wire import TaintedPaths
from tehai.wire.reading import Reader
from tehai.wire.unknown import report_unknown_fields
from tehai.wire.workload import workload_from_proto

WORKLOADS_MAX = 100
PLACEMENTS_MAX = 20
# Kinds of request.
WORKLOADS, STREAM = "workloads", "stream"
# Rules that look at a workload and what it names; those on a whole problem mean nothing here.
_RULES = ("E10", "E11", "E12", "E18")
_RULES_ON_SIZE = frozenset({"E1901", "E1902"})
# Ids may repeat, and precedence does not count (docs/quotes.md).
_NOT_FOR_QUOTES = frozenset({"E1802", "E1809", "E1814"})
ANYWHERE = CountryRule((), ())

CODES = {
    "Q1001": "Send a message of the method that is called.",
    "Q1002": f"Quote 1 to {WORKLOADS_MAX} workloads at once, or use StreamQuotes.",
    "Q1003": f"Ask for 1 to {PLACEMENTS_MAX} placements; 0 is the default.",
    "Q1004": "Name a project of the plan's problem, or leave project_id out: the workload is then a project alone.",
    "Q1005": "Give the workload to quote.",
}


def check_request_bytes(book: bytes, request: bytes, kind: str = WORKLOADS) -> None:
    """Raise InvalidProblemError with everything that is wrong with a request, by path; return where nothing is.

    ``request`` is a QuoteWorkloadsRequest (``kind`` "workloads") or a StreamQuotesRequest ("stream").
    """
    quote_book = QuoteBook(book)
    found = violations_of(quote_book.known_ids(), quote_book.reference_sustained_flops, request, kind)
    if found:
        raise InvalidProblemError(found)


def violations_of(
    known: KnownIds, reference_sustained_flops: float | None, request: bytes, kind: str
) -> tuple[Violation, ...]:
    """Return everything that is wrong with a request, by path."""
    message: sourcing_service_pb2.StreamQuotesRequest | sourcing_service_pb2.QuoteWorkloadsRequest
    try:
        if kind == STREAM:
            message = one = sourcing_service_pb2.StreamQuotesRequest.FromString(request)
            workloads = [one.workload] if one.HasField("workload") else []
        else:
            message = many = sourcing_service_pb2.QuoteWorkloadsRequest.FromString(request)
            workloads = list(many.workloads)
    except DecodeError:
        return (_violation("Q1001", "request", "the bytes are no such message"),)
    reader = Reader()
    report_unknown_fields(message, reader)
    found = [*reader.violations, *_violations_of_counts(len(workloads), message.placements_max, kind)]
    if len(workloads) <= WORKLOADS_MAX:
        found += _violations_of_workloads(known, reference_sustained_flops, workloads)
    if kind == STREAM:
        found = [replace(item, path=item.path.replace("workloads[0]", "workload", 1)) for item in found]
    return ordered(found)


def _violation(code: str, path: str, message: str) -> Violation:
    return Violation(code, path, message, CODES[code])


def _violations_of_counts(count: int, placements_max: int, kind: str) -> Iterator[Violation]:
    if kind == STREAM and count == 0:
        yield _violation("Q1005", "workload", "the workload is missing")
    elif not 1 <= count <= WORKLOADS_MAX:
        yield _violation("Q1002", "workloads", f"{count:,} entries; 1 to {WORKLOADS_MAX} are allowed")
    if not 0 <= placements_max <= PLACEMENTS_MAX:
        yield _violation("Q1003", "placements_max", f"{placements_max} is not between 0 and {PLACEMENTS_MAX}")


def _violations_of_workloads(
    known: KnownIds, reference_sustained_flops: float | None, messages: Sequence[workload_pb2.Workload]
) -> list[Violation]:
    """Apply the rules of a problem to a problem that has nothing but what the workloads may name."""
    reader = Reader()
    workloads = tuple(workload_from_proto(message, reader, f"workloads[{i}]") for i, message in enumerate(messages))
    tainted = TaintedPaths(reader.tainted)
    problem = _problem_around(known, reference_sustained_flops, workloads)
    meaning = [
        finding.violation
        for finding in findings_of(problem)
        if _is_for_quotes(finding.violation)
        and not tainted.covers(finding.violation.path)
        and not any(map(tainted.touches, finding.reads))
    ]
    projects = frozenset(known.project_ids)
    unknown = [
        _violation("Q1004", f"workloads[{i}].project_id", "the plan's problem has no such project")
        for i, workload in enumerate(workloads)
        if workload.project_id and workload.project_id not in projects
    ]
    return [*reader.violations, *meaning, *unknown]


def _is_for_quotes(violation: Violation) -> bool:
    code = violation.code
    asked = code.startswith(_RULES) or code in _RULES_ON_SIZE
    return violation.path.startswith("workloads[") and asked and code not in _NOT_FOR_QUOTES


def _problem_around(
    known: KnownIds, reference_sustained_flops: float | None, workloads: tuple[Workload, ...]
) -> Problem:
    nothing = Decimal(0)
    day = date(2027, 4, 1)
    return Problem(
        schema_version=SCHEMA_VERSION,
        display_name="",
        calendar=Calendar(day, 168, 1),
        market=Market(Decimal(1), day, nothing, nothing),
        reference_sustained_flops=reference_sustained_flops,
        accelerators=tuple(Accelerator(name, "", 1.0, 1.0, ()) for name in known.accelerator_ids),
        sites=tuple(Site(name, "", "JP", "JP", None, 1.0, None) for name in known.site_ids),
        pools=(),
        offers=(),
        members=tuple(Member(name, "", SizeClass.SME) for name in known.member_ids),
        workloads=workloads,
        programmes=(),
        rules=Rules(ANYWHERE, (), ()),
        source_notes=(),
    )
