"""The alert rules for Prometheus: of metrics and labels that are there, equal to docs/operations.md, and they fire."""

from __future__ import annotations

import re
from collections.abc import Mapping

import grpc
import promql_parser as promql
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tehai.runner.observer import Outcome
from tests.telemetry.alert_rules import ROOT, AlertRule, alert_rules, grouping_labels, value
from tests.telemetry.test_metrics import used

DOCUMENT = ROOT / "docs" / "operations.md"
# Every series of a scrape has them.
TARGET_LABELS = frozenset({"job", "instance"})
# Prometheus's own.
UP = {"up": frozenset[str]()}
KNOWN_VALUES: Mapping[str, frozenset[str]] = {
    "code": frozenset(code.name for code in grpc.StatusCode),
    "outcome": frozenset(outcome.value for outcome in Outcome),
    "job": frozenset({"tehai"}),
}
RULES = alert_rules()
EACH = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


def scraped_samples() -> dict[str, frozenset[str]]:
    """Return the name of every sample of a scrape, with its labels."""
    families = text_string_to_metric_families(b"".join(used().pages()).decode())
    found = {sample.name: frozenset(sample.labels) for family in families for sample in family.samples}
    assert len(found) > 20
    return found | UP


def documented_rows() -> dict[str, list[str]]:
    """Return the table of alerts: severity, duration, condition and advice by name."""
    section = DOCUMENT.read_text(encoding="utf-8").partition("\n| alert | severity |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines()[2:]]
    return {re.findall(r"`(\w+)`", row[0])[0]: row for row in rows}


def test_every_alert_is_documented_and_every_documented_one_is_a_rule() -> None:
    """Names are the same on both sides, with severity and duration; none stands twice."""
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names))
    documented = {name: row[1:3] for name, row in documented_rows().items()}
    assert documented == {rule.name: [rule.labels["severity"], rule.hold] for rule in RULES}


@EACH
def test_a_rule_is_complete(rule: AlertRule) -> None:
    """It has a severity, a duration, summary and description, and a runbook that is its own row of the document."""
    assert set(rule.labels) == {"severity"}
    assert rule.labels["severity"] in {"critical", "warning"}
    assert promql.parse_duration(rule.hold).total_seconds() >= 60
    assert set(rule.annotations) == {"summary", "description", "runbook"}
    assert all(rule.annotations.values())
    path, _, anchor = rule.annotations["runbook"].partition("#")
    assert anchor == rule.name
    assert f'<a id="{anchor}"></a>' in (ROOT / path).read_text(encoding="utf-8")
    assert len(documented_rows()[rule.name][4]) >= len("rotate")


@EACH
def test_a_rule_asks_for_what_the_server_exports(rule: AlertRule) -> None:
    """Every metric is in a scrape, every matcher is of a label that it has and a value that the label can be."""
    samples = scraped_samples()
    assert rule.selectors()
    for selector in rule.selectors():
        assert selector.name in samples
        for matcher in selector.matchers.matchers:
            assert matcher.op == promql.MatchOp.Equal
            assert matcher.name in samples[selector.name] | TARGET_LABELS
            assert matcher.value in KNOWN_VALUES[matcher.name]


@EACH
def test_a_rule_groups_and_tells_by_labels_that_are_there(rule: AlertRule) -> None:
    """An aggregation keeps labels that its metric has, and a text names labels that the result still has."""
    samples = scraped_samples()
    kept = set(grouping_labels(rule))
    for selector in rule.selectors():
        assert kept <= samples[selector.name or ""] | TARGET_LABELS
    told = set(re.findall(r"\$labels\.(\w+)", "".join(rule.annotations.values())))
    assert told <= (kept or TARGET_LABELS)


@EACH
def test_the_document_names_the_metrics_of_a_rule(rule: AlertRule) -> None:
    """The row says of which metrics the rule is, all of them and no other."""
    asked = {re.sub(r"_bucket$", "", selector.name or "") for selector in rule.selectors()}
    assert set(re.findall(r"`(tehai_\w+|up)\b", documented_rows()[rule.name][3])) == asked


NOW = 1_000_000_000.0
DAY = 86_400.0
ENDS = "tehai_certificate_expire_timestamp_seconds"
ALL, INTERNAL = "tehai_requests_total", 'tehai_requests_total{code="INTERNAL"}'
SOLVES, FAILED = "tehai_solves_total", 'tehai_solves_total{outcome="failed"}'
UP_HERE = 'up{job="tehai"}'
CASES: tuple[tuple[str, bool, dict[str, float]], ...] = (
    ("TehaiNotReady", False, {"tehai_ready": 1, UP_HERE: 1}),
    ("TehaiNotReady", True, {"tehai_ready": 0, UP_HERE: 1}),
    ("TehaiNotReady", True, {UP_HERE: 0}),
    ("TehaiStoreErrors", False, {"tehai_store_errors_total": 0}),
    ("TehaiStoreErrors", True, {"tehai_store_errors_total": 0.1}),
    ("TehaiQueueStands", False, {"tehai_queue_length": 0, "tehai_solves_running": 0}),
    ("TehaiQueueStands", False, {"tehai_queue_length": 3, "tehai_solves_running": 1}),
    ("TehaiQueueStands", True, {"tehai_queue_length": 3, "tehai_solves_running": 0}),
    ("TehaiSolvesFail", False, {SOLVES: 0, FAILED: 0}),
    ("TehaiSolvesFail", False, {SOLVES: 200, FAILED: 2}),
    ("TehaiSolvesFail", True, {SOLVES: 200, FAILED: 3}),
    ("TehaiSolverProcessesDie", False, {"tehai_solve_retries_total": 3.01}),
    ("TehaiSolverProcessesDie", True, {"tehai_solve_retries_total": 4}),
    ("TehaiInternalErrors", False, {ALL: 100, INTERNAL: 0.1}),
    ("TehaiInternalErrors", False, {ALL: 0, INTERNAL: 0}),
    ("TehaiInternalErrors", True, {ALL: 100, INTERNAL: 0.2}),
    ("TehaiCertificateEnds", False, {ENDS: 0}),
    ("TehaiCertificateEnds", False, {ENDS: NOW + 15 * DAY}),
    ("TehaiCertificateEnds", True, {ENDS: NOW + 13 * DAY}),
    ("TehaiCertificateEnds", True, {ENDS: NOW - DAY}),
    ("TehaiClockInDoubt", False, {"tehai_retention_held_seconds": 0}),
    ("TehaiClockInDoubt", True, {"tehai_retention_held_seconds": 3600}),
    ("TehaiEventLoopLate", False, {"tehai_loop_lag_seconds_bucket": 0.009}),
    ("TehaiEventLoopLate", True, {"tehai_loop_lag_seconds_bucket": 0.02}),
)


@pytest.mark.parametrize(("name", "fires", "samples"), CASES)
def test_a_rule_fires_when_the_document_says(name: str, fires: bool, samples: dict[str, float]) -> None:
    """On either side of its limit a rule has a result, or none; a rate, an increase and a percentile are given."""
    rule = next(rule for rule in RULES if rule.name == name)
    assert {str(selector).removesuffix("{}") for selector in rule.selectors()} >= set(samples)
    assert (value(rule.expression, samples, NOW) is not None) == fires


def test_every_rule_is_seen_to_fire_and_to_be_silent() -> None:
    """No rule is left out above."""
    assert {(name, fires) for name, fires, _ in CASES} == {
        (rule.name, fires) for rule in RULES for fires in (True, False)
    }
