"""The page docs/violations.md, written from the codes themselves: ``python -m tehai.wire.violation_table``."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from tehai.validation import RULES
from tehai.wire.codes import FORMAT_CODES
from tehai.wire.evaluation import SCENARIO_CODES

INTRODUCTION = """\
# Violations

Every code that a check of a problem can report, in a file or over gRPC. A violation has a code, the path of the
value, a message about the case at hand and an action. All are reported at once; rules that rest on a value that
could not be read stay silent about it.

This page is generated: `python -m tehai.wire.violation_table > docs/violations.md`.

A workload that can run nowhere breaks no rule: `tehai check` notes it, and the answer of a solve names it.
"""
GROUPS = {
    "E10": "Text: YAML and JSON",
    "E11": "Form of a message, options of a solve",
    "E12": "Members, workloads and the plan in force",
    "E13": "Accelerators, sites, pools and routes",
    "E14": "Offers",
    "E15": "Programmes",
    "E16": "Rules over the portfolio",
    "E17": "Calendar and market",
    "E18": "Ids, references and text",
    "E19": "Size of a problem",
    "E20": "Changes of a scenario",
}


def _rows(codes: Iterable[tuple[str, str, str]]) -> Iterable[str]:
    yield "| code | what is wrong | what to do |"
    yield "|---|---|---|"
    for code, meaning, action in codes:
        yield f"| {code} | {meaning} | {action} |"


def violation_table() -> str:
    """Return the whole page."""
    codes = {code: (code, entry.meaning, entry.action) for code, entry in (FORMAT_CODES | SCENARIO_CODES).items()}
    codes |= {code: (code, rule.meaning, rule.action) for code, rule in RULES.items()}
    lines = [INTRODUCTION]
    for prefix, title in GROUPS.items():
        lines += [f"## {title}", "", *_rows(codes[code] for code in sorted(codes) if code.startswith(prefix)), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(violation_table())
