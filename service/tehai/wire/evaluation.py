"""Changes of a scenario and what they do to the bill of a plan, between message and domain."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from google.protobuf.message import DecodeError, Message

from tehai.domain.evaluation import BrokenLimit, Evaluation, OfferPriceFactor, ScenarioChange
from tehai.domain.limits import LIMITS
from tehai.domain.violation import InvalidProblemError, Violation
from tehai.v1 import evaluation_pb2
from tehai.wire.codes import FormatCode
from tehai.wire.market import (
    fiscal_year_amounts_from_proto,
    fiscal_year_amounts_to_proto,
    optional_number_from_proto,
)
from tehai.wire.plan import PLAN_LINES_MAX, bill_line_from_proto, bill_line_to_proto
from tehai.wire.reading import Reader, member_path
from tehai.wire.unknown import report_unknown_fields

M = TypeVar("M", bound=Message)

# E20xx: a change of a scenario, and the plan that it is applied to.
SCENARIO_CODES: dict[str, FormatCode] = {
    "E2001": FormatCode("a factor of a change is out of range", "Give a factor from 0.01 to 100, or leave it unset."),
    "E2002": FormatCode("a change names an offer that does not exist", "Name an offer of the plan's problem."),
    "E2003": FormatCode("an offer is changed twice", "Give one factor for each offer."),
    "E2004": FormatCode(
        "a change multiplies the price of an offer that has none",
        "Leave the offer out; what is paid for existing capacity is contracted and does not move.",
    ),
    "E2005": FormatCode("a change cancels a programme that does not exist", "Name a programme of the plan's problem."),
    "E2006": FormatCode("a programme is cancelled twice", "Name each programme once."),
    "E2007": FormatCode("the changed bill is larger than is exact", "Give smaller factors."),
    "E2008": FormatCode("bytes are not the message that is expected", "Send the serialised message of this name."),
}


class DecodedChange(NamedTuple):
    """A change, or None and why not."""

    change: ScenarioChange | None
    violations: tuple[Violation, ...]


def scenario_violation(code: str, path: str, message: str) -> Violation:
    """Return a violation of one of SCENARIO_CODES; raises KeyError for another code."""
    return Violation(code, path, message, SCENARIO_CODES[code].action)


def message_from_bytes(data: bytes, kind: type[M], path: str) -> M:
    """Return the message in ``data``, which stands at ``path`` of a request.

    Raises:
        InvalidProblemError: E2008, the bytes are no such message.
    """
    try:
        message = kind()
        message.ParseFromString(data)
    except DecodeError as error:
        what = f"{len(data):,} bytes that are no {kind.DESCRIPTOR.full_name}"
        raise InvalidProblemError((scenario_violation("E2008", path, what),)) from error
    return message


def change_from_proto(message: evaluation_pb2.ScenarioChange, path: str = "change") -> DecodedChange:
    """Read a change that stands at ``path``; the violations are of form only."""
    reader = Reader()
    report_unknown_fields(message, reader, path)
    usd_jpy_factor = optional_number_from_proto(message, reader, path, "usd_jpy_factor")
    electricity_factor = optional_number_from_proto(message, reader, path, "electricity_factor")
    change = ScenarioChange(
        usd_jpy_factor=1.0 if usd_jpy_factor is None else usd_jpy_factor,
        offer_price_factors=reader.each(
            _offer_price_factor_from_proto, message.offer_price_factors, LIMITS.offers, path, "offer_price_factors"
        ),
        cancelled_programme_ids=tuple(
            reader.limited(message.cancelled_programme_ids, LIMITS.programmes, path, "cancelled_programme_ids")
        ),
        electricity_factor=1.0 if electricity_factor is None else electricity_factor,
    )
    return DecodedChange(None if reader.violations else change, tuple(reader.violations))


def _offer_price_factor_from_proto(
    message: evaluation_pb2.OfferPriceFactor, reader: Reader, path: str
) -> OfferPriceFactor:
    return OfferPriceFactor(offer_id=message.offer_id, factor=reader.number(message.factor, path, "factor"))


def change_to_proto(change: ScenarioChange) -> evaluation_pb2.ScenarioChange:
    """Write a change; a factor of 1 is left unset."""
    return evaluation_pb2.ScenarioChange(
        usd_jpy_factor=None if change.usd_jpy_factor == 1.0 else change.usd_jpy_factor,
        offer_price_factors=[
            evaluation_pb2.OfferPriceFactor(offer_id=item.offer_id, factor=item.factor)
            for item in change.offer_price_factors
        ],
        cancelled_programme_ids=change.cancelled_programme_ids,
        electricity_factor=None if change.electricity_factor == 1.0 else change.electricity_factor,
    )


def evaluation_from_proto(message: evaluation_pb2.Evaluation) -> Evaluation:
    """Read an evaluation; raises ValueError where the message is malformed."""
    reader, lines_max = Reader(), PLAN_LINES_MAX
    evaluation = Evaluation(
        objective_yen=message.objective_yen,
        changed_objective_yen=message.changed_objective_yen,
        bill_lines=reader.each(bill_line_from_proto, message.bill_lines, lines_max, "", "bill_lines"),
        changed_bill_lines=reader.each(
            bill_line_from_proto, message.changed_bill_lines, lines_max, "", "changed_bill_lines"
        ),
        broken_limits=tuple(
            BrokenLimit(code=m.code, path=m.path, message=m.message)
            for m in reader.limited(message.broken_limits, lines_max, "", "broken_limits")
        ),
        cash=fiscal_year_amounts_from_proto(message.cash, reader, "", "cash"),
        changed_cash=fiscal_year_amounts_from_proto(message.changed_cash, reader, "", "changed_cash"),
    )
    if reader.violations:
        raise ValueError("; ".join(f"{v.path}: {v.message}" for v in reader.violations))
    return evaluation


def evaluation_to_proto(evaluation: Evaluation, plan_name: str = "") -> evaluation_pb2.Evaluation:
    """Write an evaluation of the plan of this resource name."""
    return evaluation_pb2.Evaluation(
        objective_yen=evaluation.objective_yen,
        changed_objective_yen=evaluation.changed_objective_yen,
        bill_lines=[bill_line_to_proto(line) for line in evaluation.bill_lines],
        changed_bill_lines=[bill_line_to_proto(line) for line in evaluation.changed_bill_lines],
        broken_limits=[
            evaluation_pb2.BrokenLimit(code=limit.code, path=limit.path, message=limit.message)
            for limit in evaluation.broken_limits
        ],
        cash=fiscal_year_amounts_to_proto(evaluation.cash),
        changed_cash=fiscal_year_amounts_to_proto(evaluation.changed_cash),
        plan=plan_name,
    )


def violations_within(path: str, violations: tuple[Violation, ...]) -> tuple[Violation, ...]:
    """Return violations of a document with the paths they have where the document stands at ``path``."""
    return tuple(Violation(v.code, member_path(path, v.path), v.message, v.action) for v in violations)
