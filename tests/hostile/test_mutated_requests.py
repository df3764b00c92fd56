"""Mutated requests on every RPC of a real server: proper answers, no word of the inside, nothing broken."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import grpc
import pytest
from google.longrunning import operations_pb2, operations_pb2_grpc
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.hostile.calls import RESPONSES_MAX, call, readable
from tests.hostile.conftest import Target
from tests.hostile.judge import faults, leaks
from tests.hostile.methods import METHODS, Method
from tests.hostile.mutation import Stream, hostile_streams
from tests.hostile.seeds import Resources, seeds_of_all

EXAMPLES_SHORT = 12
REQUESTS_LONG = 50_000
# Hypothesis stops early where few different requests are possible; the sum counts.
EXAMPLES_LONG = 2_300
# Each call of these costs about a second of a process.
SLOW_METHODS = {"GetDemoProblem": 300, "StreamSolve": 300}
# What the server may grow by under the attack; its caches are bounded far below, and a leak of 10 KB a call is above.
GROWTH_BYTES_SHORT = 150_000_000
GROWTH_BYTES_LONG = 300_000_000
# Values of headers that gRPC lets a client send.
HEADERS: tuple[tuple[tuple[str, str], ...], ...] = (
    # Mostly none, for a bad credential keeps everything else away from the methods.
    *([()] * 12),
    (("authorization", "Bearer x"),),
    (("authorization", "Bearer " + "e30." * 400),),
    (("authorization", "Basic ~"),),
    (("x-request-id", "a" * 4_000), ("x-request-id", "b")),
    (("traceparent", "00-" + "0" * 32 + "-" + "f" * 16 + "-01"),),
    (("traceparent", "ff-zz"), ("tracestate", "=,=")),
)
# Why a solve that was created by a damaged request has no plan.
ENDINGS = tuple(
    code.value[0]
    for code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED)
)
# The seeds of two name what is not there, so that the attack does not take away what it needs; the third never ends by
# itself and is cancelled.
NEVER_WELL = frozenset({"DeleteSolve", "DeleteOperation", "Watch"})


@dataclass
class Attack:
    """Sends mutated requests and judges the answers."""

    channel: grpc.Channel
    seeds: Mapping[str, tuple[Stream, ...]]
    operations: list[str] = field(default_factory=list)
    # How many of those were told to stop.
    cancelled: int = 0
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        """Return how many calls were made."""
        return self.codes.total()

    def run(self, method: Method, examples: int) -> None:
        """Make up to ``examples`` calls of one method; fail at the first bad answer, with the request."""

        @seed(len(method.path))
        @settings(
            max_examples=min(examples, SLOW_METHODS.get(method.name, examples)),
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(hostile_streams(method, self.seeds[method.path]), st.sampled_from(HEADERS))
        def one(requests: tuple[bytes, ...], headers: tuple[tuple[str, str], ...]) -> None:
            self._call(method, requests, headers)

        one()
        self._cancel_created()

    def _cancel_created(self) -> None:
        """Stop what was created meanwhile, so that places are free for the next method."""
        stub: Any = operations_pb2_grpc.OperationsStub(self.channel)
        for name in self.operations[self.cancelled :]:
            stub.CancelOperation(operations_pb2.CancelOperationRequest(name=name), timeout=60)
        self.cancelled = len(self.operations)

    def _call(self, method: Method, requests: tuple[bytes, ...], headers: tuple[tuple[str, str], ...]) -> None:
        # This one never ends by itself.
        most = 1 if method.path == "/grpc.health.v1.Health/Watch" else RESPONSES_MAX
        outcome = call(self.channel, method.path, requests, headers, most)
        self.codes[method.name, outcome.code.name] += 1
        if method.name == "ServerReflectionInfo":
            # It says where the contract comes from, which is public.
            outcome = replace(outcome, texts=(outcome.details,))
        sent = "\n".join(readable(request) for request in requests)
        found = faults(outcome, sent)
        assert not found, (method.path, found, outcome.code, outcome.details, [request.hex() for request in requests])
        if method.name == "CreateSolve" and outcome.code is grpc.StatusCode.OK:
            self.operations += re.findall(r"tenants/\w+/operations/[0-9a-z-]+", "\n".join(outcome.texts))


def attack(target: Target, examples: int, growth_bytes_max: int) -> Attack:
    """Attack every method, and look at the server afterwards."""
    service, resources = target.service, target.resources
    sent = Attack(service.channel(), seeds_of_all(resources))
    # Everything is loaded, and every pool filled, before memory is compared.
    for method in METHODS:
        sent.run(method, min(examples, EXAMPLES_SHORT))
    before = service.usage()
    for method in METHODS:
        if examples > EXAMPLES_SHORT:
            sent.run(method, examples)
    _judge_operations(service.operations(), sent.operations)
    after = service.usage()
    print(f"\n{sent.sent} requests: {dict(sorted(sent.codes.items()))}\nbefore: {before}\nafter: {after}")
    assert service.alive
    assert service.is_healthy()
    assert after.rss_bytes - before.rss_bytes < growth_bytes_max
    assert after.threads - before.threads < 50
    assert after.open_files - before.open_files < 50
    _judge_log(service.log_lines())
    _still_there(target)
    return sent


def _judge_operations(operations: Any, names: list[str]) -> None:  # noqa: ANN401 - generated without types
    """Look at why those that were created ended: a worker's reason leaks nothing either."""
    for name in names:
        operation = operations.GetOperation(operations_pb2.GetOperationRequest(name=name), timeout=60)
        if operation.HasField("error"):
            text = readable(operation.error.SerializeToString())
            assert leaks(text) == [], (name, operation.error)
            assert operation.error.code in ENDINGS


def _judge_log(lines: list[dict[str, object]]) -> None:
    """Fail where the server noted something that it did not expect."""
    bad = [line for line in lines if line.get("level") in ("error", "critical") or "text" in line]
    assert bad == []


def _still_there(target: Target) -> None:
    """Fail where what was on the server before is not as it was."""
    resources: Resources = target.resources
    operations = target.service.operations()
    for solve in (resources.solve, resources.other_solve):
        name = f"tenants/{resources.tenant}/operations/{solve}"
        operation = operations.GetOperation(operations_pb2.GetOperationRequest(name=name), timeout=60)
        assert operation.HasField("response"), operation


@pytest.mark.timeout(600)
def test_mutated_requests(target: Target) -> None:
    """A few on every method."""
    attack(target, EXAMPLES_SHORT, GROWTH_BYTES_SHORT)


@pytest.mark.slow
@pytest.mark.timeout(14_400)
def test_fifty_thousand_mutated_requests(target: Target) -> None:
    """Fifty thousand in all."""
    sent = attack(target, EXAMPLES_LONG, GROWTH_BYTES_LONG)
    assert sent.sent >= REQUESTS_LONG
    for method in METHODS:
        codes = {code for name, code in sent.codes if name == method.name}
        # Requests did reach what is behind the parser: some were good, and some were refused.
        assert "OK" in codes or method.name in NEVER_WELL, (method, codes)
        assert len(codes) > 1, (method, codes)
