"""Fills messages with distinct values by walking their descriptors."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from tehai.wire.fields import plans_of

DECIMAL_NAMES = (
    "amount",
    "usd_jpy_spot",
    "yen_interest_rate",
    "dollar_interest_rate",
    "discount_rate",
    "usd_conversion_spread_yen",
    "electricity_yen_per_kwh",
    "cost_of_capital",
    "carbon_price_yen_per_kg",
)
INTEGER_BASES = {
    FieldDescriptor.TYPE_INT32: 1,
    FieldDescriptor.TYPE_INT64: 2**40,
    FieldDescriptor.TYPE_UINT64: 2**63,
}
ITEMS = 2


def descriptor_of(message: Message | type[Message]) -> Descriptor:
    """Return the descriptor of a message; its stub knows two classes for one."""
    return cast("Descriptor", message.DESCRIPTOR)


class Filler:
    """Gives every scalar another value; ``variant`` chooses the member of every oneof."""

    def __init__(self, variant: int) -> None:
        self.variant = variant
        self.filled: set[str] = set()
        self._count = 0

    def fill(self, message: Message) -> None:
        """Set every field of a message and of the messages in it."""
        for field in self._chosen(descriptor_of(message)):
            self.filled.add(field.full_name)
            if field.is_repeated:
                items: Any = getattr(message, field.name)
                for _ in range(ITEMS):
                    if field.message_type is not None:
                        self.fill(items.add())
                    else:
                        items.append(self._scalar(field))
            elif field.message_type is not None:
                self.fill(getattr(message, field.name))
            else:
                setattr(message, field.name, self._scalar(field))

    def _chosen(self, descriptor: Descriptor) -> list[FieldDescriptor]:
        chosen = []
        for field in descriptor.fields:
            oneof = field.containing_oneof
            exclusive = plans_of(descriptor)[field.name].oneof
            if not exclusive or oneof is None or oneof.fields[self.variant % len(oneof.fields)] is field:
                chosen.append(field)
        return chosen

    def _scalar(self, field: FieldDescriptor) -> object:
        self._count += 1
        if field.name == "schema_version":
            return 1
        if field.enum_type is not None:
            return field.enum_type.values[1 + self._count % (len(field.enum_type.values) - 1)].number
        if field.type == FieldDescriptor.TYPE_BOOL:
            return True
        if field.type == FieldDescriptor.TYPE_DOUBLE:
            return 0.5 + self._count / 2**20
        if field.type in INTEGER_BASES:
            return INTEGER_BASES[field.type] + self._count
        return self._text(field.name)

    def _text(self, name: str) -> str:
        if name in DECIMAL_NAMES:
            return f"{self._count}.5"
        if name.endswith("_date"):
            return (date(2027, 4, 1) + timedelta(days=self._count)).isoformat()
        return "USD" if name == "currency_code" else f"{name}-{self._count}"


def all_fields(descriptor: Descriptor) -> set[str]:
    """Return the full names of the fields of a message and of the messages in it."""
    found = set()
    for field in descriptor.fields:
        found.add(field.full_name)
        if field.message_type is not None:
            found |= all_fields(field.message_type)
    return found
