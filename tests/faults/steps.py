"""Steps that many of the fault tests take."""

from __future__ import annotations

import time
from collections.abc import Callable

import grpc
from google.longrunning import operations_pb2

from tehai.v1 import solve_pb2
from tehai.v1.sourcing_service_pb2 import CreateSolveRequest, GetSolveRequest
from tests.faults.load import CALL_SECONDS, ENDED, solve_name
from tests.faults.service import Service, wait_until

SOLVE_SECONDS = 180.0


def created(service: Service, request: CreateSolveRequest) -> str:
    """Create a solve and return its name."""
    operation = service.stub().CreateSolve(request, timeout=CALL_SECONDS)
    return solve_name(operation.name)


def solve(service: Service, name: str) -> solve_pb2.Solve:
    """Return a solve as it is now."""
    found: solve_pb2.Solve = service.stub().GetSolve(GetSolveRequest(name=name), timeout=CALL_SECONDS)
    return found


def ended(service: Service, name: str, seconds: float = SOLVE_SECONDS) -> solve_pb2.Solve:
    """Wait until a solve has ended and return it."""
    wait_until(lambda: solve(service, name).state in ENDED, seconds, f"{name} ends")
    return solve(service, name)


def running(service: Service, name: str) -> None:
    """Wait until a solve runs and has a plan, which it would keep if it were stopped."""
    wait_until(lambda: solve(service, name).standing.HasField("objective_yen"), SOLVE_SECONDS, f"{name} has a plan")
    assert solve(service, name).state == solve_pb2.SOLVE_STATE_RUNNING


def cancel(service: Service, name: str) -> None:
    """Ask for the end of a solve."""
    request = operations_pb2.CancelOperationRequest(name=name.replace("/solves/", "/operations/"))
    service.operations().CancelOperation(request, timeout=CALL_SECONDS)


def refused(call: Callable[[], object]) -> grpc.RpcError:
    """Return the error of a call that must fail."""
    try:
        answer = call()
    except grpc.RpcError as error:
        return error
    raise AssertionError(f"answered: {answer}")


def repeated(call: Callable[[], object], seconds: float, what: str) -> None:
    """Call until it succeeds; statuses other than UNAVAILABLE and RESOURCE_EXHAUSTED fail."""
    end = time.monotonic() + seconds
    while True:
        try:
            call()
            return
        except grpc.RpcError as error:
            passes = error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
            if not passes or time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {what}") from error
        time.sleep(0.2)
