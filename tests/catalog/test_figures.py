"""Every figure of the catalogue says where it comes from, and prices lose their tax by one stated rule."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tehai.catalog import catalog_summary, load_catalog
from tehai.catalog.figure import PriceUnit, Provenance, QuotedPrice, Source, TaxBasis, source_note
from tehai.catalog.model import (
    CatalogAllocation,
    CatalogCapacityBlock,
    CatalogOffer,
    CatalogOnDemand,
    CatalogPurchase,
    CatalogReservation,
)
from tehai.catalog.summary import UNCERTAIN_STATUSES, figures_of
from tehai.domain.market import JPY, USD
from tehai.domain.problem import FigureStatus

CATALOG = load_catalog()
SOURCE = Source("list", "a price list", date(2026, 10, 1), FigureStatus.VERIFIED)


def priced(amount: str, tax: TaxBasis, unit: PriceUnit = PriceUnit.ACCELERATOR_HOUR, **more: object) -> QuotedPrice:
    """Return a quoted price with a source that does not matter."""
    provenance = Provenance(FigureStatus.VERIFIED, SOURCE, SOURCE.as_of_date, amount, tax, "")
    fields: dict[str, object] = {"currency_code": JPY, "accelerators": 1, "factor": Decimal(1), **more}
    return QuotedPrice(amount=Decimal(amount), unit=unit, provenance=provenance, **fields)  # type: ignore[arg-type]


def test_every_figure_has_source_date_status_and_quote() -> None:
    """No figure is without a source and a date; one that is not an assumption also keeps what was quoted."""
    figures = list(figures_of(CATALOG))
    assert len(figures) > 250
    for row, provenance in figures:
        assert provenance.source.title, row
        assert provenance.as_of_date <= date(2026, 11, 30), row
        assert provenance.quoted or provenance.status is FigureStatus.ASSUMPTION, row


def test_every_offer_of_every_kind_carries_a_price_with_tax_basis() -> None:
    """Each price states whether the quoted figure held consumption tax."""
    kinds = set()
    for offer in CATALOG.offers:
        kinds.add(type(offer.kind))
        for price in prices_of(offer):
            assert price.provenance.tax_basis is not TaxBasis.NONE, offer.id
            assert price.unit_price().amount > 0, offer.id
    assert kinds == {CatalogOnDemand, CatalogReservation, CatalogPurchase, CatalogAllocation, CatalogCapacityBlock}


def prices_of(offer: CatalogOffer) -> list[QuotedPrice]:
    """Return every price of an offer, at least one."""
    match offer.kind:
        case CatalogReservation() as kind:
            return [term.price for term in kind.terms]
        case CatalogCapacityBlock() as kind:
            return [price for _, price in kind.terms]
        case _ as kind:
            return [kind.price]


def test_tax_is_removed_before_one_half_even_rounding() -> None:
    """¥385,000 a month with tax is 385,000 / 1.1 / 730 an hour; untaxed and unknown quotes stay as they are."""
    assert priced("385000", TaxBasis.INCLUDED, PriceUnit.ACCELERATOR_MONTH).unit_price().amount == Decimal("479.45")
    assert priced("990", TaxBasis.INCLUDED).unit_price().amount == Decimal("900.00")
    assert priced("990", TaxBasis.UNKNOWN).unit_price().amount == Decimal("990.00")
    assert priced("0.125", TaxBasis.EXCLUDED).unit_price().amount == Decimal("0.12")
    assert priced("0.135", TaxBasis.EXCLUDED).unit_price().amount == Decimal("0.14")


def test_units_of_a_quote_become_accelerator_hours() -> None:
    """Nodes are divided among their accelerators, months by 730 hours, years by 8,760; a server stays a server."""
    node = {"currency_code": USD, "accelerators": 8}
    assert priced("55.04", TaxBasis.EXCLUDED, PriceUnit.NODE_HOUR, **node).unit_price().amount == Decimal("6.8800")
    assert priced("297840", TaxBasis.EXCLUDED, PriceUnit.NODE_YEAR, **node).unit_price().amount == Decimal("4.2500")
    discounted = priced("100", TaxBasis.EXCLUDED, PriceUnit.UNIT, factor=Decimal("1.55"))
    assert discounted.unit_price().amount == Decimal(155)


def test_summary_counts_every_figure_and_names_uncertain_rows() -> None:
    """The summary counts each figure once and lists the rows that rest on survey, memory or assumption."""
    summary = catalog_summary(CATALOG)
    assert sum(count for _, count in summary.figure_counts) == len(list(figures_of(CATALOG)))
    rows = dict(summary.uncertain_rows)
    assert tuple(rows) == UNCERTAIN_STATUSES
    assert "offers/abci-h200-points" in rows[FigureStatus.SURVEY]
    assert "accelerators/a100-80" in rows[FigureStatus.MEMORY]
    assert "accelerators/domestic-2nm" in rows[FigureStatus.ASSUMPTION]
    assert "survey: " in summary.text()


def test_quote_only_providers_are_generic_and_marked_as_assumption() -> None:
    """A domestic operator without a public list is a letter, and every price of it is an assumption."""
    pools = {pool.id: pool for pool in CATALOG.pools}
    sites = {site.id: site for site in CATALOG.sites}
    generic = [offer for offer in CATALOG.offers if "(quote)" in sites[pools[offer.pool_id].site_id].display_name]
    assert len(generic) >= 8
    for offer in generic:
        if isinstance(offer.kind, CatalogPurchase):
            continue
        assert all(price.provenance.status is FigureStatus.ASSUMPTION for price in prices_of(offer)), offer.id


@pytest.mark.parametrize("status", list(FigureStatus))
def test_note_keeps_status_quote_and_tax_basis(status: FigureStatus) -> None:
    """A figure's note in a problem names row and field and loses nothing of its provenance."""
    provenance = Provenance(status, SOURCE, SOURCE.as_of_date, "¥990", TaxBasis.INCLUDED, "why")
    note = source_note("offers/x", "price", provenance)
    assert (note.subject, note.status, note.source) == ("offers/x/price", status, "a price list")
    assert (note.as_of_date, note.quoted, note.tax_basis) == ("2026-10-01", "¥990", "included 10 %")
    assert note.remark == "why"
