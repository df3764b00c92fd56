"""Whatever is wrong with a problem, command line and gRPC say the same of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from tehai.v1.problem_pb2 import Problem
from tehai.v1.sourcing_service_pb2 import CheckProblemRequest, StreamSolveRequest
from tehai.v1.supply_pb2 import Offer
from tehai.wire import to_json
from tests.server.process import ROOT, ServerProcess, package_environment

Listed = list[dict[str, str]]
Change = Callable[[Problem], object]


def offer_of(problem: Problem, kind: str) -> Offer:
    """Return the first offer of a kind."""
    return next(offer for offer in problem.offers if offer.WhichOneof("kind") == kind)


def set_in(target: object, path: str, value: object) -> None:
    """Set the field at a dotted path; numbers in it are positions."""
    *steps, last = path.split(".")
    for step in steps:
        target = target[int(step)] if step.isdigit() else getattr(target, step)  # type: ignore[index]
    setattr(target, last, value)


def set_field(path: str, value: object) -> Change:
    """Return a change that sets one field of a problem."""
    return lambda problem: set_in(problem, path, value)


CHANGES: dict[str, Change] = {
    "schema of the future": set_field("schema_version", 99),
    "no version": set_field("schema_version", 0),
    "date that is none": set_field("calendar.first_date", "2027-02-30"),
    "no periods": set_field("calendar.period_count", 0),
    "absurdly many periods": set_field("calendar.period_count", 2_000_000_000),
    "negative period": set_field("calendar.period_hours", -1),
    "rate of zero": set_field("market.usd_jpy_spot", "0"),
    "rate that is no number": set_field("market.usd_jpy_spot", "many"),
    "unknown currency": lambda p: set_in(
        offer_of(p, "on_demand").on_demand, "price_per_accelerator_hour.currency_code", "EUR"
    ),
    "negative price": lambda p: set_in(offer_of(p, "on_demand").on_demand, "price_per_accelerator_hour.amount", "-1"),
    "zero-length term": lambda p: set_in(offer_of(p, "reservation").reservation, "terms.0.term_periods", 0),
    "no payment timing": lambda p: set_in(offer_of(p, "reservation").reservation, "terms.0.payment_timing", 0),
    "offer without a kind": lambda p: p.offers[0].ClearField(p.offers[0].WhichOneof("kind") or ""),  # type: ignore[arg-type]
    "zero throughput": set_field("accelerators.0.throughputs.0.normalised_throughput", 0.0),
    "memory that is not a number": set_field("accelerators.0.memory_gb", float("nan")),
    "endless power": set_field("accelerators.0.power_kw", float("inf")),
    "unknown site": set_field("pools.0.site_id", "nowhere"),
    "unknown member": set_field("workloads.0.member_id", "nobody"),
    "bad id": set_field("workloads.0.id", "No Good"),
    "id given twice": lambda p: set_in(p, "workloads.1.id", p.workloads[0].id),
    "deadline before release": set_field("workloads.0.deadline_date", "2000-01-01"),
    "no gang": lambda p: p.workloads[0].ClearField("gang_options"),
    "efficiency over one": set_field("workloads.0.gang_options.0.scaling_efficiency_fraction", 1.5),
    "absurd gang": set_field("workloads.0.gang_options.0.accelerators", 2**31 - 1),
    "negative work": set_field("workloads.0.normalised_accelerator_hours", -5.0),
    "no work": lambda p: p.workloads[0].ClearField("normalised_accelerator_hours"),
    "negative charge": set_field("workloads.0.cost_not_run_yen", -1),
    "grant over everything": set_field("programmes.0.usage_grant.rates.0.rate_fraction", 2.0),
    "share over one": lambda p: p.rules.minimum_domestic_shares.add(fiscal_year=2027, share_fraction=3.0),
    "name of absurd length": set_field("display_name", "x" * 100_000),
}


def cli(*arguments: str) -> tuple[int, Listed]:
    """Return the exit code and the violations that a command prints as JSON."""
    command = [sys.executable, "-m", "tehai.cli.main", *arguments, "--output", "json"]
    done = subprocess.run(command, env=package_environment(), cwd=ROOT, capture_output=True, timeout=60, check=False)
    return done.returncode, json.loads(done.stdout)["violations"]


def in_process(problem: Problem) -> Listed:
    """Return what ``tehai check`` lists, without starting a process."""
    from click.testing import CliRunner

    from tehai.cli.main import cli as group

    text = to_json(problem).encode()
    outcome = CliRunner().invoke(group, ["check", "-", "--output", "json"], input=text, standalone_mode=False)
    assert outcome.return_value == 3, outcome.output
    listed: Listed = json.loads(outcome.stdout)["violations"]
    return listed


@pytest.mark.parametrize("name", CHANGES)
def test_one_list_over_both_doors(server: ServerProcess, small_problem: Problem, name: str) -> None:
    """A fault in a problem gives the same violations from ``tehai check``, CheckProblem and StreamSolve."""
    problem = Problem()
    problem.CopyFrom(small_problem)
    CHANGES[name](problem)
    stub = server.stub()
    checked = stub.CheckProblem(CheckProblemRequest(problem=problem), timeout=60).violations
    listed = [{"code": v.code, "path": v.path, "message": v.message, "action": v.action} for v in checked]
    assert listed
    assert all(all(violation.values()) for violation in listed)
    call = iter(stub.StreamSolve(StreamSolveRequest(problem=problem), timeout=60))
    assert list(next(call).violations.violations) == list(checked)
    with pytest.raises(grpc.RpcError):
        next(call)
    if name in NOT_IN_TEXT:
        return
    assert in_process(problem) == listed


# JSON and YAML text cannot carry these values; the reader refuses them by path before they become a message.
NOT_IN_TEXT = {"memory that is not a number", "endless power"}

TEXTS = {
    "no document": b"",
    "not a mapping": b"- 1\n- 2\n",
    "broken YAML": b"schema_version: [1\n",
    "key given twice": b"schema_version: 1\nschema_version: 1\n",
    "unknown field": b"schema_version: 1\ncolour: red\n",
    "not a number": b"schema_version: 1\nreference_sustained_flops: .nan\n",
    "infinite": b"schema_version: 1\nreference_sustained_flops: .inf\n",
    "text for a number": b"schema_version: one\n",
    "not UTF-8": b"display_name: \xff\xfe\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_bad_text_is_refused_the_same_with_and_without_a_server(
    server: ServerProcess, tmp_path: Path, name: str
) -> None:
    """What cannot be read is listed by check, solve and solve on a server alike, with exit code 3."""
    file = tmp_path / "problem.yaml"
    file.write_bytes(TEXTS[name])
    here = cli("check", str(file))
    assert here[0] == 3
    assert here[1]
    assert cli("solve", str(file), "--quiet") == here
    assert cli("solve", str(file), "--quiet", "--server", server.address) == here
