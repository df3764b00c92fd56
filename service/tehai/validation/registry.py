"""The list of rules and what a rule finds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tehai.domain.problem import Problem
from tehai.domain.violation import Violation
from tehai.validation.view import ProblemView

# A person corrects a few and checks again; a message with more than this would be too large to send.
VIOLATIONS_MAX = 5_000
MORE_CODE = "E1999"
_NUMBER = re.compile(r"([0-9]+)")


@dataclass(frozen=True, slots=True)
class Found:
    """A place where a rule is broken, and how.

    ``reads`` are paths whose values the finding rests on besides its own ("workloads[3].release_date", or
    "pools[].id" for any pool): where one of them could not be read the finding means nothing.
    """

    path: str
    message: str
    reads: tuple[str, ...] = ()


Check = Callable[[ProblemView], Iterator[Found]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with its code, what a violation means, what to do, and what every finding of it rests on."""

    code: str
    meaning: str
    action: str
    reads: tuple[str, ...]
    check: Check


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation, and the paths it rests on besides its own."""

    violation: Violation
    reads: tuple[str, ...]


RULES: dict[str, Rule] = {}


def rule(code: str, meaning: str, action: str, *, reads: tuple[str, ...] = ()) -> Callable[[Check], Check]:
    """Register a check under its code, which its name repeats; raises ValueError where it does not, or twice."""

    def register(check: Check) -> Check:
        if not check.__name__.startswith(f"check_{code.lower()}_") or code in RULES:
            raise ValueError(f"{check.__name__} does not carry {code}, or {code} is taken")
        RULES[code] = Rule(code, meaning, action, reads, check)
        return check

    return register


def findings_of(problem: Problem) -> tuple[Finding, ...]:
    """Apply every rule and return all that is found, rule by rule; never raises on any problem."""
    view = ProblemView(problem)
    return tuple(
        Finding(Violation(r.code, found.path, found.message, r.action), r.reads + found.reads)
        for r in RULES.values()
        for found in r.check(view)
    )


def _natural(path: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that puts workloads[2] before workloads[10]."""
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _NUMBER.split(path) if part)


def ordered(violations: Iterable[Violation]) -> tuple[Violation, ...]:
    """Return violations by path and code, each once; past VIOLATIONS_MAX a last one says how many are left out."""
    found = sorted(set(violations), key=lambda v: (_natural(v.path), v.code, v.message))
    if len(found) <= VIOLATIONS_MAX:
        return tuple(found)
    left_out = f"{len(found) - VIOLATIONS_MAX:,} more violations are not listed"
    more = Violation(MORE_CODE, "document", left_out, "Correct what is listed and check again.")
    return (*found[:VIOLATIONS_MAX], more)
