"""A plan to quote against, made once and kept under .benchmarks/: solving 10,000 workloads takes two minutes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benches.instances import build_instance
from tehai.domain.plan import SolveOptions
from tehai.domain.problem import Problem

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".benchmarks" / "serving"
# Any gap will do: a quote takes the same time at any prices.
SOLVE_SECONDS = {"S": 5.0, "M": 30.0, "L": 120.0}
# What the bytes of a plan depend on, and those of a book besides.
PLAN_SOURCES = ("benches/instances.py", "benches/serving_plan.py", "proto/tehai/v1/*.proto")
BOOK_SOURCES = (
    *PLAN_SOURCES,
    "core_rs/quote/src/*.rs",
    "service/tehai/quote/*.py",
    "service/tehai/engine/*.py",
)


@dataclass(frozen=True, slots=True)
class QuotablePlan:
    """A problem, the bytes of a SolveResult of it, and its quote book."""

    problem: Problem
    result: bytes
    book: bytes


def quotable_plan(size: str) -> QuotablePlan:
    """Return the plan of an instance, from disk or newly made."""
    problem = build_instance(size)
    result = _kept(f"{size}-result", PLAN_SOURCES, lambda: _solved(problem, SOLVE_SECONDS.get(size, 60.0)))
    return QuotablePlan(problem, result, _kept(f"{size}-book", BOOK_SOURCES, lambda: _book(problem, result)))


def _kept(name: str, sources: Iterable[str], make: object) -> bytes:
    """Return the bytes kept under a name and the hash of its sources; made where there are none."""
    path = KEPT / f"{name}-{_hash_of(sources)}.bin"
    if not path.exists():
        assert callable(make)
        data: bytes = make()
        KEPT.mkdir(parents=True, exist_ok=True)
        for old in KEPT.glob(f"{name}-*.bin"):
            old.unlink()
        path.write_bytes(data)
    return path.read_bytes()


def _hash_of(sources: Iterable[str]) -> str:
    digest = hashlib.sha256()
    files = sorted(path for pattern in sources for path in ROOT.glob(pattern))
    assert files, "no source was found"
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _solved(problem: Problem, seconds: float) -> bytes:
    from tehai.pipeline import solve_problem
    from tehai.wire import result_to_proto

    result = solve_problem(problem, SolveOptions(time_limit_seconds=seconds, threads=1))
    return result_to_proto(result).SerializeToString()


def _book(problem: Problem, result: bytes) -> bytes:
    from tehai.quote import build_quote_book
    from tehai.v1 import plan_pb2
    from tehai.wire import result_from_proto

    decoded = result_from_proto(plan_pb2.SolveResult.FromString(result)).result
    assert decoded is not None
    return build_quote_book(problem, decoded.plan, decoded.certificate)
