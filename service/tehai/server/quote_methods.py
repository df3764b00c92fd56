"""QuoteWorkloads and StreamQuotes: bytes in, bytes out; ``quotes`` does the work."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from tehai.quote import QuoteRefusedError, plan_of_request
from tehai.security import current_admission
from tehai.server.interceptors import Context
from tehai.server.parts import ServerParts
from tehai.server.request_errors import RequestTooLargeError

# One workload. With what is read ahead of its turn a stream holds 64 MiB at most.
STREAM_REQUEST_BYTES_MAX = 256 * 1024


class QuoteMethods:
    """Methods of SourcingService that price workloads."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts

    async def quote_workloads(self, request: bytes, _: Context) -> bytes:
        """Price workloads against a plan."""
        return await self._parts.quotes.quote(current_admission().tenant, request)

    async def stream_quotes(self, requests: AsyncIterator[bytes], _: Context) -> AsyncIterator[bytes]:
        """Price workloads one after the other; each counts against the tenant's rate."""
        tenant = current_admission().tenant
        answers = self._parts.quotes.stream(tenant, self._charged(tenant, requests))
        # It has a task of its own, which must not outlive a call that ends early.
        async with aclosing(answers):
            async for answer in answers:
                yield answer

    async def _charged(self, tenant: str, requests: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        admission = current_admission()
        async for request in requests:
            if len(request) > STREAM_REQUEST_BYTES_MAX:
                raise RequestTooLargeError(len(request), STREAM_REQUEST_BYTES_MAX)
            self._parts.limiter.charge(tenant)
            if not admission.resource:
                _note_plan(request)
            yield request


def _note_plan(request: bytes) -> None:
    """Write the plan of a request down for the audit log."""
    try:
        current_admission().resource = plan_of_request(request)
    except QuoteRefusedError:
        # Whoever quotes says what is wrong with it.
        return
