"""Query processes: the same answers as in this process, and what happens when they fail, hang, die or are too many."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from multiprocessing.context import ForkServerContext
from typing import Any

import pytest
import pytest_asyncio

from tehai import pipeline
from tehai.catalog import demo_problem
from tehai.domain.plan import SolveOptions
from tehai.domain.violation import InvalidProblemError
from tehai.evaluate.messages import diff_bytes, evaluate_bytes
from tehai.pipeline_check import check_message
from tehai.quote import build_quote_book
from tehai.runner.errors import QueryFailedError, QueryMemoryError, QueryTimeoutError, TooManyQueriesError
from tehai.runner.queries import QueryProcesses
from tehai.runner.settings import RunnerSettings
from tehai.v1 import evaluation_pb2, problem_pb2
from tehai.v1 import sourcing_service_pb2 as pb
from tehai.wire import problem_sha256, problem_to_proto, result_to_proto
from tests.runner.service import PATIENCE_SECONDS, broken_problem, is_running, small_problem, until

pytestmark = pytest.mark.asyncio
Make = Callable[..., QueryProcesses]
SHORT = SolveOptions(work_limit=2, threads=1)


@pytest_asyncio.fixture
async def make(fork_server: ForkServerContext) -> AsyncIterator[Make]:
    """Give a way to make query processes, which end with the test."""
    made: list[QueryProcesses] = []

    def new(**settings: Any) -> QueryProcesses:  # noqa: ANN401 - any setting
        made.append(QueryProcesses(fork_server, RunnerSettings(**settings)))
        return made[-1]

    yield new
    for queries in made:
        pids = queries.pids
        await queries.close()
        assert not any(is_running(pid) for pid in pids)


def check_request(problem: bytes) -> bytes:
    """Return a serialised CheckProblemRequest."""
    return pb.CheckProblemRequest(problem=problem_pb2.Problem.FromString(problem)).SerializeToString()


async def check(
    queries: QueryProcesses, problem: bytes, timeout_seconds: float = PATIENCE_SECONDS, tenant: str = ""
) -> Any:  # noqa: ANN401
    """Return the CheckProblemResponse of a problem."""
    (answer,) = await queries.call("check", [check_request(problem)], timeout_seconds, tenant)
    return pb.CheckProblemResponse.FromString(answer)


async def stopped(queries: QueryProcesses) -> int:
    """Start the one process of ``queries``, stop it so that it answers nothing, and return its number."""
    await queries.start()
    (pid,) = queries.pids
    os.kill(pid, signal.SIGSTOP)
    return pid


async def test_check_says_what_the_checks_say(make: Make) -> None:
    """A valid problem has its hash, an invalid one all of its violations, in the response."""
    queries = make()
    valid = await check(queries, small_problem())
    problem, _ = check_message(problem_pb2.Problem.FromString(small_problem()))
    assert problem is not None
    assert valid.problem_sha256 == problem_sha256(problem)
    assert not valid.violations
    broken = broken_problem(400)
    _, violations = check_message(problem_pb2.Problem.FromString(broken))
    invalid = await check(queries, broken)
    assert [violation.path for violation in invalid.violations] == [violation.path for violation in violations]
    assert len(violations) >= 400


async def test_demo_gives_the_packaged_problem(make: Make) -> None:
    """A demo problem is the one of the catalogue."""
    request = pb.GetDemoProblemRequest(name="small").SerializeToString()
    (answer,) = await make().call("demo", [request], PATIENCE_SECONDS)
    assert pb.GetDemoProblemResponse.FromString(answer).problem == problem_to_proto(demo_problem("small"))


async def test_evaluate_diff_and_quote_answer_as_in_this_process(make: Make) -> None:
    """Answers are those of the functions behind them, byte for byte; a request for quotes without fault has none."""
    message = problem_pb2.Problem.FromString(small_problem())
    solved = pipeline.run(message, SHORT)
    result = result_to_proto(solved).SerializeToString(deterministic=True)
    change = evaluation_pb2.ScenarioChange(usd_jpy_factor=1.2).SerializeToString()
    queries = make()
    evaluated = await queries.call("evaluate", [small_problem(), result, change, b"plans/p"], PATIENCE_SECONDS)
    assert evaluated == [evaluate_bytes(small_problem(), result, change, "plans/p")]
    assert await queries.call("diff", [result, result, b"a", b"b"], PATIENCE_SECONDS) == [
        diff_bytes(result, result, "a", "b")
    ]
    problem, _ = check_message(message)
    assert problem is not None
    book = build_quote_book(problem, solved.plan, solved.certificate)
    wanted = pb.QuoteWorkloadsRequest(plan="tenants/t/plans/p", workloads=[message.workloads[0]])
    assert await queries.call("quote", [book, wanted.SerializeToString(), b"workloads"], PATIENCE_SECONDS) == []
    wanted.placements_max = 1000
    with pytest.raises(InvalidProblemError) as caught:
        await queries.call("quote", [book, wanted.SerializeToString(), b"workloads"], PATIENCE_SECONDS)
    assert any("placements_max" in violation.path for violation in caught.value.violations)


async def test_what_the_caller_did_wrong_comes_back_as_violations(make: Make) -> None:
    """Violations cross from the process to this one whole, however many there are."""
    message = problem_pb2.Problem.FromString(small_problem())
    result = result_to_proto(pipeline.run(message, SHORT)).SerializeToString()
    with pytest.raises(InvalidProblemError) as caught:
        await make().call("evaluate", [broken_problem(600), result, b"", b"plan"], PATIENCE_SECONDS)
    with pytest.raises(InvalidProblemError) as expected:
        evaluate_bytes(broken_problem(600), result, b"", "plan")
    assert caught.value.violations == expected.value.violations
    assert len(caught.value.violations) >= 600


async def test_a_fault_of_the_program_is_a_failure_and_no_more(make: Make) -> None:
    """An unknown kind fails with a text for the log, and the process goes on to the next query."""
    queries = make(query_processes_max=1)
    with pytest.raises(QueryFailedError, match="KeyError"):
        await queries.call("nonsense", [], PATIENCE_SECONDS)
    (pid,) = queries.pids
    assert (await check(queries, small_problem())).problem_sha256
    assert queries.pids == [pid]


async def test_a_query_that_takes_too_long_is_killed(make: Make) -> None:
    """After its time a query ends, its process is gone, and the next one gets an answer from a new process."""
    queries = make(query_processes_max=1)
    pid = await stopped(queries)
    with pytest.raises(QueryTimeoutError):
        await check(queries, small_problem(), timeout_seconds=0.05)
    assert (await check(queries, small_problem())).problem_sha256
    assert not is_running(pid)
    assert queries.pids != [pid]


async def test_a_query_whose_caller_is_gone_is_killed(make: Make) -> None:
    """A cancelled call takes its process along, and leaves the place to the next."""
    queries = make(query_processes_max=1)
    pid = await stopped(queries)
    call = asyncio.create_task(check(queries, small_problem()))
    await asyncio.sleep(0.05)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await until(lambda: not is_running(pid), "the process ends")
    assert (await check(queries, small_problem())).problem_sha256


async def test_a_tenant_takes_half_of_the_queue_at_most(make: Make) -> None:
    """Its queries beyond that are refused while another tenant's still wait and are answered."""
    queries = make(query_processes_max=1, query_queue_max=3)
    pid = await stopped(queries)
    calls = [asyncio.create_task(check(queries, small_problem(), tenant="a")) for _ in range(3)]
    await asyncio.sleep(0.05)
    with pytest.raises(TooManyQueriesError):
        await check(queries, small_problem(), tenant="a")
    calls.append(asyncio.create_task(check(queries, small_problem(), tenant="b")))
    await asyncio.sleep(0.05)
    os.kill(pid, signal.SIGCONT)
    assert all(await asyncio.gather(*calls))


async def test_a_process_that_was_killed_late_is_nobodys_failure(make: Make) -> None:
    """One that is killed just after its answer, by a caller that gives up, is replaced before the next query."""
    queries = make(query_processes_max=1)
    for _ in range(5):
        assert (await check(queries, small_problem())).problem_sha256
        queries._all[0].kill()


async def test_a_query_process_that_dies_is_replaced(make: Make) -> None:
    """A death during a query is that query's failure; a death between two queries is nobody's."""
    queries = make(query_processes_max=1)
    pid = await stopped(queries)
    call = asyncio.create_task(check(queries, small_problem()))
    await asyncio.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(QueryFailedError, match="-9"):
        await call
    assert (await check(queries, small_problem())).problem_sha256


async def test_a_query_process_that_died_while_idle_is_nobodys_failure(make: Make) -> None:
    """The query that finds its process dead is asked again of a new one."""
    queries = make(query_processes_max=1)
    await queries.start()
    (pid,) = queries.pids
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not is_running(pid), "the process ends")
    assert (await check(queries, small_problem())).problem_sha256


async def test_too_little_memory_is_said(make: Make) -> None:
    """A query that needs more memory than it may have says so, and the limit."""
    queries = make(query_memory_mb_max=1)
    with pytest.raises(QueryMemoryError, match="more than 1 MB"):
        await check(queries, broken_problem(5000))


async def test_as_many_queries_wait_as_may_wait(make: Make) -> None:
    """One more than may wait is refused at once with a time to retry; those that wait get their answers."""
    queries = make(query_processes_max=1, query_queue_max=2, retry_seconds=7.0)
    pid = await stopped(queries)
    calls = [asyncio.create_task(check(queries, small_problem(), tenant=tenant)) for tenant in "aab"]
    await asyncio.sleep(0.05)
    with pytest.raises(TooManyQueriesError) as caught:
        await check(queries, small_problem(), tenant="c")
    assert caught.value.retry_seconds == 7.0
    os.kill(pid, signal.SIGCONT)
    answers = await asyncio.gather(*calls)
    assert all(answer.problem_sha256 for answer in answers)


async def test_who_waits_for_all_of_its_time_is_told_to_come_again(make: Make) -> None:
    """A query that never got a process did not take too long: there were too many."""
    queries = make(query_processes_max=1)
    pid = await stopped(queries)
    first = asyncio.create_task(check(queries, small_problem()))
    await asyncio.sleep(0.05)
    with pytest.raises(TooManyQueriesError):
        await check(queries, small_problem(), timeout_seconds=0.05)
    os.kill(pid, signal.SIGCONT)
    assert (await first).problem_sha256


async def test_two_queries_have_two_processes(make: Make) -> None:
    """A query that hangs keeps no other one waiting while there is a process."""
    queries = make(query_processes_max=2)
    pid = await stopped(queries)
    first = asyncio.create_task(check(queries, small_problem()))
    await asyncio.sleep(0.05)
    assert (await check(queries, small_problem())).problem_sha256
    assert not first.done()
    os.kill(pid, signal.SIGCONT)
    await first


async def test_a_process_is_replaced_after_many_queries(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process answers so many queries and no more."""
    monkeypatch.setattr("tehai.runner.query_process.QUERIES_OF_PROCESS", 2)
    queries = make(query_processes_max=1)
    seen = []
    for _ in range(4):
        await queries.start()
        seen += queries.pids
        await check(queries, small_problem())
    assert seen[0] == seen[1]
    assert seen[2] == seen[3]
    assert seen[0] != seen[2]


async def test_closing_ends_queries_under_way(make: Make) -> None:
    """Whoever waits for an answer when the server ends gets an error, and no process stays."""
    queries = make(query_processes_max=1)
    pid = await stopped(queries)
    call = asyncio.create_task(check(queries, small_problem()))
    await asyncio.sleep(0.05)
    await queries.close()
    with pytest.raises(QueryFailedError):
        await call
    assert not is_running(pid)
    with pytest.raises(TooManyQueriesError):
        await check(queries, small_problem())
