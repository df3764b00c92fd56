"""Rules on the size of a problem as a whole, E19xx."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

from tehai.domain.calendar import Calendar
from tehai.domain.limits import LIMITS
from tehai.domain.market import USD, UnitPrice
from tehai.domain.offer import Existing, Offer, OnDemand, Purchase, Reservation
from tehai.validation.market import DAYS_PER_YEAR
from tehai.validation.offers import kind_path
from tehai.validation.registry import MORE_CODE, Found, rule
from tehai.validation.texts import texts_of
from tehai.validation.view import ProblemView

COLLECTIONS = (
    "accelerators",
    "sites",
    "pools",
    "offers",
    "members",
    "workloads",
    "programmes",
    "source_notes",
)
# Whole yen up to here are exact as doubles, so that sums of costs are exact too.
EXACT_YEN_MAX = 2**53
COUNT_MAX = 10**18


@rule("E1901", "a list is longer than the limit", "Shorten the list.")
def check_e1901_list_too_long(view: ProblemView) -> Iterator[Found]:
    """Every list of a problem is bounded."""
    for name in COLLECTIONS:
        yield from _too_long(getattr(view.problem, name), getattr(LIMITS, name), name)
    for i, workload in enumerate(view.problem.workloads):
        path = f"workloads[{i}]"
        yield from _too_long(workload.gang_options, LIMITS.gang_options_per_workload, f"{path}.gang_options")
        yield from _too_long(workload.tags, LIMITS.strings_per_list, f"{path}.tags")
    for i, offer in enumerate(view.problem.offers):
        path = kind_path(i, offer)
        if isinstance(offer.kind, Reservation):
            yield from _too_long(offer.kind.terms, LIMITS.terms_per_reservation, f"{path}.terms")
        elif isinstance(offer.kind, Purchase):
            yield from _too_long(offer.kind.delivery_steps, LIMITS.steps_per_delivery, f"{path}.delivery_steps")


def _too_long(items: Sequence[object], limit: int, path: str) -> Iterator[Found]:
    if len(items) > limit:
        yield Found(path, f"{len(items):,} entries; the limit is {limit:,}")


@rule("E1902", "text is longer than the limit", f"Shorten it to {LIMITS.string_characters:,} characters.")
def check_e1902_text_too_long(view: ProblemView) -> Iterator[Found]:
    """Every text is bounded."""
    for path, text in texts_of(view.problem):
        if len(text) > LIMITS.string_characters:
            yield Found(path, f"{len(text):,} characters; the limit is {LIMITS.string_characters:,}")


@rule(
    "E1903",
    "the problem has too many prices",
    "Use fewer periods, pools or sites.",
    reads=("calendar", "pools", "sites"),
)
def check_e1903_too_many_prices(view: ProblemView) -> Iterator[Found]:
    """One price vector of the certificate stays within the limit."""
    problem = view.problem
    cells = max(problem.calendar.period_count, 0) * (len(problem.pools) + 3 * len(problem.sites))
    if view.calendar is not None and cells > LIMITS.cells:
        yield Found("calendar.period_count", f"{cells:,} prices by period; the limit is {LIMITS.cells:,}")


@rule(
    "E1904",
    "the problem has too many placements to price",
    "Use fewer workloads, gang options, pools or periods.",
    reads=("calendar", "pools"),
)
def check_e1904_too_many_placements(view: ProblemView) -> Iterator[Found]:
    """One pricing pass stays within the limit."""
    options = sum(len(workload.gang_options) for workload in view.problem.workloads)
    cells = options * len(view.problem.pools) * max(view.problem.calendar.period_count, 0)
    if view.calendar is not None and cells > LIMITS.pricing_cells:
        yield Found("workloads", f"{cells:,} placements to price; the limit is {LIMITS.pricing_cells:,}")


def _dearest_dollar(view: ProblemView, calendar: Calendar) -> float:
    """Return the most yen that a dollar costs up to the end of the longest term; the curve is monotone."""
    market = view.problem.market
    if not all(x.is_finite() for x in (market.usd_jpy_spot, market.yen_interest_rate, market.dollar_interest_rate)):
        return 0.0
    kinds = (offer.kind for offer in view.problem.offers)
    terms = (term.term_periods for kind in kinds if isinstance(kind, Reservation) for term in kind.terms)
    longest = min(max(terms, default=0), view.periods_max)
    rates = []
    for period in (0, calendar.period_count + max(longest, 0)):
        years = (calendar.date_of(period) - market.spot_date).days / DAYS_PER_YEAR
        growth = 1 + float(market.dollar_interest_rate) * years
        rates.append(float(market.usd_jpy_spot) * (1 + float(market.yen_interest_rate) * years) / (growth or 1.0))
    return max(rates)


def _amount(count: int) -> float:
    """Return a count as a double; what is out of range breaks rules of its own."""
    return float(min(max(count, 0), COUNT_MAX))


def _largest_bill(view: ProblemView, offer: Offer, calendar: Calendar, dollar: float) -> float:
    """Return at least what an offer can cost in yen, electricity included."""

    def yen(price: UnitPrice) -> float:
        amount = float(price.amount) if price.amount.is_finite() else 0.0
        return amount * dollar if price.currency_code == USD else amount

    hours = float(calendar.period_count * calendar.period_hours)
    match offer.kind:
        case OnDemand(price_per_accelerator_hour=price, quota_accelerators=quota):
            return _amount(quota) * hours * yen(price)
        case Reservation(block_accelerators=block, blocks_max=blocks, terms=terms):
            dearest = max((yen(term.price_per_accelerator_hour) for term in terms), default=0.0)
            longest = _amount(max((term.term_periods for term in terms), default=0)) * calendar.period_hours
            return _amount(block) * _amount(blocks) * (hours + longest) * dearest
        case Purchase(unit_accelerators=unit, units_max=units, price_per_unit=price, metered=metered):
            electricity = _amount(unit) * hours * _electricity(view, offer) if metered else 0.0
            return _amount(units) * (yen(price) + electricity)
        case Existing(accelerators=accelerators, metered=metered):
            return _amount(accelerators) * hours * _electricity(view, offer) if metered else 0.0


def _electricity(view: ProblemView, offer: Offer) -> float:
    """Return yen per accelerator-hour of a metered offer."""
    pool = view.pools.get(offer.pool_id)
    site = view.sites.get(pool.site_id) if pool else None
    accelerator = view.accelerators.get(pool.accelerator_id) if pool else None
    if site is None or accelerator is None or site.electricity_yen_per_kwh is None:
        return 0.0
    price = site.electricity_yen_per_kwh
    return accelerator.power_kw * site.power_usage_effectiveness * (float(price) if price.is_finite() else 0.0)


@rule(
    "E1905",
    "costs together can be larger than is exact",
    "Check the unit of the largest; lower charges, quantities or prices.",
    reads=("calendar", "market"),
)
def check_e1905_costs_too_large(view: ProblemView) -> Iterator[Found]:
    """All charges and all bills at their largest sum up to a whole number of yen that a double holds exactly."""
    calendar = view.calendar
    if calendar is None:
        return
    dollar = _dearest_dollar(view, calendar)
    costs = {
        f"workloads[{i}]": _amount((w.cost_not_run_yen or 0) + w.late_start_yen_per_period * calendar.period_count)
        for i, w in enumerate(view.problem.workloads)
    }
    for i, offer in enumerate(view.problem.offers):
        costs[f"offers[{i}]"] = _largest_bill(view, offer, calendar, dollar)
    # Values that are not finite, or negative, break rules of their own.
    usable = {path: cost for path, cost in costs.items() if isfinite(cost) and cost > 0}
    total = sum(usable.values())
    if total > EXACT_YEN_MAX:
        largest = max(usable, key=lambda path: usable[path])
        message = f"up to {total:.3g} yen in all, {usable[largest]:.3g} of it here; {EXACT_YEN_MAX:,} is the limit"
        yield Found(largest, message)


@rule(MORE_CODE, "more is wrong than is listed", "Correct what is listed and check again.")
def check_e1999_more(view: ProblemView) -> Iterator[Found]:  # noqa: ARG001 (a rule like the others)
    """Listed for its code; ``ordered`` reports it where a list is cut."""
    yield from ()
