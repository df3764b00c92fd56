"""Books and requests for tests."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from tehai.domain.certificate import Certificate
from tehai.domain.plan import Plan
from tehai.domain.problem import Problem
from tehai.domain.workload import Workload
from tehai.quote import QuoteBook, build_quote_book
from tehai.v1 import quote_pb2, sourcing_service_pb2
from tehai.wire.workload import workload_to_proto
from tests.random_problems import random_problem
from tests.verify.prices import random_certificate

PLAN = "tenants/acme/plans/june"
EXPIRE_SECONDS = 1_900_000_000


class _PlanOfHash:
    """As much of a plan as a book looks at."""

    problem_sha256 = ""


def book_bytes(problem: Problem, certificate: Certificate) -> bytes:
    """Return the book of these prices, whatever the plan behind them."""
    return build_quote_book(problem, cast("Plan", cast("Any", _PlanOfHash())), certificate)


@cache
def random_book(seed: int) -> tuple[Problem, Certificate, bytes]:
    """Return a random problem with random prices and its book."""
    problem = random_problem(seed)
    certificate = random_certificate(problem, seed)
    return problem, certificate, book_bytes(problem, certificate)


def request_of(workloads: Sequence[Workload], placements_max: int = 0) -> bytes:
    """Return the bytes of a request."""
    return sourcing_service_pb2.QuoteWorkloadsRequest(
        plan=PLAN, workloads=[workload_to_proto(w) for w in workloads], placements_max=placements_max
    ).SerializeToString()


def ask(book: bytes, request: bytes) -> list[quote_pb2.Quote]:
    """Return the quotes that a book answers with."""
    answer = QuoteBook(book).quote(request, PLAN, EXPIRE_SECONDS)
    assert answer is not None
    return list(sourcing_service_pb2.QuoteWorkloadsResponse.FromString(answer).quotes)
