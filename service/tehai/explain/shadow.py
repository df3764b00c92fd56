"""What one unit more of each limit is worth: the prices of a certificate with what is used of their rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tehai.domain.calendar import HOURS_PER_DAY, Calendar
from tehai.domain.certificate import Certificate, PricePath
from tehai.domain.market import FiscalYearAmount
from tehai.domain.result import ClaimUse, ShadowPrice
from tehai.explain.claims import claim_uses
from tehai.explain.live import hours_offered
from tehai.explain.reading import FloatArray, Reading
from tehai.explain.references import References
from tehai.explain.usage import (
    carbon_used,
    instalments,
    member_budget_used,
    waited_periods,
    work_by_year,
)

# Prices under this are rounding noise.
PRICE_MIN = 1e-9
# Of the rows that there are for every period, the most that are listed; those worth most.
PERIOD_ROWS_MAX = 1_000
YEN_PER_YEN = "yen per yen"


def shadow_prices(reading: Reading, certificate: Certificate, found: References) -> tuple[ShadowPrice, ...]:
    """Return the positive prices by row, what is used of the row times its price descending.

    A claim cap or budget counts claims made before the horizon as used. Of rows of single periods (pools, power,
    precedences) the ``PERIOD_ROWS_MAX`` worth most are listed.
    """
    single = [row for row in _period_rows(reading, certificate) if row.value > PRICE_MIN]
    others = [row for row in _other_rows(reading, certificate, found) if row.value > PRICE_MIN]
    kept = sorted(single, key=_order)[:PERIOD_ROWS_MAX]
    return tuple(sorted(others + kept, key=_order))


def _order(row: ShadowPrice) -> tuple[float, str]:
    return (-row.value * row.used, row.row)


def period_name(calendar: Calendar, period: int) -> str:
    """Return the first day of a period, with the hour where it does not begin at 00:00."""
    hour = period * calendar.period_hours % HOURS_PER_DAY
    return calendar.date_of(period).isoformat() + (f"T{hour:02d}" if hour else "")


def _other_rows(reading: Reading, certificate: Certificate, found: References) -> Iterator[ShadowPrice]:
    yield from _money_rows(reading, certificate, found)
    yield from _claim_rows(reading, certificate)
    yield from _work_rows(reading, certificate)
    kg = carbon_used(reading)
    for item in certificate.carbon_prices:
        year = item.fiscal_year
        limit = next(row.mass_kg for row in reading.problem.rules.carbon_limits if row.fiscal_year == year)
        yield ShadowPrice(f"carbon_limits/{year}", item.value, "yen per kg", kg.get(year, 0.0), limit)
    most = reading.problem.rules.total_waiting_periods_max
    if most is not None:
        waited = float(waited_periods(reading))
        yield ShadowPrice("total_waiting_periods_max", certificate.waiting_price, "yen per period", waited, float(most))


def _money_rows(reading: Reading, certificate: Certificate, found: References) -> Iterator[ShadowPrice]:
    rules, cash = reading.problem.rules, {item.fiscal_year: item.amount_yen for item in reading.plan.cash}
    for item in certificate.budget_prices:
        limit = _amount(rules.portfolio_budgets, item.fiscal_year)
        used = float(cash.get(item.fiscal_year, 0))
        yield ShadowPrice(f"portfolio_budgets/{item.fiscal_year}", item.value, YEN_PER_YEN, used, limit)
    paid = instalments(reading)
    for item in certificate.capital_ceiling_prices:
        limit = _amount(rules.capital_ceilings, item.fiscal_year)
        used = paid.get(item.fiscal_year, 0.0)
        yield ShadowPrice(f"capital_ceilings/{item.fiscal_year}", item.value, YEN_PER_YEN, used, limit)
    billed = member_budget_used(reading, found)
    for price in certificate.member_budget_prices:
        limit = _amount(reading.members[price.member_id].budgets, price.fiscal_year)
        used = billed[price.member_id].get(price.fiscal_year, 0.0)
        row = f"members/{price.member_id}/budgets/{price.fiscal_year}"
        yield ShadowPrice(row, price.value, YEN_PER_YEN, used, limit)


def _amount(amounts: tuple[FiscalYearAmount, ...], year: int) -> float:
    return float(next(item.amount_yen for item in amounts if item.fiscal_year == year))


def _claim_rows(reading: Reading, certificate: Certificate) -> Iterator[ShadowPrice]:
    uses = {use.limit: use for use in claim_uses(reading)}
    for budget in certificate.programme_budget_prices:
        row = f"programmes/{budget.programme_id}/budgets/{budget.fiscal_year}"
        yield _claim_row(row, budget.value, uses.get(row), 0)
    for cap in certificate.project_cap_prices:
        row = f"programmes/{cap.programme_id}/projects/{cap.project_id}"
        kind = reading.programmes[cap.programme_id].kind
        yield _claim_row(row, cap.value, uses.get(row), getattr(kind, "project_cap_yen", None))
    for member in certificate.member_cap_prices:
        row = f"programmes/{member.programme_id}/members/{member.member_id}/{member.fiscal_year}"
        yield _claim_row(row, member.value, uses.get(row), reading.programmes[member.programme_id].member_cap_yen)


def _claim_row(row: str, value: float, use: ClaimUse | None, cap_yen: int | None) -> ShadowPrice:
    """Return the row of a cap; ``use`` is None where nothing is claimed against it."""
    if use is None:
        return ShadowPrice(row, value, YEN_PER_YEN, 0.0, float(cap_yen or 0))
    return ShadowPrice(row, value, YEN_PER_YEN, float(use.claimed_yen + use.made_yen), float(use.limit_yen))


def _work_rows(reading: Reading, certificate: Certificate) -> Iterator[ShadowPrice]:
    rules, unit = reading.problem.rules, "yen per normalised hour"
    work = work_by_year(reading)
    for item in certificate.domestic_share_prices:
        year = item.fiscal_year
        share = next(row.share_fraction for row in rules.minimum_domestic_shares if row.fiscal_year == year)
        done = work[year]
        yield ShadowPrice(f"minimum_domestic_shares/{year}", item.value, unit, done.domestic, share * done.total)
    for price in certificate.concentration_prices:
        year, name = price.fiscal_year, price.operator_id
        share = next(
            row.share_fraction
            for row in rules.concentration_limits
            if (row.operator_id, row.fiscal_year) == (name, year)
        )
        done = work[year]
        row = f"concentration_limits/{name}/{year}"
        yield ShadowPrice(row, price.value, unit, done.by_operator.get(name, 0.0), share * done.total)


def _period_rows(reading: Reading, certificate: Certificate) -> Iterator[ShadowPrice]:
    placed: dict[str, FloatArray] = {pool.id: np.zeros(reading.period_count) for pool in reading.problem.pools}
    for item in reading.placed:
        placed[item.pool.id] += item.hours
    offered = {pool.id: np.zeros(reading.period_count) for pool in reading.problem.pools}
    for offer in reading.problem.offers:
        offered[offer.pool_id] += hours_offered(offer, reading.problem, reading.plan)
    for path in certificate.capacity_prices:
        pool = path.subject_id
        yield from _path_rows(reading, f"pools/{pool}", path, "yen per accelerator-hour", placed[pool], offered[pool])
    for path in certificate.power_prices:
        site = reading.sites[path.subject_id]
        pools = [pool for pool in reading.problem.pools if pool.site_id == site.id]
        kwh = np.zeros(reading.period_count)
        for pool_here in pools:
            kwh += placed[pool_here.id] * reading.facility_kw(pool_here)
        limit = np.full(reading.period_count, (site.power_limit_kw or 0.0) * reading.period_hours)
        yield from _path_rows(reading, f"sites/{site.id}/power", path, "yen per kWh", kwh, limit)
    yield from _precedence_rows(reading, certificate)


def _precedence_rows(reading: Reading, certificate: Certificate) -> Iterator[ShadowPrice]:
    """Yield the rows of precedences: used is 1 once the later workload has begun, limit 1 once the earlier ended."""
    spans = {
        item.workload.id: (item.start, int(np.flatnonzero(item.hours)[-1]) + 1)
        for item in reading.placed
        if item.hours.any()
    }
    never = (reading.period_count, reading.period_count)
    for prices in certificate.precedence_prices:
        before, after = prices.before_workload_id, prices.after_workload_id
        begun, ended = np.zeros(reading.period_count), np.zeros(reading.period_count)
        begun[spans.get(after, never)[0] :] = 1.0
        ended[spans.get(before, never)[1] :] = 1.0
        path = PricePath(before, prices.values)
        yield from _path_rows(reading, f"precedences/{before}/{after}", path, "yen per workload", begun, ended)


def _path_rows(
    reading: Reading, name: str, path: PricePath, unit: str, used: FloatArray, limit: FloatArray
) -> Iterator[ShadowPrice]:
    """Yield the periods of a path with a price; ``used`` and ``limit`` are (period_count,)."""
    for t in np.flatnonzero(np.asarray(path.values) > PRICE_MIN).tolist():
        row = f"{name}/{period_name(reading.problem.calendar, t)}"
        yield ShadowPrice(row, path.values[t], unit, float(used[t]), float(limit[t]))
