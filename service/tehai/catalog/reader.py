"""Strict reading of the catalogue's data files: every key is known, every scalar is parsed by its declared type."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum
from importlib.resources import files
from typing import Any, TypeVar

import yaml

from tehai.catalog.figure import CatalogError, Figure, PriceUnit, Provenance, QuotedPrice, Source, TaxBasis
from tehai.domain.market import CURRENCY_CODES
from tehai.domain.problem import FigureStatus

EnumT = TypeVar("EnumT", bound=Enum)


class _TextLoader(yaml.BaseLoader):
    """Reads every scalar as text, so that decimals stay exact, and refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping of ``node``; raises CatalogError on a duplicate key."""
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise CatalogError(f"{node.start_mark.name}:{node.start_mark.line + 1}: key {key!r} is given twice")
        return super().construct_mapping(node, deep=deep)


def parse_document(text: str, name: str) -> Row:
    """Return the top mapping of a data file; raises CatalogError where it is not one."""
    loader = _TextLoader(text)
    loader.name = name
    try:
        document = loader.get_single_data()
    except yaml.YAMLError as error:
        raise CatalogError(f"{name}: {error}") from error
    return Row(name, document)


def read_document(name: str) -> Row:
    """Return the top mapping of the packaged data file ``name``."""
    return parse_document(files("tehai.catalog").joinpath("data", name).read_text(encoding="utf-8"), name)


class Row:
    """One mapping of a data file; each key is taken once and ``finish`` refuses what is left."""

    def __init__(self, path: str, mapping: object) -> None:
        """Keep ``mapping``; raises CatalogError where it is not a mapping."""
        if not isinstance(mapping, dict):
            raise CatalogError(f"{path}: a mapping is expected")
        self.path = path
        self._left: dict[str, object] = dict(mapping)

    def has(self, key: str) -> bool:
        """Return whether ``key`` is given and not taken yet."""
        return key in self._left

    def fail(self, key: str, message: str) -> CatalogError:
        """Return the error for ``key``, to be raised by the caller."""
        return CatalogError(f"{self.path}.{key}: {message}")

    def finish(self) -> None:
        """Raise CatalogError where a key was not taken: an unknown key is never ignored."""
        if self._left:
            raise CatalogError(f"{self.path}: unknown keys {sorted(self._left)}")

    def _take(self, key: str) -> object:
        if key not in self._left:
            raise self.fail(key, "is missing")
        return self._left.pop(key)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text that is not empty, or ``default`` where the key is absent."""
        if default is not None and key not in self._left:
            return default
        value = self._take(key)
        if not isinstance(value, str) or not value.strip():
            raise self.fail(key, "a text is expected")
        return value

    def decimal(self, key: str, default: str | None = None) -> Decimal:
        """Return a finite number that is not negative."""
        text = self.text(key, default)
        try:
            value = Decimal(text)
        except InvalidOperation as error:
            raise self.fail(key, f"{text!r} is not a number") from error
        if not value.is_finite() or value < 0:
            raise self.fail(key, f"{text!r} is negative or not finite")
        return value

    def integer(self, key: str, default: str | None = None) -> int:
        """Return a whole number that is not negative."""
        value = self.decimal(key, default)
        if value != int(value):
            raise self.fail(key, f"{value} is not a whole number")
        return int(value)

    def day(self, key: str) -> date:
        """Return a date written YYYY-MM-DD."""
        text = self.text(key)
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise self.fail(key, f"{text!r} is not a date") from error

    def optional_day(self, key: str) -> date | None:
        """Return a date, or None where the key is absent."""
        return self.day(key) if self.has(key) else None

    def flag(self, key: str, default: str = "false") -> bool:
        """Return ``true`` or ``false``."""
        text = self.text(key, default)
        if text not in ("true", "false"):
            raise self.fail(key, f"{text!r} is neither true nor false")
        return text == "true"

    def choice(self, key: str, kind: type[EnumT], default: str | None = None) -> EnumT:
        """Return the member of ``kind`` whose value is written."""
        text = self.text(key, default)
        try:
            return kind(text)
        except ValueError as error:
            raise self.fail(key, f"{text!r} is not one of {[member.value for member in kind]}") from error

    def row(self, key: str) -> Row:
        """Return the mapping under ``key``."""
        return Row(f"{self.path}.{key}", self._take(key))

    def rows(self, key: str) -> tuple[Row, ...]:
        """Return the mappings listed under ``key``; absent is none."""
        if key not in self._left:
            return ()
        value = self._take(key)
        if not isinstance(value, list):
            raise self.fail(key, "a list is expected")
        return tuple(Row(f"{self.path}.{key}[{index}]", item) for index, item in enumerate(value))

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the texts listed under ``key``; absent is none."""
        if key not in self._left:
            return ()
        value = self._take(key)
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.fail(key, "a list of texts is expected")
        return tuple(value)

    def names(self) -> tuple[str, ...]:
        """Return the keys that are not taken yet, in the order of the file."""
        return tuple(self._left)


def read_sources(row: Row) -> dict[str, Source]:
    """Return the sources by id; raises CatalogError on an id given twice."""
    sources: dict[str, Source] = {}
    for item in row.rows("sources"):
        source = Source(item.text("id"), item.text("title"), item.day("as_of"), item.choice("status", FigureStatus))
        item.finish()
        if source.id in sources:
            raise item.fail("id", f"{source.id!r} is given twice")
        sources[source.id] = source
    row.finish()
    return sources


def _provenance(row: Row, sources: dict[str, Source], tax_basis: TaxBasis) -> Provenance:
    source_id = row.text("source")
    if source_id not in sources:
        raise row.fail("source", f"{source_id!r} is not in sources.yaml")
    source = sources[source_id]
    return Provenance(
        status=row.choice("status", FigureStatus, source.status.value),
        source=source,
        as_of_date=row.optional_day("as_of") or source.as_of_date,
        quoted=row.text("quoted", ""),
        tax_basis=tax_basis,
        remark=row.text("remark", ""),
    )


def read_figure(row: Row, sources: dict[str, Source]) -> Figure:
    """Return one number with its provenance; a value that is not an assumption needs the quoted figure."""
    value = row.decimal("value")
    figure = Figure(value, _provenance(row, sources, TaxBasis.NONE))
    if not figure.provenance.quoted and figure.provenance.status is not FigureStatus.ASSUMPTION:
        raise row.fail("quoted", "is missing for a figure that is not an assumption")
    row.finish()
    return figure


def read_price(row: Row, sources: dict[str, Source]) -> QuotedPrice:
    """Return a quoted price; raises CatalogError on an unknown currency, unit or tax basis."""
    currency = row.text("currency")
    if currency not in CURRENCY_CODES:
        raise row.fail("currency", f"{currency!r} is not one of {CURRENCY_CODES}")
    tax_basis = row.choice("tax", TaxBasis)
    unit = row.choice("per", PriceUnit)
    price = QuotedPrice(
        amount=row.decimal("amount"),
        currency_code=currency,
        unit=unit,
        accelerators=row.integer("accelerators", "1"),
        factor=row.decimal("factor", "1"),
        provenance=_provenance(row, sources, tax_basis),
    )
    if not price.provenance.quoted and price.provenance.status is not FigureStatus.ASSUMPTION:
        raise row.fail("quoted", "is missing for a price that is not an assumption")
    if price.accelerators < 1 or price.factor <= 0:
        raise row.fail("accelerators", "accelerators and factor are above zero")
    row.finish()
    return price
