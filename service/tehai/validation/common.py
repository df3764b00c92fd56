"""Checks that rules of several nouns share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Protocol

from tehai.domain.limits import LIMITS
from tehai.domain.market import FiscalYearAmount
from tehai.validation.registry import Found
from tehai.validation.view import FIRST_DATE_MAX, FIRST_DATE_MIN, YEARS_MAX

_COUNTRY_CODE = re.compile(r"[A-Z]{2}", re.ASCII)
_ID = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)
SHOWN_CHARACTERS = 60
# Sums of fractions are compared with 1 within this.
FRACTION_TOLERANCE = 1e-9
# A fiscal year that can be meant, also where no horizon bounds it.
FISCAL_YEAR_MIN = FIRST_DATE_MIN.year - 1
FISCAL_YEAR_MAX = FIRST_DATE_MAX.year + 2 * YEARS_MAX


class _HasDate(Protocol):
    @property
    def from_date(self) -> date: ...


def shown(text: str) -> str:
    """Return text quoted for a message, shortened and printable."""
    short = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
    return '"' + "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in short) + '"'


def repeats(keys: Iterable[Hashable]) -> Iterator[int]:
    """Yield the positions of keys that stood earlier already."""
    seen: set[Hashable] = set()
    for i, key in enumerate(keys):
        if key in seen:
            yield i
        seen.add(key)


def repeated_ids(ids: Sequence[str]) -> Iterator[tuple[int, str, int]]:
    """Yield (position, id, how often it is used) for every later use of an id."""
    counts = Counter(ids)
    for i in repeats(ids):
        yield i, ids[i], counts[ids[i]]


def bad_country_codes(codes: Sequence[str], path: str) -> Iterator[Found]:
    """Yield the entries of a list that are not two capital letters."""
    for i, code in enumerate(codes):
        if not is_country_code(code):
            yield Found(f"{path}[{i}]", f"{shown(code)} is not a country code")


def is_country_code(code: str) -> bool:
    """Return whether text has the form of an ISO 3166-1 alpha-2 code."""
    return bool(_COUNTRY_CODE.fullmatch(code))


def periods_text(count: float) -> str:
    """Return a number of periods in words of a message."""
    return f"{count:,.0f} period" if count == 1 else f"{count:,.0f} periods"


def is_id(text: str) -> bool:
    """Return whether text has the form of an id."""
    return bool(_ID.fullmatch(text))


def steps_not_rising(steps: Sequence[_HasDate], path: str) -> Iterator[Found]:
    """Yield the steps that do not begin after the one before."""
    for k, (before, after) in enumerate(pairwise(step.from_date for step in steps), start=1):
        if after <= before:
            yield Found(f"{path}[{k}].from_date", f"{after} is not after {before}", (f"{path}[{k - 1}].from_date",))


def unit_amount_out_of_range(amount: Decimal, path: str) -> Iterator[Found]:
    """Yield an amount per unit that is no number, negative or above the limit."""
    if not amount.is_finite():
        yield Found(path, f"{amount} is not a number")
    elif amount < 0:
        yield Found(path, f"{amount:.20g} is negative")
    elif amount > LIMITS.unit_price:
        yield Found(path, f"{amount:.20g} is above the limit of {LIMITS.unit_price:,}")


def amount_out_of_range(amount_yen: int, path: str) -> Iterator[Found]:
    """Yield an amount that is negative or above the limit."""
    if amount_yen < 0:
        yield Found(path, f"{amount_yen:,} yen is negative")
    elif amount_yen > LIMITS.amount_yen:
        yield Found(path, f"{amount_yen:,} yen is above the limit of {LIMITS.amount_yen:,}")


def amounts_out_of_range(amounts: Sequence[FiscalYearAmount], path: str) -> Iterator[Found]:
    """Yield amounts by year that are negative or above the limit."""
    for i, amount in enumerate(amounts):
        yield from amount_out_of_range(amount.amount_yen, f"{path}[{i}].amount_yen")


def repeated_years(years: Sequence[int], path: str) -> Iterator[Found]:
    """Yield fiscal years that are listed again."""
    for i in repeats(years):
        yield Found(f"{path}[{i}].fiscal_year", f"fiscal year {years[i]} is listed again")


def year_out_of_range(year: int, path: str) -> Iterator[Found]:
    """Yield a fiscal year that cannot be meant."""
    if not FISCAL_YEAR_MIN <= year <= FISCAL_YEAR_MAX:
        yield Found(path, f"fiscal year {year} is not between {FISCAL_YEAR_MIN} and {FISCAL_YEAR_MAX}")


def years_outside(years: Sequence[int], horizon: frozenset[int] | None, path: str) -> Iterator[Found]:
    """Yield fiscal years that no period of the horizon lies in; nothing where the horizon is not known."""
    if horizon is None:
        return
    for i, year in enumerate(years):
        if year not in horizon:
            where = f"the horizon has {min(horizon)} to {max(horizon)}"
            yield Found(f"{path}[{i}].fiscal_year", f"fiscal year {year} is outside the horizon; {where}")


def count_out_of_range(count: int, path: str, what: str) -> Iterator[Found]:
    """Yield a number of accelerators that is below one or above the limit."""
    if count < 1:
        yield Found(path, f"{count:,} {what}; at least 1 is needed")
    elif count > LIMITS.accelerators_in_one_place:
        yield Found(path, f"{count:,} {what}; the limit is {LIMITS.accelerators_in_one_place:,}")
