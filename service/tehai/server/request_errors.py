"""What is wrong with a request: raised by handlers, written for the caller."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One field that is wrong."""

    # Path, as in ``options.gap_fraction``.
    field: str
    text: str


class InvalidRequestError(ValueError):
    """Raised with every field that is wrong: INVALID_ARGUMENT with BadRequest."""

    def __init__(self, *faults: FieldFault) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.text}" for fault in faults))
        self.faults = faults


class MalformedRequestError(ValueError):
    """Raised for bytes that are not the message of the method."""


class RequestTooLargeError(ValueError):
    """Raised for a request of more bytes than the method takes."""

    def __init__(self, size_bytes: int, limit_bytes: int, advice: str = "") -> None:
        super().__init__(f"the request has {size_bytes} bytes, {limit_bytes} are the most{advice}")
        self.limit_bytes = limit_bytes


class NoPlanError(RuntimeError):
    """Raised where a solve has no plan: it ended without one."""

    def __init__(self, solve_name: str, state: str) -> None:
        super().__init__(f"{solve_name} has no plan: it is {state}, and its error says why")
        self.state = state


class ResultTooLargeError(RuntimeError):
    """Raised where an answer does not fit one message."""

    def __init__(self, solve_name: str, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"the answer has {size_bytes} bytes and a message {limit_bytes} at most: use DownloadSolveResult of"
            f" {solve_name}"
        )
        self.size_bytes = size_bytes


class OffsetError(ValueError):
    """Raised for an offset past the end."""

    def __init__(self, offset: int, total_bytes: int) -> None:
        super().__init__(f"offset {offset} is not within 0 to {total_bytes}")


class UnknownDemoError(LookupError):
    """Raised for a demo problem that does not exist."""

    def __init__(self, name: str, names: tuple[str, ...]) -> None:
        super().__init__(f"no demo problem {name!r}; there are: {', '.join(names)}")
        self.names = names


class ParentNotFoundError(LookupError):
    """Raised for a list of what another tenant has, or a tenant that there is not."""

    def __init__(self) -> None:
        super().__init__("no such parent; leave it empty for what is yours")
