"""Callers of a service whose processes die: they create, watch and cancel, and write down what they are told."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc

from tehai.v1 import solve_pb2
from tehai.v1.sourcing_service_pb2 import CreateSolveRequest, GetSolveRequest, WatchSolveRequest
from tehai.v1.sourcing_service_pb2_grpc import SourcingServiceStub
from tests.faults.problems import quick_solve
from tests.faults.service import Service

CALL_SECONDS = 15.0
# A caller has more to do than to wait for one solve for ever; whether it ends is looked at in the end.
FOLLOW_SECONDS = 15.0
JOIN_SECONDS = 120.0
# What a caller answers by trying again; everything else is written down as a fault.
PASSING = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED)
ENDED = (solve_pb2.SOLVE_STATE_SUCCEEDED, solve_pb2.SOLVE_STATE_FAILED, solve_pb2.SOLVE_STATE_CANCELLED)


@dataclass
class Ledger:
    """What the callers were told, and what they were told that cannot be."""

    # Name of the operation by request id: accepted, for the reply has come.
    accepted: dict[str, str] = field(default_factory=dict)
    # The solve as it was when a caller first saw that it had ended, by its name.
    endings: dict[str, solve_pb2.Solve] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, request_id: str, operation: str) -> None:
        """Note a reply to CreateSolve; another operation for the same request id is a fault."""
        with self.lock:
            known = self.accepted.setdefault(request_id, operation)
            self.counts["replies"] += 1
            if known != operation:
                self.faults.append(f"request {request_id} made {known} and {operation}")

    def ended(self, solve: solve_pb2.Solve) -> None:
        """Note a solve that has ended; another ending of the same one is a fault."""
        with self.lock:
            known = self.endings.setdefault(solve.name, solve)
            if essence(known) != essence(solve):
                self.faults.append(f"{solve.name} ended twice: {known} and {solve}")

    def fault(self, text: str) -> None:
        """Note what must not happen."""
        with self.lock:
            self.faults.append(text)

    def count(self, what: str) -> None:
        """Count something that happened."""
        with self.lock:
            self.counts[what] += 1


def essence(solve: solve_pb2.Solve) -> tuple[object, ...]:
    """Return what of an ended solve never changes again."""
    figures = solve.standing.SerializeToString(deterministic=True)
    return solve.state, solve.end_time.ToNanoseconds(), solve.attempt_count, solve.plan, figures, solve.error.message


def solve_name(operation: str) -> str:
    """Return the name of the solve of an operation."""
    return operation.replace("/operations/", "/solves/")


class Caller:
    """One caller, with a connection of its own; all it does follows from its seed."""

    def __init__(self, service: Service, ledger: Ledger, seed: int) -> None:
        channel = service.channel()
        self._stub = SourcingServiceStub(channel)
        self._operations: Any = operations_pb2_grpc.OperationsStub(channel)
        self._ledger = ledger
        self._random = random.Random(seed)
        self._seed = seed
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Begin nothing new; what was begun is brought to its end while the service answers."""
        self._stopping.set()

    def run(self) -> None:
        """Create and follow solves until stopped."""
        number = 0
        while not self._stopping.is_set():
            number += 1
            request = quick_solve(f"caller-{self._seed}-{number}", priority=self._random.randint(1, 9))
            operation = self._created(request)
            if operation is None:
                return
            self._follow(request, operation)
            self._stopping.wait(self._random.uniform(0.0, 0.3))

    def _created(self, request: CreateSolveRequest) -> str | None:
        """Create a solve, repeating until the reply has come; None where the caller was stopped before."""
        while True:
            answer = self._try("CreateSolve", lambda: self._stub.CreateSolve(request, timeout=CALL_SECONDS))
            if answer is not None:
                self._ledger.accept(request.request_id, answer.name)
                return str(answer.name)
            if self._stopping.is_set():
                return None

    def _follow(self, request: CreateSolveRequest, operation: str) -> None:
        match self._random.choice(["watch", "watch", "wait", "repeat", "cancel", "leave", "leave"]):
            case "watch":
                self._watch(solve_name(operation))
            case "wait":
                self._wait(operation)
            case "repeat":
                self._created(request)
            case "cancel":
                self._stopping.wait(self._random.uniform(0.0, 1.0))
                ask = operations_pb2.CancelOperationRequest(name=operation)
                self._try("CancelOperation", lambda: self._operations.CancelOperation(ask, timeout=CALL_SECONDS))
            case _:
                return

    def _watch(self, name: str) -> None:
        """Watch to the end, taking up a watch that broke off; the sequences ascend over all of it."""
        last = 0
        end = time.monotonic() + FOLLOW_SECONDS
        while not self._stopping.is_set():
            if time.monotonic() > end:
                self._ledger.count("watches given up")
                return
            try:
                for event in self._stub.WatchSolve(WatchSolveRequest(name=name, after_sequence=last), timeout=10):
                    if event.sequence <= last:
                        self._ledger.fault(f"{name}: event {event.sequence} after {last}")
                    last = event.sequence
                    if event.WhichOneof("event") == "ended":
                        self._ledger.ended(event.ended)
                        self._ledger.count("watched to the end")
                        return
                self._ledger.fault(f"{name}: a watch ended without the last event")
                return
            except grpc.RpcError as error:
                self._ledger.count("watches broken off")
                self._judge("WatchSolve", error)

    def _wait(self, operation: str) -> None:
        ask = operations_pb2.WaitOperationRequest(name=operation)
        ask.timeout.FromSeconds(5)
        end = time.monotonic() + FOLLOW_SECONDS
        while not self._stopping.is_set() and time.monotonic() < end:
            answer = self._try("WaitOperation", lambda: self._operations.WaitOperation(ask, timeout=CALL_SECONDS))
            if answer is not None and answer.done:
                metadata = solve_pb2.CreateSolveMetadata()
                answer.metadata.Unpack(metadata)
                self._ledger.ended(metadata.solve)
                return

    def _try(self, what: str, call: Any) -> Any:  # noqa: ANN401 - answers of any method
        """Return the answer, None after a status that passes."""
        try:
            return call()
        except grpc.RpcError as error:
            self._judge(what, error)
            return None

    def _judge(self, what: str, error: grpc.RpcError) -> None:
        code = error.code()
        self._ledger.count(code.name)
        if code not in PASSING:
            self._ledger.fault(f"{what}: {code.name}: {error.details()}")
        self._stopping.wait(self._random.uniform(0.05, 0.3))


@contextmanager
def callers(services: Sequence[Service], count: int, seed: int) -> Iterator[Ledger]:
    """Let callers work for the length of the block, each with one of the services of one database."""
    ledger = Ledger()
    crowd = [Caller(services[n % len(services)], ledger, seed * 1_000 + n) for n in range(count)]
    threads = [threading.Thread(target=caller.run, name=f"caller {n}") for n, caller in enumerate(crowd)]
    for thread in threads:
        thread.start()
    try:
        yield ledger
    finally:
        for caller in crowd:
            caller.stop()
        for thread in threads:
            thread.join(JOIN_SECONDS)
    assert not any(thread.is_alive() for thread in threads), "a caller hangs"


def wait_for_the_end(service: Service, ledger: Ledger, seconds: float) -> dict[str, solve_pb2.Solve]:
    """Wait until every accepted solve has ended and return them by name; fail where one is missing or does not."""
    stub = service.stub()
    found: dict[str, solve_pb2.Solve] = {}
    end = time.monotonic() + seconds
    for operation in ledger.accepted.values():
        name = solve_name(operation)
        while True:
            solve = stub.GetSolve(GetSolveRequest(name=name), timeout=CALL_SECONDS, wait_for_ready=True)
            if solve.state in ENDED:
                break
            assert time.monotonic() < end, f"{name} has not ended: {solve}"
            time.sleep(0.2)
        found[name] = solve
    return found
