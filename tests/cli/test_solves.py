"""``tehai solves`` against a server in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import yaml
from click.testing import CliRunner, Result
from google.protobuf.empty_pb2 import Empty
from google.protobuf.timestamp_pb2 import Timestamp

from tehai.catalog import demo_problem
from tehai.cli.exit_codes import ExitCode
from tehai.cli.failures import Failure
from tehai.cli.main import cli
from tehai.cli.solves import command
from tehai.domain.plan import SolveOptions
from tehai.pipeline import run
from tehai.v1 import plan_pb2, solve_pb2
from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1.solve_pb2 import CreateSolveMetadata, Solve, SolveStanding
from tehai.wire import problem_to_proto, result_to_proto, to_yaml
from tests.client.fake import OPERATION, PLAN, SOLVE, FakeServer, Refusal, fake_server, operation

Code = grpc.StatusCode
DONE = Solve(
    name=SOLVE,
    state=solve_pb2.SOLVE_STATE_SUCCEEDED,
    display_name="June [draft]",
    priority=3,
    create_time=Timestamp(seconds=1_800_000_000),
    end_time=Timestamp(seconds=1_800_000_060),
    standing=SolveStanding(objective_yen=1_234_567, gap=0.0125),
    plan=PLAN,
)
RUNNING = Solve(name=SOLVE, state=solve_pb2.SOLVE_STATE_RUNNING, cancel_requested=True)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """Return a server to be told what to answer, which the command finds by the environment."""
    with fake_server() as server:
        monkeypatch.setenv("TEHAI_SERVER", server.address)
        yield server


def solves(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(command, list(arguments), standalone_mode=False)


def watched(*events: pb.WatchSolveResponse) -> list[pb.WatchSolveResponse]:
    """Return events with ascending sequences."""
    for sequence, event in enumerate(events, start=1):
        event.sequence = sequence
    return list(events)


def test_create_prints_the_name(fake: FakeServer, tmp_path: Path) -> None:
    """The problem goes to the server with options, name, priority and request id; the name is all that is printed."""
    path = tmp_path / "problem.yaml"
    problem = problem_to_proto(demo_problem("small"))
    path.write_text(to_yaml(problem), encoding="utf-8")
    made = operation()
    made.metadata.Pack(CreateSolveMetadata(solve=RUNNING))
    fake.answers("CreateSolve", made)
    options = ("--display-name", "June", "--priority", "2", "--request-id", "r1", "--work-limit", "7")
    done = solves("create", str(path), *options, "--server", fake.address)
    assert (done.return_value, done.stdout) == (ExitCode.OK, f"{SOLVE}\n"), done.output
    (request,) = fake.requests["CreateSolve"]
    assert request.problem == problem
    assert (request.display_name, request.priority, request.request_id) == ("June", 2, "r1")
    assert request.options.work_limit == 7
    path.write_text("schema_version: [", encoding="utf-8")
    assert solves("create", str(path)).return_value == ExitCode.INVALID_INPUT
    assert solves("create", str(path), "--plan-out", "x").exit_code != 0


def test_an_empty_request_id_is_a_new_one(fake: FakeServer, tmp_path: Path) -> None:
    """Without an id of its own a creation that is tried again would be two."""
    path = tmp_path / "problem.yaml"
    path.write_text(to_yaml(problem_to_proto(demo_problem("small"))), encoding="utf-8")
    made = operation()
    made.metadata.Pack(CreateSolveMetadata(solve=RUNNING))
    fake.answers("CreateSolve", Refusal(Code.UNAVAILABLE), made)
    assert solves("create", str(path), "--request-id", "").return_value == ExitCode.OK
    first, again = fake.requests["CreateSolve"]
    assert first.request_id == again.request_id != ""


def test_list_in_every_format(fake: FakeServer) -> None:
    """A row for each solve; JSON and YAML are the message; no more than the limit is fetched."""
    fake.answers("ListSolves", pb.ListSolvesResponse(solves=[DONE, RUNNING], next_page_token="more"))  # noqa: S106
    text = solves("list", "--limit", "2", "--filter", "priority <= 3").stdout
    for part in (SOLVE, "succeeded", "June [draft]", "1,234,567", "1.250%", "running, to end", "2027-01-15T08:01:00Z"):
        assert part in text
    assert len(fake.requests["ListSolves"]) == 1
    assert fake.requests["ListSolves"][0].filter == "priority <= 3"
    found = json.loads(solves("list", "--limit", "2", "-o", "json").stdout)
    assert [solve["name"] for solve in found["solves"]] == [SOLVE, SOLVE]
    assert yaml.safe_load(solves("list", "--limit", "2", "-o", "yaml").stdout)["solves"][0]["plan"] == PLAN
    fake.answers("ListSolves", pb.ListSolvesResponse())
    assert solves("list").stdout == "no solves\n"


def test_show_saves_the_plan(fake: FakeServer, tmp_path: Path) -> None:
    """The state is printed, and plan and certificate are saved as a solve here saves them."""
    answer = run(problem_to_proto(demo_problem("small")), SolveOptions(work_limit=2, threads=1))
    fake.answers("GetSolve", DONE)
    fake.answers("GetSolveResult", result_to_proto(answer))
    path = tmp_path / "plan.yaml"
    done = solves("show", OPERATION, "--plan-out", str(path))
    assert done.return_value == ExitCode.OK, done.output
    assert f"plan: {PLAN}" in done.stdout
    assert path.read_text(encoding="utf-8") == to_yaml(result_to_proto(answer))
    assert json.loads(solves("show", SOLVE, "-o", "json").stdout)["display_name"] == "June [draft]"


def test_watch_prints_every_event(fake: FakeServer) -> None:
    """Progress goes to standard error; in JSON each event is one line, the ended solve last."""
    progress = pb.Progress(phase=pb.SOLVE_PHASE_SEARCH, elapsed_seconds=1.5, objective_yen=100)
    events = (
        pb.WatchSolveResponse(changed=RUNNING),
        pb.WatchSolveResponse(progress=progress),
        pb.WatchSolveResponse(ended=DONE),
    )
    fake.answers("WatchSolve", watched(*events))
    done = solves("watch", SOLVE)
    assert done.return_value == ExitCode.OK, done.output
    assert "1.5 s  search  cost ¥100" in done.stderr
    assert "running, to end" in done.stderr
    assert "1,234,567" in done.stdout
    lines = solves("watch", SOLVE, "-o", "json", "--after", "0").stdout.splitlines()
    assert [json.loads(line)["sequence"] for line in lines] == [1, 2, 3]
    assert json.loads(lines[1])["progress"]["objective_yen"] == 100
    assert json.loads(lines[2])["ended"]["plan"] == PLAN
    documents = list(yaml.safe_load_all(solves("watch", SOLVE, "-o", "yaml").stdout))
    assert [document["sequence"] for document in documents] == [1, 2, 3]


def ended(**fields: object) -> list[pb.WatchSolveResponse]:
    """Return a watch that ends at once."""
    return watched(pb.WatchSolveResponse(ended=Solve(name=SOLVE, **fields)))  # type: ignore[arg-type]


def test_the_exit_code_of_a_watch_is_that_of_the_solve(fake: FakeServer) -> None:
    """Failed, cancelled, invalid and incomplete solves end the command as they would have here."""
    refusal = Refusal(Code.INVALID_ARGUMENT, "INVALID_PROBLEM", fields={"workloads[0].id": "E1204: is empty"})
    failed = solve_pb2.SOLVE_STATE_FAILED
    fake.answers("WatchSolve", ended(state=failed, error=refusal.status))
    invalid = solves("watch", SOLVE)
    assert isinstance(invalid.exception, Failure)
    assert invalid.exception.code == ExitCode.INVALID_INPUT
    assert "workloads[0].id: E1204: is empty" in str(invalid.exception)
    codes = []
    for fields in ({"state": failed}, {"state": solve_pb2.SOLVE_STATE_CANCELLED}):
        fake.answers("WatchSolve", ended(**fields))
        failure = solves("watch", SOLVE).exception
        assert isinstance(failure, Failure)
        codes.append(failure.code)
    assert codes == [ExitCode.SERVER, ExitCode.INTERRUPTED]
    standing = SolveStanding(status=plan_pb2.SOLVE_STATUS_MANDATORY_MISSED)
    fake.answers("WatchSolve", ended(state=solve_pb2.SOLVE_STATE_SUCCEEDED, standing=standing))
    assert solves("watch", SOLVE).return_value == ExitCode.NO_FULL_PLAN


UNVERIFIED = Refusal(Code.INTERNAL, "ANSWER_NOT_VERIFIED")


def test_an_answer_that_was_not_verified_has_its_code(fake: FakeServer, tmp_path: Path) -> None:
    """An answer that a server withholds counts as one that was found wrong here, solved durably or in one call."""
    fake.answers("WatchSolve", ended(state=solve_pb2.SOLVE_STATE_FAILED, error=UNVERIFIED.status))
    failure = solves("watch", SOLVE).exception
    path = tmp_path / "problem.yaml"
    path.write_text(to_yaml(problem_to_proto(demo_problem("small"))), encoding="utf-8")
    fake.answers("StreamSolve", [UNVERIFIED], [Refusal(Code.INTERNAL, "SOLVE_FAILED")])
    arguments = ["solve", str(path), "--server", fake.address, "--quiet"]
    solved, other = (CliRunner().invoke(cli, arguments, standalone_mode=False).exception for _ in range(2))
    codes = [error.code for error in (failure, solved, other) if isinstance(error, Failure)]
    assert codes == [ExitCode.NOT_VERIFIED, ExitCode.NOT_VERIFIED, ExitCode.SERVER]


def test_cancel_and_delete(fake: FakeServer) -> None:
    """Both take the name of the plan too and print nothing on standard output."""
    fake.answers("CancelOperation", Empty())
    fake.answers("DeleteSolve", pb.DeleteSolveResponse())
    for verb in ("cancel", "delete"):
        done = solves(verb, PLAN)
        assert (done.return_value, done.stdout) == (ExitCode.OK, "")
        assert SOLVE in done.stderr
    assert fake.requests["CancelOperation"][0].name == OPERATION
    assert fake.requests["DeleteSolve"][0].name == SOLVE


def test_refusals_are_told_field_by_field(fake: FakeServer) -> None:
    """Code, every field, when to come back and the request id are in the message; the exit code is the server's."""
    fake.answers("DeleteSolve", Refusal(Code.FAILED_PRECONDITION, "SOLVE_NOT_ENDED", fields={"name": "has not ended"}))
    failure = solves("delete", SOLVE).exception
    assert isinstance(failure, Failure)
    assert failure.code == ExitCode.SERVER
    assert str(failure).splitlines() == [
        "FAILED_PRECONDITION: refused on purpose",
        "  name: has not ended",
        "  request server-id",
    ]


def test_usage(fake: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A name that is none, and an environment that does not fit, are usage errors before anything is sent."""
    runner = CliRunner()
    wrong = runner.invoke(command, ["show", "s1"])
    assert (wrong.exit_code, "'s1' is not a name of a solve" in wrong.stderr) == (ExitCode.USAGE, True)
    monkeypatch.setenv("TEHAI_CLIENT_ROOTS_FILE", str(tmp_path / "missing.pem"))
    missing = runner.invoke(command, ["show", SOLVE])
    assert (missing.exit_code, "missing.pem" in missing.stderr) == (ExitCode.USAGE, True)
    monkeypatch.delenv("TEHAI_CLIENT_ROOTS_FILE")
    monkeypatch.setenv("TEHAI_CLIENT_TLS", "off")
    monkeypatch.setenv("TEHAI_API_KEY", "key")
    unsafe = runner.invoke(command, ["show", SOLVE, "--server", "10.0.0.7:1"])
    assert (unsafe.exit_code, "sent over TLS only" in unsafe.stderr) == (ExitCode.USAGE, True)
    fake.answers("GetSolve", DONE)
    assert runner.invoke(command, ["show", SOLVE], standalone_mode=False).return_value == ExitCode.OK
    assert fake.metadata["GetSolve"][0]["authorization"] == "Bearer key"
