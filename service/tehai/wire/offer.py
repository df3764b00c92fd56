"""Offers of every kind, between message and domain."""

from __future__ import annotations

from typing import assert_never

from tehai.domain.offer import Allocation, CapacityBlock, Existing, Offer, OfferKind, OnDemand, Purchase, Reservation
from tehai.v1 import supply_pb2
from tehai.wire.commitment import (
    capacity_block_from_proto,
    capacity_block_to_proto,
    purchase_from_proto,
    purchase_to_proto,
    reservation_from_proto,
    reservation_to_proto,
)
from tehai.wire.hourly import (
    allocation_from_proto,
    allocation_to_proto,
    existing_from_proto,
    existing_to_proto,
    on_demand_from_proto,
    on_demand_to_proto,
)
from tehai.wire.reading import Reader

KIND_NAMES = tuple(field.name for field in supply_pb2.Offer.DESCRIPTOR.oneofs_by_name["kind"].fields)


def _kind_from_proto(message: supply_pb2.Offer, reader: Reader, path: str) -> OfferKind:
    match message.WhichOneof("kind"):
        case "on_demand":
            return on_demand_from_proto(message.on_demand, reader, f"{path}.on_demand")
        case "reservation":
            return reservation_from_proto(message.reservation, reader, f"{path}.reservation")
        case "purchase":
            return purchase_from_proto(message.purchase, reader, f"{path}.purchase")
        case "existing":
            return existing_from_proto(message.existing, reader, f"{path}.existing")
        case "allocation":
            return allocation_from_proto(message.allocation, reader, f"{path}.allocation")
        case "capacity_block":
            return capacity_block_from_proto(message.capacity_block, reader, f"{path}.capacity_block")
        case None:
            reader.no_alternative(path, KIND_NAMES, taint="existing")
            return Existing(accelerators=1, from_date=None, until_date=None, metered=False)
        case other:
            assert_never(other)


def offer_from_proto(message: supply_pb2.Offer, reader: Reader, path: str) -> Offer:
    """Read an offer of any kind."""
    return Offer(
        id=message.id,
        display_name=message.display_name,
        pool_id=message.pool_id,
        kind=_kind_from_proto(message, reader, path),
    )


def offer_to_proto(offer: Offer) -> supply_pb2.Offer:
    """Write an offer of any kind."""
    message = supply_pb2.Offer(id=offer.id, display_name=offer.display_name, pool_id=offer.pool_id)
    match offer.kind:
        case OnDemand():
            message.on_demand.CopyFrom(on_demand_to_proto(offer.kind))
        case Reservation():
            message.reservation.CopyFrom(reservation_to_proto(offer.kind))
        case Purchase():
            message.purchase.CopyFrom(purchase_to_proto(offer.kind))
        case Existing():
            message.existing.CopyFrom(existing_to_proto(offer.kind))
        case Allocation():
            message.allocation.CopyFrom(allocation_to_proto(offer.kind))
        case CapacityBlock():
            message.capacity_block.CopyFrom(capacity_block_to_proto(offer.kind))
        case _ as other:
            assert_never(other)
    return message
