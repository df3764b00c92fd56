"""Mixed load on `tehai serve` for a while, and whether its memory, descriptors and latency stay flat.

python benches/soak.py --minutes 30                        # the embedded database
python benches/soak.py --minutes 30 --database-url URL     # PostgreSQL (tools/postgres.sh start prints a URL)
python benches/soak.py --minutes 1 --output json

Solves of the small problem are created, watched, quoted, evaluated, compared, downloaded and deleted without a pause,
while others list, check and upload. Every few seconds the server's processes are looked at from outside: its own, and
apart from it all others together (the fork server, query processes, solves), each with its resident set, so that pages
which forks share count in every one of them.

The verdict is on what follows a warm-up of a fifth of the time, in which every call but solves comes several times as
often, so that what is bounded is full before anything is judged: SQLite's page cache (some 40,000 calls) and what the
allocator keeps. With less than 20 minutes the cache still fills while it is judged. "flat" is a series whose fitted
line (least squares on the means of equal parts of the time, which depend on each other less than samples do) grows over
the measured time by no more than its tolerance and two standard errors of that growth: processes that come and go make
any short series rise or fall. The slope of the second half stands beside it: of what fills and is then full it is
smaller, of a leak it is the same. Exit code 1 where a series is not flat, or where a call failed. The database is shown
and not judged: its audit log grows with every call, by design.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "service")]

import grpc.aio  # noqa: E402 (run as a script from anywhere)
import numpy as np  # noqa: E402
from google.longrunning import operations_pb2, operations_pb2_grpc  # noqa: E402

from tehai.v1 import evaluation_pb2, solve_pb2  # noqa: E402
from tehai.v1 import sourcing_service_pb2 as pb  # noqa: E402
from tehai.v1.sourcing_service_pb2_grpc import SourcingServiceStub  # noqa: E402
from tests.faults.problems import quick_solve  # noqa: E402
from tests.faults.service import Service  # noqa: E402
from tests.wire.small_problem import small_message  # noqa: E402

SAMPLE_SECONDS = 5.0
CALL_SECONDS = 60.0
PLANS_KEPT = 8
# Of the time, before anything is judged: caches and pools fill, processes are forked for the first time.
WARM_UP_PART = 0.2
# How many times as often calls come meanwhile; not solves, which take a core.
WARM_UP_TIMES = 4.0
# Equal parts of the measured time whose means are fitted.
PARTS = 12
MEGABYTE = 1e6
# Calls a second of each kind; a solve takes most of a second of one core.
RATES: dict[str, float] = {
    "solve": 0.5,
    "GetSolve": 10.0,
    "ListSolves": 5.0,
    "QuoteWorkloads": 30.0,
    "StreamQuotes": 1.0,
    "GetPlan": 2.0,
    "DownloadSolveResult": 1.0,
    "CheckProblem": 0.5,
    "EvaluatePlan": 0.3,
    "DiffPlans": 0.3,
    "UploadProblem": 0.2,
    "GetOperation": 5.0,
    "GetLimits": 2.0,
}
SETTINGS: dict[str, object] = {"solves_max": 2, "limit_heavy_requests_per_second": 1_000}


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server's processes use at one moment of the run."""

    second: float
    server_mb: float
    children_mb: float
    children: int
    open_files: int
    threads: int
    database_mb: float


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Growth over the measured time that counts as flat: the larger of a part of the mean and an amount."""

    unit: str
    part: float
    amount: float


# The server's memory settles to within a few per cent before it is judged; solves and percentiles vary more.
TOLERANCES: dict[str, Tolerance] = {
    "server_mb": Tolerance("MB", 0.02, 2.0),
    "children_mb": Tolerance("MB", 0.10, 40.0),
    "open_files": Tolerance("files", 0.0, 4.0),
    "threads": Tolerance("threads", 0.0, 4.0),
    "p50_ms": Tolerance("ms", 0.25, 1.0),
    "p99_ms": Tolerance("ms", 0.50, 20.0),
}
JUDGED_CALLS = ("QuoteWorkloads", "GetSolve", "ListSolves")


@dataclass(frozen=True, slots=True)
class Slope:
    """A line through a series: where it is on average, and how it grows."""

    series: str
    unit: str
    mean: float
    per_hour: float
    per_hour_error: float
    # The same of the second half of the measured time.
    second_half_per_hour: float
    second_half_error: float
    growth: float
    # Standard error of the growth, as the scatter around the line has it.
    error: float
    tolerance: float

    @property
    def flat(self) -> bool:
        """Return whether it grows by no more than its tolerance over the measured time, as far as can be told."""
        return self.growth - 2.0 * self.error <= self.tolerance


@dataclass
class Record:
    """What was seen of a run."""

    started: float
    samples: list[Sample] = field(default_factory=list)
    # Seconds of each call by method and minute.
    calls: dict[tuple[str, int], list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[str] = field(default_factory=Counter)

    def second(self) -> float:
        """Return how long the run has lasted."""
        return time.monotonic() - self.started

    def latency_ms(self, method: str, minute: int, percentile: float) -> float | None:
        """Return a percentile of the calls of one minute, None where there were none."""
        seconds = self.calls.get((method, minute))
        return float(np.percentile(seconds, percentile)) * 1000.0 if seconds else None

    def minutes(self) -> range:
        """Return the minutes that were measured, the last one only where it was full, or the only one."""
        # The last sample of a minute is taken up to one interval before its end.
        return range(max(1, int((self.samples[-1].second + SAMPLE_SECONDS) // 60)) if self.samples else 0)


class Load:
    """Calls of every kind, each at its rate."""

    def __init__(self, channel: grpc.aio.Channel, record: Record) -> None:
        self._stub: Any = SourcingServiceStub(channel)
        self._operations: Any = operations_pb2_grpc.OperationsStub(channel)
        self._record = record
        self._plans: deque[solve_pb2.Solve] = deque()
        self._number = 0
        self._workloads = list(small_message().workloads)
        self._problem = small_message().SerializeToString()

    async def run(self, until_second: float) -> None:
        """Make calls until then; the first plans are there before anything else begins."""
        for _ in range(2):
            await self.solve()
        await asyncio.gather(*(self._repeat(name, rate, until_second) for name, rate in RATES.items()))

    async def _repeat(self, name: str, rate: float, until_second: float) -> None:
        step = self.solve if name == "solve" else self._steps()[name]
        due = self._record.second()
        while self._record.second() < until_second:
            await step()
            warm_up = name != "solve" and self._record.second() < WARM_UP_PART * until_second
            # A server that is behind is not asked for all at once afterwards.
            due = max(due + 1.0 / (rate * WARM_UP_TIMES if warm_up else rate), self._record.second() - 1.0)
            await asyncio.sleep(max(0.0, due - self._record.second()))

    async def timed(self, method: str, call: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - any answer
        """Make a call and note how long it took, or how it failed."""
        minute, started = int(self._record.second() // 60), time.perf_counter()
        try:
            answer = await call()
        except grpc.aio.AioRpcError as error:
            self._record.statuses[f"{method} {error.code().name}: {error.details()}"] += 1
            return None
        self._record.calls[method, minute].append(time.perf_counter() - started)
        return answer

    async def solve(self) -> None:
        """Create a solve, watch it to its end, and delete the oldest plan where there are many."""
        self._number += 1
        request = quick_solve(f"soak-{self._number}")
        operation = await self.timed("CreateSolve", lambda: self._stub.CreateSolve(request, timeout=CALL_SECONDS))
        if operation is None:
            return
        watch = pb.WatchSolveRequest(name=operation.name.replace("/operations/", "/solves/"))
        ended = await self.timed("WatchSolve", lambda: _last(self._stub.WatchSolve(watch, timeout=CALL_SECONDS)))
        if ended is None or ended.ended.state != solve_pb2.SOLVE_STATE_SUCCEEDED:
            self._record.statuses[f"a solve ended without a plan: {ended}"] += 1
            return
        self._plans.append(ended.ended)
        if len(self._plans) > PLANS_KEPT:
            delete = pb.DeleteSolveRequest(name=self._plans.popleft().name)
            await self.timed("DeleteSolve", lambda: self._stub.DeleteSolve(delete, timeout=CALL_SECONDS))

    def _steps(self) -> dict[str, Callable[[], Awaitable[object]]]:
        """Return one call of each kind by its name, on the plan that was made last."""
        stub = self._stub

        def unary(method: str, request: Callable[[], object]) -> Callable[[], Awaitable[object]]:
            send = getattr(stub, method)
            return lambda: self.timed(method, lambda: send(request(), timeout=CALL_SECONDS))

        def stream(method: str, request: Callable[[], object]) -> Callable[[], Awaitable[object]]:
            send = getattr(stub, method)
            return lambda: self.timed(method, lambda: _last(send(request(), timeout=CALL_SECONDS)))

        change = evaluation_pb2.ScenarioChange(usd_jpy_factor=1.1)
        get = self._operations.GetOperation
        return {
            "GetSolve": unary("GetSolve", lambda: pb.GetSolveRequest(name=self._newest().name)),
            "ListSolves": unary("ListSolves", lambda: pb.ListSolvesRequest(page_size=20)),
            "QuoteWorkloads": unary(
                "QuoteWorkloads",
                lambda: pb.QuoteWorkloadsRequest(plan=self._newest().plan, workloads=self._workloads[:1]),
            ),
            "StreamQuotes": stream("StreamQuotes", self._quotes),
            "GetPlan": unary("GetPlan", lambda: pb.GetPlanRequest(name=self._newest().plan)),
            "DownloadSolveResult": stream(
                "DownloadSolveResult", lambda: pb.DownloadSolveResultRequest(name=self._newest().name)
            ),
            "CheckProblem": unary("CheckProblem", lambda: pb.CheckProblemRequest(problem=small_message())),
            "EvaluatePlan": unary(
                "EvaluatePlan", lambda: pb.EvaluatePlanRequest(plan=self._newest().plan, change=change)
            ),
            "DiffPlans": unary(
                "DiffPlans", lambda: pb.DiffPlansRequest(from_plan=self._plans[-2].plan, to_plan=self._newest().plan)
            ),
            "UploadProblem": unary("UploadProblem", self._upload),
            "GetOperation": lambda: self.timed(
                "GetOperation", lambda: get(operations_pb2.GetOperationRequest(name=self._operation()))
            ),
            "GetLimits": unary("GetLimits", pb.GetLimitsRequest),
        }

    def _newest(self) -> solve_pb2.Solve:
        return self._plans[-1]

    def _operation(self) -> str:
        return self._newest().name.replace("/solves/", "/operations/")

    def _quotes(self) -> Iterable[pb.StreamQuotesRequest]:
        return iter([pb.StreamQuotesRequest(plan=self._newest().plan, workload=one) for one in self._workloads])

    def _upload(self) -> Iterable[pb.UploadProblemRequest]:
        sha256 = hashlib.sha256(self._problem).hexdigest()
        header = pb.UploadHeader(total_bytes=len(self._problem), content_sha256=sha256)
        return iter([pb.UploadProblemRequest(header=header), pb.UploadProblemRequest(data=self._problem)])


async def _last(stream: Any) -> Any:  # noqa: ANN401 - a stream of any answer
    """Read a stream to its end and return what came last."""
    last = None
    async for one in stream:
        last = one
    return last


async def _look(service: Service, record: Record, database_bytes: Callable[[], int], until_second: float) -> None:
    """Take samples until then."""
    while record.second() < until_second:
        own, children = await asyncio.to_thread(lambda: (service.usage(), service.usage_of_children()))
        size_bytes = await asyncio.to_thread(database_bytes)
        record.samples.append(
            Sample(
                second=round(record.second(), 1),
                server_mb=own.rss_bytes / MEGABYTE,
                children_mb=children.rss_bytes / MEGABYTE,
                children=children.processes,
                open_files=own.open_files,
                threads=own.threads,
                database_mb=size_bytes / MEGABYTE,
            )
        )
        await asyncio.sleep(SAMPLE_SECONDS)


def slopes(record: Record) -> list[Slope]:
    """Return the fitted line of each judged series, of what came after the warm-up."""
    end = record.samples[-1].second
    kept = [sample for sample in record.samples if sample.second >= WARM_UP_PART * end]
    seconds = _means([sample.second for sample in kept])
    found = [
        _slope(name, name, seconds, _means([float(getattr(sample, name)) for sample in kept]))
        for name in ("server_mb", "children_mb", "open_files", "threads")
    ]
    for method in JUDGED_CALLS:
        for kind, percentile in (("p50_ms", 50.0), ("p99_ms", 99.0)):
            points = [
                (60.0 * minute + 30.0, value)
                for minute in record.minutes()
                if 60.0 * minute >= WARM_UP_PART * end
                and (value := record.latency_ms(method, minute, percentile)) is not None
            ]
            if len(points) > 2:
                found.append(_slope(f"{method} {kind}", kind, *map(list, zip(*points, strict=True))))
    return found


def _means(values: list[float]) -> list[float]:
    """Return the means of equal parts of a series."""
    return [float(np.mean(part)) for part in np.array_split(values, min(PARTS, len(values)))]


def _fit(seconds: list[float], values: list[float]) -> tuple[float, float]:
    """Return the slope of the line through points, a second, and its standard error."""
    at, seen = np.array(seconds) - np.mean(seconds), np.array(values)
    spread = float(at @ at)
    if not spread:
        return 0.0, 0.0
    slope = float(at @ seen) / spread
    left = seen - np.mean(seen) - slope * at
    return slope, float(np.sqrt(left @ left / max(1, len(values) - 2) / spread))


def _slope(series: str, kind: str, seconds: list[float], values: list[float]) -> Slope:
    tolerance = TOLERANCES[kind]
    mean, length, half = float(np.mean(values)), seconds[-1] - seconds[0], len(values) // 2
    slope, error = _fit(seconds, values)
    late_slope, late_error = _fit(seconds[half:], values[half:])
    return Slope(
        series=series,
        unit=tolerance.unit,
        mean=mean,
        per_hour=3600.0 * slope,
        per_hour_error=3600.0 * error,
        second_half_per_hour=3600.0 * late_slope,
        second_half_error=3600.0 * late_error,
        growth=slope * length,
        error=error * length,
        tolerance=max(tolerance.part * mean, tolerance.amount),
    )


def _rows(record: Record) -> list[dict[str, float | int | None]]:
    """Return one row for each minute."""
    found: list[dict[str, float | int | None]] = []
    for minute in record.minutes():
        last = [s for s in record.samples if s.second < 60.0 * (minute + 1)][-1]
        row: dict[str, float | int | None] = {"minute": minute + 1}
        row |= {key: round(value, 1) for key, value in asdict(last).items() if key != "second"}
        row["calls"] = sum(len(seconds) for (_, at), seconds in record.calls.items() if at == minute)
        for method in sorted({name for name, _ in record.calls}):
            for label, percentile in (("p50", 50.0), ("p99", 99.0)):
                value = record.latency_ms(method, minute, percentile)
                row[f"{method}_{label}_ms"] = None if value is None else round(value, 2)
        found.append(row)
    return found


def _print_tables(rows: Sequence[dict[str, float | int | None]], lines: Sequence[Slope]) -> None:
    columns = ["minute", "server_mb", "children_mb", "children", "open_files", "threads", "database_mb", "calls"]
    columns += [f"{method}_{label}_ms" for method in JUDGED_CALLS for label in ("p50", "p99")]
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    for row in rows:
        print("| " + " | ".join(str(row.get(column, "")) for column in columns) + " |")
    print(
        "\n| series | mean | slope an hour ± standard error | of the second half | growth while measured | tolerance"
        " | flat |\n" + "|---" * 7 + "|"
    )
    for line in lines:
        print(
            f"| {line.series} | {line.mean:.2f} {line.unit} | {line.per_hour:+.2f} ± {line.per_hour_error:.2f}"
            f" | {line.second_half_per_hour:+.2f} ± {line.second_half_error:.2f}"
            f" | {line.growth:+.2f} ± {line.error:.2f} | {line.tolerance:.2f} | {'yes' if line.flat else 'NO'} |"
        )


def _database_bytes(service: Service, url: str) -> int:
    """Return how large the database is: the file with its log, or the tables of PostgreSQL with their indexes."""
    if not url:
        names = (service.database_path.name + ending for ending in ("", "-wal"))
        files = (service.database_path.with_name(name) for name in names)
        return sum(file.stat().st_size for file in files if file.exists())
    import psycopg

    query = (
        "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class WHERE relkind = 'r' AND relname = ANY(%s)"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query, (["solves", "events", "blobs", "blob_chunks", "audit"],)).fetchone()
    return int(row[0]) if row else 0


async def soak(service: Service, minutes: float, database_url: str) -> Record:
    """Load a running service for ``minutes`` and return what was seen."""
    record = Record(time.monotonic())
    async with grpc.aio.insecure_channel(service.address) as channel:
        await asyncio.gather(
            Load(channel, record).run(60.0 * minutes),
            _look(service, record, lambda: _database_bytes(service, database_url), 60.0 * minutes),
        )
    return record


def report(record: Record) -> dict[str, Any]:
    """Return figures and verdict as plain values."""
    lines = slopes(record)
    failed = dict(record.statuses)
    well = not failed and all(line.flat for line in lines)
    return {
        "verdict": "flat" if well else "not flat",
        "seconds": record.samples[-1].second,
        "calls": _totals(record),
        "failed_calls": failed,
        "slopes": [{**asdict(line), "flat": line.flat} for line in lines],
        "minutes": _rows(record),
        "samples": [asdict(sample) for sample in record.samples],
    }


def _totals(record: Record) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for (method, _), seconds in record.calls.items():
        totals[method] += len(seconds)
    return dict(sorted(totals.items()))


def main(arguments: Sequence[str]) -> int:
    """Run the bench; return its exit code."""
    parser = argparse.ArgumentParser(description="Mixed load on tehai serve, and whether it stays flat.")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--database-url", default="", help="PostgreSQL; default: the embedded database")
    parser.add_argument("--output", choices=["table", "json"], default="table")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="tehai-soak.") as folder:
        settings = {**SETTINGS, "database_url": chosen.database_url}
        with Service(Path(folder), settings) as service:
            record = asyncio.run(soak(service, chosen.minutes, chosen.database_url))
            log = [line for line in service.log_lines() if line.get("level") in ("error", "critical") or "text" in line]
    found = report(record)
    if log:
        found["verdict"] = "not flat"
        found["log"] = log[:20]
    if chosen.output == "json":
        print(json.dumps(found))
    else:
        _print_tables(found["minutes"], slopes(record))
        print(f"\n{sum(found['calls'].values())} calls, failed: {found['failed_calls'] or 'none'}; {found['verdict']}")
        for line in found.get("log", []):
            print(line)
    return 0 if found["verdict"] == "flat" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
