"""No list of a problem is read at any length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tehai.domain.limits import LIMITS
from tehai.v1 import plan_pb2
from tehai.wire import certificate_from_proto, plan_from_proto, problem_from_proto
from tests.wire.bad_messages import at, path_of
from tests.wire.filling import Filler, all_fields, descriptor_of
from tests.wire.small_problem import pairs, small_message

ABOVE_EVERY_LIMIT = 20_001


def _lists(message: Message, dotted: str = "") -> Iterator[tuple[FieldDescriptor, str]]:
    """Yield every list that is filled in a message and the messages in it, with its place."""
    for field, value in message.ListFields():
        place = f"{dotted}.{field.name}".lstrip(".")
        if field.is_repeated:
            yield field, place
        if field.message_type is not None:
            for i, child in enumerate(value if field.is_repeated else [value]):
                yield from _lists(child, f"{place}.{i}" if field.is_repeated else place)


def _first_of_each() -> dict[str, str]:
    """Return the place of one list for each repeated field of the contract."""
    found: dict[str, str] = {}
    for field, place in _lists(small_message()):
        found.setdefault(field.full_name, place)
    return found


FIRST_OF_EACH = _first_of_each()
# What a limit of the domain has to be at the place that it is named for.
NAMED = [
    ("pools.0.charge_reference.steps", LIMITS.steps_per_path),
    ("sites.1.electricity_steps", LIMITS.steps_per_path),
    ("offers.0.on_demand.quota_steps", LIMITS.steps_per_path),
    ("offers.2.existing.accelerator_steps", LIMITS.steps_per_path),
    ("offers.6.allocation.accelerator_steps", LIMITS.steps_per_path),
    ("offers.6.allocation.quotas", LIMITS.fiscal_year_rows_per_list),
    ("offers.2.existing.payments", LIMITS.fiscal_year_rows_per_list),
    ("offers.7.capacity_block.terms", LIMITS.terms_per_reservation),
    ("offers.3.purchase.payment_steps", LIMITS.steps_per_delivery),
    ("members.0.budgets", LIMITS.fiscal_year_rows_per_list),
    ("members.0.flags", LIMITS.strings_per_list),
    ("workloads.1.after_workload_ids", LIMITS.predecessors_per_workload),
    ("workloads.0.porting", LIMITS.portings_per_workload),
    ("programmes.0.budgets", LIMITS.fiscal_year_rows_per_list),
    ("programmes.0.claims_made", LIMITS.claims_made_per_programme),
    ("programmes.0.stackable_programme_ids", LIMITS.programmes),
    ("rules.capital_ceilings", LIMITS.fiscal_year_rows_per_list),
    ("rules.concentration_limits", LIMITS.concentration_limits),
    ("rules.carbon_limits", LIMITS.fiscal_year_rows_per_list),
    ("routes", LIMITS.routes),
    ("current_plan.placements", LIMITS.workloads),
]


def _lengthen(rows: Any, length: int) -> None:  # noqa: ANN401 (two classes of protobuf without a common one)
    first = rows[0]
    rows.extend([first] * (length - len(rows)))


@pytest.mark.parametrize("place", FIRST_OF_EACH.values())
def test_every_list_has_a_limit(place: str) -> None:
    """A list of 20,001 rows is refused by its path, whichever it is."""
    message = small_message()
    _lengthen(at(message, place), ABOVE_EVERY_LIMIT)
    assert ("E1111", path_of(place)) in pairs(problem_from_proto(message).violations)


def test_every_repeated_field_was_tried() -> None:
    """The small problem has a row in every list of the contract."""
    message = small_message()
    repeated = {name for name in all_fields(descriptor_of(message)) if name in FIRST_OF_EACH}
    assert len(repeated) == len(FIRST_OF_EACH) > 40


@pytest.mark.parametrize(("place", "limit"), NAMED)
def test_the_limit_is_the_one_of_the_domain(place: str, limit: int) -> None:
    """At its limit a list is read, one row above it is not."""
    message = small_message()
    _lengthen(at(message, place), limit)
    assert problem_from_proto(message).violations == ()
    _lengthen(at(message, place), limit + 1)
    violations = problem_from_proto(message).violations
    assert pairs(violations) == [("E1111", path_of(place))]
    assert f"the limit is {limit:,}" in violations[0].message


def test_claims_and_precedence_prices_are_limited() -> None:
    """A plan cannot claim without end, and a certificate has at most one row for each precedence."""
    plan = plan_pb2.Plan()
    Filler(0).fill(plan)
    claims = LIMITS.programmes * LIMITS.horizon_fiscal_years
    _lengthen(plan.placements[0].claims, claims + 1)
    _lengthen(plan.purchase_orders[1].claims, claims + 1)
    assert pairs(plan_from_proto(plan).violations) == [
        ("E1111", "placements[0].claims"),
        ("E1111", "purchase_orders[1].claims"),
    ]
    certificate = plan_pb2.Certificate()
    Filler(0).fill(certificate)
    _lengthen(certificate.precedence_prices, LIMITS.precedences + 1)
    assert pairs(certificate_from_proto(certificate).violations) == [("E1111", "precedence_prices")]
