"""Plans, between message and domain. Whether a plan keeps the rules is for tehai.verify to say."""

from __future__ import annotations

from typing import NamedTuple

from tehai.domain.limits import LIMITS
from tehai.domain.plan import (
    BillComponent,
    BillLine,
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


class DecodedPlan(NamedTuple):
    """A plan, or None and why not."""

    plan: Plan | None
    violations: tuple[Violation, ...]


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
    segments = reader.limited(message.segments, LIMITS.period_count, path, "segments")
    return Placement(
        workload_id=message.workload_id,
        segments=tuple(segment_from_proto(m, reader, f"{path}.segments[{i}]") for i, m in enumerate(segments)),
        programme_id=message.programme_id,
        claims=fiscal_year_amounts_from_proto(message.claims, reader, path, "claims"),
    )


def placement_to_proto(placement: Placement) -> plan_pb2.Placement:
    """Write a workload with its segments and claims."""
    return plan_pb2.Placement(
        workload_id=placement.workload_id,
        segments=[segment_to_proto(s) for s in placement.segments],
        programme_id=placement.programme_id,
        claims=fiscal_year_amounts_to_proto(placement.claims),
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


def purchase_order_from_proto(message: plan_pb2.PurchaseOrder, reader: Reader, path: str) -> PurchaseOrder:
    """Read units ordered in one period."""
    return PurchaseOrder(
        offer_id=message.offer_id,
        order_period=message.order_period,
        order_date=reader.date(message.order_date, path, "order_date"),
        units=message.units,
    )


def purchase_order_to_proto(order: PurchaseOrder) -> plan_pb2.PurchaseOrder:
    """Write units ordered in one period."""
    return plan_pb2.PurchaseOrder(
        offer_id=order.offer_id,
        order_period=order.order_period,
        order_date=order.order_date.isoformat(),
        units=order.units,
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

    def at(name: str) -> str:
        return member_path(path, name)

    placements = reader.limited(message.placements, LIMITS.workloads, path, "placements")
    reservations = reader.limited(message.reservation_orders, PLAN_LINES_MAX, path, "reservation_orders")
    purchases = reader.limited(message.purchase_orders, PLAN_LINES_MAX, path, "purchase_orders")
    uses = reader.limited(message.offer_uses, LIMITS.offers, path, "offer_uses")
    lines = reader.limited(message.bill_lines, PLAN_LINES_MAX, path, "bill_lines")
    return Plan(
        schema_version=reader.schema_version(message.schema_version, SCHEMA_VERSION, path),
        problem_sha256=message.problem_sha256,
        tehai_version=message.tehai_version,
        options=solve_options_from_proto(message.options, reader, at("options")),
        stop_reason=STOP_REASONS.from_wire(message.stop_reason, reader, path, "stop_reason"),
        placements=tuple(placement_from_proto(m, reader, f"{at('placements')}[{i}]") for i, m in enumerate(placements)),
        not_run_workload_ids=tuple(
            reader.limited(message.not_run_workload_ids, LIMITS.workloads, path, "not_run_workload_ids")
        ),
        reservation_orders=tuple(
            reservation_order_from_proto(m, reader, f"{at('reservation_orders')}[{i}]")
            for i, m in enumerate(reservations)
        ),
        purchase_orders=tuple(
            purchase_order_from_proto(m, reader, f"{at('purchase_orders')}[{i}]") for i, m in enumerate(purchases)
        ),
        offer_uses=tuple(offer_use_from_proto(m, reader, f"{at('offer_uses')}[{i}]") for i, m in enumerate(uses)),
        forward_usd_jpy=reader.numbers(message.forward_usd_jpy, LIMITS.period_count, path, "forward_usd_jpy"),
        bill_lines=tuple(bill_line_from_proto(m, reader, f"{at('bill_lines')}[{i}]") for i, m in enumerate(lines)),
        cash=fiscal_year_amounts_from_proto(message.cash, reader, path, "cash"),
        obligation_after_horizon_yen=message.obligation_after_horizon_yen,
        objective_yen=message.objective_yen,
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
    )
