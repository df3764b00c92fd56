"""Processes of work: where they come from, what they may take, and that none outlives its server."""

from __future__ import annotations

import contextlib
import faulthandler
import fcntl
import math
import multiprocessing
import os
import resource
import signal
import sys
import threading
import types
from collections.abc import Iterator
from multiprocessing import connection, forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from google.protobuf.message import DecodeError

from tehai.runner.settings import MEBIBYTE

# Modules are named here, not imported: the server stays free of the solver.
PRELOADED = ("tehai.runner.worker", "tehai.runner.query_worker")
# Fewer turns for large messages than the usual 64 KB.
PIPE_BYTES = 1024 * 1024
# A message in memory is larger than its bytes, most of all where it is many small ones.
MESSAGE_BYTES_OF_BYTE = 100
# Time of a process that has answered, or closed its pipes, to end by itself.
END_SECONDS = 5.0
_PAGE_BYTES = resource.getpagesize()
# multiprocessing starts and reaps processes in module-wide lists that two threads must not touch at once.
_lock = threading.Lock()


def start_fork_server() -> ForkServerContext:
    """Start the process that all others are forked from; call it before any gRPC object exists."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    forkserver.ensure_running()
    return context


def start_process(process: ForkServerProcess) -> None:
    """Start ``process``, whose function and arguments are not of the main module; blocks for some milliseconds."""
    with _lock, _main_hidden():
        process.start()


@contextlib.contextmanager
def _main_hidden() -> Iterator[None]:
    """Let multiprocessing see an empty main module: a process would else import the server's own, for 0.1 s."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def join_process(process: ForkServerProcess, patience_seconds: float) -> int | None:
    """Wait for the end of a started process and return its exit code, -N where signal N ended it.

    One that has not ended by itself after ``patience_seconds`` is killed.
    """
    if not connection.wait([process.sentinel], patience_seconds):
        process.kill()
        connection.wait([process.sentinel])
    with _lock:
        process.join()
    return process.exitcode


def new_pipe(context: ForkServerContext) -> tuple[Connection, Connection]:
    """Return the reading and the writing end of a pipe with room for large messages."""
    reader, writer = context.Pipe(duplex=False)
    # Past the system's limit for all pipes of a user it stays as it is.
    with contextlib.suppress(OSError):
        fcntl.fcntl(writer.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return reader, writer


def settle_in(nice: int) -> None:
    """Make this process one of work: of lower priority, and deaf to the signals of its server's group."""
    # Ctrl-C and a signal to the whole group are the server's to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(nice)
    # Says where native code died, on the server's own error output.
    faulthandler.enable()
    # A core file of some gigabytes helps nobody.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_memory(memory_mb_max: int) -> None:
    """Let this process take so much address space beyond what it has now; 0: no limit."""
    if memory_mb_max:
        limit = _address_space_bytes() + memory_mb_max * MEBIBYTE
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def is_memory_error(error: BaseException | None, input_bytes: int = 0) -> bool:
    """Return whether ``error`` or what led to it is a lack of memory.

    Protobuf says only that bytes are no message, also where it had no memory for it: with little left for the
    ``input_bytes`` that were read, it is taken for that.
    """
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        if isinstance(error, DecodeError) and _memory_left_bytes() < MESSAGE_BYTES_OF_BYTE * input_bytes:
            return True
        error = error.__cause__ or error.__context__
    return False


def died_for_memory(exit_code: int | None, memory_mb_max: int) -> bool:
    """Return whether a death is taken for a lack of memory: native code that gets none aborts, or uses it unasked."""
    return memory_mb_max > 0 and exit_code in (-signal.SIGABRT, -signal.SIGSEGV)


def _memory_left_bytes() -> float:
    """Return how much address space this process may still take."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return math.inf if limit == resource.RLIM_INFINITY else limit - _address_space_bytes()


def _address_space_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * _PAGE_BYTES
