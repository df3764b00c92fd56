"""A query process: answers one query after the other with functions from bytes to bytes.

What a query is about (problems and plans as Python objects) never enters the server's own process.
"""

from __future__ import annotations

import os
import queue
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from types import MappingProxyType

from tehai.catalog import demo_problem
from tehai.domain.violation import InvalidProblemError
from tehai.evaluate import messages as evaluations
from tehai.pipeline_check import check_message
from tehai.quote.messages import check_request_bytes
from tehai.runner.frames import VIOLATIONS_OF_PART
from tehai.runner.processes import is_memory_error, limit_memory, settle_in
from tehai.runner.query_frames import Answer, Query, QueryFrame, receive_query, send_answer
from tehai.v1 import sourcing_service_pb2 as pb
from tehai.validation import notes
from tehai.wire import message_from_bytes, problem_sha256, problem_to_proto, violation_to_proto

# Below the server, above the solves: somebody waits for the answer.
NICE = 5
Parts = Sequence[bytes]


def answer_queries(queries: Connection, answers: Connection, memory_mb_max: int) -> None:
    """Answer until ``queries`` is closed; the process then ends at once, whatever it is doing."""
    settle_in(NICE)
    waiting: queue.SimpleQueue[Query] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(queries, waiting), name="queries", daemon=True).start()
    # After the thread, which could not be started under a very low limit.
    limit_memory(memory_mb_max)
    try:
        while True:
            send_answer(answers, _answer(waiting.get()))
    except BrokenPipeError:
        # The server is gone.
        return


def _listen(queries: Connection, waiting: queue.SimpleQueue[Query]) -> None:
    try:
        while True:
            waiting.put(receive_query(queries))
    finally:
        os._exit(1)


def _answer(query: Query) -> Answer:
    try:
        return Answer(QueryFrame.ANSWER, tuple(KINDS[query.kind](query.parts)))
    except InvalidProblemError as error:
        if is_memory_error(error, sum(map(len, query.parts))):
            return Answer(QueryFrame.OUT_OF_MEMORY, ())
        return Answer(QueryFrame.VIOLATIONS, _violation_parts(error))
    except BaseException as error:  # noqa: BLE001 - the server logs it and tells the caller nothing of it
        if is_memory_error(error):
            traceback.clear_frames(error.__traceback__)
            return Answer(QueryFrame.OUT_OF_MEMORY, ())
        return Answer(QueryFrame.FAILED, ("".join(traceback.format_exception(error)).encode(),))


def _violation_parts(error: InvalidProblemError) -> tuple[bytes, ...]:
    """Return the violations as lists that are each read in a millisecond."""
    found = [violation_to_proto(violation) for violation in error.violations]
    starts = range(0, len(found), VIOLATIONS_OF_PART)
    return tuple(
        pb.ViolationList(violations=found[start : start + VIOLATIONS_OF_PART]).SerializeToString() for start in starts
    )


def check(parts: Parts) -> list[bytes]:
    """Take a CheckProblemRequest; return a CheckProblemResponse with all violations, or notes and hash."""
    message = message_from_bytes(parts[0], pb.CheckProblemRequest, "request").problem
    problem, violations = check_message(message)
    if problem is None:
        response = pb.CheckProblemResponse(violations=[violation_to_proto(violation) for violation in violations])
    else:
        response = pb.CheckProblemResponse(notes=notes(problem), problem_sha256=problem_sha256(problem))
    return [response.SerializeToString()]


def demo(parts: Parts) -> list[bytes]:
    """Take a GetDemoProblemRequest whose name is known; return a GetDemoProblemResponse."""
    request = message_from_bytes(parts[0], pb.GetDemoProblemRequest, "request")
    response = pb.GetDemoProblemResponse(problem=problem_to_proto(demo_problem(request.name)))
    return [response.SerializeToString()]


def evaluate(parts: Parts) -> list[bytes]:
    """Take Problem, SolveResult, ScenarioChange and the plan's name; return an Evaluation."""
    problem, result, change, plan_name = parts
    return [evaluations.evaluate_bytes(problem, result, change, plan_name.decode())]


def diff(parts: Parts) -> list[bytes]:
    """Take two SolveResults and the names of their plans; return a PlanDifference."""
    from_result, to_result, from_name, to_name = parts
    return [evaluations.diff_bytes(from_result, to_result, from_name.decode(), to_name.decode())]


def quote(parts: Parts) -> list[bytes]:
    """Take a quote book, a request for quotes and its kind; return nothing where nothing is wrong with the request."""
    book, request, kind = parts
    check_request_bytes(book, request, kind.decode())
    return []


# All raise InvalidProblemError where the caller is wrong.
KINDS: Mapping[str, Callable[[Parts], list[bytes]]] = MappingProxyType(
    {"check": check, "demo": demo, "evaluate": evaluate, "diff": diff, "quote": quote}
)
