"""Notes of what a portfolio file makes up, and of the published sizes behind its workloads."""

from __future__ import annotations

from collections.abc import Mapping

from tehai.catalog.figure import source_note
from tehai.catalog.model import Catalog
from tehai.catalog.supply import Availability
from tehai.domain.offer import Offer
from tehai.domain.problem import FigureStatus, SourceNote


def portfolio_notes(existing: tuple[Offer, ...], availability: Availability) -> tuple[SourceNote, ...]:
    """Return one note for each thing that the portfolio itself assumes."""
    made = [(f"offers/{offer.id}", "capacity, dates and sunk price") for offer in existing]
    made += [(f"offers/{offer_id}", "most that this portfolio can get") for offer_id in availability.limits]
    made += [(f"sites/{site_id}/power_limit_kw", "") for site_id in availability.power_limits_kw]
    made += [(f"programmes/{programme_id}/budgets/{year}", "") for programme_id, year in availability.budgets_yen]
    made.append(("rules", "minimum domestic shares, portfolio budgets and limits on concentration"))
    return tuple(_assumption(subject, remark) for subject, remark in made)


def size_notes(sizes: Mapping[str, str], catalog: Catalog) -> tuple[SourceNote, ...]:
    """Return the published size behind each preset, at its first workload, and the assumption about the rest."""
    notes: list[SourceNote] = []
    for preset in catalog.presets:
        if preset.id in sizes:
            row = f"workloads/{sizes[preset.id]}"
            notes.append(source_note(row, f"published size of a {preset.id}", preset.published_hours.provenance))
            notes.append(_assumption(row, f"size, window, worth, sovereignty and tags of every {preset.id}"))
    return tuple(notes)


def _assumption(subject: str, remark: str) -> SourceNote:
    return SourceNote(subject, FigureStatus.ASSUMPTION, "made up for this portfolio", "", "", "", remark)
