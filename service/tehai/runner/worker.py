"""The process of one solve: reads a problem, runs the pipeline, sends frames, ends.

The fork server imports this module (and with it the solver) once, so that a ready process is a fork away. The server
itself must not import it.
"""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection

from tehai import pipeline
from tehai.domain.plan import SolveOptions
from tehai.domain.problem import Problem
from tehai.domain.result import Progress, SolveResult
from tehai.domain.violation import InvalidProblemError, UnverifiedAnswerError, Violation
from tehai.engine.instance import limit_threads
from tehai.pipeline_check import check_message
from tehai.quote import build_quote_book
from tehai.runner.frames import STOP, VIOLATIONS_OF_PART, FrameKind, Phase, SolveJob, send_frame
from tehai.runner.processes import is_memory_error, limit_memory, settle_in
from tehai.runner.standing import standing_of_result
from tehai.v1 import plan_pb2, problem_pb2, sourcing_service_pb2
from tehai.wire import message_from_bytes, options_from_proto, progress_to_proto, result_to_proto, violation_to_proto

# Below everything that answers a caller.
NICE = 10
# A solve reads and checks its problem before the pipeline's first phase, and both count as that one.
FIRST_PHASE = "build"


def solve_in_process(orders: Connection, frames: Connection, job: SolveJob) -> None:
    """Solve the problem that arrives on ``orders`` and send what happens on ``frames``; see ``frames``.

    The process ends at once when ``orders`` is closed, which is how it learns that its server was killed.
    """
    settle_in(NICE)
    try:
        problem, options = _receive(orders)
        stop = _watch(orders)
        _Solve(frames, job, stop.is_set).run(problem, options)
    except (BrokenPipeError, EOFError):
        # The server is gone; there is nobody to tell.
        return


def _receive(orders: Connection) -> tuple[bytes, bytes]:
    """Return serialised problem and options."""
    missing = int(orders.recv_bytes())
    parts: list[bytes] = []
    while missing > 0 or not parts:
        parts.append(orders.recv_bytes())
        missing -= len(parts[-1])
    return b"".join(parts), orders.recv_bytes()


def _watch(orders: Connection) -> threading.Event:
    """Return an event that is set once the server says STOP; end the process once the server is gone."""
    stop = threading.Event()

    def wait() -> None:
        try:
            while orders.recv_bytes() == STOP:
                stop.set()
        finally:
            os._exit(1)

    threading.Thread(target=wait, name="orders", daemon=True).start()
    return stop


class _Solve:
    """One solve from bytes to the terminal frame."""

    def __init__(self, frames: Connection, job: SolveJob, should_stop: Callable[[], bool]) -> None:
        self._frames = frames
        self._job = job
        self._should_stop = should_stop
        self._progress = _ProgressSender(frames, job.progress_interval_seconds)

    def run(self, problem: bytes, options: bytes) -> None:
        """Send everything up to the terminal frame, whatever happens; raise BrokenPipeError."""
        try:
            kind, payload = self._answer(problem, options)
        except InvalidProblemError as error:
            if is_memory_error(error, len(problem)):
                kind, payload = FrameKind.OUT_OF_MEMORY, b""
            else:
                kind, payload = FrameKind.VIOLATIONS, self._violations(error.violations)
        except UnverifiedAnswerError as error:
            kind, payload = FrameKind.UNVERIFIED, _violation_list(error.violations)
        except BrokenPipeError:
            raise
        except BaseException as error:  # noqa: BLE001 - the server logs it and tells the caller nothing of it
            kind, payload = _failure(error)
        send_frame(self._frames, kind, payload)

    def _answer(self, problem_data: bytes, options_data: bytes) -> tuple[FrameKind, bytes]:
        """Run the pipeline and return the terminal frame; raise InvalidProblemError, UnverifiedAnswerError."""
        problem, options = self._read(problem_data, options_data)
        if self._job.kept and self._should_stop():
            return FrameKind.CANCELLED, b""
        result = pipeline.solve_valid(problem, options, self._progress.progress, self._should_stop)
        data = result_to_proto(result).SerializeToString(deterministic=True)
        self._progress.end()
        if self._job.kept:
            self._send_quote_book(problem, result)
            send_frame(self._frames, FrameKind.STANDING, standing_of_result(result).SerializeToString())
        return FrameKind.RESULT, data

    def _read(self, problem_data: bytes, options_data: bytes) -> tuple[Problem, SolveOptions]:
        """Return problem and options; raise InvalidProblemError with all that is wrong with both."""
        message = message_from_bytes(options_data, plan_pb2.SolveOptions, "options")
        options, wrong_options = options_from_proto(message)
        threads = min(options.threads, self._job.threads_max)
        limit_threads(threads)
        # After all threads, which could not be started under a very low limit.
        limit_memory(self._job.memory_mb_max)
        problem, wrong = check_message(message_from_bytes(problem_data, problem_pb2.Problem, "problem"))
        if problem is None or wrong or wrong_options:
            raise InvalidProblemError((*wrong_options, *wrong))
        # How many chains are asked for decides what the plan is, the threads that run them do not: a number that the
        # caller gave stays, as does the usual one under a work limit, whose plan is the same everywhere.
        if message.HasField("threads") or options.work_limit is not None:
            return problem, options
        return problem, replace(options, threads=threads)

    def _send_quote_book(self, problem: Problem, result: SolveResult) -> None:
        """Send the quote book; without one there is still a verified plan, so trouble with it is only logged."""
        try:
            book = build_quote_book(problem, result.plan, result.certificate)
        except Exception as error:
            if is_memory_error(error):
                raise
            send_frame(self._frames, FrameKind.LOG, b"no quote book\n" + traceback.format_exc().encode())
            return
        send_frame(self._frames, FrameKind.QUOTE_BOOK, book)

    def _violations(self, violations: tuple[Violation, ...]) -> bytes:
        """Return the terminal list; of a long one, what comes before is sent in parts."""
        while len(violations) > VIOLATIONS_OF_PART:
            part, violations = violations[:VIOLATIONS_OF_PART], violations[VIOLATIONS_OF_PART:]
            send_frame(self._frames, FrameKind.VIOLATIONS_PART, _violation_list(part))
        return _violation_list(violations)


def _failure(error: BaseException) -> tuple[FrameKind, bytes]:
    """Return the terminal frame of a solve that ended in an exception (BaseException: a panic of the engine is one)."""
    if is_memory_error(error):
        # What the failed solve held is let go before anything else is allocated.
        traceback.clear_frames(error.__traceback__)
        return FrameKind.OUT_OF_MEMORY, b""
    return FrameKind.FAILED, "".join(traceback.format_exception(error)).encode()


def _violation_list(violations: tuple[Violation, ...]) -> bytes:
    found = [violation_to_proto(violation) for violation in violations]
    return sourcing_service_pb2.ViolationList(violations=found).SerializeToString()


class _ProgressSender:
    """Sends progress at most once in each interval, so that a busy solve cannot flood its server, and every phase."""

    def __init__(self, frames: Connection, interval_seconds: float) -> None:
        self._frames = frames
        self._interval_seconds = interval_seconds
        self._next = 0.0
        self._phase = FIRST_PHASE
        self._phase_start_ns = self._last_ns = time.time_ns()

    def progress(self, progress: Progress) -> None:
        """Send ``progress`` unless the last one was sent too short a time ago; note the phase that it ends."""
        self._reach(progress.phase.value)
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self._interval_seconds
            send_frame(self._frames, FrameKind.PROGRESS, progress_to_proto(progress).SerializeToString())

    def end(self) -> None:
        """Send the last phase: certificate, second opinion and breakdown."""
        self._reach("certify")
        self._send_phase()

    def _reach(self, phase: str) -> None:
        """Count the time since the last report to ``phase``, since a report comes when its phase has done a step."""
        if phase != self._phase:
            self._send_phase()
            self._phase, self._phase_start_ns = phase, self._last_ns
        # A wall clock that is set back makes no phase negative.
        self._last_ns = max(self._last_ns, time.time_ns())

    def _send_phase(self) -> None:
        phase = Phase(self._phase, self._phase_start_ns, self._last_ns)
        send_frame(self._frames, FrameKind.PHASE, phase.to_bytes())
