"""Every free text of a problem with its path."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from tehai.domain.problem import Problem
from tehai.domain.programme import UsageGrant

# Control, surrogate and line or paragraph separator characters.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_NOTE_FIELDS = ("subject", "source", "as_of_date", "quoted", "tax_basis", "remark")


def is_clean(text: str) -> bool:
    """Return whether text has no control characters, line breaks or broken characters."""
    return text.isprintable() or not any(unicodedata.category(c) in _REFUSED_CATEGORIES for c in text)


def is_composed(text: str) -> bool:
    """Return whether text is in normal form C."""
    return text.isascii() or unicodedata.is_normalized("NFC", text)


def texts_of(problem: Problem) -> Iterator[tuple[str, str]]:
    """Yield (path, text) of every text that is not an id, a reference or a country code.

    Source notes may have several lines; their line breaks come as spaces.
    """
    yield "display_name", problem.display_name
    for collection in ("accelerators", "sites", "pools", "offers", "members", "workloads", "programmes"):
        for i, item in enumerate(getattr(problem, collection)):
            yield f"{collection}[{i}].display_name", item.display_name
    for i, accelerator in enumerate(problem.accelerators):
        for k, throughput in enumerate(accelerator.throughputs):
            yield f"accelerators[{i}].throughputs[{k}].software_family", throughput.software_family
    for i, workload in enumerate(problem.workloads):
        yield f"workloads[{i}].software_family", workload.software_family
        for k, tag in enumerate(workload.tags):
            yield f"workloads[{i}].tags[{k}]", tag
    for i, programme in enumerate(problem.programmes):
        tags = programme.kind.eligible_tags if isinstance(programme.kind, UsageGrant) else ()
        for k, tag in enumerate(tags):
            yield f"programmes[{i}].usage_grant.eligible_tags[{k}]", tag
    for i, note in enumerate(problem.source_notes):
        for name in _NOTE_FIELDS:
            yield f"source_notes[{i}].{name}", getattr(note, name).replace("\n", " ")
