"""Every metric of the table is kept, scraped, documented, and safe from callers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tehai import telemetry
from tehai.telemetry.calls import measured_call
from tehai.telemetry.loop_lag import watch_loop_lag
from tehai.telemetry.metrics import METRICS, OTHER, PROCESS_METRICS, Metrics, MetricSpec, markdown_table

DOCUMENT = Path(telemetry.__file__).parent / "METRICS.md"


def used() -> Metrics:
    """Return metrics of which each has been touched once."""
    metrics = Metrics(["/a.B/C"], "1.2.3")
    for spec in METRICS:
        if spec.name != "tehai_build_info":
            touch(metrics, spec)
    return metrics


def touch(metrics: Metrics, spec: MetricSpec) -> None:
    """Use a metric once."""
    labels = ["x"] * len(spec.labels)
    if spec.kind == "counter":
        metrics.count(spec.name, *labels)
    elif spec.kind == "gauge":
        metrics.set(spec.name, 3.0, *labels)
    else:
        metrics.observe(spec.name, 0.5, *labels)


def scraped(metrics: Metrics) -> dict[str, str]:
    """Return name and kind of every metric as a scraper reads them, with its own parser."""
    families = text_string_to_metric_families(b"".join(metrics.pages()).decode())
    return {f"{f.name}_total" if f.type == "counter" else f.name: f.type for f in families}


def test_a_scrape_has_exactly_the_table() -> None:
    """What Prometheus reads of Tehai's own is the table, name by name and kind by kind, and process metrics besides."""
    found = scraped(used())
    assert {name: kind for name, kind in found.items() if name.startswith("tehai_")} == {
        s.name: s.kind for s in METRICS
    }
    for spec in PROCESS_METRICS:
        assert found[spec.name] == spec.kind


def test_the_document_is_the_table() -> None:
    """METRICS.md shows each metric with labels, meaning and alert, as the code has them."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text.endswith("\n\n" + markdown_table())
    assert text.count("\n| `") == len(METRICS) + len(PROCESS_METRICS) > 20


def test_every_metric_says_what_it_means() -> None:
    """Names are unique and in base units, each has a meaning and an alert, histograms have rising bounds."""
    names = [spec.name for spec in METRICS]
    assert len(set(names)) == len(names)
    for spec in METRICS:
        assert spec.help
        assert spec.alert
        assert spec.name.endswith("_total") == (spec.kind == "counter")
        assert "_ms" not in spec.name
        assert (spec.kind == "histogram") == bool(spec.buckets)
        assert list(spec.buckets) == sorted(set(spec.buckets))


def test_values_are_kept() -> None:
    """Counters add up, gauges go both ways, histograms count."""
    metrics = Metrics()
    metrics.count("tehai_solve_retries_total")
    metrics.count("tehai_solve_retries_total", amount=2)
    metrics.add("tehai_watchers", 5)
    metrics.add("tehai_watchers", -2)
    metrics.set("tehai_queue_length", 7)
    metrics.observe("tehai_quote_seconds", 0.0015)
    assert metrics.read("tehai_solve_retries_total") == 3
    assert metrics.read("tehai_watchers") == 3
    assert metrics.read("tehai_queue_length") == 7
    assert metrics.read("tehai_quote_seconds_bucket", le="0.002") == 1
    assert metrics.read("tehai_quote_seconds_bucket", le="0.001") == 0
    assert metrics.read("tehai_build_info", version="") == 1


def test_a_name_that_is_not_in_the_table_is_an_error() -> None:
    """A misspelt metric does not pass silently, nor one of another kind."""
    metrics = Metrics()
    uses: list[Callable[[str], None]] = [
        metrics.count,
        lambda name: metrics.set(name, 1),
        lambda name: metrics.add(name, 1),
        lambda name: metrics.observe(name, 1),
    ]
    for use in uses:
        with pytest.raises(KeyError):
            use("tehai_nothing")
    with pytest.raises(KeyError):
        metrics.count("tehai_watchers")


def test_two_servers_in_one_process_do_not_share() -> None:
    """Each has a registry of its own."""
    one, other = Metrics(), Metrics()
    one.count("tehai_solve_retries_total")
    assert other.read("tehai_solve_retries_total") == 0


def test_a_call_is_counted_with_its_code_and_time() -> None:
    """One that goes well is OK, one that raises has its code, none is under way afterwards, strangers are "other"."""
    metrics = Metrics(["/a.B/C"])
    with measured_call(metrics, "/a.B/C", lambda _: "INTERNAL"):
        assert metrics.read("tehai_requests_in_progress", method="/a.B/C") == 1
    with pytest.raises(KeyError), measured_call(metrics, "/a.B/C", lambda error: type(error).__name__):
        raise KeyError
    for number in range(50):
        with measured_call(metrics, f"/made.up/{number}", lambda _: "INTERNAL"):
            pass
    assert metrics.read("tehai_requests_total", method="/a.B/C", code="OK") == 1
    assert metrics.read("tehai_requests_total", method="/a.B/C", code="KeyError") == 1
    assert metrics.read("tehai_requests_total", method=OTHER, code="OK") == 50
    assert metrics.read("tehai_request_seconds_count", method="/a.B/C") == 2
    assert metrics.read("tehai_requests_in_progress", method="/a.B/C") == 0
    assert "made.up" not in b"".join(metrics.pages()).decode()


def test_a_loop_that_is_held_up_shows() -> None:
    """Blocking the loop for 60 ms is a value above 50 ms; an idle loop has none."""
    metrics = Metrics()

    async def make() -> None:
        task = asyncio.create_task(watch_loop_lag(metrics, 0.005))
        await asyncio.sleep(0.001)
        # Holds the loop on purpose.
        time.sleep(0.06)  # noqa: ASYNC251
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(make())
    count = metrics.read("tehai_loop_lag_seconds_count")
    assert count is not None
    below = metrics.read("tehai_loop_lag_seconds_bucket", le="0.05")
    assert below is not None
    assert below < count
