"""Quote books of the engine: written in a solver process, read and asked by a server, bytes in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tehai.engine import _native

# So many columns are priced in about a millisecond (benches/serve.py quote).
EVALUATIONS_OF_A_MILLISECOND = 40_000
NO_LIMIT = 2**62


class DamagedQuoteBookError(ValueError):
    """Raised when bytes are not a quote book of this version."""


class QuoteRefusedError(ValueError):
    """Raised when something in a request is wrong: ``path`` and ``message`` of the first such thing.

    ``answers`` are those to the requests before it, where it is one of several.
    """

    def __init__(self, path: str, message: str, answers: Sequence[bytes] = ()) -> None:
        super().__init__(f"{path}: {message}")
        self.path, self.message, self.answers = path, message, tuple(answers)


@dataclass(frozen=True, slots=True)
class KnownIds:
    """What a request may name."""

    member_ids: tuple[str, ...]
    project_ids: tuple[str, ...]
    site_ids: tuple[str, ...]
    accelerator_ids: tuple[str, ...]


def encode_quote_book(tables: Mapping[str, Any]) -> bytes:
    """Return the bytes of a book; ``tables`` are named as in core_rs/quote/src/stored.rs, arrays row-major.

    Raises KeyError, TypeError or ValueError where tables are missing or do not fit each other.
    """
    return _native.encode_quote_book(dict(tables))


def plan_of_request(request: bytes) -> str:
    """Return the plan that a QuoteWorkloadsRequest or StreamQuotesRequest names; QuoteRefusedError where it is none."""
    try:
        return _native.plan_of_quote_request(request)
    except ValueError as error:
        raise QuoteRefusedError("request", "not a message of this method") from error


class QuoteBook:
    """The prices of a plan, ready to be asked; every method leaves the interpreter to others while it works."""

    def __init__(self, data: bytes) -> None:
        """Read a book; raises DamagedQuoteBookError."""
        try:
            self._native = _native.QuoteBook(data)
        except ValueError as error:
            raise DamagedQuoteBookError(str(error)) from error

    @property
    def memory_bytes(self) -> int:
        """Memory that the book takes, roughly."""
        return self._native.memory_bytes()

    @property
    def first_period_end_seconds(self) -> int:
        """End of the first period, seconds since 1970 UTC."""
        return self._native.first_period_end_seconds()

    @property
    def reference_sustained_flops(self) -> float | None:
        """Operations per second of the reference accelerator; None where work in flops has no meaning."""
        return self._native.reference_sustained_flops()

    def known_ids(self) -> KnownIds:
        """Return the ids that a request may name."""
        return KnownIds(**{name: tuple(ids) for name, ids in self._native.known_ids().items()})

    def quote(self, request: bytes, plan: str, expire_seconds: int, evaluations_max: int = NO_LIMIT) -> bytes | None:
        """Return the QuoteWorkloadsResponse to a QuoteWorkloadsRequest, None above ``evaluations_max`` columns.

        ``plan`` and ``expire_seconds`` (since 1970 UTC) stand in every quote. Raises QuoteRefusedError.
        """
        answer, refusal = self._native.quote(request, plan, expire_seconds, evaluations_max)
        if refusal is not None:
            raise QuoteRefusedError(*refusal)
        return answer

    def stream(
        self,
        requests: Sequence[bytes],
        plan: str,
        expire_seconds: int,
        first_index: int,
        evaluations_max: int = NO_LIMIT,
    ) -> list[bytes]:
        """Return the StreamQuotesResponse to each StreamQuotesRequest, the first of them number ``first_index``.

        Stops after the answer that reaches ``evaluations_max`` columns: there is always one answer, and maybe fewer
        than requests. Raises QuoteRefusedError at the first request that is wrong, with the answers to those before it.
        """
        answers, refusal = self._native.stream(list(requests), plan, expire_seconds, first_index, evaluations_max)
        if refusal is not None:
            raise QuoteRefusedError(*refusal, answers)
        return answers
