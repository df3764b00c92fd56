"""The bill seen from every side: each view sums to the objective, to the yen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

from tehai.domain.market import FiscalYearAmount
from tehai.domain.plan import BillComponent, BillLine
from tehai.domain.result import NamedAmount
from tehai.explain.claims import ClaimOfPlan, claims_of_plan
from tehai.explain.reading import Placed, Reading
from tehai.explain.split import split_yen

UNASSIGNED = "unassigned"
# Offers paid by use: a line is split by the use of its own fiscal year.
PAID_BY_USE = (BillComponent.ON_DEMAND, BillComponent.ALLOCATION, BillComponent.ELECTRICITY)
OF_AN_OFFER = (*PAID_BY_USE, BillComponent.RESERVATION, BillComponent.CAPACITY_BLOCK, BillComponent.PURCHASE)


def by_component(reading: Reading) -> tuple[NamedAmount, ...]:
    """Return the bill by component, in the order of the enumeration; components without a line are left out."""
    sums: Counter[BillComponent] = Counter()
    for line in reading.plan.bill_lines:
        sums[line.component] += line.amount_yen
    return tuple(NamedAmount(item.value, sums[item]) for item in BillComponent if item in sums)


def by_currency(reading: Reading) -> tuple[NamedAmount, ...]:
    """Return the bill by the currency that its lines are priced in."""
    sums: Counter[str] = Counter()
    for line in reading.plan.bill_lines:
        sums[line.currency_code] += line.amount_yen
    return tuple(NamedAmount(code, sums[code]) for code in sorted(sums))


def by_fiscal_year(reading: Reading) -> tuple[FiscalYearAmount, ...]:
    """Return the bill by the fiscal year of its lines, ascending."""
    sums: Counter[int] = Counter()
    for line in reading.plan.bill_lines:
        sums[line.fiscal_year] += line.amount_yen
    return tuple(FiscalYearAmount(year, sums[year]) for year in sorted(sums))


def by_member(reading: Reading) -> tuple[NamedAmount, ...]:
    """Return the bill by member, in the order of the problem, every member once.

    The cost of an offer is split by the accelerator-hours of the members' workloads in its pool: of the line's fiscal
    year for what is paid by use, of the whole horizon for what is committed to, or where nothing runs in that year.
    Claims, charges, transfer and porting go to the member of the workload, capital grants to the owner of the order,
    carbon by the members' emissions at the site. Purchases nobody's workload uses, and what else has no member, are
    "unassigned", last.
    """
    parts = _split(reading, _Weights(reading, lambda placed: placed.workload.member_id, lambda claim: claim.member_id))
    amounts = [NamedAmount(member.id, parts.pop(member.id, 0)) for member in reading.problem.members]
    return tuple(amounts + [NamedAmount(name, amount) for name, amount in sorted(parts.items()) if amount])


def by_site(reading: Reading) -> tuple[NamedAmount, ...]:
    """Return the bill by site, in the order of the problem; sites without a line are left out.

    Offers, claims and charges go to the site of the pool; what a workload that is not run is charged is "unassigned",
    last.
    """
    weights = _Weights(reading, lambda placed: placed.site.id, lambda claim: claim.site_id)
    parts: Counter[str] = Counter()
    for line in reading.plan.bill_lines:
        if line.component in OF_AN_OFFER:
            parts[reading.site_of_pool(reading.offers[line.subject_id].pool_id).id] += line.amount_yen
        elif line.component is BillComponent.CARBON:
            parts[line.subject_id] += line.amount_yen
        else:
            parts.update(_parts(line, weights))
    ordered = [*(site.id for site in reading.problem.sites), UNASSIGNED]
    return tuple(NamedAmount(name, parts[name]) for name in ordered if name in parts)


class _Weights:
    """What a line of the bill is split by, for one way to name who bears it."""

    def __init__(
        self, reading: Reading, of_placed: Callable[[Placed], str], of_claim: Callable[[ClaimOfPlan], str]
    ) -> None:
        self._reading = reading
        self._placed = {placed.workload.id: of_placed(placed) for placed in reading.placed}
        # By pool, by site and by programme, each with a fiscal year; None is the whole horizon.
        self._hours: dict[tuple[str, int | None], dict[str, float]] = _nested()
        self._carbon: dict[tuple[str, int | None], dict[str, float]] = _nested()
        self._claims: dict[tuple[str, int | None], dict[str, float]] = _nested()
        for placed in reading.placed:
            name = of_placed(placed)
            for year, hours in reading.by_year(placed.hours).items():
                if hours > 0:
                    for key in (year, None):
                        self._hours[placed.pool.id, key][name] += hours
                        self._carbon[placed.site.id, key][name] += hours * reading.carbon_kg(placed.pool)
        for claim in claims_of_plan(reading):
            self._claims[claim.programme_id, claim.fiscal_year][of_claim(claim) or UNASSIGNED] += claim.amount_yen

    def of(self, line: BillLine) -> dict[str, float]:
        """Return names with weights; empty where nobody bears the line."""
        year = line.fiscal_year
        if line.component is BillComponent.GRANT:
            return self._claims[line.subject_id, year]
        if line.component is BillComponent.CARBON:
            return self._carbon[line.subject_id, year] or self._carbon[line.subject_id, None]
        if line.component in OF_AN_OFFER:
            pool = self._reading.offers[line.subject_id].pool_id
            used = self._hours[pool, year] if line.component in PAID_BY_USE else {}
            return used or self._hours[pool, None]
        return {self._placed[line.subject_id]: 1.0} if line.subject_id in self._placed else {}


def _nested() -> dict[tuple[str, int | None], dict[str, float]]:
    return defaultdict(lambda: defaultdict(float))


def _split(reading: Reading, weights: _Weights) -> Counter[str]:
    """Return the bill by member; a workload that is not run is its member's too."""
    parts: Counter[str] = Counter()
    members = {workload.id: workload.member_id for workload in reading.problem.workloads}
    for line in reading.plan.bill_lines:
        if line.component in (BillComponent.NOT_RUN, BillComponent.CHANGE):
            parts[members[line.subject_id]] += line.amount_yen
        else:
            parts.update(_parts(line, weights))
    return parts


def _parts(line: BillLine, weights: _Weights) -> dict[str, int]:
    """Return a line split by its weights, all of it unassigned where there are none."""
    found = weights.of(line)
    return split_yen(line.amount_yen, found) if found else {UNASSIGNED: line.amount_yen}
