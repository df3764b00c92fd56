"""Faults are planted in a valid answer; the second opinion must find each of them, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tehai.domain.plan import BillComponent
from tehai.verify import check_answer, check_plan
from tehai.verify import faults as registry
from tests.verify.economics import economics_answer
from tests.verify.example import Answer, example_answer
from tests.verify.planted import TABLE as FIRST_TABLE
from tests.verify.planted import Planted
from tests.verify.planted_economics import TABLE as SECOND_TABLE

TABLE = (*FIRST_TABLE, *SECOND_TABLE)
PACKAGE = Path(registry.__file__).parent


@pytest.mark.parametrize("start", [example_answer, economics_answer])
def test_examples_are_valid(start: Callable[[], Answer]) -> None:
    """The answers that faults are planted in have no violation, and an obligation."""
    answer = start()
    verification = check_answer(answer.problem, answer.sha256, answer.plan, answer.certificate)
    assert verification.violations == ()
    assert verification.valid
    assert verification.objective_yen == answer.plan.objective_yen
    assert verification.lower_bound_yen == answer.certificate.lower_bound_yen
    assert answer.plan.obligation_after_horizon_yen > 0
    assert check_plan(answer.problem, answer.sha256, answer.plan).lower_bound_yen is None


def test_examples_have_everything() -> None:
    """Together the two answers have every bill component, a pause, stacked claims, a claim of units and receivables."""
    first, second = example_answer().plan, economics_answer().plan
    assert {line.component for line in (*first.bill_lines, *second.bill_lines)} == set(BillComponent)
    assert any(len(placement.segments) > 1 for placement in second.placements)
    assert any(len({claim.programme_id for claim in item.claims}) > 1 for item in second.placements)
    assert any(order.claims for order in second.purchase_orders)
    assert second.claims_receivable_after_horizon_yen > 0


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
def test_planted_fault_is_found(case: Planted) -> None:
    """A planted fault gives exactly its codes, each with a path, figures and an action."""
    answer = case.change(case.start())
    verification = check_answer(answer.problem, answer.sha256, answer.plan, answer.certificate)
    found = {item.code for item in verification.violations}
    assert found == case.codes, verification.violations
    assert not verification.valid
    for item in verification.violations:
        assert item.path
        assert item.message
        assert item.action


def test_every_code_is_planted() -> None:
    """Every code of the registry is planted at least once, and there are at least 70 kinds."""
    planted_codes = set().union(*(case.codes for case in TABLE))
    assert planted_codes == {fault.code for fault in registry.FAULTS}
    assert len(planted_codes) >= 70


def test_every_code_has_one_check() -> None:
    """Every code has exactly one function with the code in its name, and every such function a registered code."""
    sources = [path.read_text(encoding="utf-8") for path in PACKAGE.glob("*.py")]
    named = re.findall(r"^def check_(v\d{4})_\w+", "\n".join(sources), flags=re.MULTILINE)
    assert len(named) >= 70
    assert sorted(named) == sorted(fault.code.lower() for fault in registry.FAULTS)


def test_unknown_code_is_refused() -> None:
    """A violation cannot carry a code outside the registry."""
    with pytest.raises(KeyError):
        registry.violation("V9999", "plan", "nothing")
