"""Figures with their sources, and the way from a quoted price to a price per accelerator-hour without tax."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from enum import Enum

from tehai.domain.market import JPY, USD, UnitPrice
from tehai.domain.problem import FigureStatus, SourceNote

# A quoted price that includes consumption tax is divided by this.
CONSUMPTION_TAX_DIVISOR = Decimal("1.1")
# A month of a price list is a twelfth of 365 days.
HOURS_PER_MONTH = Decimal(730)
HOURS_PER_YEAR = Decimal(8760)
# A price per accelerator-hour is rounded once, at the end, half-even, to this step of its currency.
HOURLY_STEPS = {JPY: Decimal("0.01"), USD: Decimal("0.0001")}
# A price per unit (a server) is rounded once, half-even, to the whole unit of its currency.
UNIT_STEP = Decimal(1)


class CatalogError(ValueError):
    """Raised when a data file of the catalogue is wrong; the message begins with file and place."""


class TaxBasis(Enum):
    """Whether the quoted figure holds Japanese consumption tax (10 %)."""

    INCLUDED = "included 10 %"
    EXCLUDED = "excluded"
    # Taken as it stands; the figure may be up to 10 % too high.
    UNKNOWN = "unknown"
    # Not a price, or a price to which the tax does not apply.
    NONE = ""


class PriceUnit(Enum):
    """What one quoted price buys; the value is its number of hours, None where it is not a rate."""

    ACCELERATOR_HOUR = "accelerator-hour"
    NODE_HOUR = "node-hour"
    ACCELERATOR_MONTH = "accelerator-month"
    NODE_MONTH = "node-month"
    NODE_YEAR = "node-year"
    UNIT = "unit"

    @property
    def hours(self) -> Decimal:
        """Return the hours that one quoted price buys; 1 for a unit, which is no rate."""
        suffix = self.value.rpartition("-")[2]
        return {"month": HOURS_PER_MONTH, "year": HOURS_PER_YEAR}.get(suffix, Decimal(1))


@dataclass(frozen=True, slots=True)
class Source:
    """A document or observation that figures are taken from; ``status`` is what its figures are by default."""

    id: str
    title: str
    as_of_date: date
    status: FigureStatus


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where one figure comes from and what was quoted there."""

    status: FigureStatus
    source: Source
    as_of_date: date
    quoted: str
    tax_basis: TaxBasis
    remark: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, exact, with where it comes from."""

    value: Decimal
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class QuotedPrice:
    """A price as quoted; ``factor`` is a discount or premium that the remark explains, 1 for none."""

    amount: Decimal
    currency_code: str
    unit: PriceUnit
    accelerators: int
    factor: Decimal
    provenance: Provenance

    def unit_price(self) -> UnitPrice:
        """Return the price per accelerator-hour, or per unit, consumption tax excluded.

        Tax is removed first, then the factor is applied, then hours and accelerators divide; all of it is exact
        (28 digits) and one rounding, half-even, to the step of the currency comes last.
        """
        divisor = CONSUMPTION_TAX_DIVISOR if self.provenance.tax_basis is TaxBasis.INCLUDED else Decimal(1)
        step = UNIT_STEP if self.unit is PriceUnit.UNIT else HOURLY_STEPS[self.currency_code]
        accelerators = 1 if self.unit is PriceUnit.UNIT else self.accelerators
        exact = self.amount / divisor * self.factor / self.unit.hours / accelerators
        return UnitPrice(exact.quantize(step, rounding=ROUND_HALF_EVEN), self.currency_code)


def source_note(row: str, field: str, provenance: Provenance) -> SourceNote:
    """Return the note that a problem carries for one figure; its subject is the row and the field, "offers/x/price"."""
    return SourceNote(
        subject=f"{row}/{field}",
        status=provenance.status,
        source=provenance.source.title,
        as_of_date=provenance.as_of_date.isoformat(),
        quoted=provenance.quoted,
        tax_basis=provenance.tax_basis.value,
        remark=provenance.remark,
    )
