"""The process of one solve: reads a problem, runs the pipeline, sends frames, ends.

The fork server imports this module (and with it the solver) once, so that a ready process is a fork away. The server
itself must not import it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
import traceback
from multiprocessing.connection import Connection

from tehai import pipeline
from tehai.domain.plan import SolveOptions
from tehai.domain.result import Progress
from tehai.domain.violation import InvalidProblemError, UnverifiedAnswerError, Violation
from tehai.server.frames import FrameKind, pack
from tehai.v1 import plan_pb2, problem_pb2, sourcing_service_pb2
from tehai.wire import options_from_proto, progress_to_proto, result_to_proto, violation_to_proto


def solve_in_process(orders: Connection, frames: Connection, interval_seconds: float, grace_seconds: float) -> None:
    """Solve the problem that arrives on ``orders`` and send what happens on ``frames``.

    ``orders`` carries the problem, then the options; when it closes, the solve is to stop with its best plan, and the
    process ends at the latest ``grace_seconds`` later, even where its server was killed.
    """
    # Ctrl-C and a signal to the whole group are the server's to handle: it closes the orders.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        message = problem_pb2.Problem.FromString(orders.recv_bytes())
        options = plan_pb2.SolveOptions.FromString(orders.recv_bytes())
        stop = _watch(orders, grace_seconds)
        sender = _Sender(frames, interval_seconds)
        frames.send_bytes(_answer(message, options, sender, stop))
    except (BrokenPipeError, EOFError):
        # The server is gone or has lost interest; there is nobody to tell.
        return


def _watch(orders: Connection, grace_seconds: float) -> threading.Event:
    """Return an event that is set once ``orders`` closes; end the process ``grace_seconds`` after that."""
    stop = threading.Event()

    def wait() -> None:
        with contextlib.suppress(EOFError, OSError):
            orders.recv_bytes()
        stop.set()
        time.sleep(grace_seconds)
        os._exit(1)

    threading.Thread(target=wait, name="orders", daemon=True).start()
    return stop


def _answer(
    message: problem_pb2.Problem, options_message: plan_pb2.SolveOptions, sender: _Sender, stop: threading.Event
) -> bytes:
    """Run the pipeline and return the terminal frame, whatever happens."""
    try:
        options = read_options(message, options_message)
        result = pipeline.run(message, options, sender.progress, stop.is_set)
        return pack(FrameKind.RESULT, result_to_proto(result).SerializeToString(deterministic=True))
    except InvalidProblemError as error:
        return pack(FrameKind.VIOLATIONS, _violations(error.violations))
    except UnverifiedAnswerError as error:
        return pack(FrameKind.UNVERIFIED, _violations(error.violations))
    except Exception:  # noqa: BLE001 - the server logs it and tells the client nothing of it
        return pack(FrameKind.FAILED, traceback.format_exc().encode())


def read_options(message: problem_pb2.Problem, options_message: plan_pb2.SolveOptions) -> SolveOptions:
    """Return the options; raise InvalidProblemError with all that is wrong with options and problem together."""
    options, violations = options_from_proto(options_message)
    if violations:
        from tehai.pipeline_check import check_message

        _, problem_violations = check_message(message)
        raise InvalidProblemError((*violations, *problem_violations))
    return options


def _violations(violations: tuple[Violation, ...]) -> bytes:
    found = [violation_to_proto(violation) for violation in violations]
    return sourcing_service_pb2.ViolationList(violations=found).SerializeToString()


class _Sender:
    """Sends progress at most once in each interval, so that a busy solve cannot flood its server."""

    def __init__(self, frames: Connection, interval_seconds: float) -> None:
        self._frames = frames
        self._interval_seconds = interval_seconds
        self._next = 0.0

    def progress(self, progress: Progress) -> None:
        """Send ``progress`` unless the last one was sent too short a time ago."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self._interval_seconds
            self._frames.send_bytes(pack(FrameKind.PROGRESS, progress_to_proto(progress).SerializeToString()))
