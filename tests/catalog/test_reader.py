"""The loader refuses what it does not know: nothing in a data file is skipped."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tehai.catalog import CatalogError, load_catalog
from tehai.catalog.figure import Source
from tehai.catalog.load import check_references
from tehai.catalog.reader import Row, parse_document, read_figure, read_price, read_sources
from tehai.domain.problem import FigureStatus

SOURCES = {"list": Source("list", "a price list", date(2026, 10, 1), FigureStatus.VERIFIED)}
PRICE = "amount: 3.99, currency: USD, per: accelerator-hour, tax: excluded, source: list, quoted: $3.99"


def row_of(text: str) -> Row:
    """Return the mapping written in YAML's flow form."""
    return parse_document("{" + text + "}", "test.yaml")


def test_good_price_is_read() -> None:
    """The price that the refusals below spoil is fine as it stands."""
    assert str(read_price(row_of(PRICE), SOURCES).unit_price().amount) == "3.9900"


@pytest.mark.parametrize(
    ("spoiled", "message"),
    [
        (PRICE + ", colour: red", "unknown keys"),
        (PRICE.replace("USD", "EUR"), "EUR"),
        (PRICE.replace("3.99, c", "-1, c"), "negative or not finite"),
        (PRICE.replace("3.99, c", "NaN, c"), "negative or not finite"),
        (PRICE.replace("3.99, c", "cheap, c"), "not a number"),
        (PRICE.replace("accelerator-hour", "fortnight"), "fortnight"),
        (PRICE.replace("excluded", "maybe"), "maybe"),
        (PRICE.replace("source: list", "source: hearsay"), "not in sources.yaml"),
        (PRICE.replace(", quoted: $3.99", ""), "quoted"),
        (PRICE + ", amount: 4", "given twice"),
        (PRICE + ", accelerators: 0", "above zero"),
        (PRICE + ", as_of: yesterday", "not a date"),
        (PRICE + ", status: certain", "certain"),
    ],
)
def test_spoiled_price_is_refused(spoiled: str, message: str) -> None:
    """Each way of spoiling a price is refused with the place and the reason."""
    with pytest.raises(CatalogError, match=message) as caught:
        read_price(row_of(spoiled), SOURCES)
    assert str(caught.value).startswith("test.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("value: 1, source: list", "quoted"),
        ("source: list, quoted: one", "is missing"),
        ("value: [1], source: list, quoted: one", "a text is expected"),
    ],
)
def test_figure_without_value_or_quote_is_refused(text: str, message: str) -> None:
    """A figure needs a number and, unless it is an assumption, the figure as quoted."""
    with pytest.raises(CatalogError, match=message):
        read_figure(row_of(text), SOURCES)


def test_source_given_twice_is_refused() -> None:
    """Two sources cannot share an id."""
    source = "{id: a, title: b, as_of: 2026-01-01, status: survey}"
    with pytest.raises(CatalogError, match="given twice"):
        read_sources(row_of(f"sources: [{source}, {source}]"))


@pytest.mark.parametrize("text", ["- a list", "just text", "{unclosed"])
def test_document_that_is_no_mapping_is_refused(text: str) -> None:
    """A data file is one mapping of well-formed YAML."""
    with pytest.raises(CatalogError):
        parse_document(text, "test.yaml")


def test_reference_to_nothing_is_refused() -> None:
    """A pool without its site, an offer without its pool and an id given twice are found."""
    catalog = load_catalog()
    with pytest.raises(CatalogError, match="unknown site"):
        check_references(replace(catalog, sites=catalog.sites[1:]))
    with pytest.raises(CatalogError, match="unknown pool"):
        check_references(replace(catalog, pools=catalog.pools[1:]))
    with pytest.raises(CatalogError, match="given twice"):
        check_references(replace(catalog, offers=catalog.offers + catalog.offers[:1]))
