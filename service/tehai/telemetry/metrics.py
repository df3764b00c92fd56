"""Every metric in one table, and the registry that keeps them; METRICS.md beside this file shows the same table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Seconds. Few of them: every bound is a line for each method, and a scrape must not hold up the server.
CALL_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)
QUOTE_BUCKETS = (0.000_1, 0.000_25, 0.000_5, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 1.0)
STORE_BUCKETS = (0.000_5, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
SOLVE_BUCKETS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
PHASE_BUCKETS = (0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
GAP_BUCKETS = (0.0, 0.000_1, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)
LAG_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0)
OTHER = "other"
Kind = Literal["counter", "gauge", "histogram"]
_Key = tuple[str, tuple[str, ...]]
_Any = TypeVar("_Any", Counter, Gauge, Histogram)


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric: its name as it is scraped, what it counts, and when to worry."""

    name: str
    kind: Kind
    help: str
    alert: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    # Values of its only label that are kept from the start: Prometheus sees no rise in what was not there before.
    known: tuple[str, ...] = ()


METRICS = (
    MetricSpec(
        "tehai_requests_total",
        "counter",
        "calls that ended, by method and gRPC code",
        "INTERNAL, or UNAVAILABLE outside of a restart, above 0.1 % of calls for 5 minutes",
        ("method", "code"),
    ),
    MetricSpec(
        "tehai_request_seconds",
        "histogram",
        "time from a call's arrival to its end; streams count in whole",
        "99th percentile of CreateSolve above 1 s for 10 minutes",
        ("method",),
        CALL_BUCKETS,
    ),
    MetricSpec(
        "tehai_requests_in_progress",
        "gauge",
        "calls under way, streams too",
        "rises for an hour while tehai_requests_total does not",
        ("method",),
    ),
    MetricSpec(
        "tehai_refusals_total",
        "counter",
        "calls refused by credential, scope or limit, by reason",
        "INVALID_API_KEY or INVALID_TOKEN above 10 a second: a client is set up wrong, or somebody is trying keys;"
        " SERVER_BUSY: one more server, or lower limits of tenants",
        ("reason",),
    ),
    MetricSpec(
        "tehai_queue_length",
        "gauge",
        "solves that wait for a place, of all servers of the database: do not add up servers",
        "above half of the longest queue allowed for 10 minutes: more places, or fewer solves",
    ),
    MetricSpec(
        "tehai_queue_oldest_seconds",
        "gauge",
        "how long the oldest solve has waited; 0 without one",
        "above what callers were promised",
    ),
    MetricSpec(
        "tehai_solves_running",
        "gauge",
        "solves of CreateSolve under way, of all servers of the database: do not add up servers",
        "0 for 5 minutes while tehai_queue_length is not",
    ),
    MetricSpec(
        "tehai_solves_total",
        "counter",
        "solves of CreateSolve that ran here and ended, by outcome: succeeded, failed, cancelled",
        "failed above 1 % of all for an hour",
        ("outcome",),
        known=("succeeded", "failed", "cancelled"),
    ),
    MetricSpec(
        "tehai_solve_retries_total",
        "counter",
        "solves begun again because their process died; not those whose server died",
        "more than 3 in an hour: look for lack of memory",
    ),
    MetricSpec(
        "tehai_solve_seconds",
        "histogram",
        "time from the start of a solve's process to its end, by outcome",
        "none; size places and time limits by it",
        ("outcome",),
        SOLVE_BUCKETS,
    ),
    MetricSpec(
        "tehai_solve_phase_seconds",
        "histogram",
        "time of each phase of a solve: build, ascend, master, search, polish, certify",
        "none; where the time of a slow solve goes",
        ("phase",),
        PHASE_BUCKETS,
    ),
    MetricSpec(
        "tehai_solve_gap",
        "histogram",
        "proven distance to the best plan, as a fraction, when a solve ends with a plan",
        "median above twice the usual: time limits are too short for today's problems",
        (),
        GAP_BUCKETS,
    ),
    MetricSpec(
        "tehai_quote_seconds",
        "histogram",
        "time of one answer, with loading the book where it must be; of StreamQuotes the mean of a batch",
        "99th percentile above 10 ms for 5 minutes",
        (),
        QUOTE_BUCKETS,
    ),
    MetricSpec(
        "tehai_store_seconds",
        "histogram",
        "time of one operation of the store",
        "99th percentile of create_solve above 150 ms for 10 minutes: slow disk or database",
        ("operation",),
        STORE_BUCKETS,
    ),
    MetricSpec(
        "tehai_store_errors_total",
        "counter",
        "operations of the store that failed for reasons of its own",
        "any for 2 minutes: database gone or disk full",
        ("operation",),
    ),
    MetricSpec(
        "tehai_retention_held_seconds",
        "gauge",
        "for how long, running, nothing old is deleted because the wall clock may be wrong; 0 where deleting goes on",
        "above 0: look at the clock of the machine",
    ),
    MetricSpec(
        "tehai_watchers",
        "gauge",
        "open WatchSolve streams",
        "near the limit on open streams",
    ),
    MetricSpec(
        "tehai_audit_entries_total",
        "counter",
        "audit entries by where they went: stored, or logged because the store could not take them",
        "any logged",
        ("where",),
        known=("stored", "logged"),
    ),
    MetricSpec(
        "tehai_certificate_expire_timestamp_seconds",
        "gauge",
        "when the server's certificate ends, seconds since 1970 UTC; 0 without TLS",
        "less than 14 days ahead",
    ),
    MetricSpec(
        "tehai_certificate_reloads_total",
        "counter",
        "changed certificate files, by outcome: taken_up or refused",
        "any refused: the old certificate is still in use, the log says why",
        ("outcome",),
        known=("taken_up", "refused"),
    ),
    MetricSpec(
        "tehai_loop_lag_seconds",
        "histogram",
        "how late the server's event loop was, looked at ten times a second",
        "99th percentile above 10 ms for 5 minutes: something holds the interpreter",
        (),
        LAG_BUCKETS,
    ),
    MetricSpec(
        "tehai_ready",
        "gauge",
        "1 where /readyz would have said at the scrape that the server can be sent work, 0 where not",
        "0 for 2 minutes",
    ),
    MetricSpec(
        "tehai_build_info",
        "gauge",
        "always 1; the version as a label",
        "two versions for longer than an upgrade takes",
        ("version",),
    ),
)
# From prometheus_client's own collectors; named as everywhere.
PROCESS_METRICS = (
    MetricSpec(
        "process_resident_memory_bytes",
        "gauge",
        "memory of the server, without the solver processes",
        "rises for hours under even load",
    ),
    MetricSpec("process_open_fds", "gauge", "open file descriptors of the server", "above half of process_max_fds"),
    MetricSpec("process_max_fds", "gauge", "most file descriptors that it may open", "none"),
    MetricSpec(
        "process_cpu_seconds_total", "counter", "processor time of the server", "above 0.8 a second for 10 minutes"
    ),
    MetricSpec("process_start_time_seconds", "gauge", "when it started, seconds since 1970 UTC", "changes unasked"),
)


class Metrics:
    """The metrics of one server; every name is from ``METRICS``, every method label from the names given."""

    def __init__(self, methods: Iterable[str] = (), version: str = "") -> None:
        """``methods`` are the full names that may be labels; whatever else is called counts as "other"."""
        self.registry = CollectorRegistry()
        self._methods = frozenset(methods)
        made = {spec.name: _make(spec, self.registry) for spec in METRICS}
        # By name and labels, filled as they are used: the library's own look-up costs more than counting does.
        self._counters = {_key(name): metric for name, metric in made.items() if isinstance(metric, Counter)}
        self._gauges = {_key(name): metric for name, metric in made.items() if isinstance(metric, Gauge)}
        self._histograms = {_key(name): metric for name, metric in made.items() if isinstance(metric, Histogram)}
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.set("tehai_build_info", 1, version)
        for spec in METRICS:
            for value in spec.known:
                self.count(spec.name, value, amount=0)
        for method in sorted(self._methods):
            self.count("tehai_requests_total", method, "INTERNAL", amount=0)

    def method(self, name: str) -> str:
        """Return the label of a method, so that no caller can make labels up."""
        return name if name in self._methods else OTHER

    def count(self, name: str, *labels: str, amount: float = 1.0) -> None:
        """Add to a counter; KeyError for a name that is none."""
        _child(self._counters, name, labels).inc(amount)

    def set(self, name: str, value: float, *labels: str) -> None:
        """Set a gauge; KeyError for a name that is none."""
        _child(self._gauges, name, labels).set(value)

    def add(self, name: str, amount: float, *labels: str) -> None:
        """Change a gauge by ``amount``; KeyError for a name that is none."""
        _child(self._gauges, name, labels).inc(amount)

    def observe(self, name: str, value: float, *labels: str) -> None:
        """Put a value into a histogram; KeyError for a name that is none."""
        _child(self._histograms, name, labels).observe(value)

    def pages(self) -> Iterator[bytes]:
        """Yield what a scrape answers, one metric at a time, so that others get a turn in between."""
        for family in self.registry.collect():
            # Times of creation would be a third of all lines, and Prometheus finds resets without them.
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield generate_latest(_One(family))

    def read(self, name: str, **labels: str) -> float | None:
        """Return one sample as a scrape would see it; None where there is none."""
        return self.registry.get_sample_value(name, labels)


class _One:
    """A registry of one family."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self, *_: Enum) -> Iterator[Metric]:
        """Yield the family."""
        yield self._family


def _key(name: str) -> _Key:
    return name, ()


def _child(made: dict[_Key, _Any], name: str, labels: tuple[str, ...]) -> _Any:
    """Return a metric with its labels; KeyError for a name that is not in ``made``."""
    found = made.get((name, labels))
    if found is None:
        found = made[name, labels] = made[name, ()].labels(*labels)
    return found


def _make(spec: MetricSpec, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    if spec.kind == "counter":
        return Counter(spec.name, spec.help, spec.labels, registry=registry)
    if spec.kind == "gauge":
        return Gauge(spec.name, spec.help, spec.labels, registry=registry)
    return Histogram(spec.name, spec.help, spec.labels, buckets=spec.buckets, registry=registry)


def markdown_table() -> str:
    """Return the table of METRICS.md."""
    lines = ["| metric | kind | labels | meaning | look when |", "|---|---|---|---|---|"]
    for spec in (*METRICS, *PROCESS_METRICS):
        labels = ", ".join(f"`{label}`" for label in spec.labels)
        lines.append(f"| `{spec.name}` | {spec.kind} | {labels} | {spec.help} | {spec.alert} |")
    return "\n".join(lines) + "\n"
