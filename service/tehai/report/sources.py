"""How far the figures can be trusted."""

from __future__ import annotations

from collections import Counter

from rich.table import Table
from rich.text import Text

from tehai.domain.problem import FigureStatus, Problem
from tehai.domain.result import SolveResult
from tehai.report.formats import new_table

ROWS_MAX = 40
_WEAK = (FigureStatus.ASSUMPTION, FigureStatus.MEMORY)


def sources_line(problem: Problem) -> Text:
    """Return how many figures have which status."""
    if not problem.source_notes:
        return Text("Sources: the problem names none; its figures are the author's.\n")
    counts = Counter(note.status for note in problem.source_notes)
    parts = [f"{counts[status]} {status.value}" for status in FigureStatus if counts[status]]
    return Text(f"Sources of {len(problem.source_notes)} figures: {', '.join(parts)}.\n")


def assumptions_table(problem: Problem) -> Table | None:
    """Return the figures that nobody has published: assumptions, and what was recalled; None where there are none."""
    weak = [note for note in problem.source_notes if note.status in _WEAK]
    if not weak:
        return None
    rows: dict[tuple[str, str], list[str]] = {}
    for note in weak:
        rows.setdefault((note.subject, note.status.value), []).append(note.remark or note.source)
    rest = len(rows) - ROWS_MAX
    caption = f"… and {rest} more subjects; the problem's source_notes have all" if rest > 0 else None
    table = new_table("Figures without a published source", ("About", "Status", "What"), caption=caption)
    for (subject, status), remarks in list(rows.items())[:ROWS_MAX]:
        table.add_row(subject, status, "; ".join(dict.fromkeys(remarks)))
    return table


def uncapped_line(result: SolveResult) -> Text | None:
    """Return the limits that the problem leaves open; None where there are none."""
    if not result.uncapped:
        return None
    return Text(f"Without a limit in the problem: {', '.join(result.uncapped)}.\n")
