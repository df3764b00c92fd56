"""What of the catalogue is solid and what is not, row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

from tehai.catalog.figure import Provenance
from tehai.catalog.model import Catalog
from tehai.domain.problem import FigureStatus

# The statuses that a reader is told about row by row.
UNCERTAIN_STATUSES = (FigureStatus.SURVEY, FigureStatus.MEMORY, FigureStatus.ASSUMPTION)


@dataclass(frozen=True, slots=True)
class CatalogSummary:
    """Counts of figures by status, and for each uncertain status the rows that hold such a figure."""

    figure_counts: tuple[tuple[FigureStatus, int], ...]
    uncertain_rows: tuple[tuple[FigureStatus, tuple[str, ...]], ...]

    def text(self) -> str:
        """Return the summary as lines to print."""
        lines = ["figures: " + ", ".join(f"{count} {status.value}" for status, count in self.figure_counts)]
        lines += [f"{status.value}: {', '.join(rows)}" for status, rows in self.uncertain_rows if rows]
        return "\n".join(lines)


def catalog_summary(catalog: Catalog) -> CatalogSummary:
    """Return how many figures have which status and which rows rest on survey, memory or assumption."""
    found = [(subject, provenance.status) for subject, provenance in figures_of(catalog)]
    counts = Counter(status for _, status in found)
    rows = tuple(
        (status, tuple(dict.fromkeys(subject for subject, held in found if held is status)))
        for status in UNCERTAIN_STATUSES
    )
    return CatalogSummary(tuple((status, counts[status]) for status in FigureStatus), rows)


def figures_of(catalog: Catalog) -> Iterator[tuple[str, Provenance]]:
    """Yield (row, provenance) for every figure and price of the catalogue, in the order of the data files."""
    for provenance in _provenances(catalog.market):
        yield "market", provenance
    groups = ("accelerators", "sites", "pools", "offers", "programmes", "presets")
    for group in groups:
        for item in getattr(catalog, group):
            for provenance in _provenances(item):
                yield f"{group}/{item.id}", provenance


def _provenances(value: object) -> Iterator[Provenance]:
    """Yield every provenance inside a dataclass or tuple, depth first."""
    if isinstance(value, Provenance):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _provenances(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _provenances(item)
