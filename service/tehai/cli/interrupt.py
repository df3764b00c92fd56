"""Ctrl-C once keeps the best plan; twice ends at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

import click

T = TypeVar("T")
# The main thread wakes this often to let signals in.
WAIT_SECONDS = 0.1


def run_interruptible(work: Callable[[Callable[[], bool]], T], *, note: str) -> T:
    """Return ``work(should_stop)``, run in a thread so that signals are heard while native code is busy.

    The first Ctrl-C prints ``note`` and makes ``should_stop`` true; the second raises KeyboardInterrupt here and
    leaves the thread behind. What ``work`` raises is raised.
    """
    stop, ended = threading.Event(), threading.Event()
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work(stop.is_set))
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            failure.append(error)
        finally:
            ended.set()

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signature of signal
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        click.echo(note, err=True)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        threading.Thread(target=run, name="solve", daemon=True).start()
        while not ended.wait(WAIT_SECONDS):
            pass
    finally:
        signal.signal(signal.SIGINT, before)
    if failure:
        raise failure[0]
    return outcome[0]
