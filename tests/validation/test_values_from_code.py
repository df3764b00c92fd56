"""Problems made by code, which no reader has looked at, are checked as strictly, and rules never raise."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tehai.domain.calendar import Calendar
from tehai.domain.limits import LIMITS
from tehai.domain.market import PriceStep, UnitPrice
from tehai.domain.offer import CapacityBlock, OnDemand
from tehai.domain.problem import Problem
from tehai.validation import ordered, validate
from tehai.validation.registry import MORE_CODE, VIOLATIONS_MAX
from tehai.validation.view import FIRST_DATE_MAX, HOURS_MAX
from tehai.wire import problem_from_proto, problem_to_proto
from tests.wire.small_problem import pairs, small_problem

BAD_VALUES: dict[type, list[Any]] = {
    float: [math.nan, math.inf, -math.inf],
    Decimal: [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity"), Decimal("1e1000")],
}
ODD_VALUES: dict[type, list[Any]] = {
    int: [0, -1, 10**400, -(10**400)],
    str: ["", "\ud800", "x" * 5_000, "\x00"],
    date: [date.min, date.max],
    tuple: [()],
}


def _changed(node: object, values: dict[type, list[Any]]) -> Iterator[tuple[str, Any]]:
    """Yield (path, copy) of a value for every scalar in it and every bad value of its type."""
    for bad in values.get(type(node), []):
        yield "", bad
    if is_dataclass(node) and not isinstance(node, type):
        for field in fields(node):
            for path, changed in _changed(getattr(node, field.name), values):
                yield f".{field.name}{path}", replace(node, **{field.name: changed})
    elif isinstance(node, tuple):
        for i, item in enumerate(node):
            for path, changed in _changed(item, values):
                yield f"[{i}]{path}", (*node[:i], changed, *node[i + 1 :])


def test_no_number_may_be_not_finite() -> None:
    """NaN or infinity in any number of a problem is a violation."""
    checked = 0
    for path, problem in _changed(small_problem(), BAD_VALUES):
        assert validate(problem), path
        checked += 1
    assert checked > 150


def test_no_value_makes_a_rule_raise() -> None:
    """Odd integers, texts, dates and empty lists are answered, and whatever is valid has a message of its own."""
    checked = 0
    valid = 0
    for path, problem in _changed(small_problem(), ODD_VALUES):
        checked += 1
        if not validate(problem):
            valid += 1
            assert problem_from_proto(problem_to_proto(problem)).problem == problem, path
    assert checked > 500
    assert valid > 50


def test_a_workload_has_one_kind_of_work() -> None:
    """Both kinds of work, or none, is a violation, since a problem made by code can have it."""
    problem = small_problem()
    neither = replace(problem.workloads[0], normalised_accelerator_hours=None)
    both = replace(problem.workloads[0], flops=1e20)
    for workload in (neither, both):
        changed = replace(problem, workloads=(workload, *problem.workloads[1:]))
        assert pairs(validate(changed)) == [("E1202", "workloads[0]")]


def test_a_currency_needs_a_rate() -> None:
    """A currency without a rate is a violation of the domain too."""
    problem = small_problem()
    kind = problem.offers[0].kind
    assert isinstance(kind, OnDemand)
    offer = replace(problem.offers[0], kind=replace(kind, price_per_accelerator_hour=UnitPrice(Decimal(1), "EUR")))
    path = "offers[0].on_demand.price_per_accelerator_hour.currency_code"
    assert pairs(validate(replace(problem, offers=(offer, *problem.offers[1:])))) == [("E1403", path)]


def test_a_note_and_a_version_made_by_code() -> None:
    """A note's date and the schema version are checked where no reader did."""
    problem = small_problem()
    note = replace(problem.source_notes[0], as_of_date="May")
    changed = replace(problem, source_notes=(note,), schema_version=7)
    assert pairs(validate(changed)) == [("E1813", "schema_version"), ("E1812", "source_notes[0].as_of_date")]


LONG_LISTS = [
    ("members", LIMITS.members),
    ("source_notes", LIMITS.source_notes),
    ("programmes", LIMITS.programmes),
    ("accelerators", LIMITS.accelerators),
]


@pytest.mark.parametrize(("name", "limit"), LONG_LISTS)
def test_lists_are_bounded(name: str, limit: int) -> None:
    """A list over its limit is reported at its path."""
    problem = small_problem()
    items = (getattr(problem, name) * (limit + 1))[: limit + 1]
    violations = validate(replace(problem, **{name: items}))
    assert ("E1901", name) in pairs(violations)


def test_nested_lists_are_bounded() -> None:
    """Lists inside workloads are bounded too."""
    problem = small_problem()
    workload = replace(problem.workloads[0], tags=tuple(f"t{i}" for i in range(LIMITS.strings_per_list + 1)))
    changed = replace(problem, workloads=(workload, *problem.workloads[1:]))
    assert pairs(validate(changed)) == [("E1901", "workloads[0].tags")]


def test_lists_of_offers_and_grants_are_bounded() -> None:
    """So are steps of a price, terms of a block, quotas, and programmes that stack."""
    problem = small_problem()
    kind, block = problem.offers[0].kind, problem.offers[7].kind
    assert isinstance(kind, OnDemand)
    assert isinstance(block, CapacityBlock)
    price = kind.price_per_accelerator_hour
    steps = tuple(
        PriceStep(date(2028, 1, 1) + timedelta(days=i), price.amount) for i in range(LIMITS.steps_per_path + 1)
    )
    stepped = replace(kind, price_per_accelerator_hour=replace(price, steps=steps))
    term = block.terms[0]
    lengths = tuple(replace(term, term_days=i + 1) for i in range(LIMITS.terms_per_reservation + 1))
    offers = list(problem.offers)
    offers[0], offers[7] = replace(offers[0], kind=stepped), replace(offers[7], kind=replace(block, terms=lengths))
    city = replace(problem.programmes[1], stackable_programme_ids=())
    cities = tuple(replace(city, id=f"city-{i}") for i in range(LIMITS.stackable_programmes + 1))
    first = replace(problem.programmes[0], stackable_programme_ids=tuple(city.id for city in cities))
    changed = replace(problem, offers=tuple(offers), programmes=(first, *cities))
    found = [path for code, path in pairs(validate(changed)) if code == "E1901"]
    assert found == [
        "offers[0].on_demand.price_per_accelerator_hour.steps",
        "offers[7].capacity_block.terms",
        "programmes[0].stackable_programme_ids",
    ]


def test_precedences_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Precedences of all workloads together have a limit."""
    monkeypatch.setattr("tehai.validation.limits.LIMITS", replace(LIMITS, precedences=0))
    assert pairs(validate(small_problem())) == [("E1906", "workloads")]


def _large(problem: Problem, pools: int, workloads: int, period_count: int) -> Problem:
    return replace(
        problem,
        calendar=replace(problem.calendar, period_count=period_count),
        pools=(*problem.pools, *(replace(problem.pools[0], id=f"p{i}") for i in range(pools))),
        workloads=(*problem.workloads, *(replace(problem.workloads[0], id=f"w{i}") for i in range(workloads))),
    )


def test_vectors_of_prices_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows by period and by member and year have a limit of their own, below that of each.

    The small problem has 16 * (3 pools + 3 * 3 sites + 1 precedence) + 2 members * 2 years * (1 + 3 programmes).
    """
    monkeypatch.setattr("tehai.validation.limits.LIMITS", replace(LIMITS, cells=223))
    assert pairs(validate(small_problem())) == [("E1903", "calendar.period_count")]
    monkeypatch.setattr("tehai.validation.limits.LIMITS", replace(LIMITS, cells=224))
    assert validate(small_problem()) == ()


def test_a_pricing_pass_is_bounded() -> None:
    """Workloads times gang options times pools times periods have a limit of their own."""
    problem = _large(small_problem(), pools=490, workloads=8_000, period_count=1_020)
    assert pairs(validate(problem)) == [("E1904", "workloads")]


def test_a_long_list_of_violations_is_cut_and_says_so() -> None:
    """However much is wrong, the list has an end, and its end says how much is left out."""
    problem = small_problem()
    workloads = (replace(problem.workloads[0], memory_gb=-1.0) for _ in range(VIOLATIONS_MAX))
    violations = validate(replace(problem, workloads=tuple(workloads)))
    assert len(violations) == VIOLATIONS_MAX + 1
    assert violations[-1].code == MORE_CODE
    assert ordered(violations[:3] * 2) == violations[:3]


def test_the_longest_horizon_keeps_the_limit_on_fiscal_years() -> None:
    """E1704 leaves no horizon that touches more fiscal years than the limit, wherever in the year it begins."""
    longest = 0
    for first_date in (date(2027, 3, 31), date(2027, 4, 1), FIRST_DATE_MAX):
        for hours in (168, 1_000, LIMITS.period_hours):
            calendar = Calendar(first_date, hours, min(HOURS_MAX // hours, LIMITS.period_count))
            longest = max(longest, len(calendar.fiscal_years()))
    assert 50 <= longest <= LIMITS.horizon_fiscal_years
