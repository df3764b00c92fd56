"""The one google.rpc.Status that the store itself writes, encoded by hand: this package knows no protobuf."""

from __future__ import annotations

ERROR_DOMAIN = "tehai"
# google.rpc.Code.INTERNAL
_INTERNAL = 13
_LENGTH_DELIMITED = 2


def worker_died(attempts: int) -> bytes:
    """Return the serialised status of a solve whose worker died in each of its ``attempts`` attempts."""
    times = "once" if attempts == 1 else f"{attempts} times"
    message = f"the worker of this solve died {times}, which is as often as it is tried; create the solve again"
    info = _field(1, b"WORKER_DIED") + _field(2, ERROR_DOMAIN.encode())
    info += _field(3, _field(1, b"attempt_count") + _field(2, str(attempts).encode()))
    detail = _field(1, b"type.googleapis.com/google.rpc.ErrorInfo") + _field(2, info)
    return bytes([1 << 3, _INTERNAL]) + _field(2, message.encode()) + _field(3, detail)


def _field(number: int, value: bytes) -> bytes:
    """Return a length-delimited field of a message."""
    return bytes([number << 3 | _LENGTH_DELIMITED]) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
