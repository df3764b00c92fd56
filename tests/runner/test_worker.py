"""What a solve process says, run here without a process: frames in order, and what every failure becomes."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from google.protobuf.message import DecodeError

from tehai import pipeline
from tehai.domain.plan import SolveOptions
from tehai.domain.violation import UnverifiedAnswerError, Violation
from tehai.pipeline_check import check_message
from tehai.runner import worker
from tehai.runner.frames import FrameKind, Phase, SolveJob, receive_frame
from tehai.runner.processes import is_memory_error
from tehai.v1 import plan_pb2, problem_pb2, sourcing_service_pb2
from tehai.wire import result_to_proto, violation_from_proto
from tests.runner.service import SHORT, broken_problem, small_problem

Frames = list[tuple[FrameKind, bytes]]
KEPT = SolveJob(progress_interval_seconds=0.0, threads_max=1, memory_mb_max=0, kept=True)
OF_CALL = SolveJob(progress_interval_seconds=0.0, threads_max=1, memory_mb_max=0, kept=False)


def frames_of(
    problem: bytes,
    options: plan_pb2.SolveOptions = SHORT,
    job: SolveJob = KEPT,
    should_stop: Callable[[], bool] = lambda: False,
) -> Frames:
    """Return every frame of one solve."""
    reader, writer = multiprocessing.Pipe(duplex=False)
    found: Frames = []

    def read() -> None:
        while not found or not found[-1][0].is_terminal:
            found.append(receive_frame(reader))

    thread = threading.Thread(target=read)
    thread.start()
    worker._Solve(writer, job, should_stop).run(problem, options.SerializeToString())
    thread.join()
    return found


@pytest.fixture(autouse=True)
def _threads_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the engine of this process as it is."""
    monkeypatch.setattr(worker, "limit_threads", lambda _: True)


def raising(error: BaseException) -> Callable[..., NoReturn]:
    """Return a function that raises ``error``."""

    def fail(*_: Any) -> NoReturn:  # noqa: ANN401 - any arguments
        raise error

    return fail


def test_a_kept_solve_sends_book_and_standing_before_its_result() -> None:
    """The order is progress and phases, book, standing, result; the result is the pipeline's."""
    frames = frames_of(small_problem())
    kinds = [kind for kind, _ in frames]
    assert kinds[-3:] == [FrameKind.QUOTE_BOOK, FrameKind.STANDING, FrameKind.RESULT]
    assert set(kinds[:-3]) == {FrameKind.PROGRESS, FrameKind.PHASE}
    assert plan_pb2.SolveResult.FromString(frames[-1][1]).verified
    phases = [Phase.from_bytes(payload) for kind, payload in frames if kind is FrameKind.PHASE]
    assert (phases[0].name, phases[-1].name) == ("build", "certify")


def test_the_solve_of_a_call_sends_only_what_its_caller_wants() -> None:
    """Without a store there is no book and no standing."""
    kinds = {kind for kind, _ in frames_of(small_problem(), job=OF_CALL)}
    assert kinds == {FrameKind.PROGRESS, FrameKind.PHASE, FrameKind.RESULT}


@pytest.mark.parametrize("of_call", [False, True])
def test_many_violations_come_in_parts_of_one_list(*, of_call: bool) -> None:
    """The parts of a long list, put together, are the list that the pipeline finds."""
    problem = broken_problem(600)
    frames = frames_of(problem, job=OF_CALL) if of_call else frames_of(problem)
    assert [kind for kind, _ in frames[:-1]] == [FrameKind.VIOLATIONS_PART] * (len(frames) - 1)
    assert len(frames) > 2
    whole = sourcing_service_pb2.ViolationList.FromString(b"".join(payload for _, payload in frames))
    _, found = check_message(problem_pb2.Problem.FromString(problem))
    assert [violation_from_proto(violation) for violation in whole.violations] == list(found)


def test_stopped_before_it_began_a_kept_solve_says_so() -> None:
    """A kept solve that need not begin ends as cancelled; the solve of a call still gives what plan it can."""
    assert frames_of(small_problem(), should_stop=lambda: True) == [(FrameKind.CANCELLED, b"")]
    assert frames_of(small_problem(), job=OF_CALL, should_stop=lambda: True)[-1][0] is FrameKind.RESULT


def test_no_failure_goes_untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exceptions, panics of the engine, lack of memory and unverified answers each have their terminal frame."""
    monkeypatch.setattr(pipeline, "solve_valid", raising(RuntimeError("a fault")))
    ((kind, payload),) = frames_of(small_problem())
    assert kind is FrameKind.FAILED
    assert b"a fault" in payload
    # A panic of the engine is no Exception.
    monkeypatch.setattr(pipeline, "solve_valid", raising(BaseException("a panic")))
    assert frames_of(small_problem())[0][0] is FrameKind.FAILED
    monkeypatch.setattr(pipeline, "solve_valid", raising(MemoryError()))
    assert frames_of(small_problem()) == [(FrameKind.OUT_OF_MEMORY, b"")]
    violation = Violation("V1", "plan", "wrong", "mend it")
    monkeypatch.setattr(pipeline, "solve_valid", raising(UnverifiedAnswerError((violation,))))
    ((kind, payload),) = frames_of(small_problem())
    assert kind is FrameKind.UNVERIFIED
    assert sourcing_service_pb2.ViolationList.FromString(payload).violations[0].code == "V1"


def test_a_plan_without_a_book_is_still_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trouble with the quote book is a line in the log, not the end of a verified plan; lack of memory is."""
    monkeypatch.setattr(worker, "build_quote_book", raising(ValueError("no book")))
    frames = frames_of(small_problem())
    assert [kind for kind, _ in frames[-3:]] == [FrameKind.LOG, FrameKind.STANDING, FrameKind.RESULT]
    assert b"no book" in frames[-3][1]
    monkeypatch.setattr(worker, "build_quote_book", raising(MemoryError()))
    assert frames_of(small_problem())[-1][0] is FrameKind.OUT_OF_MEMORY


@pytest.mark.parametrize(
    ("options", "chains", "threads"),
    [
        (plan_pb2.SolveOptions(), 1, 1),
        (plan_pb2.SolveOptions(threads=4), 4, 1),
        (plan_pb2.SolveOptions(work_limit=1), SolveOptions().threads, 1),
    ],
)
def test_a_solve_takes_no_more_threads_than_it_may(
    monkeypatch: pytest.MonkeyPatch, options: plan_pb2.SolveOptions, chains: int, threads: int
) -> None:
    """The engine's threads have a limit; what was asked for, and what a work limit promises, stays the same."""
    limited: list[int] = []
    monkeypatch.setattr(worker, "limit_threads", limited.append)
    seen: list[SolveOptions] = []

    def solved(_: Any, chosen: SolveOptions, *__: Any) -> NoReturn:  # noqa: ANN401 - passed on
        seen.append(chosen)
        raise RuntimeError

    monkeypatch.setattr(pipeline, "solve_valid", solved)
    frames_of(small_problem(), options)
    assert limited == [threads]
    assert [chosen.threads for chosen in seen] == [chains]


def test_threads_change_no_byte_of_a_plan() -> None:
    """Under a work limit a kept solve gives the plan of the pipeline."""
    from tehai.v1 import problem_pb2
    from tehai.wire import options_from_proto, plan_to_proto

    message = problem_pb2.Problem.FromString(small_problem())
    here = pipeline.run(message, options_from_proto(SHORT).options)
    there = plan_pb2.SolveResult.FromString(frames_of(small_problem())[-1][1])
    assert there.plan.SerializeToString(deterministic=True) == plan_to_proto(here.plan).SerializeToString(
        deterministic=True
    )
    assert result_to_proto(here).objective_yen == there.objective_yen


def test_lack_of_memory_is_seen_behind_other_errors() -> None:
    """An error that a lack of memory led to is one of memory."""
    error = RuntimeError("wrapped")
    error.__cause__ = MemoryError()
    assert is_memory_error(error)
    assert is_memory_error(MemoryError())
    assert not is_memory_error(RuntimeError("memory"))


def test_bytes_that_are_no_message_are_no_lack_of_memory_while_there_is_some() -> None:
    """Protobuf does not say whether it lacked memory; without a limit, it did not."""
    error = RuntimeError("no message")
    error.__cause__ = DecodeError("no message")
    assert not is_memory_error(error, 10**15)
