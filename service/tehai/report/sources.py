"""How far the figures can be trusted."""

from __future__ import annotations

import re
from collections import Counter

from rich.table import Table
from rich.text import Text

from tehai.domain.problem import FigureStatus, Problem, SourceNote
from tehai.domain.result import SolveResult
from tehai.report.formats import new_table

ROWS_MAX = 40
# Of one kind of figure, this many different remarks are quoted, and of open limits this many names.
REMARKS_MAX = 2
NAMES_MAX = 3
_WEAK = (FigureStatus.ASSUMPTION, FigureStatus.MEMORY)


def sources_line(problem: Problem) -> Text:
    """Return how many figures have which status."""
    if not problem.source_notes:
        return Text("Sources: the problem names none; its figures are the author's.\n")
    counts = Counter(note.status for note in problem.source_notes)
    parts = [f"{counts[status]} {status.value}" for status in FigureStatus if counts[status]]
    return Text(f"Sources of {len(problem.source_notes)} figures: {', '.join(parts)}.\n")


def assumptions_table(problem: Problem) -> Table | None:
    """Return the figures that nobody has published, assumptions and what was recalled, by kind; None without any."""
    kinds: dict[tuple[str, str], list[SourceNote]] = {}
    for note in problem.source_notes:
        if note.status in _WEAK:
            kinds.setdefault((kind_of(note.subject), note.status.value), []).append(note)
    if not kinds:
        return None
    rest = len(kinds) - ROWS_MAX
    caption = "The problem's source_notes have each of them." + (
        f" {rest} more kinds are left out." if rest > 0 else ""
    )
    table = new_table("Figures without a published source", ("About", "Status", "What"), ("Figures",), caption)
    for (kind, status), notes in list(kinds.items())[:ROWS_MAX]:
        remarks = list(dict.fromkeys(note.remark or note.source for note in notes))
        more = "; …" if len(remarks) > REMARKS_MAX else ""
        table.add_row(kind, status, "; ".join(remarks[:REMARKS_MAX]) + more, f"{len(notes)}")
    return table


def kind_of(subject: str) -> str:
    """Return what kind of figure a subject names: "offers/<id>/terms/0/price" is "offers: terms/price"."""
    collection, _, rest = subject.partition("/")
    figure = re.sub(r"/\d+", "", rest.partition("/")[2])
    return f"{collection}: {figure}" if figure else collection


def uncapped_line(result: SolveResult) -> Text | None:
    """Return the limits that the problem leaves open, by kind; None where there are none."""
    if not result.uncapped:
        return None
    kinds: dict[str, list[str]] = {}
    for path in result.uncapped:
        kinds.setdefault(kind_of(path), []).append(path.partition("/")[2].partition("/")[0])
    parts = [
        f"{kind} of {', '.join(names)}" if len(names) <= NAMES_MAX else f"{kind} of {len(names)} of them"
        for kind, names in kinds.items()
    ]
    return Text(f"Without a limit in the problem: {'; '.join(parts)}.\n")
