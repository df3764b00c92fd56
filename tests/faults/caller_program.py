"""A caller to be killed: python -m tests.faults.caller_program ADDRESS stream-solve | watch NAME COUNT.

Says "in the middle" once every call has its first answer, and then waits for more.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import grpc

from tehai.v1.sourcing_service_pb2 import StreamSolveRequest, WatchSolveRequest
from tehai.v1.sourcing_service_pb2_grpc import SourcingServiceStub
from tests.faults.problems import ENDLESS, endless_problem


def main(address: str, what: str, *arguments: str) -> None:
    """Be in the middle of calls until killed."""
    stub = SourcingServiceStub(grpc.insecure_channel(address))
    calls: list[Any]
    if what == "stream-solve":
        calls = [stub.StreamSolve(StreamSolveRequest(problem=endless_problem(), options=ENDLESS))]
    else:
        name, count = arguments
        calls = [stub.WatchSolve(WatchSolveRequest(name=name)) for _ in range(int(count))]
    for call in calls:
        next(call)
    print("in the middle", flush=True)
    time.sleep(600)


if __name__ == "__main__":
    main(*sys.argv[1:])
