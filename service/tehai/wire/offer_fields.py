"""What offers of several kinds have in common, between message and domain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from tehai.domain.limits import LIMITS
from tehai.domain.offer import QuotaStep
from tehai.v1 import supply_pb2
from tehai.wire.reading import Reader

Windowed = (
    supply_pb2.OnDemand
    | supply_pb2.Reservation
    | supply_pb2.Purchase
    | supply_pb2.Existing
    | supply_pb2.Allocation
    | supply_pb2.CapacityBlock
)


def from_date_from_proto(message: Windowed, reader: Reader, path: str) -> date | None:
    """Read the first day of a window; None where it has no edge."""
    return reader.date(message.from_date, path, "from_date") if message.HasField("from_date") else None


def until_date_from_proto(message: Windowed, reader: Reader, path: str) -> date | None:
    """Read the first day after a window; None where it has no edge."""
    return reader.date(message.until_date, path, "until_date") if message.HasField("until_date") else None


def date_to_text(day: date | None) -> str | None:
    """Return an edge of a window as text, None where there is none."""
    return None if day is None else day.isoformat()


def _quota_step_from_proto(message: supply_pb2.QuotaStep, reader: Reader, path: str) -> QuotaStep:
    return QuotaStep(from_date=reader.date(message.from_date, path, "from_date"), accelerators=message.accelerators)


def quota_steps_from_proto(
    messages: Sequence[supply_pb2.QuotaStep], reader: Reader, path: str, name: str
) -> tuple[QuotaStep, ...]:
    """Read numbers of accelerators that hold from a day on."""
    return reader.each(_quota_step_from_proto, messages, LIMITS.steps_per_path, path, name)


def quota_steps_to_proto(steps: Iterable[QuotaStep]) -> list[supply_pb2.QuotaStep]:
    """Write numbers of accelerators that hold from a day on."""
    return [supply_pb2.QuotaStep(from_date=s.from_date.isoformat(), accelerators=s.accelerators) for s in steps]
