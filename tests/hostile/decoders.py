"""What turns a stranger's bytes into something, one function each: it returns, or raises only what it says.

Each of them also checks its answer against a second reader where there is one. ``fuzz.py`` feeds them with the bytes of
atheris, ``test_decoders.py`` with those of hypothesis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from google.protobuf.message import DecodeError, Message

from tehai.domain.plan import SolveOptions
from tehai.engine.messages import MessageFaultError, field_bytes, split_field
from tehai.engine.quote_book import DamagedQuoteBookError, QuoteBook, QuoteRefusedError, plan_of_request
from tehai.operations.errors import FilterError, PageTokenError
from tehai.operations.filters import parse_filter
from tehai.operations.page_tokens import PageTokens
from tehai.pipeline import solve_problem
from tehai.quote import build_quote_book
from tehai.server.limits import new_scanner
from tehai.v1 import evaluation_pb2, plan_pb2, problem_pb2, sourcing_service_pb2
from tehai.wire import (
    change_from_proto,
    options_from_proto,
    problem_from_proto,
    problem_sha256,
    problem_to_proto,
    result_from_proto,
    result_to_proto,
)
from tests.hostile.seeds import Resources, seeds_of_all
from tests.wire.small_problem import small_message, small_problem

PLAN_NAME = "tenants/local/plans/a"
EVALUATIONS_MAX = 20_000
FILTERS = ("state = RUNNING", 'display_name = "June" AND priority <= 3', 'create_time >= "2027-04-01T00:00:00Z"')
_SPLIT_BYTES_MAX = 64 * 1024
# Messages that the server has checked before anything reads them.
SCANNED: tuple[type[Message], ...] = (
    problem_pb2.Problem,
    sourcing_service_pb2.CreateSolveRequest,
    sourcing_service_pb2.StreamSolveRequest,
    sourcing_service_pb2.CheckProblemRequest,
    sourcing_service_pb2.QuoteWorkloadsRequest,
    sourcing_service_pb2.UploadProblemRequest,
)


@dataclass(frozen=True, slots=True)
class Decoder:
    """A reader and good inputs for it."""

    read: Callable[[bytes], None]
    seeds: Callable[[], tuple[bytes, ...]]


def _demand(true: object, what: str) -> None:
    """Raise AssertionError where something does not hold."""
    assert true, what


def _read_problem(data: bytes) -> None:
    message = problem_pb2.Problem()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return
    problem, violations = problem_from_proto(message)
    assert (problem is None) == bool(violations)
    assert all(v.code and v.message and v.action for v in violations)
    if problem is not None:
        again = problem_from_proto(problem_to_proto(problem)).problem
        assert again == problem
        assert len(problem_sha256(problem)) == 64


def _read_result(data: bytes) -> None:
    message = plan_pb2.SolveResult()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return
    result, violations = result_from_proto(message)
    assert (result is None) == bool(violations)
    if result is not None:
        assert result_from_proto(result_to_proto(result))[0] == result


def _read_options(data: bytes) -> None:
    with suppress(DecodeError):
        options, violations = options_from_proto(plan_pb2.SolveOptions.FromString(data))
        # What is out of range has its default, beside the violation.
        assert 0.0 <= options.gap_fraction <= 1.0
        assert all(v.code and v.path and v.message for v in violations)


def _read_change(data: bytes) -> None:
    with suppress(DecodeError):
        change, violations = change_from_proto(evaluation_pb2.ScenarioChange.FromString(data))
        assert (change is None) == bool(violations)


_scanner = cache(new_scanner)


def _scan(data: bytes) -> None:
    """Scan as each message in turn: what the scan lets through, protobuf reads."""
    for message in SCANNED:
        name = message.DESCRIPTOR.full_name
        try:
            _scanner().check(name, data, counted=False)
        except MessageFaultError:
            continue
        message.FromString(data)
        with suppress(MessageFaultError):
            _scanner().check(name, data, counted=True)


def _split(data: bytes) -> None:
    """Cut the problem out of a request: the rest has for protobuf what the whole has, where it reads the whole."""
    request = sourcing_service_pb2.CreateSolveRequest()
    try:
        parts = split_field(data, 1, _SPLIT_BYTES_MAX)
        assert parts.value == field_bytes(data, 1)
    except MessageFaultError:
        return
    with suppress(DecodeError):
        request.ParseFromString(data)
        rest = sourcing_service_pb2.CreateSolveRequest.FromString(parts.rest)
        assert rest.request_id == request.request_id
        assert rest.priority == request.priority


def _read_quote_book(data: bytes) -> None:
    try:
        book = QuoteBook(data)
    except DamagedQuoteBookError:
        return
    book.known_ids()
    assert book.memory_bytes >= 0
    for request in _quote_requests():
        with suppress(QuoteRefusedError):
            book.quote(request, PLAN_NAME, 0, EVALUATIONS_MAX)


def _ask_quote_book(data: bytes) -> None:
    """Ask a good book whatever comes: an answer that protobuf reads, or a refusal with a text."""
    with suppress(QuoteRefusedError):
        plan_of_request(data)
    try:
        answer = _quote_book().quote(data, PLAN_NAME, 0, EVALUATIONS_MAX)
        if answer is not None:
            sourcing_service_pb2.QuoteWorkloadsResponse.FromString(answer)
    except QuoteRefusedError as error:
        _demand(error.message, "a refusal without a text")
    with suppress(QuoteRefusedError):
        for one in _quote_book().stream([data], PLAN_NAME, 0, 0, EVALUATIONS_MAX):
            sourcing_service_pb2.StreamQuotesResponse.FromString(one)


def _read_filter(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    try:
        parse_filter(text)
    except FilterError as error:
        _demand(str(error) and 0 <= error.offset <= len(text), "an error without a place")


def _read_page_token(data: bytes) -> None:
    """Read a token: of all texts only those that were made for the list are taken."""
    tokens = PageTokens(b"s" * 32)
    text = data.decode("utf-8", "replace")
    conditions = parse_filter(FILTERS[0])
    try:
        number = tokens.read("tenant", conditions, text)
    except PageTokenError:
        return
    assert tokens.make("tenant", conditions, number).rstrip("=") == text.rstrip("=")


@cache
def _result_and_book() -> tuple[bytes, bytes]:
    problem = small_problem()
    result = solve_problem(problem, SolveOptions(work_limit=1))
    book = build_quote_book(problem, result.plan, result.certificate)
    return result_to_proto(result).SerializeToString(), book


@cache
def _quote_book() -> QuoteBook:
    return QuoteBook(_result_and_book()[1])


@cache
def _requests(*names: str) -> tuple[bytes, ...]:
    """Return the seeds of methods as bytes."""
    by_path = seeds_of_all(Resources("local", "a", "b", "c", "0" * 64))
    return tuple(
        message.SerializeToString()
        for path, streams in by_path.items()
        if path.rpartition("/")[2] in names
        for stream in streams
        for message in stream
    )


def _quote_requests() -> tuple[bytes, ...]:
    return _requests("QuoteWorkloads", "StreamQuotes")


DECODERS: Mapping[str, Decoder] = {
    "problem": Decoder(_read_problem, lambda: (small_message().SerializeToString(),)),
    "result": Decoder(_read_result, lambda: (_result_and_book()[0],)),
    "options": Decoder(_read_options, lambda: (plan_pb2.SolveOptions(work_limit=2, seed=3).SerializeToString(),)),
    "change": Decoder(_read_change, lambda: _requests("EvaluatePlan")),
    "scan": Decoder(
        _scan,
        lambda: (
            small_message().SerializeToString(),
            *_requests("CreateSolve", "StreamSolve", "CheckProblem", "QuoteWorkloads", "UploadProblem"),
        ),
    ),
    "split": Decoder(_split, lambda: _requests("CreateSolve")),
    "quote-book": Decoder(_read_quote_book, lambda: (_result_and_book()[1],)),
    "quote-request": Decoder(_ask_quote_book, _quote_requests),
    "filter": Decoder(_read_filter, lambda: tuple(text.encode() for text in FILTERS)),
    "page-token": Decoder(
        _read_page_token,
        lambda: (PageTokens(b"s" * 32).make("tenant", parse_filter(FILTERS[0]), 7).encode(), b"AAAA"),
    ),
}
