"""Rules on exchange rate and discounting, E171x."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from tehai.domain.offer import Purchase, Reservation
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView

SPOT_MAX = 1_000_000
RATE_MAX = 1
DAYS_PER_YEAR = 365


def periods_paid_after(view: ProblemView) -> int:
    """Return how many periods after its booking or order something may be paid; lengths out of range do not count."""
    lengths = []
    for offer in view.problem.offers:
        if isinstance(offer.kind, Reservation):
            lengths += [term.term_periods for term in offer.kind.terms]
        elif isinstance(offer.kind, Purchase):
            lengths += [step.periods_after_order for step in offer.kind.payment_steps]
    return max((length for length in lengths if 0 < length <= view.periods_max), default=0)


@rule("E1711", "the spot rate is out of range", "Give the yen that one dollar costs, above 0.")
def check_e1711_spot_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A dollar costs some yen."""
    spot = view.problem.market.usd_jpy_spot
    if not (spot.is_finite() and 0 < spot <= SPOT_MAX):
        yield Found(
            "market.usd_jpy_spot", f"{spot:.20g} yen for a dollar; above 0 and at most {SPOT_MAX:,} are allowed"
        )


@rule("E1712", "the spot rate is of a day after the first date", "Give a spot date on or before calendar.first_date.")
def check_e1712_spot_date_after_first_date(view: ProblemView) -> Iterator[Found]:
    """The curve runs forward from the spot date."""
    spot_date, first_date = view.problem.market.spot_date, view.problem.calendar.first_date
    if spot_date > first_date:
        yield Found("market.spot_date", f"{spot_date} is after {first_date}", ("calendar.first_date",))


@rule("E1713", "an interest rate is out of range", "Give a fraction, for example 0.01 for one per cent.")
def check_e1713_interest_rate_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Rates are fractions above -1 and at most 1."""
    market = view.problem.market
    for name, rate in (
        ("yen_interest_rate", market.yen_interest_rate),
        ("dollar_interest_rate", market.dollar_interest_rate),
    ):
        if not (rate.is_finite() and -1 < rate <= RATE_MAX):
            yield Found(f"market.{name}", f"{rate:.20g} is not above -1 and at most {RATE_MAX}")


@rule(
    "E1714",
    "the forward rate does not stay positive until the last payment",
    "Give a rate nearer to zero, or a shorter horizon.",
    reads=(
        "calendar",
        "market",
        "offers[].reservation.terms[].term_periods",
        "offers[].purchase.payment_steps[].periods_after_order",
    ),
)
def check_e1714_forward_rate_not_positive(view: ProblemView) -> Iterator[Found]:
    """Both factors of the curve stay positive until the last payment of the longest term or order."""
    market, calendar = view.problem.market, view.calendar
    if calendar is None:
        return
    last_day = calendar.date_of(calendar.period_count + periods_paid_after(view))
    years = Decimal((last_day - market.spot_date).days) / DAYS_PER_YEAR
    for name, rate in (
        ("yen_interest_rate", market.yen_interest_rate),
        ("dollar_interest_rate", market.dollar_interest_rate),
    ):
        if rate.is_finite() and -1 < rate <= RATE_MAX and 1 + rate * years <= 0:
            yield Found(f"market.{name}", f"1 + {rate:.20g} * {years:.1f} years is not positive")


@rule(
    "E1715", "the discount rate is out of range", "Give a fraction from 0 on and below 1, as 0.03 for three per cent."
)
def check_e1715_discount_rate_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Later payments weigh no more than those at once."""
    rate = view.problem.market.discount_rate
    if not (rate.is_finite() and 0 <= rate < 1):
        yield Found("market.discount_rate", f"{rate:.20g} is not from 0 on and below 1")


@rule(
    "E1716",
    "the spread on dollars is out of range",
    "Give the yen that the bank adds for each dollar, 0 or more and less than the spot rate.",
)
def check_e1716_spread_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A bank takes something for a dollar, and less than the dollar is worth."""
    spread, spot = view.problem.market.usd_conversion_spread_yen, view.problem.market.usd_jpy_spot
    path, spot_path = "market.usd_conversion_spread_yen", "market.usd_jpy_spot"
    if not (spread.is_finite() and 0 <= spread <= SPOT_MAX):
        yield Found(path, f"{spread:.20g} yen for a dollar is not between 0 and the spot rate")
    elif spot.is_finite() and 0 < spot <= spread:
        yield Found(path, f"{spread:.20g} yen for a dollar is not below {spot:.20g}, the spot rate", (spot_path,))
