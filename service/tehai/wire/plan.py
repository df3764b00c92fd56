"""Plans, between message and domain. Whether a plan keeps the rules is for tehai.verify to say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tehai.domain.limits import LIMITS
from tehai.domain.plan import (
    BillComponent,
    BillLine,
    CapacityBlockOrder,
    Claim,
    OfferUse,
    Placement,
    Plan,
    PurchaseOrder,
    ReservationOrder,
    Segment,
    StopReason,
)
from tehai.domain.problem import SCHEMA_VERSION
from tehai.domain.violation import Violation
from tehai.v1 import plan_pb2
from tehai.wire.market import fiscal_year_amounts_from_proto, fiscal_year_amounts_to_proto
from tehai.wire.options import options_to_proto, solve_options_from_proto
from tehai.wire.reading import Choices, Reader, member_path
from tehai.wire.unknown import report_unknown_fields

STOP_REASONS = Choices(StopReason, plan_pb2.StopReason)
BILL_COMPONENTS = Choices(BillComponent, plan_pb2.BillComponent)
# An order for each term and period of each offer would be more; no plan needs that many lines.
PLAN_LINES_MAX = 1_000_000
CLAIMS_MAX = LIMITS.programmes * LIMITS.horizon_fiscal_years


class DecodedPlan(NamedTuple):
    """A plan, or None and why not."""

    plan: Plan | None
    violations: tuple[Violation, ...]


def claims_from_proto(messages: Sequence[plan_pb2.Claim], reader: Reader, path: str) -> tuple[Claim, ...]:
    """Read what a placement or an order, which stands at ``path``, claims."""
    return tuple(
        Claim(programme_id=m.programme_id, fiscal_year=m.fiscal_year, amount_yen=m.amount_yen)
        for m in reader.limited(messages, CLAIMS_MAX, path, "claims")
    )


def claims_to_proto(claims: Iterable[Claim]) -> list[plan_pb2.Claim]:
    """Write what a placement or an order claims."""
    return [
        plan_pb2.Claim(programme_id=c.programme_id, fiscal_year=c.fiscal_year, amount_yen=c.amount_yen) for c in claims
    ]


def segment_from_proto(message: plan_pb2.Segment, reader: Reader, path: str) -> Segment:
    """Read a stretch without interruption."""
    return Segment(
        pool_id=message.pool_id,
        accelerators=message.accelerators,
        start_period=message.start_period,
        start_date=reader.date(message.start_date, path, "start_date"),
        run_hours=reader.number(message.run_hours, path, "run_hours"),
    )


def segment_to_proto(segment: Segment) -> plan_pb2.Segment:
    """Write a stretch without interruption."""
    return plan_pb2.Segment(
        pool_id=segment.pool_id,
        accelerators=segment.accelerators,
        start_period=segment.start_period,
        start_date=segment.start_date.isoformat(),
        run_hours=segment.run_hours,
    )


def placement_from_proto(message: plan_pb2.Placement, reader: Reader, path: str) -> Placement:
    """Read a workload with its segments and claims."""
    return Placement(
        workload_id=message.workload_id,
        segments=reader.each(segment_from_proto, message.segments, LIMITS.period_count, path, "segments"),
        claims=claims_from_proto(message.claims, reader, path),
    )


def placement_to_proto(placement: Placement) -> plan_pb2.Placement:
    """Write a workload with its segments and claims."""
    return plan_pb2.Placement(
        workload_id=placement.workload_id,
        segments=[segment_to_proto(s) for s in placement.segments],
        claims=claims_to_proto(placement.claims),
    )


def reservation_order_from_proto(message: plan_pb2.ReservationOrder, reader: Reader, path: str) -> ReservationOrder:
    """Read blocks of one term that begin in one period."""
    return ReservationOrder(
        offer_id=message.offer_id,
        term_index=message.term_index,
        start_period=message.start_period,
        start_date=reader.date(message.start_date, path, "start_date"),
        blocks=message.blocks,
    )


def reservation_order_to_proto(order: ReservationOrder) -> plan_pb2.ReservationOrder:
    """Write blocks of one term that begin in one period."""
    return plan_pb2.ReservationOrder(
        offer_id=order.offer_id,
        term_index=order.term_index,
        start_period=order.start_period,
        start_date=order.start_date.isoformat(),
        blocks=order.blocks,
    )


def capacity_block_order_from_proto(
    message: plan_pb2.CapacityBlockOrder, reader: Reader, path: str
) -> CapacityBlockOrder:
    """Read blocks of one term that begin in one period and are booked in another."""
    return CapacityBlockOrder(
        offer_id=message.offer_id,
        term_index=message.term_index,
        start_period=message.start_period,
        start_date=reader.date(message.start_date, path, "start_date"),
        booking_period=message.booking_period,
        booking_date=reader.date(message.booking_date, path, "booking_date"),
        blocks=message.blocks,
    )


def capacity_block_order_to_proto(order: CapacityBlockOrder) -> plan_pb2.CapacityBlockOrder:
    """Write blocks of one term that begin in one period and are booked in another."""
    return plan_pb2.CapacityBlockOrder(
        offer_id=order.offer_id,
        term_index=order.term_index,
        start_period=order.start_period,
        start_date=order.start_date.isoformat(),
        booking_period=order.booking_period,
        booking_date=order.booking_date.isoformat(),
        blocks=order.blocks,
    )


def purchase_order_from_proto(message: plan_pb2.PurchaseOrder, reader: Reader, path: str) -> PurchaseOrder:
    """Read units ordered in one period with what they claim."""
    return PurchaseOrder(
        offer_id=message.offer_id,
        order_period=message.order_period,
        order_date=reader.date(message.order_date, path, "order_date"),
        units=message.units,
        claims=claims_from_proto(message.claims, reader, path),
    )


def purchase_order_to_proto(order: PurchaseOrder) -> plan_pb2.PurchaseOrder:
    """Write units ordered in one period with what they claim."""
    return plan_pb2.PurchaseOrder(
        offer_id=order.offer_id,
        order_period=order.order_period,
        order_date=order.order_date.isoformat(),
        units=order.units,
        claims=claims_to_proto(order.claims),
    )


def offer_use_from_proto(message: plan_pb2.OfferUse, reader: Reader, path: str) -> OfferUse:
    """Read the use of one offer, one value per period."""
    hours = reader.numbers(message.accelerator_hours, LIMITS.period_count, path, "accelerator_hours")
    return OfferUse(offer_id=message.offer_id, accelerator_hours=hours)


def offer_use_to_proto(use: OfferUse) -> plan_pb2.OfferUse:
    """Write the use of one offer."""
    return plan_pb2.OfferUse(offer_id=use.offer_id, accelerator_hours=use.accelerator_hours)


def bill_line_from_proto(message: plan_pb2.BillLine, reader: Reader, path: str) -> BillLine:
    """Read one line of the bill."""
    return BillLine(
        component=BILL_COMPONENTS.from_wire(message.component, reader, path, "component"),
        subject_id=message.subject_id,
        fiscal_year=message.fiscal_year,
        currency_code=message.currency_code,
        amount_yen=message.amount_yen,
    )


def bill_line_to_proto(line: BillLine) -> plan_pb2.BillLine:
    """Write one line of the bill."""
    return plan_pb2.BillLine(
        component=BILL_COMPONENTS.to_wire(line.component),
        subject_id=line.subject_id,
        fiscal_year=line.fiscal_year,
        currency_code=line.currency_code,
        amount_yen=line.amount_yen,
    )


def read_plan(message: plan_pb2.Plan, reader: Reader, path: str) -> Plan:
    """Read a plan that stands at ``path``, with placeholders where something is wrong."""
    lines_max = PLAN_LINES_MAX
    return Plan(
        schema_version=reader.schema_version(message.schema_version, SCHEMA_VERSION, path),
        problem_sha256=message.problem_sha256,
        tehai_version=message.tehai_version,
        options=solve_options_from_proto(message.options, reader, member_path(path, "options")),
        stop_reason=STOP_REASONS.from_wire(message.stop_reason, reader, path, "stop_reason"),
        placements=reader.each(placement_from_proto, message.placements, LIMITS.workloads, path, "placements"),
        not_run_workload_ids=tuple(
            reader.limited(message.not_run_workload_ids, LIMITS.workloads, path, "not_run_workload_ids")
        ),
        reservation_orders=reader.each(
            reservation_order_from_proto, message.reservation_orders, lines_max, path, "reservation_orders"
        ),
        purchase_orders=reader.each(
            purchase_order_from_proto, message.purchase_orders, lines_max, path, "purchase_orders"
        ),
        offer_uses=reader.each(offer_use_from_proto, message.offer_uses, LIMITS.offers, path, "offer_uses"),
        forward_usd_jpy=reader.numbers(message.forward_usd_jpy, LIMITS.period_count, path, "forward_usd_jpy"),
        bill_lines=reader.each(bill_line_from_proto, message.bill_lines, lines_max, path, "bill_lines"),
        cash=fiscal_year_amounts_from_proto(message.cash, reader, path, "cash"),
        obligation_after_horizon_yen=message.obligation_after_horizon_yen,
        objective_yen=message.objective_yen,
        capacity_block_orders=reader.each(
            capacity_block_order_from_proto, message.capacity_block_orders, lines_max, path, "capacity_block_orders"
        ),
        claims_receivable_after_horizon_yen=message.claims_receivable_after_horizon_yen,
    )


def plan_from_proto(message: plan_pb2.Plan) -> DecodedPlan:
    """Read a plan; the violations are of form only."""
    reader = Reader()
    report_unknown_fields(message, reader)
    plan = read_plan(message, reader, "")
    return DecodedPlan(None if reader.violations else plan, tuple(reader.violations))


def plan_to_proto(plan: Plan) -> plan_pb2.Plan:
    """Write a plan; every number as it is."""
    return plan_pb2.Plan(
        schema_version=plan.schema_version,
        problem_sha256=plan.problem_sha256,
        tehai_version=plan.tehai_version,
        options=options_to_proto(plan.options),
        stop_reason=STOP_REASONS.to_wire(plan.stop_reason),
        placements=[placement_to_proto(p) for p in plan.placements],
        not_run_workload_ids=plan.not_run_workload_ids,
        reservation_orders=[reservation_order_to_proto(o) for o in plan.reservation_orders],
        purchase_orders=[purchase_order_to_proto(o) for o in plan.purchase_orders],
        offer_uses=[offer_use_to_proto(u) for u in plan.offer_uses],
        forward_usd_jpy=plan.forward_usd_jpy,
        bill_lines=[bill_line_to_proto(line) for line in plan.bill_lines],
        cash=fiscal_year_amounts_to_proto(plan.cash),
        obligation_after_horizon_yen=plan.obligation_after_horizon_yen,
        objective_yen=plan.objective_yen,
        capacity_block_orders=[capacity_block_order_to_proto(o) for o in plan.capacity_block_orders],
        claims_receivable_after_horizon_yen=plan.claims_receivable_after_horizon_yen,
    )
