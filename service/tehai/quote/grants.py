"""Members, usage programmes and projects as tables of a quote book: rates, worth of a claimed yen, caps and prices."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from tehai.domain.certificate import Certificate
from tehai.domain.problem import Problem
from tehai.domain.programme import Programme, UsageGrant
from tehai.engine.eligibility import rate_of_member
from tehai.engine.market_arrays import FloatArray

Tables = dict[str, Any]


def grant_tables(problem: Problem, certificate: Certificate, arrays: Mapping[str, Any]) -> Tables:
    """Return the tables of members, programmes and projects; ``arrays`` are the engine's."""
    usage = [(r, p) for r, p in enumerate(problem.programmes) if isinstance(p.kind, UsageGrant)]
    rows = [r for r, _ in usage]
    programmes = [programme for _, programme in usage]
    return (
        _member_tables(problem, certificate)
        | _programme_tables(problem, programmes, rows, arrays)
        | {"claim_worth": _claim_worths(problem, certificate, programmes, rows, arrays)}
        | _cap_tables(problem, certificate, programmes)
        | _set_tables(programmes)
        | _project_tables(problem, certificate, programmes)
    )


def _member_tables(problem: Problem, certificate: Certificate) -> Tables:
    index = {member.id: m for m, member in enumerate(problem.members)}
    prices = _by_year(problem, ((index[p.member_id], p.fiscal_year, p.value) for p in certificate.member_budget_prices))
    return {
        "member_ids": list(index),
        "budget_member": np.array(list(prices), dtype=np.int64),
        "budget_price": _stacked(prices),
    }


def _programme_tables(
    problem: Problem, programmes: list[Programme], rows: list[int], arrays: Mapping[str, Any]
) -> Tables:
    calendar = problem.calendar
    windows = [calendar.periods_within(programme.from_date, programme.until_date) for programme in programmes]
    tags = [tuple(p.kind.eligible_tags) if isinstance(p.kind, UsageGrant) else () for p in programmes]
    rates = [[rate_of_member(programme, member) for member in problem.members] for programme in programmes]
    caps = [p.kind.project_cap_yen if isinstance(p.kind, UsageGrant) else None for p in programmes]
    return {
        "programme_ids": [programme.id for programme in programmes],
        "programme_from": np.array([window.start for window in windows], dtype=np.int64),
        "programme_until": np.array([window.stop for window in windows], dtype=np.int64),
        "programme_pool": arrays["programme_pool"][rows].astype(np.int64),
        "tags": [tag for of_programme in tags for tag in of_programme],
        "tag_offset": np.cumsum([0, *(len(of_programme) for of_programme in tags)]),
        "rate": np.array(rates, dtype=np.float64),
        "pay_year": arrays["claim_pay_year"][rows] + 1,
        "project_cap_yen": np.array([np.inf if cap is None else float(cap) for cap in caps], dtype=np.float64),
    }


def _claim_worths(
    problem: Problem, certificate: Certificate, programmes: list[Programme], rows: list[int], arrays: Mapping[str, Any]
) -> FloatArray:
    """Return what a claimed yen is worth before prices of the member and the project, (R, Y)."""
    years = problem.calendar.fiscal_years()
    budget = dict.fromkeys(years, 0.0) | {p.fiscal_year: max(p.value, 0.0) for p in certificate.budget_prices}
    own = {(p.programme_id, p.fiscal_year): max(p.value, 0.0) for p in certificate.programme_budget_prices}
    worths: FloatArray = arrays["claim_discount"][rows].copy()
    for row, (r, programme) in enumerate(zip(rows, programmes, strict=True)):
        for y, year in enumerate(years):
            paid = int(arrays["claim_pay_year"][r, y])
            worths[row, y] += (budget[years[paid]] if paid >= 0 else 0.0) - own.get((programme.id, year), 0.0)
    return worths


def _cap_tables(problem: Problem, certificate: Certificate, programmes: list[Programme]) -> Tables:
    """Prices of members' caps."""
    member = {m.id: i for i, m in enumerate(problem.members)}
    position = {programme.id: i for i, programme in enumerate(programmes)}
    prices = _by_year(
        problem,
        (
            ((position[p.programme_id], member[p.member_id]), p.fiscal_year, p.value)
            for p in certificate.member_cap_prices
            if p.programme_id in position
        ),
    )
    return {
        "cap_programme": np.array([r for r, _ in prices], dtype=np.int64),
        "cap_member": np.array([m for _, m in prices], dtype=np.int64),
        "cap_price": _stacked(prices),
    }


def _set_tables(programmes: list[Programme]) -> Tables:
    """The largest sets of programmes each two of which name the other (Bron and Kerbosch, with a pivot)."""
    named = [set(programme.stackable_programme_ids) for programme in programmes]
    partners = [
        {q for q, other in enumerate(programmes) if q != r and other.id in named[r] and programmes[r].id in named[q]}
        for r in range(len(programmes))
    ]
    found: list[tuple[int, ...]] = []

    def grow(chosen: tuple[int, ...], open_to_all: set[int], done: set[int]) -> None:
        if not open_to_all and not done:
            if chosen:
                found.append(tuple(sorted(chosen)))
            return
        pivot = max(sorted(open_to_all | done), key=lambda r: len(partners[r] & open_to_all))
        for r in sorted(open_to_all - partners[pivot]):
            grow((*chosen, r), open_to_all & partners[r], done & partners[r])
            open_to_all = open_to_all - {r}
            done = done | {r}

    grow((), set(range(len(programmes))), set())
    offsets = np.cumsum([0, *(len(chosen) for chosen in found)])
    flat = [r for chosen in found for r in chosen]
    assert all(a < b for a, b in pairwise(offsets.tolist()))  # no set is empty
    return {"set_programmes": np.array(flat, dtype=np.int64), "set_offset": offsets}


def _project_tables(problem: Problem, certificate: Certificate, programmes: list[Programme]) -> Tables:
    """Projects, and what is left of their caps where something was claimed or the cap has a price."""
    made = [claim.project_id for programme in programmes for claim in programme.claims_made if claim.project_id]
    projects = tuple(dict.fromkeys([*(workload.project for workload in problem.workloads), *made]))
    index = {project: i for i, project in enumerate(projects)}
    position = {programme.id: i for i, programme in enumerate(programmes)}
    price = {
        (position[p.programme_id], index[p.project_id]): max(p.value, 0.0)
        for p in certificate.project_cap_prices
        if p.programme_id in position and p.project_id in index
    }
    claimed: dict[tuple[int, int], int] = {}
    for r, programme in enumerate(programmes):
        for claim in programme.claims_made:
            if claim.project_id:
                key = (r, index[claim.project_id])
                claimed[key] = claimed.get(key, 0) + claim.amount_yen
    keys = sorted({key for key, value in price.items() if value > 0.0} | set(claimed))
    left = []
    for r, project in keys:
        kind = programmes[r].kind
        cap = kind.project_cap_yen if isinstance(kind, UsageGrant) else None
        left.append(np.inf if cap is None else float(max(0, cap - claimed.get((r, project), 0))))
    return {
        "project_ids": list(projects),
        "project_row_programme": np.array([r for r, _ in keys], dtype=np.int64),
        "project_row_project": np.array([project for _, project in keys], dtype=np.int64),
        "project_row_left_yen": np.array(left, dtype=np.float64),
        "project_row_price": np.array([price.get(key, 0.0) for key in keys], dtype=np.float64),
    }


def _by_year(problem: Problem, priced: Any) -> dict[Any, FloatArray]:  # noqa: ANN401
    """Return prices by subject and fiscal year of the horizon, of subjects with a positive price only."""
    years = problem.calendar.fiscal_years()
    found: dict[Any, FloatArray] = {}
    for subject, year, price in priced:
        if price > 0.0 and year in years:
            found.setdefault(subject, np.zeros(len(years)))[years.index(year)] = price
    return found


def _stacked(prices: Mapping[Any, FloatArray]) -> FloatArray:
    return np.concatenate([*prices.values(), np.zeros(0)])
