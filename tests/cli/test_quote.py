"""``tehai quote`` against a server in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from google.protobuf.timestamp_pb2 import Timestamp

from tehai.cli.exit_codes import ExitCode
from tehai.cli.quote import command
from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1.problem_pb2 import Problem
from tehai.v1.quote_pb2 import Quote, QuotedPlacement
from tehai.v1.workload_pb2 import Workload
from tehai.wire import to_yaml
from tests.client.fake import PLAN, SOLVE, FakeServer, fake_server


def quote_of(workload: Workload) -> Quote:
    """Return two placements, or none for a workload called "nowhere"."""
    quote = Quote(workload_id=workload.id, indicative=True, expire_time=Timestamp(seconds=1_800_000_000))
    if workload.id == "nowhere":
        quote.reason = "residency forbids 3 pools"
        return quote
    quote.better_not_run = workload.id == "dear"
    for pool, price in (("tokyo [a]", 1_234_567), ("oslo", 2_000_000)):
        quote.placements.append(
            QuotedPlacement(pool_id=pool, accelerators=64, start_date="2027-05-03", run_hours=12.5, price_yen=price)
        )
    return quote


def answer_few(request: pb.QuoteWorkloadsRequest, _: object) -> pb.QuoteWorkloadsResponse:
    """Quote each workload of a request."""
    return pb.QuoteWorkloadsResponse(quotes=[quote_of(workload) for workload in request.workloads])


def answer_many(requests: Iterator[pb.StreamQuotesRequest], _: object) -> Iterator[pb.StreamQuotesResponse]:
    """Quote each workload of a stream."""
    for index, request in enumerate(requests):
        yield pb.StreamQuotesResponse(request_index=index, quote=quote_of(request.workload))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """Return a server that quotes, which the command finds by the environment."""
    with fake_server() as server:
        monkeypatch.setenv("TEHAI_SERVER", server.address)
        server.answers("QuoteWorkloads", answer_few)
        server.answers("StreamQuotes", answer_many)
        yield server


def workloads(folder: Path, *ids: str) -> str:
    """Write a file with workloads; return its path."""
    path = folder / "workloads.yaml"
    path.write_text(to_yaml(Problem(workloads=[Workload(id=name) for name in ids])), encoding="utf-8")
    return str(path)


def quote(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(command, list(arguments), standalone_mode=False)


def test_a_table_of_prices(fake: FakeServer, tmp_path: Path) -> None:
    """Best placement and alternatives, why there is none, what is better not run, and that nothing is reserved."""
    done = quote(SOLVE, workloads(tmp_path, "a", "dear", "nowhere"), "--placements", "2")
    assert done.return_value == ExitCode.OK, done.output
    for part in (
        "tokyo [a]",
        "oslo",
        "1,234,567",
        "nowhere: no placement: residency forbids 3 pools",
        "dear: not running it costs less",
        "indicative until 2027-01-15T08:00:00Z; nothing is reserved",
    ):
        assert part in done.stdout
    (request,) = fake.requests["QuoteWorkloads"]
    assert (request.plan, request.placements_max) == (PLAN, 2)


def test_chosen_workloads_as_json(fake: FakeServer, tmp_path: Path) -> None:
    """Only the workloads of the given ids are asked for."""
    done = quote(PLAN, workloads(tmp_path, "a", "b", "c"), "--id", "c", "--id", "a", "-o", "json")
    assert [found["workload_id"] for found in json.loads(done.stdout)["quotes"]] == ["a", "c"]
    assert not fake.requests["StreamQuotes"]


def test_many_workloads_go_by_the_stream(fake: FakeServer, tmp_path: Path) -> None:
    """More than fit a request are streamed, and come out in order."""
    names = [f"w{number}" for number in range(101)]
    done = quote(PLAN, workloads(tmp_path, *names), "-o", "json")
    assert [found["workload_id"] for found in json.loads(done.stdout)["quotes"]] == names
    assert not fake.requests["QuoteWorkloads"]


def test_usage(fake: FakeServer, tmp_path: Path) -> None:
    """Unknown ids, a file without workloads and a text that is none are told before anything is sent."""
    runner = CliRunner()
    unknown = runner.invoke(command, [PLAN, workloads(tmp_path, "a"), "--id", "b"])
    assert (unknown.exit_code, "has no workload 'b'" in unknown.stderr) == (ExitCode.USAGE, True)
    empty = runner.invoke(command, [PLAN, workloads(tmp_path)])
    assert (empty.exit_code, "has no workloads" in empty.stderr) == (ExitCode.USAGE, True)
    (tmp_path / "wrong.yaml").write_text("workloads: [{no_field: 1}]", encoding="utf-8")
    assert quote(PLAN, str(tmp_path / "wrong.yaml")).return_value == ExitCode.INVALID_INPUT
    assert not fake.requests["QuoteWorkloads"]
