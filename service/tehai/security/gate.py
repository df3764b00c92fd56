"""The way into the server: who, whether, how much, and the note of it, around every call.

An interceptor opens one ``admit`` block for each call, inside its error table and its request context, and runs the
handler in it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass

import structlog

from tehai.security.audit import AuditLog
from tehai.security.authenticator import Authenticator, Metadata
from tehai.security.errors import SecurityError
from tehai.security.limits import TenantLimiter, TokenBucket
from tehai.security.principal import Principal
from tehai.security.records import AuditEntry
from tehai.security.scopes import Access, Rule, authorize, rule_of

OK = "OK"
# Refusals of callers that nobody knows: so many a second are written down, the others are only counted.
UNKNOWN_REFUSALS_PER_SECOND, UNKNOWN_REFUSALS_BURST = 10.0, 1_000.0
# Streams that need no credential share the limits of this tenant, whose name no credential can have.
NOBODY = ""


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """What is known of a call before anything is believed of it."""

    # Full name, ``/package.Service/Method``.
    method: str
    metadata: Metadata
    # PEM, as the handshake has verified them; empty without.
    peer_certificates: Sequence[bytes] = ()
    # Address of the other end, as gRPC writes it.
    peer: str = ""
    request_id: str = ""
    # Has a function called once the answer was sent, after the handler's end; None: nothing is sent then.
    after_answer: Callable[[Callable[[], None]], None] | None = None


@dataclass(slots=True)
class Admission:
    """A call that was let in; the handler notes here what it was about."""

    # None for a public method.
    principal: Principal | None
    # Name of the resource, for the audit log.
    resource: str = ""

    @property
    def tenant(self) -> str:
        """Return the tenant that everything belongs to; raise PermissionError in a public method, which has none."""
        if self.principal is None:
            message = "a public method has no tenant"
            raise PermissionError(message)
        return self.principal.tenant


_ADMISSION: ContextVar[Admission] = ContextVar("tehai_admission")


def current_admission() -> Admission:
    """Return the admission of the call that is being handled; raise LookupError outside of one."""
    return _ADMISSION.get()


def _outcome_of(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return "CANCELLED"
    return error.reason if isinstance(error, SecurityError) else "ERROR"


class Gate:
    """Authenticates, authorizes, limits and audits calls."""

    def __init__(
        self,
        authenticator: Authenticator,
        limiter: TenantLimiter,
        audit: AuditLog,
        *,
        audit_everything: bool = False,
        outcome_of: Callable[[BaseException], str] = _outcome_of,
        on_refusal: Callable[[str], None] = lambda _: None,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000,
    ) -> None:
        """``outcome_of`` names the outcome of a call that raised; ``on_refusal`` is told the reason of each refusal.

        ``audit_everything`` also keeps entries of polls and single quotes that went well.
        """
        self._authenticator = authenticator
        self._limiter = limiter
        self._audit = audit
        self._audit_everything = audit_everything
        self._outcome_of = outcome_of
        self._on_refusal = on_refusal
        self._now = now
        self._unknown = TokenBucket(UNKNOWN_REFUSALS_PER_SECOND, UNKNOWN_REFUSALS_BURST, time.monotonic)

    @asynccontextmanager
    async def admit(self, call: IncomingCall) -> AsyncIterator[Admission]:
        """Let a call in for the length of the block; raise a SecurityError instead of entering it."""
        admission = Admission(None)
        rule: Rule | None = None
        outcome = OK
        try:
            rule = rule_of(call.method)
            tenant: str | None = None
            if rule.needs is not Access.PUBLIC:
                admission.principal = await self._authenticator.authenticate(call.metadata, call.peer_certificates)
                structlog.contextvars.bind_contextvars(tenant=admission.principal.tenant)
                authorize(admission.principal, rule)
                tenant = admission.principal.tenant
            elif rule.stream:
                tenant = NOBODY
            leave = None if tenant is None else self._limiter.enter(tenant, rule)
            token = _ADMISSION.set(admission)
            try:
                yield admission
            finally:
                _reset(token)
                if leave is not None:
                    # An answer that its caller does not take is still held in memory, and counts.
                    (call.after_answer or _at_once)(leave)
        except BaseException as error:
            outcome = error.reason if isinstance(error, SecurityError) else self._outcome_of(error)
            if isinstance(error, SecurityError):
                self._on_refusal(error.reason)
            raise
        finally:
            if outcome != OK or rule is None or rule.audited or self._audit_everything:
                self._note(call, admission, outcome)

    def _note(self, call: IncomingCall, admission: Admission, outcome: str) -> None:
        who = admission.principal
        if who is None and outcome != OK and self._unknown.take(1.0) > 0.0:
            return
        entry = AuditEntry(
            time=self._now(),
            tenant="" if who is None else who.tenant,
            subject="" if who is None else who.audit_subject,
            method=call.method,
            resource=admission.resource,
            outcome=outcome,
            request_id=call.request_id,
            peer=call.peer,
        )
        self._audit.record(entry)


def _at_once(leave: Callable[[], None]) -> None:
    leave()


def _reset(token: Token[Admission]) -> None:
    """Forget the admission; a generator that is thrown away is closed in another context, which never had it."""
    try:
        _ADMISSION.reset(token)
    except ValueError:
        return
