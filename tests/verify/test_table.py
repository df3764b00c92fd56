"""docs/verification.md is what the registry says."""

from __future__ import annotations

from pathlib import Path

from tehai.verify.faults import FAULTS
from tehai.verify.table import render

PAGE = Path(__file__).parents[2] / "docs" / "verification.md"


def test_page_is_fresh() -> None:
    """The committed page equals the page rendered from the registry."""
    assert PAGE.read_text(encoding="utf-8") == render()


def test_codes_are_unique_and_in_order() -> None:
    """Codes are stable keys: none twice, in ascending order, each with a title and an action."""
    codes = [fault.code for fault in FAULTS]
    assert codes == sorted(set(codes))
    assert all(fault.title and fault.action for fault in FAULTS)
