"""What a caller of `tehai serve` waits for, measured from outside over gRPC.

python benches/serve.py quote --size L --output json    # quotes while a solve runs, beside a bare echo
python benches/serve.py create --output json            # CreateSolve with 10,000 workloads

The plan for the quotes is made once (size L: about two minutes) and kept under .benchmarks/serving.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "service")]

import grpc.aio  # noqa: E402 (run as a script from anywhere)
from google.longrunning import operations_pb2  # noqa: E402
from google.protobuf.message import Message  # noqa: E402

from benches.instances import build_instance  # noqa: E402
from benches.machine import debug_build_refusal  # noqa: E402
from benches.serving_load import ECHO_BYTES, ECHO_METHOD, OPTIONS, QUOTE_METHOD, Caller, ratio_of  # noqa: E402
from benches.serving_plan import quotable_plan  # noqa: E402
from benches.serving_server import (  # noqa: E402
    PLAN,
    TENANT,
    ProcessWatch,
    RunningServer,
    echo_server,
    store_plan,
)
from tehai.domain.problem import Problem  # noqa: E402
from tehai.v1 import plan_pb2, problem_pb2, solve_pb2, sourcing_service_pb2  # noqa: E402
from tehai.wire import problem_to_proto  # noqa: E402
from tehai.wire.workload import workload_to_proto  # noqa: E402

SERVICE = "/tehai.v1.SourcingService"
QUOTES = "QuoteWorkloads"
# Runs for as long as quotes are measured, on one thread.
BUSY_PROBLEM, BUSY_SECONDS = "M", 3_000.0
WARM_UP_CALLS = 200
LATENCY_RATE, LATENCY_SECONDS = 100.0, 30.0
CONCURRENCY, ROUNDS, ROUND_SECONDS = 16, 9, 1.5
CREATE_COUNT, CREATE_PROBLEM = 20, "L"


@dataclass(frozen=True, slots=True)
class Unary:
    """One method of the service on a channel."""

    channel: grpc.aio.Channel
    name: str
    answer: type[Message]

    async def __call__(self, request: Message | bytes) -> Any:  # noqa: ANN401
        """Return the answer to a request."""
        data = request if isinstance(request, bytes) else request.SerializeToString()
        method: Any = self.channel.unary_unary(self.name, None, self.answer.FromString)
        return await method(data, timeout=60)


class BusySolve:
    """A solve of one thread, run by the server itself while something else is measured."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._create = Unary(channel, f"{SERVICE}/CreateSolve", operations_pb2.Operation)
        self._get = Unary(channel, f"{SERVICE}/GetSolve", solve_pb2.Solve)
        self._cancel: Any = channel.unary_unary("/google.longrunning.Operations/CancelOperation", None, None)
        self._id = ""

    async def __aenter__(self) -> BusySolve:
        """Start it and wait until it searches, past the reading of its problem."""
        request = sourcing_service_pb2.CreateSolveRequest(
            problem=problem_to_proto(build_instance(BUSY_PROBLEM)),
            options=plan_pb2.SolveOptions(time_limit_seconds=BUSY_SECONDS, threads=1),
        )
        operation = await self._create(request)
        self._id = operation.name.rsplit("/", 1)[1]
        while not (await self._solve()).HasField("standing"):  # noqa: ASYNC110 (seen from outside)
            await asyncio.sleep(0.2)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ask for its end."""
        name = f"tenants/{TENANT}/operations/{self._id}"
        await self._cancel(operations_pb2.CancelOperationRequest(name=name).SerializeToString(), timeout=30)

    async def runs(self) -> bool:
        """Return whether it is under way."""
        running: bool = (await self._solve()).state == solve_pb2.SOLVE_STATE_RUNNING
        return running

    async def _solve(self) -> solve_pb2.Solve:
        name = f"tenants/{TENANT}/solves/{self._id}"
        solve: solve_pb2.Solve = await self._get(sourcing_service_pb2.GetSolveRequest(name=name))
        return solve


def quote_requests(problem: Problem) -> list[bytes]:
    """Return a request for each workload of a problem, one workload each."""
    return [
        sourcing_service_pb2.QuoteWorkloadsRequest(
            plan=PLAN, workloads=[workload_to_proto(workload)]
        ).SerializeToString()
        for workload in problem.workloads
    ]


async def measure_quotes(server: RunningServer, echo_address: str, requests: Sequence[bytes]) -> dict[str, Any]:
    """Return latencies at a steady rate and the ratio at full load, both while a solve runs.

    ``p50_ms`` and ``p99_ms`` are the server's: the bounds of its metric tehai_request_seconds (1, 2, 5, 10, 25 ms, ...)
    that so many calls stayed within. What the caller sees besides is its own wait for a core, as with the echo.
    """
    address = server.address
    quotes, echo = Caller(address, QUOTE_METHOD, requests), Caller(echo_address, ECHO_METHOD, [b"x" * ECHO_BYTES])
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel, BusySolve(channel) as busy:
        for _ in range(WARM_UP_CALLS):
            answer = sourcing_service_pb2.QuoteWorkloadsResponse.FromString(await quotes.once())
            assert len(answer.quotes) == 1
            await echo.once()
        before = await asyncio.to_thread(server.calls_within, QUOTES)
        told = await quotes.at_rate(LATENCY_RATE, LATENCY_SECONDS)
        after = await asyncio.to_thread(server.calls_within, QUOTES)
        bare = await echo.at_rate(LATENCY_RATE, LATENCY_SECONDS / 3)
        rates = await ratio_of(quotes, echo, ROUNDS, CONCURRENCY, ROUND_SECONDS)
        solve_ran = await busy.runs()
    await quotes.close()
    await echo.close()
    return {
        "p50_ms": _at_most_ms(before, after, 0.5),
        "p99_ms": _at_most_ms(before, after, 0.99),
        "caller_p50_ms": told.milliseconds(0.5),
        "caller_p99_ms": told.milliseconds(0.99),
        "echo_caller_p50_ms": bare.milliseconds(0.5),
        "echo_caller_p99_ms": bare.milliseconds(0.99),
        "ratio_to_echo": rates["ratio_to_echo"],
        "quotes_per_second": rates["per_second"],
        "echoes_per_second": rates["echo_per_second"],
        "solve_ran_throughout": solve_ran,
    }


def _at_most_ms(before: dict[float, float], after: dict[float, float], fraction: float) -> float:
    """Return the least bound of the server's metric that this fraction of the calls in between stayed within."""
    counts = {seconds: after[seconds] - before[seconds] for seconds in sorted(after)}
    return 1000.0 * next(seconds for seconds, count in counts.items() if count >= fraction * counts[math.inf])


def quote(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure quotes against a plan of an instance."""
    plan = quotable_plan(arguments.size)
    requests = quote_requests(plan.problem)
    with tempfile.TemporaryDirectory(prefix="tehai-bench-") as folder:
        database = Path(folder) / "bench.sqlite3"
        store_plan(database, plan.result, plan.book)
        with RunningServer(database) as server, echo_server() as echo_address:
            found = asyncio.run(measure_quotes(server, echo_address, requests))
    return {"size": arguments.size, **found, **_machine()}


async def measure_creations(server: RunningServer, problem: problem_pb2.Problem) -> dict[str, Any]:
    """Return how long CreateSolve takes until it is durable, and how long after it the solver process is there."""
    accepted, started, sizes = [], [], []
    async with grpc.aio.insecure_channel(server.address, options=OPTIONS) as channel:
        create = Unary(channel, f"{SERVICE}/CreateSolve", operations_pb2.Operation)
        for i in range(CREATE_COUNT + 1):
            # Bytes that the store has already would not be written again.
            problem.display_name = f"creation {i}"
            request = sourcing_service_pb2.CreateSolveRequest(
                problem=problem, options=plan_pb2.SolveOptions(time_limit_seconds=BUSY_SECONDS, threads=1)
            ).SerializeToString()
            watch = ProcessWatch(server.pid)
            began = time.perf_counter()
            operation = await create(request)
            answered = time.perf_counter()
            process_at = await asyncio.to_thread(watch.first_new)
            await _cancelled(channel, operation.name)
            if i > 0:  # the first one meets a cold cache
                accepted.append(answered - began)
                started.append(process_at - answered)
                sizes.append(len(request))
    return {
        "request_bytes": sizes[0],
        "creations": len(accepted),
        "accepted_ms": 1000.0 * median(accepted),
        "started_ms": 1000.0 * max(median(started), 0.0),
        "accepted_max_ms": 1000.0 * max(accepted),
        "started_max_ms": 1000.0 * max(started),
    }


async def _cancelled(channel: grpc.aio.Channel, operation: str) -> None:
    """End a solve and wait until its process is gone, so that the next one finds a place and a quiet machine."""
    cancel: Any = channel.unary_unary("/google.longrunning.Operations/CancelOperation", None, None)
    await cancel(operations_pb2.CancelOperationRequest(name=operation).SerializeToString(), timeout=30)
    get = Unary(channel, f"{SERVICE}/GetSolve", solve_pb2.Solve)
    name = f"tenants/{TENANT}/solves/{operation.rsplit('/', 1)[1]}"
    while not (await get(sourcing_service_pb2.GetSolveRequest(name=name))).HasField("end_time"):  # noqa: ASYNC110
        await asyncio.sleep(0.1)


def create(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure CreateSolve with the problem of an instance."""
    problem = problem_to_proto(build_instance(arguments.size))
    with (
        tempfile.TemporaryDirectory(prefix="tehai-bench-") as folder,
        RunningServer(Path(folder) / "bench.sqlite3") as server,
    ):
        found = asyncio.run(measure_creations(server, problem))
    return {"size": arguments.size, **found, **_machine()}


def _machine() -> dict[str, Any]:
    return {"cores": os.cpu_count(), "load_average": os.getloadavg()[0]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for and print it; 2 for a debug build."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, size, sizes in (("quote", "L", ("S", "M", "L")), ("create", CREATE_PROBLEM, ("S", "M", "L"))):
        command = commands.add_parser(name)
        command.add_argument("--size", default=size, choices=sizes, help=f"instance of benches/instances.py [{size}]")
        command.add_argument("--output", default="text", choices=("text", "json"))
    chosen = parser.parse_args(arguments)
    refusal = debug_build_refusal()
    if refusal is not None:
        sys.stderr.write(f"{refusal}\n")
        return 2
    found = {"quote": quote, "create": create}[chosen.command](chosen)
    if chosen.output == "json":
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        for key, value in found.items():
            sys.stdout.write(f"{key}: {value:.3f}\n" if isinstance(value, float) else f"{key}: {value}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
