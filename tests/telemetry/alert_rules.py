"""The file of alert rules as Prometheus reads it, and what one expression says of given samples."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import promql_parser as promql
import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "examples" / "prometheus" / "tehai.rules.yml"
# One series of each selector: by its text, {} left out where it has no matchers. None, or not there: no such series.
Samples = Mapping[str, float]
# What a rate or an increase is, is given with the samples.
_OF_A_RANGE = frozenset({"rate", "increase"})
_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {"*": operator.mul, "-": operator.sub}
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
}


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One rule; ``expression`` is parsed."""

    name: str
    expression: promql.Expr
    hold: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    def parts(self) -> list[promql.Expr]:
        """Return every part of the expression."""
        found: list[promql.Expr] = []
        promql.walk(self.expression, found.append)
        return found

    def selectors(self) -> list[promql.VectorSelector]:
        """Return every selector of the expression."""
        return [part for part in self.parts() if isinstance(part, promql.VectorSelector)]


def alert_rules() -> list[AlertRule]:
    """Return the rules of the file; raise ValueError for an expression that is none, KeyError for a key too few."""
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    keys = {"alert", "expr", "for", "labels", "annotations"}
    found = []
    for group in document["groups"]:
        for rule in group["rules"]:
            assert set(rule) == keys, rule
            expression = promql.parse(rule["expr"])
            found.append(AlertRule(rule["alert"], expression, rule["for"], rule["labels"], rule["annotations"]))
    assert len(found) >= 5
    return found


def grouping_labels(rule: AlertRule) -> Iterator[str]:
    """Yield the labels that the aggregations of a rule keep."""
    for part in rule.parts():
        if isinstance(part, promql.AggregateExpr):
            assert part.modifier is not None, rule.name
            assert part.modifier.type == promql.AggModifierType.By
            yield from part.modifier.labels


def value(part: promql.Expr, samples: Samples, now: float) -> float | None:
    """Return what an expression is for ``samples``, one series at most of each selector; None: no result, no alert."""
    if isinstance(part, promql.NumberLiteral):
        return part.val
    if isinstance(part, promql.ParenExpr | promql.AggregateExpr):
        # Of one series, sum and max are its value.
        return value(part.expr, samples, now)
    if isinstance(part, promql.VectorSelector):
        return samples.get(str(part).removesuffix("{}"))
    if isinstance(part, promql.MatrixSelector):
        assert part.range >= timedelta(minutes=1)
        return value(part.vector_selector, samples, now)
    if isinstance(part, promql.Call):
        if part.func.name == "time":
            return now
        assert part.func.name in {*_OF_A_RANGE, "histogram_quantile"}
        return value(part.args[-1], samples, now)
    assert isinstance(part, promql.BinaryExpr), part
    return _combined(part, samples, now)


def _combined(part: promql.BinaryExpr, samples: Samples, now: float) -> float | None:
    """Return what two sides are together: a comparison keeps the left one where it holds, as Prometheus does."""
    left, right, sign = value(part.lhs, samples, now), value(part.rhs, samples, now), str(part.op)
    if sign == "or":
        return right if left is None else left
    if left is None or right is None:
        return None
    if sign == "and":
        return left
    if sign in _ARITHMETIC:
        return _ARITHMETIC[sign](left, right)
    return left if _COMPARISONS[sign](left, right) else None
