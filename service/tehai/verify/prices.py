"""The prices of a certificate as arrays and tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tehai.domain.certificate import Certificate
from tehai.verify.reference import Reference
from tehai.verify.timeline import FloatArray


@dataclass(frozen=True, slots=True)
class Prices:
    """Projected prices, none negative; docs/rules.md gives units.

    ``capacity`` (pools, period_count), ``power`` (sites, period_count); ``precedence`` by the positions of the workload
    before and the one after, (period_count,) each; the others by what they price, missing: 0.
    """

    capacity: FloatArray
    power: FloatArray
    share: dict[int, float]
    budget: dict[int, float]
    programme_budget: dict[tuple[str, int], float]
    project_cap: dict[tuple[str, str], float]
    concentration: dict[tuple[str, int], float]
    member_budget: dict[tuple[str, int], float]
    member_cap: dict[tuple[str, str, int], float]
    capital: dict[int, float]
    carbon: dict[int, float]
    waiting: float
    precedence: dict[tuple[int, int], FloatArray]


def read_prices(reference: Reference, certificate: Certificate) -> Prices:
    """Return the prices of a certificate without faults of form; a negative price counts as 0."""
    capacity = np.zeros((len(reference.problem.pools), reference.period_count))
    power = np.zeros((len(reference.problem.sites), reference.period_count))
    for path in certificate.capacity_prices:
        capacity[reference.pool_index[path.subject_id]] = np.maximum(path.values, 0.0)
    for path in certificate.power_prices:
        power[reference.site_index[path.subject_id]] = np.maximum(path.values, 0.0)
    index = reference.workload_index
    return Prices(
        capacity=capacity,
        power=power,
        share={item.fiscal_year: max(0.0, item.value) for item in certificate.domestic_share_prices},
        budget={item.fiscal_year: max(0.0, item.value) for item in certificate.budget_prices},
        programme_budget={
            (item.programme_id, item.fiscal_year): max(0.0, item.value) for item in certificate.programme_budget_prices
        },
        project_cap={
            (item.programme_id, item.project_id): max(0.0, item.value) for item in certificate.project_cap_prices
        },
        concentration={
            (item.operator_id, item.fiscal_year): max(0.0, item.value) for item in certificate.concentration_prices
        },
        member_budget={
            (item.member_id, item.fiscal_year): max(0.0, item.value) for item in certificate.member_budget_prices
        },
        member_cap={
            (item.programme_id, item.member_id, item.fiscal_year): max(0.0, item.value)
            for item in certificate.member_cap_prices
        },
        capital={item.fiscal_year: max(0.0, item.value) for item in certificate.capital_ceiling_prices},
        carbon={item.fiscal_year: max(0.0, item.value) for item in certificate.carbon_prices},
        waiting=max(0.0, certificate.waiting_price),
        precedence={
            (index[item.before_workload_id], index[item.after_workload_id]): np.maximum(item.values, 0.0)
            for item in certificate.precedence_prices
        },
    )


def by_period(reference: Reference, by_year: dict[int, float]) -> FloatArray:
    """Return a price of fiscal years for every period, 0 where there is none, shape (period_count,)."""
    return np.array([by_year.get(int(year), 0.0) for year in reference.fiscal_year], dtype=np.float64)
