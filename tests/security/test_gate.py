"""The way in, through a real server: who gets in, what is noted, what is counted, and that it costs little."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import grpc
import grpc.aio
import pytest
import structlog

from tehai.security.api_keys import new_api_key
from tehai.security.audit import AuditLog
from tehai.security.authenticator import Authenticator, CredentialSources
from tehai.security.errors import LimitExceededError, PermissionDeniedError, UnauthenticatedError
from tehai.security.gate import Gate, IncomingCall, current_admission
from tehai.security.limits import TenantLimiter, TenantLimits
from tests.security.grpc_server import SERVICE, call, serving
from tests.security.material import MemoryAudit, MemoryKeys

PLAN = f"/{SERVICE}/GetPlan"
POLL = f"/{SERVICE}/GetSolve"
HEALTH = "/grpc.health.v1.Health/Check"


@dataclass
class Parts:
    """A gate and what can be seen of it."""

    gate: Gate
    key: str
    audit: MemoryAudit
    limiter: TenantLimiter
    refusals: list[str] = field(default_factory=list)

    def incoming(self, method: str = PLAN, key: str | None = None) -> IncomingCall:
        """Return a call with the good key, or another one."""
        return IncomingCall(method, [("authorization", f"Bearer {key or self.key}")], (), "ipv4:127.0.0.1:1", "r-1")


@asynccontextmanager
async def parts(limits: TenantLimits | None = None, *, audit_everything: bool = False) -> AsyncIterator[Parts]:
    """Make a gate with one key that may read plans and solves."""
    keys, sink, refusals = MemoryKeys(), MemoryAudit(), list[str]()
    key = new_api_key("example", ["plans:read", "solves:read"], "", 1)
    await keys.put_key(key.record)
    limiter = TenantLimiter(limits)
    async with AuditLog(sink) as audit:
        gate = Gate(
            Authenticator(CredentialSources(keys)),
            limiter,
            audit,
            audit_everything=audit_everything,
            on_refusal=refusals.append,
        )
        yield Parts(gate, key.text, sink, limiter, refusals)


def run(*calls: tuple[str, str | None], everything: bool = False) -> Parts:
    """Make calls (method, key) through a gate, whatever becomes of them; return what is left to see."""

    async def make() -> Parts:
        async with parts(audit_everything=everything) as made:
            for method, key in calls:
                try:
                    async with made.gate.admit(made.incoming(method, key)) as admission:
                        admission.resource = "tenants/example/plans/a"
                except (UnauthenticatedError, PermissionDeniedError):
                    pass
        return made

    return asyncio.run(make())


def test_an_entry_says_who_what_and_how_it_ended() -> None:
    """A call that went well is one entry with tenant, subject, method, resource, outcome, request id and peer."""
    made = run((PLAN, None))
    (entry,) = made.audit.entries
    key_id = made.key.split("_")[1]
    assert (entry.tenant, entry.subject, entry.method) == ("example", f"key:{key_id}", PLAN)
    assert (entry.resource, entry.outcome) == ("tenants/example/plans/a", "OK")
    assert (entry.request_id, entry.peer) == ("r-1", "ipv4:127.0.0.1:1")
    assert entry.time > 1_700_000_000_000_000


def test_refusals_are_entries_too_and_none_holds_a_secret() -> None:
    """A wrong key, a missing scope and an unknown method are noted by their reason, and no key stands anywhere."""
    wrong = "tehai_0000000000000000_" + "5" * 64
    made = run((PLAN, wrong), (f"/{SERVICE}/CreateSolve", None), ("/a.B/C", None), (POLL, wrong))
    reasons = ["INVALID_API_KEY", "SCOPE_MISSING", "UNKNOWN_METHOD", "INVALID_API_KEY"]
    assert [entry.outcome for entry in made.audit.entries] == reasons
    assert [entry.tenant for entry in made.audit.entries] == ["", "example", "", ""]
    assert made.refusals == reasons
    assert not any(secret in repr(made.audit.entries) for secret in ("5" * 64, made.key.rpartition("_")[2]))


def test_polls_that_go_well_are_no_entries_unless_asked_for() -> None:
    """Polls and health checks do not bury the rest, and can be noted by a setting."""
    assert run((POLL, None), (HEALTH, "wrong")).audit.entries == []
    assert [entry.outcome for entry in run((POLL, None), everything=True).audit.entries] == ["OK"]


def test_what_the_handler_raises_is_the_outcome() -> None:
    """An error and a cancelled call are noted as such, and pass on."""

    async def make() -> list[str]:
        async with parts() as made:
            for error in (KeyError("inner"), asyncio.CancelledError()):
                with pytest.raises(type(error)):
                    async with made.gate.admit(made.incoming()):
                        raise error
        assert "inner" not in repr(made.audit.entries)
        return [entry.outcome for entry in made.audit.entries]

    assert asyncio.run(make()) == ["ERROR", "CANCELLED"]


def test_the_admission_is_there_within_the_call_only() -> None:
    """The handler finds who calls, two calls at once find each its own, outside there is none; logs have the tenant."""

    async def one(made: Parts, resource: str) -> str:
        async with made.gate.admit(made.incoming()):
            current_admission().resource = resource
            await asyncio.sleep(0.01)
            assert structlog.contextvars.get_contextvars()["tenant"] == "example"
            return current_admission().resource

    async def make() -> list[str]:
        async with parts() as made:
            found = await asyncio.gather(one(made, "a"), one(made, "b"))
            with pytest.raises(LookupError):
                current_admission()
            return list(found)

    assert asyncio.run(make()) == ["a", "b"]


def test_a_public_method_has_no_tenant() -> None:
    """Health needs no credential, does not look at one, and has no tenant to act for."""

    async def make() -> None:
        async with parts() as made, made.gate.admit(made.incoming(HEALTH, "wrong")) as admission:
            with pytest.raises(PermissionError):
                _ = admission.tenant

    asyncio.run(make())


def test_over_a_real_server() -> None:
    """Through grpc.aio: the good key is its tenant, no key is UNAUTHENTICATED, a limit is RESOURCE_EXHAUSTED."""

    async def code(channel: grpc.aio.Channel, key: str | None) -> grpc.StatusCode:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(channel, key=key)
        return caught.value.code()

    async def make() -> None:
        async with (
            parts(TenantLimits(requests_per_second=2, streams_open=1)) as made,
            serving(made.gate) as target,
            grpc.aio.insecure_channel(target) as channel,
        ):
            assert await call(channel, key=made.key) == b"example"
            assert await code(channel, None) is grpc.StatusCode.UNAUTHENTICATED
            assert await code(channel, made.key + "0") is grpc.StatusCode.UNAUTHENTICATED
            stream = channel.unary_stream(f"/{SERVICE}/WatchSolve", None, None)
            metadata = (("authorization", f"Bearer {made.key}"),)
            assert [answer async for answer in stream(b"3", metadata=metadata)] == [b"example"] * 3
            for _ in range(2):
                await call(channel, key=made.key)
            assert await code(channel, made.key) is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert made.limiter.open_counts("example") == {"requests_open": 0, "streams_open": 0}

    asyncio.run(make())


def test_a_call_counts_until_its_answer_was_sent() -> None:
    """The handler's end is not the call's where gRPC sends later; a refused call leaves nothing behind."""

    async def make() -> None:
        async with parts(TenantLimits(requests_open=1)) as made:
            after: list[Callable[[], None]] = []
            call = replace(made.incoming(f"/{SERVICE}/GetPlan"), after_answer=after.append)
            async with made.gate.admit(call):
                pass
            assert made.limiter.open_counts("example")["requests_open"] == 1
            with pytest.raises(LimitExceededError):
                async with made.gate.admit(call):
                    pass
            (sent,) = after
            sent()
            assert made.limiter.open_counts("example")["requests_open"] == 0

    asyncio.run(make())


def test_a_stream_whose_client_vanishes_frees_its_place() -> None:
    """A cancelled stream ends in the audit log as cancelled and counts as open no more."""

    async def make() -> list[str]:
        async with (
            parts(TenantLimits(streams_open=1)) as made,
            serving(made.gate) as target,
            grpc.aio.insecure_channel(target) as channel,
        ):
            stream = channel.unary_stream(f"/{SERVICE}/WatchSolve", None, None)
            under_way = stream(b"100000000", metadata=(("authorization", f"Bearer {made.key}"),))
            await under_way.read()
            assert made.limiter.open_counts("example")["streams_open"] == 1
            under_way.cancel()
            async with asyncio.timeout(10):
                # The server learns of it when it next writes; there is nothing to wait for but that.
                while made.limiter.open_counts("example")["streams_open"]:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        return [entry.outcome for entry in made.audit.entries]

    assert asyncio.run(make()) == ["CANCELLED"]
