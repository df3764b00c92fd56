"""docs/verification.md as text: ``python -m tehai.verify.table > docs/verification.md`` writes it anew."""

from __future__ import annotations

import sys

from tehai.verify.faults import FAULTS
from tehai.verify.tolerances import tolerance_rows

_HEAD = """# Verification

`tehai verify`, and every solve before it answers, checks the plan and its certificate with code that shares nothing
with the solver but the nouns: it derives everything again from [rules.md](rules.md). Each fault has a stable code, a
path within the plan (or `certificate.…`), a message with the figures expected and found, and an action. This page is
written by `python -m tehai.verify.table` from the registry; a test keeps it fresh.

A mandatory or locked workload that is not placed is a fact that the verification reports, not a fault: without a legal
column it is left out of bound and objective, otherwise the gap has no meaning.

## Faults

| code | what is wrong | what to do |
|---|---|---|
"""

_TOLERANCES = """
## Tolerances

A deviation within the tolerance is no fault; where there are two, the larger counts, for money and claims their sum.

| name | value | unit | applies to |
|---|---|---|---|
"""

_ROUNDING = """
The bill is computed in decimal arithmetic of 60 digits. The bound is computed in doubles; a margin of 2^-47 of the sum
of the sizes of its terms covers their rounding errors and is taken off before the bound is rounded down to the yen.
"""


def render() -> str:
    """Return the page."""
    faults = "".join(f"| {fault.code} | {fault.title} | {fault.action} |\n" for fault in FAULTS)
    tolerances = "".join(
        f"| {name} | {value} | {unit} | {applies} |\n" for name, value, unit, applies in tolerance_rows()
    )
    return f"{_HEAD}{faults}{_TOLERANCES}{tolerances}{_ROUNDING}"


if __name__ == "__main__":
    sys.stdout.write(render())
